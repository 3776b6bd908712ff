"""Typed text as HTML: safe, whole, and in the shapes that other servers know."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.activity import Mention, Uri
from server.text.markup import Person, count, fold_tag, handles, render, render_field

from .test_scanner import TYPED

PEOPLE = {
    "bob": Person(Uri("https://here.example/users/bob"), "https://here.example/@bob", "bob@here.example"),
    "Bob@far.example:9001": Person(
        Uri("https://far.example:9001/u/1"), "https://far.example:9001/@Bob", "Bob@far.example:9001"
    ),
    "eve@far.example": Person(Uri("https://far.example/u/2"), 'https://far.example/"><b>', "eve@far.example"),
}


def _tag_url(name: str) -> str:
    return f"https://here.example/tags/{name}"


def _html(text: str) -> str:
    return render(text, mentions=PEOPLE, tag_url=_tag_url).html


def test_paragraphs_and_line_breaks() -> None:
    """Empty lines part paragraphs, however many; others are breaks."""
    assert _html("\none\ntwo\n\n\n\nthree\n") == "<p>one<br>two</p><p>three</p>"
    assert _html(" \n ") == ""


def test_mentions_are_cards_that_other_servers_know() -> None:
    """Mastodon takes `u-url mention` inside `h-card` for a person and opens it in place."""
    expected = (
        '<p>hi <span class="h-card" translate="no"><a href="https://here.example/@bob" class="u-url mention">'
        "@<span>bob</span></a></span>, not @nobody</p>"
    )
    assert expected == _html("hi @bob, not @nobody")


def test_two_people_of_one_name_are_told_apart() -> None:
    """Else a reader cannot see who is meant."""
    html = _html("@bob @bob@far.example:9001")
    assert ">@<span>bob@here.example</span>" in html
    assert ">@<span>Bob@far.example:9001</span>" in html


def test_a_hostile_profile_address_stays_inside_its_attribute() -> None:
    """The page of a remote person is what their server says it is."""
    assert 'href="https://far.example/&quot;&gt;&lt;b&gt;"' in _html("@eve@far.example")


def test_tags_link_to_their_page_as_written() -> None:
    """`rel=tag` is how crawlers and other servers know a tag."""
    page = "https://here.example/tags/言路"
    expected = f'<p><a href="{page}" class="mention hashtag" rel="tag">#<span>言路</span></a>#</p>'
    assert expected == _html("#言路#")


def test_long_links_are_shortened_for_the_eye_only() -> None:
    """The hidden parts are still there for copying, for screen readers, and for servers that show all."""
    expected = (
        '<p><a href="https://www.example.com/very/long/path/that/goes/on?a=1&amp;b=2" rel="nofollow noopener"'
        ' translate="no"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">example.com/very/long/path/tha</span>'
        '<span class="invisible">t/goes/on?a=1&amp;b=2</span></a></p>'
    )
    assert expected == _html("https://www.example.com/very/long/path/that/goes/on?a=1&b=2")


def test_names_and_tags_are_told_once_in_order() -> None:
    """They become rows and notifications: each once, as first written."""
    rendered = render("@bob #A #b @BOB #a @nobody #Ｂ", mentions=PEOPLE, tag_url=_tag_url)
    assert (Mention(uri=PEOPLE["bob"].uri, handle="bob@here.example"),) == rendered.mentions
    assert rendered.tags == ("A", "b")
    assert fold_tag("Ａ") == fold_tag("a")


def test_handles_tells_whom_to_look_up() -> None:
    """Each once, the host in its one spelling."""
    assert handles("@bob @Ann@FAR.example @ann@far.example @Bob") == ["bob", "Ann@far.example"]


def test_a_profile_field_is_one_line_whose_links_claim_the_page() -> None:
    """`rel=me` is what a page links back to, to prove that it is the same person's."""
    rendered = render_field(" <b>\n@bob https://a.example ")
    assert rendered.text == "<b> @bob https://a.example"
    assert rendered.html == (
        '&lt;b&gt; @bob <a href="https://a.example" rel="me nofollow noopener" translate="no">'
        '<span class="invisible">https://</span><span>a.example</span></a>'
    )


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("言路", 2),
        ("👍🏽", 2),
        ("https://a.example/" + "x" * 200, 23),
        ("看https://a.b。", 25),
        ("@bob@far.example:9001 hi", 7),
        ("@bob hi", 7),
        ("a\r\nb\r\n", 3),
    ],
)
def test_count_is_what_the_composer_shows(text: str, length: int) -> None:
    """Page, app and server must agree, or a post that fits is refused."""
    assert length == count(text)


ALLOWED = {
    "p": frozenset[str](),
    "br": frozenset[str](),
    "a": frozenset({"href", "class", "rel", "translate"}),
    "span": frozenset({"class", "translate"}),
}


class _Reader(HTMLParser):
    """Reads HTML as a browser does, and objects to anything that `render` never writes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= ALLOWED[tag]
        for name, value in attrs:
            assert name != "href" or (value or "").startswith(("https://", "http://"))
        if tag == "br":
            self.text += "\n"
        if tag == "p" and self.text:
            self.text += "\n\n"

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


HOSTILE = st.sampled_from(
    ["<", ">", '"', "'", "&", "<script>", "&lt;", "--", "<!--", "@bob", "@eve@far.example", "#t"]
)


@given(st.lists(st.one_of(TYPED, HOSTILE, st.text(max_size=5)), max_size=20).map("".join))
def test_readers_see_exactly_the_words_that_were_typed(text: str) -> None:
    """Nothing of the author's is markup, and nothing is hidden from the gate, which judges `text`."""
    rendered = render(text, mentions=PEOPLE, tag_url=_tag_url)
    reader = _Reader()
    reader.feed(rendered.html)
    reader.close()
    short = re.sub(r"(?i)@(bob@here\.example|bob@far\.example:9001|eve@far\.example)", _user, reader.text)
    assert re.sub(r"(?i)@(bob@far\.example:9001|eve@far\.example)", _user, rendered.text) == short
    assert "<" not in re.sub(r"</?(?:p|br|a|span)(?: [a-z]+=\"[^\"<]*\")*>", "", rendered.html)
    assert unescape(rendered.html).count("<p>") >= (1 if rendered.text else 0)


def _user(found: re.Match[str]) -> str:
    return f"@{found[1].partition('@')[0]}"
