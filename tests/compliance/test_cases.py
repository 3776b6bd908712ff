"""The review queue: who may take a case, what a decision writes, and what nobody may do."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from compliance import cases, decisions, gate, records
from compliance.activity import AccountId, Activity, Direction
from compliance.cases import CLAIM, Case
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.records import RecordKind
from compliance.verdict import CaseId, Held, Reason

from .build import FAR, HERE, NOW, SOURCE, create, ids, people, rule, rules

ONE, TWO = AccountId(101), AccountId(102)


@pytest.fixture
async def here(conn: Connection) -> Connection:
    await people(conn)
    await conn.execute(
        """
        insert into compliance.rule_set (version, name, label, body, imported_at, active)
        overriding system value values (7, 'n', 'l', '{}', $1, true)
        """,
        NOW,
    )
    return conn


async def _hold(conn: Connection, activity: Activity, direction: Direction = Direction.OUT) -> CaseId:
    [verdict] = await gate.judge(
        conn,
        [activity],
        direction,
        rulebook=rules(rule(pattern="held")),
        now=NOW,
        new_id=ids(),
        source=SOURCE,
    )
    assert isinstance(verdict, Held)
    return verdict.case_id


async def _claim(conn: Connection, case_id: CaseId, reviewer: AccountId, now: datetime = NOW) -> Case:
    return await cases.claim(conn, case_id, reviewer, now, source=SOURCE, new_id=ids())


async def _release(conn: Connection, case_id: CaseId, reviewer: AccountId, now: datetime = NOW) -> object:
    return await cases.release(
        conn, case_id, reviewer=reviewer, statement=" fine ", now=now, source=SOURCE, new_id=ids()
    )


async def _refuse(conn: Connection, case_id: CaseId, reviewer: AccountId, statement: str = "spam") -> object:
    return await cases.refuse(
        conn, case_id, reviewer=reviewer, statement=statement, now=NOW, source=SOURCE, new_id=ids()
    )


async def _kinds(conn: Connection) -> list[str]:
    return [record.kind for record in await records.list_page(conn) if record.kind.startswith("case:")]


async def test_a_case_shows_a_reviewer_all_of_it(here: Connection) -> None:
    """The words, the whole activity, and what was found where."""
    activity = create("this is held", spoiler="cw")
    case = await cases.get(here, await _hold(here, activity))
    assert (case.words, case.activity, case.state) == ("this is held\ncw", activity, "waiting")
    assert (case.kind, case.direction, case.actor_id) == ("create", Direction.OUT, HERE.id)
    assert (case.reason, case.findings[0].rule) == (Reason.WORDS, "list/held")
    assert case.object_uri == activity.note.uri


async def test_the_queue_is_the_oldest_first_and_paged(here: Connection) -> None:
    """Nobody waits longer because somebody came later."""
    made = [await _hold(here, create(f"held {number}")) for number in range(4)]
    first = await cases.list_waiting(here, limit=3)
    assert [case.id for case in first] == made[:3]
    assert [case.id for case in await cases.list_waiting(here, after=first[-1].id)] == made[3:]
    assert await cases.count_waiting(here) == 4
    mine = await cases.list_for(here, HERE.id, limit=3)
    assert [case.id for case in mine] == made[:0:-1]
    assert [case.id for case in await cases.list_for(here, HERE.id, max_id=mine[-1].id)] == made[:1]
    assert await cases.list_for(here, FAR.id) == []


async def test_two_reviewers_do_not_read_the_same(here: Connection) -> None:
    """A claim keeps others off for a while, and not for ever."""
    case_id = await _hold(here, create("held"))
    claimed = await _claim(here, case_id, ONE)
    assert (claimed.claimed_by, claimed.claimed_until) == (ONE, NOW + CLAIM)
    for attempt in (_claim(here, case_id, TWO), _release(here, case_id, TWO), _refuse(here, case_id, TWO)):
        with pytest.raises(NotAllowed, match="another reviewer"):
            await attempt
    again = await _claim(here, case_id, ONE, NOW + timedelta(minutes=10))
    assert again.claimed_until == NOW + timedelta(minutes=10) + CLAIM
    later = await _claim(here, case_id, TWO, NOW + timedelta(minutes=26))
    assert later.claimed_by == TWO
    assert await _kinds(here) == ["case:claim", "case:claim"]


async def test_a_release_gives_back_what_was_held_and_is_recorded(here: Connection) -> None:
    """The caller submits it again by the same road."""
    activity = create("held")
    case_id = await _hold(here, activity)
    assert await _release(here, case_id, ONE) == (activity, Direction.OUT)
    case = await cases.get(here, case_id)
    assert (case.state, case.decided_by, case.decided_at, case.statement) == ("released", ONE, NOW, "fine")
    [record] = await records.list_page(here, kind=RecordKind.CASE_RELEASE)
    assert (record.actor_id, record.object, record.source) == (ONE, str(case_id), SOURCE)
    assert record.detail == {"author": HERE.id, "kind": "create", "statement": "fine"}


async def test_a_refusal_is_a_new_decision_that_names_the_old(here: Connection) -> None:
    """Nothing is edited: both stand, and the author reads the statement."""
    case_id = await _hold(here, create("held"))
    decision = await _refuse(here, case_id, ONE)
    case = await cases.get(here, case_id)
    assert (case.state, case.statement, case.outcome_id) == ("refused", "spam", decision.id)  # type: ignore[attr-defined]
    stored = await decisions.get(here, case.outcome_id or case.decision_id)
    assert stored == decision
    assert (stored.verdict, stored.reason, stored.article) == ("refused", Reason.REVIEWER, "12.2")
    assert (stored.automated, stored.supersedes) == (False, case.decision_id)
    assert [finding.check for finding in stored.findings] == ["reviewer", "content"]
    assert await _kinds(here) == ["case:refuse"]
    listed = await decisions.list_for(here, HERE.id)
    assert [one.id for one in listed] == [stored.id, case.decision_id]
    assert await decisions.list_for(here, HERE.id, max_id=stored.id, limit=1) == listed[1:]
    assert await decisions.list_for(here, HERE.id, min_id=case.decision_id, limit=1) == listed[:1]


async def test_a_refusal_needs_reasons(here: Connection) -> None:
    """No silent refusal."""
    case_id = await _hold(here, create("held"))
    with pytest.raises(NotAllowed, match="statement"):
        await _refuse(here, case_id, ONE, statement="  ")
    assert (await cases.get(here, case_id)).state == "waiting"


async def test_nobody_reviews_their_own_words(here: Connection) -> None:
    """A reviewer writes posts too."""
    case_id = await _hold(here, create("held"))
    for attempt in (
        _claim(here, case_id, HERE.id),
        _release(here, case_id, HERE.id),
        _refuse(here, case_id, HERE.id),
    ):
        with pytest.raises(NotAllowed, match="own words"):
            await attempt
    assert await _kinds(here) == []


@pytest.mark.parametrize("first", [_release, _refuse])
@pytest.mark.parametrize("second", [_claim, _release, _refuse])
async def test_a_case_is_decided_once(here: Connection, first: object, second: object) -> None:
    """The other reviewer hears that it is done."""
    case_id = await _hold(here, create("held"))
    await first(here, case_id, ONE)  # type: ignore[operator]
    with pytest.raises(NotAllowed, match="has been decided"):
        await second(here, case_id, TWO)  # type: ignore[operator]


async def test_an_author_takes_back_what_waits_and_nobody_else_does(here: Connection) -> None:
    """And may then send it anew, which waits anew."""
    case_id = await _hold(here, create("held"))
    with pytest.raises(NotFound):
        await cases.withdraw(here, case_id, FAR.id, now=NOW, source=SOURCE, new_id=ids())
    await cases.withdraw(here, case_id, HERE.id, now=NOW, source=SOURCE, new_id=ids())
    assert (await cases.get(here, case_id)).state == "withdrawn"
    with pytest.raises(NotAllowed):
        await cases.withdraw(here, case_id, HERE.id, now=NOW, source=SOURCE, new_id=ids())
    assert await _hold(here, create("held")) != case_id
    assert await _kinds(here) == ["case:withdraw"]


async def test_what_is_not_there_is_not_found(here: Connection) -> None:
    """Neither cases nor decisions."""
    with pytest.raises(NotFound):
        await cases.get(here, CaseId(1))
    with pytest.raises(NotFound):
        await _claim(here, CaseId(1), ONE)
    with pytest.raises(NotFound):
        await decisions.get(here, 1)  # type: ignore[arg-type]
