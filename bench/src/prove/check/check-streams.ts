/** The second half of the checker: what was delivered against what is committed. Pure. */
import { groupBy } from './group-by.ts'
import type { Publish, Row, Stream } from './history.ts'
import type { Report } from './violation.ts'

/** Ids named in one line of the report. */
const NAMED = 5

export function checkStreams(
  streams: readonly Stream[],
  publishes: readonly Publish[],
  rows: readonly Row[],
  report: Report,
): void {
  const rowsByUser = groupBy(rows, ({ user }) => user)
  const texts = acknowledgedTexts(publishes)
  const sentAt = new Map(
    publishes.map(({ digest, attempts }) => [
      digest,
      Math.min(...attempts.map((attempt) => attempt.sentAt)),
    ]),
  )
  for (const stream of streams) {
    const log = [...(rowsByUser.get(stream.user) ?? [])].sort((a, b) => a.id - b.id)
    checkFrames(stream, log, texts, report)
    const next = checkOrder(stream, log, sentAt, report)
    if (stream.held && next < log.length) {
      report('head not reached', `${nameOf(stream)}: without ${idsFrom(log, next)}`)
    }
  }
}

/** The text that each id was acknowledged with. */
function acknowledgedTexts(publishes: readonly Publish[]): Map<number, string> {
  const texts = new Map<number, string>()
  for (const { attempts } of publishes) {
    for (const { status, id, text } of attempts) if (status === 200) texts.set(id, text)
  }
  return texts
}

/** Each frame by itself. A text that nobody was answered is that of the first frame which brings it. */
function checkFrames(
  stream: Stream,
  log: readonly Row[],
  texts: Map<number, string>,
  report: Report,
): void {
  const rowById = new Map(log.map((row) => [row.id, row]))
  for (const { id, digest, text } of stream.frames) {
    const row = rowById.get(id)
    if (row === undefined) {
      report('delivered, not stored', `${nameOf(stream)}: id ${id}`)
      continue
    }
    const known = texts.get(id)
    if (known === undefined) texts.set(id, text)
    if (row.digest !== digest || (known !== undefined && known !== text)) {
      report('delivered otherwise', `${nameOf(stream)}: id ${id}`)
    }
  }
}

/**
 * The frames as a walk through the user's log, one row after the other.
 * @returns the index in `log` of the first row that the stream has still to bring
 */
function checkOrder(
  stream: Stream,
  log: readonly Row[],
  sentAt: ReadonlyMap<string, number>,
  report: Report,
): number {
  const { after, openedAt, frames } = stream
  const indexOf = new Map(log.map(({ id }, index) => [id, index]))
  const due = log.findIndex(({ id, digest }) =>
    after === null ? (sentAt.get(digest) ?? 0) > openedAt : id > after,
  )
  let next = due === -1 ? log.length : due
  if (after === null && frames[0] !== undefined) {
    // Where "now" was is known to lie before the first message that was sent later.
    const first = indexOf.get(frames[0].id) ?? next
    if (first > next)
      report('missed after the 101', `${nameOf(stream)}: ${idsFrom(log, next, first)}`)
    next = first
  }
  const seen = new Set<number>()
  let last = after ?? 0
  for (const { id } of frames) {
    const index = indexOf.get(id)
    if (seen.has(id)) report('delivered twice', `${nameOf(stream)}: id ${id}`)
    else if (id <= last) report('out of order', `${nameOf(stream)}: id ${id} behind ${last}`)
    else if (index !== undefined) {
      if (index > next) report('gap', `${nameOf(stream)}: without ${idsFrom(log, next, index)}`)
      next = index + 1
    }
    seen.add(id)
    last = Math.max(last, id)
  }
  return next
}

function idsFrom(log: readonly Row[], from: number, to = log.length): string {
  const ids = log.slice(from, Math.min(to, from + NAMED)).map(({ id }) => id)
  return `${to - from} messages, from ${ids.join(', ')}`
}

function nameOf({ subscriber, user, host, after, openedAt }: Stream): string {
  return `subscriber ${subscriber} of user ${user} at host ${host} after=${after} opened ${Math.round(openedAt)}`
}
