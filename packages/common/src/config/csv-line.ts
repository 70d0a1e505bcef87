/**
 * Splits one CSV line the way Gotify does for its lists (Go's encoding/csv with LazyQuotes and
 * TrimLeadingSpace). Own code, because the packaged parsers refuse or read differently what that
 * mode accepts, such as `"ab"cd"`. Used by kinds.ts.
 */

/** The fields of `line`: white space before a field is dropped, commas inside quotes belong to the field. */
export function splitCsvLine(line: string): string[] {
  const fields: string[] = []
  let rest: string | undefined = line
  while (rest !== undefined) {
    const text: string = rest.trimStart()
    const [field, after]: Split = text.startsWith('"') ? quoted(text.slice(1)) : bare(text)
    fields.push(field)
    rest = after
  }
  return fields
}

/** A field, and what follows its comma; undefined when it was the last one. */
type Split = readonly [field: string, rest: string | undefined]

function bare(text: string): Split {
  const comma = text.indexOf(',')
  return comma === -1 ? [text, undefined] : [text.slice(0, comma), text.slice(comma + 1)]
}

/** `""` is one quote; a single quote closes the field only before a comma or the end. */
function quoted(text: string): Split {
  let field = ''
  let position = 0
  for (;;) {
    const quote = text.indexOf('"', position)
    if (quote === -1) return [field + text.slice(position), undefined]
    field += text.slice(position, quote)
    const next = text[quote + 1]
    if (next === undefined) return [field, undefined]
    if (next === ',') return [field, text.slice(quote + 2)]
    field += '"'
    position = quote + (next === '"' ? 2 : 1)
  }
}
