/**
 * The JSON text of a message, in Gotify's key order and with Gotify's escapes. The live frame, the
 * answer to a publish and the entry in the history are this same text: clients compare them.
 * Runs in the shard worker (publish, catch-up) and on the main thread (history).
 */

/** What a message says, all but its id, which is known only after the insert. */
export interface MessageFields {
  readonly applicationId: number
  readonly title: string
  readonly message: string
  /** A safe integer. */
  readonly priority: number
  /** JSON text of an object with at least one key; null or '' for none. */
  readonly extras: string | null
  /** Milliseconds since 1970, UTC. */
  readonly date: number
}

/** Encodes everything that comes after the id, so that it can be made before the id is known. */
export function encodeMessageTail(fields: MessageFields): string {
  const extras = fields.extras ? `,"extras":${escapeHtml(fields.extras)}` : ''
  return (
    `,"appid":${fields.applicationId}` +
    `,"message":${escapeHtml(JSON.stringify(fields.message))}` +
    `,"title":${escapeHtml(JSON.stringify(fields.title))}` +
    `,"priority":${fields.priority}${extras}` +
    `,"date":"${isoDate(fields.date)}"}`
  )
}

let lastDate = Number.NaN
let lastDateText = ''

/** Publishes of one millisecond come together, and to print a date takes as long as half of the rest. */
function isoDate(date: number): string {
  if (date !== lastDate) {
    lastDateText = new Date(date).toISOString()
    lastDate = date
  }
  return lastDateText
}

/** Puts the id in front of the tail of {@link encodeMessageTail}. */
export function encodeMessage(id: number, tail: string): string {
  return `{"id":${id}${tail}`
}

/** Encodes any value as Go's encoding/json does with its default HTML escapes. */
export function encodeJson(value: unknown): string {
  return escapeHtml(JSON.stringify(value))
}

const NEEDS_ESCAPE = /[<>&\u2028\u2029]/
const EACH_ESCAPE = /[<>&\u2028\u2029]/g

/** In JSON text these characters stand only inside strings, so the whole text may be escaped at once. */
function escapeHtml(json: string): string {
  return NEEDS_ESCAPE.test(json) ? json.replace(EACH_ESCAPE, escapeCharacter) : json
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
