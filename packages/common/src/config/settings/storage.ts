/** The settings of what is kept on disk: the database, images, plugins. */
import { dialect, filePath, folder, text } from '../kinds/scalars.ts'
import type { Setting } from './setting.ts'

export const STORAGE_SETTINGS = {
  GOTIFY_DATADIR: {
    kind: folder,
    default: 'data',
    doc: 'Folder of the embedded database, of uploaded images and of certificates.',
  },
  GOTIFY_DATABASE_DIALECT: {
    kind: dialect,
    default: 'sqlite3',
    doc: 'sqlite3 (the default of Gotify) and embedded: the PostgreSQL that Bellwire runs itself in GOTIFY_DATADIR. postgres: an external one.',
  },
  GOTIFY_DATABASE_CONNECTION: {
    kind: text,
    default: 'data/gotify.db',
    doc: 'With postgres: a postgres:// URL, or host=... user=... password=... dbname=... port=... sslmode=... Otherwise it stays at its default.',
    secret: true,
  },
  GOTIFY_UPLOADEDIMAGESDIR: {
    kind: folder,
    default: 'data/images',
    doc: 'Folder of uploaded images. Left out: the folder images in GOTIFY_DATADIR.',
  },
  GOTIFY_PLUGINSDIR: {
    kind: filePath,
    default: 'data/plugins',
    doc: 'Accepted at its default or empty. Plugins of Gotify are shared objects of its own program.',
  },
} as const satisfies Record<string, Setting<unknown>>
