"""Posts come, change and go. Each function takes a run of cleared activities and writes it with arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance import commenting
from compliance.activity import AccountId, Activity, Create, Delete, Note, PostId, Update, Uri
from compliance.verdict import Cleared

from ..db.pool import Connection
from . import answering, attached, counting, feeds, notices, replies
from .ground import Applied, Ground, Touched

SENSITIVE = "sensitive"
"""The label by which a rule marks media as sensitive."""


@dataclass(frozen=True, slots=True)
class _Parent:
    id: PostId
    account_id: AccountId
    thread_id: PostId


async def insert(conn: Connection, cleared: Sequence[Cleared[Create]], ground: Ground) -> Applied:
    """Stores new posts with all that hangs on them. A post that is here already, or was deleted before, is
    left alone."""
    parents = await _parents(conn, [c.activity.note for c in cleared])
    ids = [_id_for(c.activity.note, ground) for c in cleared]
    inserted = await _insert_rows(conn, cleared, ids, parents, ground)
    took = [id_ in inserted for id_ in ids]
    fresh = [(c, id_) for c, id_, new in zip(cleared, ids, took, strict=True) if new]
    touched = Touched()
    follow_ups: list[Activity] = []
    if fresh:
        notes = [(c.activity.note, id_) for c, id_ in fresh]
        await attached.name(conn, notes)
        await attached.tag(conn, notes, ground)
        await attached.hang(conn, fresh, ground)
        theirs = [(c.activity.note, id_) for c, id_ in fresh if not c.activity.actor.is_local]
        if theirs:  # nobody can have answered a post of ours before it was there
            touched.add(await _adopt_orphans(conn, theirs, ground))
        follow_ups = await answering.keep(conn, fresh, ground)
        # What waits is its author's and theirs who answer for it: it is not counted, nor told of.
        out = [(c, id_) for c, id_ in fresh if not commenting.waits_for(c.labels)]
        touched.accounts |= {c.activity.actor.id for c, _ in fresh}
        await counting.posts(conn, [c.activity.actor.id for c, _ in out], 1, ground)
        answered = [c.activity.note.in_reply_to for c, _ in out]
        replied = [parents[uri] for uri in answered if uri in parents]
        await counting.replies(conn, [p.id for p in replied], 1)
        touched.posts |= {p.id for p in replied}
        new = [id_ for c, id_ in out if not c.activity.note.is_old]
        touched.homes |= await feeds.fan_out(conn, new, ground)
        touched.notified |= await notices.of_posts(conn, new, ground)
        await _control(conn, [(note, id_) for note, id_ in notes if note.can_reply is not None])
    made = [id_ if new else None for id_, new in zip(ids, took, strict=True)]
    return Applied(made, took, touched, follow_ups)


async def update(conn: Connection, cleared: Sequence[Cleared[Update]], ground: Ground) -> Applied:
    """Gives posts of the actor new words and keeps the old ones as history. An edit older than what is here
    is ignored."""
    rows = await conn.fetch(
        """
        with edit as (
          select uri, account_id, html, text, source, spoiler, sensitive, language, edited_at, decision_id, n
          from unnest(
            $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::text[],
            $9::timestamptz[], $10::bigint[], $11::int[])
          as e(uri, account_id, html, text, source, spoiler, sensitive, language, edited_at, decision_id, n)
        ), old as (
          select p.id, p.html, p.text, p.spoiler, p.sensitive, p.decision_id, p.created_at, p.edited_at, e.n
          from edit e join post p on p.uri = e.uri and p.account_id = e.account_id
          where p.withdrawn_at is null and p.boost_of_id is null
            and coalesce(p.edited_at, p.created_at) <= e.edited_at
            -- What waited and is sent now stands here already.
            and not (p.local and p.edited_at is not distinct from e.edited_at)
          order by p.id for update of p
        ), kept as (
          insert into post_edit (
            post_id, version, html, text, spoiler, sensitive, media, decision_id, created_at)
          select
            o.id, coalesce((select max(h.version) + 1 from post_edit h where h.post_id = o.id), 0),
            o.html, o.text, o.spoiler, o.sensitive,
            coalesce(
              (select jsonb_agg(
                 jsonb_build_object('id', m.id, 'description', m.description) order by m.position)
               from media m where m.post_id = o.id), '[]'),
            o.decision_id, coalesce(o.edited_at, o.created_at)
          from old o
        )
        update post p
        set html = e.html, text = e.text, source = e.source, spoiler = e.spoiler, sensitive = e.sensitive,
            language = e.language, edited_at = e.edited_at, decision_id = e.decision_id
        from old o join edit e on e.n = o.n
        where p.id = o.id
        returning p.id, o.n
        """,
        [c.activity.note.uri for c in cleared],
        [c.activity.actor.id for c in cleared],
        [c.activity.note.html for c in cleared],
        [c.activity.note.text for c in cleared],
        [c.activity.note.source for c in cleared],
        [c.activity.note.spoiler for c in cleared],
        [c.activity.note.sensitive or SENSITIVE in c.labels for c in cleared],
        [c.activity.note.language for c in cleared],
        [c.activity.note.updated or ground.now for c in cleared],
        [c.decision_id for c in cleared],
        list(range(len(cleared))),
    )
    ids: list[PostId | None] = [None] * len(cleared)
    for row in rows:
        ids[row["n"]] = PostId(row["id"])
    changed = [(c, id_) for c, id_ in zip(cleared, ids, strict=True) if id_ is not None]
    touched = Touched(posts={id_ for _, id_ in changed})
    if changed:
        posts = [id_ for _, id_ in changed]
        await conn.execute("delete from mention where post_id = any($1)", posts)
        await conn.execute("delete from post_tag where post_id = any($1)", posts)
        await attached.take_down(conn, changed)
        notes = [(c.activity.note, id_) for c, id_ in changed]
        await attached.name(conn, notes)
        await attached.tag(conn, notes, ground)
        await attached.hang(conn, changed, ground)
        touched.add(await replies.wait_again(conn, changed, ground))
        told = [id_ for c, id_ in changed if not commenting.waits_for(c.labels)]
        touched.notified |= await notices.of_posts(conn, told, ground)
        touched.notified |= await notices.of_edits(conn, told, ground)
        await _control(conn, [(note, id_) for note, id_ in notes if note.can_reply is not None])
    return Applied(ids, [id_ is not None for id_ in ids], touched)


async def withdraw(conn: Connection, cleared: Sequence[Cleared[Delete]], ground: Ground) -> Applied:
    """Takes posts of the actor out of sight, with every boost of them, and remembers that the actor deleted
    these ids.

    A deleted account is not a post: `accounts.close` sees to that.
    """
    await conn.execute(
        "insert into federation.tombstone (uri, account_id, at) "
        "select uri, account_id, $3 from unnest($1::text[], $2::bigint[]) as d(uri, account_id) "
        "on conflict do nothing",
        [c.activity.target for c in cleared if not c.activity.actor.is_local],
        [c.activity.actor.id for c in cleared if not c.activity.actor.is_local],
        ground.now,
    )
    rows = await conn.fetch(
        """
        update post p set withdrawn_at = $3, withdrawn_by = 'author'
        from unnest($1::text[], $2::bigint[], $4::int[]) as d(uri, account_id, n)
        where p.uri = d.uri and p.account_id = d.account_id and p.withdrawn_at is null
        returning p.id, p.account_id, p.in_reply_to_id, p.boost_of_id, p.waits, p.hidden, d.n
        """,
        [c.activity.target for c in cleared],
        [c.activity.actor.id for c in cleared],
        ground.now,
        list(range(len(cleared))),
    )
    ids: list[PostId | None] = [None] * len(cleared)
    for row in rows:
        ids[row["n"]] = PostId(row["id"])
    touched = Touched()
    if rows:
        touched = await counting.gone(conn, [PostId(r["id"]) for r in rows], ground)
        await counting.posts(conn, [AccountId(r["account_id"]) for r in rows if not r["waits"]], -1, ground)
        under = [r for r in rows if not r["waits"] and not r["hidden"]]
        replied = [PostId(r["in_reply_to_id"]) for r in under if r["in_reply_to_id"] is not None]
        await conn.execute(
            "delete from compliance.comment where post_id = any($1) and state <> 'removed'",
            [r["id"] for r in rows],
        )
        await counting.replies(conn, replied, -1)
        touched.posts |= set(replied)
        touched.accounts |= {AccountId(r["account_id"]) for r in rows}
    return Applied(ids, [id_ is not None for id_ in ids], touched)


def _id_for(note: Note, ground: Ground) -> PostId:
    own = ground.uris.post_in(note.uri)
    return own if own is not None else PostId(ground.ids.at(note.published))


async def _parents(conn: Connection, notes: Sequence[Note]) -> dict[Uri, _Parent]:
    wanted = [n.in_reply_to for n in notes if n.in_reply_to is not None]
    if not wanted:
        return {}
    rows = await conn.fetch("select uri, id, account_id, thread_id from post where uri = any($1)", wanted)
    return {
        Uri(r["uri"]): _Parent(PostId(r["id"]), AccountId(r["account_id"]), PostId(r["thread_id"]))
        for r in rows
    }


async def _insert_rows(
    conn: Connection,
    cleared: Sequence[Cleared[Create]],
    ids: Sequence[PostId],
    parents: dict[Uri, _Parent],
    ground: Ground,
) -> set[PostId]:
    notes = [c.activity.note for c in cleared]
    found = [parents.get(n.in_reply_to) if n.in_reply_to else None for n in notes]
    rows = await conn.fetch(
        """
        with new as (
          insert into post (
            id, account_id, local, uri, url, in_reply_to_id, in_reply_to_account_id, in_reply_to_uri,
            thread_id, visibility, html, text, source, spoiler, sensitive,
            language, app_id, labels, created_at, edited_at, decision_id, waits)
          select
            id, account_id, local, uri, url, reply_id, reply_account, reply_uri, thread_id,
            visibility, html, text, source, spoiler, sensitive, language, app_id,
            coalesce(string_to_array(nullif(labels, ''), ','), '{}'), created_at, edited_at, decision_id,
            waits
          from unnest(
            $1::bigint[], $2::bigint[], $3::bool[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
            $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
            $15::bool[], $16::text[], $17::bigint[], $18::text[], $19::timestamptz[], $20::timestamptz[],
            $21::bigint[], $22::bool[])
          as n(
            id, account_id, local, uri, url, reply_id, reply_account, reply_uri,
            thread_id, visibility, html, text, source, spoiler, sensitive,
            language, app_id, labels, created_at, edited_at, decision_id, waits)
          where not exists (
            select 1 from federation.tombstone t where t.uri = n.uri and t.account_id in (0, n.account_id))
          on conflict (uri) do nothing
          returning id
        ), counted as (
          insert into post_count (post_id) select id from new
        )
        select id from new
        """,
        list(ids),
        [c.activity.actor.id for c in cleared],
        [c.activity.actor.is_local for c in cleared],
        [n.uri for n in notes],
        [n.url for n in notes],
        [p.id if p else None for p in found],
        [p.account_id if p else None for p in found],
        [n.in_reply_to for n in notes],
        [p.thread_id if p else id_ for p, id_ in zip(found, ids, strict=True)],
        [n.visibility.value for n in notes],
        [n.html for n in notes],
        [n.text for n in notes],
        [n.source for n in notes],
        [n.spoiler for n in notes],
        [n.sensitive or SENSITIVE in c.labels for n, c in zip(notes, cleared, strict=True)],
        [n.language for n in notes],
        [n.app for n in notes],
        [",".join(commenting.shown(c.labels)) for c in cleared],
        [
            n.published if c.activity.actor.is_local else min(n.published, ground.now)
            for n, c in zip(notes, cleared, strict=True)
        ],
        [n.updated for n in notes],
        [c.decision_id for c in cleared],
        [bool(commenting.waits_for(c.labels)) for c in cleared],
    )
    return {PostId(r["id"]) for r in rows}


async def _control(conn: Connection, notes: Sequence[tuple[Note, PostId]]) -> None:
    """Notes who may answer posts of other servers, as their authors say; of ours the policies say it."""
    said = [(note.can_reply, id_) for note, id_ in notes if note.can_reply is not None]
    for control, id_ in said:
        await conn.execute(
            """
            insert into compliance.reply_control (post_id, automatic, manual)
            select p.id, $2, $3 from post p where p.id = $1 and not p.local
            on conflict (post_id) do update set automatic = excluded.automatic, manual = excluded.manual
            """,
            id_,
            list(control.automatic),
            list(control.manual),
        )


async def _adopt_orphans(conn: Connection, notes: Sequence[tuple[Note, PostId]], ground: Ground) -> Touched:
    """Replies that came before the post they answer find their place, and their whole branch joins its
    thread; says which posts look different now."""
    rows = await conn.fetch(
        """
        update post c set in_reply_to_id = p.id, in_reply_to_account_id = p.account_id
        from unnest($1::text[], $2::bigint[]) as n(uri, id) join post p on p.id = n.id
        where c.in_reply_to_uri = n.uri and c.in_reply_to_id is null
        returning c.id, c.thread_id as branch, p.id as parent_id, p.thread_id
        """,
        [note.uri for note, _ in notes],
        [id_ for _, id_ in notes],
    )
    if not rows:
        return Touched()
    await conn.execute(
        "update post p set thread_id = b.thread_id "
        "from unnest($1::bigint[], $2::bigint[]) as b(branch, thread_id) where p.thread_id = b.branch",
        [r["branch"] for r in rows],
        [r["thread_id"] for r in rows],
    )
    await counting.replies(conn, [PostId(r["parent_id"]) for r in rows], 1)
    touched = Touched(posts={PostId(r[name]) for r in rows for name in ("id", "parent_id")})
    touched.add(await answering.adopt(conn, [PostId(r["id"]) for r in rows], ground))
    return touched
