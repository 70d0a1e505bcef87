export { ConfigError } from './config-error.ts'
export { describeConfig } from './describe-config.ts'
export { setHeadLimit } from './head-limit.ts'
export {
  type ConfigSource,
  type LoadedConfig,
  loadConfig,
  loadConfigFromProcess,
} from './load-config.ts'
export { parseConnection } from './parse-connection.ts'
export { SETTING_NAMES, type SettingName, settingOf } from './settings/index.ts'
export { MAX_RETENTION_COUNT, MAX_RETENTION_DAYS } from './settings/storage.ts'
export type * from './types.ts'
