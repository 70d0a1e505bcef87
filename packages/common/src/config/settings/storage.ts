/** The settings of what is kept on disk: the database, images, plugins. */
import { dialect, filePath, folder, text, wholeNumber } from '../kinds/scalars.ts'
import type { Setting } from './setting.ts'

/** A century, and more messages than are ever wanted; beyond lie slips of the finger. */
export const MAX_RETENTION_DAYS = 36_500
export const MAX_RETENTION_COUNT = 10_000_000

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
  GOTIFY_MESSAGES_RETENTIONDAYS: {
    kind: wholeNumber(0, MAX_RETENTION_DAYS),
    default: '0',
    doc: 'Days after which messages are deleted, for applications without a retentionDays of their own. 0: they are kept. Carried out within 5 minutes.',
  },
  GOTIFY_MESSAGES_RETENTIONCOUNT: {
    kind: wholeNumber(0, MAX_RETENTION_COUNT),
    default: '0',
    doc: 'Newest messages that an application keeps, for applications without a retentionCount of their own. 0: all. Carried out within 5 minutes.',
  },
} as const satisfies Record<string, Setting<unknown>>
