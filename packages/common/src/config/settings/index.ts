/** Every setting there is, by variable name. A variable that is not here is unknown to Bellwire. */
import { ACCOUNT_SETTINGS } from './accounts.ts'
import { SERVER_SETTINGS } from './server.ts'
import type { Setting } from './setting.ts'
import { STORAGE_SETTINGS } from './storage.ts'
import { STREAM_SETTINGS } from './stream.ts'

export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...STREAM_SETTINGS,
  ...STORAGE_SETTINGS,
  ...ACCOUNT_SETTINGS,
}

export type SettingName = keyof typeof SETTINGS

/** The parsed value of every setting. */
export type SettingValues = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never
}

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]

/** The line of the table, with the type of its value left open. */
export function settingOf(name: SettingName): Setting<unknown> {
  return SETTINGS[name]
}
