"""An actor as its document."""

from __future__ import annotations

from collections.abc import Sequence

from federation.actor import RemoteActor, RemoteKey
from federation.wire import AS2, Document

from . import certifications
from .notes import Media, attachment, moment

CONTEXT = [
    AS2,
    "https://w3id.org/security/v1",
    {
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "toot": "http://joinmastodon.org/ns#",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "memorial": "toot:memorial",
        "suspended": "toot:suspended",
        "schema": "http://schema.org/",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
    },
]

_MULTIKEY = "https://w3id.org/security/multikey/v1"


def actor(
    actor: RemoteActor,
    *,
    media: Media | None = None,
    certification: Document | None = None,
    assertion_keys: Sequence[Document] = (),
) -> Document:
    """The actor's document. One of our own is described by the same value that others are read into.

    `certification` is the signed assertion about it, `assertion_keys` the Multikeys with which it signs such.
    """
    profile = actor.profile
    document: Document = {
        "@context": [
            *CONTEXT,
            *([_MULTIKEY] if assertion_keys else []),
            *([certifications.REFERENCE] if certification else []),
        ],
        "id": actor.uri,
        "type": actor.actor_type,
        "preferredUsername": actor.username,
        "name": profile.display_name,
        "summary": profile.html,
        "url": actor.url,
        "inbox": actor.inbox,
        "outbox": actor.outbox,
        "followers": actor.followers,
        "following": actor.following,
        "featured": actor.featured,
        "endpoints": {"sharedInbox": actor.shared_inbox} if actor.shared_inbox else None,
        "publicKey": _keys(actor),
        "manuallyApprovesFollowers": profile.locked,
        "discoverable": profile.discoverable,
        "indexable": profile.indexable,
        "memorial": actor.memorial,
        "suspended": actor.suspended or None,
        "published": moment(actor.published) if actor.published else None,
        "webfinger": actor.webfinger,
        "attachment": [
            {"type": "PropertyValue", "name": row.name, "value": row.value} for row in profile.fields
        ],
        "icon": attachment(profile.avatar, media, kind="Image") if profile.avatar else None,
        "image": attachment(profile.header, media, kind="Image") if profile.header else None,
        "certification": certification,
        "assertionMethod": list(assertion_keys) or None,
        "alsoKnownAs": list(actor.also_known_as) or None,
        "movedTo": actor.moved_to,
    }
    return {name: value for name, value in document.items() if value is not None}


def _keys(actor: RemoteActor) -> Document | list[Document] | None:
    keys = [_key(key, actor) for key in actor.keys]
    # Mastodon reads an object; a list is only for those who have several.
    return keys[0] if len(keys) == 1 else keys or None


def _key(key: RemoteKey, actor: RemoteActor) -> Document:
    return {"id": key.id, "owner": actor.uri, "publicKeyPem": key.pem}
