"""The first operator: made with a link that only whoever starts the server can read, as long as there is
none."""

from __future__ import annotations

import secrets
from datetime import timedelta

from compliance import records
from compliance.activity import AccountId
from compliance.records import Entry, RecordKind, Source

from . import membership
from .errors import Gone
from .pipeline import Road
from .store import members, sessions
from .store.model import Role

PATH = "/first-operator/"
LASTS = timedelta(days=7)
# A server of one person needs all of it; the roles are parted when there are more people.
ROLES = (Role.ADMIN, Role.EDITOR, Role.COMPLIANCE, Role.REVIEWER)


async def new_link(road: Road) -> str | None:
    """The address with which the first operator is made, replacing any before; `None` when there is an
    admin."""
    async with road.pool.acquire() as conn, conn.transaction():
        if await members.count_role(conn, Role.ADMIN):
            return None
        token = secrets.token_urlsafe(32)
        now = road.clock()
        await sessions.insert_link(
            conn,
            token_hash=membership.digest(token),
            account_id=None,
            purpose="first-operator",
            now=now,
            expires_at=now + LASTS,
        )
    return f"{road.uris.origin}{PATH}{token}"


async def is_open(road: Road, token: str) -> bool:
    """Whether the link can still be used."""
    async with road.pool.acquire() as conn:
        link = await sessions.find_link(conn, membership.digest(token), "first-operator", now=road.clock())
        return link is not None and not await members.count_role(conn, Role.ADMIN)


async def make_first(
    road: Road, token: str, *, username: str, email: str, password: str, locale: str, source: Source
) -> AccountId:
    """Makes the first operator's account with every role but the auditor's, and uses the link up."""
    if not await is_open(road, token):
        raise Gone("This link has been used or is too old")
    made = await membership.register(
        road, username, email, password, locale=locale, accepted=True, source=source, confirmed=True
    )
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        if await sessions.use_link(conn, membership.digest(token), "first-operator", now=now) is None:
            raise Gone("This link has been used or is too old")
        for role in ROLES:
            await members.grant_role(conn, made.account_id, role, granted_by=None, now=now)
        entries = [
            Entry(
                RecordKind.ROLE_GRANT,
                made.account_id,
                str(made.account_id),
                source=source,
                detail={"role": role},
            )
            for role in ROLES
        ]
        await records.write(conn, entries, now=now, new_id=road.ids)
    return made.account_id
