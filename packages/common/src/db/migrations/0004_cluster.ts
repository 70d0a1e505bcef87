/**
 * What several processes on one database need: inserts in the order of ids, and news of changes.
 * Never edited after a release: a change is a new file.
 */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  // A function, because each of its statements sees what was committed before it: the locks are
  // held when the heads are read and the ids are drawn, so id order is commit order for each lock.
  await sql`
    create function bellwire_publish(batch json, locks int[], listening bigint[])
      returns table (id bigint, application_id bigint, idempotency_key text, previous bigint)
      language plpgsql
    as $$
    #variable_conflict use_column
    declare
      lock_number int;
    begin
      foreach lock_number in array locks loop
        perform pg_advisory_xact_lock(1650943846, lock_number);
      end loop;
      return query
        with prior as (
          select u.user_id, (
            select m.id from messages m where m.user_id = u.user_id order by m.id desc limit 1
          ) as head
          from unnest(listening) as u(user_id)
        ), inserted as (
          insert into messages (user_id, application_id, title, message, priority, extras, date,
            idempotency_key, idempotency_hash)
          select r.u, r.a, r.t, r.m, r.p, r.x, r.d, r.k, decode(r.f, 'hex')
          from json_to_recordset(batch)
            as r(u bigint, a bigint, t text, m text, p bigint, x text, d bigint, k text, f text)
          on conflict (application_id, idempotency_key) where idempotency_key is not null
            do nothing
          returning id, user_id, application_id, idempotency_key
        )
        select inserted.id, inserted.application_id, inserted.idempotency_key,
          case when prior.user_id is not null then coalesce(prior.head, 0) end
        from inserted left join prior on prior.user_id = inserted.user_id
        order by inserted.id;
    end
    $$`.execute(db)

  // News for the caches of other processes; rows are kept for minutes.
  await db.schema
    .createTable('changes')
    .addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('change', 'text', (column) => column.notNull())
    .execute()
}
