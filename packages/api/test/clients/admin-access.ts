/** What a third-party client is given to work with: an application and an elevated client of the admin. */
import { ADMIN, type ApiClient } from '../support/api-client.ts'

export interface AdminAccess {
  readonly applicationId: number
  readonly applicationToken: string
  readonly clientId: number
  readonly clientToken: string
}

const ELEVATED_SECONDS = 3_600

export async function adminAccess(api: ApiClient): Promise<AdminAccess> {
  const application = await made(api, 'POST /application')
  const client = await made(api, 'POST /client')
  const clientId = Number(client['id'])
  const { status } = await api.call(`POST /client/${clientId}/elevate`, {
    basic: ADMIN,
    json: { durationSeconds: ELEVATED_SECONDS },
  })
  if (status !== 204) throw new Error(`The client was not elevated: ${status}`)
  return {
    applicationId: Number(application['id']),
    applicationToken: String(application['token']),
    clientId,
    clientToken: String(client['token']),
  }
}

async function made(api: ApiClient, target: string): Promise<Record<string, unknown>> {
  const { status, text } = await api.call(target, { basic: ADMIN, json: { name: 'third party' } })
  if (status !== 200) throw new Error(`${target}: ${status} ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}
