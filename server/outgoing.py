"""What leaves: cleared activities of our people as documents, each rendered once however many inboxes it goes
to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from compliance.activity import AccountId, Activity, Announce, Flag, Like, Undo, UpdateProfile, Uri
from compliance.sealing import Sealer
from compliance.verdict import Cleared
from federation import outbox, render
from federation.wire import Document, write

from . import vouching
from .db.pool import Connection
from .store import accounts, actor_keys
from .uris import Uris


async def messages(
    conn: Connection,
    mail: Sequence[tuple[Cleared[Activity], frozenset[str]]],
    *,
    uris: Uris,
    sealer: Sealer,
    now: datetime,
) -> list[outbox.Message]:
    """The messages for cleared activities and the inboxes that must get them; ask after the effects are
    applied."""
    cleared = [c for c, _ in mail]
    authors = await _authors(conn, cleared)
    people = await _people(conn, cleared, uris, sealer, now)
    speaker = None
    if any(isinstance(c.activity, Flag) for c in cleared):
        speaker = await accounts.instance_actor(conn, uris=uris)
    made: list[outbox.Message] = []
    for one, inboxes in mail:
        activity = one.activity
        facts = render.Facts(
            followers=Uri(f"{activity.actor.uri}/followers"),
            tag_page=uris.tag_page,
            author=authors.get(_concerned(activity)),
            profile=people.get(activity.actor.id) if isinstance(activity, UpdateProfile) else None,
            reporter=speaker.uri if speaker and isinstance(activity, Flag) else None,
        )
        signer = speaker.id if speaker and isinstance(activity, Flag) else activity.actor.id
        made.append(
            outbox.Message(one, signer=signer, body=write(render.activity(activity, facts)), inboxes=inboxes)
        )
    return made


def _concerned(activity: Activity) -> Uri | None:
    return activity.target if isinstance(activity, Announce | Like | Undo) else None


async def _authors(conn: Connection, cleared: Sequence[Cleared[Activity]]) -> Mapping[Uri | None, Uri]:
    wanted = [uri for c in cleared if (uri := _concerned(c.activity)) is not None]
    if not wanted:
        return {}
    rows = await conn.fetch(
        "select p.uri, a.uri as author from post p join account a on a.id = p.account_id "
        "where p.uri = any($1)",
        wanted,
    )
    return {Uri(row["uri"]): Uri(row["author"]) for row in rows}


async def _people(
    conn: Connection, cleared: Sequence[Cleared[Activity]], uris: Uris, sealer: Sealer, now: datetime
) -> Mapping[AccountId, Document]:
    ids = [c.activity.actor.id for c in cleared if isinstance(c.activity, UpdateProfile)]
    if not ids:
        return {}
    views = await accounts.load(conn, ids, uris=uris)
    keys = await actor_keys.load_public(conn, ids)
    return {
        id_: await vouching.actor(conn, view, keys[id_], sealer=sealer, uris=uris, now=now)
        for id_, view in views.items()
        if id_ in keys
    }
