"""What clients ask for at start although nobody here can have any of it yet: the empty list is the truth.

Each of these goes when its feature comes. What is not listed here and not served is 404, in Mastodon's form.
"""

from __future__ import annotations

from aiohttp import web

from ..http.routes import Route, get, needs
from . import answers, render

_ACCEPTED = (
    "for_not_following",
    "for_not_followers",
    "for_new_accounts",
    "for_private_mentions",
    "for_limited_accounts",
)


def _empty(path: str, *scopes: str, optional: bool = False) -> Route:
    @needs(*scopes, optional=optional)
    async def none(request: web.Request) -> web.Response:
        """Nothing, truly: there are none of these on this server yet."""
        return answers.none()

    return get(path, none)


@needs("read:notifications")
async def policy(request: web.Request) -> web.Response:
    """Which notices are kept apart: none are, so nothing waits."""
    summary = {"pending_requests_count": 0, "pending_notifications_count": 0}
    return answers.json(render.encode(dict.fromkeys(_ACCEPTED, "accept") | {"summary": summary}))


@needs()
async def translations(request: web.Request) -> web.Response:
    """Which languages are translated into which: none."""
    return answers.empty()


routes = [
    _empty("/api/v1/custom_emojis"),
    _empty("/api/v1/announcements", "read"),
    _empty("/api/v1/lists", "read:lists"),
    _empty("/api/v1/accounts/{id}/lists", "read:lists"),
    _empty("/api/v1/filters", "read:filters"),
    _empty("/api/v2/filters", "read:filters"),
    _empty("/api/v1/followed_tags", "read:follows"),
    _empty("/api/v1/featured_tags", "read:accounts"),
    _empty("/api/v1/accounts/{id}/featured_tags", "read:accounts", optional=True),
    _empty("/api/v1/endorsements", "read:accounts"),
    _empty("/api/v1/domain_blocks", "read:blocks"),
    _empty("/api/v1/notifications/requests", "read:notifications"),
    _empty("/api/v1/trends", "read", optional=True),
    _empty("/api/v1/trends/tags", "read", optional=True),
    _empty("/api/v1/trends/statuses", "read", optional=True),
    _empty("/api/v1/trends/links", "read", optional=True),
    _empty("/api/v1/suggestions", "read"),
    _empty("/api/v2/suggestions", "read", "read:accounts"),
    get("/api/v2/notifications/policy", policy),
    get("/api/v1/instance/translation_languages", translations),
]
