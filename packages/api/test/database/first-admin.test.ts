import { createDatabase, createPool } from '@bellwire/common/db'
import t from 'tap'
import { createFirstAdmin } from '../../src/database/first-admin.ts'
import { startTestPostgres } from '../support/postgres.ts'

const connection = await startTestPostgres(t)
const db = createDatabase(
  createPool(connection, { name: 'test', max: 8, onError: () => undefined }),
)
t.teardown(() => db.destroy())

let hashed = 0
const options = {
  name: 'admin',
  pass: 'secret',
  clock: { now: () => 1_700_000_000_000 },
  hash: (pass: string) => {
    hashed += 1
    return Promise.resolve(`hash of ${pass}`)
  },
}

void t.test('[STORE14] createFirstAdmin() makes one user when several start at once', async (t) => {
  const made = await Promise.all([1, 2, 3, 4].map(() => createFirstAdmin(db, options)))
  t.same(made.filter(Boolean), [true])
  t.match(await db.selectFrom('users').selectAll().execute(), [
    {
      id: 1,
      name: 'admin',
      pass: 'hash of secret',
      admin: true,
      created_at: 1_700_000_000_000,
      oidc_id: null,
    },
  ])
})

void t.test(
  '[STORE14] createFirstAdmin() does nothing, and hashes nothing, when there are users',
  async (t) => {
    const before = hashed
    t.equal(await createFirstAdmin(db, { ...options, name: 'other' }), false)
    t.equal(hashed, before)
  },
)
