/**
 * bellwire_publish with one array a column. The one that takes json stays: members of an older
 * version call it until a roll has replaced them. Never edited after a release: a change is a new
 * file.
 */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  // As in 0004_cluster.ts: a function, because each of its statements sees what was committed
  // before it.
  await sql`
    create function bellwire_publish(
        user_ids bigint[], application_ids bigint[], titles text[], messages text[],
        priorities bigint[], extras text[], dates bigint[], keys text[], hashes bytea[],
        locks int[], listening bigint[])
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
          select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
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
}
