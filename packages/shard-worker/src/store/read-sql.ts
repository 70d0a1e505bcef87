/** The statements that read the log for heads and pages; all are prepared once a connection. */

/** Sequence and heads in one snapshot. */
export const SELECT_HEADS = {
  name: 'select-heads',
  text: `select u.id as user_id,
      (select m.id from messages m where m.user_id = u.id order by m.id desc limit 1) as head,
      (select last_value from messages_id_seq) as newest
    from unnest($1::bigint[]) as u(id)`,
} as const

/** One more row than a page holds tells whether the log goes on. */
export const PAGE_ROWS = 100
/** A page is cut after this many bytes of text, but holds at least one message. */
export const PAGE_BYTES = 262_144

/**
 * A page behind each of the cursors. The sizes are summed up without reading the texts
 * (octet_length of a stored text needs no detoasting), so a page of 4 MB messages costs one
 * message, not a hundred.
 */
export const SELECT_PAGES = {
  name: 'select-pages',
  text: `select wanted.page, page_rows.*
    from unnest($1::bigint[], $2::bigint[]) with ordinality as wanted(user_id, after, page)
    cross join lateral (
      with candidate as (
        select id, application_id, title, message, priority, extras, date,
          sum(octet_length(message) + coalesce(octet_length(extras), 0)) over (order by id) as bytes,
          row_number() over (order by id) as number
        from (
          select * from messages where user_id = wanted.user_id and id > wanted.after
            order by id limit ${PAGE_ROWS + 1}
        ) as next_rows
      )
      select id, application_id, title, message, priority, extras, date,
        (select count(*) from candidate) as available
      from candidate
      where number <= ${PAGE_ROWS} and (number = 1 or bytes <= ${PAGE_BYTES})
    ) as page_rows
    order by wanted.page, page_rows.id`,
} as const

export const SELECT_APPLICATION = {
  name: 'select-application',
  text: 'select name, default_priority from applications where id = $1 and user_id = $2',
} as const
