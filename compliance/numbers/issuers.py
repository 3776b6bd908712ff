"""Who issues passports, by the codes that are printed in them: ISO 3166-1 alpha-3, and what ICAO 9303 adds.

China is not among them, nor are Hong Kong, Macau and Taiwan: their papers have types of their own, and would
be counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple


class Names(NamedTuple):
    """What a state is called."""

    english: str
    chinese: str


def _read() -> dict[str, Names]:
    text = (resources.files("compliance") / "texts" / "issuers.txt").read_text("utf-8")
    lines = (line.split("\t") for line in text.splitlines())
    return {code: Names(english, chinese) for code, english, chinese in lines}


ISSUERS: Mapping[str, Names] = MappingProxyType(_read())
"""By code, in the order of the codes."""
