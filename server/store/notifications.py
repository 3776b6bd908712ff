"""What people are told. Whether a notice is still to be shown is asked when it is read: its author may be
blocked, muted or suspended by now, its post withdrawn or out of reach.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from compliance.activity import AccountId, PostId
from server.db.pool import Connection
from server.errors import NotFound
from server.uris import Uris

from . import accounts, posts
from .model import AccountView, Entry, NoticeView, NotificationView, Page, PostFlags
from .sql import affected, both_ways, compose, fetch_page
from .visibility import SEEN, may_meet, may_see_both, silenced

PAGE_CAP = 80
UNREAD_CAP = 100
_decode = msgspec.json.Decoder(dict[str, str | int]).decode


class Kind(enum.StrEnum):
    """What a notice is about; the values are what the database stores and clients read."""

    MENTION = "mention"
    STATUS = "status"
    REBLOG = "reblog"
    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    FAVOURITE = "favourite"
    UPDATE = "update"
    DECISION = "decision"
    NOTICE = "notice"


def _shown(viewer: str) -> str:
    return compose(
        """(n.from_id is null or ({may_meet} and not {silenced}))
          and (n.post_id is null or exists (select from {seen} where p.id = n.post_id and {may_see}))""",
        may_meet=may_meet("a", viewer),
        silenced=silenced("n.from_id", viewer),
        seen=SEEN,
        may_see=may_see_both(viewer),
    )


_COLUMNS = """n.id, n.kind, n.from_id, n.post_id, n.decision_id, n.code, n.details::text as details, n.link,
      n.created_at"""
_PAGE = both_ways(
    """
    select {columns} from notification n left join account a on a.id = n.from_id
    where n.account_id = $4 and n.id > $1 and n.id < $2 and n.kind = any($5) and {shown}
    order by n.id {order} limit $3
    """,
    columns=_COLUMNS,
    shown=_shown("$4"),
)
_FIND = compose(
    """
    select {columns} from notification n left join account a on a.id = n.from_id
    where n.account_id = $1 and n.id = $2 and {shown}
    """,
    columns=_COLUMNS,
    shown=_shown("$1"),
)
_UNREAD = compose(
    """
    select count(*) from (
      select from notification n left join account a on a.id = n.from_id
      where n.account_id = $1
        and n.id > coalesce((select m.last_read_id from marker m
                             where m.account_id = $1 and m.timeline = 'notifications'), 0) and {shown}
      order by n.id desc limit $2) unread
    """,
    shown=_shown("$1"),
)


async def page(
    conn: Connection,
    me: AccountId,
    page: Page,
    *,
    uris: Uris,
    kinds: Collection[Kind] = tuple(Kind),
    exclude: Collection[Kind] = (),
) -> list[NotificationView]:
    """What the person was told, newest first."""
    wanted = [kind.value for kind in kinds if kind not in exclude]
    rows = await fetch_page(conn, _PAGE, page, PAGE_CAP, me, wanted)
    return await _dress(conn, rows, me, uris)


async def get(conn: Connection, me: AccountId, notification_id: int, *, uris: Uris) -> NotificationView:
    """One of the person's notices; raises `NotFound`."""
    found = await _dress(conn, await conn.fetch(_FIND, me, notification_id), me, uris)
    if not found:
        raise NotFound
    return found[0]


async def unread_count(conn: Connection, me: AccountId) -> int:
    """How many came after the person's marker; 100 stands for more."""
    return int(await conn.fetchval(_UNREAD, me, UNREAD_CAP))


async def dismiss(conn: Connection, me: AccountId, notification_id: int) -> bool:
    """Takes one notice away; `False` when the person has no such."""
    done = await conn.execute(
        "delete from notification where id = $1 and account_id = $2", notification_id, me
    )
    return affected(done) > 0


async def clear(conn: Connection, me: AccountId) -> None:
    """Takes all notices away."""
    await conn.execute("delete from notification where account_id = $1", me)


async def _dress(conn: Connection, rows: Sequence[Any], me: AccountId, uris: Uris) -> list[NotificationView]:
    people = await accounts.load(
        conn, [AccountId(row["from_id"]) for row in rows if row["from_id"] is not None], uris=uris
    )
    shown = await posts.entries(
        conn, list({PostId(row["post_id"]) for row in rows if row["post_id"] is not None}), me, uris=uris
    )
    entries = {entry.view.id: entry for entry in shown}
    return [
        _view(row, people.get(row["from_id"]), entries.get(row["post_id"]))
        for row in rows
        # A post withdrawn between the two statements takes its notice along.
        if row["post_id"] is None or row["post_id"] in entries
    ]


def _view(row: Any, account: AccountView | None, entry: Entry | None) -> NotificationView:
    return NotificationView(
        id=row["id"],
        kind=row["kind"],
        account=account,
        post=entry.view if entry else None,
        flags=entry.flags if entry else PostFlags(),
        decision_id=row["decision_id"],
        notice=_notice(row) if row["code"] is not None else None,
        created_at=row["created_at"],
    )


def _notice(row: Any) -> NoticeView:
    return NoticeView(row["code"], _decode(row["details"]), row["link"])
