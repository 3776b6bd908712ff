"""The documents of our actors with what this server vouches for: the mark, as a signed and dated assertion.

The assertion is at an address of its own, where other servers fetch it; the copy in the actor's document is
for those who show it as it stands.
"""

from __future__ import annotations

from datetime import datetime

from compliance.activity import Uri
from compliance.sealing import Sealer
from federation import render
from federation.actor import Certification
from federation.wire import Document

from . import documents, signing
from .db.pool import Connection
from .store.actor_keys import ActorKey
from .store.model import AccountView, Mark
from .uris import Uris


async def actor(
    conn: Connection, account: AccountView, key: ActorKey, *, sealer: Sealer, uris: Uris, now: datetime
) -> Document:
    """The document of somebody here."""
    said = await certification(conn, account, sealer=sealer, uris=uris, now=now)
    return documents.actor(account, key, uris, certification=said)


async def instance_actor(conn: Connection, account: AccountView, key: ActorKey, *, uris: Uris) -> Document:
    """The document of what stands for this server, with the keys that it vouches by."""
    return documents.actor(account, key, uris, assertion_keys=await signing.multikeys(conn, uris=uris))


async def certification(
    conn: Connection, account: AccountView, *, sealer: Sealer, uris: Uris, now: datetime
) -> Document | None:
    """What this server certified of somebody here, signed; `None` where that is nothing, or holds no more."""
    mark = account.mark_at(now)
    if mark is None or mark.host is not None or account.suspended or account.gone:
        return None
    signer = await signing.current(conn, sealer=sealer)
    # Dated as the certificate is: the same words have the same bytes, until they are certified anew.
    return signer.document(render.certification(_said(account, mark, uris)), created=mark.certified_at)


def _said(account: AccountView, mark: Mark, uris: Uris) -> Certification:
    return Certification(
        id=Uri(uris.certification(account.username)),
        subject=account.uri,
        class_=mark.class_,
        label=mark.label,
        issued=mark.certified_at.replace(microsecond=0),
        expires=mark.expires_at.replace(microsecond=0),
    )
