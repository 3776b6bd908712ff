"""What a reader is shown is safe, and is exactly what was judged."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from federation import html

PAYLOADS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img/src=`x`onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    "<style>body{background:url(javascript:alert(1))}</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action=//evil.example><input name=password><button>go</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<p onclick=alert(1)>x</p>",
    "<p style='position:fixed;top:0'>x</p>",
    "<p id=composer name=csrf>x</p>",
    "<p data-action=delete hx-get=/logout>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:alert(1)'>x</a>",
    "<a href='blob:https://home.example/x'>x</a>",
    "<a href='/settings/delete'>x</a>",
    "<a href='//evil.example/'>x</a>",
    "<a href='\\\\evil.example'>x</a>",
    "<a href='http:evil'>x</a>",
    "<a href='https://good.example' onclick=alert(1) target=_top ping=//evil.example>x</a>",
    "<a href='https://x.example/\"onmouseover=alert(1) \"'>x</a>",
    "<a href=https://x.example/ rel=opener>x</a>",
    "<p class='sidebar button-danger'>x</p>",
    "<span class='invisible'>hidden words</span>",
    "<p lang='x\" onclick=\"alert(1)'>x</p>",
    "<!-- <script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<!DOCTYPE html><html><head><title>x</title></head><body>y</body></html>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<select><option><img src=x onerror=alert(1)></select>",
    "<table><tr><td>a</td><td>b</td></tr></table>",
    "<marquee behavior=alternate onstart=alert(1)>x</marquee>",
    "</p></div></main><p>x",
    "<p>unclosed <b>bold <i>both",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "a < b && c > d",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "<a href='https://x.example'>outer <a href='https://y.example'>inner</a></a>",
]

_TAG = re.compile(r"<(/?)([a-z0-9]+)((?: [a-z]+=\"[^\"<>]*\")*)>")
_ALLOWED = {
    *("p", "br", "a", "span", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("strong", "em", "del", "ruby", "rt"),
}
_ATTRIBUTE = re.compile(r" ([a-z]+)=\"([^\"]*)\"")


def _require_safe(shown: str) -> None:
    rest = shown
    for tag in _TAG.finditer(shown):
        assert tag[2] in _ALLOWED
        for name, value in _ATTRIBUTE.findall(tag[3]):
            assert name in {"href", "rel", "class", "lang"}
            if name == "href":
                assert unescape(value).lower().startswith(("http://", "https://"))
            if name == "class":
                assert set(value.split()) <= {
                    *("u-url", "mention", "hashtag", "h-card", "invisible", "ellipsis", "quote-inline"),
                }
        rest = rest.replace(tag[0], "")
    assert "<" not in rest


def _words(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_comes_through(payload: str) -> None:
    """Remote HTML is shown on our own origin."""
    clean = html.clean(payload)
    _require_safe(clean.html)
    assert clean == html.clean(clean.html)


@given(st.text(st.sampled_from("<>/&;=\"' \nabpiu") | st.characters(exclude_categories=["C"]), max_size=80))
def test_what_is_shown_is_what_is_judged(raw: str) -> None:
    """No letter may be on the screen that is not in the text, nor the other way round."""
    clean = html.clean(raw)
    _require_safe(clean.html)
    if "<ruby>" in clean.html:
        return
    shown = lxml_html.fragment_fromstring(clean.html, create_parent="div").text_content()
    assert _words(shown) == _words(clean.text)


TEXTS = {
    "<p>one</p><p>two<br>three</p>": "one\n\ntwo\nthree",
    "<ul><li>a</li><li>b</li></ul>": "a\nb",
    "<h1>Title</h1><p>body</p>": "Title\n\nbody",
    "<p>a\n  b</p>": "a b",
    "<pre>a\n  b</pre>": "a\nb",
    "<p>3 &lt; 4 &amp; 5</p>": "3 < 4 & 5",
    "<p><ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp>字<rt>ji</rt></ruby>です</p>": "漢字(kanji)です",
    '<p><a href="https://x.example/a/b"><span class="invisible">https://</span>'
    '<span class="ellipsis">x.example</span><span class="invisible">/a/b</span></a></p>': "https://x.example/a/b",
    "plain words": "plain words",
}


@pytest.mark.parametrize(("raw", "text"), TEXTS.items())
def test_the_text_reads_like_the_page(raw: str, text: str) -> None:
    """Notifications, search and the matcher work on it."""
    assert text == html.clean(raw).text


def test_letters_cannot_be_hidden_from_readers_only() -> None:
    """A span that is hidden here but read by the matcher would split a forbidden word in two."""
    for raw in (
        '<p>for<span class="invisible">x</span>bidden</p>',
        '<p><a href="https://x.example/">for<span class="invisible">x</span>bidden</a></p>',
        '<p><a>for<span class="ellipsis">x</span>bidden</a></p>',
    ):
        clean = html.clean(raw)
        assert "forxbidden" == clean.text
        assert "class" not in clean.html


def test_a_shortened_link_stays_short() -> None:
    """Mastodon's links hide their first and last part."""
    shown = '<span class="invisible">https://</span><span class="ellipsis">x.example/a</span>'
    assert shown in html.clean(f'<a href="https://x.example/a">{shown}</a>').html


@pytest.mark.parametrize(
    "raw",
    ["<blockquote>" * 70 + "x", "<p>" + "x" * html.MAX_HTML, "<b>" * 5000, "<span>" * 2000 + "x"],
    ids=["deep", "long", "many tags", "very deep"],
)
def test_too_much_is_dropped_whole(raw: str) -> None:
    """A failure costs the text, never the request."""
    assert html.Clean("", "") == html.clean(raw)


class PanicException(BaseException):
    """What a fault in the sanitiser's own language looks like here."""


def test_a_sanitiser_that_panics_costs_the_text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has happened to others, with a formula."""

    class Panicking:
        def clean(self, raw: str) -> str:
            raise PanicException

    monkeypatch.setattr(html, "_CLEANER", Panicking())
    assert html.Clean("", "") == html.clean("<p>x</p>")


def test_links_tell_nothing_and_pass_nothing_on() -> None:
    """`rel` is ours, whatever the sender wrote."""
    clean = html.clean('<a href="https://x.example/" rel="me opener" class="u-url evil">x</a>')
    assert '<a href="https://x.example/" rel="nofollow noopener noreferrer" class="u-url">x</a>' == clean.html
