"""What is thrown away in time, a bounded number of rows at once, so that no sweep holds a lock for long.

Nothing here is seen by anybody any more: it is expired, answered, or was never used. Withdrawing what people
see goes through the pipeline. Each function says how many rows went; call it again until that is few.
"""

from __future__ import annotations

from datetime import datetime

from server.db.pool import Connection

from .sql import affected


async def sessions(conn: Connection, *, now: datetime, limit: int) -> int:
    """Page sessions past their time."""
    return affected(
        await conn.execute(
            """
            delete from session where token_hash = any(array(
              select token_hash from session where expires_at < $1 limit $2))
            """,
            now,
            limit,
        )
    )


async def mail_links(conn: Connection, *, now: datetime, limit: int) -> int:
    """Links in mails that open nothing any more."""
    return affected(
        await conn.execute(
            """
            delete from mail_link where token_hash = any(array(
              select token_hash from mail_link where expires_at < $1 limit $2))
            """,
            now,
            limit,
        )
    )


async def oauth_codes(conn: Connection, *, before: datetime, limit: int) -> int:
    """Authorisation codes that ended before a moment; until then a second use of one revokes its tokens."""
    return affected(
        await conn.execute(
            """
            delete from oauth_code where code_hash = any(array(
              select code_hash from oauth_code where expires_at < $1 limit $2))
            """,
            before,
            limit,
        )
    )


async def attempts(conn: Connection, *, before: datetime, limit: int) -> int:
    """Counters of attempts whose window began before a moment."""
    return affected(
        await conn.execute(
            """
            delete from attempt a using (
              select subject, window_start from attempt where window_start < $1 limit $2) old
            where a.subject = old.subject and a.window_start = old.window_start
            """,
            before,
            limit,
        )
    )


async def phone_codes(conn: Connection, *, now: datetime, limit: int) -> int:
    """One-time codes past their time."""
    return affected(
        await conn.execute(
            """
            delete from compliance.phone_code where account_id = any(array(
              select account_id from compliance.phone_code where expires_at < $1 limit $2))
            """,
            now,
            limit,
        )
    )


async def mutes(conn: Connection, *, now: datetime, limit: int) -> int:
    """Mutes that were for a time."""
    return affected(
        await conn.execute(
            "delete from mute where id = any(array(select id from mute where expires_at < $1 limit $2))",
            now,
            limit,
        )
    )


async def idempotency_keys(conn: Connection, *, before: datetime, limit: int) -> int:
    """Answers remembered for clients that may ask again; by then they have."""
    return affected(
        await conn.execute(
            """
            delete from idempotency i using (
              select account_id, key from idempotency where created_at < $1 order by created_at limit $2) old
            where i.account_id = old.account_id and i.key = old.key
            """,
            before,
            limit,
        )
    )


async def loose_media(conn: Connection, *, before: datetime, limit: int) -> tuple[int, list[str]]:
    """Uploads that no post took and no profile shows; also says which files are nobody's any more.

    Somebody whose post waits for a reviewer keeps theirs: a release must find the pictures. So do posts that
    wait for their time, and drafts of organisations.
    """
    rows = await conn.fetch(
        """
        with gone as (
          delete from media where id = any(array(
            select m.id from media m
            where m.post_id is null and m.created_at < $1 and not exists (
              select 1 from profile p where p.avatar_media_id = m.id or p.header_media_id = m.id)
              and not exists (
                select 1 from compliance.review_case c
                where c.actor_id = m.account_id and c.state = 'waiting')
              and not exists (
                select 1 from scheduled_post s
                where s.account_id = m.account_id and s.state in ('waiting', 'held', 'failed')
                  and s.draft -> 'media_ids' @> to_jsonb(m.id))
              and not exists (
                select 1 from organisation_draft d
                where d.organisation_id = m.account_id
                  and d.state in ('draft', 'submitted', 'approved', 'scheduled')
                  and d.draft -> 'media_ids' @> to_jsonb(m.id))
            order by m.created_at limit $2))
          returning id, file, preview_file
        )
        select g.id, f.file, f.file is not null and not exists (
            select 1 from media m where m.file = f.file and m.id not in (select id from gone)) as is_nobodys
        from gone g cross join lateral (values (g.file), (g.preview_file)) as f(file)
        """,
        before,
        limit,
    )
    return len({row["id"] for row in rows}), [row["file"] for row in rows if row["is_nobodys"]]


async def closed_accounts(conn: Connection, *, now: datetime, limit: int) -> int:
    """Withdraws what closed accounts wrote and favourited, of one account at a time."""
    account_id = await conn.fetchval(
        "select id from account where gone_at is not null and cleared_out_at is null order by gone_at limit 1"
    )
    if account_id is None:
        return 0
    posts = affected(
        await conn.execute(
            """
            update post set withdrawn_at = $2, withdrawn_by = 'author' where id = any(array(
              select id from post where account_id = $1 and withdrawn_at is null limit $3))
            """,
            account_id,
            now,
            limit,
        )
    )
    likes = affected(
        await conn.execute(
            """
            with gone as (
              delete from reaction where account_id = $1 and post_id = any(array(
                select post_id from reaction where account_id = $1 limit $2))
              returning post_id
            )
            update post_count c set likes = greatest(c.likes - 1, 0) from gone g where c.post_id = g.post_id
            """,
            account_id,
            limit,
        )
    )
    if max(posts, likes) < limit:
        await conn.execute("update account set cleared_out_at = $2 where id = $1", account_id, now)
    return limit


async def withdrawn_posts(
    conn: Connection, *, before: datetime, now: datetime, limit: int
) -> tuple[int, list[str]]:
    """Empties posts that their authors withdrew long ago, and comments that were removed: words, earlier
    versions, pictures. Says which files are nobody's any more.

    What somebody complained of is kept until that is decided.
    """
    ids = [
        row["id"]
        for row in await conn.fetch(
            """
            update post set html = '', text = '', source = null, spoiler = '', emptied_at = $2
            where id = any(array(
              select p.id from post p
              where p.emptied_at is null and (
                  (p.withdrawn_by = 'author' and p.withdrawn_at < $1)
                  -- A comment that was removed may come back for as long as its author can appeal.
                  or (p.withdrawn_by = 'organisation'
                      and p.withdrawn_at < least($1, $2::timestamptz - interval '7 months')
                      and not exists (
                        select from compliance.comment k
                          join compliance.appeal a on a.decision_id = k.decision_id
                        where k.post_id = p.id and a.state = 'waiting')))
                and not exists (
                  select 1 from compliance.report r
                  where r.target_id = p.account_id and r.state = 'waiting' and p.id = any(r.posts))
              order by p.withdrawn_at limit $3))
            returning id
            """,
            before,
            now,
            limit,
        )
    ]
    await conn.execute("delete from post_edit where post_id = any($1)", ids)
    rows = await conn.fetch(
        """
        with gone as (
          delete from media m where m.post_id = any($1) and not exists (
            select 1 from profile p where p.avatar_media_id = m.id or p.header_media_id = m.id)
          returning id, file, preview_file
        )
        select distinct f.file from gone g cross join lateral (values (g.file), (g.preview_file)) as f(file)
        where f.file is not null
          and not exists (select 1 from media m where m.file = f.file and m.id not in (select id from gone))
        """,
        ids,
    )
    return len(ids), [row["file"] for row in rows]


async def feeds(conn: Connection, *, keep: int, limit: int) -> int:
    """The far ends of home timelines longer than `keep`, of at most `limit` owners."""
    return affected(
        await conn.execute(
            """
            delete from feed f using (
              select o.owner_id, (
                select x.post_id from feed x where x.owner_id = o.owner_id
                order by x.post_id desc offset $1 limit 1) as floor
              from (select owner_id from feed group by owner_id having count(*) > $1 limit $2) o
            ) long
            where f.owner_id = long.owner_id and f.post_id <= long.floor
            """,
            keep,
            limit,
        )
    )


async def sent_messages(conn: Connection, *, before: datetime, limit: int) -> int:
    """Documents that every inbox has, or never will have."""
    return affected(
        await conn.execute(
            """
            delete from federation.message where id = any(array(
              select m.id from federation.message m
              where m.created_at < $1
                and not exists (select 1 from federation.outbound o where o.message_id = m.id)
              order by m.id limit $2))
            """,
            before,
            limit,
        )
    )
