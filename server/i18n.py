"""The languages people read here: the catalogues, the choice of one, and how numbers and times are written.

English is the message id, so a missing catalogue still reads. Catalogues are gettext's and read once; no
other locale data is needed at run time.
"""

from __future__ import annotations

import functools
import gettext
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

LOCALES: Final = ("zh-CN", "en")
DEFAULT: Final = "zh-CN"
DOMAIN: Final = "yanlu"
_FOLDER: Final = Path(__file__).parent / "locale"
_STEPS: Final = {
    "zh-CN": ((100_000_000, 100_000_000, "亿"), (10_000, 10_000, "万")),
    "en": ((1_000_000_000, 1_000_000_000, "B"), (1_000_000, 1_000_000, "M"), (10_000, 1000, "K")),
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@functools.cache
def catalogue(locale: str) -> gettext.NullTranslations:
    """The messages of `locale`; English has none, since its words are the ids."""
    if locale == "en":
        return gettext.NullTranslations()
    folder = locale.replace("-", "_")
    return gettext.translation(DOMAIN, _FOLDER, languages=[folder], fallback=True)


def mark(message: str) -> str:
    """`message` itself, marked for the catalogues because it is translated somewhere else."""
    return message


def translate(locale: str, message: str, values: Mapping[str, object] | None = None) -> str:
    """`message` in the words of `locale`, with `values` filled in."""
    said = catalogue(locale).gettext(message) if message else ""
    return said % values if values else said


def translate_count(
    locale: str, one: str, many: str, count: int, values: Mapping[str, object] | None = None
) -> str:
    """The form of a message that fits `count`, which is filled in as `%(count)s`."""
    return catalogue(locale).ngettext(one, many, count) % {"count": number(locale, count), **(values or {})}


def choose(account: str | None, cookie: str | None, accept_language: str | None) -> str:
    """The language to answer in: the account's own, then the cookie's, then what the browser asks for."""
    for wish in (account, cookie):
        if wish in LOCALES:
            return wish
    return _negotiate(accept_language or "")


@functools.lru_cache(512)
def _negotiate(header: str) -> str:
    best, weight = DEFAULT, 0.0
    for part in header[:200].split(","):
        tag, _, parameter = part.partition(";")
        quality = _quality(parameter)
        locale = _match(tag.strip().lower())
        if locale and quality > weight:
            best, weight = locale, quality
    # Somebody who names languages, none of them ours, most likely reads English sooner than Chinese.
    return best if weight or not header.strip(" *") else "en"


def _match(tag: str) -> str | None:
    return {"zh": "zh-CN", "en": "en"}.get(tag.partition("-")[0])


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def number(locale: str, count: int) -> str:
    """A count, short: `1.2万` or `12K` where it is long, grouped where it is not."""
    for least, scale, unit in _STEPS[locale]:
        if count >= least:
            short = f"{count / scale:.1f}" if count < 10 * scale else str(count // scale)
            return short.removesuffix(".0") + unit
    return f"{count:,}"


def ago(locale: str, moment: datetime, now: datetime) -> str:
    """How long ago, in a word, for less than a week; else the day."""
    seconds = int((now - moment).total_seconds())
    if seconds < 60:
        return translate(locale, mark("now"))
    if seconds < 3600:
        return translate(locale, mark("%(count)dm"), {"count": seconds // 60})
    if seconds < 86_400:
        return translate(locale, mark("%(count)dh"), {"count": seconds // 3600})
    if seconds < 7 * 86_400:
        return translate(locale, mark("%(count)dd"), {"count": seconds // 86_400})
    return day(locale, moment, now)


def day(locale: str, moment: datetime, now: datetime) -> str:
    """`11月24日` or `Nov 24`, with the year where it is another one."""
    if locale == "zh-CN":
        words = f"{moment.month}月{moment.day}日"
        return words if moment.year == now.year else f"{moment.year}年{words}"
    words = f"{_MONTHS[moment.month - 1]} {moment.day}"
    return words if moment.year == now.year else f"{words}, {moment.year}"


def full(locale: str, moment: datetime, now: datetime) -> str:
    """The whole moment, for a tooltip and for records: day and time, in UTC."""
    year = f"{moment.year}年" if locale == "zh-CN" else ""
    words = day(locale, moment, now)
    if year and moment.year == now.year:
        words = year + words
    elif not year and moment.year == now.year:
        words = f"{words}, {moment.year}"
    return f"{words} {moment:%H:%M} UTC"
