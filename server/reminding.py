"""Tells people that an identity is to be verified again: reminders of its date, and the operator's campaigns.

By notice and by letter, in the language of whoever reads it; of an organisation its owners are told. A step
is noted in one transaction with the notice and the letter, so it is told once, whichever process tells it and
whenever one of them dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from compliance import campaigns, organisations, records, reminders
from compliance.activity import AccountId
from compliance.campaigns import Campaign
from compliance.records import Entry, RecordKind, Source
from compliance.reminders import Reminder, Step

from . import certifying, letters, membership, postbox, telling
from .db.pool import Connection
from .errors import NotFound
from .letters import Letter
from .pipeline import Road
from .store import accounts
from .store.members import Member
from .telling import Code, Notice

_CODES: Final[Mapping[Step, tuple[Code, Code]]] = MappingProxyType(
    {
        Step.MONTH: (Code.IDENTITY_DUE, Code.ORGANISATION_DUE),
        Step.WEEK: (Code.IDENTITY_DUE, Code.ORGANISATION_DUE),
        Step.DAY: (Code.IDENTITY_DUE, Code.ORGANISATION_DUE),
        Step.DUE: (Code.IDENTITY_OVERDUE, Code.ORGANISATION_OVERDUE),
        Step.LAPSE: (Code.IDENTITY_LAPSES, Code.ORGANISATION_LAPSES),
    }
)
"""For a person, and for the owners of an organisation."""


class Reminding:
    """The two chores. What one of them told in the open transaction is woken after its commit."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._told: list[AccountId] = []

    async def remind(self, conn: Connection, now: datetime, limit: int) -> int:
        """Tells those whose step it is today."""
        due = await reminders.take(conn, now=now, limit=limit)
        posted: list[Letter] = []
        notices: list[Notice] = []
        for reminder in due:
            for whose, member in await self._readers(conn, reminder.account_id):
                notices.append(_notice(reminder, whose, member))
                if member.email_confirmed_at is not None:
                    posted.append(self._letter(reminder, whose, member))
        await self._tell(conn, notices, posted, now)
        await self._note(
            conn,
            [(RecordKind.IDENTITY_REMIND, one.account_id, f"due:{one.due_at:%Y-%m-%d}") for one in due],
            now,
        )
        return len(due)

    async def ask(self, conn: Connection, now: datetime, limit: int) -> int:
        """Tells those whom a campaign asks."""
        posted: list[Letter] = []
        notices: list[Notice] = []
        noted: list[tuple[RecordKind, AccountId, str]] = []
        for campaign, people in await campaigns.take_untold(conn, now=now, limit=limit):
            for account_id in people:
                for whose, member in await self._readers(conn, account_id):
                    notices.append(_asked(campaign, whose, member))
                    if member.email_confirmed_at is not None:
                        posted.append(self._asking(campaign, whose, member))
            await reminders.skip(conn, people, now=now)
            noted += [(RecordKind.IDENTITY_ASK, one, f"campaign:{campaign.id}") for one in people]
        await self._tell(conn, notices, posted, now)
        await self._note(conn, noted, now)
        return len(noted)

    async def wake(self) -> None:
        """After the commit: open pages show it, and the letters leave."""
        told, self._told = self._told, []
        for account_id in told:
            self._road.events.notify("notices", str(account_id))
        if told:
            self._road.events.notify(postbox.CHANNEL)

    async def _readers(self, conn: Connection, account_id: AccountId) -> list[tuple[str, Member]]:
        """Whoever answers for the account, each with the name of an organisation, or none for themselves."""
        found = await certifying.readers(conn, account_id)
        if await organisations.find(conn, account_id) is None:
            return [("", member) for member in found]
        try:
            account = await accounts.get(conn, account_id, uris=self._road.uris)
        except NotFound:
            return []
        return [(account.username, member) for member in found]

    async def _tell(
        self, conn: Connection, notices: Sequence[Notice], posted: Sequence[Letter], now: datetime
    ) -> None:
        await telling.tell(conn, notices, now=now, new_id=self._road.ids)
        await postbox.post(self._road, conn, posted)
        self._told = [notice.to for notice in notices]

    async def _note(
        self, conn: Connection, told: Sequence[tuple[RecordKind, AccountId, str]], now: datetime
    ) -> None:
        source = Source.internal("upkeep")
        await records.write(
            conn,
            [
                Entry(kind, None, str(account_id), source=source, detail={"about": about})
                for kind, account_id, about in told
            ],
            now=now,
            new_id=self._road.ids,
        )

    def _letter(self, reminder: Reminder, whose: str, member: Member) -> Letter:
        return letters.identity_due(
            member.locale,
            to=membership.open_email(self._road, member),
            username=whose or member.username,
            site=self._road.settings.site.title,
            link=f"{self._road.uris.origin}{_page(whose)}",
            date=_day(reminder.due_at),
            ends=_day(reminder.lapses_at),
        )

    def _asking(self, campaign: Campaign, whose: str, member: Member) -> Letter:
        return letters.identity_asked(
            member.locale,
            to=membership.open_email(self._road, member),
            username=whose or member.username,
            site=self._road.settings.site.title,
            link=f"{self._road.uris.origin}{_page(whose)}",
            date=_day(campaign.deadline),
            ends=_day(campaign.lapses_at),
            reason=campaign.reason,
        )


def _notice(reminder: Reminder, whose: str, member: Member) -> Notice:
    values: dict[str, str | int] = {"date": _day(reminder.due_at), "ends": _day(reminder.lapses_at)}
    return _addressed(_CODES[reminder.step], values, whose, member)


def _asked(campaign: Campaign, whose: str, member: Member) -> Notice:
    values: dict[str, str | int] = {"date": _day(campaign.deadline), "reason": campaign.reason}
    return _addressed((Code.IDENTITY_ASKED, Code.ORGANISATION_ASKED), values, whose, member)


def _addressed(codes: tuple[Code, Code], values: dict[str, str | int], whose: str, member: Member) -> Notice:
    if whose:
        values["account"] = whose
    code = codes[1] if whose else codes[0]
    return Notice(to=member.account_id, code=code, values=values, link=_page(whose))


def _page(whose: str) -> str:
    """Where it is done: by the person's own pages, or by renewing the organisation's certification."""
    return f"/org/{whose}/certification" if whose else "/settings/identity"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
