"""What is found in typed text, and where it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.text.scanner import Kind, scan, tidy

LINKS = [
    # Chinese text around, without spaces.
    ("看https://example.com/path。好", ["https://example.com/path"]),
    ("https://example.com，谢谢", ["https://example.com"]),
    ("https://example.com/a？真的！https://example.com/b（旧）", ["https://example.com/a", "https://example.com/b"]),
    ("看https://example.com这个网站", ["https://example.com"]),
    ("看https://example.com/a这里", ["https://example.com/a"]),
    ("《https://a.example/b》“https://a.example/c”", ["https://a.example/b", "https://a.example/c"]),
    ("https://a.example/b、https://a.example/c", ["https://a.example/b", "https://a.example/c"]),
    # Brackets, and what ends a sentence.
    ("(see https://a.example/c_(d)).", ["https://a.example/c_(d)"]),
    ("[https://a.example/x[1]]", ["https://a.example/x[1]"]),
    ("https://a.example/b?!", ["https://a.example/b"]),
    ('"https://a.example/"', ["https://a.example/"]),
    # Names and paths outside ASCII.
    ("https://例子.中国看这个", ["https://xn--fsqu00a.xn--fiqs8s"]),
    ("http://例子.测试/路径", ["http://xn--fsqu00a.xn--0zwm56d/%E8%B7%AF%E5%BE%84"]),
    ("https://zh.example/wiki/言路_(消歧义)", ["https://zh.example/wiki/%E8%A8%80%E8%B7%AF_(%E6%B6%88%E6%AD%A7%E4%B9%89)"]),
    ("https://a.example/é?q=й", ["https://a.example/%C3%A9?q=%D0%B9"]),
    ("https://a.example/%E4%BD%A0 100%", ["https://a.example/%E4%BD%A0"]),
    # Spelling and ports.
    ("HTTPS://Example.COM:8443/A", ["https://example.com:8443/A"]),
    ("http://localhost:8000/x", ["http://localhost:8000/x"]),
    ("http://127.0.0.1:9001/a", ["http://127.0.0.1:9001/a"]),
    # What is no link.
    ("http://foo/ http://1.2.3/ https:// https://.a", []),
    ("xhttps://no.example and a.b/https://no.example", []),
    ("https://good.example@evil.example/", []),
    ("https://user:secret@evil.example/", []),
    ("javascript:alert(1) ftp://a.example/", []),
    ("https://a.example/" + "x" * 3000, []),
]  # fmt: skip

HANDLES = [
    ("你好@alice，@bob：", ["alice", "bob"]),
    ("@bob@example.com:9001你好", ["bob@example.com:9001"]),
    ("@bob@EXAMPLE.org.", ["bob@example.org"]),
    ("@bob@example.org: hello", ["bob@example.org"]),
    ("@y@例子.中国的人", ["y@xn--fsqu00a.xn--fiqs8s"]),
    ("@x@localhost:8000", ["x@localhost:8000"]),
    ("@ann.lee@example.org", ["ann.lee@example.org"]),
    ("//@carol:转发", ["carol"]),
    ("@dave@example.org/notes", ["dave@example.org"]),
    ("(@eve) @eve's", ["eve", "eve"]),
    ("bob@example.com é@no /@no https://a.example/@no @@no", []),
    ("@ @你好 @-", []),
]

TAGS = [
    ("好#摄影 #a", ["摄影", "a"]),
    ("#言路#真好", ["言路"]),
    ("#2024年 #c++", ["2024年", "c"]),
    ("#阿尔伯特·爱因斯坦·", ["阿尔伯特·爱因斯坦"]),
    ("#नमस्ते #Straße_ #ひらがな・カナ", ["नमस्ते", "Straße_", "ひらがな・カナ"]),
    ("#123 #___ # #· C#语言 a#b &#39; https://a.example/#x", []),
    ("#" + "长" * 101, []),
]


@pytest.mark.parametrize(("text", "found"), LINKS)
def test_links_end_where_the_sentence_goes_on(text: str, found: list[str]) -> None:
    """People paste addresses into Chinese sentences without a space; a wrong end is a dead link."""
    assert found == [token.value for token in scan(text) if token.kind is Kind.LINK]


@pytest.mark.parametrize(("text", "found"), HANDLES)
def test_handles_are_found_where_they_are_meant(text: str, found: list[str]) -> None:
    """A missed handle is a reply unread; a wrong one tells a stranger."""
    assert found == [token.value for token in scan(text) if token.kind is Kind.HANDLE]


@pytest.mark.parametrize(("text", "found"), TAGS)
def test_tags_are_words_of_any_script(text: str, found: list[str]) -> None:
    """A tag is a word with a letter in it, in the way of Weibo (`#话题#`) or of everybody else (`#topic`)."""
    assert found == [token.value for token in scan(text) if token.kind is Kind.TAG]


SIGNS = st.sampled_from(
    ["@", "＠", "#", "http://", "https://", "a.example", "例子.中国", ":8000", "/", "(", ")", "。", " ", "\n"]
)
TYPED = st.lists(st.one_of(SIGNS, st.text(max_size=6)), max_size=40).map("".join)


@given(TYPED)
def test_no_word_is_lost_or_added(text: str) -> None:
    """What is judged and what is shown are the same words."""
    assert text == "".join(token.text for token in scan(text))


@given(TYPED)
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    """The source of a post that is edited without a change stays as it is."""
    assert tidy(text) == tidy(tidy(text))


def test_tidy_keeps_words_and_drops_what_cannot_be_seen_or_stored() -> None:
    """Form posts bring CRLF; databases refuse NUL and lone surrogates."""
    assert tidy("\r\n\r\na\x00 \r\n\r\n\r\n \r\nb\ud800\r c \t\n") == "a\n\nb\n c"


@pytest.mark.parametrize(
    "piece",
    [
        "这是一段没有空格的中文", "@", "@a", "@a ", "@a@", "#", "#a", "#·", "https://a.b/ ", "https://a.b/",
        "http://", "https://a.b/(", "https://a.b/)", "https://例子.中国看 ", "https://a.", " ", " a", "\n ",
        "@a-a.", "a@a.",
    ],
)  # fmt: skip
@pytest.mark.timeout(10)
def test_no_text_is_slow(piece: str) -> None:
    """Time grows with the text and no faster: a second here, which would be minutes if squared."""
    text = piece * (600_000 // len(piece))
    assert tidy(text).startswith("".join(token.text for token in scan(tidy(text))))
