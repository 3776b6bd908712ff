"""A day and a time that somebody types, in the zone that they choose beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from aiohttp import web

from ..errors import Invalid
from ..http.errors import locale_of
from ..i18n import mark
from .render import say

_ZONES: Final = (("8", mark("Beijing time")), ("0", mark("UTC")))


def zones(request: web.Request) -> list[tuple[str, str]]:
    """The choices."""
    return [(value, say(request, name)) for value, name in _ZONES]


def usual_zone(request: web.Request) -> str:
    """What is chosen before anybody chooses."""
    return "8" if locale_of(request) == "zh-CN" else "0"


def moment_of(typed: str, zone: str) -> datetime:
    """The moment that a form names; raises `Invalid` for what is none."""
    try:
        moment = datetime.fromisoformat(typed.strip())
        offset = timezone(timedelta(hours=int(zone) if zone in dict(_ZONES) else 0))
    except ValueError:
        raise Invalid("Choose a day and a time", field="due_at") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=offset)).astimezone(UTC)
