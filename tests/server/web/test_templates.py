"""Templates with made-up people: what a post must look like to machines, and that nobody's words become
markup.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import lxml.html
import pytest
from lxml.html import HtmlElement

from compliance.activity import Visibility
from server import i18n
from server.pages import cards, environment, wording
from server.pages.assets import Assets
from server.pages.render import Pages, local_path
from server.settings import Settings
from server.store.model import Entry, FieldView, PostFlags
from tests.fixtures import gallery
from tests.fixtures.gallery import LIN, MO, NOW, Shelf, clock

SLY = "<script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(Assets(), Settings(origin=gallery.ORIGIN), clock)


def _with(page: HtmlElement, *classes: str) -> list[HtmlElement]:
    """The elements that have all of these classes."""
    return [found for found in page.iter() if set(classes) <= set((found.get("class") or "").split())]


def _article(pages: Pages, shown: Entry, *, member: bool = True) -> HtmlElement:
    shelf = Shelf("en", "light", pages)
    me = MO if member else None
    card = shelf.cards.one(shown, "en", me)
    text = pages.macro("en", "components/post.html", "post", card, shelf.frame(me=me), "", 1)
    return lxml.html.fromstring(str(text))


@pytest.mark.parametrize("locale", i18n.LOCALES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_the_gallery_renders(pages: Pages, locale: str, theme: str) -> None:
    """An unknown name in a template is an error here, not a hole in a page."""
    for name, template, context in Shelf(locale, theme, pages).all():
        page = lxml.html.fromstring(pages.render(locale, template, context))
        assert locale == page.get("lang"), name
        assert 1.0 == page.xpath("count(//h1)"), name
        assert 1.0 == page.xpath("count(//main[@id='main'])"), name
        ids = [str(each.get("id")) for each in page.iter() if each.get("id")]
        assert sorted(set(ids)) == sorted(ids), name
        assert [] == page.xpath("//*[@style]"), name
        assert [] == page.xpath("//script[not(@src)]"), name
        assert [] == page.xpath("//@*[starts-with(name(), 'on')]"), name


def test_a_post_is_an_h_entry(pages: Pages) -> None:
    """Tests, other programs and assistive tools find their way by these names (design, section 12)."""
    article = _article(pages, Entry(gallery.MORNING, PostFlags()))
    assert "article" == article.tag
    assert {"post", "h-entry"} <= set(article.get("class").split())
    assert (f"p-{gallery.MORNING.id}", "-1", "1") == (
        article.get("id"),
        article.get("tabindex"),
        article.get("aria-posinset"),
    )
    assert 1 == len(_with(article, "p-author", "h-card"))
    assert 1 == len(_with(article, "e-content"))
    assert [f"/@lin/{gallery.MORNING.id}"] == article.xpath(".//span[@class='when']/a[@class='u-url']/@href")
    assert ["2026-11-24T11:57:00Z"] == article.xpath(".//time[@class='dt-published']/@datetime")
    picture = _with(article, "u-photo")[0]
    assert ("1200", "800") == (picture.get("width"), picture.get("height"))


def test_a_warning_is_a_disclosure(pages: Pages) -> None:
    """Nothing public needs a script to be read."""
    article = _article(pages, Entry(gallery.WARNED, PostFlags()), member=False)
    details = _with(article, "cw")[0]
    assert "《站台》剧透" == _with(details, "p-summary")[0].text
    assert _with(details, "e-content")


def test_a_name_in_a_post_leads_to_its_page_here(pages: Pages) -> None:
    """Whoever reads here stays here."""
    article = _article(pages, Entry(gallery.ARABIC, PostFlags()))
    assert ["/@lin"] == article.xpath(".//a[@class='u-url mention']/@href")
    assert "ar" == _with(article, "e-content")[0].get("lang")


def test_five_acts_are_buttons_with_their_state(pages: Pages) -> None:
    """Reply, boost, favourite, bookmark, more: always in sight."""
    article = _article(pages, Entry(gallery.TAGGED, PostFlags(liked=True)))
    pressed = {
        button.get("formaction").rpartition("/")[2]: button.get("aria-pressed")
        for button in article.xpath(".//button[@formaction]")
    }
    assert {"boost": "false", "unlike": "true", "bookmark": "false"} == pressed


def test_a_direct_post_cannot_be_boosted(pages: Pages) -> None:
    """The button is there and says so, the server would refuse in any case."""
    private = gallery.post(1, LIN, "<p>x</p>", timedelta(0), visibility=Visibility.DIRECT)
    [button] = _with(_article(pages, Entry(private, PostFlags())), "act", "boost")
    assert button.get("disabled") is not None


def test_nobodys_words_become_markup(pages: Pages) -> None:
    """Names, fields, warnings, descriptions, labels, apps and tags are plain text everywhere (rule F2)."""
    sly = gallery.account(666, "sly", SLY, SLY, fields=(FieldView(SLY, SLY, SLY),))
    post = gallery.post(
        6666,
        sly,
        SLY,
        timedelta(minutes=1),
        spoiler=SLY,
        media=(gallery.picture(1, alt=SLY),),
        labels=(SLY,),
        app=(SLY, None),
        tags=(SLY,),
    )
    shelf = Shelf("en", "light", pages)
    card = shelf.cards.one(Entry(post, PostFlags()), "en", sly, focus=True)
    frame = shelf.frame(me=sly, flash=SLY, here=f"/{SLY}")
    profile = pages.render(
        "en",
        "web/profile.html",
        {
            "ui": frame,
            "account": sly,
            "full_handle": SLY,
            "front_name": "",
            "bio": SLY,
            "mine": True,
            "relation": None,
            "tab": "posts",
            "cards": [card],
            "newer": f"/?{SLY}",
            "older": "",
        },
    )
    thread = pages.macro("en", "components/post.html", "focus", card, frame)
    for text in (profile, str(thread)):
        page = lxml.html.fromstring(text)
        assert [] == page.xpath("//script[not(@src)]")
        assert [] == page.xpath("//@onerror")
        assert "49" not in text.replace("249", "")


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ('<p onclick="x()">a</p>', "<p>a</p>"),
        ('<a href="javascript:x()" class="mention evil">a</a>', '<a class="mention">a</a>'),
        ("<svg><script>x()</script></svg><style>p{}</style>", ""),
        ('<a href="https://a.example" rel="tag" class="hashtag mention">#a</a>', None),
        ('<img src="https://a.example/p.png">', ""),
        ("<ruby>字<rt>zì</rt></ruby>", None),
    ],
)
def test_stored_html_is_cleaned_once_more(html: str, clean: str | None) -> None:
    """What was stored is not trusted for ever."""
    assert (html if clean is None else clean) == str(environment.clean(html))


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/home", "/home"),
        ("/@lin/1#p-1", "/@lin/1#p-1"),
        ("/tags/%E8%A5%BF", "/tags/%E8%A5%BF"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
        ("evil", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_a_form_leads_to_our_own_pages_only(path: str, kept: str) -> None:
    """No open redirect, however a browser reads it (rule E11)."""
    assert kept == local_path(path)


def test_marked_words_may_overlap_and_overrun() -> None:
    """Rules match where they match."""
    assert [(False, "a"), (True, "bc"), (True, "d"), (False, "e")] == wording.marked(
        "abcde", [(1, 3), (2, 4), (9, 12)]
    )
    assert [] == wording.marked("", [(0, 1)])


def test_replies_are_nested_to_a_depth_that_a_phone_can_show() -> None:
    """Deeper ones stay at the last step."""
    shelf = Shelf("en", "light", Pages(Assets(), Settings(origin=gallery.ORIGIN), clock))
    nested = cards.nest(shelf.feed(None, *gallery.REPLIES), gallery.MORNING.id, most=1)
    assert [0, 1, 1, 0] == [depth for depth, _ in nested]


def test_the_gallery_is_written(tmp_path: Path) -> None:
    """Whoever works on the looks needs it to work."""
    gallery.write(tmp_path)
    assert (tmp_path / "welcome.zh-CN.dark.html").exists()
    assert NOW == clock()
