"""Deciding about an application for certification: by people, never by a rule or by one of its own side.

Whoever decides says of each claimed field that the papers agree with it; where the verified identity, the
register or another account's papers say otherwise, they write how that was resolved. Where claims and papers
do not agree there is no certification (Article 10), so there is no way to approve past a field. Government
bodies, media and subjects from abroad need two different people.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import certification, organisations, statements
from .activity import AccountId
from .applications import (
    VAULT_FIELDS,
    WAITING,
    Application,
    State,
    encode,
    get,
    kind_of,
)
from .certification import Certification
from .claims import Ground
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed
from .paperwork import FieldName, Kind
from .records import RecordKind, Source
from .statements import Matter
from .steps import note, record
from .submitting import known_index
from .verdict import DecisionId, Reason

TAKEN = timedelta(minutes=30)
QUESTION_LONGEST = 1_000


class Match(enum.StrEnum):
    """What comparing a claim by itself gave; `unknown` where there is nothing to compare it with."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claimed field and what is known otherwise."""

    field: FieldName
    match: Match


async def compare(conn: Connection, application: Application) -> list[Comparison]:
    """Each sealed claim beside the verified identity, and the code beside the register its kind stands in."""
    kind = await kind_of(conn, application)
    indexes = {
        FieldName.NAME: application.name_index,
        FieldName.USCC: application.uscc_index,
        FieldName.ORGANISATION_NAME: application.organisation_index,
    }
    found = []
    for field in (*kind.fields, *kind.optional):
        if not application.claims.get(field):
            continue
        match, index = Match.UNKNOWN, indexes.get(field)
        if index is not None:
            known = await known_index(conn, application.account_id, VAULT_FIELDS[field])
            if known is not None:
                match = Match.SAME if known == index else Match.OTHER
        if field is FieldName.USCC and application.claims.get("register") == "other":
            match = Match.OTHER
        found.append(Comparison(field, match))
    return found


async def duplicates(conn: Connection, application: Application) -> list[AccountId]:
    """Other accounts that claim, or are certified by, the same code or the same name. Nothing is opened."""
    rows = await conn.fetch(
        """
        select distinct account_id from compliance.application
        where account_id <> $1 and state not in ('draft', 'withdrawn', 'declined')
          and (uscc_index = $2 or name_index = $3 or organisation_index = $4)
        order by account_id limit 20
        """,
        application.account_id,
        application.uscc_index,
        application.name_index,
        application.organisation_index,
    )
    return [AccountId(row["account_id"]) for row in rows]


async def list_waiting(conn: Connection, *, after: int = 0, limit: int = 40) -> list[Application]:
    """What waits for somebody, the oldest first."""
    rows = await conn.fetch(
        """
        select id from compliance.application where state in ('submitted', 'second') and id > $1
        order by id limit $2
        """,
        after,
        limit,
    )
    return [await get(conn, row["id"]) for row in rows]


async def count_waiting(conn: Connection) -> int:
    """How many wait."""
    count: int = await conn.fetchval(
        "select count(*) from compliance.application where state in ('submitted', 'second')"
    )
    return count


async def bar(conn: Connection, application: Application, reviewer: AccountId) -> str | None:
    """Why this person may not decide about it; `None` where they may."""
    if reviewer in (application.account_id, application.by_id):
        return "nobody decides about their own certification"
    if await organisations.role_of(conn, application.account_id, reviewer) is not None:
        return "nobody decides about their own certification"
    if reviewer in application.barred:
        return "another person decides about it after the appeal"
    if application.state is State.SECOND and application.first_by == reviewer:
        return "the second decision is another person's"
    return None


async def take(
    conn: Connection,
    application_id: int,
    reviewer: AccountId,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Takes it for half an hour, so that nobody else works on it meanwhile."""
    application = await _mine(conn, application_id, reviewer, now=now, taken=False)
    await conn.execute(
        "update compliance.application set taken_by = $2, taken_until = $3 where id = $1",
        application.id,
        reviewer,
        now + TAKEN,
    )
    await record(
        conn, RecordKind.CERTIFICATION_TAKE, application.id, reviewer, source=source, now=now, new_id=new_id
    )


async def ask(
    conn: Connection,
    application_id: int,
    question: str,
    *,
    reviewer: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Application:
    """Asks for more. What the first of two people said before is void: the answer may change everything."""
    words = question.strip()
    if not words or len(words) > QUESTION_LONGEST:
        raise NotAllowed(f"a question has 1 to {QUESTION_LONGEST:,} characters")
    application = await _mine(conn, application_id, reviewer, now=now)
    await conn.execute(
        """
        update compliance.application
        set state = 'more', question = $2, first_by = null, first_at = null, first_note = null,
            agreement = '{}', taken_by = null, taken_until = null, updated_at = $3
        where id = $1
        """,
        application.id,
        words,
        now,
    )
    await note(conn, application.id, State.MORE, reviewer, words, now=now, new_id=new_id)
    await record(
        conn, RecordKind.CERTIFICATION_ASK, application.id, reviewer, source=source, now=now, new_id=new_id
    )
    return application


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What somebody found: the fields whose papers agree, how a difference was resolved, and remarks."""

    agrees: frozenset[FieldName]
    resolved: Mapping[FieldName, str]
    remark: str = ""


def unresolved(compared: Sequence[Comparison], looked: Looked) -> list[FieldName]:
    """The fields that stand in the way of an approval."""
    return [
        one.field
        for one in compared
        if one.field not in looked.agrees
        or (one.match is Match.OTHER and not looked.resolved.get(one.field, "").strip())
    ]


async def check(
    conn: Connection,
    application_id: int,
    looked: Looked,
    *,
    reviewer: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """The first of two people found that it agrees; somebody else decides."""
    application = await _mine(conn, application_id, reviewer, now=now)
    if application.state is not State.SUBMITTED:
        raise NotAllowed("this application has been checked")
    await _agreed(conn, application, looked, now=now)
    await conn.execute(
        """
        update compliance.application
        set state = 'second', first_by = $2, first_at = $3, first_note = $4, taken_by = null,
            taken_until = null
        where id = $1
        """,
        application.id,
        reviewer,
        now,
        looked.remark.strip() or None,
    )
    await note(conn, application.id, State.SECOND, reviewer, "", now=now, new_id=new_id)
    await record(
        conn, RecordKind.CERTIFICATION_CHECK, application.id, reviewer, source=source, now=now, new_id=new_id
    )


def needs_another(application: Application, kind: Kind) -> bool:
    """Whether an approval now would be the first of two."""
    return kind.four_eyes and application.state is State.SUBMITTED


async def approve(
    conn: Connection,
    application_id: int,
    looked: Looked,
    *,
    registered: Mapping[FieldName, str],
    reviewer: AccountId,
    checked_by: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Certification:
    """Certifies. `registered` is what the reviewer just read in the vault: an organisation's name and code
    are public from now on. `NotAllowed` where this is a case for two people and nobody has checked it."""
    application = await _mine(conn, application_id, reviewer, now=now)
    kind = await kind_of(conn, application)
    if needs_another(application, kind):
        raise NotAllowed("two different people decide about this class")
    await _agreed(conn, application, looked, now=now)
    name = registered.get(FieldName.ORGANISATION_NAME)
    is_person = application.class_ is CertClass.INDIVIDUAL
    label = application.claims.get(FieldName.LABEL, "") if is_person else name
    if not label:
        raise NotAllowed("the registered name could not be read")
    uscc = registered.get(FieldName.USCC, "")
    made = await certification.grant(
        conn,
        application.account_id,
        application.class_,
        application.kind,
        label=label,
        registered_name=None if is_person else name,
        province=uscc[2:4] or None,
        application_id=application.id,
        months=kind.months,
        checked_by=checked_by,
        now=now,
        new_id=new_id,
    )
    await _decide(conn, application, State.APPROVED, reviewer, now=now)
    await note(conn, application.id, State.APPROVED, reviewer, "", now=now, new_id=new_id)
    await record(
        conn,
        RecordKind.CERTIFICATION_APPROVE,
        application.id,
        reviewer,
        source=source,
        now=now,
        new_id=new_id,
        detail={"class": application.class_.value, "account": application.account_id},
    )
    return made


async def decline(
    conn: Connection,
    application_id: int,
    ground: Ground,
    statement: str,
    *,
    reviewer: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> DecisionId:
    """Turns it down, for a reason of the fixed list and in words; it can be appealed against."""
    application = await _mine(conn, application_id, reviewer, now=now)
    if not statement.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    decision_id = await statements.issue(
        conn,
        application.account_id,
        Matter.CERTIFICATION,
        Reason.CERTIFICATION_DECLINED,
        about=application.about,
        statement=statement,
        by=reviewer,
        now=now,
        new_id=new_id,
    )
    await _decide(conn, application, State.DECLINED, reviewer, now=now)
    await conn.execute(
        "update compliance.application set decision_id = $2, ground = $3, statement = $4 where id = $1",
        application.id,
        decision_id,
        ground.value,
        statement.strip(),
    )
    await note(conn, application.id, State.DECLINED, reviewer, statement.strip(), now=now, new_id=new_id)
    await record(
        conn,
        RecordKind.CERTIFICATION_DECLINE,
        application.id,
        reviewer,
        source=source,
        now=now,
        new_id=new_id,
        detail={"ground": ground.value, "account": application.account_id},
        decision_id=decision_id,
    )
    return decision_id


async def _agreed(conn: Connection, application: Application, looked: Looked, *, now: datetime) -> None:
    """Keeps what was found of each field; `NotAllowed` where one of them does not agree."""
    left = unresolved(await compare(conn, application), looked)
    if left:
        raise NotAllowed("every field must agree with the papers, and each difference be resolved")
    said = {name.value: "agrees" for name in looked.agrees}
    said |= {name.value: words.strip() for name, words in looked.resolved.items() if words.strip()}
    await conn.execute(
        "update compliance.application set agreement = $2::jsonb, updated_at = $3 where id = $1",
        application.id,
        encode(said).decode(),
        now,
    )


async def _decide(
    conn: Connection, application: Application, state: State, reviewer: AccountId, *, now: datetime
) -> None:
    await conn.execute(
        """
        update compliance.application
        set state = $2, decided_by = $3, decided_at = $4, taken_by = null, taken_until = null, updated_at = $4
        where id = $1
        """,
        application.id,
        state.value,
        reviewer,
        now,
    )


async def _mine(
    conn: Connection, application_id: int, reviewer: AccountId, *, now: datetime, taken: bool = True
) -> Application:
    """The application, where this person may decide about it now and nobody else works on it."""
    application = await get(conn, application_id, lock=True)
    if application.state not in WAITING:
        raise NotAllowed("this application does not wait for a decision")
    why = await bar(conn, application, reviewer)
    if why is not None:
        raise NotAllowed(why)
    if application.is_taken(now) and application.taken_by != reviewer:
        raise NotAllowed("somebody else works on this application")
    if taken and not application.is_taken(now):
        raise NotAllowed("take the application first")
    return application
