"""Routes and what each of them needs. A route that does not say does not start the server.

A declaration has three parts: who may call (anybody, an app, a person with a scope, a logged-in page visitor,
staff), how often, and which objects the handler may reach. The last one is for readers and for the tests that
try every route with another person's ids.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from aiohttp import hdrs, web

from ..store.model import Role
from .limits import Limit

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
H = TypeVar("H", bound=Callable[..., Awaitable[web.StreamResponse]])

FORM_BYTES = 256 * 1024
_ATTRIBUTE = "__yanlu_needs__"


class Who(enum.Enum):
    """Who a route is for."""

    ANYBODY = "anybody"
    APP = "app"
    PERSON = "person"
    MEMBER = "member"
    STAFF = "staff"


class Reach(enum.Enum):
    """Which objects a route can touch by an id in its path or parameters."""

    NONE = "none"
    """No object at all, or only the caller's own, found by who they are."""
    PUBLIC = "public"
    """What anybody may see."""
    SEEN = "seen"
    """What the caller may see; 404 for the rest."""
    OWN = "own"
    """What belongs to the caller; 404 for the rest."""
    ANY = "any"
    """Everything: staff only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one route asks of a caller."""

    who: Who
    scopes: tuple[str, ...]
    roles: frozenset[Role]
    reach: Reach
    limit: Limit | None
    fresh: bool
    """The act is grave: the second factor must have been given lately."""
    body: int
    """The most bytes of a page's form, files included."""
    uncounted: bool
    """No limit counts here: probes of the operator's own."""
    unconfirmed: bool
    """Also for people whose address is not confirmed yet."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a package's route table."""

    method: str
    path: str
    handler: Handler


class Undeclared(RuntimeError):
    """A programmer's mistake, found at start."""


def needs(
    *scopes: str,
    scope: str | None = None,
    role: Role | str | Iterable[Role | str] | None = None,
    member: bool = False,
    app: bool = False,
    optional: bool = False,
    reach: Reach = Reach.NONE,
    limit: Limit | None = None,
    fresh: bool = False,
    body: int = FORM_BYTES,
    uncounted: bool = False,
    unconfirmed: bool = False,
) -> Callable[[H], H]:
    """Declares a handler's route. Without arguments: anybody.

    With scopes: an API token that has one of them, of a person; `app` lets an app's own token in as well,
    `optional` also nobody at all. `member`: somebody logged in on the pages. `role`: staff with one of these.
    """
    wanted = (*scopes, scope) if scope else scopes
    roles = frozenset(map(Role, (role,) if isinstance(role, str) else role or ()))
    if roles:
        who = Who.STAFF
    elif member:
        who = Who.MEMBER
    elif not wanted or optional:
        who = Who.ANYBODY
    else:
        who = Who.APP if app else Who.PERSON
    found = Needs(
        who=who,
        scopes=wanted,
        roles=roles,
        reach=reach,
        limit=limit,
        fresh=fresh,
        body=body,
        uncounted=uncounted,
        unconfirmed=unconfirmed,
    )

    def declare(handler: H) -> H:
        setattr(handler, _ATTRIBUTE, found)
        return handler

    return declare


def declared(handler: object) -> Needs | None:
    """What `handler` declared."""
    found = getattr(handler, _ATTRIBUTE, None)
    return found if isinstance(found, Needs) else None


def get(path: str, handler: Handler) -> Route:
    """A GET route; HEAD is answered too."""
    return Route(hdrs.METH_GET, path, handler)


def post(path: str, handler: Handler) -> Route:
    return Route(hdrs.METH_POST, path, handler)


def put(path: str, handler: Handler) -> Route:
    return Route(hdrs.METH_PUT, path, handler)


def patch(path: str, handler: Handler) -> Route:
    return Route(hdrs.METH_PATCH, path, handler)


def delete(path: str, handler: Handler) -> Route:
    return Route(hdrs.METH_DELETE, path, handler)


def mount(app: web.Application, routes: Sequence[Route]) -> None:
    """Adds `routes`; raises `Undeclared` for one that does not say what it needs.

    API paths are served with a trailing slash too: Mastodon.py and toot write some of them so.
    """
    for route in routes:
        if declared(route.handler) is None:
            raise Undeclared(f"{route.method} {route.path} does not say what it needs")
        paths = [route.path]
        if route.path.startswith(("/api/", "/oauth/")) and not route.path.endswith("/"):
            paths.append(f"{route.path}/")
        for path in paths:
            if route.method == hdrs.METH_GET:
                app.router.add_get(path, route.handler)
            else:
                app.router.add_route(route.method, path, route.handler)


def check(app: web.Application) -> None:
    """Raises `Undeclared` if anything was added to the router past `mount`, static files excepted."""
    for route in app.router.routes():
        if isinstance(route.resource, web.StaticResource):
            continue
        if declared(route.handler) is None:
            raise Undeclared(f"{route.method} {route.resource} does not say what it needs")
