"""The operator's rule sets: kept as versioned data, one in force at a time, each decision naming the version
it used.

The product ships no list of its own and none is on until somebody with a name turns it on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .activity import AccountId
from .connection import Connection
from .errors import InvalidRules, NotFound
from .matching import Matcher
from .records import Detail, Entry, RecordKind, Source, write
from .ruleset import EMPTY, OUTBOUND, Action, RuleSet, Scope, parse, trusted

__all__ = [
    "Imported",
    "RuleSet",
    "Rulebook",
    "activate",
    "active_version",
    "deactivate",
    "import_",
    "list_",
    "load_active",
    "parse",
]

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules in force, ready to match: what every worker of a server holds in memory. Version 0 is no
    rules at all."""

    version: int
    matcher: Matcher

    @classmethod
    def of(cls, version: int, rules: RuleSet) -> Rulebook:
        """The rulebook of a rule set. Takes some 0.5 s for 100,000 rules: not on the event loop."""
        return cls(version, Matcher(rules.rules))

    def forbids_name(self, name: str, now: datetime) -> bool:
        """Whether a name of somebody or something here may not be taken: what would be held or refused in a
        profile. A name cannot wait for a reviewer."""
        hits = self.matcher.find(name, lambda rule: rule.fits(OUTBOUND, Scope.PROFILE, now))
        return any(hit.rule.action in (Action.REFUSE, Action.HOLD) for hit in hits)

    @classmethod
    def empty(cls) -> Rulebook:
        """No rules, as on a new server."""
        return cls.of(0, EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A rule set in the list of versions. `label` is its author's own version."""

    version: int
    name: str
    label: str
    imported_by: AccountId | None
    imported_at: datetime
    activated_by: AccountId | None
    activated_at: datetime | None
    active: bool


async def active_version(conn: Connection) -> int:
    """The version in force; 0 for none."""
    version: int | None = await conn.fetchval("select version from compliance.rule_set where active")
    return version or 0


async def load_active(conn: Connection) -> Rulebook:
    """The rules in force. Reading and building them does not hold up the loop."""
    row = await conn.fetchrow("select version, body from compliance.rule_set where active")
    if row is None:
        return Rulebook.empty()
    return await asyncio.to_thread(lambda: Rulebook.of(row["version"], trusted(row["body"])))


async def import_(
    conn: Connection,
    text: str,
    *,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> int:
    """Keeps a rule set as a new version, not yet in force; `InvalidRules` says line and field, and keeps
    nothing."""
    if len(text) > MAX_BYTES:
        raise InvalidRules(f"longer than {MAX_BYTES:,} bytes")
    rules = await asyncio.to_thread(parse, text)
    version: int = await conn.fetchval(
        """
        insert into compliance.rule_set (name, label, body, imported_by, imported_at)
        values ($1, $2, $3, $4, $5) returning version
        """,
        rules.name,
        rules.version,
        text,
        by,
        now,
    )
    detail: Detail = {"name": rules.name, "label": rules.version, "rules": len(rules.rules)}
    entry = Entry(RecordKind.RULES_IMPORT, by, str(version), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return version


async def activate(
    conn: Connection,
    version: int,
    *,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Puts a version in force. Every rule needs its basis: it is quoted to whom it stops."""
    body = await conn.fetchval("select body from compliance.rule_set where version = $1", version)
    if body is None:
        raise NotFound(f"no rule set {version}")
    baseless = (await asyncio.to_thread(trusted, body)).without_basis()
    if baseless:
        raise InvalidRules(f"{len(baseless)} rules have no `basis`, such as {baseless[0]}")
    before = await _retire(conn)
    await conn.execute(
        """
        update compliance.rule_set set active = true, activated_by = $2, activated_at = $3 where version = $1
        """,
        version,
        by,
        now,
    )
    entry = Entry(RecordKind.RULES_ACTIVATE, by, str(version), source=source, detail={"before": before})
    await write(conn, [entry], now=now, new_id=new_id)


async def deactivate(
    conn: Connection,
    *,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Takes the rules in force out of force, leaving none."""
    before = await _retire(conn)
    entry = Entry(RecordKind.RULES_ACTIVATE, by, "0", source=source, detail={"before": before})
    await write(conn, [entry], now=now, new_id=new_id)


async def list_(conn: Connection, *, before: int | None = None, limit: int = 40) -> list[Imported]:
    """Versions, newest first, those below `before`."""
    rows = await conn.fetch(
        """
        select version, name, label, imported_by, imported_at, activated_by, activated_at, active
        from compliance.rule_set where $1::bigint is null or version < $1 order by version desc limit $2
        """,
        before,
        limit,
    )
    return [Imported(**row) for row in rows]


async def _retire(conn: Connection) -> int:
    # Two activations at once are put in order: the index allows only one active row.
    await conn.execute("select pg_advisory_xact_lock(hashtext('compliance.rule_set'))")
    version: int | None = await conn.fetchval(
        "update compliance.rule_set set active = false where active returning version"
    )
    return version or 0
