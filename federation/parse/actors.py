"""An actor's document to a `RemoteActor`, with the profile it shows."""

from __future__ import annotations

import re
import unicodedata

from compliance.activity import Field, Profile, Uri
from federation import html, origin
from federation.actor import RemoteActor, RemoteKey
from federation.errors import Malformed, NotTrusted
from federation.wire import Document, Value

from . import values
from .notes import picture

KINDS = frozenset({"Person", "Service", "Application", "Group", "Organization"})
BOTS = frozenset({"Service", "Application"})
MAX_NAME = 2_048
MAX_BIO = 20 * 1024
MAX_FIELDS = 50
MAX_KEYS = 10
MAX_ALIASES = 64
MAX_PEM = 8_192

_USERNAME = re.compile(r"[^\s@/:?#\x00-\x20]{1,100}")


def actor(document: Document) -> RemoteActor:
    """The actor in `document`, whose inboxes, keys and collections all lie on its own origin."""
    kind = next((item for item in values.types(document) if item in KINDS), None)
    if kind is None:
        raise Malformed(f"not an actor: {values.types(document)[:1]}")
    uri = values.require_id(document.get("id"), "actor")
    inbox = _own(document.get("inbox"), uri)
    if inbox is None:
        raise Malformed("actor has no inbox")
    endpoints = next(values.objects(document.get("endpoints")), {})
    webfinger = values.line(document.get("webfinger"), 400)
    return RemoteActor(
        uri=uri,
        actor_type=kind,
        username=_username(document.get("preferredUsername")),
        host=origin.host_of(uri),
        url=origin.shown_url(values.find_id(document.get("url")), uri),
        inbox=inbox,
        shared_inbox=_own(endpoints.get("sharedInbox") or document.get("sharedInbox"), uri),
        outbox=_own(document.get("outbox"), uri),
        followers=_own(document.get("followers"), uri),
        following=_own(document.get("following"), uri),
        featured=_own(document.get("featured"), uri),
        keys=keys(document, uri),
        profile=profile(document),
        published=values.moment(document.get("published")),
        memorial=values.flag(document.get("memorial")),
        suspended=values.flag(document.get("suspended")),
        also_known_as=tuple(values.ids(document.get("alsoKnownAs"))[:MAX_ALIASES]),
        moved_to=values.find_id(document.get("movedTo")),
        webfinger=webfinger.removeprefix("acct:").removeprefix("@") or None,
        certification=_own(document.get("certification"), uri),
    )


def profile(document: Document) -> Profile:
    """What an actor's document shows of the person."""
    bio = html.clean(_cut(values.worded(document, "summary")))
    return Profile(
        display_name=values.line(values.worded(document, "name"), MAX_NAME),
        html=bio.html,
        text=bio.text,
        fields=_fields(document),
        avatar=picture(document.get("icon")),
        header=picture(document.get("image")),
        locked=values.flag(document.get("manuallyApprovesFollowers")),
        bot=not BOTS.isdisjoint(values.types(document)),
        discoverable=values.flag(document.get("discoverable")),
        indexable=values.flag(document.get("indexable")),
    )


def keys(document: Document, owner: Uri) -> tuple[RemoteKey, ...]:
    """The keys that an actor's document lists as its own, on its own origin."""
    found: list[RemoteKey] = []
    for item in values.objects(document.get("publicKey")):
        id_ = origin.find_uri(item.get("id"))
        pem = item.get("publicKeyPem")
        holder = values.find_id(item.get("owner") or item.get("controller"))
        if id_ is None or not isinstance(pem, str) or len(pem) > MAX_PEM:
            continue
        if origin.is_same(id_, owner) and holder in (None, owner):
            found.append(RemoteKey(id=id_, pem=pem))
    return tuple(found[:MAX_KEYS])


def key_owner(document: Document, key_id: Uri) -> Uri:
    """Who owns the key `key_id`, by the document found there: an actor that lists it, or a key that names its
    owner.

    What comes back is only a claim, until the owner's own document lists the key.
    """
    holder = values.find_id(document.get("owner") or document.get("controller"))
    if holder is None:
        holder = values.require_id(document.get("id"), "key")
    if not origin.is_same(holder, key_id):
        raise NotTrusted("key and owner are on different servers")
    return holder


def _own(value: Value, uri: Uri) -> Uri | None:
    id_ = values.find_id(value)
    return id_ if id_ is not None and origin.is_same(id_, uri) else None


def _username(value: Value) -> str:
    name = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    if not _USERNAME.fullmatch(name) or not name.isprintable():
        raise Malformed("actor has no usable preferredUsername")
    return name


def _cut(value: Value) -> str:
    # A cut in the middle of a tag is mended by the parser.
    return value[:MAX_BIO] if isinstance(value, str) else ""


def _fields(document: Document) -> tuple[Field, ...]:
    found: list[Field] = []
    for item in values.objects(document.get("attachment")):
        if "PropertyValue" not in values.types(item) or len(found) == MAX_FIELDS:
            continue
        value = html.clean(_cut(item.get("value")))
        name = values.line(item.get("name"), MAX_NAME)
        if name or value.text:
            found.append(Field(name=name, value=value.html, text=value.text))
    return tuple(found)
