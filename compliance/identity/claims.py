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
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import msgspec

from ..activity import AccountId
from ..connection import Connection
from ..errors import NotFound
from ..vault import Field, PaperId
from ..verdict import DecisionId
from . import states
from .holders import KEEP_MONTHS, Index, Number
from .states import Method, SubjectType

MAX_NAME = 120


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
    keep_months: int = KEEP_MONTHS
    """How long a number that another one replaces is kept."""


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


class Counted(msgspec.Struct, frozen=True):
    """What is counted of a claim's number, as the row keeps it."""

    kind: str
    index: bytes


_decode_counted = msgspec.json.Decoder(tuple[Counted, ...]).decode
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


async def blank(conn: Connection, account_id: AccountId) -> None:
    """Drops what is shown and what is counted of an account's claims; that they were made, and what was
    decided, stays."""
    await conn.execute(
        "update compliance.identity_claim set shown = '{}', numbers = '[]' where account_id = $1", account_id
    )


async def count_waiting(conn: Connection) -> int:
    """How many wait for a reviewer."""
    count: int = await conn.fetchval("select count(*) from compliance.identity_claim where state = 'waiting'")
    return count


def _claim(row: asyncpg.Record) -> Claim:
    values = dict(row)
    counted = _decode_counted(values.pop("counted"))
    # The database keeps the fields in an order of its own; the number goes first.
    number = counted[0].kind if counted else None
    shown = sorted(_decode_shown(row["shown"]).items(), key=lambda pair: pair[0] != number)
    return Claim(
        **{
            **values,
            "method": Method(row["method"]),
            "subject": SubjectType(row["subject"]),
            "state": ClaimState(row["state"]),
            "shown": dict(shown),
            "papers": tuple(row["papers"]),
            "barred": tuple(row["barred"]),
        },
        counted=tuple(Index(kind=Field(one.kind), index=one.index) for one in counted),
    )
