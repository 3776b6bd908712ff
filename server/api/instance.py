"""What this server is, what it allows, and its rules; for everybody."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from html import escape
from typing import Any

from aiohttp import web

from compliance import agreements
from compliance.agreements import Agreement, Block
from compliance.organisations import POWERS

from .. import drafts, i18n, keys
from ..http import acting
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..media.files import TYPES
from ..pages.assets import ASSETS
from ..settings import Settings
from ..store import accounts, posts
from ..text import markup
from . import answers, entities, render
from .moments import day, stamp

MASTODON = "4.3.0"
"""The version of Mastodon whose client API this is; clients compare it."""
API_VERSION = 1
"""Only as high as what is really served: 2 would promise grouped notifications."""
_SECONDS = 60
_ACTIVE = timedelta(days=30)


@needs(reach=Reach.PUBLIC)
async def v2(request: web.Request) -> web.Response:
    """The server in the present form."""
    return await _kept(request, "v2", _v2)


@needs(reach=Reach.PUBLIC)
async def v1(request: web.Request) -> web.Response:
    """The server in the form of older clients."""
    return await _kept(request, "v1", _v1)


@needs(reach=Reach.PUBLIC)
async def rules(request: web.Request) -> web.Response:
    """The rules."""
    return await _kept(request, "rules", _rules)


@needs(reach=Reach.PUBLIC)
async def privacy(request: web.Request) -> web.Response:
    """What is kept about people, and why."""
    document = await _document(request, "privacy")
    body = {"updated_at": stamp(document.effective_at), "content": _html(document)}
    return answers.shared(render.encode(body), _SECONDS)


@needs(reach=Reach.PUBLIC)
async def terms(request: web.Request) -> web.Response:
    """The agreement between this server and its people."""
    document = await _document(request, "terms")
    body = {
        "effective_date": day(document.effective_at),
        "effective": True,
        "content": _html(document),
        "succeeded_by": None,
    }
    return answers.shared(render.encode(body), _SECONDS)


@needs(reach=Reach.PUBLIC)
async def description(request: web.Request) -> web.Response:
    """More words about the server."""
    settings = request.app[keys.SETTINGS]
    body = {
        "updated_at": stamp(request.app[keys.CLOCK]()),
        "content": f"<p>{escape(settings.site.description)}</p>" if settings.site.description else "",
    }
    return answers.shared(render.encode(body), _SECONDS)


def version() -> str:
    """Mastodon's version for the clients that compare, and ours for the people who read."""
    return f"{MASTODON} (compatible; Yanlu {importlib.metadata.version('yanlu')})"


class Kept:
    """Answers that are made anew once a minute, whoever asks: they cost counting."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, bytes]] = {}

    async def get(self, key: tuple[str, str], now: float, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What is kept under `key`, or what `make` makes."""
        found = self._kept.get(key)
        if found is None or found[0] < now:
            found = self._kept[key] = (now + _SECONDS, await make())
        return found[1]


KEPT = web.AppKey("instance", Kept)


async def _kept(
    request: web.Request, name: str, make: Callable[[web.Request], Awaitable[dict[str, Any] | list[Any]]]
) -> web.Response:
    async def made() -> bytes:
        return render.encode(await make(request))

    now = request.app[keys.CLOCK]().timestamp()
    body = await request.app[KEPT].get((name, locale_of(request)), now, made)
    return answers.shared(body, _SECONDS)


async def _v2(request: web.Request) -> dict[str, Any]:
    settings = request.app[keys.SETTINGS]
    site, origin = settings.site, settings.origin
    async with request.app[keys.POOL].acquire() as conn:
        active = await accounts.count_local(conn, seen_since=request.app[keys.CLOCK]() - _ACTIVE)
    urls = {
        "streaming": _streaming(origin),
        "status": None,
        "about": f"{origin}/about",
        "privacy_policy": f"{origin}/privacy",
        "terms_of_service": f"{origin}/terms",
    }
    shown = {"local": "public", "remote": "public"}
    # There is no such timeline yet; Mastodon has no word for "disabled" on this side of it.
    absent = {"local": "authenticated", "remote": "disabled"}
    return {
        "domain": request.app[keys.URIS].host,
        "title": site.title,
        "version": version(),
        "source_url": f"{origin}/about",
        "description": site.description,
        "wrapstodon": None,
        "usage": {"users": {"active_month": active}},
        "thumbnail": {"url": _picture(request), "description": site.title},
        "icon": [],
        "languages": _languages(settings),
        "configuration": {
            "urls": urls,
            "vapid": {"public_key": ""},
            **_limits(settings),
            "translation": {"enabled": False},
            "timelines_access": {
                "live_feeds": shown,
                "hashtag_feeds": shown,
                "trending_link_feeds": absent,
            },
            "limited_federation": not settings.federation.enabled,
            # No client of Mastodon's looks here; one that knows Yanlu finds how to act for an organisation.
            "yanlu": {
                "organisations": {
                    "acting_for_header": acting.HEADER,
                    "url": f"{origin}/api/yanlu/v1/orgs",
                    "roles": {role.value: sorted(act.value for act in held) for role, held in POWERS.items()},
                }
            },
        },
        "registrations": {
            "enabled": settings.registration.open,
            "approval_required": False,
            "reason_required": False,
            "message": None,
            "min_age": None,
            "url": f"{origin}/register",
        },
        "api_versions": {"mastodon": API_VERSION},
        "contact": {"email": site.contact, "account": None},
        "rules": await _rules(request),
    }


async def _v1(request: web.Request) -> dict[str, Any]:
    settings = request.app[keys.SETTINGS]
    site, origin = settings.site, settings.origin
    async with request.app[keys.POOL].acquire() as conn:
        people = await accounts.count_local(conn)
        written = await posts.count_local(conn)
        hosts = await accounts.count_hosts(conn)
    return {
        "uri": request.app[keys.URIS].host,
        "title": site.title,
        "short_description": site.description,
        "description": site.description,
        "email": site.contact,
        "version": version(),
        "urls": {"streaming_api": _streaming(origin)},
        "stats": {"user_count": people, "status_count": written, "domain_count": hosts},
        "thumbnail": _picture(request),
        "languages": _languages(settings),
        "registrations": settings.registration.open,
        "approval_required": False,
        "invites_enabled": False,
        "configuration": _limits(settings),
        "contact_account": None,
        # Read by clients older than `configuration`.
        "max_toot_chars": settings.posts.max_chars,
        "rules": await _rules(request),
    }


async def _rules(request: web.Request) -> list[Any]:
    """Each item of the rules' list, in the reader's language and all others."""
    texts: dict[str, list[str]] = {}
    async with request.app[keys.POOL].acquire() as conn:
        for locale in i18n.LOCALES:
            current = await agreements.current(conn, locale, now=request.app[keys.CLOCK]())
            texts[locale] = [
                line
                for document in current
                if document.document == "rules"
                for block in agreements.blocks(document.body)
                if block.kind == "list"
                for line in block.lines
            ]
    mine = texts[locale_of(request)]
    return [
        entities.Rule(
            id=str(place + 1),
            text=text,
            translations={
                locale: {"text": lines[place], "hint": ""}
                for locale, lines in texts.items()
                if place < len(lines)
            },
        )
        for place, text in enumerate(mine)
    ]


async def _document(request: web.Request, name: str) -> Agreement:
    async with request.app[keys.POOL].acquire() as conn:
        current = await agreements.current(conn, locale_of(request), now=request.app[keys.CLOCK]())
    return next(document for document in current if document.document == name)


def _html(document: Agreement) -> str:
    return f"<h1>{escape(document.title)}</h1>" + "".join(map(_block, agreements.blocks(document.body)))


def _block(block: Block) -> str:
    lines: Sequence[str] = [escape(line) for line in block.lines]
    match block.kind:
        case "heading":
            return f"<h2>{' '.join(lines)}</h2>"
        case "list":
            return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
        case _:
            return f"<p>{'<br>'.join(lines)}</p>"


def _limits(settings: Settings) -> dict[str, Any]:
    """What may be sent, so that clients can say so before. Videos and polls are not taken: nothing fits."""
    return {
        "accounts": {
            "max_display_name_length": drafts.NAME_LENGTH,
            "max_note_length": drafts.BIO_LENGTH,
            "max_avatar_description_length": 0,
            "max_header_description_length": 0,
            "max_featured_tags": 0,
            "max_pinned_statuses": 0,
            "max_profile_fields": drafts.FIELDS,
            "profile_field_name_limit": drafts.FIELD_LENGTH,
            "profile_field_value_limit": drafts.FIELD_LENGTH,
        },
        "statuses": {
            "max_characters": settings.posts.max_chars,
            "max_media_attachments": settings.posts.max_media,
            "characters_reserved_per_url": markup.URL_WEIGHT,
            "supported_mime_types": ["text/plain"],
        },
        "media_attachments": {
            "supported_mime_types": [*TYPES.values(), "image/avif", "image/heic", "image/heif"],
            "description_limit": drafts.ALT_LENGTH,
            "image_size_limit": settings.media.max_image_bytes,
            "image_matrix_limit": settings.media.max_pixels,
            "video_size_limit": 0,
            "video_frame_rate_limit": 0,
            "video_matrix_limit": 0,
        },
        "polls": {
            "max_options": 0,
            "max_characters_per_option": 0,
            "min_expiration": 0,
            "max_expiration": 0,
        },
    }


def _languages(settings: Settings) -> list[str]:
    return [part.strip() for part in settings.site.languages.split(",") if part.strip()]


def _streaming(origin: str) -> str:
    return f"ws{origin.removeprefix('http')}"


def _picture(request: web.Request) -> str:
    return f"{request.app[keys.SETTINGS].origin}{request.app[ASSETS].path('seal.svg')}"
