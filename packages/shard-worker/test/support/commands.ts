/** Publish commands as the gateway writes them, with what a test cares about. */
import type { PublishCommand } from '@bellwire/common'

export function publishCommand(fields: Partial<PublishCommand> = {}): PublishCommand {
  return {
    kind: 'publish',
    correlationId: 1 as PublishCommand['correlationId'],
    userId: 1 as PublishCommand['userId'],
    applicationId: 7 as PublishCommand['applicationId'],
    applicationName: Buffer.from('an application'),
    defaultPriority: 4,
    bodyKind: 'json',
    contentType: '',
    query: '',
    idempotencyKey: '',
    receivedAt: Date.UTC(2026, 0, 1),
    body: Buffer.alloc(0),
    ...fields,
  }
}

export function jsonCommand(body: unknown, fields: Partial<PublishCommand> = {}): PublishCommand {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return publishCommand({ ...fields, bodyKind: 'json', body: Buffer.from(text) })
}
