/** The first half of the checker: what was acknowledged against what is committed. Pure. */
import { groupBy } from './group-by.ts'
import type { Attempt, Publish, Row } from './history.ts'
import type { Report } from './violation.ts'

export function checkPublishes(
  publishes: readonly Publish[],
  rows: readonly Row[],
  report: Report,
): void {
  const rowById = new Map(rows.map((row) => [row.id, row]))
  const rowsByDigest = groupBy(rows, ({ digest }) => digest)
  const sent = new Set(publishes.map(({ digest }) => digest))
  for (const { id, digest } of rows) {
    if (!sent.has(digest)) report('stored, never sent', `id ${id}`)
  }
  for (const publish of publishes) {
    const stored = rowsByDigest.get(publish.digest) ?? []
    if (stored.length > 1) {
      report('stored twice', `${nameOf(publish)}: ids ${stored.map(({ id }) => id).join(', ')}`)
    }
    checkAnswers(publish, rowById, report)
  }
  for (const ofUser of groupBy(publishes, ({ user }) => user).values()) {
    checkIdsFollowAnswers(ofUser, report)
  }
}

function checkAnswers(publish: Publish, rowById: ReadonlyMap<number, Row>, report: Report): void {
  const acknowledged = publish.attempts.filter(isAcknowledged)
  for (const { status, host } of publish.attempts) {
    if (![0, 200, 503].includes(status)) {
      report('wrong answer', `${nameOf(publish)} at host ${host}: ${status}`)
    }
  }
  if (new Set(acknowledged.map(({ id, text }) => `${id} ${text}`)).size > 1) {
    const ids = acknowledged.map(({ id }) => id).join(', ')
    report('one key, two answers', `${nameOf(publish)}: ids ${ids}`)
  }
  if (publish.key !== null && acknowledged.length === 0)
    report('never acknowledged', nameOf(publish))
  for (const { id } of acknowledged) {
    const row = rowById.get(id)
    if (row === undefined) {
      report('acknowledged, not stored', `${nameOf(publish)}: id ${id}`)
    } else if (
      row.user !== publish.user ||
      row.digest !== publish.digest ||
      row.key !== publish.key
    ) {
      report('acknowledged, stored otherwise', `${nameOf(publish)}: id ${id}`)
    }
  }
}

/** In the order of time: whatever is sent later gets a greater id than all that was acknowledged by then. */
function checkIdsFollowAnswers(publishes: readonly Publish[], report: Report): void {
  const answers = publishes
    .flatMap(({ attempts }) => attempts.filter(isAcknowledged))
    .sort((a, b) => a.endedAt - b.endedAt)
  const sent = publishes
    .flatMap(({ attempts }) => {
      const id = attempts.find(isAcknowledged)?.id
      const from = Math.min(...attempts.map(({ sentAt }) => sentAt))
      return id === undefined ? [] : [{ id, from }]
    })
    .sort((a, b) => a.from - b.from)
  let greatest = 0
  let next = 0
  for (const { id, from } of sent) {
    for (let answer = answers[next]; answer !== undefined && answer.endedAt < from;) {
      greatest = Math.max(greatest, answer.id)
      answer = answers[++next]
    }
    if (id <= greatest) {
      report('id below an earlier one', `id ${id} was sent after ${greatest} was acknowledged`)
    }
  }
}

function isAcknowledged({ status }: Attempt): boolean {
  return status === 200
}

function nameOf({ user, key, digest }: Publish): string {
  return `user ${user} ${key === null ? 'without a key' : `key ${key}`} ${digest}`
}
