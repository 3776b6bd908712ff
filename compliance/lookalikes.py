"""How a name looks, whatever characters it is written with; and what in a name looks like a mark.

The skeleton of UTS #39 makes one of characters that look alike (`texts/confusables.txt`); folding takes away
case, width, accents, invisible characters and the difference between traditional and simplified ones. What is
no letter and no digit counts for nothing, nor does a word at either end that only says "the real one". Two
texts that share a skeleton may be taken for each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from .folding import fold

MOST_CHARS = 300
"""As much of a name as is looked at: no name of ours is longer, and nobody reads on."""

_REAL = (
    *("官方账号", "官方微博", "官方认证", "认证账号", "已认证", "官方", "官微", "官博", "认证"),
    *("official account", "verified account", "official", "certified", "verified"),
)
"""What a name may say before or after itself and still be taken for the same one."""

_SIGNS = (
    "✓✔☑✅⍻🗸🗹\U00010102\U0001fbb1🔵㊓㊔㊣㈴"  # ticks, the disc, and ideographs in circles that read as seals
    "Ⓥⓥ🅥🆅🅅🄥"
    "\U0001f201\U0001f202\U0001f210-\U0001f23b"  # ideographs in squares: just what a seal is
)
_SIGN = re.compile(
    f"(?:[{_SIGNS}]|√(?![0-9A-Za-z(])|[政媒企社机機名认認证證官VvＶｖ][\ufe0e\ufe0f]?[\u20dd-\u20e0\u20e2-\u20e4])"
    "[\ufe0e\ufe0f\u20dd-\u20e4]*"
)

_EMOJI = re.compile(r":([A-Za-z0-9_+-]{2,60}):")
_EMOJI_CLAIM = re.compile(
    "verif|certif|official|ren_?zheng|guan_?fang|blue_?(?:check|tick|badge|v\\b)|check_?mark"
    "|(?:^|_)(?:tick|badge|checked|check)(?:$|[_0-9])"
)

_BY_CATEGORY = {
    category: "".join(chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == category)
    for category in ("Ps", "Pe", "Pi", "Pf")
}
_SQUARE_OPEN, _SQUARE_CLOSE = "【〖〔［[〚⟦⁅❲︻﹇〘﹝", "】〗〕］]〛⟧⁆❳︼﹈〙﹞"
_OPEN = f'{_BY_CATEGORY["Ps"]}{_BY_CATEGORY["Pi"]}<＜﹤|｜"＂'
_CLOSE = f'{_BY_CATEGORY["Pe"]}{_BY_CATEGORY["Pf"]}>＞﹥|｜"＂'
_BRACKETED = re.compile(
    f"[{re.escape(_OPEN)}]([^{re.escape(_OPEN)}{re.escape(_CLOSE)}]{{1,40}})[{re.escape(_CLOSE)}]"
)
_CLAIM = re.compile(
    "(?:已|已经|经|平台|微博|实名|官方|个人|机构|企业|政府|政务|媒体|蓝|黄|金|大|加)*"
    "(?:官方|官微|官博|官方微博|认证|认证账号|认证用户|官方账号|政务号|[蓝黄金大加]v|v认证)"
    "|(?:the |an? )?(?:officially |official )?(?:official|verified|certified|authenticated)"
    "(?: (?:account|user|page|profile))?"
)
_SEAL = re.compile("[政媒企社机外名]")
_BARE_CLAIM = re.compile(
    "(?:官方|平台|微博|已|已经)(?:实名)?(?:认证|認證)|officially verified|verified account", re.I
)
_LEET = str.maketrans("0134|!", "oieaii")
"""Digits and strokes as they are read in the middle of a word."""

FIELD = "认证 Certified"
"""The row of a profile's table under which this server says what it certified."""
_FIELDS = (
    "认证",
    "已认证",
    "官方认证",
    "平台认证",
    "认证信息",
    "certified",
    "certification",
    "verified",
    FIELD,
)


def skeletons(text: str) -> frozenset[str]:
    """The ways in which `text` looks; none for a text of one character, or of signs only.

    There are up to two, since a capital I looks like an l, and is also read as the i that it is.
    """
    return frozenset(one for one in map(_core, _looks(text)) if len(one) > 1)


def find_sign(name: str) -> tuple[int, int] | None:
    """Where in a name something looks like a mark: a tick, a badge, a seal."""
    return next(_signs(name), None)


def find_claim(name: str) -> tuple[int, int] | None:
    """Where a name says of itself that it is certified, or official in brackets."""
    return next(_claims(name), None)


def without_marks(name: str) -> str:
    """A name as it is shown of somebody for whom another server speaks: without what looks like a mark."""
    if name.isascii() and not _ASCII_HINT.search(name):
        return name
    spans = sorted([*_signs(name), *_claims(name)])
    if not spans:
        return name
    kept, at = [], 0
    for start, end in spans:
        kept.append(name[at : max(start, at)])
        at = max(end, at)
    return " ".join("".join([*kept, name[at:]]).split())


def is_certification_field(name: str) -> bool:
    """Whether a row of a profile's table has the name under which certifications stand."""
    return not _looks(without_marks(name) or name).isdisjoint(_field_looks())


_ASCII_HINT = re.compile(r"[:\[(<{]|(?i:verified)")


def _signs(name: str) -> Iterator[tuple[int, int]]:
    for found in _SIGN.finditer(name):
        yield found.span()
    for found in _EMOJI.finditer(name):
        code = found[1].lower().replace("-", "_")
        if _EMOJI_CLAIM.search(code) or _EMOJI_CLAIM.search(code.translate(_LEET)):
            yield found.span()
    for found in _BRACKETED.finditer(name):
        if found[0][0] in _SQUARE_OPEN and _SEAL.fullmatch(fold(found[1])):
            yield found.span()


def _claims(name: str) -> Iterator[tuple[int, int]]:
    for found in _BRACKETED.finditer(name):
        if any(_CLAIM.fullmatch(look) for look in _read(found[1])):
            yield found.span()
    bare = [found.span() for found in _BARE_CLAIM.finditer(name)]
    yield from bare
    if not bare and any(map(_BARE_CLAIM.search, _read(name[:MOST_CHARS]))):
        yield 0, len(name)  # in other characters: no part of the name stands for the words


def _read(text: str) -> set[str]:
    """A text as somebody reads it, spaces between words kept."""
    folded = fold(text)
    looks = {folded, fold(_alike(folded)), fold(_alike(unicodedata.normalize("NFKD", text)))}
    return looks | {folded.translate(_LEET)}


@lru_cache(maxsize=4_096)
def _looks(text: str) -> frozenset[str]:
    text = text[:MOST_CHARS]
    return frozenset({_settled(fold(text)), _settled(unicodedata.normalize("NFKD", text))} - {""})


def _settled(text: str) -> str:
    # What a character looks like may have a capital, or look like something else once it is folded.
    for _ in range(3):
        before, text = text, fold(_alike(text))
        if text == before:
            break
    return "".join(filter(str.isalnum, text))


def _core(look: str) -> str:
    """A look without the words at its ends that say nothing."""
    while True:
        for word in _real_looks():
            if look.startswith(word) and len(look) > len(word) + 1:
                look = look.removeprefix(word)
                break
            if look.endswith(word) and len(look) > len(word) + 1:
                look = look.removesuffix(word)
                break
        else:
            return look


def _alike(text: str) -> str:
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    """What each character looks like, by UTS #39."""
    table: dict[int, str] = {}
    for line in files(__package__).joinpath("texts/confusables.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            target, _, sources = line.partition("\t")
            look = "".join(chr(int(code, 16)) for code in target.split())
            table |= {int(code, 16): look for code in sources.split()}
    # White letters on a disc or a square, and those that flags are made of, have no decomposition.
    for first in (0x1F150, 0x1F170, 0x1F1E6):
        table |= {first + place: chr(ord("a") + place) for place in range(26)}
    for small, letter in zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True):
        table.setdefault(ord(small), letter)
    return table


@cache
def _real_looks() -> tuple[str, ...]:
    return tuple(sorted({look for word in _REAL for look in _looks(word)}, key=len, reverse=True))


@cache
def _field_looks() -> frozenset[str]:
    return frozenset(look for name in _FIELDS for look in _looks(name))
