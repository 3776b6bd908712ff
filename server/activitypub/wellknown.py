"""How others find us and our people: WebFinger, host-meta, NodeInfo.

Names are compared without regard to case, hosts in their one normalised spelling, with the port where it is
not the scheme's default. Nobody's existence is told but that of accounts which may be looked at.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec
from aiohttp import hdrs, web

from federation import origin
from federation.errors import Malformed as BadHost

from .. import keys, signing
from ..errors import Malformed, NotFound
from ..http.routes import Reach, needs
from ..store import accounts, posts
from ..store.model import AccountView
from ..uris import Uris
from .negotiation import AS2

JRD = "application/jrd+json"
_SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"
_PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
_NODEINFO = "http://nodeinfo.diaspora.software/ns/schema/"
_APPLICATION = "https://www.w3.org/ns/activitystreams#Application"
_VERSIONS = ("2.0", "2.1")
_SHARED = {hdrs.CACHE_CONTROL: "public, max-age=600"}
_COUNT_EVERY = timedelta(minutes=10)


@dataclass(slots=True)
class Counted:
    """What was counted, and when."""

    at: datetime | None = None
    counts: dict[str, Any] = field(default_factory=dict)


COUNTED = web.AppKey("counted", Counted)


@needs(reach=Reach.PUBLIC)
async def webfinger(request: web.Request) -> web.Response:
    """Who a handle or an address of ours stands for."""
    resource = request.query.get("resource", "")
    if not resource:
        raise Malformed("Say whom you look for: ?resource=acct:name@host")
    uris = request.app[keys.URIS]
    username = _username(resource, uris)
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.find_by_name(conn, username, None, uris=uris) if username else None
    if account is None or account.suspended or account.gone:
        raise NotFound
    return _json(_descriptor(account, uris), JRD)


@needs()
async def host_meta(request: web.Request) -> web.Response:
    """Where WebFinger is, for those who ask the old way."""
    template = f"{request.app[keys.URIS].origin}/.well-known/webfinger?resource={{uri}}"
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" type="{JRD}" template={quoteattr(template)}/>\n'
        "</XRD>\n"
    )
    headers = {hdrs.CONTENT_TYPE: "application/xrd+xml; charset=utf-8", **_SHARED}
    return web.Response(text=body, headers=headers)


@needs()
async def nodeinfo_links(request: web.Request) -> web.Response:
    """Where NodeInfo is, and the actor that stands for this server (FEP-2677)."""
    uris = request.app[keys.URIS]
    links = [
        {"rel": f"{_NODEINFO}{version}", "href": f"{uris.origin}/nodeinfo/{version}"} for version in _VERSIONS
    ]
    links.append({"rel": _APPLICATION, "href": uris.instance_actor})
    return _json({"links": links}, JRD)


@needs()
async def nodeinfo(request: web.Request) -> web.Response:
    """What this server is and how large."""
    version = request.match_info["version"]
    if version not in _VERSIONS:
        raise NotFound
    settings = request.app[keys.SETTINGS]
    document = {
        "version": version,
        "software": {"name": "yanlu", "version": importlib.metadata.version("yanlu")},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": settings.registration.open,
        "usage": await _usage(request.app),
        "metadata": {"nodeName": settings.site.title, "nodeDescription": settings.site.description},
    }
    return _json(document, f'application/json; profile="{_NODEINFO}{version}#"')


@needs()
async def signing_keys(request: web.Request) -> web.Response:
    """The keys by which this server signs documents as itself, those out of use as well: what they signed is
    still to be verified.
    """
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        listed = await signing.multikeys(conn, uris=uris, retired=True)
    document = {
        "@context": "https://w3id.org/security/multikey/v1",
        "id": uris.instance_actor,
        "assertionMethod": listed,
    }
    return _json(document, "application/json")


async def _usage(app: web.Application) -> dict[str, Any]:
    """How many people and posts there are, as of some minutes ago: counting them all takes time."""
    now, kept = app[keys.CLOCK](), app[COUNTED]
    if kept.at is None or now - kept.at >= _COUNT_EVERY:
        async with app[keys.POOL].acquire() as conn:
            users = {
                "total": await accounts.count_local(conn),
                "activeMonth": await accounts.count_local(conn, seen_since=now - timedelta(days=30)),
                "activeHalfyear": await accounts.count_local(conn, seen_since=now - timedelta(days=180)),
            }
            kept.counts = {"users": users, "localPosts": await posts.count_local(conn)}
        kept.at = now
    return kept.counts


def _username(resource: str, uris: Uris) -> str | None:
    """The user of ours that `resource` names; `None` for anybody else's, and for what is no name at all."""
    if resource.startswith(("http://", "https://")):
        return uris.username_in(resource)
    name, at, host = resource.removeprefix("acct:").removeprefix("@").rpartition("@")
    if not at:
        return None
    try:
        ours = origin.host(host, uris.origin.partition("://")[0]) == uris.host
    except BadHost:
        return None
    return name if ours else None


def _descriptor(account: AccountView, uris: Uris) -> dict[str, Any]:
    return {
        "subject": f"acct:{account.username}@{uris.host}",
        "aliases": list(dict.fromkeys([account.url, account.uri])),
        "links": [
            {"rel": _PROFILE_PAGE, "type": "text/html", "href": account.url},
            {"rel": "self", "type": AS2, "href": account.uri},
            {"rel": _SUBSCRIBE, "template": f"{uris.origin}/authorize_interaction?uri={{uri}}"},
        ],
    }


def _json(document: dict[str, Any], mime: str) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), headers={hdrs.CONTENT_TYPE: mime, **_SHARED})
