/**
 * The statements that write the log. A batch travels as one array a column: one prepared statement
 * serves every batch size. Rows are inserted, and so numbered, in the order of the batch.
 */
import { bigintArray, byteaArray, textArray } from './array-params.ts'
import type { NewMessage } from './message-store.ts'

const COLUMNS = 'user_id, application_id, title, message, priority, extras, date'
const ARRAYS =
  '$1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[]'

/** Answers one id a row, in the order of the batch. Takes {@link plainColumns}. */
export const INSERT_PLAIN = {
  name: 'insert-plain',
  text: `insert into messages (${COLUMNS}) select * from unnest(${ARRAYS}) returning id`,
  rowMode: 'array',
} as const

/**
 * For rows with an Idempotency-Key: a key that is in the log already stores and answers nothing.
 * Takes {@link keyedColumns}.
 */
export const INSERT_KEYED = {
  name: 'insert-keyed',
  text: `insert into messages (${COLUMNS}, idempotency_key, idempotency_hash)
    select * from unnest(${ARRAYS}, $8::text[], $9::bytea[])
    on conflict (application_id, idempotency_key) where idempotency_key is not null do nothing
    returning id, application_id, idempotency_key`,
} as const

/**
 * The same for either kind of row where other processes write too: takes the locks of the users
 * first and answers the user's newest id before, for those that are listened to here. Takes
 * {@link keyedColumns}, the locks and the users.
 */
export const INSERT_SHARED = {
  name: 'insert-shared',
  text: `select id, application_id, idempotency_key, previous
    from bellwire_publish(${ARRAYS}, $8::text[], $9::bytea[], $10::int[], $11::bigint[])`,
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
        select 0, 0, '', repeat(' ', 1900), 0, null, 0 from generate_series(1, 128);
      raise sqlstate 'BW001';
    exception when sqlstate 'BW001' then
      null;
    end $$`,
} as const

/** Encodes a batch as one parameter a column. */
export function plainColumns(batch: readonly NewMessage[]): Buffer[] {
  return [
    bigintArray(batch.map((row) => row.userId)),
    bigintArray(batch.map((row) => row.applicationId)),
    textArray(batch.map((row) => row.title)),
    textArray(batch.map((row) => row.message)),
    bigintArray(batch.map((row) => row.priority)),
    textArray(batch.map((row) => row.extras)),
    bigintArray(batch.map((row) => row.date)),
  ]
}

/** The same with the keys and what they stand for; null in rows without. */
export function keyedColumns(batch: readonly NewMessage[]): Buffer[] {
  return [
    ...plainColumns(batch),
    textArray(batch.map((row) => (row.fingerprint === null ? null : row.idempotencyKey))),
    byteaArray(batch.map((row) => row.fingerprint)),
  ]
}
