"""Versions of rule sets: imported, put in force by somebody, never edited."""

from __future__ import annotations

import msgspec
import pytest

from compliance import records, wordlists
from compliance.activity import AccountId
from compliance.connection import Connection
from compliance.errors import InvalidRules, NotFound
from compliance.records import RecordKind

from .build import NOW, SOURCE, ids

BY = AccountId(5)


def _text(pattern: str = "x", **of_list: object) -> str:
    content = {"category": "c", "rules": [{"pattern": pattern}], "basis": "12.1"} | of_list
    return msgspec.json.encode({"name": "n", "version": "v1", "lists": {"l": content}}).decode()


async def _import(conn: Connection, text: str) -> int:
    return await wordlists.import_(conn, text, by=BY, source=SOURCE, now=NOW, new_id=ids())


async def _activate(conn: Connection, version: int) -> None:
    await wordlists.activate(conn, version, by=BY, source=SOURCE, now=NOW, new_id=ids())


async def test_a_new_server_has_no_rules(conn: Connection) -> None:
    """The product ships no list that is on."""
    book = await wordlists.load_active(conn)
    assert (book.version, book.matcher.find("anything", lambda _: True)) == (0, [])
    assert await wordlists.active_version(conn) == 0


async def test_one_version_is_in_force_at_a_time(conn: Connection) -> None:
    """And who put it there is recorded, with what it took the place of."""
    first, second = await _import(conn, _text("one")), await _import(conn, _text("two"))
    await _activate(conn, first)
    await _activate(conn, second)
    book = await wordlists.load_active(conn)
    assert (book.version, len(book.matcher.find("one two", lambda _: True))) == (second, 1)
    listed = await wordlists.list_(conn)
    assert [(one.version, one.active, one.activated_by) for one in listed] == [
        (second, True, BY),
        (first, False, BY),
    ]
    assert [one.version for one in await wordlists.list_(conn, before=second, limit=1)] == [first]
    await _activate(conn, first)
    assert await wordlists.active_version(conn) == first
    await wordlists.deactivate(conn, by=BY, source=SOURCE, now=NOW, new_id=ids())
    assert await wordlists.active_version(conn) == 0
    details = [record.detail for record in await records.list_page(conn, kind=RecordKind.RULES_ACTIVATE)]
    assert details == [{"before": first}, {"before": second}, {"before": first}, {"before": 0}]
    [imported, _] = await records.list_page(conn, kind=RecordKind.RULES_IMPORT)
    assert imported.detail == {"name": "n", "label": "v1", "rules": 1}


async def test_what_is_wrong_is_not_kept(conn: Connection) -> None:
    """The set before it stays in force."""
    with pytest.raises(InvalidRules, match="line 1"):
        await _import(conn, _text(colour="red"))
    assert await wordlists.list_(conn) == []


async def test_rules_without_a_basis_are_not_put_in_force(conn: Connection) -> None:
    """Whoever is stopped by one is owed the reason."""
    text = msgspec.json.encode(
        {"name": "n", "version": "1", "lists": {"l": {"category": "c", "rules": [{"pattern": "x"}]}}}
    ).decode()
    version = await _import(conn, text)
    with pytest.raises(InvalidRules, match="no `basis`, such as l/x"):
        await _activate(conn, version)
    assert await wordlists.active_version(conn) == 0


async def test_a_version_that_is_not_there_is_not_put_in_force(conn: Connection) -> None:
    """And the one that is stays."""
    version = await _import(conn, _text())
    await _activate(conn, version)
    with pytest.raises(NotFound):
        await _activate(conn, version + 1)
    assert await wordlists.active_version(conn) == version
