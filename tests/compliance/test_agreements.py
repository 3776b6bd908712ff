"""Which texts are in force, who accepted which, and that the shipped ones are fit to be read."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from compliance import agreements, records
from compliance.activity import AccountId
from compliance.agreements import DOCUMENTS, LOCALES, Block, Text
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.records import RecordKind

from .build import NOW, SOURCE, ids

LI = AccountId(1)
NEW = {"zh-CN": Text("规则", "新规则。\n"), "en": Text("Rules", "New rules.\n")}


@pytest.fixture
async def here(conn: Connection) -> Connection:
    await agreements.seed(conn, now=NOW)
    return conn


async def _missing(conn: Connection, **later: float) -> list[tuple[str, int]]:
    now = NOW + timedelta(**later)
    return [(one.document, one.version) for one in await agreements.missing(conn, LI, now=now)]


async def _accept(conn: Connection, versions: dict[str, int] | None = None, **later: float) -> None:
    now = NOW + timedelta(**later)
    await agreements.accept(conn, LI, versions, locale="en", now=now, source=SOURCE, new_id=ids())


async def test_a_new_server_has_all_texts_in_both_languages(here: Connection) -> None:
    """And a second start changes nothing."""
    for locale in LOCALES:
        current = await agreements.current(here, locale, now=NOW)
        assert [(one.document, one.version, one.locale) for one in current] == [
            (d, 1, locale) for d in DOCUMENTS
        ]
    assert await agreements.seed(here, now=NOW + timedelta(days=1)) == 0


async def test_another_language_is_answered_in_one_that_is_there(here: Connection) -> None:
    """Better a text in Chinese than none."""
    assert {one.locale for one in await agreements.current(here, "fr", now=NOW)} == {"zh-CN"}


async def test_what_is_accepted_is_kept_by_version_and_hash(here: Connection) -> None:
    """The hash proves which text it was."""
    assert await _missing(here) == [(document, 1) for document in DOCUMENTS]
    await _accept(here)
    await _accept(here)
    assert await _missing(here) == []
    kept = await here.fetch(
        "select document, version, locale, hash from compliance.acceptance order by document"
    )
    for row in kept:
        read = await agreements.get(here, row["document"], row["version"], row["locale"])
        assert row["hash"] == hashlib.sha256(f"{read.title}\n{read.body}".encode()).digest()
    [record] = await records.list_page(here, kind=RecordKind.AGREEMENT_ACCEPT)
    assert record.detail == {"terms": 1, "rules": 1, "privacy": 1}


async def test_accepting_some_leaves_the_rest(here: Connection) -> None:
    """And a version that does not exist is not accepted."""
    await _accept(here, {"terms": 1, "rules": 9})
    assert await _missing(here) == [("rules", 1), ("privacy", 1)]


async def test_a_new_version_is_asked_for_from_its_day_on(here: Connection) -> None:
    """Announced first; then everybody is asked again, and the old text can still be shown."""
    await _accept(here)
    with pytest.raises(NotAllowed, match="before it was written"):
        await _publish(here, days=-1)
    assert await _publish(here, days=30) == 2
    assert await _missing(here, days=29) == []
    assert await _missing(here, days=30) == [("rules", 2)]
    assert (await agreements.current(here, "en", now=NOW + timedelta(days=30)))[1].title == "Rules"
    assert (await agreements.get(here, "rules", 1, "zh-CN")).body.startswith("在本站")
    await _accept(here, {"rules": 2}, days=10)
    assert await _missing(here, days=30) == []
    [record] = await records.list_page(here, kind=RecordKind.AGREEMENT_PUBLISH)
    assert (record.actor_id, record.object) == (5, "rules")


async def _publish(
    conn: Connection, days: float, document: str = "rules", texts: dict[str, Text] = NEW
) -> int:
    return await agreements.publish(
        conn,
        document,
        texts,
        effective_at=NOW + timedelta(days=days),
        by=AccountId(5),
        source=SOURCE,
        now=NOW,
        new_id=ids(),
    )


async def test_a_version_is_of_a_known_document_and_in_every_language(here: Connection) -> None:
    """Nobody is asked to accept what they cannot read."""
    with pytest.raises(NotAllowed):
        await _publish(here, 1, document="oath")
    with pytest.raises(NotAllowed):
        await _publish(here, 1, texts={"en": NEW["en"]})
    with pytest.raises(NotFound):
        await agreements.get(here, "rules", 2, "en")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_shipped_texts_say_the_same_in_both_languages(document: str) -> None:
    """Section for section and item for item."""
    shapes = []
    for locale in LOCALES:
        text = agreements.shipped(document, locale)
        assert text.title
        shapes.append([(block.kind, len(block.lines)) for block in agreements.blocks(text.body)])
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) >= 2


def test_a_body_is_read_as_headings_paragraphs_and_lists() -> None:
    """So that a page can lay it out without a language of markup."""
    assert agreements.blocks("Hello\nworld\n\n## One\n\n- a\n- b\n\n## Two\nText\n") == [
        Block("paragraph", ("Hello", "world")),
        Block("heading", ("One",)),
        Block("list", ("a", "b")),
        Block("heading", ("Two",)),
        Block("paragraph", ("Text",)),
    ]
