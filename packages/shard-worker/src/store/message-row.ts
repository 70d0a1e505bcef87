/** A row of the messages table as the reading statements give it. */
import type { ApplicationId } from '@bellwire/common'
import type { StoredMessage } from './message-store.ts'

export interface MessageRow {
  readonly id: number
  readonly application_id: ApplicationId
  readonly title: string
  readonly message: string
  readonly priority: number
  readonly extras: string | null
  readonly date: number
}

export function storedMessage(row: MessageRow): StoredMessage {
  const { id, title, message, priority, extras, date } = row
  return { id, applicationId: row.application_id, title, message, priority, extras, date }
}
