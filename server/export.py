"""A person's own data, in one file: what they wrote, whom they follow, what was decided and recorded about
them.

The names and shapes inside are those of Mastodon's archive and lists,
so that other servers can read them. It holds
nothing that others keep for themselves: of a decision, the reason and not the rule.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO, TypeVar
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from msgspec import json

from compliance import (
    accesses,
    applications,
    certification,
    consents,
    credit,
    decisions,
    frontnames,
    identity,
    records,
    tiers,
)
from compliance.activity import AccountId, PostId
from compliance.consents import Purpose
from compliance.identity import claims, holders

from . import documents, vouching
from .db.pool import Connection
from .media import files
from .pipeline import Road
from .store import accounts, actor_keys, follows, media, posts, timelines
from .store.model import AccountView, Keyed, Page, PostView

STEP = 80
T = TypeVar("T", AccountId, PostId)
N = TypeVar("N", tiers.Move, credit.Event)
Lister = Callable[[Connection, Page], Awaitable[list[Keyed[T]]]]


async def write(road: Road, me: AccountView, file: IO[bytes]) -> None:
    """Writes the archive into `file`. Takes a while for somebody who wrote much; never blocks the loop for
    long."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        await _put(archive, "actor.json", await _actor(road, me))
        await _outbox(road, me, archive)
        await _liked(road, me, archive)
        await _people(road, me, archive)
        await _compliance(road, me, archive)
        await _pictures(road, me, archive)


async def _put(archive: ZipFile, name: str, content: bytes) -> None:
    await asyncio.to_thread(archive.writestr, name, content)


async def _actor(road: Road, me: AccountView) -> bytes:
    async with road.pool.acquire() as conn:
        key = await actor_keys.get_public(conn, me.id)
        said = await vouching.actor(conn, me, key, sealer=road.sealer, uris=road.uris, now=road.clock())
    return json.encode(said)


async def _outbox(road: Road, me: AccountView, archive: ZipFile) -> None:
    head = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": "outbox.json",
        "type": "OrderedCollection",
    }
    with archive.open("outbox.json", "w") as entry:
        entry.write(json.encode(head)[:-1] + b',"orderedItems":[')
        first = True
        async for views in _own_posts(road, me):
            acts = b",".join(json.encode(documents.act(view, road.uris)) for view in views)
            await asyncio.to_thread(entry.write, acts if first else b"," + acts)
            first = False
        entry.write(b"]}")


async def _own_posts(road: Road, me: AccountView) -> AsyncIterator[list[PostView]]:
    page = Page(limit=STEP)
    while True:
        async with road.pool.acquire() as conn:
            ids = await timelines.account(conn, me.id, me.id, page)
            views = await posts.load(conn, ids, me.id, uris=road.uris)
        if views:
            yield views
        if not ids:
            return
        page = Page(limit=STEP, max_id=ids[-1])


async def _liked(road: Road, me: AccountView, archive: ZipFile) -> None:
    lists: dict[str, Lister[PostId]] = {
        "likes.json": lambda conn, page: timelines.likes(conn, me.id, page),
        "bookmarks.json": lambda conn, page: timelines.bookmarks(conn, me.id, page),
    }
    for name, lister in lists.items():
        found: list[str] = []
        async for ids in _everything(road, lister):
            async with road.pool.acquire() as conn:
                found += [view.uri for view in await posts.load(conn, ids, me.id, uris=road.uris)]
        whole = {"id": name, "type": "OrderedCollection", "orderedItems": found}
        await _put(archive, name, json.encode(whole))


async def _people(road: Road, me: AccountView, archive: ZipFile) -> None:
    lists: dict[str, tuple[tuple[str, ...], Lister[AccountId]]] = {
        "following_accounts.csv": (
            ("Account address", "Show boosts", "Notify on new posts", "Languages"),
            lambda conn, page: follows.following(conn, me.id, me.id, page),
        ),
        "followers.csv": (
            ("Account address",),
            lambda conn, page: follows.followers(conn, me.id, me.id, page),
        ),
        "muted_accounts.csv": (
            ("Account address", "Hide notifications"),
            lambda conn, page: follows.list_muted(conn, me.id, page),
        ),
        "blocked_accounts.csv": (
            ("Account address",),
            lambda conn, page: follows.list_blocked(conn, me.id, page),
        ),
    }
    for name, (columns, lister) in lists.items():
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(columns)
        async for ids in _everything(road, lister):
            async with road.pool.acquire() as conn:
                views = await accounts.load_in_order(conn, ids, uris=road.uris)
                relations = {r.id: r for r in await follows.relationships(conn, me.id, ids)}
            for view in views:
                relation = relations[view.id]
                choices = {
                    "Show boosts": relation.boosts,
                    "Notify on new posts": relation.notify,
                    "Hide notifications": relation.muting_notifications,
                    "Languages": "",
                }
                address = f"{view.username}@{view.host or road.uris.host}"
                rows.writerow([address, *(str(choices[column]).lower() for column in columns[1:])])
        await _put(archive, name, text.getvalue().encode())


async def _certification(road: Road, me: AccountView, archive: ZipFile) -> None:
    """What was applied for, as it may be shown, and what was certified."""
    async with road.pool.acquire() as conn:
        made = await applications.list_for(conn, me.id)
        held = await certification.list_of(conn, me.id)
        front = await frontnames.shown(conn, me.id, sealer=road.sealer)
    said = {
        "applications": [
            {
                "id": str(one.id),
                "class": one.class_,
                "kind": one.kind,
                "state": one.state,
                "claims": dict(one.claims),
                "pictures": {slot: len(ids) for slot, ids in one.slots.items() if ":" not in slot},
                "sent_at": one.submitted_at,
                "decided_at": one.decided_at,
                "ground": one.ground,
                "statement": one.statement,
            }
            for one in made
        ],
        "certifications": [
            {
                "class": one.class_,
                "label": one.label,
                "registered_name": one.registered_name,
                "state": one.state,
                "certified_at": one.certified_at,
                "expires_at": one.expires_at,
            }
            for one in held
        ],
        "front_name": front,
    }
    await _put(archive, "yanlu/certification.json", json.encode(said))


async def _compliance(road: Road, me: AccountView, archive: ZipFile) -> None:
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, me.id)
        held = await holders.list_for(conn, me.id)
        made = await claims.list_for(conn, me.id, limit=STEP)
        consented = await consents.find(conn, me.id, Purpose.IDENTITY)
    state = {
        "state": known.state,
        "method": known.method,
        "subject": known.subject,
        "verified_at": known.verified_at,
        "due_at": known.due_at,
        "lapses_at": known.lapses_at,
        "consented_at": consented,
        "numbers": [{"kind": one.kind, "masked": one.masked, "since": one.put_at} for one in held],
        "claims": [
            {
                "id": str(one.id),
                "method": one.method,
                "shown": dict(one.shown),
                "state": one.state,
                "sent_at": one.created_at,
                "decided_at": one.decided_at,
                "statement": one.statement,
                "decision": None if one.decision_id is None else str(one.decision_id),
            }
            for one in made
        ],
    }
    await _put(archive, "yanlu/identity.json", json.encode(state))
    await _vault(road, me, archive)
    await _certification(road, me, archive)
    await _standing(road, me, archive)
    told: list[dict[str, object]] = []
    last: int | None = None
    while True:
        async with road.pool.acquire() as conn:
            step = await decisions.list_for(conn, me.id, max_id=last, limit=STEP)
        told += [
            {
                "id": str(one.id),
                "verdict": one.verdict,
                "kind": one.kind,
                "object": one.object_uri,
                "reason": one.reason,
                "article": one.article,
                "automated": one.automated,
                "at": one.created_at,
            }
            for one in step
        ]
        if not step:
            break
        last = step[-1].id
    await _put(archive, "yanlu/decisions.json", json.encode(told))
    with archive.open("yanlu/log.jsonl", "w") as entry:
        last = None
        while True:
            async with road.pool.acquire() as conn:
                lines = await records.list_page(conn, actor_id=me.id, max_id=last, limit=STEP)
            if not lines:
                return
            await asyncio.to_thread(entry.write, b"".join(json.encode(_line(one)) + b"\n" for one in lines))
            last = lines[-1].id


async def _standing(road: Road, me: AccountView, archive: ZipFile) -> None:
    """Which tiers the account has been in, and every event of its credit with its reason (Article 9)."""
    async with road.pool.acquire() as conn:
        where = await tiers.standing(conn, me.id)
        moves = await _all_below(lambda last: tiers.moves_of(conn, me.id, max_id=last, limit=STEP))
        events = await _all_below(lambda last: credit.list_for(conn, me.id, max_id=last, limit=STEP))
    told = {
        "tier": where.tier.id,
        "policy": where.policy_version,
        "moves": [
            {
                "from": one.from_tier,
                "to": one.to_tier,
                "policy": one.policy_version,
                "why": one.why,
                "at": one.at,
            }
            for one in moves
        ],
        "credit": [
            {
                "kind": one.kind,
                "points": one.points,
                "before": one.before,
                "after": one.after,
                "reason": one.reason,
                "policy": one.policy_version,
                "at": one.at,
            }
            for one in events
        ],
    }
    await _put(archive, "yanlu/standing.json", json.encode(told))


async def _all_below(page: Callable[[int | None], Awaitable[list[N]]]) -> list[N]:
    """Every page of a list that goes by falling ids."""
    found: list[N] = []
    while step := await page(found[-1].id if found else None):
        found += step
    return found


async def _vault(road: Road, me: AccountView, archive: ZipFile) -> None:
    """Which papers are kept, and who took them out; never what they say: archives lie about."""
    async with road.pool.acquire() as conn:
        kept = await accesses.list_kept(conn, me.id)
        taken: list[accesses.Access] = []
        while step := await accesses.history(
            conn, me.id, road.clock(), before=taken[-1].id if taken else None, limit=STEP
        ):
            taken += step
    told = {
        "kept": [
            {
                "paper": one.field,
                "since": one.since,
                "proof_only": one.is_proof,
                "destroyed_at": one.ends_at,
            }
            for one in kept
        ],
        "accesses": [
            {
                "at": one.at,
                "papers": one.fields,
                "purpose": one.purpose,
                "case": one.case_ref,
                "legal_basis": one.legal_basis,
                "by": "yourself" if one.is_own else "staff",
            }
            for one in taken
        ],
        "kept_months_after_closing": road.settings.vault.retention_months,
    }
    await _put(archive, "yanlu/sealed-papers.json", json.encode(told))


def _line(one: records.Record) -> dict[str, object]:
    source = {"address": one.source.address, "port": one.source.port, "client": one.source.client}
    return {"at": one.at, "kind": one.kind, "object": one.object, "source": source}


async def _pictures(road: Road, me: AccountView, archive: ZipFile) -> None:
    last = 0
    while True:
        async with road.pool.acquire() as conn:
            step = await media.files_of(conn, me.id, after=last, limit=STEP)
        if not step:
            return
        for _, name in step:
            path = files.path(road.settings.data / "media", name)
            await asyncio.to_thread(_store, archive, f"media_attachments/{name}", path)
        last = step[-1][0]


def _store(archive: ZipFile, name: str, path: Path) -> None:
    """Pictures are packed already: packing them again costs time for nothing."""
    if path.exists():
        entry = ZipInfo.from_file(path, name)
        entry.compress_type = ZIP_STORED
        with path.open("rb") as source, archive.open(entry, "w") as target:
            while piece := source.read(1 << 20):
                target.write(piece)


async def _everything(road: Road, lister: Lister[T]) -> AsyncIterator[list[T]]:
    page = Page(limit=STEP)
    while True:
        async with road.pool.acquire() as conn:
            step = await lister(conn, page)
        if not step:
            return
        yield [one.id for one in step]
        page = Page(limit=STEP, max_id=step[-1].key)
