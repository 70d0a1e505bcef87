/**
 * Writes many users straight into the database of our own server, because 100,000 of them over REST would take many
 * minutes of password hashing. Nobody can log in as them; their tokens work as if the server had made them.
 */
import { createHash } from 'node:crypto'
import { connectEmbedded, type DatabasePool } from './embedded-database.ts'
import type { Tokens } from './fill.ts'

const USERS_A_BATCH = 10_000

/** One application and one client a user; token i of both lists belongs to user i. The server must be running. */
export async function fillDatabase(
  workDir: string,
  users: number,
  prefix: string,
): Promise<Tokens> {
  const names = Array.from({ length: users }, (_, index) => `${prefix}${index}`)
  const applications = names.map((name) => token('gtfya', name))
  const clients = names.map((name) => token('gtfyc', name))
  const pool = connectEmbedded(workDir)
  try {
    for (let from = 0; from < users; from += USERS_A_BATCH) {
      const batch = <T>(list: readonly T[]): T[] => list.slice(from, from + USERS_A_BATCH)
      await insert(pool, batch(names), batch(applications), batch(clients))
    }
    // What autovacuum would do in a minute, in the middle of a measurement.
    await pool.query('vacuum analyze')
  } finally {
    await pool.end()
  }
  return { applications, clients }
}

async function insert(
  pool: DatabasePool,
  names: readonly string[],
  applications: readonly string[],
  clients: readonly string[],
): Promise<void> {
  await pool.query(
    `with added as (
       insert into users (name, created_at) select name, $1 from unnest($2::text[]) as name
       returning id, name
     ), given as (
       select added.id as user_id, given.* from added
       join unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::bytea[])
         as given(name, application, application_hash, client, client_hash) using (name)
     ), of_applications as (
       insert into applications (user_id, token, token_hash, name, created_at, sort_key)
       select user_id, application, application_hash, 'bench', $1, 'a0' from given
     )
     insert into clients (user_id, token, token_hash, name, created_at)
     select user_id, client, client_hash, 'bench', $1 from given`,
    [
      Date.now(),
      names,
      applications.map(storedForm),
      applications.map(sha256),
      clients.map(storedForm),
      clients.map(sha256),
    ],
  )
}

/** Of the form and length of a v3 token, and the same in every run. */
function token(kind: string, name: string): string {
  return `${kind}.${sha256(kind + name).toString('base64url')}`
}

/** Stands for the public key, which is asked for only where the hash of a token is not known. */
function storedForm(shown: string): string {
  return `${shown.slice(0, 'gtfya.'.length)}${sha256(`stored ${shown}`).toString('base64url')}`
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
