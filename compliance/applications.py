"""Applications for a certified account (Articles 8 and 10): from the first draft to a decision.

    draft ──submit──> submitted ──ask──> more ──submit──> submitted
                         │  │
                         │  └──approve, checked by one──> second ──approve, by another──> approved
                         └──approve (two eyes)───────────────────────────────────────────> approved
    submitted, second ──decline──> declined ──overturned on appeal──> submitted (by somebody else)
    second ──ask──> more                     draft, submitted, more, second ──withdraw──> withdrawn

An approved application is the ground of a certification (`certification`); a renewal is a new application.
What identifies somebody is sealed by the server's key while it is a draft, and is in the vault from the time
it is sent in: from then on only whoever decides reads it, and each reading is a record. Here is the draft;
`submitting` sends it in, and `approvals` is the side of those who decide.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import msgspec

from . import claims, paperwork, vault
from .activity import AccountId
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed, NotFound
from .paperwork import FieldName, Kind
from .records import RecordKind, Source
from .sealing import Sealer
from .steps import note, record
from .vault import Field, PaperId

MOST_PAPERS = 12


class State(enum.StrEnum):
    """How an application stands; the values are what the database stores."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    MORE = "more"
    SECOND = "second"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


OPEN = (State.DRAFT, State.SUBMITTED, State.MORE, State.SECOND)
WAITING = (State.SUBMITTED, State.SECOND)
WRITABLE = (State.DRAFT, State.MORE)

VAULT_FIELDS: Mapping[FieldName, Field] = {
    FieldName.NAME: Field.NAME,
    FieldName.USCC: Field.USCC,
    FieldName.ORG_CODE: Field.ORG_CODE,
    FieldName.ORGANISATION_NAME: Field.ORGANISATION_NAME,
    FieldName.LEGAL_REPRESENTATIVE: Field.LEGAL_REPRESENTATIVE,
}
"""Where in the vault each sealed claim goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application as it stands. `claims` holds nothing that identifies somebody, or only masked."""

    id: int
    account_id: AccountId
    by_id: AccountId
    class_: CertClass
    kind: str
    paperwork: int
    renews_id: int | None
    state: State
    claims: Mapping[str, str]
    sealed: bytes | None = field(repr=False)
    papers: tuple[PaperId, ...]
    slots: Mapping[str, tuple[int, ...]]
    uscc_index: bytes | None = field(repr=False)
    name_index: bytes | None = field(repr=False)
    organisation_index: bytes | None = field(repr=False)
    question: str | None
    first_by: AccountId | None
    first_at: datetime | None
    first_note: str | None
    taken_by: AccountId | None
    taken_until: datetime | None
    barred: tuple[AccountId, ...]
    decided_by: AccountId | None
    decided_at: datetime | None
    decision_id: int | None
    ground: str | None
    statement: str | None
    agreement: Mapping[str, str]
    created_at: datetime
    submitted_at: datetime | None
    updated_at: datetime

    @property
    def about(self) -> str:
        """What a decision about it names."""
        return f"application:{self.id}"

    def find_paper(self, number: int | None) -> PaperId | None:
        """The paper of this number, where it belongs to this application."""
        return PaperId(number) if number in self.papers and number is not None else None

    def sealed_fields(self, *names: FieldName) -> dict[PaperId, FieldName]:
        """Which paper in the vault holds which claim; of `names` only, where any are given."""
        return {
            PaperId(id_): name for name in names or FieldName for id_ in self.slots.get(f"field:{name}", ())
        }

    def is_taken(self, now: datetime) -> bool:
        """Whether somebody works on it at this moment."""
        return self.taken_by is not None and self.taken_until is not None and self.taken_until > now


_COLUMNS = """id, account_id, by_id, class, kind, paperwork, renews_id, state, claims::text as claims, sealed,
  papers, slots::text as slots, uscc_index, name_index, organisation_index, question, first_by, first_at,
  first_note, taken_by, taken_until, barred, decided_by, decided_at, decision_id, ground, statement,
  agreement::text as agreement, created_at, submitted_at, updated_at"""
_SELECT = f"select {_COLUMNS} from compliance.application"  # noqa: S608 - fixed names

encode = msgspec.json.Encoder().encode
words = msgspec.json.Decoder(dict[str, str]).decode
"""Words by name, as the rows keep them."""
_slots = msgspec.json.Decoder(dict[str, tuple[int, ...]]).decode


async def get(conn: Connection, application_id: int, *, lock: bool = False) -> Application:
    """The application, or `NotFound`; with `lock`, nobody else changes it in this transaction."""
    row = await conn.fetchrow(f"{_SELECT} where id = $1{' for update' if lock else ''}", application_id)
    if row is None:
        raise NotFound("no such application")
    return _application(row)


async def find_open(conn: Connection, account_id: AccountId, *, lock: bool = False) -> Application | None:
    """The application of an account that is not decided; with `lock`, nobody else changes it meanwhile."""
    row = await conn.fetchrow(
        f"{_SELECT} where account_id = $1 and state = any($2){' for update' if lock else ''}",
        account_id,
        [state.value for state in OPEN],
    )
    return None if row is None else _application(row)


async def find_latest(conn: Connection, account_id: AccountId) -> Application | None:
    """The newest application of an account, however it stands."""
    row = await conn.fetchrow(f"{_SELECT} where account_id = $1 order by id desc limit 1", account_id)
    return None if row is None else _application(row)


async def list_for(conn: Connection, account_id: AccountId) -> list[Application]:
    """All applications of an account, newest first."""
    rows = await conn.fetch(f"{_SELECT} where account_id = $1 order by id desc", account_id)
    return [_application(row) for row in rows]


async def begin(
    conn: Connection,
    account_id: AccountId,
    class_: CertClass,
    kind: str,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Application:
    """A new draft by the papers that are in force now. One that renews a certification knows which."""
    version = await paperwork.current(conn)
    version.paperwork.get(class_, kind)
    renews = await conn.fetchval(
        "select id from compliance.certification where account_id = $1 and state = 'active'", account_id
    )
    application_id = new_id()
    made = await conn.fetchval(
        """
        insert into compliance.application
          (id, account_id, by_id, class, kind, paperwork, renews_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        on conflict (account_id) where state in ('draft', 'submitted', 'more', 'second') do nothing
        returning id
        """,
        application_id,
        account_id,
        by,
        class_.value,
        kind,
        version.version,
        renews,
        now,
    )
    if made is None:
        raise NotAllowed("there is an application already")
    await note(conn, application_id, State.DRAFT, by, "", now=now, new_id=new_id)
    await record(
        conn, RecordKind.CERTIFICATION_BEGIN, application_id, by, source=source, now=now, new_id=new_id
    )
    return await get(conn, application_id)


async def kind_of(conn: Connection, application: Application) -> Kind:
    """What this application is asked for: by the version that it began with."""
    version = await paperwork.get(conn, application.paperwork)
    return version.paperwork.get(application.class_, application.kind)


async def kinds_of(conn: Connection, found: Sequence[Application]) -> dict[int, Kind]:
    """What each of these is asked for, by its id; a version is read once however many began with it."""
    versions = {number: await paperwork.get(conn, number) for number in {one.paperwork for one in found}}
    return {one.id: versions[one.paperwork].paperwork.get(one.class_, one.kind) for one in found}


def typed(application: Application, sealer: Sealer) -> dict[FieldName, str]:
    """What was typed so far. Of what was sent in already, the sealed part is not among it: only masks of it
    are left, which nobody typed and nobody may send in again."""
    found = {
        FieldName(name): value
        for name, value in application.claims.items()
        if name in set(FieldName) and not claims.is_sealed(FieldName(name))
    }
    if application.sealed is not None:
        plain = sealer.open(application.sealed, context=_context(application.id))
        found |= {FieldName(name): value for name, value in words(plain).items()}
    return found


async def save(
    conn: Connection,
    application: Application,
    values: Mapping[FieldName, str],
    *,
    sealer: Sealer,
    now: datetime,
) -> Application:
    """Keeps what was typed, however wrong it still is."""
    must_be(application, *WRITABLE)
    kind = await kind_of(conn, application)
    tidy = {name: claims.tidy(name, value) for name, value in values.items() if kind.asks(name)}
    open_ = {name.value: value for name, value in tidy.items() if not claims.is_sealed(name)}
    sealed = {name.value: value for name, value in tidy.items() if claims.is_sealed(name) and value}
    kept = {name: value for name, value in application.claims.items() if name not in open_}
    if application.submitted_at is None:
        kept = {name: value for name, value in kept.items() if not claims.is_sealed(FieldName(name))}
    await conn.execute(
        """
        update compliance.application set claims = $2::jsonb, sealed = $3, updated_at = $4 where id = $1
        """,
        application.id,
        encode({**kept, **{name: value for name, value in open_.items() if value}}).decode(),
        sealer.seal(encode(sealed), context=_context(application.id)) if sealed else None,
        now,
    )
    return await get(conn, application.id)


async def add_paper(
    conn: Connection,
    application: Application,
    slot: str,
    data: bytes,
    *,
    mime: str,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
) -> PaperId:
    """Seals a picture, and puts it to what it is to prove."""
    must_be(application, *WRITABLE)
    kind = await kind_of(conn, application)
    if slot not in {paper.name for paper in kind.papers}:
        raise NotFound("no such paper is asked for")
    given = sum(len(ids) for name, ids in application.slots.items() if not name.startswith("field:"))
    if given >= MOST_PAPERS:
        raise NotAllowed(f"an application has at most {MOST_PAPERS} pictures")
    paper_id = await vault.put_scan(
        conn, application.account_id, data, mime=mime, name=slot, sealer=sealer, now=now, new_id=new_id
    )
    slots = {**application.slots, slot: (*application.slots.get(slot, ()), paper_id)}
    await set_papers(conn, application, slots, now=now)
    return paper_id


async def drop_paper(conn: Connection, application: Application, paper_id: int, *, now: datetime) -> None:
    """Takes a picture back, and destroys it."""
    must_be(application, *WRITABLE)
    slots = {name: tuple(id_ for id_ in ids if id_ != paper_id) for name, ids in application.slots.items()}
    if slots == dict(application.slots):
        raise NotFound("no such paper")
    await set_papers(conn, application, slots, now=now)
    await vault.shred_papers(conn, [PaperId(paper_id)])


async def withdraw(
    conn: Connection,
    application_id: int,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Takes an application back; what was given for it is destroyed."""
    application = await get(conn, application_id, lock=True)
    must_be(application, *OPEN)
    await conn.execute(
        """
        update compliance.application
        set state = 'withdrawn', sealed = null, decided_at = $2, updated_at = $2, shredded_at = $2
        where id = $1
        """,
        application.id,
        now,
    )
    await vault.shred_papers(conn, application.papers)
    await note(conn, application.id, State.WITHDRAWN, by, "", now=now, new_id=new_id)
    await record(
        conn, RecordKind.CERTIFICATION_WITHDRAW, application.id, by, source=source, now=now, new_id=new_id
    )


async def set_papers(
    conn: Connection, application: Application, slots: Mapping[str, Sequence[int]], *, now: datetime
) -> None:
    """Says which papers prove what."""
    filled = {name: list(ids) for name, ids in slots.items() if ids}
    await conn.execute(
        "update compliance.application set slots = $2::jsonb, papers = $3, updated_at = $4 where id = $1",
        application.id,
        encode(filled).decode(),
        [id_ for ids in filled.values() for id_ in ids],
        now,
    )


def must_be(application: Application, *states: State) -> None:
    """Raises `NotAllowed` where the application stands otherwise."""
    if application.state not in states:
        raise NotAllowed("this application is not open for that")


def _context(application_id: int) -> str:
    return f"application:{application_id}"


def _application(row: asyncpg.Record) -> Application:
    values = dict(row)
    values |= {
        "class_": CertClass(values.pop("class")),
        "state": State(row["state"]),
        "claims": words(row["claims"]),
        "slots": _slots(row["slots"]),
        "agreement": words(row["agreement"]),
        "papers": tuple(row["papers"]),
        "barred": tuple(row["barred"]),
    }
    return Application(**values)
