"""JSON-LD for the documents that are not plain: expanded and compacted against our own context, by bundled
contexts only.

A document is bounded before pyld sees it (parts, contexts, and no scoped contexts, which are what makes
expansion blow up), so that the worst costs some tens of milliseconds. Callers on an event loop hand it to a
thread or a worker process.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Final

from pyld import jsonld

from ..errors import Malformed
from .contexts import AS2, bundled
from .strict import Document, Value

MAX_PARTS: Final = 1000
MAX_CONTEXTS: Final = 32
"""Each mention of a large context costs two milliseconds, the same one again as well."""
_ONE_AT_A_TIME: Final = threading.Lock()  # pyld keeps a cache of contexts that threads may not share

_OURS: Final = [
    AS2,
    "https://w3id.org/security/v1",
    "https://w3id.org/security/multikey/v1",
    "http://joinmastodon.org/ns",
    "https://gotosocial.org/ns",
    "https://purl.archive.org/socialweb/webfinger",
    "https://litepub.social/litepub/context.jsonld",
    "https://join-lemmy.org/context.json",
]


def compact(document: Document) -> Document:
    """`document` with our names for its words; what has no name here is left out."""
    _require_bounded(document)
    if "@context" not in document:
        document = {"@context": AS2, **document}
    options: dict[str, Any] = {"documentLoader": _load, "processingMode": "json-ld-1.1"}
    try:
        with _ONE_AT_A_TIME:
            result = jsonld.compact(document, _our_context(), options)
    except (jsonld.JsonLdError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Malformed(f"not JSON-LD: {type(error).__name__}") from error
    if not isinstance(result, dict) or "@graph" in result:
        raise Malformed("document is more than one object")
    result["@context"] = AS2
    return result


@lru_cache(maxsize=1)
def _our_context() -> Document:
    terms: Document = {}
    for uri in _OURS:
        terms |= bundled(uri)["@context"]
    # Blank-node vocabularies may not be compacted to; words without a meaning are dropped, as they should be.
    del terms["@vocab"]
    return {"@context": terms}


def _load(uri: str, options: Document) -> Document:
    return {
        "contextUrl": None,
        "documentUrl": uri,
        "contentType": "application/ld+json",
        "document": bundled(uri),
    }


def _require_bounded(document: Document) -> None:
    parts = contexts = 0
    waiting: list[Value] = [document]
    while waiting:
        item = waiting.pop()
        parts += 1
        if isinstance(item, dict):
            waiting += item.values()
            context = item.get("@context")
            contexts += len(context) if isinstance(context, list) else context is not None
        elif isinstance(item, list):
            waiting += item
        if parts > MAX_PARTS or contexts > MAX_CONTEXTS:
            raise Malformed("document has too many parts for JSON-LD")
