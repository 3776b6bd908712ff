"""Telling people that their papers were opened, and the editors in chief who asks for that."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from compliance import accesses
from compliance.activity import AccountId

from .db.pool import Connection
from .pipeline import Road
from .store import members
from .store.model import Role
from .telling import Code, Notice, tell

STEP: Final = 40
_HISTORY: Final = "/settings/identity/access"


async def tell_of_readings(road: Road, conn: Connection, now: datetime) -> list[AccountId]:
    """Tells people of readings that nothing bars telling of any more, and says whom to `wake` then."""
    people = [whose for _, whose in await accesses.take_untold(conn, now=now, limit=STEP)]
    notices = [Notice(to=whose, code=Code.VAULT_OPENED, link=_HISTORY) for whose in people]
    await tell(conn, notices, now=now, new_id=road.ids)
    return people


class Ending:
    """The chore that tells people of readings whose bar on telling has ended."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._told: list[AccountId] = []

    async def step(self, conn: Connection, now: datetime) -> int:
        self._told = await tell_of_readings(self._road, conn, now)
        return len(self._told)

    async def after(self) -> None:
        wake(self._road, self._told)
        self._told = []


async def tell_editors(
    road: Road, conn: Connection, code: Code, link: str, *, besides: AccountId, **values: str
) -> list[AccountId]:
    """Tells every editor in chief but one, and says whom to `wake` after commit."""
    people = [id_ for id_ in await members.list_with_role(conn, Role.EDITOR) if id_ != besides]
    notices = [Notice(to=id_, code=code, values=values, link=link) for id_ in people]
    await tell(conn, notices, now=road.clock(), new_id=road.ids)
    return people


def wake(road: Road, people: list[AccountId]) -> None:
    """Has the open pages of these people show that there is something new."""
    for id_ in dict.fromkeys(people):
        road.events.notify("notices", str(id_))
