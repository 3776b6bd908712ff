"""What this server certified of an account, as other servers read and verify it."""

from __future__ import annotations

from typing import Final

from federation.actor import Certification
from federation.wire import AS2, Document

from .notes import moment

NAMESPACE: Final = "urn:uuid:6f0d8e9a-54c1-4c52-9a6d-0f2b7e31c8d4#"
"""Words of our own. No name that anybody could own stands in it, so it stays what it is."""

# `subject` is a word of ActivityStreams already.
TERMS: Final = {
    "yanlu": NAMESPACE,
    "Certification": "yanlu:Certification",
    "certification": {"@id": "yanlu:certification", "@type": "@id"},
    "class": "yanlu:class",
    "label": "yanlu:label",
    "issued": {"@id": "yanlu:issued", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
    "expires": {
        "@id": "https://w3id.org/security#expiration",
        "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
    },
}
REFERENCE: Final = {name: TERMS[name] for name in ("yanlu", "certification")}
"""What an actor's document needs of it to name one."""
CONTEXT: Final = [AS2, "https://w3id.org/security/data-integrity/v1", TERMS]


def certification(said: Certification) -> Document:
    """The assertion, to be given its proof."""
    return {
        "@context": CONTEXT,
        "id": said.id,
        "type": "Certification",
        "subject": said.subject,
        "class": said.class_.value,
        "label": said.label,
        "issued": moment(said.issued),
        "expires": moment(said.expires),
    }
