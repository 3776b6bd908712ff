"""Proving who one is: what the pages, the client API, the command line and the providers share.

Each way is a form: which number, which names, for a person or an organisation. Outside services are asked
before the transaction; what they answer is applied in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final

from compliance import consents, identity, tiers
from compliance.activity import AccountId
from compliance.consents import Purpose
from compliance.errors import InvalidNumber, NotAllowed
from compliance.identity import (
    Claim,
    Field,
    Method,
    Number,
    Said,
    Scan,
    SubjectType,
    Terms,
    claims,
    holders,
    sending,
)
from compliance.numbers import ISSUERS, NumberType
from compliance.records import Source
from compliance.ways import Checker, CheckOutcome, Claimed

from . import telling, tries
from .db.pool import Connection
from .errors import Forbidden, Invalid
from .i18n import mark
from .pipeline import Road
from .settings import Settings, parse_ways
from .telling import Code, Notice

PAGE: Final = "/settings/identity"
_DAY: Final = timedelta(days=1)
_CHINA: Final = timezone(timedelta(hours=8))
"""Whose day decides whether somebody is born yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What one way asks for, beside the pictures."""

    method: Method
    title: str
    told: str
    numbers: tuple[NumberType, ...]
    number_label: str
    names: Mapping[Field, str]
    papers_told: str
    subject: SubjectType = SubjectType.PERSON
    checkable: bool = False
    """Whether services that are asked know such numbers."""
    has_state: bool = False
    """Whether the state that issued the paper is chosen from a list; its code goes before the number."""


_NAME = mark("Name as on the paper")
FORMS: Final[Mapping[Method, Form]] = MappingProxyType(
    {
        form.method: form
        for form in (
            Form(
                method=Method.RESIDENT_ID,
                title=mark("Resident identity card"),
                told=mark(
                    "By the number and the name on your card; also residents of Hong Kong, Macau and"
                    " Taiwan with a residence permit."
                ),
                numbers=(NumberType.RESIDENT_ID, NumberType.RESIDENT_ID_15),
                number_label=mark("Identity number"),
                names={Field.NAME: _NAME},
                papers_told=mark("Both sides of the card"),
                checkable=True,
            ),
            Form(
                method=Method.ORGANISATION,
                title=mark("Organisation"),
                told=mark(
                    "By the social credit code or the organisation code, for the account of an organisation."
                ),
                numbers=(NumberType.USCC, NumberType.ORG_CODE),
                number_label=mark("Unified social credit code or organisation code"),
                names={
                    Field.ORGANISATION_NAME: mark("Name of the organisation"),
                    Field.LEGAL_REPRESENTATIVE: mark("Legal representative"),
                },
                papers_told=mark(
                    "The licence or certificate, and a letter that you act for the organisation"
                ),
                subject=SubjectType.ORGANISATION,
                checkable=True,
            ),
            Form(
                method=Method.PASSPORT,
                title=mark("Passport"),
                told=mark("By a passport of the People's Republic of China."),
                numbers=(NumberType.PASSPORT_CN,),
                number_label=mark("Passport number"),
                names={Field.NAME: _NAME},
                papers_told=mark("The page with the picture"),
            ),
            Form(
                method=Method.FOREIGN_PASSPORT,
                title=mark("Passport of another state"),
                told=mark(
                    "By the passport of any other state. Who lives here with a permanent residence card, or"
                    " travels with a permit, is better served by that."
                ),
                numbers=(NumberType.PASSPORT,),
                number_label=mark("Passport number"),
                names={Field.NAME: mark("Name as in the passport")},
                papers_told=mark(
                    "The page with the picture, and the visa or residence permit if you have one"
                ),
                has_state=True,
            ),
            Form(
                method=Method.PERMANENT_RESIDENT,
                title=mark("Permanent residence card of a foreigner"),
                told=mark("By the number on the card, in the layout of 2023 or the one before."),
                numbers=(
                    NumberType.FOREIGN_PERMANENT_RESIDENT,
                    NumberType.FOREIGN_PERMANENT_RESIDENT_15,
                ),
                number_label=mark("Card number"),
                names={Field.NAME: _NAME},
                papers_told=mark("Both sides of the card"),
            ),
            Form(
                method=Method.HK_MACAU_PERMIT,
                title=mark("Mainland travel permit for Hong Kong and Macau residents"),
                told=mark("By the number on the permit."),
                numbers=(NumberType.HK_MACAU_PERMIT,),
                number_label=mark("Permit number"),
                names={Field.NAME: _NAME},
                papers_told=mark("Both sides of the permit"),
            ),
            Form(
                method=Method.TAIWAN_PERMIT,
                title=mark("Mainland travel permit for Taiwan residents"),
                told=mark("By the number on the permit."),
                numbers=(NumberType.TAIWAN_PERMIT,),
                number_label=mark("Permit number"),
                names={Field.NAME: _NAME},
                papers_told=mark("Both sides of the permit"),
            ),
        )
    }
)
"""The ways that take a number and names, by method."""

METHODS: Final[Mapping[Method, str]] = MappingProxyType(
    {
        Method.MOBILE: mark("by mobile phone"),
        Method.RESIDENT_ID: mark("by resident identity card"),
        Method.ORGANISATION: mark("by organisation code"),
        Method.PASSPORT: mark("by passport"),
        Method.FOREIGN_PASSPORT: mark("by passport of another state"),
        Method.PERMANENT_RESIDENT: mark("by permanent residence card"),
        Method.HK_MACAU_PERMIT: mark("by Hong Kong and Macau travel permit"),
        Method.TAIWAN_PERMIT: mark("by Taiwan travel permit"),
        Method.OIDC: mark("by an identity provider"),
        Method.ATTESTATION: mark("in person"),
        Method.CERTIFICATION: mark("by certification"),
    }
)
STATES: Final = MappingProxyType(
    {
        identity.IdentityState.NONE: mark("not verified"),
        identity.IdentityState.PENDING: mark("not verified yet; begun"),
        identity.IdentityState.VERIFIED: mark("verified"),
        identity.IdentityState.DUE: mark("verified, to be confirmed again"),
        identity.IdentityState.LAPSED: mark("lapsed"),
        identity.IdentityState.REJECTED: mark("the last claim was turned down"),
        identity.IdentityState.REVOKED: mark("withdrawn by a person"),
    }
)
FIELDS: Final[Mapping[Field, str]] = MappingProxyType(
    {
        Field.MOBILE: mark("Phone number"),
        Field.RESIDENT_ID: mark("Identity number"),
        Field.NAME: mark("Name"),
        Field.ORG_CODE: mark("Organisation code"),
        Field.USCC: mark("Unified social credit code"),
        Field.ORGANISATION_NAME: mark("Name of the organisation"),
        Field.LEGAL_REPRESENTATIVE: mark("Legal representative"),
        Field.PASSPORT_CN: mark("Passport number"),
        Field.PASSPORT: mark("State and number of the passport"),
        Field.FOREIGN_PERMANENT_RESIDENT: mark("Card number"),
        Field.HK_MACAU_PERMIT: mark("Permit number"),
        Field.TAIWAN_PERMIT: mark("Permit number"),
        Field.EXTERNAL_SUBJECT: mark("Name at the identity provider"),
        Field.SCAN: mark("Picture of a paper"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What came in a form, as it was typed. Nothing of it shows in a `repr`."""

    number: str = field(repr=False)
    names: Mapping[Field, str] = field(repr=False)
    state: str = field(default="", repr=False)


def ways(settings: Settings) -> tuple[Method, ...]:
    """The ways that the operator offers, in order; that of a provider only where there is one."""
    chosen = (Method(way) for way in parse_ways(settings.identity.ways))
    return tuple(way for way in chosen if way is not Method.OIDC or settings.identity.oidc_issuer)


def needs_papers(settings: Settings, form: Form) -> bool:
    """Whether nobody but a person can look at such a claim."""
    return not form.checkable or settings.identity.checker == "manual"


async def terms(
    conn: Connection, settings: Settings, account_id: AccountId, subject: SubjectType = SubjectType.PERSON
) -> Terms:
    """How long an identity verified now holds: by who stands behind the account, and by its tier, which may
    ask for it more often."""
    chosen = settings.identity
    months = {
        SubjectType.PERSON: chosen.reverify_months,
        SubjectType.ORGANISATION: chosen.organisation_reverify_months,
    }[subject]
    of_tier = await tiers.interval_months(conn, account_id)
    return Terms(
        months=months if of_tier is None else min(of_tier, months),
        grace_days=chosen.grace_days,
        accounts=chosen.accounts_per_identity,
        forget=settings.vault.keep == "proof",
        keep_months=chosen.keep_months,
    )


def read(form: Form, typed: Typed, now: datetime) -> Said:
    """What was typed, of right form. Raises `Invalid`, with the field and never with what stands in it."""
    number = _number(form, typed, now)
    names = {}
    for what in form.names:
        name = " ".join(typed.names.get(what, "").split())
        if not name:
            raise Invalid(_MISSING[what], field=what.value)
        if len(name) > claims.MAX_NAME or not any(letter.isalpha() for letter in name):
            raise Invalid("This does not look like a name", field=what.value)
        names[what] = name
    return Said(method=form.method, subject=form.subject, number=number, names=names)


async def consent(road: Road, me: AccountId, given: bool, *, locale: str, source: Source) -> None:
    """Notes the consent, unless it is there; raises `Invalid` where it was not given. Before anything is
    taken."""
    async with road.pool.acquire() as conn, conn.transaction():
        if await consents.find(conn, me, Purpose.IDENTITY) is not None:
            return
        if not given:
            raise Invalid("Without your consent nothing is taken: tick the box to go on", field="consent")
        await consents.give(
            conn,
            me,
            Purpose.IDENTITY,
            locale=locale,
            now=road.clock(),
            source=source,
            new_id=road.ids,
        )


async def claim(
    road: Road,
    me: AccountId,
    form: Form,
    said: Said,
    *,
    scans: Sequence[Scan],
    checker: Checker,
    source: Source,
) -> Claim:
    """Takes a claim, which is approved now or waits for a person. Raises `Invalid` where it cannot be so.

    The same questions are asked in the same order whoever else has this number: nothing here depends on it
    but what a reviewer sees.
    """
    settings = road.settings.identity
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, me)
        if known.state is identity.IdentityState.REVOKED:
            raise Forbidden(REVOKED)
        if await claims.find_open(conn, me) is not None:
            raise Invalid("Your last claim is still looked at", field="number")
        for subject in (me, tries.network(source)):
            await tries.take(road, conn, f"claim:{subject}", settings.claims_a_day, _DAY)
    outcome = CheckOutcome(None, "")
    if form.checkable:
        outcome = await checker.check(
            Claimed(
                number_type=said.number.type,
                number=said.number.value,
                name=said.names.get(Field.NAME) or said.names.get(Field.ORGANISATION_NAME, ""),
                legal_representative=said.names.get(Field.LEGAL_REPRESENTATIVE),
            )
        )
    if outcome.agrees is False and not scans:
        raise Invalid(
            "The register says that number and name do not belong together. Check what you typed, or send"
            " pictures of the paper for a person to look at.",
            field="number",
        )
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            made = await sending.submit(
                conn,
                me,
                said,
                scans,
                outcome,
                terms=await terms(conn, road.settings, me, form.subject),
                sealer=road.sealer,
                now=road.clock(),
                source=source,
                new_id=road.ids,
            )
    except NotAllowed:  # another claim or a revocation came in between
        raise Invalid("Your last claim is still looked at", field="number") from None
    if made is None:
        raise Invalid("Send pictures of the paper, for a person to look at", field="papers")
    return made


REVOKED: Final = mark("A person withdrew this identity. Only a person can restore it; you can appeal.")


async def tell(road: Road, conn: Connection, account_id: AccountId, code: Code) -> None:
    """Tells the person of something about their identity; wake them after the commit."""
    notice = Notice(to=account_id, code=code, link=PAGE)
    await telling.tell(conn, [notice], now=road.clock(), new_id=road.ids)


async def withdraw(road: Road, me: AccountId, *, source: Source) -> datetime | None:
    """Takes the person's own identity away from here, and the consent with it. Says until when the sealed
    number is kept."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        until = await identity.withdraw(
            conn,
            me,
            keep_months=road.settings.identity.keep_months,
            now=now,
            source=source,
            new_id=road.ids,
        )
        await consents.end(conn, me, Purpose.IDENTITY, now=now, source=source, new_id=road.ids)
    return until


def _number(form: Form, typed: Typed, now: datetime) -> Number:
    if form.has_state and typed.state not in ISSUERS:
        raise Invalid("Choose the state that issued the passport", field="state")
    if form.has_state and not typed.number.strip():
        raise Invalid(_EMPTY, field="number")
    text = typed.state + typed.number if form.has_state else typed.number
    try:
        return holders.read(form.numbers, text, as_of=now.astimezone(_CHINA).date())
    except InvalidNumber as error:
        words = _WRONG.get(error.code, _WRONG["form"])
        raise Invalid(words, field="number") from None


_MISSING: Final = {
    Field.NAME: mark("The name is missing"),
    Field.ORGANISATION_NAME: mark("The name of the organisation is missing"),
    Field.LEGAL_REPRESENTATIVE: mark("The legal representative is missing"),
}
_EMPTY = mark("Type the number")
_WRONG: Final = {
    "empty": _EMPTY,
    "characters": mark("There is a character in the number that stands in no such number"),
    "length": mark("The number is too long or too short"),
    "form": mark("This does not look like such a number"),
    "province": mark("No such number begins like this"),
    "birth": mark("The birth date in the number is no day of the calendar"),
    "future": mark("The birth date in the number is still to come"),
    "age": mark("The birth date in the number is too long ago"),
    "check": mark("The last character does not fit the others: mostly a typing error"),
    "organisation": mark("The organisation code inside the number does not fit: mostly a typing error"),
}
