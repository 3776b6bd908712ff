"""The mark beside a name: what it looks like to eyes and to machines, and where it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import lxml.html
import msgspec
import pytest
from lxml.html import HtmlElement

from compliance.classes import CertClass
from server.pages.assets import Assets
from server.pages.render import Pages
from server.pages.seals import SEALS
from server.settings import Settings
from server.store.model import AccountView, Entry, Mark, PostFlags
from tests.fixtures import gallery
from tests.fixtures.gallery import JO, MO, NOW, Shelf, clock


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(Assets(), Settings(origin=gallery.ORIGIN), clock)


def marked(account: AccountView, class_: CertClass, label: str = "示范单位", **changes: Any) -> AccountView:
    mark = Mark(
        class_=class_,
        label=label,
        certified_at=NOW - timedelta(days=10),
        expires_at=NOW + timedelta(days=355),
    )
    return msgspec.structs.replace(account, mark=msgspec.structs.replace(mark, **changes))


def drawn(pages: Pages, file: str, macro: str, *values: Any) -> HtmlElement:
    return lxml.html.fragment_fromstring(
        str(pages.macro("en", f"components/{file}.html", macro, *values)), create_parent=True
    )


GLYPHS = {
    CertClass.GOVERNMENT: ("政", "state"),
    CertClass.MEDIA: ("媒", "state"),
    CertClass.ENTERPRISE: ("企", "organisation"),
    CertClass.SOCIAL: ("社", "organisation"),
    CertClass.INSTITUTION: ("机", "organisation"),
    CertClass.FOREIGN: ("外", "organisation"),
    CertClass.INDIVIDUAL: ("名", "person"),
}


def test_every_class_has_a_seal() -> None:
    assert set(SEALS) == set(CertClass) == set(GLYPHS)


@pytest.mark.parametrize("class_", CertClass)
def test_a_seal_says_what_was_certified(pages: Pages, class_: CertClass) -> None:
    [seal] = drawn(pages, "seal", "seal", marked(MO, class_)).xpath(".//a[contains(@class, 'certified')]")
    glyph, kind = GLYPHS[class_]
    assert seal.get("class") == f"certified {kind}"
    assert seal.get("href") == f"/@{MO.handle}/certification"
    assert seal.xpath("string(.//*[@aria-hidden='true'])") == glyph
    assert seal.xpath("string(.//*[@class='out-of-sight'])") == seal.get("title") == "Certified: 示范单位"


def test_what_another_server_vouches_for_is_outlined_and_named(pages: Pages) -> None:
    account = marked(JO, CertClass.MEDIA, host="garden.example")
    [seal] = drawn(pages, "seal", "seal", account).xpath(".//a")
    assert seal.get("class") == "certified state elsewhere"
    assert seal.get("title") == "Certified by garden.example: 示范单位"
    line = drawn(pages, "seal", "certified_line", account).text_content()
    assert "示范单位" in line and "by garden.example" in line


def test_a_label_is_words(pages: Pages) -> None:
    account = marked(MO, CertClass.MEDIA, label="<script>x</script>\"' & Co")
    assert not drawn(pages, "seal", "seal", account).xpath(".//script")
    assert not drawn(pages, "seal", "certified_line", account).xpath(".//script")


@pytest.mark.parametrize(
    "account",
    [
        MO,
        marked(MO, CertClass.MEDIA, expires_at=NOW),
        marked(MO, CertClass.MEDIA, certified_at=NOW + timedelta(days=1)),
        marked(MO, CertClass.MEDIA).veiled(),
    ],
)
def test_nothing_is_drawn_where_nothing_holds(pages: Pages, account: AccountView) -> None:
    assert len(drawn(pages, "seal", "seal", account)) == 0
    assert len(drawn(pages, "seal", "certified_line", account)) == 0


def test_it_stands_in_lists_of_people(pages: Pages) -> None:
    row = drawn(pages, "account_row", "account_row", marked(MO, CertClass.ENTERPRISE))
    assert row.xpath("count(.//*[@class='who']//a[contains(@class, 'certified')])") == 1


def test_organisations_are_square_and_people_round(pages: Pages) -> None:
    def shape(account: AccountView) -> str:
        return str(drawn(pages, "avatar", "avatar", account)[0].get("class"))

    assert "squared" in shape(marked(MO, CertClass.ENTERPRISE))
    assert "squared" not in shape(marked(MO, CertClass.INDIVIDUAL))
    assert "squared" not in shape(marked(MO, CertClass.ENTERPRISE, expires_at=NOW))


def test_a_kept_post_loses_and_gains_the_mark_of_its_author(pages: Pages) -> None:
    shelf = Shelf("en", "light", pages)

    def seals(author: AccountView) -> int:
        post = msgspec.structs.replace(gallery.MORNING, account=author)
        card = shelf.cards.one(Entry(post, PostFlags()), "en", None)
        return str(card.inner).count('class="certified')

    author = gallery.MORNING.account
    assert [seals(author), seals(marked(author, CertClass.MEDIA)), seals(author)] == [0, 1, 0]


def test_a_boost_shows_who_boosted_with_the_mark(pages: Pages) -> None:
    shelf = Shelf("en", "light", pages)
    booster = marked(MO, CertClass.SOCIAL)
    boost = msgspec.structs.replace(gallery.MORNING, account=booster, boost_of=gallery.MORNING)
    card = shelf.cards.one(Entry(boost, PostFlags()), "en", None)
    text = pages.macro("en", "components/post.html", "post", card, shelf.frame(me=None), "", 1)
    found = lxml.html.fromstring(str(text))
    assert found.xpath("count(//*[@class='why']//a[contains(@class, 'certified')])") == 1
