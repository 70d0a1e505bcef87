/**
 * Parses and checks the text of every setting with convict, which holds the tables of settings/ as
 * its schema. Runs once at start, between env-sources.ts and load-config.ts.
 */
import convict from 'convict'
import { SETTING_NAMES, type SettingName, type SettingValues, settingOf } from './settings/index.ts'

/** Either the values, or one line for each that is wrong: name, what is allowed, and the value unless it is secret. */
export type ReadResult =
  | { readonly values: SettingValues; readonly problems?: never }
  | { readonly values?: never; readonly problems: readonly string[] }

export function readSettings(raw: ReadonlyMap<string, string>): ReadResult {
  const given = [...raw].filter(([name, text]) => !isLeftOut(name as SettingName, text))
  const schema: convict.Schema<Record<string, string>> = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, schemaOf(name)]),
  )
  // Schema defaults are texts, so convict's own coercion never runs; `args` keeps it off process.argv.
  const settings = convict(schema, { env: Object.fromEntries(given), args: [] })
  try {
    settings.validate({ allowed: 'strict' })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { problems: error.message.split('\n') }
  }
  const texts = settings.getProperties()
  const values = SETTING_NAMES.map((name) => [name, settingOf(name).kind.parse(texts[name] ?? '')])
  return { values: Object.fromEntries(values) as SettingValues }
}

function schemaOf(name: SettingName): convict.SchemaObj<string> {
  const { default: text, doc, kind, secret = false } = settingOf(name)
  const format = (value: string): void => {
    try {
      kind.parse(value)
    } catch (error) {
      if (value !== '' || secret || !(error instanceof Error)) throw error
      // convict shows no value when it is empty.
      throw new Error(`${error.message}: value was ""`, { cause: error })
    }
  }
  return { default: text, doc, env: name, sensitive: secret, format }
}

/** Gotify leaves an empty list or map at its default. */
function isLeftOut(name: SettingName, text: string): boolean {
  return text === '' && settingOf(name).kind.emptyIsDefault === true
}
