"""What hangs on a post: the people it names, its tags, its pictures."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import Attachment, Create, Note, PostId, Update
from compliance.verdict import Cleared

from ..db.pool import Connection
from ..text.markup import fold_tag
from .ground import Ground


async def name(conn: Connection, notes: Sequence[tuple[Note, PostId]]) -> None:
    """Notes who is named in posts, and who is only addressed; those not known here are left out."""
    named = [(id_, m.uri, False) for note, id_ in notes for m in note.mentions]
    named += [(id_, uri, True) for note, id_ in notes for uri in (*note.addressed, *note.unseen)]
    if not named:
        return
    await conn.execute(
        """
        insert into mention (post_id, account_id, silent)
        select m.post_id, a.id, bool_and(m.silent)
        from unnest($1::bigint[], $2::text[], $3::bool[]) as m(post_id, uri,
        silent) join account a on a.uri = m.uri
        group by m.post_id, a.id
        on conflict do nothing
        """,
        [n[0] for n in named],
        [n[1] for n in named],
        [n[2] for n in named],
    )


async def tag(conn: Connection, notes: Sequence[tuple[Note, PostId]], ground: Ground) -> None:
    """Puts posts under their tags, making the tags that are new."""
    pairs = [(id_, tag) for note, id_ in notes for tag in note.tags]
    if not pairs:
        return
    shown = {fold_tag(tag): tag for _, tag in reversed(pairs)}
    names = sorted(shown)
    await conn.execute(
        "insert into tag (id, name, shown) select * from unnest($1::bigint[], $2::text[], $3::text[]) "
        "on conflict (name) do nothing",
        [ground.ids() for _ in names],
        names,
        [shown[n] for n in names],
    )
    await conn.execute(
        """
        insert into post_tag (tag_id, post_id, shown, position)
        select t.id, p.post_id, p.shown, p.position
        from unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) as p(post_id, name, shown, position)
        join tag t on t.name = p.name
        on conflict do nothing
        """,
        [id_ for id_, _ in pairs],
        [fold_tag(tag) for _, tag in pairs],
        [tag for _, tag in pairs],
        list(range(len(pairs))),
    )


_Hung = tuple[PostId, int, Attachment, Cleared[Create] | Cleared[Update]]
"""A picture in its place: the post, the position on it, and the activity that hung it there."""


async def hang(
    conn: Connection, posts: Sequence[tuple[Cleared[Create] | Cleared[Update], PostId]], ground: Ground
) -> None:
    """Gives posts their pictures: our own become theirs, those of other servers are listed by address."""
    own: list[_Hung] = []
    theirs: list[_Hung] = []
    for cleared, post_id in posts:
        for position, attachment in enumerate(cleared.activity.note.attachments):
            entry = (post_id, position, attachment, cleared)
            (own if attachment.media_id is not None else theirs).append(entry)
    if own:
        await conn.execute(
            """
            update media m set post_id = n.post_id, position = n.position, description = n.description,
            focus_x = n.x, focus_y = n.y
            from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::real[],
            $7::real[])
              as n(id, account_id, post_id, position, description, x, y)
            where m.id = n.id and m.account_id = n.account_id and (m.post_id is null or m.post_id = n.post_id)
            """,
            [a.media_id for _, _, a, _ in own],
            [c.activity.actor.id for _, _, _, c in own],
            [post_id for post_id, _, _, _ in own],
            [position for _, position, _, _ in own],
            [a.alt for _, _, a, _ in own],
            [a.focus[0] if a.focus else None for _, _, a, _ in own],
            [a.focus[1] if a.focus else None for _, _, a, _ in own],
        )
    if theirs:
        await conn.execute(
            """
            insert into media (id, account_id, post_id, position, kind, mime, remote_url, width, height,
            description, focus_x,
                               focus_y, blurhash, created_at, decision_id)
            select id, account_id, post_id, position, kind, mime, url, width, height, alt, x, y, blurhash,
            $14, decision_id
            from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::text[],
            $7::text[], $8::int[],
                        $9::int[], $10::text[], $11::real[], $12::real[], $13::text[], $15::bigint[])
              as n(id, account_id, post_id, position, kind, mime, url, width, height, alt, x, y, blurhash,
              decision_id)
            """,
            [ground.ids() for _ in theirs],
            [c.activity.actor.id for _, _, _, c in theirs],
            [post_id for post_id, _, _, _ in theirs],
            [position for _, position, _, _ in theirs],
            [_kind(a.mime) for _, _, a, _ in theirs],
            [a.mime for _, _, a, _ in theirs],
            [a.url for _, _, a, _ in theirs],
            [a.width for _, _, a, _ in theirs],
            [a.height for _, _, a, _ in theirs],
            [a.alt for _, _, a, _ in theirs],
            [a.focus[0] if a.focus else None for _, _, a, _ in theirs],
            [a.focus[1] if a.focus else None for _, _, a, _ in theirs],
            [a.blurhash for _, _, a, _ in theirs],
            ground.now,
            [c.decision_id for _, _, _, c in theirs],
        )


def _kind(mime: str) -> str:
    kind = mime.partition("/")[0]
    return kind if kind in ("image", "video", "audio") else "unknown"


async def take_down(conn: Connection, posts: Sequence[tuple[Cleared[Update], PostId]]) -> None:
    """Own pictures left out of an edit become loose again (and go with the loose ones); remote ones are
    listed anew."""
    kept = [a.media_id for c, _ in posts for a in c.activity.note.attachments if a.media_id is not None]
    ids = [id_ for _, id_ in posts]
    await conn.execute("delete from media where post_id = any($1) and file is null", ids)
    await conn.execute("update media set post_id = null where post_id = any($1) and id <> all($2)", ids, kept)
