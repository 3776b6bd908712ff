"""Sealed identity papers: the running server puts them in and counts them, and cannot read what it put in.

A person has one data key, wrapped by the master key: rotating the master key re-wraps keys and touches no
paper, and destroying a person's key destroys all that they ever gave. Each paper is sealed with a nonce of
its own, and whose it is, which one, and what, are authenticated with it, so that a paper moved to another row
does not open. The index tells whether two papers say the same without opening either.

What is in here comes out only by `openings`. The papers of the first form, with a key each, still open.
"""

from __future__ import annotations

import dataclasses
import enum
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NewType, TypeAlias

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed, NotFound, SealBroken
from .records import Entry, RecordKind, Source, write
from .sealing import Sealer

PaperId = NewType("PaperId", int)
Row: TypeAlias = asyncpg.Record

_NONCE_BYTES = 12
_REFUSED = "YV403"


class Field(enum.StrEnum):
    """What a paper says; the values are what the database stores."""

    MOBILE = "mobile"
    RESIDENT_ID = "resident-id"
    NAME = "name"
    ORG_CODE = "org-code"
    USCC = "uscc"
    ORGANISATION_NAME = "organisation-name"
    LEGAL_REPRESENTATIVE = "legal-representative"
    PASSPORT_CN = "passport-cn"
    PASSPORT = "passport"
    """Of another state, whose code stands before the number: equal numbers of two states are two."""
    FOREIGN_PERMANENT_RESIDENT = "foreign-permanent-resident"
    HK_MACAU_PERMIT = "hk-macau-permit"
    TAIWAN_PERMIT = "taiwan-permit"
    EXTERNAL_SUBJECT = "external-subject"
    SCAN = "scan"
    """A picture or a document, sealed with its name and type."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPaper:
    """What a paper says, in the open. It is never printed: not by a log, not by an error."""

    id: PaperId
    account_id: AccountId
    field: Field
    mime: str = "text/plain"
    name: str = dataclasses.field(default="", repr=False)
    value: bytes = dataclasses.field(default=b"", repr=False)


async def put(
    conn: Connection,
    account_id: AccountId,
    field: str,
    value: str,
    *,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
    forget: bool = False,
) -> PaperId:
    """Seals `value` for this account and field. With `forget`, nothing is kept but the proof of it: the blind
    index."""
    paper_id = PaperId(new_id())
    index = sealer.index(value, purpose=index_purpose(field))
    if forget:
        await conn.execute(
            """
            insert into vault.paper (id, account_id, field, index, forgotten_at, created_at)
            values ($1, $2, $3, $4, $5, $5)
            """,
            paper_id,
            account_id,
            field,
            index,
            now,
        )
    else:
        await _insert(
            conn,
            paper_id,
            account_id,
            field=field,
            plain=value.encode(),
            index=index,
            sealer=sealer,
            now=now,
        )
    return paper_id


async def put_scan(
    conn: Connection,
    account_id: AccountId,
    data: bytes,
    *,
    mime: str,
    name: str,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
) -> PaperId:
    """Seals a picture or a document. Its name is sealed with it: file names say who somebody is."""
    paper_id = PaperId(new_id())
    head = f"{_line(mime)}\n{_line(name)}\n".encode()
    await _insert(
        conn,
        paper_id,
        account_id,
        field=Field.SCAN,
        plain=head + data,
        index=None,
        sealer=sealer,
        now=now,
    )
    return paper_id


async def _insert(
    conn: Connection,
    paper_id: PaperId,
    account_id: AccountId,
    *,
    field: str,
    plain: bytes,
    index: bytes | None,
    sealer: Sealer,
    now: datetime,
) -> None:
    version, key = await _key_to_seal(conn, account_id, sealer=sealer, now=now)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain, _context(paper_id, account_id, field, version))
    await conn.execute(
        """
        insert into vault.paper (id, account_id, field, sealed, person_key, index, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        paper_id,
        account_id,
        field,
        nonce + sealed,
        version,
        index,
        now,
    )


async def _key_to_seal(
    conn: Connection, account_id: AccountId, *, sealer: Sealer, now: datetime
) -> tuple[int, bytes]:
    """The person's key and its version; a new one where they have none."""
    offered = sealer.seal(AESGCM.generate_key(256), context=key_context(account_id))
    row = await conn.fetchrow(
        "select version, wrapped_key from vault.key_to_seal($1, $2, $3::smallint, $4)",
        account_id,
        offered,
        offered[0],
        now,
    )
    if row is None:
        raise SealBroken("the person's key went away while it was asked for; try again")
    return row["version"], sealer.open(row["wrapped_key"], context=key_context(account_id))


def key_context(account_id: int) -> str:
    """What a person's wrapped key is authenticated with."""
    return f"person-key:{account_id}"


def old_key_context(account_id: int, field: str, version: int) -> str:
    """What the own key of a paper of the first form is authenticated with; so is the paper."""
    return f"paper:{account_id}:{field}:{version}"


def _context(paper_id: int, account_id: int, field: str, version: int) -> bytes:
    return f"paper:{paper_id}:{account_id}:{field}:{version}".encode()


def _line(text: str) -> str:
    return " ".join(text.split())


def unsealed(row: Row, sealer: Sealer) -> OpenedPaper:
    """The paper of a row that the database gave out. `SealBroken` for one changed or moved."""
    account_id, field, sealed = row["account_id"], row["field"], row["sealed"]
    if row["wrapped_key"] is None:
        raise SealBroken(f"paper {row['id']}: the key of this person is gone")
    if row["person_key"] is None:
        old = old_key_context(account_id, field, row["key_version"])
        key, context = sealer.open(row["wrapped_key"], context=old), old.encode()
    else:
        key = sealer.open(row["wrapped_key"], context=key_context(account_id))
        context = _context(row["id"], account_id, field, row["person_key"])
    try:
        plain = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except InvalidTag:
        raise SealBroken(f"paper {row['id']}: it does not belong here, or was changed") from None
    mime, name = "text/plain", ""
    if field == Field.SCAN:
        first, second, plain = plain.split(b"\n", 2)
        mime, name = first.decode(), second.decode()
    return OpenedPaper(
        id=PaperId(row["id"]),
        account_id=AccountId(account_id),
        field=Field(field),
        mime=mime,
        name=name,
        value=plain,
    )


def index_purpose(field: str) -> str:
    """What the blind indexes of one kind of paper are keyed by."""
    return {"mobile": "phone"}.get(field, field)


async def count_holders(conn: Connection, field: str, index: bytes, *, besides: AccountId) -> int:
    """How many other accounts are verified by this very paper now. Blind: nothing is opened."""
    count: int = await conn.fetchval(
        """
        select count(*) from vault.paper p join compliance.identity i on i.paper_id = p.id
        where p.field = $1 and p.index = $2 and i.account_id <> $3 and i.state in ('verified', 'due')
        """,
        field,
        index,
        besides,
    )
    return count


async def shred(
    conn: Connection,
    account_id: AccountId,
    *,
    reason: str,
    by: AccountId | None = None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> int:
    """Destroys the person's data key and all their papers, and says how many there were.

    `NotAllowed` unless the account was closed six months ago or longer, or while a legal hold needs them.
    """
    gone = await call(conn, "select vault.shred_person($1, $2, $3, $4)", new_id(), account_id, reason, now)
    count: int = gone[0][0]
    entry = Entry(
        RecordKind.VAULT_SHRED, by, str(account_id), source=source, detail={"papers": count, "reason": reason}
    )
    await write(conn, [entry], now=now, new_id=new_id)
    return count


async def shred_papers(conn: Connection, paper_ids: Sequence[PaperId]) -> int:
    """Destroys papers that are replaced or decided on; one that a waiting case needs stays. Says how many
    went."""
    gone: int = await conn.fetchval("select vault.shred_papers($1)", list(paper_ids))
    return gone


async def forget(conn: Connection, paper_ids: Sequence[PaperId], *, now: datetime) -> int:
    """Forgets what papers say and keeps the proof, unless a waiting case needs them; says how many went."""
    gone: int = await conn.fetchval("select vault.forget($1, $2, $3)", list(paper_ids), now, len(paper_ids))
    return gone


async def forget_settled(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forgets what was put in before that moment and is under nobody's eyes, some at a call."""
    gone: int = await conn.fetchval("select vault.forget(null, $1, $2)", before, limit)
    return gone


async def list_ended(conn: Connection, *, months: int, now: datetime, limit: int) -> list[AccountId]:
    """Accounts that were closed so many months ago or longer and whose papers are here, and on no hold."""
    rows = await conn.fetch(
        """
        select a.id from public.account a
        where a.gone_at <= $2::timestamptz - make_interval(months => $1) and a.host is null
          and (exists (select 1 from vault.person_key k where k.account_id = a.id)
               or exists (select 1 from vault.paper p where p.account_id = a.id))
          and not exists (
            select 1 from vault.opening o
            where o.account_id = a.id and o.state = 'read' and o.hold_until > $2)
        order by a.gone_at limit $3
        """,
        months,
        now,
        limit,
    )
    return [AccountId(row["id"]) for row in rows]


# Why the functions of the database refused, as programmers and pages read it.
WHY = {
    "role": "this needs somebody with another role",
    "own": "nobody opens their own papers this way",
    "same": "a request is decided by another person than asked for it",
    "reader": "only who asked for an opening reads it",
    "read": "this opening has been read, and is read once",
    "waiting": "this opening is not approved",
    "decided": "this request has been decided",
    "late": "the time for this is over",
    "locked": "too many papers were opened in one day",
    "nothing": "no such papers are kept of this person",
    "case": "these papers belong to no case that waits",
    "hold": "a legal hold ends within a year",
    "told": "the person has been told already",
    "kept": "the papers are kept as long as the law asks",
    "held": "a legal hold needs these papers",
}


async def call(conn: Connection, statement: str, *values: object) -> list[Row]:
    """Calls a function of the vault. `NotFound` or `NotAllowed` where it refuses."""
    try:
        rows: list[Row] = await conn.fetch(statement, *values)
    except asyncpg.PostgresError as error:
        if error.sqlstate != _REFUSED:
            raise
        word = str(error)
        if word == "missing":
            raise NotFound("no such opening") from None
        raise NotAllowed(WHY[word]) from None
    return rows
