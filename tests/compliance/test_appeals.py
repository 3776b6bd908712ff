"""A second look, by somebody else, that undoes what it must and edits nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from compliance import appeals, cases, decisions, gate, records
from compliance.activity import AccountId, Activity, Direction
from compliance.appeals import Appeal, AppealState
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.records import RecordKind
from compliance.verdict import Cleared, DecisionId, Held, Reason, Refused, Verdict

from .build import FAR, HERE, NOW, SOURCE, create, ids, people, rule, rules

BOOK = rules(rule(pattern="held"), rule(pattern="refused", action="refuse"))
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


async def _judge(conn: Connection, activity: Activity) -> Verdict:
    [verdict] = await gate.judge(
        conn, [activity], Direction.OUT, rulebook=BOOK, now=NOW, new_id=ids(), source=SOURCE
    )
    return verdict


async def _open(
    conn: Connection,
    decision_id: DecisionId,
    by: AccountId = HERE.id,
    words: str = "it was a joke",
    days: float = 0,
) -> Appeal:
    now = NOW + timedelta(days=days)
    return await appeals.open_(conn, decision_id, by, words, now=now, source=SOURCE, new_id=ids())


async def _decide(
    conn: Connection,
    appeal: Appeal,
    by: AccountId,
    outcome: AppealState = AppealState.OVERTURNED,
    statement: str = "so",
) -> tuple[Activity, Direction] | None:
    return await appeals.decide(
        conn,
        appeal.id,
        decider=by,
        outcome=outcome,
        statement=statement,
        now=NOW,
        source=SOURCE,
        new_id=ids(),
    )


async def _refused_by_a_reviewer(conn: Connection) -> DecisionId:
    held = await _judge(conn, create("held"))
    assert isinstance(held, Held)
    decision = await cases.refuse(
        conn, held.case_id, reviewer=ONE, statement="spam", now=NOW, source=SOURCE, new_id=ids()
    )
    return decision.id


async def test_a_reviewers_refusal_is_undone_by_another_person(here: Connection) -> None:
    """The words were kept, so they are judged again at once, and the new decision names the refusal."""
    refusal = await _refused_by_a_reviewer(here)
    appeal = await _open(here, refusal)
    assert [one.id for one in await appeals.list_waiting(here)] == [appeal.id]
    with pytest.raises(NotAllowed, match="another person"):
        await _decide(here, appeal, ONE)
    with pytest.raises(NotAllowed, match="their own"):
        await _decide(here, appeal, HERE.id)
    again = await _decide(here, appeal, TWO)
    assert again is not None
    verdict = await _judge(here, again[0])
    assert isinstance(verdict, Cleared)
    assert (await decisions.get(here, verdict.decision_id)).supersedes == refusal
    decided = await appeals.get(here, appeal.id)
    assert (decided.state, decided.decided_by, decided.statement) == (AppealState.OVERTURNED, TWO, "so")
    assert await appeals.list_waiting(here) == []
    kinds = [record.kind for record in await records.list_page(here) if record.kind.startswith("appeal:")]
    assert kinds == [RecordKind.APPEAL_DECIDE, RecordKind.APPEAL_OPEN]


async def test_what_a_rule_refused_by_itself_may_be_said_again(here: Connection) -> None:
    """Nothing was kept of it; its author sends it once more, and the rule no longer stops these words of
    theirs."""
    refused = await _judge(here, create("refused"))
    assert isinstance(refused, Refused)
    assert await _decide(here, await _open(here, refused.decision_id), TWO) is None
    verdict = await _judge(here, create("refused"))
    assert isinstance(verdict, Cleared)
    decision = await decisions.get(here, verdict.decision_id)
    assert (decision.supersedes, decision.automated) == (refused.decision_id, False)
    assert isinstance(await _judge(here, create("refused too")), Refused)


async def test_an_appeal_gives_nobody_an_identity(here: Connection) -> None:
    """What is overturned is the judgement of words, not the law's condition for publishing any."""
    refused = await _judge(here, create("refused"))
    await _decide(here, await _open(here, refused.decision_id), TWO)
    await here.execute("update compliance.identity set state = 'lapsed'")
    verdict = await _judge(here, create("refused"))
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.IDENTITY_LAPSED


async def test_an_upheld_refusal_stands(here: Connection) -> None:
    """And what was refused stays refused."""
    appeal = await _open(here, await _refused_by_a_reviewer(here))
    assert await _decide(here, appeal, TWO, AppealState.UPHELD) is None
    assert isinstance(await _judge(here, create("held")), Refused)
    with pytest.raises(NotAllowed, match="has been decided"):
        await _decide(here, appeal, TWO)


async def test_a_second_refusal_of_the_same_words_leads_to_the_same_reviewer(here: Connection) -> None:
    """Who refused them first has a part in every refusal that rests on it."""
    await _refused_by_a_reviewer(here)
    again = await _judge(here, create("held"))
    appeal = await _open(here, again.decision_id)
    with pytest.raises(NotAllowed, match="another person"):
        await _decide(here, appeal, ONE)
    assert await _decide(here, appeal, TWO) is not None


async def test_an_appeal_is_ones_own_once_in_time_and_about_a_refusal(here: Connection) -> None:
    """Open for six calendar months, not for ever."""
    refusal = await _refused_by_a_reviewer(here)
    held = await _judge(here, create("held differently"))
    with pytest.raises(NotFound):
        await _open(here, refusal, by=FAR.id)
    with pytest.raises(NotAllowed, match="only a refusal"):
        await _open(here, held.decision_id)
    with pytest.raises(NotAllowed, match="6 months"):
        await _open(here, refusal, days=183)
    for words in ("  ", "a" * 2_001):
        with pytest.raises(NotAllowed, match="characters"):
            await _open(here, refusal, words=words)
    appeal = await _open(here, refusal, days=182)
    assert await appeals.find_against(here, refusal) == appeal
    assert await appeals.find_against(here, held.decision_id) is None
    with pytest.raises(NotAllowed, match="already"):
        await _open(here, refusal)


async def test_a_decision_on_an_appeal_needs_an_outcome_and_reasons(here: Connection) -> None:
    """It ends in one of two ways, and says why."""
    appeal = await _open(here, await _refused_by_a_reviewer(here))
    with pytest.raises(NotAllowed, match="overturned or upheld"):
        await _decide(here, appeal, TWO, AppealState.WAITING)
    with pytest.raises(NotAllowed, match="statement"):
        await _decide(here, appeal, TWO, statement=" ")
    with pytest.raises(NotFound):
        await appeals.get(here, 1)
