/**
 * Takes over messages with ids, dates and extras, some hundred at a time, so that memory does not
 * grow with the history. Fifth stage of an import.
 */
import type { ApplicationId, MessageId, UserId } from '@bellwire/common'
import type { MessageRow } from '@bellwire/common/db'
import { type GotifyRow, pagesOf } from './gotify-source.ts'
import { extrasOf, idIn, millisOf, numberOf, textOf } from './gotify-values.ts'
import type { ImportedApplication } from './import-applications.ts'
import type { ImportContext } from './import-context.ts'

export async function importMessages(
  context: ImportContext,
  applications: readonly ImportedApplication[],
): Promise<void> {
  const { source, report } = context
  const ownerOf = new Map<number, UserId>(applications.map(({ id, user_id }) => [id, user_id]))
  for await (const page of pagesOf(source, 'messages')) {
    const messages = page.flatMap((row) => {
      const userId = ownerOf.get(idIn('messages', row, 'application_id'))
      return userId === undefined ? [] : [toMessage(row, userId, context.now)]
    })
    report.leftOut('messages of applications that are gone', page.length - messages.length)
    await insertNew(context, messages)
    for (const { id } of messages) context.log.noteMessage(id)
  }
}

async function insertNew(
  { db, report, log }: ImportContext,
  messages: readonly MessageRow[],
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
  if (added.length > 0) await db.insertInto('messages').values(added).execute()
  const same = messages.filter(({ id, application_id, date }) => {
    const known = byId.get(id)
    return known?.application_id === application_id && known.date === date
  })
  report.added('messages', added.length)
  report.present('messages', same.length)
  report.leftOut('messages that were deleted here since', missing.length - added.length)
  report.leftOut(
    'messages whose ids other messages have here',
    messages.length - missing.length - same.length,
  )
}

function toMessage(row: GotifyRow, userId: UserId, now: number): MessageRow {
  return {
    id: idIn('messages', row) as MessageId,
    user_id: userId,
    application_id: idIn('messages', row, 'application_id') as ApplicationId,
    title: textOf(row['title']),
    message: textOf(row['message']),
    priority: numberOf(row['priority']),
    extras: extrasOf(row['extras']),
    date: millisOf(row['date']) ?? now,
    idempotency_key: null,
    idempotency_hash: null,
  }
}
