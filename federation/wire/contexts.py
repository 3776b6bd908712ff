"""Which `@context` values say nothing new, so that a document may be read by its plain names.

Known URIs are bundled (`contexts/*.json`, written for this server: term and meaning, no more). An unknown URI
is taken to say nothing. An inline context may define words of its own; if it gives another meaning to a word
that we read, or another name to a meaning that we read, the document is not plain, and if the word is a core
one it is refused outright.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from ..errors import Malformed
from .strict import Document, Value

AS2: Final = "https://www.w3.org/ns/activitystreams"

_BUNDLED: Final = {
    AS2: "activitystreams",
    "https://w3id.org/security/v1": "security-v1",
    "https://w3id.org/identity/v1": "security-v1",
    "https://w3id.org/security/data-integrity/v1": "data-integrity",
    "https://w3id.org/security/data-integrity/v2": "data-integrity",
    "https://w3id.org/security/multikey/v1": "multikey",
    "https://www.w3.org/ns/did/v1": "did",
    "https://www.w3.org/ns/cid/v1": "multikey",
    "http://joinmastodon.org/ns": "toot",
    "https://joinmastodon.org/ns": "toot",
    "https://gotosocial.org/ns": "gotosocial",
    "https://purl.archive.org/socialweb/webfinger": "webfinger",
    "https://join-lemmy.org/context.json": "lemmy",
    "https://litepub.social/litepub/context.jsonld": "litepub",
    "https://w3id.org/fep/5711": "fep-5711",
}
_SAME_PLACE: Final = {"http://www.w3.org/ns/activitystreams": AS2}

CORE: Final = frozenset(
    {
        *("id", "type", "actor", "object", "target", "attributedTo", "to", "cc", "bto", "bcc", "audience"),
        *("inbox", "outbox", "followers", "following", "items", "orderedItems"),
        *("publicKey", "publicKeyPem", "owner", "controller"),
        *("content", "summary", "name", "inReplyTo", "url", "published", "updated"),
    }
)
"""Words whose meaning decides who says what to whom: they have one meaning, or the document is refused."""

MAX_CONTEXTS: Final = 100

KEYWORDS: Final = frozenset(
    {
        *("@context", "@id", "@type", "@value", "@language", "@list", "@set", "@graph", "@reverse"),
        *("@included", "@index", "@nest", "@none", "@json", "@direction"),
    }
)
_DEFINES: Final = frozenset(
    {"@id", "@type", "@container", "@language", "@protected", "@index", "@prefix"},
)
_NEVER: Final = frozenset({"@graph", "@included", "@reverse"})
_HARMLESS_IN_CONTEXT: Final = frozenset({"@language", "@version", "@direction"})


def bundled(uri: str) -> Document:
    """The bundled context document for `uri`; an empty one when it is not known."""
    uri = _SAME_PLACE.get(uri.rstrip("#/"), uri.rstrip("#/"))
    if uri.endswith("/schemas/litepub-0.1.jsonld"):  # each Pleroma serves its own copy
        uri = "https://litepub.social/litepub/context.jsonld"
    name = _BUNDLED.get(uri)
    return {"@context": {}} if name is None else _load(name)


def is_plain(document: Document) -> bool:
    """Whether `document` may be read by its plain names; refuses what may not be read at all."""
    plain = True
    contexts = 0
    waiting: list[Value] = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            if not KEYWORDS.isdisjoint(item):
                contexts += 1
                if contexts > MAX_CONTEXTS:
                    raise Malformed("document with more than 100 contexts")
                plain = _are_keywords_plain(item) and plain
            waiting += [value for key, value in item.items() if key != "@context"]
    return plain


def _are_keywords_plain(item: Document) -> bool:
    if not _NEVER.isdisjoint(item):
        raise Malformed("@graph, @included and @reverse are not read")
    if "@context" not in item:
        return False
    try:
        fingerprint = msgspec.json.encode(item["@context"])
    except (msgspec.EncodeError, OverflowError) as error:
        raise Malformed("@context is not a context") from error
    only_context = KEYWORDS.isdisjoint(item.keys() - {"@context"})
    return _is_context_plain(fingerprint) and only_context


@lru_cache(maxsize=4096)
def _is_context_plain(fingerprint: bytes) -> bool:
    if len(fingerprint) > 64 * 1024:
        raise Malformed("@context larger than 64 KiB")
    context = json.loads(fingerprint)
    entries = context if isinstance(context, list) else [context]
    # Every entry is looked at, so that a refusal does not depend on their order.
    verdicts = [_is_entry_plain(entry) for entry in entries]
    return all(verdicts)


def _is_entry_plain(entry: Value) -> bool:
    if isinstance(entry, str):
        return True
    if entry is None:
        return False  # forgets every context before it
    if not isinstance(entry, dict):
        raise Malformed("@context is not a context")
    prefixes = {key: value for key, value in entry.items() if isinstance(value, str)}
    verdicts = [_is_term_plain(term, definition, prefixes) for term, definition in entry.items()]
    return all(verdicts)


def _is_term_plain(term: str, definition: Value, prefixes: dict[str, str]) -> bool:
    if term.startswith("@"):
        if term == "@import" or (term == "@vocab" and isinstance(definition, str) and AS2 in definition):
            raise Malformed(f"{term} in @context is not read")
        return term in _HARMLESS_IN_CONTEXT
    if isinstance(definition, dict):
        if not definition.keys() <= {
            "@id",
            "@type",
            "@container",
            "@language",
            "@protected",
            "@index",
            "@prefix",
        }:
            raise Malformed("@context defines a term in a way that is not read")
        meaning = definition.get("@id", term)
    else:
        meaning = definition
    if not isinstance(meaning, str):
        if term in CORE:
            raise Malformed(f"@context takes {term} away")
        return term not in _meanings()
    meaning = _expand(meaning, prefixes)
    ours = _meanings().get(term)
    if meaning in _core_meanings() and (ours is None or meaning not in ours):
        raise Malformed(f"@context gives {term} the meaning of a core word")
    if ours is None:
        return True
    if meaning in ours:
        return True
    if term in CORE:
        raise Malformed(f"@context gives {term} another meaning")
    return False


def _expand(meaning: str, prefixes: dict[str, str]) -> str:
    for _ in range(8):  # a prefix may be spelt with another prefix
        prefix, colon, rest = meaning.partition(":")
        base = prefixes.get(prefix) or _PREFIXES.get(prefix)
        if not colon or rest.startswith("//") or base is None:
            return meaning
        meaning = base + rest
    raise Malformed("@context defines prefixes in a circle")


_PREFIXES: Final = {
    "as": f"{AS2}#",
    "toot": "http://joinmastodon.org/ns#",
    "schema": "http://schema.org/",
    "sec": "https://w3id.org/security#",
    "ldp": "http://www.w3.org/ns/ldp#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "misskey": "https://misskey-hub.net/ns#",
}


@lru_cache(maxsize=1)
def _meanings() -> dict[str, frozenset[str]]:
    """Each word of the bundled contexts, with every meaning it has in one of them."""
    found: dict[str, set[str]] = {"id": {"@id"}, "type": {"@type"}}
    for name in sorted(set(_BUNDLED.values())):
        context = _load(name)["@context"]
        prefixes = {key: value for key, value in context.items() if isinstance(value, str)}
        for term, definition in context.items():
            meaning = definition.get("@id", term) if isinstance(definition, dict) else definition
            if not term.startswith("@") and isinstance(meaning, str):
                found.setdefault(term, set()).add(_expand(meaning, prefixes))
    for term, others in _ALSO.items():
        found.setdefault(term, set()).update(others)
    return {term: frozenset(meanings) for term, meanings in found.items()}


_ALSO: Final = {
    # Spellings in use that mean the same to everybody who reads them.
    "schema": {"http://schema.org#", "https://schema.org/", "https://schema.org#"},
    "PropertyValue": {
        "http://schema.org#PropertyValue",
        "https://schema.org/PropertyValue",
        "https://schema.org#PropertyValue",
    },
    "value": {"http://schema.org#value", "https://schema.org/value", "https://schema.org#value"},
    "toot": {"https://joinmastodon.org/ns#"},
    "Emoji": {"https://joinmastodon.org/ns#Emoji"},
    "sensitive": {f"{AS2}#sensitive"},
    "Hashtag": {f"{AS2}#Hashtag"},
    "manuallyApprovesFollowers": {f"{AS2}#manuallyApprovesFollowers"},
    "quoteUrl": {f"{AS2}#quoteUrl"},
    "movedTo": {f"{AS2}#movedTo"},
}


@lru_cache(maxsize=1)
def _core_meanings() -> frozenset[str]:
    meanings = _meanings()
    return frozenset().union(*(meanings.get(term, frozenset()) for term in CORE))


@lru_cache(maxsize=32)
def _load(name: str) -> Document:
    text = files(__package__).joinpath(f"contexts/{name}.json").read_text("utf-8")
    document: Document = json.loads(text)
    return document
