"""How one likes to post and read. Kept with the member, under short names of ours."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from msgspec import Struct

from compliance.activity import AccountId

from .. import keys
from ..http.auth import person
from ..http.routes import needs
from ..store import members
from ..store.members import Member
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
    chosen = await load(request, person(request).id)
    return answers.entity(
        entities.Preferences(
            visibility=chosen.visibility,
            sensitive=chosen.sensitive,
            language=chosen.language,
            media=chosen.media,
            spoilers=chosen.spoilers,
        )
    )


async def load(request: web.Request, account_id: AccountId) -> Chosen:
    """What a member has chosen."""
    async with request.app[keys.POOL].acquire() as conn:
        return chosen_by(await members.get(conn, account_id))


def chosen_by(member: Member) -> Chosen:
    """What a member has chosen; values that are not understood count as not chosen."""
    kept = member.preferences
    return Chosen(
        visibility=_one_of(kept.get("visibility"), "public", "unlisted", "private", "direct"),
        sensitive=kept.get("sensitive") is True,
        language=_text(kept.get("language")) or LANGUAGE_OF.get(member.locale, member.locale),
        media=_one_of(kept.get("media"), "default", "show_all", "hide_all"),
        spoilers=kept.get("spoilers") is True,
    )


def _one_of(value: Any, usual: str, *others: str) -> str:
    return value if value in others else usual


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
