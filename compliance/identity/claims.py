"""Claims: what somebody says of themselves, until it is decided whether it is true.

                                 asked for more
              sent              ┌──────────────> more
    nothing ────────> waiting ──┤ <────────────── │ answered
       │                │ │     └── withdrawn <───┘
       │  the one asked │ └─ declined, with reasons (may be appealed against)
       └─ agrees ───> approved <─ a person agrees

A claim holds one number, in the vault like everything else that was typed, and pictures of papers. Whether
the number has verified other accounts is told to reviewers only: to whoever sent it, a number that is in use
looks like one that nobody knows.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import msgspec

from .. import vault
from ..activity import AccountId
from ..connection import Connection
from ..errors import NotAllowed, NotFound
from ..numbers import masked_name
from ..records import RecordKind, Source
from ..sealing import Sealer
from ..vault import Field, PaperId
from ..verdict import DecisionId
from ..ways import CheckOutcome
from . import holders, states
from .holders import Index, Number
from .notes import note
from .states import Event, Method, SubjectType

MAX_NAME = 120
_encode = msgspec.json.Encoder().encode


class ClaimState(enum.StrEnum):
    """The values are what the database stores."""

    WAITING = "waiting"
    MORE = "more"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a verified identity holds, and how many accounts one may have: the operator's choice."""

    months: int = states.REVERIFY_MONTHS
    grace_days: int = states.GRACE_DAYS
    accounts: int = states.ACCOUNTS_PER_IDENTITY
    forget: bool = False
    """Whether to keep nothing of a number that was verified but the proof of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was typed, checked for its form. Nothing of it shows in a `repr`."""

    method: Method
    subject: SubjectType
    number: Number
    names: Mapping[Field, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A picture of a paper, encoded anew."""

    data: bytes = field(repr=False)
    mime: str
    name: str


class _Counted(msgspec.Struct, frozen=True):
    """What is counted of a claim's number, as the row keeps it."""

    kind: str
    index: bytes


_decode_counted = msgspec.json.Decoder(tuple[_Counted, ...]).decode
_decode_shown = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim as it stands: masked, with what became of it."""

    id: int
    account_id: AccountId
    method: Method
    subject: SubjectType
    state: ClaimState
    counted: tuple[Index, ...] = field(repr=False)
    shown: Mapping[str, str]
    papers: tuple[PaperId, ...]
    agrees: bool | None
    reference: str | None
    question: str | None
    advice: str | None
    advised_by: AccountId | None
    advised_note: str | None
    decided_by: AccountId | None
    decided_at: datetime | None
    statement: str | None
    decision_id: DecisionId | None
    barred: tuple[AccountId, ...]
    """Who refused it before an appeal was right: somebody else looks at it then."""
    created_at: datetime
    updated_at: datetime

    @property
    def case(self) -> str:
        """By what name the vault knows it."""
        return f"claim:{self.id}"

    @property
    def is_open(self) -> bool:
        return self.state in (ClaimState.WAITING, ClaimState.MORE)


async def submit(
    conn: Connection,
    account_id: AccountId,
    said: Said,
    scans: Sequence[Scan],
    outcome: CheckOutcome,
    *,
    terms: Terms,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Claim | None:
    """Takes a claim. Approved at once where the one asked agrees; else it waits for a person, who needs
    papers to look at: `None`, and nothing is kept, where there are none.

    A number that has verified as many accounts as it may goes the way of one that nobody knows.
    """
    await states.move(conn, account_id, Event.START, now=now)
    if await find_open(conn, account_id) is not None:
        raise NotAllowed("a claim of this account is looked at already")
    indexes = said.number.indexes(sealer)
    used = await holders.count(conn, indexes, besides=account_id)
    agreed = outcome.agrees is True and used < terms.accounts
    if not agreed and not scans:
        return None
    claim_id, papers, number_paper = new_id(), [], None
    forget = agreed and terms.forget
    for what, value in ((said.number.field, said.number.value), *said.names.items()):
        if forget and what is not said.number.field:
            continue
        paper_id = await vault.put(
            conn, account_id, what, value, sealer=sealer, now=now, new_id=new_id, forget=forget
        )
        number_paper = number_paper or paper_id
        papers.append(paper_id)
    papers += [
        await _put_scan(conn, account_id, scan, sealer=sealer, now=now, new_id=new_id)
        for scan in (() if agreed else scans)
    ]
    await conn.execute(
        """
        insert into compliance.identity_claim
          (id, account_id, method, subject, state, numbers, shown, papers, agrees, reference, decided_at,
           created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9, $10, $11, $12, $12)
        """,
        claim_id,
        account_id,
        said.method.value,
        said.subject.value,
        (ClaimState.APPROVED if agreed else ClaimState.WAITING).value,
        _encode([_Counted(one.kind.value, one.index) for one in indexes]).decode(),
        _encode(_shown(said)).decode(),
        papers,
        outcome.agrees,
        outcome.reference,
        now if agreed else None,
        now,
    )
    claim = await get(conn, claim_id)
    detail: dict[str, str | int | bool | None] = {
        "method": said.method.value,
        "claim": str(claim_id),
        "agrees": outcome.agrees,
    }
    await note(
        conn,
        RecordKind.IDENTITY_CLAIM,
        account_id,
        account_id,
        detail,
        source=source,
        now=now,
        new_id=new_id,
    )
    if agreed:
        await verify_by(conn, claim, terms=terms, by=account_id, now=now, source=source, new_id=new_id)
    return claim


async def verify_by(
    conn: Connection,
    claim: Claim,
    *,
    terms: Terms,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """The account is verified by what it claimed."""
    number_paper = claim.papers[0]
    masked = next(iter(claim.shown.values()), "****")
    await holders.keep(conn, claim.account_id, claim.counted, masked=masked, paper_id=number_paper, now=now)
    await states.set_verified(
        conn,
        claim.account_id,
        claim.method,
        subject=claim.subject,
        paper_id=number_paper,
        months=terms.months,
        grace_days=terms.grace_days,
        now=now,
        new_id=new_id,
    )
    await note(
        conn,
        RecordKind.IDENTITY_VERIFY,
        by,
        claim.account_id,
        {"method": claim.method.value, "claim": str(claim.id)},
        source=source,
        now=now,
        new_id=new_id,
    )


async def answer(
    conn: Connection,
    claim_id: int,
    account_id: AccountId,
    scans: Sequence[Scan],
    *,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Adds the papers that were asked for; the claim waits again."""
    claim = await own(conn, claim_id, account_id)
    if claim.state is not ClaimState.MORE:
        raise NotAllowed("nothing more is asked for")
    if not scans:
        raise NotAllowed("an answer needs a picture")
    papers = [
        await _put_scan(conn, account_id, scan, sealer=sealer, now=now, new_id=new_id) for scan in scans
    ]
    await conn.execute(
        """
        update compliance.identity_claim
        set state = 'waiting', papers = papers || $2::bigint[], updated_at = $3, advice = null,
            advised_by = null, advised_note = null
        where id = $1
        """,
        claim_id,
        papers,
        now,
    )
    await note(
        conn,
        RecordKind.IDENTITY_CLAIM,
        account_id,
        account_id,
        {"method": claim.method.value, "claim": str(claim_id), "more": len(papers)},
        source=source,
        now=now,
        new_id=new_id,
    )


async def withdraw_claim(
    conn: Connection,
    claim_id: int,
    account_id: AccountId,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Takes a claim back; its papers are to be destroyed at once."""
    claim = await own(conn, claim_id, account_id)
    if not claim.is_open:
        raise NotAllowed("this claim has been decided")
    await conn.execute(
        """
        update compliance.identity_claim set state = 'withdrawn', decided_at = $2, updated_at = $2
        where id = $1
        """,
        claim_id,
        now,
    )
    await end_papers(conn, claim, words=True, ends_at=now)
    await note(
        conn,
        RecordKind.IDENTITY_CLAIM,
        account_id,
        account_id,
        {"claim": str(claim_id), "withdrawn": True},
        source=source,
        now=now,
        new_id=new_id,
    )


async def end_papers(conn: Connection, claim: Claim, *, words: bool, ends_at: datetime) -> None:
    """When the pictures of a claim, and with `words` what was typed, are to be destroyed; what an identity
    rests on stays."""
    await conn.execute(
        """
        insert into compliance.paper_end (paper_id, account_id, claim_id, why, ends_at)
        select p.id, $2, $3, 'decided', $4 from vault.paper p
        where p.id = any($1) and ($5 or p.field = 'scan')
          and not exists (select from compliance.identity_number n where n.paper_id = p.id)
        on conflict (paper_id) do update set ends_at = excluded.ends_at
        """,
        list(claim.papers),
        claim.account_id,
        claim.id,
        ends_at,
        words,
    )


_SELECT = """
  select id, account_id, method, subject, state, numbers::text as counted, shown::text as shown, papers,
         agrees, reference, question, advice, advised_by, advised_note, decided_by, decided_at, statement,
         decision_id, barred, created_at, updated_at
  from compliance.identity_claim
"""


async def get(conn: Connection, claim_id: int) -> Claim:
    """The claim, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where id = $1", claim_id)
    if row is None:
        raise NotFound("no such claim")
    return _claim(row)


async def own(conn: Connection, claim_id: int, account_id: AccountId) -> Claim:
    """One's own claim, nobody else changing it meanwhile; `NotFound` for anybody else's."""
    await conn.execute("select from compliance.identity_claim where id = $1 for update", claim_id)
    claim = await get(conn, claim_id)
    if claim.account_id != account_id:
        raise NotFound("no such claim")
    return claim


async def find_open(conn: Connection, account_id: AccountId) -> Claim | None:
    """The claim of an account that is not decided yet."""
    row = await conn.fetchrow(f"{_SELECT} where account_id = $1 and state in ('waiting', 'more')", account_id)
    return None if row is None else _claim(row)


async def list_for(conn: Connection, account_id: AccountId, *, limit: int = 40) -> list[Claim]:
    """An account's claims, the newest first."""
    rows = await conn.fetch(f"{_SELECT} where account_id = $1 order by id desc limit $2", account_id, limit)
    return [_claim(row) for row in rows]


async def list_waiting(
    conn: Connection, *, after: int = 0, limit: int = 40, state: ClaimState = ClaimState.WAITING
) -> list[Claim]:
    """What waits for a reviewer, or for whoever was asked for more: the oldest first, behind `after`."""
    rows = await conn.fetch(
        f"{_SELECT} where state = $1 and id > $2 order by id limit $3", state.value, after, limit
    )
    return [_claim(row) for row in rows]


async def count_waiting(conn: Connection) -> int:
    """How many wait for a reviewer."""
    count: int = await conn.fetchval("select count(*) from compliance.identity_claim where state = 'waiting'")
    return count


async def _put_scan(
    conn: Connection,
    account_id: AccountId,
    scan: Scan,
    *,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
) -> PaperId:
    return await vault.put_scan(
        conn, account_id, scan.data, mime=scan.mime, name=scan.name, sealer=sealer, now=now, new_id=new_id
    )


def _shown(said: Said) -> dict[str, str]:
    """The number first: what is masked is all that the row knows of it."""
    names = {what.value: masked_name(name) for what, name in said.names.items()}
    return {said.number.field.value: said.number.masked, **names}


def _claim(row: asyncpg.Record) -> Claim:
    values = dict(row)
    counted = _decode_counted(values.pop("counted"))
    return Claim(
        **{
            **values,
            "method": Method(row["method"]),
            "subject": SubjectType(row["subject"]),
            "state": ClaimState(row["state"]),
            "shown": _decode_shown(row["shown"]),
            "papers": tuple(row["papers"]),
            "barred": tuple(row["barred"]),
        },
        counted=tuple(Index(kind=Field(one.kind), index=one.index) for one in counted),
    )
