"""What other servers ask of us, and send: discovery, documents, inboxes."""

from __future__ import annotations

from ..http.routes import Route, get
from . import wellknown

routes: list[Route] = [
    get("/.well-known/webfinger", wellknown.webfinger),
    get("/.well-known/host-meta", wellknown.host_meta),
    get("/.well-known/nodeinfo", wellknown.nodeinfo_links),
    get("/nodeinfo/{version}", wellknown.nodeinfo),
]
