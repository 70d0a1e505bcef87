/**
 * The settings that Bellwire knows and does not carry out yet. Anything but the default stops the
 * start: better no start than a server that ignores what it was told. An entry goes when the part
 * is built. Used by load-config.ts.
 */
import { type SettingName, type SettingValues, settingOf } from './settings/index.ts'

interface NotCarriedOut {
  readonly reason: string
  /** Texts that ask for nothing either, besides the default. */
  readonly harmless?: readonly string[]
}

export const NOT_CARRIED_OUT: ReadonlyMap<SettingName, NotCarriedOut> = new Map<
  SettingName,
  NotCarriedOut
>([
  [
    'GOTIFY_PLUGINSDIR',
    {
      reason: 'plugins of Gotify are shared objects that only its own program can load',
      harmless: [''],
    },
  ],
])

/** One line for each setting that asks for something that isn't there. */
export function refuseWhatIsNotCarriedOut(
  raw: ReadonlyMap<string, string>,
  values: SettingValues,
): string[] {
  const problems: string[] = []
  for (const [name, { reason, harmless = [] }] of NOT_CARRIED_OUT) {
    const setting = settingOf(name)
    const text = raw.get(name)
    if (text === undefined || harmless.includes(text)) continue
    // Compared after parsing: `0` and `false` are the same.
    if (values[name] === setting.kind.parse(setting.default)) continue
    const allowed = [setting.default, ...harmless].map((each) => JSON.stringify(each)).join(' or ')
    const shown = setting.secret ? '' : `: value was ${JSON.stringify(text)}`
    problems.push(`${name}: must be ${allowed}, because ${reason}${shown}`)
  }
  return problems
}
