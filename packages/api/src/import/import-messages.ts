/**
 * Takes over messages with ids, dates and extras, some hundred at a time, so that memory does not
 * grow with the history. Fifth stage of an import.
 */
import type { ApplicationId, MessageId, UserId } from '@bellwire/common'
import type { MessageRow } from '@bellwire/common/db'
import { type GotifyRow, pagesOf } from './gotify-source.ts'
import { idIn, numberOf, textOf } from './gotify-values.ts'
import type { ImportedApplication } from './import-applications.ts'
import type { ImportContext } from './import-context.ts'
import type { ImportReport } from './import-report.ts'
import { extrasIn, timeIn } from './reported-values.ts'

type ImportedMessage = Omit<MessageRow, 'date'> & {
  /** Null: it has none that can be read; it gets the time of the import. */
  readonly date: number | null
}

export async function importMessages(
  context: ImportContext,
  applications: readonly ImportedApplication[],
): Promise<void> {
  const { source, report } = context
  const ownerOf = new Map<number, UserId>(applications.map(({ id, user_id }) => [id, user_id]))
  for await (const page of pagesOf(source, 'messages')) {
    const messages = page.flatMap((row) => {
      const userId = ownerOf.get(idIn('messages', row, 'application_id'))
      return userId === undefined ? [] : [toMessage(row, userId, report)]
    })
    report.leftOut('messages of applications that are gone', page.length - messages.length)
    await insertNew(context, messages)
    for (const { id } of messages) context.log.noteMessage(id)
  }
}

async function insertNew(
  { db, report, log, now }: ImportContext,
  messages: readonly ImportedMessage[],
): Promise<void> {
  if (messages.length === 0) return
  const ids = messages.map(({ id }) => id)
  const here = await db
    .selectFrom('messages')
    .select(['id', 'application_id', 'date'])
    .where('id', 'in', ids)
    .execute()
  const byId = new Map(here.map((row) => [row.id, row]))
  const missing = messages.filter(({ id }) => !byId.has(id))
  const added = missing.filter(({ id }) => !log.hasMessage(id))
  if (added.length > 0) {
    const rows = added.map((message) => ({ ...message, date: message.date ?? now }))
    await db.insertInto('messages').values(rows).execute()
  }
  const same = messages.filter(({ id, application_id, date }) => {
    const known = byId.get(id)
    if (known?.application_id !== application_id) return false
    return date === null ? log.hasMessage(id) : known.date === date
  })
  report.added('messages', added.length)
  report.present('messages', same.length)
  report.leftOut('messages that were deleted here since', missing.length - added.length)
  report.leftOut(
    'messages whose ids other messages have here',
    messages.length - missing.length - same.length,
  )
}

function toMessage(row: GotifyRow, userId: UserId, report: ImportReport): ImportedMessage {
  return {
    id: idIn('messages', row) as MessageId,
    user_id: userId,
    application_id: idIn('messages', row, 'application_id') as ApplicationId,
    title: textOf(row['title']),
    message: textOf(row['message']),
    priority: numberOf(row['priority']),
    extras: extrasIn(row, report),
    date: timeIn('messages', row, 'date', report),
    idempotency_key: null,
    idempotency_hash: null,
  }
}
