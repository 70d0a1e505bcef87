import type { ApplicationId, UserId } from '@bellwire/common'
import { createDatabase, createPool, type DatabaseConnection } from '@bellwire/common/db'
import { PgMessageStore } from '@bellwire/shard-worker/testing'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { DELETED_APPLICATION, MemoryLog } from '../simulation/memory-log.ts'
import { MemoryMessageStore } from '../simulation/memory-message-store.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { messageStoreContract, type ContractScene } from './message-store-contract.ts'

const connection = await startTestPostgres(t)
const pool = createPool(connection, { name: 'test', max: 2, onError: () => undefined })
const db = createDatabase(pool)
t.teardown(() => db.destroy())
let users = 0

async function addUser(): Promise<{ userId: UserId; applicationId: ApplicationId }> {
  const name = `user ${++users}`
  const user = { name, pass: null, created_at: 0, oidc_id: null }
  const { id: userId } = await db
    .insertInto('users')
    .values(user)
    .returning('id')
    .executeTakeFirstOrThrow()
  const { id: applicationId } = await db
    .insertInto('applications')
    .values({
      user_id: userId,
      name: 'named',
      default_priority: 4,
      created_at: 0,
      last_used: null,
      sort_key: 'a0',
      token: name,
      token_hash: null,
      retention_days: null,
      retention_count: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return { userId, applicationId }
}

async function postgresScene(
  t: Test,
  options: { readonly thread: number; readonly exclusive: boolean },
): Promise<ContractScene> {
  const store = await openStore(t, connection, options)
  return {
    store,
    addUser,
    deleteMessage: async (id) => {
      await db
        .deleteFrom('messages')
        .where('id', '=', id as never)
        .execute()
    },
    // PostgreSQL stores no NUL in a text.
    refused: { message: 'a\0b' },
  }
}

async function openStore(
  t: Test,
  to: DatabaseConnection,
  options: { readonly thread: number; readonly exclusive: boolean },
): Promise<PgMessageStore> {
  const log = pino({ level: 'silent' })
  const store = new PgMessageStore({ connection: to, log, ...options })
  await store.start()
  t.teardown(() => store.close())
  return store
}

/** The simulation's store, moved by a timer instead of by hand. */
function memoryScene(t: Test): ContractScene {
  const log = new MemoryLog()
  const store = new MemoryMessageStore({
    log,
    shared: false,
    isListening: () => true,
    pageRows: 100,
    pageBytes: 262_144,
  })
  store.connect()
  const moving = setInterval(() => {
    store.executeNext()
    store.answerNext()
    store.executeRead(0)
    store.answerRead(0)
  }, 0)
  t.teardown(() => clearInterval(moving))
  let last = 0
  return {
    store,
    addUser: async () => {
      last++
      return { userId: last as UserId, applicationId: last as ApplicationId }
    },
    deleteMessage: async (id) => {
      const row = log.row(id)
      if (row !== undefined) row.deleted = true
    },
    refused: { applicationId: DELETED_APPLICATION as ApplicationId },
  }
}

void t.test('PgMessageStore alone on its database', async (t) => {
  messageStoreContract(t, 'PgMessageStore', await postgresScene(t, { thread: 1, exclusive: true }))
})

void t.test('PgMessageStore beside other processes', async (t) => {
  const scene = await postgresScene(t, { thread: 2, exclusive: false })
  messageStoreContract(t, 'PgMessageStore, shared,', scene)
})

void t.test('MemoryMessageStore of the simulation', async (t) => {
  messageStoreContract(t, 'MemoryMessageStore', memoryScene(t))
})
