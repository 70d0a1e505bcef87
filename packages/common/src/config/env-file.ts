/**
 * Reads the text of a gotify-server.env file. Runs once at start, before env-sources.ts puts the
 * result under the process environment.
 *
 * The rules are those of godotenv, which Gotify uses. npm `dotenv` and `util.parseEnv` differ where
 * it hurts in silence: they cut an unquoted `pa#ss` at the `#`, don't expand `$NAME`, and skip a
 * line they cannot read.
 */

const GAP = /(?:\s|#[^\n]*)*/y
const NAME = /(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*[=:][^\S\n]*/y
const VALUE =
  /'(?<single>(?:[^'\\]|\\[^])*)'|"(?<double>(?:[^"\\]|\\[^])*)"|(?!['"])(?<bare>[^\n]*)/y

/** A `#` opens a comment only after white space, so that `pa#ss` and `#ss` stay whole. */
const COMMENT = /\s#.*/

/** A `$NAME` or `${NAME}`, and the `\$` that stands for a plain dollar sign. */
const VARIABLE = /\\\$|\$\{?([A-Z0-9_]+)\}?/g
const ESCAPE_OR_VARIABLE = /\\([^])|\$\{?([A-Z0-9_]+)\}?/g

/**
 * The variables of an env file; the last of equal names wins. `$NAME` is looked up in the lines above, then in
 * `environment`, and is empty when neither has it.
 *
 * @throws {Error} naming the line, without its text, which may be a secret.
 */
export function parseEnvFile(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  const variables = new Map<string, string>()
  const lookUp = (name: string): string => variables.get(name) ?? environment[name] ?? ''
  let position = 0

  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const match = pattern.exec(source)
    position += match?.[0].length ?? 0
    return match
  }

  for (next(GAP); position < source.length; next(GAP)) {
    const line = source.slice(0, position).split('\n').length
    const name = next(NAME)?.[1]
    if (name === undefined) throw new Error(`line ${line} is not NAME=value`)
    const value = next(VALUE)?.groups
    if (value === undefined) throw new Error(`line ${line} has a quote that is never closed`)
    variables.set(name, expand(value, lookUp))
  }
  return variables
}

function expand(
  value: Readonly<Record<string, string | undefined>>,
  lookUp: (name: string) => string,
): string {
  if (value['single'] !== undefined) return value['single']
  if (value['double'] !== undefined) {
    return value['double'].replace(ESCAPE_OR_VARIABLE, (_, escaped?: string, name?: string) => {
      if (name !== undefined) return lookUp(name)
      return escaped === 'n' ? '\n' : escaped === 'r' ? '\r' : (escaped ?? '')
    })
  }
  return (value['bare'] ?? '')
    .replace(COMMENT, '')
    .trim()
    .replace(VARIABLE, (_, name?: string) => (name === undefined ? '$' : lookUp(name)))
}
