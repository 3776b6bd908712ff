"""Making an organisation: an account of its own, with keys and a name, that nobody can log in to."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from compliance import agreements, identity, organisations, records
from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.organisations import KINDS
from compliance.records import Entry, RecordKind, Source

from .. import keypair, names, newcomers
from ..db.pool import Connection
from ..errors import Forbidden, Invalid
from ..i18n import mark
from ..pipeline import Road
from ..store.model import AccountView

NAME_LENGTH = 100
UNVERIFIED = mark("Verify your own identity first: an organisation is run by people who are known")


async def create(
    road: Road,
    founder: AccountView,
    *,
    username: str,
    name: str,
    kind: str,
    locale: str,
    accepted: Mapping[str, int] | bool,
    source: Source,
) -> AccountId:
    """Founds an organisation; `founder` becomes its first owner. It publishes once it has itself been
    verified, which its certification does."""
    username = names.check_username(username, road.uris.host)
    shown = " ".join(name.split())
    if not shown or len(shown) > NAME_LENGTH:
        raise Invalid("A name has 1 to %(limit)s characters", field="name", limit=NAME_LENGTH)
    if kind not in {each.value for each in KINDS}:
        raise Invalid("Choose what kind of organisation it is", field="kind")
    if accepted is False:
        raise Invalid("Accept the agreement and the rules to go on", field="agreement")
    now = road.clock()
    async with road.pool.acquire() as conn:
        await check_verified(conn, founder.id, road)
        await _check_count(conn, founder.id, road)
        documents = await newcomers.documents(conn, locale, accepted)
        await newcomers.check_name(road, conn, username, now=now)
    pair = await keypair.new()
    organisation_id = AccountId(road.ids())
    by = Source(source.address, source.port, source.client, founder.id)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await newcomers.insert(
                road, conn, organisation_id, username, pair, now=now, actor_type="Organization"
            )
            await organisations.insert(
                conn, organisation_id, kind=CertClass(kind), name=shown, owner=founder.id, now=now
            )
            await agreements.accept(
                conn, organisation_id, documents, locale=locale, now=now, source=by, new_id=road.ids
            )
            entry = Entry(
                RecordKind.ORGANISATION_CREATE,
                organisation_id,
                str(road.uris.actor(username)),
                source=by,
                detail={"kind": kind},
            )
            await records.write(conn, [entry], now=now, new_id=road.ids)
    except asyncpg.UniqueViolationError:
        # Two people take the same name at the same moment.
        raise Invalid(newcomers.TAKEN, field="username") from None
    return organisation_id


async def check_verified(conn: Connection, account_id: AccountId, road: Road) -> None:
    """Raises `Forbidden` for somebody whose own identity is not known."""
    if not (await identity.get(conn, account_id)).may_publish(road.clock()):
        raise Forbidden(UNVERIFIED)


async def _check_count(conn: Connection, founder: AccountId, road: Road) -> None:
    most = road.settings.organisations.per_person
    if await organisations.count_founded(conn, founder) >= most:
        raise Forbidden("One person may found at most %(limit)s organisations here", limit=most)
