"""Article 6: the service agreement, the rules and the privacy notice, by version, and who accepted which.

A version never changes: what somebody accepted can be shown again, and its hash proves it. A new version is a
new text that everybody is asked to accept before they publish again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

import asyncpg

from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write

DOCUMENTS = ("terms", "rules", "privacy")
LOCALES = ("zh-CN", "en")
_FIRST_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One document in one language. `body` is plain text; `blocks` says how it is laid out."""

    document: str
    version: int
    locale: str
    title: str
    body: str
    hash: bytes
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """What a document says in one language."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document's body: a heading, a paragraph, or a list with its items as `lines`."""

    kind: str
    lines: tuple[str, ...]


def shipped(document: str, locale: str) -> Text:
    """The text that comes with the program: fit to start with, and the operator's to replace."""
    file = resources.files("compliance") / "texts" / f"{document}.{locale}.txt"
    title, _, body = file.read_text("utf-8").partition("\n")
    return Text(title.removeprefix("# ").strip(), body.strip() + "\n")


def blocks(body: str) -> list[Block]:
    """A body as headings (`## `), lists (`- ` before each item) and paragraphs, in order; blank lines part
    them."""
    parts: list[Block] = []
    for part in body.strip().split("\n\n"):
        lines = [line.strip() for line in part.strip().split("\n")]
        if lines[0].startswith("## "):
            parts.append(Block("heading", (lines[0].removeprefix("## "),)))
            lines = lines[1:]
        if lines and all(line.startswith("- ") for line in lines):
            parts.append(Block("list", tuple(line.removeprefix("- ") for line in lines)))
        elif lines:
            parts.append(Block("paragraph", tuple(lines)))
    return parts


async def seed(conn: Connection, *, now: datetime) -> int:
    """Puts the shipped texts in as version 1 where there are none; returns how many it put in."""
    texts = {(document, locale): shipped(document, locale) for document in DOCUMENTS for locale in LOCALES}
    rows = await conn.fetch(
        """
        insert into compliance.agreement (document, version, locale, title, body, hash, effective_at)
        select t.document, $1, t.locale, t.title, t.body, t.hash, $2
        from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
               as t(document, locale, title, body, hash)
        on conflict (document, version, locale) do nothing
        returning 1
        """,
        _FIRST_VERSION,
        now,
        [document for document, _ in texts],
        [locale for _, locale in texts],
        [text.title for text in texts.values()],
        [text.body for text in texts.values()],
        [_hash(text) for text in texts.values()],
    )
    return len(rows)


async def publish(
    conn: Connection,
    document: str,
    texts: Mapping[str, Text],
    *,
    effective_at: datetime,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> int:
    """Puts a new version in, one text for each language; from `effective_at` on, nobody publishes without
    accepting it."""
    if document not in DOCUMENTS or set(texts) != set(LOCALES):
        raise NotAllowed(f"a version is one of {', '.join(DOCUMENTS)}, in each of {', '.join(LOCALES)}")
    if effective_at < now:
        raise NotAllowed("a version cannot have been in force before it was written")
    await conn.execute("select pg_advisory_xact_lock(hashtext('compliance.agreement'))")
    version: int = await conn.fetchval(
        "select coalesce(max(version), 0) + 1 from compliance.agreement where document = $1", document
    )
    await conn.executemany(
        """
        insert into compliance.agreement (document, version, locale, title, body, hash, effective_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (document, version, locale, text.title, text.body, _hash(text), effective_at)
            for locale, text in texts.items()
        ],
    )
    detail: Detail = {"version": version, "effective_at": effective_at.isoformat()}
    entry = Entry(RecordKind.AGREEMENT_PUBLISH, by, document, source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return version


async def current(conn: Connection, locale: str, *, now: datetime | None = None) -> list[Agreement]:
    """The documents in force, in this language or, where it has none, in Chinese; at the database's time
    unless told."""
    rows = await conn.fetch(
        """
        select distinct on (document) document, version, locale, title, body, hash, effective_at
        from compliance.agreement where effective_at <= coalesce($2, now())
        order by document, version desc, locale = $1 desc, locale desc
        """,
        locale,
        now,
    )
    return _in_order(rows)


async def get(conn: Connection, document: str, version: int, locale: str) -> Agreement:
    """One version in one language, or `NotFound`."""
    row = await conn.fetchrow(
        """
        select document, version, locale, title, body, hash, effective_at from compliance.agreement
        where document = $1 and version = $2 and locale = $3
        """,
        document,
        version,
        locale,
    )
    if row is None:
        raise NotFound("no such document")
    return Agreement(**row)


async def missing(
    conn: Connection, account_id: AccountId, *, locale: str = "zh-CN", now: datetime | None = None
) -> list[Agreement]:
    """The documents in force that this person has not accepted."""
    accepted = {
        (row["document"], row["version"])
        for row in await conn.fetch(
            "select document, version from compliance.acceptance where account_id = $1", account_id
        )
    }
    return [
        agreement
        for agreement in await current(conn, locale, now=now)
        if not any(name == agreement.document and version >= agreement.version for name, version in accepted)
    ]


async def accept(
    conn: Connection,
    account_id: AccountId,
    versions: Mapping[str, int] | None = None,
    *,
    locale: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Notes what this person accepts, with the hash of what they read; without `versions`, all that is in
    force."""
    if versions is None:
        versions = {
            agreement.document: agreement.version for agreement in await current(conn, locale, now=now)
        }
    noted = await conn.fetch(
        """
        insert into compliance.acceptance (account_id, document, version, locale, hash, accepted_at)
        select distinct on (a.document) $1, a.document, a.version, a.locale, a.hash, $2
        from compliance.agreement a
          join unnest($3::text[], $4::int[]) as w(document, version)
            on a.document = w.document and a.version = w.version
        order by a.document, a.locale = $5 desc, a.locale desc
        on conflict (account_id, document, version) do nothing
        returning document
        """,
        account_id,
        now,
        list(versions),
        list(versions.values()),
        locale,
    )
    if noted:
        detail: Detail = {row["document"]: versions[row["document"]] for row in noted}
        entry = Entry(RecordKind.AGREEMENT_ACCEPT, account_id, None, source=source, detail=detail)
        await write(conn, [entry], now=now, new_id=new_id)


def _hash(text: Text) -> bytes:
    return hashlib.sha256(f"{text.title}\n{text.body}".encode()).digest()


def _in_order(rows: Sequence[asyncpg.Record]) -> list[Agreement]:
    agreements = [Agreement(**row) for row in rows]
    return sorted(agreements, key=lambda agreement: DOCUMENTS.index(agreement.document))
