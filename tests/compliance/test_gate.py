"""The gate on a real database: verdicts in order, what is written for them, and what it does when something
breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import msgspec
import pytest

from compliance import agreements, cases, decisions, gate, hosts, records, wordlists
from compliance.activity import AccountId, Activity, Actor, Direction, Uri
from compliance.checks import CHECKS
from compliance.connection import Connection
from compliance.errors import StaleRules
from compliance.facts import Facts
from compliance.hosts import Policy
from compliance.records import RecordKind
from compliance.subject import Subject
from compliance.verdict import Cleared, Held, Outcome, Reason, Refused, Span, Verdict
from compliance.wordlists import Rulebook

from .build import (
    FAR,
    HERE,
    NOW,
    ON_REPLIES,
    PUBLISHING,
    SOURCE,
    comment,
    create,
    ids,
    one_of_each,
    people,
    rule,
    rules,
)

BOOK = rules(
    rule(pattern="held"),
    rule(pattern="refused", action="refuse", basis="12.1"),
    rule(pattern="named", action="label"),
    rule(pattern="gore", action="sensitive"),
)


@pytest.fixture
async def here(conn: Connection) -> Connection:
    """A database with two people, and `BOOK` in force."""
    await people(conn)
    await conn.execute(
        """
        insert into compliance.rule_set (version, name, label, body, imported_at, active)
        overriding system value values (7, 'n', 'l', '{}', $1, true)
        """,
        NOW,
    )
    return conn


async def _judge(
    conn: Connection, *activities: Activity, direction: Direction = Direction.OUT
) -> list[Verdict]:
    return await gate.judge(conn, activities, direction, rulebook=BOOK, now=NOW, new_id=ids(), source=SOURCE)


async def test_a_batch_is_answered_in_order_and_written_whole(here: Connection) -> None:
    """One decision and one record for each, one case for what is held."""
    stranger = Actor(id=AccountId(9), uri=Uri("https://here.example/users/nobody"), host=None)
    batch = [
        create("good"),
        create("held"),
        create("refused"),
        create("named and gore and named"),
        create("half \ud83d"),
        create("good", actor=stranger),
        create("good again"),
    ]
    verdicts = await _judge(here, *batch)
    assert [type(verdict) for verdict in verdicts] == [
        Cleared,
        Held,
        Refused,
        Cleared,
        Refused,
        Refused,
        Cleared,
    ]
    assert [verdict.activity for verdict in verdicts] == batch
    assert isinstance(verdicts[3], Cleared)
    assert verdicts[3].labels == ("fraud", "sensitive")
    made = await here.fetch(
        "select id, verdict, reason, article, automated from compliance.decision order by id"
    )
    assert [tuple(row) for row in made] == [
        (verdicts[0].decision_id, "cleared", None, None, True),
        (verdicts[1].decision_id, "held", "words", "12.1", True),
        (verdicts[2].decision_id, "refused", "words", "12.1", True),
        (verdicts[3].decision_id, "cleared", None, None, True),
        (verdicts[4].decision_id, "refused", "check_failed", "6.1", True),
        (verdicts[5].decision_id, "refused", "check_failed", "6.1", True),
        (verdicts[6].decision_id, "cleared", None, None, True),
    ]
    logged = await records.list_page(here)
    assert [record.decision_id for record in reversed(logged)] == [
        verdict.decision_id for verdict in verdicts
    ]
    assert {(record.kind, record.source) for record in logged} == {(RecordKind.ACTIVITY_CREATE, SOURCE)}
    assert logged[-2].detail == {"verdict": "held", "direction": "out", "reason": "words"}
    assert await cases.count_waiting(here) == 1


async def test_each_record_names_where_its_own_act_came_from(here: Connection) -> None:
    """A batch gathers what different people do at the same moment."""
    other = replace(SOURCE, address="198.51.100.9")
    await gate.judge(
        here,
        [create("one"), create("two")],
        Direction.OUT,
        rulebook=BOOK,
        now=NOW,
        new_id=ids(),
        source=[SOURCE, other],
    )
    assert [record.source for record in await records.list_page(here)] == [other, SOURCE]


async def test_an_empty_batch_is_nothing(here: Connection) -> None:
    """A caller need not look first."""
    assert await _judge(here) == []


async def test_a_decision_tells_what_was_found_by_which_rules(here: Connection) -> None:
    """It is the statement of reasons, years later."""
    [verdict] = await _judge(here, create("this is refused", spoiler="held"))
    decision = await decisions.get(here, verdict.decision_id)
    assert (decision.rule_version, decision.direction, decision.kind) == (7, Direction.OUT, "create")
    assert decision.findings == verdict.findings  # type: ignore[union-attr]
    assert [finding.outcome for finding in decision.findings] == [Outcome.REFUSE, Outcome.HOLD]
    assert (decision.findings[0].basis, decision.findings[0].span) == (
        "12.1",
        Span(field="text", start=8, end=15),
    )
    assert decision.digest == gate.digest(verdict.activity)


@pytest.mark.parametrize("kind", one_of_each())
async def test_every_kind_goes_through_for_people_in_good_standing(here: Connection, kind: str) -> None:
    """In both directions, each with a record of its own kind."""
    if kind in ON_REPLIES:
        await comment(here)
    [out] = await _judge(here, one_of_each(HERE)[kind])
    [coming] = await _judge(here, one_of_each(FAR)[kind], direction=Direction.IN)
    assert (type(out), type(coming)) == (Cleared, Cleared)
    assert {record.kind for record in await records.list_page(here)} == {f"activity:{kind}"}


async def test_rules_that_are_not_in_force_judge_nothing(here: Connection) -> None:
    """Between a new rule set and its loading nothing is judged by the old one."""
    with pytest.raises(StaleRules):
        await gate.judge(
            here,
            [create()],
            Direction.OUT,
            rulebook=Rulebook.empty(),
            now=NOW,
            new_id=ids(),
            source=SOURCE,
        )
    assert await here.fetchval("select count(*) from compliance.decision") == 0


async def test_facts_are_read_from_the_tables(here: Connection) -> None:
    """Suspension, host policy, agreement and identity, each as the table has it."""
    await here.execute("update account set suspended_at = $1 where id = $2", NOW, FAR.id)
    [verdict] = await _judge(here, create(actor=FAR), direction=Direction.IN)
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.ACCOUNT_SUSPENDED
    await here.execute("update account set suspended_at = null, gone_at = $1 where id = $2", NOW, FAR.id)
    [verdict] = await _judge(here, create(actor=FAR), direction=Direction.IN)
    assert isinstance(verdict, Refused)
    await here.execute("update account set gone_at = null where id = $1", FAR.id)
    await hosts.set_policy(
        here, "far.example", Policy.HOLD, reason="spam", by=HERE.id, source=SOURCE, now=NOW, new_id=ids()
    )
    [verdict] = await _judge(here, create(actor=FAR), direction=Direction.IN)
    assert isinstance(verdict, Held)
    assert verdict.reason is Reason.HOST_REVIEWED
    await agreements.seed(here, now=NOW)
    [verdict] = await _judge(here, create())
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.AGREEMENT_REQUIRED
    await agreements.accept(here, HERE.id, locale="en", now=NOW, source=SOURCE, new_id=ids())
    [verdict] = await _judge(here, create())
    assert isinstance(verdict, Cleared)
    await here.execute("update compliance.identity set lapses_at = $1", NOW)
    [verdict] = await _judge(here, create())
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.IDENTITY_LAPSED


async def test_an_agreement_of_tomorrow_is_not_asked_for_today(here: Connection) -> None:
    """It is announced before it holds."""
    await agreements.seed(here, now=NOW + timedelta(days=1))
    [verdict] = await _judge(here, create())
    assert isinstance(verdict, Cleared)


async def test_the_same_words_wait_once(here: Connection) -> None:
    """Pressing the button again must not fill the queue."""
    [first] = await _judge(here, create("held"))
    [second] = await _judge(here, create("held"))
    assert isinstance(first, Held)
    assert isinstance(second, Held)
    assert (second.case_id, await cases.count_waiting(here)) == (first.case_id, 1)
    assert second.decision_id != first.decision_id


async def test_a_released_case_clears_the_same_words_and_says_so(here: Connection) -> None:
    """The reviewer's decision is found among the facts; the new decision names the one it takes the place
    of."""
    [held] = await _judge(here, create("held"))
    assert isinstance(held, Held)
    activity, direction = await cases.release(
        here, held.case_id, reviewer=AccountId(5), statement="fine", now=NOW, source=SOURCE, new_id=ids()
    )
    [verdict] = await _judge(here, activity, direction=direction)
    assert isinstance(verdict, Cleared)
    assert verdict.activity == held.activity
    decision = await decisions.get(here, verdict.decision_id)
    assert (decision.supersedes, decision.automated) == (held.decision_id, False)
    assert [finding.outcome for finding in decision.findings] == [Outcome.HOLD]
    assert (await cases.get(here, held.case_id)).outcome_id == verdict.decision_id
    [again] = await _judge(here, create("held"))
    assert isinstance(again, Cleared)
    later = await decisions.get(here, again.decision_id)
    assert (later.supersedes, later.automated) == (None, False)


async def test_a_release_covers_no_refusal(here: Connection) -> None:
    """Who was released once has not been verified by it, and words refused outright stay so."""
    [held] = await _judge(here, create("held"))
    assert isinstance(held, Held)
    await cases.release(
        here, held.case_id, reviewer=AccountId(5), statement="fine", now=NOW, source=SOURCE, new_id=ids()
    )
    await here.execute("update compliance.identity set state = 'rejected'")
    [verdict] = await _judge(here, held.activity)
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.IDENTITY_REQUIRED
    decision = await decisions.get(here, verdict.decision_id)
    assert (decision.automated, decision.supersedes) == (True, None)
    assert (await cases.get(here, held.case_id)).outcome_id is None


async def test_labels_stay_on_what_is_released(here: Connection) -> None:
    """A person let it through; what a label warns of is still there."""
    [held] = await _judge(here, create("held gore"))
    assert isinstance(held, Held)
    await cases.release(
        here, held.case_id, reviewer=AccountId(5), statement="fine", now=NOW, source=SOURCE, new_id=ids()
    )
    [verdict] = await _judge(here, held.activity)
    assert isinstance(verdict, Cleared)
    assert verdict.labels == ("sensitive",)


async def test_what_a_reviewer_refused_is_refused_at_once_the_next_time(here: Connection) -> None:
    """No second reviewer is asked; an appeal asks another."""
    [held] = await _judge(here, create("held"))
    assert isinstance(held, Held)
    await cases.refuse(
        here, held.case_id, reviewer=AccountId(5), statement="spam", now=NOW, source=SOURCE, new_id=ids()
    )
    [verdict] = await _judge(here, create("held"))
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.REVIEWER
    assert (await decisions.get(here, verdict.decision_id)).automated is False


def _crash(_subject: Subject, _facts: Facts) -> NoReturn:
    raise RuntimeError("the filter is down")


_TAKES_BACK = ("delete", "undo", "reject", "block", "flag")


@pytest.mark.parametrize("kind", one_of_each())
async def test_a_check_that_breaks_publishes_nothing(
    here: Connection, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: words wait for a person, ties are not made; who only takes back or complains is not kept
    from it."""
    monkeypatch.setattr("compliance.gate.CHECKS", (*CHECKS, _crash))
    if kind in ON_REPLIES:
        await comment(here)
    [verdict] = await _judge(here, one_of_each(HERE)[kind])
    expected = Held if kind in PUBLISHING else Cleared if kind in _TAKES_BACK else Refused
    assert type(verdict) is expected
    if not isinstance(verdict, Cleared):
        assert verdict.reason is Reason.CHECK_FAILED


async def test_a_check_that_breaks_on_one_spares_its_neighbours(
    here: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One activity that a check cannot take must not stop a hundred that it can."""

    def picky(subject: Subject, _facts: Facts) -> Sequence[object]:
        if "strange" in subject.shown:
            raise ValueError("strange")
        return ()

    monkeypatch.setattr("compliance.gate.CHECKS", (*CHECKS, picky))
    verdicts = await _judge(here, create("one"), create("strange"), create("two"))
    assert [type(verdict) for verdict in verdicts] == [Cleared, Held, Cleared]


async def test_a_broken_check_does_not_hide_what_others_refuse(
    here: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held would be milder than what is due."""
    monkeypatch.setattr("compliance.gate.CHECKS", (_crash, *CHECKS))
    [verdict] = await _judge(here, create("refused"))
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.WORDS


async def test_what_was_held_by_a_broken_check_can_be_released(
    here: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person looked, so it does not matter that the check is still broken."""
    monkeypatch.setattr("compliance.gate.CHECKS", (*CHECKS, _crash))
    [held] = await _judge(here, create("fine"))
    assert isinstance(held, Held)
    await cases.release(
        here, held.case_id, reviewer=AccountId(5), statement="fine", now=NOW, source=SOURCE, new_id=ids()
    )
    [verdict] = await _judge(here, held.activity)
    assert isinstance(verdict, Cleared)


async def test_an_address_too_long_to_keep_is_cut_in_its_decision(here: Connection) -> None:
    """It is refused, and the refusal still has its row and its record."""
    long = replace(create(), id=Uri("https://here.example/" + "长" * 3_000))
    [verdict] = await _judge(here, long)
    assert isinstance(verdict, Refused)
    decision = await decisions.get(here, verdict.decision_id)
    assert len(decision.activity_uri) == 500


async def test_an_imported_and_activated_rule_set_is_what_judges(conn: Connection) -> None:
    """From the operator's file to the verdict."""
    await people(conn)
    text = msgspec.json.encode(
        {
            "name": "n",
            "version": "1",
            "lists": {"l": {"category": "c", "basis": "12.1", "rules": [{"pattern": "x"}]}},
        }
    ).decode()
    version = await wordlists.import_(conn, text, by=HERE.id, source=SOURCE, now=NOW, new_id=ids())
    assert await wordlists.active_version(conn) == 0
    await wordlists.activate(conn, version, by=HERE.id, source=SOURCE, now=NOW, new_id=ids())
    book = await wordlists.load_active(conn)
    [verdict] = await gate.judge(
        conn, [create("x")], Direction.OUT, rulebook=book, now=NOW, new_id=ids(), source=SOURCE
    )
    assert isinstance(verdict, Held)
    assert verdict.findings[0].rule == "l/x"
