import type { ApplicationId, ClientId, Clock, UserId } from '@bellwire/common'
import {
  createDatabase,
  createPool,
  type Database,
  type DatabaseConnection,
} from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Authenticator, type AuthenticatorOptions } from '../../src/auth/authenticate.ts'
import { PasswordHasher } from '../../src/auth/password-hasher.ts'
import { createLegacyToken, createToken, type NewToken } from '../../src/auth/tokens.ts'
import type { AuthMode, HttpRequest } from '../../src/http/types.ts'
import { startTestPostgres } from '../support/postgres.ts'

const MINUTE = 60_000
const UNAUTHENTICATED = {
  code: 'UNAUTHENTICATED',
  message: 'you need to provide a valid access token or user credentials to access this api',
}

class TestClock implements Clock {
  time = Date.UTC(2026, 0, 1)
  now(): number {
    return this.time
  }
}

interface Setting {
  readonly db: Kysely<Database>
  readonly clock: TestClock
  readonly authenticator: Authenticator
  readonly queries: string[]
}

let names = 0
const hasher = new PasswordHasher({ cost: 4 })

t.test('Authenticator on PostgreSQL', async (t) => {
  const connection = await startTestPostgres(t)
  t.teardown(() => hasher.close())

  t.test('[AUTH7] looks a token up once, and again after a change', async (t) => {
    const { db, authenticator, queries } = setUp(t, connection)
    const user = await newUser(db)
    const { token, id } = await newApplication(db, user)
    t.equal(authenticator.cachedToken(token), undefined)
    const both = await Promise.all([authenticator.byToken(token), authenticator.byToken(token)])
    t.match(both[0], {
      kind: 'application',
      userId: user,
      applicationId: id,
      name: 'app',
      defaultPriority: 5,
    })
    t.equal(both[0], both[1])
    t.equal(queries.length, 1, 'one query for equal questions at the same time')
    t.equal(authenticator.cachedToken(token), both[0])

    await db.updateTable('applications').set({ name: 'new name' }).where('id', '=', id).execute()
    authenticator.onChange({ kind: 'application-changed', userId: user, applicationId: id })
    t.equal(authenticator.cachedToken(token), undefined)
    t.match(await authenticator.byToken(token), { name: 'new name' })
  })

  t.test('looks many tokens up with few queries, each for its own', async (t) => {
    const { db, authenticator, queries } = setUp(t, connection)
    const user = await newUser(db)
    const applications = []
    for (let count = 0; count < 20; count++) applications.push(await newApplication(db, user))
    const before = queries.length
    const found = await Promise.all(applications.map(({ token }) => authenticator.byToken(token)))
    t.strictSame(
      found.map((principal) =>
        principal?.kind === 'application' ? principal.applicationId : principal,
      ),
      applications.map(({ id }) => id),
    )
    t.ok(queries.length - before <= 2, `${queries.length - before} queries`)
  })

  t.test('looks a token up again after a minute, for what no change told of', async (t) => {
    const { db, authenticator, clock } = setUp(t, connection)
    const { token, id } = await newApplication(db, await newUser(db))
    t.match(await authenticator.byToken(token), { name: 'app' })
    await db.updateTable('applications').set({ name: 'elsewhere' }).where('id', '=', id).execute()
    clock.time += MINUTE
    t.match(await authenticator.byToken(token), { name: 'elsewhere' })
  })

  t.test('[AUTH7] does not remember what a change overtook', async (t) => {
    const { db, authenticator } = setUp(t, connection)
    const user = await newUser(db)
    const { token, id } = await newApplication(db, user)
    const overtaken = authenticator.byToken(token)
    authenticator.onChange({ kind: 'application-changed', userId: user, applicationId: id })
    t.match(await overtaken, { kind: 'application' })
    t.equal(authenticator.cachedToken(token), undefined)
  })

  t.test('[AUTH8] remembers wrong tokens, and forgets them after a while', async (t) => {
    const { authenticator, clock, queries } = setUp(t, connection)
    const { token } = createToken('c')
    t.equal(await authenticator.byToken(token), null)
    t.equal(authenticator.cachedToken(token), null)
    const asked = queries.length
    t.equal(await authenticator.byToken(token), null)
    t.equal(queries.length, asked)
    clock.time += MINUTE
    t.equal(authenticator.cachedToken(token), undefined)
  })

  t.test('[AUTH8] asks nobody about texts that are no tokens', async (t) => {
    const { authenticator, queries } = setUp(t, connection)
    t.equal(await authenticator.byToken('x'.repeat(10_000)), null)
    t.equal(await authenticator.byToken('a\0b'), null)
    await t.rejects(authenticator.byToken('gtfyc.tooshort'), {
      code: 'UNAUTHENTICATED',
      message: 'cannot parse token: private key must be 32 bytes',
    })
    t.equal(queries.length, 0)
  })

  t.test('[AUTH6] finds imported tokens by their stored form and keeps their hash', async (t) => {
    const { db, authenticator } = setUp(t, connection)
    const user = await newUser(db)
    for (const made of [createToken('a'), createLegacyToken('A')]) {
      const { id } = await newApplication(db, user, { ...made, hash: null })
      t.match(await authenticator.byToken(made.token), { applicationId: id })
      const row = await db
        .selectFrom('applications')
        .select('token_hash')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      t.strictSame(row.token_hash, made.hash)
    }
    const client = createToken('c')
    const id = await newClient(db, user, { ...client, hash: null })
    t.match(await authenticator.byToken(client.token), { clientId: id })
    t.equal(await authenticator.byToken(client.stored), null, 'the stored form is no token')
  })

  t.test('[AUTH13] hides a client from the moment it expires', async (t) => {
    const { db, authenticator, clock } = setUp(t, connection)
    const user = await newUser(db)
    const made = createToken('c')
    await newClient(db, user, made, { expires_at: clock.time + 1000 })
    t.match(await authenticator.byToken(made.token), { kind: 'client' })
    clock.time += 1000
    t.equal(authenticator.cachedToken(made.token), undefined)
    t.equal(await authenticator.byToken(made.token), null)
    const fresh = setUp(t, connection)
    fresh.clock.time = clock.time
    t.equal(await fresh.authenticator.byToken(made.token), null)
  })

  t.test('[AUTH13] notes a use once in five minutes, and moves the expiry with it', async (t) => {
    const { db, authenticator, clock } = setUp(t, connection)
    const user = await newUser(db)
    const made = createToken('c')
    const id = await newClient(db, user, made, {
      expires_after_inactivity_seconds: 3600,
      expires_at: clock.time + 1000,
    })
    const principal = await authenticator.byToken(made.token)
    if (principal?.kind !== 'client') throw new Error('No client')
    const first = clock.time
    t.equal(authenticator.touch(principal), true)
    t.equal(authenticator.touch(principal), false)
    authenticator.onChange({ kind: 'client-changed', userId: user, clientId: id })
    const again = await authenticator.byToken(made.token)
    t.equal(again !== null && authenticator.touch(again), false, 'noted, though not yet written')
    t.equal(principal.expiresAt, first + 3_600_000, 'at once, where it is known')
    await authenticator.flush()
    t.match(await usesOf(db, id), { last_used: first, expires_at: first + 3_600_000 })

    clock.time += 5 * MINUTE - 1
    t.equal(authenticator.touch(principal), false)
    clock.time += 1
    t.equal(authenticator.touch(principal), true)
    await authenticator.flush()
    t.match(await usesOf(db, id), { last_used: clock.time })
  })

  t.test('notes the use of applications too, and keeps to what the database says', async (t) => {
    const { db, authenticator, clock } = setUp(t, connection)
    const user = await newUser(db)
    const { token, id } = await newApplication(db, user)
    const principal = await authenticator.byToken(token)
    if (principal === null) throw new Error('No application')
    t.equal(authenticator.touch(principal), true)
    await authenticator.flush()
    const row = await db
      .selectFrom('applications')
      .select('last_used')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    t.equal(row.last_used, clock.time)

    const other = setUp(t, connection)
    const same = await other.authenticator.byToken(token)
    t.equal(same !== null && other.authenticator.touch(same), false, 'used a moment ago')
  })

  t.test('authenticate()', async (t) => {
    const { db, authenticator, clock } = setUp(t, connection)
    const name = `user${++names}`
    const user = await newUser(db, { name, pass: await hasher.hash('pw') })
    const admin = await newUser(db, { admin: true })
    const plain = createToken('c')
    const elevated = createToken('c')
    const adminPlain = createToken('c')
    await newClient(db, user, plain)
    await newClient(db, user, elevated, { elevated_until: clock.time + 1000 })
    await newClient(db, admin, adminPlain)
    const { token: app } = await newApplication(db, user)
    const basic = { authorization: `Basic ${btoa(`${name}:pw`)}` }
    const wrong = { authorization: `Basic ${btoa(`${name}:px`)}` }

    async function ask(
      mode: AuthMode,
      headers: Record<string, string>,
      method = 'POST',
    ): Promise<unknown> {
      const { principal } = await authenticator.authenticate(request(method, headers), mode)
      return principal?.kind ?? null
    }

    t.test('[AUTH2] takes basic auth first, then a client token', async (t) => {
      t.equal(await ask('client', basic), 'user')
      t.equal(await ask('client', { ...basic, 'x-gotify-key': plain.token }), 'user')
      t.equal(await ask('client', { ...wrong, 'x-gotify-key': plain.token }), 'client')
      t.equal(await ask('client', { ...basic, 'x-gotify-key': 'gtfyc.tooshort' }), 'user')
      await t.rejects(ask('client', wrong), UNAUTHENTICATED)
      await t.rejects(ask('client', {}), UNAUTHENTICATED)
      await t.rejects(ask('client', { 'x-gotify-key': app }), UNAUTHENTICATED)
      await t.rejects(ask('client', { 'x-gotify-key': 'C0123456789abcd' }), UNAUTHENTICATED)
    })

    t.test('[AUTH3] asks for elevation, which basic auth always has', async (t) => {
      t.equal(await ask('elevated', basic), 'user')
      t.equal(await ask('elevated', { 'x-gotify-key': elevated.token }), 'client')
      const notElevated = {
        code: 'FORBIDDEN',
        message: 'session not elevated, use basic auth or call /client:elevate',
      }
      await t.rejects(ask('elevated', { 'x-gotify-key': plain.token }), notElevated)
      await t.rejects(ask('admin', { 'x-gotify-key': adminPlain.token }), notElevated)
      await t.rejects(ask('admin', { 'x-gotify-key': elevated.token }), {
        code: 'FORBIDDEN',
        message: 'you are not allowed to access this api',
      })
      clock.time += 1000
      await t.rejects(ask('elevated', { 'x-gotify-key': elevated.token }), notElevated)
    })

    t.test(
      '[AUTH4] lets anybody in where credentials are optional, but not with broken ones',
      async (t) => {
        t.equal(await ask('optional', {}), null)
        t.equal(await ask('optional', wrong), null)
        t.equal(await ask('optional', { 'x-gotify-key': app }), null)
        t.equal(await ask('optional', { 'x-gotify-key': plain.token }), 'client')
        await t.rejects(ask('optional', { 'x-gotify-key': 'gtfyc' }), { code: 'UNAUTHENTICATED' })
        t.equal(await ask('none', { 'x-gotify-key': 'gtfyc' }), null)
      },
    )

    t.test('[AUTH5] refuses a cookie that another site made the browser send', async (t) => {
      const cookie = { cookie: `gotify-client-token=${plain.token}` }
      const crossSite = { ...cookie, 'sec-fetch-site': 'cross-site' }
      await t.rejects(ask('client', crossSite), { code: 'FORBIDDEN' })
      await t.rejects(ask('client', { ...crossSite, ...basic }), { code: 'FORBIDDEN' })
      await t.rejects(ask('optional', crossSite), { code: 'FORBIDDEN' })
      t.equal(await ask('client', crossSite, 'GET'), 'client')
      t.equal(await ask('none', crossSite), null)
    })

    t.test('sets a cookie again when its use is noted', async (t) => {
      const made = createToken('c')
      await newClient(db, user, made)
      const used = request('GET', { cookie: `gotify-client-token=${made.token}` })
      const first = await authenticator.authenticate(used, 'client')
      t.match(first.headers, [['set-cookie', new RegExp(`^gotify-client-token=${made.token};`)]])
      const second = await authenticator.authenticate(used, 'client')
      t.strictSame(second.headers, [])
    })
  })

  t.test('[AUTH10] byPassword()', async (t) => {
    const throttle = {
      name: { failures: 3, perSecond: 0 },
      pair: { failures: 3, perSecond: 0 },
      address: { failures: 100, perSecond: 0 },
    }
    const { db, authenticator } = setUp(t, connection, { throttle })
    const name = `user${++names}`
    const user = await newUser(db, { name, pass: await hasher.hash('pw') })
    const external = `user${++names}`
    await newUser(db, { name: external, pass: null })

    t.match(await authenticator.byPassword(name, 'pw', '1.1.1.1'), { kind: 'user', userId: user })
    t.equal(await authenticator.byPassword(external, '', '1.1.1.1'), null, 'no password, no login')
    t.equal(await authenticator.byPassword('nobody', 'pw', '1.1.1.1'), null)
    t.equal(await authenticator.byPassword('no\0body', 'pw', '1.1.1.1'), null)
    for (let i = 0; i < 3; i++) {
      t.equal(await authenticator.byPassword(name, `wrong${i}`, '1.1.1.1'), null)
    }
    await t.rejects(authenticator.byPassword(name, 'wrong', '1.1.1.1'), {
      code: 'TOO_MANY_REQUESTS',
    })
    t.match(
      await authenticator.byPassword(name, 'pw', '1.1.1.1'),
      { kind: 'user' },
      'whoever was right a moment ago is not locked out',
    )

    await db
      .updateTable('users')
      .set({ pass: await hasher.hash('new') })
      .where('id', '=', user)
      .execute()
    t.equal(
      await authenticator.byPassword(name, 'pw', '2.2.2.2'),
      null,
      'a changed password counts at once',
    )
  })
})

t.test(
  '[AUTH14] Authenticator answers DATABASE_UNAVAILABLE while the database is away',
  async (t) => {
    const away: DatabaseConnection = {
      ...{ host: '127.0.0.1', port: 1, user: 'x', password: 'x', database: 'x', ssl: false },
    }
    const { authenticator } = setUp(t, away)
    const { token } = createToken('a')
    await t.rejects(authenticator.byToken(token), { code: 'DATABASE_UNAVAILABLE' })
    t.equal(authenticator.cachedToken(token), undefined, 'and remembers nothing')
    await t.rejects(authenticator.byPassword('x', 'y', '1.1.1.1'), { code: 'DATABASE_UNAVAILABLE' })
  },
)

function setUp(
  t: Test,
  connection: DatabaseConnection,
  options: Pick<AuthenticatorOptions, 'throttle'> = {},
): Setting {
  const queries: string[] = []
  const pool = createPool(connection, { name: 'test', max: 4, onError: () => undefined })
  const plain = createDatabase(pool)
  const db = plain.withPlugin({
    transformQuery: ({ node }) => {
      queries.push(node.kind)
      return node
    },
    transformResult: async ({ result }) => result,
  })
  const clock = new TestClock()
  const log = pino({ level: 'silent' })
  const authenticator = new Authenticator({
    ...{ db, hasher, clock, log, secureCookie: false },
    ...options,
  })
  t.teardown(async () => {
    await authenticator.close()
    await plain.destroy()
  })
  return { db: plain, clock, authenticator, queries }
}

function request(method: string, headers: Record<string, string>): HttpRequest {
  return {
    ...{ method, path: '/', query: '', remoteAddress: '127.0.0.1', secure: false },
    headers: new Map(Object.entries(headers)),
  }
}

type UserFields = Partial<{ name: string; pass: string | null; admin: boolean }>

async function newUser(db: Kysely<Database>, fields: UserFields = {}): Promise<UserId> {
  const row = await db
    .insertInto('users')
    .values({ name: `user${++names}`, pass: null, oidc_id: null, created_at: 0, ...fields })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

type StoredToken = Omit<NewToken, 'hash'> & { readonly hash: Buffer | null }

async function newApplication(
  db: Kysely<Database>,
  user: UserId,
  made: StoredToken = createToken('a'),
): Promise<{ token: string; id: ApplicationId }> {
  const row = await db
    .insertInto('applications')
    .values({
      ...{ user_id: user, token: made.stored, token_hash: made.hash, name: 'app' },
      ...{ default_priority: 5, created_at: 0, last_used: null, sort_key: `a${++names}` },
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return { token: made.token, id: row.id }
}

type ClientFields = Partial<{
  elevated_until: number
  expires_at: number
  expires_after_inactivity_seconds: number
}>

async function newClient(
  db: Kysely<Database>,
  user: UserId,
  made: StoredToken,
  fields: ClientFields = {},
): Promise<ClientId> {
  const row = await db
    .insertInto('clients')
    .values({
      ...{ user_id: user, token: made.stored, token_hash: made.hash, name: 'client' },
      ...{ created_at: 0, last_used: null, elevated_until: null, expires_at: null },
      ...fields,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

async function usesOf(db: Kysely<Database>, id: ClientId): Promise<unknown> {
  return db
    .selectFrom('clients')
    .select(['last_used', 'expires_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}
