"""What the operator has decided about other servers: refuse them, review them first, or make an exception.

A policy holds for the named host and everything below it; the longest name wins, so `allow` makes an
exception inside `refuse`. A host is compared as it is written here: lower case, IDNA, with its port where
that is not the scheme's default.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import idna

from .activity import AccountId
from .connection import Connection
from .errors import ComplianceError, NotFound
from .records import Entry, RecordKind, Source, write

_PORT = re.compile(r"(.+?)(?::([0-9]{1,5}))?")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:.]+\]")
_STRICTNESS = ("allow", "hold", "refuse")


class Policy(enum.StrEnum):
    """What is done with everything from a host; the values are what the database stores."""

    REFUSE = "refuse"
    HOLD = "hold"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPolicy:
    """A decision about a host, as the operators see it."""

    host: str
    policy: Policy
    reason: str
    set_by: AccountId | None
    set_at: datetime


def host_of(uri: str) -> str:
    """The host of a normalised address, with its port if it has one; empty for what has none."""
    authority = uri.partition("://")[2]
    return re.split(r"[/?#]", authority, maxsplit=1)[0].rpartition("@")[2].lower()


def names_above(host: str) -> Iterator[str]:
    """The host and every name above it, longest first: those are what a policy may be written for."""
    yield host
    name = host
    if ":" in host and not host.endswith("]"):
        name = host.rpartition(":")[0]
        yield name
    if _ADDRESS.fullmatch(name):
        return
    while "." in name:
        name = name.partition(".")[2]
        yield name


def strictest(hosts: Iterable[str], policies: Mapping[str, Policy]) -> tuple[str, Policy] | None:
    """The strictest policy that holds for any of `hosts`, with the name that it is written for."""
    found = (
        next(((name, policies[name]) for name in names_above(host) if name in policies), None)
        for host in hosts
    )
    return max(
        (one for one in found if one is not None), key=lambda one: _STRICTNESS.index(one[1]), default=None
    )


def normalised(host: str) -> str:
    """`host` as it is compared, from what an operator types; `ComplianceError` for what is no host."""
    typed = host.strip().removesuffix("/").lower().removeprefix("https://").removeprefix("http://")
    found = _PORT.fullmatch(typed.removeprefix("*."))
    if found is None or (found[2] and not 0 < int(found[2]) < 65_536):
        raise ComplianceError("not the name of a host")
    name, port = found[1].rstrip("."), found[2]
    if not _ADDRESS.fullmatch(name):
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            raise ComplianceError("not the name of a host") from None
    return f"{name}:{port}" if port else name


async def set_policy(
    conn: Connection,
    host: str,
    policy: Policy,
    *,
    reason: str,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> HostPolicy:
    """Decides about `host` and everything below it. A reason is required: it is what its people are told."""
    if not reason.strip():
        raise ComplianceError("a decision about a server needs a reason")
    name = normalised(host)
    await conn.execute(
        """
        insert into compliance.host_policy (host, policy, reason, set_by, set_at) values ($1, $2, $3, $4, $5)
        on conflict (host) do update
          set policy = excluded.policy, reason = excluded.reason,
              set_by = excluded.set_by, set_at = excluded.set_at
        """,
        name,
        policy.value,
        reason.strip(),
        by,
        now,
    )
    detail = {"policy": policy.value, "reason": reason.strip()}
    entry = Entry(RecordKind.HOST_POLICY, by, name, source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return HostPolicy(host=name, policy=policy, reason=reason.strip(), set_by=by, set_at=now)


async def remove_policy(
    conn: Connection,
    host: str,
    *,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Takes back the decision about exactly this host; `NotFound` where there is none."""
    name = normalised(host)
    gone = await conn.fetchval("delete from compliance.host_policy where host = $1 returning policy", name)
    if gone is None:
        raise NotFound(f"no policy for {name}")
    entry = Entry(RecordKind.HOST_POLICY, by, name, source=source, detail={"policy": None, "was": gone})
    await write(conn, [entry], now=now, new_id=new_id)


async def find_policy(conn: Connection, host: str) -> HostPolicy | None:
    """The decision that holds for `host` (itself or a name above it); `None` where there is none."""
    row = await conn.fetchrow(
        """
        select host, policy, reason, set_by, set_at from compliance.host_policy where host = any($1::text[])
        order by length(host) desc limit 1
        """,
        list(names_above(host)),
    )
    return None if row is None else HostPolicy(**{**row, "policy": Policy(row["policy"])})


async def refused(conn: Connection, hosts: Collection[str]) -> frozenset[str]:
    """Of these hosts, those with which nothing is exchanged."""
    above = {host: tuple(names_above(host)) for host in hosts}
    rows = await conn.fetch(
        "select host, policy from compliance.host_policy where host = any($1::text[])",
        sorted({name for names in above.values() for name in names}),
    )
    written = {row["host"]: Policy(row["policy"]) for row in rows}
    nearest = {host: next((written[n] for n in names if n in written), None) for host, names in above.items()}
    return frozenset(host for host, policy in nearest.items() if policy is Policy.REFUSE)


async def list_policies(conn: Connection, *, after: str = "", limit: int = 100) -> list[HostPolicy]:
    """Decisions in the order of their hosts, those behind `after`."""
    rows = await conn.fetch(
        """
        select host, policy, reason, set_by, set_at from compliance.host_policy where host > $1
        order by host limit $2
        """,
        after,
        limit,
    )
    return [HostPolicy(**{**row, "policy": Policy(row["policy"])}) for row in rows]
