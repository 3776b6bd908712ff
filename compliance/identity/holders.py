"""By which numbers an account is verified, and how many accounts a number has verified. Blind: numbers are
compared by keyed digests, and shown as they were masked when they came in.

A number is brought to one form first: fifteen digits of old become the eighteen that replaced them. A social
credit code counts as the organisation code inside it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from .. import numbers, vault
from ..activity import AccountId
from ..connection import Connection
from ..errors import InvalidNumber
from ..numbers import NumberType
from ..sealing import Sealer
from ..vault import Field, PaperId

_FIELDS = {
    NumberType.MOBILE: Field.MOBILE,
    NumberType.RESIDENT_ID: Field.RESIDENT_ID,
    NumberType.RESIDENT_ID_15: Field.RESIDENT_ID,
    NumberType.FOREIGN_PERMANENT_RESIDENT: Field.FOREIGN_PERMANENT_RESIDENT,
    NumberType.FOREIGN_PERMANENT_RESIDENT_15: Field.FOREIGN_PERMANENT_RESIDENT,
    NumberType.HK_MACAU_PERMIT: Field.HK_MACAU_PERMIT,
    NumberType.TAIWAN_PERMIT: Field.TAIWAN_PERMIT,
    NumberType.PASSPORT_CN: Field.PASSPORT_CN,
    NumberType.PASSPORT: Field.PASSPORT,
    NumberType.USCC: Field.USCC,
    NumberType.ORG_CODE: Field.ORG_CODE,
}
_ORGANISATION_CODE = slice(8, 17)
KEEP_MONTHS = 6
"""So long the law wants to know who has published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What is counted of one number."""

    kind: Field
    index: bytes

    @property
    def key(self) -> int:
        """Of the lock under which it is counted."""
        return int.from_bytes(self.index[:8], signed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of right form. Nothing of it shows in a `repr`."""

    type: NumberType
    value: str = field(repr=False)

    @property
    def field(self) -> Field:
        """As what it lies in the vault."""
        return _FIELDS[self.type]

    @property
    def masked(self) -> str:
        return numbers.masked(self.type, self.value)

    def indexes(self, sealer: Sealer) -> tuple[Index, ...]:
        """What is counted: itself, and of a social credit code the organisation code in it."""
        found = [_index(self.field, self.value, sealer)]
        if self.type is NumberType.USCC:
            found.append(_index(Field.ORG_CODE, self.value[_ORGANISATION_CODE], sealer))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A number that an account is verified by, as its owner may see it."""

    kind: Field
    masked: str
    put_at: datetime


def read(types: Iterable[NumberType], typed: str, *, as_of: date) -> Number:
    """The number that was typed, as the first of `types` whose form it has. Raises `InvalidNumber` with what
    is wrong with it as the first of them."""
    faults = []
    for number_type in types:
        answer = numbers.check(number_type, typed, as_of=as_of)
        if answer.is_valid and answer.upgrade is not None:
            return Number(type=NumberType.RESIDENT_ID, value=answer.upgrade)
        if answer.is_valid:
            return Number(type=number_type, value=answer.normalized)
        faults.append(answer.reason.value)
    raise InvalidNumber(faults[0])


async def count(conn: Connection, wanted: Sequence[Index], *, besides: AccountId) -> int:
    """How many other accounts may publish by one of these numbers, counted after everybody who is putting one
    in just now. The locks last until the transaction ends."""
    # In one order for everybody, or two who wait for each other would both lose.
    for key in sorted({one.key for one in wanted}):
        await conn.execute("select pg_advisory_xact_lock($1)", key)
    holders: int = await conn.fetchval(
        """
        select count(distinct n.account_id)
        from unnest($1::text[], $2::bytea[]) as w(kind, index)
          join compliance.identity_number n on n.kind = w.kind and n.index = w.index
          join compliance.identity i on i.account_id = n.account_id
          left join public.account a on a.id = n.account_id
        where n.account_id <> $3 and i.state in ('verified', 'due') and a.gone_at is null
        """,
        [one.kind.value for one in wanted],
        [one.index for one in wanted],
        besides,
    )
    return holders


async def keep(
    conn: Connection,
    account_id: AccountId,
    wanted: Sequence[Index],
    *,
    masked: str,
    paper_id: PaperId | None,
    keep_months: int = KEEP_MONTHS,
    now: datetime,
) -> None:
    """The account is verified by this number from now on. What was kept of the same number is to be destroyed
    now; of another one of its kind when the law allows it: something was published by it."""
    kinds = [one.kind.value for one in wanted]
    await _let_go(
        conn, account_id, kinds, wanted, why="replaced", besides=paper_id, months=keep_months, now=now
    )
    await conn.execute(
        """
        insert into compliance.identity_number (account_id, kind, index, masked, paper_id, put_at)
        select $1, w.kind, w.index, $4, $5, $6 from unnest($2::text[], $3::bytea[]) as w(kind, index)
        on conflict (account_id, kind) do update
          set index = excluded.index, masked = excluded.masked, paper_id = excluded.paper_id,
              put_at = excluded.put_at
        """,
        account_id,
        kinds,
        [one.index for one in wanted],
        masked,
        paper_id,
        now,
    )
    if paper_id is not None:
        await conn.execute("delete from compliance.paper_end where paper_id = $1", paper_id)


async def release(conn: Connection, account_id: AccountId, *, months: int, now: datetime) -> None:
    """The account is verified by no number any more; what is sealed is to be destroyed in so many months."""
    kinds = [kind.value for kind in Field]
    await _let_go(conn, account_id, kinds, (), why="withdrawn", besides=None, months=months, now=now)
    await conn.execute("delete from compliance.identity_number where account_id = $1", account_id)


async def _let_go(
    conn: Connection,
    account_id: AccountId,
    kinds: Sequence[str],
    same: Sequence[Index],
    *,
    why: str,
    besides: PaperId | None,
    months: int,
    now: datetime,
) -> None:
    """When the papers of these numbers end, and the names that were claimed with them: those of `same` at
    once."""
    await conn.execute(
        """
        with numbers as (
          select paper_id,
                 $5::timestamptz + make_interval(
                   months => max(case when index = any($6) then 0 else $7 end)) as ends_at
          from compliance.identity_number
          where account_id = $1 and kind = any($2) and paper_id is not null and paper_id is distinct from $3
          group by paper_id
        )
        insert into compliance.paper_end (paper_id, account_id, why, ends_at)
        select paper_id, $1, $4, ends_at from numbers
        union
        select p.id, $1, $4, n.ends_at
        from compliance.identity_claim c join numbers n on n.paper_id = c.papers[1]
          join vault.paper p on p.id = any(c.papers)
        on conflict (paper_id) do update set ends_at = least(paper_end.ends_at, excluded.ends_at)
        """,
        account_id,
        kinds,
        besides,
        why,
        now,
        [one.index for one in same],
        months,
    )


async def forget_closed(conn: Connection, *, before: datetime, limit: int = 200) -> int:
    """Of accounts that were closed before then, drops by what they were verified and what was shown of it;
    returns of how many."""
    dropped: int = await conn.fetchval(
        """
        with closed as (
          select i.account_id from compliance.identity i join public.account a on a.id = i.account_id
          where a.gone_at < $1 limit $2 for update of i skip locked
        ), numbers as (
          delete from compliance.identity_number n using closed c where n.account_id = c.account_id
        ), shown as (
          update compliance.identity_claim k set shown = '{}', numbers = '[]'
          from closed c where k.account_id = c.account_id
        ), gone as (
          delete from compliance.identity i using closed c where i.account_id = c.account_id returning 1
        )
        select count(*) from gone
        """,
        before,
        limit,
    )
    return dropped


async def list_for(conn: Connection, account_id: AccountId) -> list[Held]:
    """The numbers of an account, masked; one line for each paper."""
    rows = await conn.fetch(
        """
        select distinct on (coalesce(paper_id, 0), masked) kind, masked, put_at
        from compliance.identity_number where account_id = $1
        order by coalesce(paper_id, 0), masked, kind desc
        """,
        account_id,
    )
    held = [Held(kind=Field(row["kind"]), masked=row["masked"], put_at=row["put_at"]) for row in rows]
    return sorted(held, key=lambda one: one.put_at)


async def indexes_of(conn: Connection, account_id: AccountId) -> list[Index]:
    """What is counted of an account's numbers."""
    rows = await conn.fetch(
        "select kind, index from compliance.identity_number where account_id = $1", account_id
    )
    return [Index(kind=Field(row["kind"]), index=row["index"]) for row in rows]


def _index(kind: Field, value: str, sealer: Sealer) -> Index:
    return Index(kind=kind, index=sealer.index(value, purpose=vault.index_purpose(kind)))
