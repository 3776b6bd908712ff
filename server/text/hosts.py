"""Host names as people type them, glued to the words around: found, and written as the network wants them."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import idna
from publicsuffixlist import PublicSuffixList

_RUN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_PORT = re.compile(r":([0-9]{1,5})(?![0-9])")
_NUMERIC = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_ASCII = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*")
_PATH_SAFE = re.compile(r"[^\x21-\x7e]|%(?![0-9A-Fa-f]{2})")
_MAX_TYPED = 253
_MAX_LABEL = 63
_MAX_PORT = 65535

# The list's own file, read once at start (25 ms): later it would hold up whoever types the first 中国.
_SUFFIXES = PublicSuffixList(accept_unknown=False, accept_encoded_idn=False, only_icann=True)
_LONGEST_TOP = 12


class Host(NamedTuple):
    """A host found in text: where it ends, and its one spelling: lower case, IDNA, with its port if any."""

    end: int
    value: str


def read(text: str, start: int, limit: int) -> Host | None:
    """The host and port of a link whose scheme ends at `start`; of lone words only `localhost` is a host."""
    host = read_with_port(text, start, limit)
    if host is None or text[host.end : host.end + 1] == "@":
        return None  # a user name in a link serves only to deceive
    name = host.value.partition(":")[0]
    last = name.rpartition(".")[2]
    if "." in name:
        return host if not last.isdigit() or _NUMERIC.fullmatch(name) else None
    return host if name == "localhost" else None


def read_with_port(text: str, start: int, limit: int | None = None) -> Host | None:
    """The host at `start`, and its port; `None` where no host can be read."""
    run = _RUN.match(text, start, min(len(text) if limit is None else limit, start + _MAX_TYPED))
    if run is None or len(run[0]) == _MAX_TYPED:
        return None
    typed = _cut(run[0])
    value = normal(typed)
    if value is None:
        return None
    end = start + len(typed)
    port = _PORT.match(text, end)
    if port and 0 < int(port[1]) <= _MAX_PORT:
        return Host(port.end(), f"{value}:{int(port[1])}")
    return Host(end, value)


@functools.lru_cache(1024)
def normal(typed: str) -> str | None:
    """A host's one spelling, or `None` where it is not a host name."""
    lower = typed.lower()
    if _ASCII.fullmatch(lower):
        return lower if all(len(label) <= _MAX_LABEL for label in lower.split(".")) else None
    try:
        return idna.encode(typed, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None


def quoted(path: str) -> str:
    """A path, query and fragment in ASCII: what is not is percent-encoded, what is encoded already stays."""
    return _PATH_SAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), path)


def _cut(run: str) -> str:
    """A host without the words that follow it unspaced, as in `example.org你好`.

    A top-level name is either all ASCII or all not; of those that are not, a known one wins over the longest.
    """
    head, dot, last = run.rstrip("-_").rpartition(".")
    if last.isascii():
        return head + dot + last
    if last[0].isascii():
        return head + dot + _leading(last, ascii_=True).rstrip("-_")
    last = _leading(last, ascii_=False)
    known = range(min(len(last), _LONGEST_TOP), 0, -1) if dot else ()
    return head + dot + next((last[:end] for end in known if _SUFFIXES.is_public(last[:end])), last)


def _leading(word: str, *, ascii_: bool) -> str:
    for place, letter in enumerate(word):
        if letter.isascii() != ascii_:
            return word[:place]
    return word
