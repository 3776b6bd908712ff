"""What another server asserts of an account of its own: fetched from its origin, and verified by the key of
the actor that stands for it.

An assertion is worth as much as who says it. So nothing that travels inside another document is looked at:
the id lies on the actor's own origin; what is found there names this actor, holds at this moment, and carries
a proof by a key which that origin's own Application actor, named by its NodeInfo, lists.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from yarl import URL

from compliance.activity import Uri
from federation import origin, parse, proofs, wire
from federation.actor import Certification
from federation.client import Budget, Client
from federation.errors import Gone, NotTrusted, Unreachable
from federation.wire import Document

from .documents import is_at, response

_APPLICATION: Final = "https://www.w3.org/ns/activitystreams#Application"
_LINKS: Final = "/.well-known/nodeinfo"
_LINKS_ACCEPT: Final = "application/jrd+json, application/json"
_LINKS_BYTES: Final = 128 * 1024


async def certification(
    client: Client, subject: Uri, id_: Uri, *, now: datetime, budget: Budget | None = None
) -> Certification:
    """The assertion `id_` about `subject`, believed. `Gone` where its server has none any more, `NotTrusted`
    or `Malformed` where it is not to be believed.
    """
    origin.require_speaks_for(subject, id_)
    document = await _exactly(client, id_, budget)
    said = parse.certification(document)
    if said.subject != subject:
        raise NotTrusted("the assertion is about somebody else")
    if said.issued > now + proofs.SKEW or said.expires <= now:
        raise NotTrusted("the assertion does not hold at this moment")
    method = proofs.read(document).method
    if not origin.is_same(method, subject):
        raise NotTrusted("the assertion is signed by another server")
    speaker = await _exactly(client, await server_actor(client, origin.of(subject), budget=budget), budget)
    if origin.without_fragment(method) != speaker.get("id") or speaker.get("type") != "Application":
        raise NotTrusted("the assertion is not signed by the actor that stands for its server")
    proofs.verify(document, proofs.listed_key(speaker, method), now=now)
    return said


async def server_actor(client: Client, home: str, *, budget: Budget | None = None) -> Uri:
    """The actor that stands for the server at an origin, as its NodeInfo says (FEP-2677)."""
    found = await client.get(f"{home}{_LINKS}", accept=_LINKS_ACCEPT, most=_LINKS_BYTES, budget=budget)
    if found.status in (404, 410):
        raise NotTrusted(f"{home} says nothing of the actor that stands for it")
    if found.status != 200:
        raise Unreachable(f"{home}{_LINKS} answered {found.status}")
    links = wire.parse(found.body).get("links")
    for link in links[:100] if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == _APPLICATION:
            named = origin.find_uri(link.get("href"))
            if named is not None and origin.of(named) == home and origin.of(found.url) == home:
                return named
    raise NotTrusted(f"{home} says nothing of the actor that stands for it")


async def _exactly(client: Client, id_: Uri, budget: Budget | None) -> Document:
    """The document at this very address, just as it stands: a proof is over what was written."""
    found = await response(client, id_, budget)
    document = wire.parse(found.body)
    if URL(found.url) != URL(id_) or not is_at(document, found.url):
        raise NotTrusted(f"{id_} is somewhere else")
    if document.get("type") == "Tombstone":
        raise Gone(f"{id_} is withdrawn")
    if not wire.is_plain(document):
        raise NotTrusted(f"{id_} gives words other meanings")
    return document
