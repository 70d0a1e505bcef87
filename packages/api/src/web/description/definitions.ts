/** The shapes of bodies and answers in the description of the API. */
import { ref, type Schema } from './operation.ts'

const text = { type: 'string' }
const flag = { type: 'boolean' }
const number = { type: 'integer', format: 'int64' }
const date = { type: 'string', format: 'date-time' }

function about(schema: Schema, description: string): Schema {
  return { ...schema, description }
}

function object(properties: Schema, required: readonly string[] = []): Schema {
  return { type: 'object', ...(required.length > 0 && { required }), properties }
}

const retention = {
  retentionDays: about(
    number,
    'Days that messages are kept; older ones go within 5 minutes. 0: for good; -1: unset, as the server is set up. Bellwire alone has it.',
  ),
  retentionCount: about(
    number,
    'Newest messages that are kept; others go within 5 minutes. 0: all; -1: unset, as the server is set up. Bellwire alone has it.',
  ),
}

const extras = about(
  { type: 'object' },
  'Whatever else receivers should know, by namespace, such as client::display.',
)
const user = { id: number, name: text, admin: flag, createdAt: date }

export const DEFINITIONS: Readonly<Record<string, Schema>> = {
  Message: object(
    {
      id: number,
      appid: number,
      message: text,
      title: text,
      priority: number,
      extras,
      date,
    },
    ['id', 'appid', 'message', 'date'],
  ),
  MessageParams: object(
    {
      message: text,
      title: about(text, 'The name of the application unless told.'),
      priority: about(number, 'The default of the application unless told.'),
      extras,
      appid: about(number, 'Only without the token of an application.'),
    },
    ['message'],
  ),
  PagedMessages: object(
    { paging: ref('Paging'), messages: { type: 'array', items: ref('Message') } },
    ['paging', 'messages'],
  ),
  Paging: object(
    {
      next: about(text, 'Path of the next page; absent on the last one.'),
      size: number,
      since: number,
      limit: number,
    },
    ['size', 'since', 'limit'],
  ),
  Application: object(
    {
      id: number,
      token: about(text, 'Only in answers that make or change it.'),
      name: text,
      description: text,
      internal: flag,
      image: about(text, 'Path of its picture.'),
      defaultPriority: number,
      createdAt: date,
      lastUsed: date,
      sortKey: text,
      ...retention,
    },
    ['id', 'name', 'description', 'internal', 'image', 'sortKey'],
  ),
  ApplicationParams: object(
    {
      name: text,
      description: text,
      defaultPriority: number,
      sortKey: about(text, 'Fractional index; applications are listed in its order.'),
      ...retention,
    },
    ['name'],
  ),
  ApplicationSecurityParams: object({ regenerateToken: flag }),
  ApplicationSecurity: object({ regenerateToken: object({ token: text }) }),
  Client: object(
    {
      id: number,
      token: about(text, 'Only in answers that make or change it.'),
      name: text,
      createdAt: date,
      lastUsed: date,
      elevatedUntil: date,
      expiresAfterInactivitySeconds: about(number, '0: never.'),
      expiresAt: date,
    },
    ['id', 'name'],
  ),
  ClientParams: object({ name: text, expiresAfterInactivitySeconds: number }, ['name']),
  ElevationParams: object(
    { durationSeconds: about(number, 'A negative number ends the elevation.') },
    ['durationSeconds'],
  ),
  LoginParams: object({ name: about(text, 'Name of the client that is made.') }, ['name']),
  CurrentUser: object({ ...user, clientId: number, elevatedUntil: date }, ['id', 'name', 'admin']),
  OidcAuthorizeParams: object({ code_challenge: text, redirect_uri: text, name: text }, [
    'code_challenge',
    'redirect_uri',
    'name',
  ]),
  OidcAuthorization: object({ authorize_url: text, state: text }, ['authorize_url', 'state']),
  OidcTokenParams: object({ code: text, state: text, code_verifier: text }, [
    'code',
    'state',
    'code_verifier',
  ]),
  OidcToken: object({ token: text, user: ref('User') }, ['token', 'user']),
  PasswordParams: object({ pass: text }, ['pass']),
  User: object(user, ['id', 'name', 'admin']),
  NewUser: object({ name: text, pass: text, admin: flag }, ['name', 'pass']),
  ChangedUser: object({ name: text, pass: text, admin: flag }, ['name']),
  PluginConf: object({ id: number, name: text, enabled: flag }),
  Health: object({ health: text, database: text }, ['health', 'database']),
  VersionInfo: object({ version: text, commit: text, buildDate: text }, ['version']),
  GotifyInfo: object({ version: text, register: flag, oidc: flag }, ['version']),
  Error: object({ error: text, errorCode: number, errorDescription: text }, [
    'error',
    'errorCode',
    'errorDescription',
  ]),
}
