"""What sealed papers, purposes and refusals of the vault are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from compliance.accesses import Field, Purpose
from compliance.errors import ComplianceError
from compliance.errors import NotFound as NoSuchThing
from compliance.openings import OpeningState

from ..errors import AppError, Conflict, Forbidden, Invalid, NotFound
from ..i18n import mark
from .render import say

FIELDS: Final[Mapping[Field, str]] = {
    Field.MOBILE: mark("Mobile number"),
    Field.RESIDENT_ID: mark("Resident identity number"),
    Field.NAME: mark("Name"),
    Field.ORG_CODE: mark("Organisation code"),
    Field.USCC: mark("Unified social credit code"),
    Field.ORGANISATION_NAME: mark("Name of the organisation"),
    Field.LEGAL_REPRESENTATIVE: mark("Legal representative"),
    Field.PASSPORT_CN: mark("Passport number"),
    Field.PASSPORT: mark("State and number of the passport"),
    Field.FOREIGN_PERMANENT_RESIDENT: mark("Permanent residence card"),
    Field.HK_MACAU_PERMIT: mark("Hong Kong or Macau permit"),
    Field.TAIWAN_PERMIT: mark("Taiwan permit"),
    Field.EXTERNAL_SUBJECT: mark("Pseudonym at the identity provider"),
    Field.SCAN: mark("Pictures of papers"),
}
PURPOSES: Final[Mapping[Purpose, str]] = {
    Purpose.AUTHORITY: mark("An authority asked, in due form"),
    Purpose.COURT: mark("A court ordered it"),
    Purpose.DISPUTE: mark("It is disputed whose the account is"),
    Purpose.MISUSE: mark("A number or a name is being misused"),
    Purpose.INCIDENT: mark("A breach of security is looked into"),
    Purpose.SUBJECT: mark("The person asked for it"),
    Purpose.REVIEW: mark("A claim or an application was reviewed"),
    Purpose.OWN: mark("Looked at by yourself"),
}
STATES: Final[Mapping[OpeningState, str]] = {
    OpeningState.WAITING: mark("waits for approval"),
    OpeningState.APPROVED: mark("approved"),
    OpeningState.REFUSED: mark("refused"),
    OpeningState.READ: mark("read"),
}
LOCKED: Final = "too many papers were opened in one day"
_FORBIDDEN: Final[Mapping[str, str]] = {
    "this needs somebody with another role": mark("This needs somebody with another role"),
    "nobody opens their own papers this way": mark("Nobody opens their own papers, or approves that"),
    "a request is decided by another person than asked for it": mark(
        "A request is decided by another person than asked for it"
    ),
    "only who asked for an opening reads it": mark("Only who asked for an opening reads it"),
    "this opening has been read, and is read once": mark("This opening has been read, and is read once"),
    "this opening is not approved": mark("This opening is not approved"),
    LOCKED: mark("You have opened too many papers in one day: this is locked for you, and recorded"),
}
_CONFLICT: Final[Mapping[str, str]] = {
    "this request has been decided": mark("This request has been decided"),
    "the time for this is over": mark("The time for this is over: ask again"),
    "the person has been told already": mark("The person has been told already"),
}
_INVALID: Final[Mapping[str, tuple[str, str]]] = {
    "an opening needs a legal basis": ("legal_basis", mark("Name the legal basis")),
    "an opening needs a case or ticket": ("case", mark("Name the case or ticket")),
    "say which papers are to be opened": ("fields", mark("Choose which papers are to be opened")),
    "no such papers are kept of this person": ("fields", mark("No such papers are kept of this person")),
    "a legal hold needs its legal basis": ("hold_basis", mark("Name what forbids telling the person")),
    "a legal hold ends within a year": ("hold_until", mark("Choose a day within a year from now")),
    "a refusal needs a statement of reasons": ("statement", mark("A refusal needs a statement of reasons")),
}


def names_of(request: web.Request, fields: tuple[Field, ...]) -> str:
    """The papers of a list by their names, for a sentence."""
    return ", ".join(say(request, FIELDS[field]) for field in fields)


def refused(error: ComplianceError) -> AppError:
    """A refusal of the vault as one that a page can say."""
    word = str(error)
    if isinstance(error, NoSuchThing):
        return NotFound()
    if word in _FORBIDDEN:
        return Forbidden(_FORBIDDEN[word])
    if word in _CONFLICT:
        return Conflict(_CONFLICT[word])
    if word in _INVALID:
        field, message = _INVALID[word]
        return Invalid(message, field=field)
    return Conflict(word)
