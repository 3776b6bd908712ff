"""How one likes to post and read. Kept with the member, under short names of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from msgspec import Struct

from .. import i18n
from ..http.auth import Viewer, person
from ..http.routes import needs
from . import answers, entities

LANGUAGE_OF = {"zh-CN": "zh"}
"""The language somebody most likely writes in, by the one they read the pages in."""


class Chosen(Struct, frozen=True, kw_only=True):
    """What one has chosen, or what is usual."""

    visibility: str
    sensitive: bool
    language: str
    media: str
    spoilers: bool


@needs("read:accounts")
async def show(request: web.Request) -> web.Response:
    """One's choices."""
    mine = chosen_by(person(request))
    return answers.entity(
        entities.Preferences(
            visibility=mine.visibility,
            sensitive=mine.sensitive,
            language=mine.language,
            media=mine.media,
            spoilers=mine.spoilers,
        )
    )


def chosen_by(me: Viewer) -> Chosen:
    """What a person has chosen; values that are not understood count as not chosen."""
    return chosen(me.preferences, me.locale or i18n.DEFAULT)


def chosen(kept: Mapping[str, Any], locale: str) -> Chosen:
    """The same from preferences as they are stored."""
    return Chosen(
        visibility=_one_of(kept.get("visibility"), "public", "unlisted", "private", "direct"),
        sensitive=kept.get("sensitive") is True,
        language=_text(kept.get("language")) or LANGUAGE_OF.get(locale, locale),
        media=_one_of(kept.get("media"), "default", "show_all", "hide_all"),
        spoilers=kept.get("spoilers") is True,
    )


def _one_of(value: Any, usual: str, *others: str) -> str:
    return value if value in others else usual


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
