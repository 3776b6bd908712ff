"""Cuts what people type into words, links, handles and tags.

One pass, linear: each character is looked at a bounded number of times, whatever is typed. No word is lost or
added: the pieces joined are the text.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from . import hosts

MAX_URL = 2048
MAX_TAG = 100
_MAX_REMOTE_NAME = 64

# Chinese and Japanese are written without spaces, so a name, tag or link may touch one of these characters.
# It may not touch a letter of an alphabet, or `bob@example.org` would name somebody.
_SOLID = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u3400-\u4dbf"
_SOLID += "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_SOLID_LETTER = re.compile(f"[{_SOLID}]")

# The sign comes first, what stands before it is looked at after: so the search leaps from sign to sign.
# A handle may also follow `//`, the old way of quoting a chain of boosts, but not the `//` of an address.
_START = re.compile(
    rf"""
    [@＠\#＃hH] (?:
        (?<=[@＠]) (?=[A-Za-z0-9_]) (?: (?<![\w/=&@＠\#＃].) | (?<=[{_SOLID}].) | (?<=//.) (?<![\w:]//.) )
      | (?: (?<![\w/=&@＠\#＃].) | (?<=[{_SOLID}].) )
        (?: (?<=[\#＃]) (?=\w) | (?<=[hH]) [tT][tT][pP][sS]?:// (?=[^\s/?\#]) )
    )""",
    re.VERBOSE | re.DOTALL,
)

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,64}(?![A-Za-z0-9_])")
_REMOTE_NAME = re.compile(r"([A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*)[@＠]")

# Inside a tag: the middle dots of foreign names in Chinese and Japanese, the joiners of Persian and Hindi.
_TAG_SIGNS = ("#", "＃")
_TAG_JOINTS = "·・‧\u200c\u200d"
_TAG_RUN = re.compile(rf"[\w{_TAG_JOINTS}\u0300-\u036f]+")

# A link ends in running text at blanks, quotes, brackets that are not ASCII, and Chinese punctuation.
_LINK_RUN = re.compile(
    r"""[^\s\x00-\x1f\x7f<>"`{}|\\^«»·\u2010-\u2027\u2030-\u205e\u3000-\u3004\u3008-\u301f\u3030"""
    r"""\ufe10-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+"""
)
_LINK_TAIL = ".,;:!?'*~_&$=-(["
_CLOSERS = {")": "(", "]": "["}

_LINE_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")
_PARAGRAPHS = re.compile(r"\n{2,}")


class Kind(enum.Enum):
    """What a stretch of text is."""

    WORDS = enum.auto()
    LINK = enum.auto()
    HANDLE = enum.auto()
    TAG = enum.auto()


class Token(NamedTuple):
    """A stretch of text; `value` is a link's address, a handle (`user` or `user@host`) or a tag's name."""

    kind: Kind
    text: str
    value: str


def tidy(text: str) -> str:
    """`text` with one kind of line break, single empty lines, no control characters, no blank ends."""
    text = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _PARAGRAPHS.sub("\n\n", text).strip("\n")


def scan(text: str) -> list[Token]:
    """`text` cut up, in order and without a gap."""
    tokens: list[Token] = []
    done = place = 0
    while found := _START.search(text, place):
        start = found.start()
        kind, read = _READERS[text[start]]
        end, value = read(text, found.end())
        place = end
        if value is None:
            continue
        if start > done:
            tokens.append(Token(Kind.WORDS, text[done:start], ""))
        tokens.append(Token(kind, text[start:end], value))
        done = end
        if kind is Kind.TAG and text.startswith(_TAG_SIGNS, end):
            place += 1  # the second sign of `#言路#` opens no tag
    if done < len(text):
        tokens.append(Token(Kind.WORDS, text[done:], ""))
    return tokens


def _read_link(text: str, start: int) -> tuple[int, str | None]:
    """The end of the link whose scheme ends at `start`, and its address; `None` where it is no link."""
    run = _LINK_RUN.match(text, start, start + MAX_URL + 1)
    host = hosts.read(text, start, run.end()) if run else None
    if run is None or host is None:
        return start, None
    end = _link_end(text, host.end, run.end())
    if end - start > MAX_URL:
        return _skip(text, start), None
    scheme = "https://" if text[start - 4] in "sS" else "http://"
    return end, scheme + host.value + hosts.quoted(text[host.end : end])


def _link_end(text: str, start: int, limit: int) -> int:
    """Where the path that begins at `start` stops being an address and the sentence goes on."""
    if start >= limit or text[start] not in "/?#":
        return start
    opened: list[str] = []
    end = start
    while end < limit:
        letter = text[end]
        if letter in "([":
            opened.append(letter)
        elif letter in _CLOSERS:
            if not opened or opened.pop() != _CLOSERS[letter]:
                break
        elif letter > "\x7f" and not _continues(text, end):
            break
        end += 1
    while end > start + 1 and text[end - 1] in _LINK_TAIL:
        end -= 1
    return end


def _skip(text: str, start: int) -> int:
    """The end of something too long to be a link: it is not searched for shorter ones."""
    whole = _LINK_RUN.match(text, start)
    return whole.end() if whole else start


def _continues(text: str, place: int) -> bool:
    """Whether a letter outside ASCII still belongs to the address before it.

    A Chinese word does as a whole segment (`/wiki/言路`), but not after a Latin letter or a digit:
    then the sentence goes on unspaced (`https://example.org/a这篇`). Browsers copy addresses in ASCII alone.
    """
    letter, before = text[place], text[place - 1]
    if _SOLID_LETTER.match(letter):
        return before in "/=_-(+:~%" or before > "\x7f"
    return letter.isalnum() or unicodedata.category(letter)[0] == "M"


def _read_handle(text: str, start: int) -> tuple[int, str | None]:
    """The end of the handle whose sign ends at `start`, and `user` or `user@host`."""
    far = _REMOTE_NAME.match(text, start)
    if far and len(far[1]) <= _MAX_REMOTE_NAME:
        host = hosts.read_with_port(text, far.end())
        if host is not None:
            return host.end, f"{far[1]}@{host.value}"
    near = _USERNAME.match(text, start)
    if near is None:
        return (far.end() if far else start), None
    return near.end(), near[0]


def _read_tag(text: str, start: int) -> tuple[int, str | None]:
    """The end of the tag whose sign ends at `start`, and its name."""
    run = _TAG_RUN.match(text, start)
    if run is None:
        return start, None
    end = run.end()
    while end < len(text) and unicodedata.category(text[end])[0] in "LMN":
        end += 1  # marks of Indic scripts, which `\w` leaves out
    name = text[start:end].rstrip(_TAG_JOINTS)
    if len(name) > MAX_TAG or not any(unicodedata.category(letter)[0] == "L" for letter in name):
        return end, None
    return start + len(name), name


_READERS: dict[str, tuple[Kind, Callable[[str, int], tuple[int, str | None]]]] = {
    **dict.fromkeys("hH", (Kind.LINK, _read_link)),
    **dict.fromkeys("@＠", (Kind.HANDLE, _read_handle)),
    **dict.fromkeys("#＃", (Kind.TAG, _read_tag)),
}
"""Who reads on from a sign."""
