/**
 * Endpoints of the message history: pages of messages, and deletion. Main thread. Publishing and
 * the live stream are elsewhere; a message's text is the same in all three (common/src/message.ts).
 */
import {
  type ApplicationId,
  encodeJson,
  encodeMessage,
  encodeMessageTail,
  type MessageId,
  PushError,
} from '@bellwire/common'
import type { HttpResponse, ManagedContext, Route } from '../http/types.ts'
import { empty, jsonText } from './answers.ts'
import { ApplicationStore } from './application-store.ts'
import { deleteMessages } from './database-rules.ts'
import type { ManagementDeps } from './deps.ts'
import { type MessagePage, MessageStore } from './message-store.ts'
import { pathId } from './numbered-path.ts'
import { describePage, type PageRequest, readPageRequest } from './paging.ts'

export function messageRoutes({ changes, db }: ManagementDeps): Route[] {
  const store = new MessageStore(db)
  const applications = new ApplicationStore(db)

  async function listAll(context: ManagedContext): Promise<HttpResponse> {
    const page = readPageRequest(context.request.query)
    const { userId } = context.principal
    return describe('/message', page, await store.page(userId, null, page))
  }

  async function listOfApplication(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as ApplicationId
    const page = readPageRequest(context.request.query)
    const { userId } = context.principal
    if ((await applications.find(userId, id)) === null) {
      throw new PushError('NOT_FOUND', 'application does not exist')
    }
    const path = `/application/${id}/message`
    return describe(path, page, await store.page(userId, id, page))
  }

  async function remove(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as MessageId
    const { userId } = context.principal
    if (!(await store.remove(userId, id))) {
      throw new PushError('NOT_FOUND', 'message does not exist')
    }
    changes.announce({ kind: 'message-deleted', userId, messageIds: [id] })
    return empty()
  }

  async function removeAll({ principal: { userId } }: ManagedContext): Promise<HttpResponse> {
    await deleteMessages(db, { userId })
    changes.announce({ kind: 'messages-deleted', userId, applicationId: null })
    return empty()
  }

  async function removeOfApplication(context: ManagedContext): Promise<HttpResponse> {
    const id = pathId(context) as ApplicationId
    const { userId } = context.principal
    if ((await applications.find(userId, id)) === null) {
      throw new PushError('NOT_FOUND', 'application does not exists')
    }
    await deleteMessages(db, { applicationId: id })
    changes.announce({ kind: 'messages-deleted', userId, applicationId: id })
    return empty()
  }

  const ofApplication = '/application/{id}/message'
  return [
    { method: 'GET', pattern: '/message', auth: 'client', handle: listAll },
    { method: 'DELETE', pattern: '/message', auth: 'client', handle: removeAll },
    { method: 'DELETE', pattern: '/message/{id}', auth: 'client', handle: remove },
    { method: 'GET', pattern: ofApplication, auth: 'client', handle: listOfApplication },
    { method: 'DELETE', pattern: ofApplication, auth: 'client', handle: removeOfApplication },
  ]
}

function describe(path: string, request: PageRequest, page: MessagePage): HttpResponse {
  const texts = page.messages.map((row) =>
    encodeMessage(row.id, encodeMessageTail({ ...row, applicationId: row.application_id })),
  )
  const last = page.more ? (page.messages.at(-1)?.id ?? null) : null
  const paging = encodeJson(describePage(path, request, texts.length, last))
  return jsonText(`{"paging":${paging},"messages":[${texts.join(',')}]}`)
}
