"""What other servers ask of us, and send: discovery, documents, inboxes."""

from __future__ import annotations

from aiohttp import web

from ..http.routes import Route, get, post
from . import inbox, lists, objects, outbox, wellknown

_ACTOR = "/users/{username}"
_POST = f"{_ACTOR}/statuses/{{id}}"

routes: list[Route] = [
    get("/.well-known/webfinger", wellknown.webfinger),
    get("/.well-known/host-meta", wellknown.host_meta),
    get("/.well-known/nodeinfo", wellknown.nodeinfo_links),
    get("/.well-known/yanlu/keys", wellknown.signing_keys),
    get("/nodeinfo/{version}", wellknown.nodeinfo),
    get("/actor", objects.instance_actor),
    post("/actor/inbox", inbox.shared),
    post("/inbox", inbox.shared),
    get(_ACTOR, objects.actor),
    post(f"{_ACTOR}/inbox", inbox.personal),
    get(f"{_ACTOR}/certification", objects.certification),
    get(f"{_ACTOR}/outbox", lists.outbox),
    post(f"{_ACTOR}/outbox", outbox.submit),
    get(f"{_ACTOR}/followers", lists.followers),
    get(f"{_ACTOR}/following", lists.following),
    get(f"{_ACTOR}/collections/featured", lists.featured),
    get(_POST, objects.post),
    get(f"{_ACTOR}/reply_authorizations/{{id}}", objects.reply_authorization),
    get(f"{_POST}/activity", objects.act),
    get(f"{_POST}/replies", lists.replies),
    get(f"{_POST}/likes", lists.likes),
    get(f"{_POST}/shares", lists.shares),
]


def prepare(app: web.Application) -> None:
    """What the routes keep between requests."""
    app[wellknown.COUNTED] = wellknown.Counted()
