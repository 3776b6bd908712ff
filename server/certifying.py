"""What a certification does beside itself: the mark is shown or taken away, followers elsewhere hear, people
are told and written to.

The judgement marks what changed, in the transaction of the change; `settle` makes it seen. It is called after
each decision and by upkeep, so a stop in between leaves nothing behind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from compliance import applications, certification, frontnames, identity, organisations, reopening
from compliance.activity import AccountId
from compliance.certification import Certification, State
from compliance.classes import CertClass
from compliance.organisations import MemberState, Role
from compliance.records import Source

from . import acts, letters, membership, telling
from .acts import ProfileDraft
from .db.pool import Connection
from .errors import AppError, NotFound
from .letters import Letter
from .pipeline import Road
from .store import accounts, fronts, marks, members
from .store.marks import Mark
from .store.members import Member
from .store.model import AccountView
from .telling import Code, Notice

STEP = 100
Send = Callable[[Letter], None]

log = logging.getLogger(__name__)


async def settle(road: Road) -> int:
    """Shows every certification as it stands now; says how many were not shown so."""
    async with road.pool.acquire() as conn:
        waiting = await certification.list_unsettled(conn, limit=STEP)
    for one in waiting:
        await _settle(road, one)
    return len(waiting)


async def _settle(road: Road, seen: Certification) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        account = await accounts.get(conn, seen.account_id, uris=road.uris)
        held = await certification.find_active(conn, seen.account_id)
        changed = await marks.set(conn, seen.account_id, None if held is None else mark_of(held))
        await certification.settled(conn, seen)
    marks.forget(road.events, seen.account_id)
    if changed and not account.suspended and not account.gone:
        await _tell_others(road, account)


def mark_of(held: Certification) -> Mark:
    """The mark that a certification in force stands for."""
    return Mark(
        class_=held.class_,
        label=held.label[: marks.LABEL_CHARS],
        certified_at=held.certified_at,
        expires_at=held.expires_at,
    )


async def _tell_others(road: Road, account: AccountView) -> None:
    """Sends the profile again as it stands, by the road that every profile takes: the mark goes with it."""
    async with road.pool.acquire() as conn:
        if not (await identity.get(conn, account.id)).may_publish(road.clock()):
            return  # the mark carries its own end; nobody may speak for this account now
        me = await accounts.get(conn, account.id, uris=road.uris)
        avatar, header = await accounts.pictures_of(conn, account.id)
    draft = ProfileDraft(
        display_name=me.display_name,
        text=me.source or "",
        fields=tuple((row.name, row.text) for row in me.fields),
        avatar_media_id=avatar,
        header_media_id=header,
        locked=me.locked,
        bot=me.bot,
        discoverable=me.discoverable,
        indexable=me.indexable,
    )
    try:
        await acts.update_profile(road, me, draft, source=Source.internal("certification"))
    except AppError as error:
        # Shown here all the same; what the gate said of the profile stands in its own decision.
        log.info("a certified profile was not sent", extra={"error": type(error).__name__})


async def readers(conn: Connection, account_id: AccountId) -> list[Member]:
    """Whoever answers for an account: the person, or the owners of an organisation."""
    people = [account_id]
    if await organisations.find(conn, account_id) is not None:
        people = [
            member.account_id
            for member in await organisations.members(conn, account_id)
            if member.state is MemberState.ACTIVE and member.role is Role.OWNER
        ]
    found = []
    for person in people:
        try:
            found.append(await members.get(conn, person))
        except NotFound:
            continue
    return [member for member in found if not member.suspended and not member.gone]


def page_of(account: AccountView, class_: CertClass) -> str:
    """Where whoever answers for the account sees how its certification stands."""
    if class_ is CertClass.INDIVIDUAL:
        return "/settings/certification"
    return f"/org/{account.username}/certification"


async def tell(
    road: Road,
    conn: Connection,
    account: AccountView,
    class_: CertClass,
    code: Code,
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> list[Member]:
    """Tells whoever answers for the account; says who that was, for letters."""
    told = await readers(conn, account.id)
    values: dict[str, str | int] = {"account": account.username}
    if expires_at is not None:
        values["date"] = f"{expires_at:%Y-%m-%d}"
    notices = [
        Notice(to=member.account_id, code=code, values=values, link=page_of(account, class_))
        for member in told
    ]
    await telling.tell(conn, notices, now=now, new_id=road.ids)
    return told


async def tell_decision(
    road: Road,
    conn: Connection,
    account_id: AccountId,
    class_: CertClass,
    decision_id: int,
    *,
    now: datetime,
) -> list[Member]:
    """Tells of an unfavourable decision, against which there is an appeal: the account, and where it is an
    organisation, its owners too, who find the decision by way of it."""
    await telling.tell_decision(conn, account_id, decision_id, now=now, new_id=road.ids)
    if class_ is CertClass.INDIVIDUAL:
        return await readers(conn, account_id)
    account = await accounts.get(conn, account_id, uris=road.uris)
    return await tell(road, conn, account, class_, Code.CERTIFICATION_REFUSED, now=now)


def wake(road: Road, told: Sequence[Member]) -> None:
    """After the commit: open pages of theirs show it."""
    for member in told:
        road.events.notify("notices", str(member.account_id))


def question(road: Road, member: Member, account: AccountView, class_: CertClass) -> Letter:
    """The letter that a reviewer asks for more."""
    return letters.certification_question(
        member.locale,
        to=membership.open_email(road, member),
        username=account.username,
        site=road.settings.site.title,
        link=f"{road.uris.origin}{page_of(account, class_)}",
    )


class Tending:
    """What time does to certifications: reminders, ends, and papers that have had their time."""

    def __init__(self, road: Road, send: Send) -> None:
        self._road = road
        self._send = send
        self._letters: list[Letter] = []
        self._told: list[Member] = []

    async def step(self, conn: Connection, now: datetime) -> int:
        """One round, in the transaction that is open."""
        self._letters, self._told = [], []
        ended = await certification.expire(conn, now, limit=STEP, new_id=self._road.ids)
        for one in ended:
            await self._ended(conn, one, now)
        due = await certification.due_notices(conn, now, limit=STEP)
        for one, days in due:
            await self._due(conn, one, days, now)
        closed = await self._close(conn, now)
        asked = await self._ask_names(conn, now)
        before = now - timedelta(days=self._road.settings.certification.keep_papers_days)
        swept = await reopening.sweep_papers(conn, before=before, now=now, limit=STEP)
        return closed + len(ended) + len(due) + asked + swept

    async def _close(self, conn: Connection, now: datetime) -> int:
        """With an account goes what was certified of it, what it applied for, and its name in front."""
        source, closed = Source.internal("upkeep"), await fronts.closed(conn, limit=STEP)
        for account_id in closed:
            await certification.close(conn, account_id, now=now)
            await frontnames.hide(conn, account_id, now=now, source=source, new_id=self._road.ids)
            one = await applications.find_open(conn, account_id)
            if one is not None:
                await applications.withdraw(
                    conn, one.id, by=account_id, now=now, source=source, new_id=self._road.ids
                )
        return len(closed)

    async def _ask_names(self, conn: Connection, now: datetime) -> int:
        """Asks people with many readers for their name in front, once, where the operator wants that."""
        wanted = self._road.settings.certification
        most, days = wanted.front_name_followers, wanted.front_name_days
        if not most:
            await frontnames.require(conn, [], due_at=None)
            return 0
        asked = await frontnames.ask(conn, await fronts.not_asked(conn, followers=most, limit=STEP), now=now)
        above = await fronts.above(conn, followers=most)
        await frontnames.require(conn, above, due_at=now + timedelta(days=days) if days else None)
        notices = [
            Notice(
                to=account_id,
                code=Code.FRONT_NAME_ASKED,
                values={"followers": most},
                link="/settings/certification/name",
            )
            for account_id in asked
        ]
        await telling.tell(conn, notices, now=now, new_id=self._road.ids)
        self._told += [await members.get(conn, account_id) for account_id in asked]
        return len(asked)

    async def after(self) -> None:
        """What follows the commit: letters leave, and marks are taken away."""
        for letter in self._letters:
            self._send(letter)
        wake(self._road, self._told)
        await settle(self._road)

    async def _ended(self, conn: Connection, one: Certification, now: datetime) -> None:
        road, account = self._road, await accounts.get(conn, one.account_id, uris=self._road.uris)
        told = await tell(road, conn, account, one.class_, Code.CERTIFICATION_EXPIRED, now=now)
        self._told += told
        self._letters += [
            letters.certification_ended(
                member.locale,
                to=membership.open_email(road, member),
                username=account.username,
                site=road.settings.site.title,
                link=f"{road.uris.origin}{page_of(account, one.class_)}",
            )
            for member in told
        ]

    async def _due(self, conn: Connection, one: Certification, days: int, now: datetime) -> None:
        road, account = self._road, await accounts.get(conn, one.account_id, uris=self._road.uris)
        waiting = await applications.find_open(conn, one.account_id)
        if waiting is not None and waiting.state is not applications.State.DRAFT:
            return  # the renewal is under way already
        told = await tell(
            road, conn, account, one.class_, Code.CERTIFICATION_DUE, now=now, expires_at=one.expires_at
        )
        self._told += told
        self._letters += [
            letters.certification_due(
                member.locale,
                to=membership.open_email(road, member),
                username=account.username,
                site=road.settings.site.title,
                link=f"{road.uris.origin}{page_of(account, one.class_)}",
                date=f"{one.expires_at:%Y-%m-%d}",
                days=days,
            )
            for member in told
        ]


def is_in_force(one: Certification, now: datetime) -> bool:
    """Whether its mark is to be seen, even where nobody has taken it away yet."""
    return one.state is State.ACTIVE and one.expires_at > now
