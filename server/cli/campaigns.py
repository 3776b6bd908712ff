"""`yanlu identity campaigns`: how far each campaign is, and who in one has not verified again. Campaigns are
made, started and closed in the console, by a person who answers for it."""

from __future__ import annotations

from compliance import campaigns, turnout
from compliance.campaigns import Campaign
from compliance.errors import NotFound as NoSuchThing
from compliance.turnout import CampaignId, Progress

from ..errors import NotFound
from ..pipeline import Road
from ..store import accounts
from . import terminal
from .command import Call, Commands, add, number, on_road

_BATCH = 1_000


def add_to(family: Commands) -> None:
    """The command of the family."""
    parser = add(family, "campaigns", _show, "show how far campaigns are, or who is open in one")
    parser.add_argument(
        "campaign", metavar="CAMPAIGN", nargs="?", type=number, help="number of one: who in it is open"
    )


def _show(call: Call) -> int:
    return _list(call) if call.campaign is None else _open(call)


def _list(call: Call) -> int:
    async def work(road: Road) -> list[dict[str, object]]:
        async with road.pool.acquire() as conn:
            return [
                _described(one, await turnout.progress(conn, one.id, road.clock()))
                for one in await campaigns.list_(conn)
            ]

    found = on_road(call, work)
    if call.is_json:
        terminal.tell({"campaigns": found})
    elif not found:
        terminal.say("no campaign yet")
    else:
        columns = ("campaign", "state", "deadline", "verified", "asked", "title")
        terminal.say(*terminal.table([tuple(str(one[name]) for name in columns) for one in found]))
    return 0


def _open(call: Call) -> int:
    async def work(road: Road) -> list[str]:
        campaign_id, names, after = CampaignId(call.campaign), list[str](), 0
        async with road.pool.acquire() as conn:
            try:
                await campaigns.get(conn, campaign_id)
            except NoSuchThing:
                raise NotFound("There is no campaign %(number)s", number=call.campaign) from None
            while found := await turnout.list_open(conn, campaign_id, after=after, limit=_BATCH):
                people = await accounts.load(conn, found, uris=road.uris)
                names += [people[one].username for one in found if one in people]
                after = found[-1]
        return names

    names = on_road(call, work)
    if call.is_json:
        terminal.tell({"open": names})
    else:
        terminal.say(*([f"@{name}" for name in names] or ["nobody is open"]))
    return 0


def _described(one: Campaign, reached: Progress) -> dict[str, object]:
    return {
        "campaign": str(one.id),
        "title": one.title,
        "state": one.state.value,
        "deadline": one.deadline.date().isoformat(),
        "asked": reached.total,
        "told": reached.told,
        "verified": reached.done,
        "open": reached.open,
        "lapsed": reached.lapsed,
    }
