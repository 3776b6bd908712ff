"""What the pages of an organisation's console share: whose it is, who is at it, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from compliance import organisations
from compliance.organisations import Act, Organisation

from .. import keys
from ..errors import NotFound
from ..http.auth import person
from ..http.viewers import Place
from ..organising import people
from ..pages import render
from ..store.model import AccountView


@dataclass(frozen=True, slots=True)
class Desk:
    """An organisation as somebody who acts for it sees it."""

    place: Place
    whole: Organisation
    me: AccountView

    @property
    def account(self) -> AccountView:
        return self.place.account

    @property
    def base(self) -> str:
        return f"/org/{self.account.username}"

    def may(self, act: Act) -> bool:
        return self.place.rights.may(act)


async def enter(request: web.Request, act: Act = Act.SEE) -> Desk:
    """The organisation in the address; `NotFound` for whoever does not belong to it (rule H3), `Forbidden`
    where the role is not enough."""
    me, road = person(request).myself, request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        account = await people.find(conn, road, request.match_info["name"])
        await people.demand(conn, account.id, me.id, act)
        rights = await organisations.rights_of(conn, account.id, me.id)
        whole = await organisations.get(conn, account.id)
    if rights is None:
        raise NotFound
    return Desk(Place(account=account, rights=rights), whole, me)


async def page(
    request: web.Request, desk: Desk, template: str, tab: str, *, status: int = 200, **context: Any
) -> web.Response:
    """A page of the console."""
    return await render.page(
        request, template, status=status, tab=tab, desk=desk, org=desk.account, base=desk.base, **context
    )
