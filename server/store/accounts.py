"""Accounts, ours and those of other servers, as they are shown.

A suspended or deleted account is found all the same, and says so: whoever shows it to others than operators
shows `view.veiled()`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from compliance.activity import AccountId, MediaId, Uri
from compliance.lookalikes import is_certification_field, without_marks
from federation.actor import RemoteActor
from server.db.pool import Connection
from server.errors import NotFound
from server.uris import Uris

from . import cache, marks
from .model import AccountView, FieldView, Page
from .sql import both_ways, compose, fetch_page
from .visibility import may_be_suggested, may_meet

PAGE_CAP = 80

COLUMNS = f"""a.id, a.username, a.host, a.uri, a.url, a.actor_type, a.created_at,
  a.suspended_at is not null as suspended, a.gone_at is not null as gone,
  f.display_name, f.html, f.source, f.fields::text as fields, f.avatar_url, f.header_url,
  coalesce(am.preview_file, am.file) as avatar_file, hm.file as header_file,
  f.locked, f.bot, f.discoverable, f.indexable, n.posts, n.followers, n.following, n.last_post_at,
  {marks.COLUMNS}"""
SOURCE = """account a
  left join profile f on f.account_id = a.id left join account_count n on n.account_id = a.id
  left join media am on am.id = f.avatar_media_id left join media hm on hm.id = f.header_media_id
  left join mark k on k.account_id = a.id"""

_fields = msgspec.json.Decoder(tuple[FieldView, ...])

_BY_IDS = compose("select {columns} from {source} where a.id = any($1)", columns=COLUMNS, source=SOURCE)
_BY_URI = "select id from account where uri = $1"
_BY_LOCAL_NAME = "select id from account where host is null and lower(username) = lower($1)"
_BY_REMOTE_NAME = "select id from account where host = $2 and lower(username) = lower($1)"
# Candidates come from each index by itself: one condition over both names would use neither.
_SEARCH = compose(
    """
    with hit as (
      (select id from account
       where lower(username) like $1 and (lower(username) = $5 or {named}) limit 200)
      union (select account_id from profile
             where discoverable and lower(display_name) like $2 and {suggested} limit 200))
    select a.id
    from hit join account a on a.id = hit.id left join account_count n on n.account_id = a.id
      left join follow g on g.follower_id = $3 and g.followee_id = a.id and g.state = 'accepted'
    where {may_meet} and ($4::text is null or coalesce(a.host, '') = $4) and a.actor_type <> 'Application'
    order by lower(a.username) = $5 desc, g.id is not null desc, coalesce(n.followers, 0) desc, a.id
    limit $6 offset $7
    """,
    may_meet=may_meet("a", "$3"),
    suggested=may_be_suggested("profile.account_id"),
    named=may_be_suggested("account.id"),
)
_LIST = both_ways(
    """
    select a.id from account a
    where a.id > $1 and a.id < $2 and a.actor_type <> 'Application'
      and ($4::bool is null or (a.host is null) = $4)
      and ($5::bool is null or (a.suspended_at is not null) = $5)
    order by a.id {order} limit $3
    """
)
_INSERT_LOCAL = """
    with new as (
      insert into account (id, username, uri, url, actor_type, inbox, shared_inbox, outbox, followers,
                           following, featured, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
      returning id
    ), counted as (insert into account_count (account_id) select id from new)
    insert into actor_key (key_id, account_id, public_pem, private_sealed, created_at)
    select $13, id, $14, $15, $12 from new
    """

_GIVE_UP_NAME = """
    update account set username = username || '.' || id
    where host = $2 and lower(username) = lower($1) and uri <> $3
    """
_UPSERT_REMOTE = """
    with new as (
      insert into account as a (id, username, host, uri, url, actor_type, inbox, shared_inbox, outbox,
        followers,
                                following, featured, created_at, fetched_at, memorial)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
      on conflict (uri) do update
        set username = excluded.username, host = excluded.host, url = excluded.url,
            actor_type = excluded.actor_type, inbox = excluded.inbox, shared_inbox = excluded.shared_inbox,
            outbox = excluded.outbox, followers = excluded.followers, following = excluded.following,
            featured = excluded.featured, fetched_at = excluded.fetched_at, memorial = excluded.memorial
        where a.host is not null
      returning id
    ), counted as (
      insert into account_count (account_id) select id from new on conflict do nothing
    )
    select id from new
    """
# A key id that is another account's stays that account's.
_UPSERT_KEYS = """
    insert into actor_key as k (key_id, account_id, public_pem, created_at)
    select n.key_id, $1, n.public_pem, $4
    from unnest($2::text[], $3::text[]) as n(key_id, public_pem)
    on conflict (key_id) do update set public_pem = excluded.public_pem where k.account_id =
      excluded.account_id
    """


async def load(conn: Connection, ids: Sequence[AccountId], *, uris: Uris) -> dict[AccountId, AccountView]:
    """The accounts with these ids; unknown ones are left out."""
    keeps = not conn.is_in_transaction()
    found: dict[AccountId, AccountView] = {}
    missing: list[AccountId] = []
    for id_ in dict.fromkeys(ids):
        kept = cache.accounts.find(id_) if keeps else None
        if kept is None:
            missing.append(id_)
        else:
            found[id_] = kept
    if missing:
        tick = cache.accounts.tick
        for row in await conn.fetch(_BY_IDS, missing):
            view = view_of(row, uris)
            found[view.id] = view
            if keeps:
                cache.accounts.keep(view.id, view, read_at=tick)
    return found


async def find(conn: Connection, account_id: AccountId, *, uris: Uris) -> AccountView | None:
    """The account with this id."""
    return (await load(conn, [account_id], uris=uris)).get(account_id)


async def get(conn: Connection, account_id: AccountId, *, uris: Uris) -> AccountView:
    """The account with this id; raises `NotFound`."""
    found = await find(conn, account_id, uris=uris)
    if found is None:
        raise NotFound
    return found


async def find_by_name(
    conn: Connection, username: str, host: str | None, *, uris: Uris
) -> AccountView | None:
    """The account called `username@host`, in whatever case; `host` is `None`, or our own, for one of ours."""
    if host is None or host == uris.host:
        found = await conn.fetchval(_BY_LOCAL_NAME, username)
    else:
        found = await conn.fetchval(_BY_REMOTE_NAME, username, host)
    return None if found is None else await find(conn, AccountId(found), uris=uris)


async def find_by_uri(conn: Connection, uri: str, *, uris: Uris) -> AccountView | None:
    """The account with this actor id."""
    found = await conn.fetchval(_BY_URI, uri)
    return None if found is None else await find(conn, AccountId(found), uris=uris)


async def find_ids_by_uri(conn: Connection, actors: Sequence[str]) -> dict[Uri, AccountId]:
    """The ids of those actors that are known here."""
    rows = await conn.fetch("select uri, id from account where uri = any($1)", list(actors))
    return {Uri(row["uri"]): AccountId(row["id"]) for row in rows}


async def instance_actor(conn: Connection, *, uris: Uris) -> AccountView:
    """The account that stands for this server, and signs what nobody in particular asks; raises `NotFound`
    before it is made.
    """
    found = await find_by_uri(conn, uris.instance_actor, uris=uris)
    if found is None:
        raise NotFound("The server's own account is missing")
    return found


async def search(
    conn: Connection,
    query: str,
    limit: int,
    viewer: AccountId | None,
    *,
    uris: Uris,
    offset: int = 0,
) -> list[AccountView]:
    """Accounts whose user name starts with the words, or whose display name holds them; those the viewer
    follows first.

    `name@host` looks at that host only. Two characters or fewer are matched at the start of a name: an index
    of three-letter pieces cannot help with less.
    """
    words = query.strip().removeprefix("@").lower()
    name, _, host = words.partition("@")
    if not name:
        return []
    pattern = _like(name)
    rows = await conn.fetch(
        _SEARCH,
        f"{pattern}%",
        f"%{_like(words)}%" if len(words) > 2 else f"{_like(words)}%",
        viewer,
        None if not host else "" if host == uris.host else host,
        name,
        max(1, min(limit, PAGE_CAP)),
        max(0, min(offset, 1_000)),
    )
    return await load_in_order(conn, [AccountId(row["id"]) for row in rows], uris=uris)


async def load_in_order(conn: Connection, ids: Sequence[AccountId], *, uris: Uris) -> list[AccountView]:
    """The accounts with these ids, in this order."""
    found = await load(conn, ids, uris=uris)
    return [found[id_] for id_ in ids if id_ in found]


async def list_(
    conn: Connection, page: Page, *, uris: Uris, local: bool | None = None, suspended: bool | None = None
) -> list[AccountView]:
    """Accounts for operators, newest first; suspended and deleted ones too."""
    rows = await fetch_page(conn, _LIST, page, PAGE_CAP, local, suspended)
    return await load_in_order(conn, [AccountId(row["id"]) for row in rows], uris=uris)


async def insert_local(
    conn: Connection,
    *,
    id: AccountId,  # noqa: A002
    username: str,
    uris: Uris,
    public_pem: str,
    private_sealed: bytes,
    now: datetime,
    actor_type: str = "Person",
) -> None:
    """Makes an account of ours with its key. A name that is taken, in whatever case, is an integrity
    error.
    """
    await conn.execute(
        _INSERT_LOCAL,
        id,
        username,
        uris.actor(username),
        uris.profile_page(username),
        actor_type,
        uris.inbox(username),
        uris.shared_inbox,
        uris.outbox(username),
        uris.followers(username),
        uris.following(username),
        uris.featured(username),
        now,
        uris.key(username),
        public_pem,
        private_sealed,
    )


async def upsert_remote(
    conn: Connection, remote: RemoteActor, *, new_id: Callable[[], int], now: datetime
) -> AccountId:
    """Stores somebody of another server as just fetched, with exactly the keys their document lists.

    What they show of themselves is not stored here: it goes through the gate, as an `UpdateProfile`. A name
    that another actor of that host had before is the new one's now. Needs a transaction; forget the account
    in the cache after it.
    """
    await conn.execute(_GIVE_UP_NAME, remote.username, remote.host, remote.uri)
    found = await conn.fetchval(
        _UPSERT_REMOTE,
        new_id(),
        remote.username,
        remote.host,
        remote.uri,
        remote.url,
        remote.actor_type,
        remote.inbox,
        remote.shared_inbox,
        remote.outbox,
        remote.followers,
        remote.following,
        remote.featured,
        min(remote.published or now, now),
        now,
        remote.memorial,
    )
    if found is None:
        raise ValueError("an account of ours cannot come from elsewhere")
    ids, pems = [key.id for key in remote.keys], [key.pem for key in remote.keys]
    await conn.execute(
        "delete from actor_key where account_id = $1 and private_sealed is null and key_id <> all($2)",
        found,
        ids,
    )
    await conn.execute(_UPSERT_KEYS, found, ids, pems, now)
    await marks.claim(conn, AccountId(found), remote.certification, now=now)
    return AccountId(found)


async def pictures_of(conn: Connection, account_id: AccountId) -> tuple[MediaId | None, MediaId | None]:
    """The uploads that an account of ours shows as avatar and header, to be named again in a new profile."""
    row = await conn.fetchrow(
        "select avatar_media_id, header_media_id from profile where account_id = $1", account_id
    )
    return (row["avatar_media_id"], row["header_media_id"]) if row else (None, None)


async def suspend(conn: Connection, account_id: AccountId, *, reason: str, now: datetime) -> bool:
    """Takes an account and all it wrote out of sight; `False` when it already was. Sessions and tokens are
    ended apart.
    """
    row = await conn.fetchval(
        "update account set suspended_at = $2, suspended_reason = $3 "
        "where id = $1 and suspended_at is null returning id",
        account_id,
        now,
        reason,
    )
    return row is not None


async def restore(conn: Connection, account_id: AccountId) -> bool:
    """Ends a suspension; `False` when there was none."""
    row = await conn.fetchval(
        "update account set suspended_at = null, suspended_reason = null "
        "where id = $1 and suspended_at is not null returning id",
        account_id,
    )
    return row is not None


async def count_local(conn: Connection, *, seen_since: datetime | None = None) -> int:
    """How many people are members here, or were seen since a moment."""
    found = await conn.fetchval(
        "select count(*) from member m join account a on a.id = m.account_id "
        "where a.suspended_at is null and a.gone_at is null "
        "and ($1::timestamptz is null or m.seen_at >= $1)",
        seen_since,
    )
    return int(found)


async def count_hosts(conn: Connection) -> int:
    """How many other servers this one has dealt with."""
    return int(await conn.fetchval("select count(*) from federation.host"))


def view_of(row: Any, uris: Uris) -> AccountView:
    """The view of a row with `COLUMNS`."""
    fields = row["fields"]
    shown: tuple[FieldView, ...] = () if fields is None or fields == "[]" else _fields.decode(fields)
    name = row["display_name"] or ""
    if row["host"] is not None:
        # Another server speaks for them; what it vouches for is the mark, and nothing else looks like one.
        name = without_marks(name)
        shown = tuple(field for field in shown if not is_certification_field(field.name))
    return AccountView(
        id=AccountId(row["id"]),
        username=row["username"],
        host=row["host"],
        uri=Uri(row["uri"]),
        url=row["url"],
        actor_type=row["actor_type"],
        display_name=name,
        html=row["html"] or "",
        source=row["source"],
        fields=shown,
        avatar=_picture(row["avatar_file"], row["avatar_url"], uris),
        header=_picture(row["header_file"], row["header_url"], uris),
        locked=bool(row["locked"]),
        bot=bool(row["bot"]),
        # Without a profile nothing was cleared to be shown, and nobody is asked to look for it.
        discoverable=row["discoverable"] is not False,
        indexable=bool(row["indexable"]),
        suspended=row["suspended"],
        gone=row["gone"],
        created_at=row["created_at"],
        posts=row["posts"] or 0,
        followers=row["followers"] or 0,
        following=row["following"] or 0,
        last_post_at=row["last_post_at"],
        mark=marks.of_row(row),
    )


def _picture(file: str | None, url: str | None, uris: Uris) -> str | None:
    return url if file is None else uris.media(file)


def _like(words: str) -> str:
    """`words` as they stand, for a `like` pattern."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
