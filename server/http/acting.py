"""Acting for an organisation: which requests may be made in its name, and what its roles allow of them.

A person acts for it by the choice of a session, by a token that was given for it, or by the header
`Yanlu-Acting-For`. What is the person's own is never reached through an organisation, and an organisation's
role limits a token beyond its scopes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from compliance import organisations
from compliance.activity import AccountId
from compliance.organisations import POWERS, Act, Role

from .. import changes, keys
from ..db.pool import Connection
from ..errors import Forbidden
from ..i18n import mark
from ..store import accounts, homes
from ..uris import Uris
from .routes import Needs
from .viewers import SEEN, Place, Viewer

_NAME_LENGTH: Final = 300
HEADER: Final = "Yanlu-Acting-For"
NOT_YOURS: Final = mark("You do not act for this organisation")
SUSPENDED: Final = mark("The rights of this organisation are suspended")
OUTSIDE_ROLE: Final = mark("Your role in this organisation does not include this")

# Their own login, identity, papers and powers: whoever asks here is the person, whatever was chosen.
_PERSONAL: Final = (
    "/admin",
    "/org",
    "/oauth/authorize",
    "/log",
    "/confirm",
    "/register",
    "/reset",
    "/display",
    "/settings",
    "/api/v1/apps",
    "/api/yanlu/v1/identity",
    "/api/yanlu/v1/orgs",
)
_SHARED: Final = ("/settings/profile", "/settings/relationships")
"""Among the settings, what an organisation has too."""
_OWN_CHECKS: Final = "/api/yanlu/"
"""Here each route asks for the act itself: no scope of Mastodon's fits."""

SCOPES: Mapping[Act, frozenset[str]] = MappingProxyType(
    {
        Act.SEE: frozenset({"profile", "read:accounts"}),
        Act.READ: frozenset(
            f"{way}:{what}"
            for way, whats in (
                (
                    "read",
                    "blocks bookmarks favourites filters follows lists mutes notifications search statuses",
                ),
                ("write", "bookmarks conversations filters lists mutes notifications"),
            )
            for what in whats.split()
        )
        | {"push"},
        Act.PUBLISH: frozenset({"write:statuses", "write:media"}),
        Act.ENGAGE: frozenset({"write:favourites", "write:follows", "write:blocks", "write:reports"}),
        Act.PROFILE: frozenset({"write:accounts"}),
    }
)
"""Which scopes of the client API an act stands for."""


def is_personal(path: str) -> bool:
    """Whether this is the person's own business."""
    return path.startswith(_PERSONAL) and not path.startswith(_SHARED)


def asked(request: web.Request) -> Act:
    """What a page asks of a role before anything is done; the gate asks for each act once more."""
    is_read = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
    if request.path.startswith("/settings/profile"):
        return Act.PROFILE
    if request.path.startswith("/my/decisions"):
        # Also while the rights are suspended: that is what is appealed against.
        return Act.SEE if is_read else Act.APPEAL
    return Act.READ


def scopes_of(role: Role) -> frozenset[str]:
    """The scopes that fit a role."""
    return frozenset(scope for act in POWERS[role] for scope in SCOPES.get(act, ()))


def form_secret(secret: bytes, organisation_id: AccountId) -> bytes:
    """What ties a form to a session and to whom it acts for: a page that was opened as oneself cannot
    publish as the organisation that was chosen in another window, nor the other way round."""
    return hashlib.sha256(secret + organisation_id.to_bytes(8, "big")).digest()


async def for_token(request: web.Request, found: Viewer, declared: Needs) -> Viewer:
    """The organisation that the token or the header names, if the person's role includes what is asked."""
    named = request.headers.get(HEADER, "").strip()
    if (not named and found.acting_for is None) or is_personal(request.path) or found.account is None:
        return found
    place = await _place(request, found, named[:_NAME_LENGTH] or found.acting_for)
    if place is None or found.acting_for not in (None, place.account.id):
        raise Forbidden(NOT_YOURS)
    if place.rights.suspended:
        raise Forbidden(SUSPENDED)
    acting = through(found, place)
    fits = not declared.scopes or any(acting.may(scope) for scope in declared.scopes)
    if not fits and not request.path.startswith(_OWN_CHECKS):
        raise Forbidden(OUTSIDE_ROLE)
    return acting


async def for_session(request: web.Request, found: Viewer) -> Viewer:
    """The organisation that was chosen, for as long as the person has a role in it. Once it is lost, forms
    that were opened in its name fail: their tokens are tied to it."""
    if found.acting_for is None or is_personal(request.path):
        return found
    place = await _place(request, found, found.acting_for)
    act = asked(request)
    if place is None or not (place.rights.may(act) or place.rights.may(Act.READ)):
        return found
    if not place.rights.may(act):
        raise Forbidden(OUTSIDE_ROLE)
    return through(found, place)


async def _place(request: web.Request, found: Viewer, wanted: AccountId | str | None) -> Place | None:
    """Kept like the viewer it belongs to, and forgotten with it."""
    if wanted is None:
        return None
    key = found.token_hash + str(wanted).encode()
    seen, now = request.app[SEEN], request.app[keys.CLOCK]()
    kept = seen.find(key)
    if kept is not None:
        return kept[0].place if kept[0] is not None else None
    read_at, uris = changes.now(), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        place = await find(conn, wanted, found.me.id, uris=uris)
        if place is not None:
            await homes.welcome_organisation(conn, place.account.id, now=now)
    seen.keep(key, None if place is None else through(found, place), read_at=read_at)
    return place


def through(found: Viewer, place: Place) -> Viewer:
    """The person as the organisation: none of their own powers, and their token only as far as the role."""
    return replace(
        found,
        account=place.account,
        by=found.me,
        place=place,
        roles=frozenset(),
        scopes=frozenset(scope for scope in scopes_of(place.role) if found.may(scope)),
        preferences={},
        csrf=form_secret(found.csrf, place.account.id) if found.csrf else b"",
    )


async def find(
    conn: Connection, organisation: AccountId | str, person: AccountId, *, uris: Uris
) -> Place | None:
    """The organisation of this id or name, if the person acts for it and it is there."""
    if isinstance(organisation, str):
        name, _, host = organisation.strip().removeprefix("@").partition("@")
        account = await accounts.find_by_name(conn, name, host or None, uris=uris)
    else:
        account = await accounts.find(conn, organisation, uris=uris)
    if account is None or account.host is not None or account.suspended or account.gone:
        return None
    rights = await organisations.rights_of(conn, account.id, person)
    return None if rights is None else Place(account=account, rights=rights)


async def places(conn: Connection, person: AccountId, *, uris: Uris) -> tuple[Place, ...]:
    """Every organisation that the person acts for."""
    held = await organisations.of_person(conn, person)
    if not held:
        return ()
    found = [await find(conn, each.organisation_id, person, uris=uris) for each in held]
    return tuple(place for place in found if place is not None)
