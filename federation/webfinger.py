"""Handles and actors, both ways.

A handle is believed only when WebFinger at its host names this actor and the actor's own origin names the
handle; else somebody could call himself by another's name, or by one of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import msgspec
from yarl import URL

from compliance.activity import Uri

from . import origin, wire
from .actor import RemoteActor
from .client import Budget, Client, Response
from .errors import Gone, Malformed, NotTrusted, RemoteFault, Unreachable
from .wire import Document

_ACCEPT: Final = "application/jrd+json, application/json"
_HANDLE: Final = re.compile(r"(?:acct:)?@?([^@\s/:?#]{1,100})@([^@\s/?#]{1,300})", re.IGNORECASE)
MAX_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class Handle:
    """A name at a host, the host normalised and with its port unless that is the default."""

    user: str
    host: str

    @classmethod
    def of(cls, text: str) -> Handle:
        """The handle in `user@host`, `@user@host` or `acct:user@host`."""
        found = _HANDLE.fullmatch(text.strip())
        if found is None:
            raise Malformed("not a handle")
        return cls(found[1], origin.host(found[2]))

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"

    def is_same(self, other: Handle) -> bool:
        """User names differ by more than case."""
        return self.host == other.host and self.user.lower() == other.user.lower()


@dataclass(frozen=True, slots=True)
class _Answer:
    subject: Handle | None
    actors: tuple[Uri, ...]


async def resolve(client: Client, handle: str, *, budget: Budget | None = None) -> Uri:
    """The actor that the handle's own host names. What that actor calls itself is for `confirm` to see."""
    wanted = Handle.of(handle)
    answer = await _ask(client, wanted, budget)
    if not answer.actors:
        raise Malformed(f"{wanted} has no ActivityPub actor")
    return answer.actors[0]


async def confirm(client: Client, actor: RemoteActor, *, budget: Budget | None = None) -> RemoteActor:
    """`actor` with the host of the handle that both sides confirm; without one, its own host.

    Refused when its own host says that the name is somebody else's.
    """
    own = Handle(actor.username, origin.host_of(actor.uri))
    claimed = _claimed(actor)
    if claimed is not None and claimed.host != own.host and await _agrees(client, claimed, actor, budget):
        return _at(actor, claimed.host)
    try:
        answer = await _ask(client, own, budget)
    except (Unreachable, Gone, Malformed):
        return _at(actor, own.host)
    if answer.actors and actor.uri not in answer.actors:
        raise NotTrusted(f"{own} is somebody else")
    subject = answer.subject
    if subject is None or subject.is_same(own):
        return _at(actor, own.host)
    if subject.user.lower() == own.user.lower() and await _agrees(client, subject, actor, budget):
        return _at(actor, subject.host)
    return _at(actor, own.host)


def _claimed(actor: RemoteActor) -> Handle | None:
    if actor.webfinger is None:
        return None
    try:
        handle = Handle.of(actor.webfinger)
    except RemoteFault:
        return None
    return handle if handle.user.lower() == actor.username.lower() else None


async def _agrees(client: Client, handle: Handle, actor: RemoteActor, budget: Budget | None) -> bool:
    try:
        answer = await _ask(client, handle, budget)
    except RemoteFault:
        return False
    named = answer.subject is None or answer.subject.is_same(handle)
    return named and actor.uri in answer.actors


def _at(actor: RemoteActor, host: str) -> RemoteActor:
    return msgspec.structs.replace(actor, host=host)


async def _ask(client: Client, handle: Handle, budget: Budget | None) -> _Answer:
    fault: RemoteFault = Unreachable(f"{handle.host} cannot be asked")
    for scheme in client.schemes(handle.host):
        url = URL(f"{scheme}://{handle.host}/.well-known/webfinger").with_query(resource=f"acct:{handle}")
        try:
            response = await client.get(str(url), accept=_ACCEPT, most=MAX_BYTES, budget=budget)
        except Unreachable as error:
            fault = error
            continue
        return _read(response, handle)
    raise fault


def _read(response: Response, handle: Handle) -> _Answer:
    if response.status in (404, 410):
        raise Gone(f"{handle} is not known at its host")
    if response.status != 200:
        raise Unreachable(f"WebFinger for {handle} answered {response.status}")
    document = wire.parse(response.body)
    links = document.get("links")
    hrefs = [_actor_in(link) for link in links[:100]] if isinstance(links, list) else []
    return _Answer(_subject(document), tuple(href for href in hrefs if href is not None))


def _actor_in(link: object) -> Uri | None:
    if not isinstance(link, dict) or link.get("rel") != "self":
        return None
    kind = link.get("type")
    return origin.find_uri(link.get("href")) if isinstance(kind, str) and wire.is_activity(kind) else None


def _subject(document: Document) -> Handle | None:
    subject = document.get("subject")
    try:
        return Handle.of(subject) if isinstance(subject, str) else None
    except RemoteFault:
        return None
