"""What is filed with authorities: drafted from what stands in the database, signed by the server, and told to
staff when it is due.

Nothing here sends anything. The file is for a person to hand over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from compliance import filings, owed, places
from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.filings import COUNTS, OPEN, Filing, State
from compliance.owed import Delta, Entry, Key, Kind
from compliance.places import NOWHERE, Authority
from compliance.records import Source
from federation.wire import Document

from . import signing, telling
from .db.pool import Connection
from .errors import Conflict
from .pipeline import Road
from .store import members
from .store.model import Role
from .telling import Code, Notice

FORMAT: Final = 1
STAFF: Final = (Role.COMPLIANCE, Role.EDITOR)
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is filed by itself: what has changed since it was last taken, and until when that is to
    be filed. `open` is what is on its way."""

    key: Key
    count: int
    delta: Delta
    due_at: datetime | None
    last: Filing | None
    open: Filing | None

    @property
    def is_owed(self) -> bool:
        """Whether somebody has to do something."""
        return not self.delta.is_empty or self.open is not None

    def is_late(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Drafted:
    """What asking for a draft came to: with `is_new` unset, nothing has changed since the filing there is."""

    filing: Filing
    delta: Delta
    is_new: bool


async def list_owed(conn: Connection, road: Road) -> list[Owed]:
    """Everything that this server files, and how it stands."""
    now = road.clock()
    return [
        await _owed(conn, road, key, now)
        for key in await owed.keys(conn, road.settings.filings.province, now)
    ]


async def draft(
    conn: Connection, road: Road, key: Key, *, by: AccountId | None, source: Source
) -> Drafted | None:
    """Drafts a filing, or finds the one that says the same already; `None` where there is nothing to file and
    never was."""
    now = road.clock()
    found = await owed.entries(conn, key, now)
    standing = await filings.latest(conn, key, OPEN)
    last = await filings.latest(conn, key, COUNTS)
    newest = standing or last
    if newest is not None:
        since = owed.compare(newest.entries, found)
        if since.is_empty:
            return Drafted(newest, since, False)
    elif not found:
        return None
    if standing is not None and standing.state is not State.DRAFTED:
        raise Conflict("A filing of this is on its way: write down what came of it first")
    delta = owed.compare(last.entries if last else (), found)
    due = await _due(conn, road, key, delta, last)
    filing_id = road.ids()
    document = await _document(conn, road, key, found, delta, last, filing_id, now)
    await filings.insert(
        conn,
        filing_id,
        key,
        body=_encode(document).decode(),
        entries=found,
        delta=delta,
        previous_id=last.id if last else None,
        due_at=due,
        by=by,
        source=source,
        now=now,
        new_id=road.ids,
    )
    return Drafted(await filings.get(conn, filing_id), delta, True)


async def draft_certified(
    conn: Connection,
    road: Road,
    province: str,
    class_: CertClass | None,
    *,
    by: AccountId | None,
    source: Source,
) -> list[Drafted]:
    """Drafts what there is of a place: of one class, or of each."""
    now = road.clock()
    if class_ is not None:
        wanted = [Key(Kind.CERTIFIED, province, class_)]
    else:
        every = await owed.keys(conn, road.settings.filings.province, now)
        wanted = [key for key in every if key.kind is Kind.CERTIFIED and key.province == province]
    made = [await draft(conn, road, key, by=by, source=source) for key in wanted]
    return [one for one in made if one is not None]


async def authority_of(conn: Connection, road: Road, province: str) -> Authority | None:
    """Whom something of a place is filed with: people without one go to the operator's own."""
    code = road.settings.filings.province if province == NOWHERE else province
    return await places.find(conn, code)


async def remind(conn: Connection, road: Road) -> set[AccountId]:
    """Tells staff what is due soon or late, once each; returns whom."""
    now = road.clock()
    ahead = timedelta(days=road.settings.filings.notice_days)
    notices: list[Notice] = []
    for one in await list_owed(conn, road):
        if one.due_at is None or one.due_at > now + ahead:
            continue
        step = "over" if one.is_late(now) else "ahead"
        if not await filings.first_telling(conn, one.key, one.due_at, step, now):
            continue
        code = Code.FILING_LATE if step == "over" else Code.FILING_DUE
        place = places.PLACES.get(one.key.province, "")
        values = {"what": f"{place} ({one.key})".strip(), "date": f"{one.due_at:%Y-%m-%d}"}
        staff = sorted({id_ for role in STAFF for id_ in await members.list_with_role(conn, role)})
        notices += [Notice(to=to, code=code, values=values, link="/admin/filings") for to in staff]
    await telling.tell(conn, notices, now=now, new_id=road.ids)
    return {notice.to for notice in notices}


async def _owed(conn: Connection, road: Road, key: Key, now: datetime) -> Owed:
    found = await owed.entries(conn, key, now)
    last = await filings.latest(conn, key, COUNTS)
    standing = await filings.latest(conn, key, OPEN)
    delta = owed.compare(last.entries if last else (), found)
    due = await _due(conn, road, key, delta, last)
    if standing is not None and standing.state is State.DRAFTED and due is None:
        due = standing.due_at
    return Owed(key, len(found), delta, due, last, standing)


async def _due(conn: Connection, road: Road, key: Key, delta: Delta, last: Filing | None) -> datetime | None:
    moment = await owed.changed_since(conn, key, delta)
    if moment is None:
        return None
    if last is not None:
        # What changed before the last filing, and only shows now, is owed from then on.
        moment = max(moment, last.drafted_at)
    return moment + timedelta(days=road.settings.filings.due_days)


async def _document(  # noqa: PLR0917 - everything that stands in the document
    conn: Connection,
    road: Road,
    key: Key,
    found: list[Entry],
    delta: Delta,
    last: Filing | None,
    filing_id: int,
    now: datetime,
) -> Document:
    authority = await authority_of(conn, road, key.province)
    site = road.settings.site
    document: Document = {
        "type": "YanluFiling",
        "format": FORMAT,
        "id": str(filing_id),
        "kind": key.kind.value,
        "regulation": {"name": "微博客信息服务管理规定", "article": key.kind.article},
        "server": {"origin": road.settings.origin, "title": site.title, "contact": site.contact},
        "authority": None if authority is None else {"province": authority.province, "name": authority.name},
        "province": key.province,
        "place": places.PLACES.get(key.province, ""),
        "class": key.class_.value if key.class_ else None,
        "drafted": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "previous": None if last is None else str(last.id),
        "count": len(found),
        "entries": [dict(entry) for entry in found],
        "delta": {
            "added": [entry["id"] for entry in delta.added],
            "removed": [dict(entry) for entry in delta.removed],
            "changed": [entry["id"] for entry in delta.changed],
        },
    }
    return await signing.sign_document(conn, document, sealer=road.sealer, now=now)
