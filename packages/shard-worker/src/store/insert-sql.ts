/**
 * The statements that write the log. A batch travels as one JSON parameter: one prepared statement
 * serves every batch size, and both V8 and PostgreSQL turn JSON around faster than arrays
 * (measured in bench/). Rows are inserted, and so numbered, in the order of the batch.
 */
import type { NewMessage } from './message-store.ts'

const COLUMNS =
  'user_id, application_id, title, message, priority, extras, date, idempotency_key, idempotency_hash'

const SELECT_BATCH = `
  select r.u, r.a, r.t, r.m, r.p, r.x, r.d, r.k, decode(r.f, 'hex')
  from json_to_recordset($1::json)
    as r(u bigint, a bigint, t text, m text, p bigint, x text, d bigint, k text, f text)`

/** Answers one id a row, in the order of the batch. */
export const INSERT_BATCH = {
  name: 'insert-batch',
  text: `insert into messages (${COLUMNS}) ${SELECT_BATCH} returning id`,
  rowMode: 'array',
} as const

/** For rows with an Idempotency-Key: a key that is in the log already stores and answers nothing. */
export const INSERT_KEYED = {
  name: 'insert-keyed',
  text: `insert into messages (${COLUMNS}) ${SELECT_BATCH}
    on conflict (application_id, idempotency_key) where idempotency_key is not null do nothing
    returning id, application_id, idempotency_key`,
} as const

/**
 * The same for either kind of row where other processes write too: takes the locks of the users
 * first and answers the user's newest id before, for those that are listened to here.
 */
export const INSERT_SHARED = {
  name: 'insert-shared',
  text: 'select id, application_id, idempotency_key, previous from bellwire_publish($1, $2, $3)',
} as const

/** Users share this many locks, whatever the shard counts of the processes are. */
export const USER_LOCKS = 256

/** The first messages under these keys, for rows that INSERT_KEYED did not answer. */
export const SELECT_KEYED = {
  name: 'select-keyed',
  text: `select id, application_id, title, message, priority, extras, date,
      idempotency_key, idempotency_hash
    from messages
    join unnest($1::bigint[], $2::text[]) as wanted(a, k)
      on application_id = wanted.a and idempotency_key = wanted.k`,
} as const

/** Writes to PostgreSQL's own log and to no table: a real commit that leaves nothing behind. */
export const PROVE = {
  name: 'prove',
  text: "select pg_logical_emit_message(true, 'bellwire', '') is not null as written",
} as const

/**
 * Takes 256 KiB of the table and gives it up again. PROVE needs some bytes of the log alone, and
 * would succeed on a disk where the table cannot grow.
 */
export const PROVE_ROOM = {
  text: `do $$
    begin
      insert into messages (${COLUMNS})
        select 0, 0, '', repeat(' ', 1900), 0, null, 0, null, null from generate_series(1, 128);
      raise sqlstate 'BW001';
    exception when sqlstate 'BW001' then
      null;
    end $$`,
} as const

/** Encodes a batch as the parameter of the statements above. */
export function encodeBatch(batch: readonly NewMessage[]): string {
  return JSON.stringify(batch.map(encodeRow))
}

function encodeRow(row: NewMessage): object {
  const base = {
    u: row.userId,
    a: row.applicationId,
    t: row.title,
    m: row.message,
    p: row.priority,
    x: row.extras,
    d: row.date,
  }
  if (row.fingerprint === null) return base
  return { ...base, k: row.idempotencyKey, f: row.fingerprint.toString('hex') }
}
