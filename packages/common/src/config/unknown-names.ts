/** Finds misspelt variable names: everything that begins with GOTIFY_ and is no setting. Used by load-config.ts. */
import { closest } from 'fastest-levenshtein'
import { SETTING_NAMES } from './settings/index.ts'

/** One warning for each unknown `GOTIFY_*` name, with the known name nearest to it. */
export function warnOfUnknownNames(names: readonly string[]): string[] {
  const known = ['GOTIFY_CONFIG_FILE', ...SETTING_NAMES.flatMap((name) => [name, `${name}_FILE`])]
  return names
    .filter((name) => /^GOTIFY_/i.test(name) && !known.includes(name))
    .map(
      (name) => `${name} is no setting; the nearest one is ${closest(name.toUpperCase(), known)}`,
    )
}
