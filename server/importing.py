"""Posts brought along from another server, out of an archive: judged like any, shown at the time they had.

They stand on one's own profile. They go into nobody's timeline, nobody is told of them, and they are not sent
to other servers, which had them when they were new. Private messages are left out: they belong to two.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import asyncpg

from compliance.activity import MediaId, Note, PostId, Uri, Visibility
from compliance.records import Entry, RecordKind, Source, write
from compliance.verdict import Reason
from federation import parse
from federation.errors import RemoteFault
from federation.parse import values
from federation.wire import Value

from . import acts, archive, drafts, telling, uploads
from .archive import Archive, Item
from .db.pool import Connection
from .drafts import Draft
from .errors import AppError, Conflict, Invalid, TooLarge
from .pipeline import Once, Road
from .refusal import NotPublished
from .store import accounts, imports
from .store.imports import Import, ImportState
from .store.model import AccountView
from .telling import Code, Notice

CHANNEL = "imports"
_REST = timedelta(minutes=10)
"""How long an archive rests when its owner has published as much as they may in an hour."""
_IDLE = 30.0
_LONGEST_ID = 2000
"""Bytes of what another server calls a post."""
_PLACE = "https://archive.invalid"
_STANDING = frozenset(
    {
        *(Reason.IDENTITY_REQUIRED, Reason.IDENTITY_LAPSED, Reason.IDENTITY_REVOKED),
        *(Reason.AGREEMENT_REQUIRED, Reason.ACCOUNT_SUSPENDED),
        *(Reason.ROLE_REQUIRED, Reason.ORGANISATION_SUSPENDED),
    }
)
"""What no other post of the archive would fare better with."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Count:
    """What became of a post."""

    published: int = 0
    skipped: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Load:
    """An archive while it is brought here: whose, and what it says of itself."""

    road: Road
    me: AccountView
    archive: Archive
    source: Source


class _Stopped(Exception):
    """The rest cannot be published either; says why."""


class _Resting(Exception):
    """Its owner has published as much as they may for now."""


def folder(road: Road) -> Path:
    """Where archives lie until they are done."""
    return road.settings.data / "imports"


async def start(road: Road, me: AccountView, chunks: AsyncIterator[bytes], *, source: Source) -> None:
    """Takes an archive in; raises `Invalid` for what is none, and `Conflict` while another one is at work."""
    async with road.pool.acquire() as conn:
        await _none_waits(conn, me)
    path = folder(road) / f"{secrets.token_hex(16)}.zip"
    await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    try:
        await _keep(path, chunks)
        await asyncio.to_thread(_check, path)
        async with road.pool.acquire() as conn, conn.transaction():
            # Two uploads at the same moment: the second finds the first.
            await conn.execute("select pg_advisory_xact_lock(hashtextextended('import', $1))", me.id)
            await _none_waits(conn, me)
            now, import_id = road.clock(), road.ids()
            await imports.insert(conn, id=import_id, account_id=me.id, by=source.by, file=path.name, now=now)
            entry = Entry(RecordKind.ACCOUNT_IMPORT, me.id, str(import_id), source=source)
            await write(conn, [entry], now=now, new_id=road.ids)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    road.events.notify(CHANNEL)


async def _none_waits(conn: Connection, me: AccountView) -> None:
    if any(one.state is ImportState.WAITING for one in await imports.list_(conn, me.id, 1)):
        raise Conflict("Another archive is still being worked on", field="archive")


async def work(road: Road) -> float:
    """Works on one archive as far as it goes, and says in how many seconds to come again."""
    async with road.pool.acquire() as conn:
        one = await imports.claim(conn, now=road.clock())
    if one is None:
        return _IDLE
    path = folder(road) / one.file
    try:
        await _bring(road, one, path)
    except _Resting:
        async with road.pool.acquire() as conn:
            await imports.put_off(conn, one.id, road.clock() + _REST)
        return 0.0
    except (AppError, _Stopped) as error:
        await _settle(road, one, ImportState.FAILED, failure=str(error))
    else:
        await _settle(road, one, ImportState.DONE)
    await asyncio.to_thread(path.unlink, missing_ok=True)
    return 0.0


async def sweep(road: Road) -> int:
    """Deletes archives that nobody waits for any more; says how many."""
    async with road.pool.acquire() as conn:
        used = await imports.files_in_use(conn)
    return await asyncio.to_thread(_sweep, folder(road), used)


async def _keep(path: Path, chunks: AsyncIterator[bytes]) -> None:
    file = await asyncio.to_thread(path.open, "xb")
    try:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)
    finally:
        await asyncio.to_thread(file.close)


def _check(path: Path) -> None:
    opened = Archive(path)
    try:
        opened.notes()
    finally:
        opened.close()


def _sweep(root: Path, used: set[str]) -> int:
    left = [path for path in root.glob("*.zip") if path.name not in used] if root.is_dir() else []
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


async def _bring(road: Road, one: Import, path: Path) -> None:
    source = Source(None, None, "import", one.by)
    async with road.pool.acquire() as conn:
        me = await accounts.get(conn, one.account_id, uris=road.uris)
    opened = await asyncio.to_thread(Archive, path)
    load = _Load(road, me, opened, source)
    try:
        notes = await asyncio.to_thread(opened.notes)
        for note in notes[one.looked_at :]:
            count = _Count()
            try:
                await _sound(load, note, count)
            finally:
                # After each post: whoever comes after a crash goes on where this one was.
                async with road.pool.acquire() as conn:
                    goes_on = await imports.advance(
                        conn,
                        one.id,
                        total=len(notes),
                        published=count.published,
                        skipped=count.skipped,
                        refused=count.refused,
                        now=road.clock(),
                    )
            if not goes_on:
                return
    finally:
        opened.close()


async def _sound(load: _Load, note: bytes, count: _Count) -> None:
    """One post; with one that nothing here expected, the others come all the same."""
    try:
        await _one(load, archive.read(note), count)
    except (_Stopped, _Resting, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
        raise
    except Exception:
        log.exception("a post of an archive could not be brought here")
        count.skipped += 1


async def _one(load: _Load, item: Item, count: _Count) -> None:
    """One post of the archive; what cannot be taken is counted, and stops no other."""
    road, me = load.road, load.me
    origin = values.text(item["id"], _LONGEST_ID)
    if not origin or len(origin.encode()) > _LONGEST_ID:
        count.skipped += 1
        return
    answered = values.find_id(item.get("inReplyTo"))
    async with road.pool.acquire() as conn:
        before = await imports.known(conn, me.id, [origin, *([answered] if answered else [])])
    if origin in before:
        count.skipped += 1
        return
    note: Note | None = None
    once = Once(me.id, f"import:{hashlib.sha256(origin.encode()).hexdigest()}")
    try:
        note = await _note(load, item, before)
        if note is None:
            count.skipped += 1
            return
        # Brought before a crash, it has the id that it got then.
        uri = road.uris.post(me.username, await acts.say(road, me, note, source=load.source, once=once))
        count.published += 1
    except NotPublished as stopped:
        reason = stopped.stopped.reason
        if reason is Reason.ACCOUNT_LIMITED:
            raise _Resting from None
        if reason in _STANDING:
            raise _Stopped(stopped.title) from None
        count.refused += 1
        if note is None or not stopped.stopped.is_held:
            return
        uri = note.uri
    except AppError:
        count.skipped += 1
        return
    async with road.pool.acquire() as conn:
        await imports.remember(conn, me.id, origin, uri)


async def _note(load: _Load, item: Item, before: Mapping[str, Uri]) -> Note | None:
    """The post as one of ours, at the time it had; `None` for what is not brought along."""
    road, me = load.road, load.me
    followers = road.uris.followers(me.username)
    theirs = f"{values.find_id(item.get('attributedTo'))}/followers"
    addressed = {
        name: [followers if each == theirs else each for each in values.addressees(item.get(name))]
        for name in ("to", "cc")
    }
    dropped = ("updated", "url", "actor", "bto", "bcc")
    own = {name: value for name, value in item.items() if name not in dropped}
    try:
        told = parse.note(
            {
                **own,
                **addressed,
                "id": f"{me.uri}/archive",
                "attributedTo": me.uri,
                "attachment": _attachments(item),
            },
            now=road.clock(),
            speaker=me.uri,
            followers=Uri(followers),
        )
    except RemoteFault:
        return None
    if told.visibility is Visibility.DIRECT:
        return None
    post_id = PostId(road.ids.at(told.published))
    draft = Draft(
        text=told.text,
        spoiler=told.spoiler,
        sensitive=told.sensitive,
        visibility=told.visibility,
        language=told.language,
        media_ids=await _pictures(load, told),
    )
    drafts.check(road, draft)
    note = await drafts.note(
        road,
        me,
        draft,
        uri=road.uris.post(me.username, post_id),
        url=road.uris.post_page(me.username, post_id),
        resolve=None,
    )
    return replace(
        note,
        html=told.html,
        text=told.text,
        tags=told.tags or note.tags,
        mentions=(),
        in_reply_to=before.get(told.in_reply_to, told.in_reply_to) if told.in_reply_to else None,
        published=told.published,
        is_old=True,
    )


def _attachments(item: Item) -> list[Value]:
    """The pictures of a post; those named by their place in the archive get an address to be read by."""
    found: list[Value] = []
    for one in values.objects(item.get("attachment")):
        url = one.get("url")
        relative = isinstance(url, str) and "://" not in url
        found.append({**one, "url": f"{_PLACE}/{str(url).lstrip('/')}"} if relative else one)
    return found


async def _pictures(load: _Load, told: Note) -> tuple[MediaId, ...]:
    """The pictures that lie in the archive; the others are left out, and the post comes without them."""
    found: list[MediaId] = []
    settings = load.road.settings
    for picture in told.attachments[: settings.posts.max_media]:
        data = await asyncio.to_thread(load.archive.picture, picture.url, settings.media.max_image_bytes)
        if data is None:
            continue
        words = picture.alt[: drafts.ALT_LENGTH]
        # One that is broken is left out like one that is missing.
        with contextlib.suppress(Invalid, TooLarge):
            found.append(
                await uploads.bring(load.road, load.me, _Bytes(data), source=load.source, description=words)
            )
    return tuple(found)


class _Bytes:
    """A picture as an upload is handed on."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._data


async def _settle(road: Road, one: Import, state: ImportState, *, failure: str | None = None) -> None:
    now, to = road.clock(), one.by or one.account_id
    code = Code.IMPORT_DONE if state is ImportState.DONE else Code.IMPORT_FAILED
    async with road.pool.acquire() as conn, conn.transaction():
        if not await imports.settle(conn, one.id, state, failure=failure, now=now):
            return
        await telling.tell(
            conn, [Notice(to=to, code=code, link="/settings/import")], now=now, new_id=road.ids
        )
    road.events.notify("notices", str(to))
