"""Certification in plain words: classes, fields, states, and what is wrong with what somebody sent in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance.activity import AccountId
from compliance.applications import Application
from compliance.applications import State as ApplicationState
from compliance.approvals import Match
from compliance.certification import State
from compliance.claims import Fault, Ground, Wrong
from compliance.classes import CertClass
from compliance.paperwork import FieldName, Kind
from compliance.steps import Step

from ..http.errors import locale_of
from ..i18n import mark
from .render import say

CLASSES: Final = {
    CertClass.INDIVIDUAL: mark("Individual"),
    CertClass.ENTERPRISE: mark("Enterprise"),
    CertClass.INSTITUTION: mark("Public institution"),
    CertClass.GOVERNMENT: mark("Government body"),
    CertClass.SOCIAL: mark("Social organisation"),
    CertClass.MEDIA: mark("News medium"),
    CertClass.FOREIGN: mark("Organisation from abroad"),
}
FIELDS: Final = {
    FieldName.NAME: mark("Real name"),
    FieldName.LABEL: mark("What stands by the mark"),
    FieldName.OCCUPATION: mark("Occupation"),
    FieldName.EMPLOYER: mark("Employer"),
    FieldName.EXPERTISE: mark("Field of expertise"),
    FieldName.ORGANISATION_NAME: mark("Registered name"),
    FieldName.USCC: mark("Unified social credit code"),
    FieldName.ORG_CODE: mark("Organisation code"),
    FieldName.LEGAL_REPRESENTATIVE: mark("Legal representative"),
    FieldName.LICENCE_NUMBER: mark("Number of the licence"),
    FieldName.COUNTRY: mark("Country of registration"),
    FieldName.ISSUER: mark("Body resident in China that issued the paper"),
    FieldName.ISSUER_REFERENCE: mark("Reference of that paper"),
    FieldName.ISSUED_UNTIL: mark("That paper is valid until"),
    FieldName.WEBSITE: mark("Web site"),
}
HINTS: Final = {
    FieldName.NAME: mark("As in your verified identity. Sealed; only whoever decides sees it."),
    FieldName.LABEL: mark("Everybody sees this, such as: Sea Wind Hospital, physician."),
    FieldName.USCC: mark("18 characters, as on the licence."),
    FieldName.ORG_CODE: mark("9 characters. The social credit code holds it as characters 9 to 17."),
    FieldName.LEGAL_REPRESENTATIVE: mark("Sealed; only whoever decides sees it."),
    FieldName.ORGANISATION_NAME: mark("Exactly as on the papers. Everybody sees it once certified."),
    FieldName.ISSUER: mark("An embassy, consulate, or representative office."),
    FieldName.ISSUED_UNTIL: mark("Such as 2027-12-31."),
    FieldName.WEBSITE: mark("With https://"),
}
FAULTS: Final = {
    Fault.FIELD_MISSING: mark("Fill this in"),
    Fault.FIELD_LONG: mark("This is too long"),
    Fault.FIELD_UNSEEN: mark("There are characters in it that nobody sees"),
    Fault.USCC_WRONG: mark("This is not a unified social credit code: compare it with the licence"),
    Fault.USCC_ORGANISATION_CODE_WRONG: mark(
        "The organisation code inside this code (characters 9 to 17) is wrong"
    ),
    Fault.ORGANISATION_CODE_WRONG: mark("This is not an organisation code: compare it with the certificate"),
    Fault.ORGANISATION_CODE_DIFFERS: mark("The social credit code holds another organisation code"),
    Fault.NAME_MISMATCH: mark("This name is not the one that is known for this number or this identity"),
    Fault.RESIDENT_BODY_MISSING: mark(
        "Name the body resident in China that issued the paper: without it there is no certification"
    ),
    Fault.RESIDENT_BODY_PAPER_MISSING: mark("Add the paper issued by the body resident in China"),
    Fault.DATE_WRONG: mark("This is not a day written as 2027-12-31"),
    Fault.DATE_PAST: mark("This day is over: the paper is no longer valid"),
    Fault.WEBSITE_WRONG: mark("This is not an address that begins with https://"),
    Fault.PAPER_MISSING: mark("Add this paper, or one of its alternatives"),
    Fault.IDENTITY_MISSING: mark("Verify your identity first, under Settings, Identity"),
}
STATES: Final = {
    ApplicationState.DRAFT: mark("Draft"),
    ApplicationState.SUBMITTED: mark("Sent in"),
    ApplicationState.MORE: mark("More was asked for"),
    ApplicationState.SECOND: mark("Checked by one person; a second one decides"),
    ApplicationState.APPROVED: mark("Approved"),
    ApplicationState.DECLINED: mark("Declined"),
    ApplicationState.WITHDRAWN: mark("Withdrawn"),
}
_REOPENED: Final = mark("Opened again on appeal: another person decides")
CERTIFICATIONS: Final = {
    State.ACTIVE: mark("in force"),
    State.EXPIRED: mark("ended"),
    State.REVOKED: mark("withdrawn"),
}
GROUNDS: Final = {
    Ground.NAME_MISMATCH: mark("The name does not agree with the papers"),
    Ground.CODE_MISMATCH: mark("The code does not agree with the papers"),
    Ground.IDENTITY_MISMATCH: mark("The claim does not agree with the verified identity"),
    Ground.PAPER_INVALID: mark("A paper cannot be read, or is not the one that is asked for"),
    Ground.PAPER_FORGED: mark("A paper is not genuine"),
    Ground.PAPER_EXPIRED: mark("A paper is no longer valid"),
    Ground.NOT_SHOWN: mark("The papers do not show what is claimed"),
    Ground.NOT_AUTHORISED: mark("Whoever applies is not authorised by the organisation"),
    Ground.RESIDENT_BODY: mark("No valid paper of a body resident in China"),
    Ground.MISLEADING_LABEL: mark("The words by the mark would mislead"),
    Ground.MISUSE: mark("The mark was misused"),
}
MATCHES: Final = {
    Match.SAME: mark("agrees with what is known"),
    Match.OTHER: mark("differs from what is known"),
    Match.UNKNOWN: mark("nothing to compare it with"),
}
CHECKED: Final = {
    "compliance": mark("a compliance officer of this server"),
    "two": mark("two people of this server"),
}
TimelineState = tuple[str, datetime | None, str, bool]


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form."""

    name: str
    label: str
    hint: str
    value: str
    required: bool
    sealed: str = ""
    """What is sealed already, masked."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One paper that is asked for, and what was given for it."""

    name: str
    title: str
    hint: str
    need: str
    given: tuple[int, ...]


def errors(request: web.Request, wrong: Iterable[Wrong]) -> list[tuple[str, str]]:
    """What is wrong, in words, each with its code."""
    found = []
    for one in wrong:
        place = one.place.replace(":", "-")
        found.append((place, f"{say(request, FAULTS[one.fault])} ({one.fault})"))
    return found


def inputs(request: web.Request, kind: Kind, values: dict[FieldName, str], one: Application) -> list[Input]:
    """The fields of the form, with what was typed."""
    sealed = one.claims if one.submitted_at is not None else {}
    return [
        Input(
            name.value,
            say(request, FIELDS[name]),
            say(request, HINTS[name]) if name in HINTS else "",
            values.get(name, ""),
            name in kind.fields,
            sealed.get(name, "") if name not in values else "",
        )
        for name in (*kind.fields, *kind.optional)
    ]


def slots(request: web.Request, kind: Kind, one: Application) -> list[Slot]:
    """The papers of the form, with what was given."""
    locale = locale_of(request)
    return [
        Slot(
            paper.name,
            paper.title.to(locale),
            paper.help.to(locale) if paper.help else "",
            paper.need.value,
            tuple(one.slots.get(paper.name, ())),
        )
        for paper in kind.papers
    ]


def timeline(
    request: web.Request, listed: Sequence[Step], names: Mapping[AccountId, str] | None = None
) -> list[TimelineState]:
    """What happened to an application. With `names`, also by whom: for those who decide."""
    found: list[TimelineState] = []
    for place, step in enumerate(listed):
        words = (
            say(request, STATES[ApplicationState(step.state)]) if step.state in set(ApplicationState) else ""
        )
        by = f" · @{names[step.by_id]}" if names and step.by_id and step.by_id in names else ""
        found.append(
            (
                (words or say(request, _REOPENED)) + by,
                step.at,
                step.words,
                place == len(listed) - 1,
            )
        )
    return found
