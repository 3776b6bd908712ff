"""Complaints: found by receipt, decided once, by somebody who is not in them."""

from __future__ import annotations

import pytest

from compliance import gate, records, reports
from compliance.activity import AccountId, Direction
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.records import RecordKind
from compliance.reports import Report, ReportState
from compliance.wordlists import Rulebook

from .build import FAR, HERE, NOW, SOURCE, ids, one_of_each, people

ONE = AccountId(101)


@pytest.fixture
async def report(conn: Connection) -> Report:
    """A complaint of `HERE` about `FAR`, filed on a cleared Flag."""
    await people(conn)
    [verdict] = await gate.judge(
        conn,
        [one_of_each()["flag"]],
        Direction.OUT,
        rulebook=Rulebook.empty(),
        now=NOW,
        new_id=ids(),
        source=SOURCE,
    )
    await conn.execute(
        """
        insert into compliance.report
          (id, code, reporter_id, target_id, posts, comment, decision_id, created_at)
        values (77, 'ABCD234567', $1, $2, '{5,6}', 'spam', $3, $4)
        """,
        HERE.id,
        FAR.id,
        verdict.decision_id,
        NOW,
    )
    return await reports.get(conn, 77)


async def _decide(
    conn: Connection,
    by: AccountId = ONE,
    outcome: ReportState = ReportState.UPHELD,
    statement: str = " true ",
) -> Report:
    return await reports.decide(
        conn, 77, reviewer=by, outcome=outcome, statement=statement, now=NOW, source=SOURCE, new_id=ids()
    )


@pytest.mark.parametrize("typed", ["ABCD234567", "abcd-234567", " ABCD 2345 67 "])
async def test_a_receipt_is_read_as_people_type_it(conn: Connection, report: Report, typed: str) -> None:
    """It may have been copied by hand."""
    assert await reports.get_by_code(conn, typed) == report


async def test_lists_show_what_waits_whose_it_is_and_whom_it_is_about(
    conn: Connection, report: Report
) -> None:
    """Each list paged, none of them everything."""
    assert (report.posts, report.state, report.category) == ((5, 6), ReportState.WAITING, "other")
    assert await reports.list_waiting(conn) == [report]
    assert await reports.list_waiting(conn, after=77) == []
    assert await reports.list_for(conn, HERE.id) == [report]
    assert await reports.list_for(conn, HERE.id, max_id=77) == []
    assert await reports.list_about(conn, FAR.id) == [report]
    assert await reports.list_about(conn, HERE.id) == []
    assert await reports.count_waiting(conn) == 1


async def test_a_decision_ends_it_and_is_recorded(conn: Connection, report: Report) -> None:
    """Both sides are told the outcome, so it is there to tell."""
    decided = await _decide(conn)
    assert (decided.state, decided.decided_by, decided.statement) == (ReportState.UPHELD, ONE, "true")
    [record] = await records.list_page(conn, kind=RecordKind.REPORT_DECIDE)
    assert record.detail == {"outcome": "upheld", "target": FAR.id}
    assert await reports.count_waiting(conn) == 0
    with pytest.raises(NotAllowed, match="has been decided"):
        await _decide(conn, AccountId(102))


@pytest.mark.parametrize("by", [HERE.id, FAR.id])
async def test_nobody_decides_what_they_are_part_of(conn: Connection, report: Report, by: AccountId) -> None:
    """Neither who complains nor who is complained of."""
    with pytest.raises(NotAllowed, match="nobody decides"):
        await _decide(conn, by)


async def test_a_decision_needs_an_outcome_and_reasons(conn: Connection, report: Report) -> None:
    """No complaint ends in silence."""
    with pytest.raises(NotAllowed, match="upheld or dismissed"):
        await _decide(conn, outcome=ReportState.WAITING)
    with pytest.raises(NotAllowed, match="statement"):
        await _decide(conn, statement="")
    with pytest.raises(NotFound):
        await reports.get_by_code(conn, "NOSUCHCODE")
    with pytest.raises(NotFound):
        await reports.get(conn, 1)
