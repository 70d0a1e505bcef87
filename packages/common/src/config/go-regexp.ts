/**
 * Compiles a regular expression written for Gotify, which is Go's RE2 syntax, as a JavaScript one.
 * Used by kinds.ts for the origin lists.
 *
 * Compiled with the `u` flag, so that Go syntax that JavaScript lacks is an error and never silently
 * something else: without it `\A` would mean the letter A.
 */

/** Escapes that JavaScript knows with the `u` flag and that mean the same in Go. */
const SHARED_ESCAPE = /[dDwWsSbBtnrfvpPx^$\\.*+?()[\]{}|/]/

/**
 * A pattern that is not anchored, as in Go: it matches anywhere in the text.
 *
 * @throws {SyntaxError} for a pattern JavaScript cannot read.
 */
export function compileGoRegExp(source: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(source)
  const pattern = source
    .slice(flags?.[0].length ?? 0)
    .replace(/\\([^])|\(\?P</g, (match, escaped?: string) =>
      escaped === undefined ? '(?<' : translateEscape(escaped),
    )
  return new RegExp(pattern, `u${[...new Set(flags?.[1])].join('')}`)
}

function translateEscape(character: string): string {
  if (character === 'A') return '(?<![^])'
  if (character === 'z') return '(?![^])'
  if (character === '-') return '\\x2d'
  // Go lets any punctuation be escaped; JavaScript only its own.
  if (/[\W_]/.test(character) && !SHARED_ESCAPE.test(character)) return character
  return `\\${character}`
}
