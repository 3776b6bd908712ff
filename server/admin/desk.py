"""What the operators' pages share: who may open which, the list beside them, and the way from one case to the
next.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiohttp import web

from compliance import appeals, approvals, cases, openings, reports
from compliance.errors import ComplianceError
from compliance.errors import NotFound as NoSuchThing
from compliance.identity import claims

from .. import keys
from ..errors import AppError, Invalid, NotFound
from ..http.auth import person
from ..http.body import Body
from ..i18n import mark
from ..pages import render
from ..pages.render import say
from ..pages.windows import number
from ..store.model import Role

# Security reference, section 5: what each role may do.
REVIEW: Final = (Role.REVIEWER, Role.COMPLIANCE, Role.EDITOR)
APPEALS: Final = (Role.COMPLIANCE, Role.EDITOR)
ACCOUNTS: Final = (Role.REVIEWER, Role.COMPLIANCE, Role.EDITOR, Role.ADMIN)
ORGANISATIONS: Final = (Role.REVIEWER, Role.COMPLIANCE, Role.EDITOR, Role.AUDITOR, Role.ADMIN)
SUSPEND: Final = (Role.COMPLIANCE, Role.EDITOR, Role.ADMIN)
ROLES: Final = (Role.ADMIN,)
ATTEST: Final = (Role.COMPLIANCE, Role.EDITOR, Role.ADMIN)
IDENTITIES: Final = (Role.COMPLIANCE, Role.EDITOR)
SEE_RULES: Final = (Role.REVIEWER, Role.COMPLIANCE, Role.EDITOR)
CHANGE_RULES: Final = (Role.COMPLIANCE, Role.EDITOR)
SEE_TIERS: Final = (Role.COMPLIANCE, Role.EDITOR, Role.AUDITOR)
CHANGE_TIERS: Final = (Role.COMPLIANCE, Role.EDITOR)
SEE_FILINGS: Final = (Role.COMPLIANCE, Role.EDITOR, Role.AUDITOR)
FILE: Final = (Role.COMPLIANCE, Role.EDITOR)
HOSTS: Final = (Role.COMPLIANCE, Role.EDITOR, Role.ADMIN)
CHECK: Final = (Role.REVIEWER, Role.COMPLIANCE)
CERTIFY: Final = (Role.COMPLIANCE,)
REVOKE: Final = (Role.COMPLIANCE, Role.EDITOR)
SEE_VAULT: Final = (Role.COMPLIANCE, Role.EDITOR, Role.AUDITOR)
CAMPAIGNS: Final = (Role.COMPLIANCE, Role.EDITOR, Role.ADMIN)
RECORDS: Final = (Role.AUDITOR, Role.EDITOR, Role.ADMIN)

_DESKS: Final = (
    ("queue", "/admin/queue", "inbox", mark("Queue"), REVIEW),
    ("reports", "/admin/reports", "flag", mark("Reports"), REVIEW),
    ("appeals", "/admin/appeals", "scale", mark("Appeals"), APPEALS),
    ("certifications", "/admin/certifications", "shield", mark("Certifications"), REVIEW),
    ("identity", "/admin/identity", "shield", mark("Identities"), REVIEW),
    ("campaigns", "/admin/campaigns", "clock", mark("Campaigns"), CAMPAIGNS),
    ("accounts", "/admin/accounts", "local", mark("Accounts"), ACCOUNTS),
    ("organisations", "/admin/organisations", "user-plus", mark("Organisations"), ORGANISATIONS),
    ("vault", "/admin/vault", "lock", mark("Sealed papers"), SEE_VAULT),
    ("rules", "/admin/rules", "book", mark("Word rules"), SEE_RULES),
    ("tiers", "/admin/tiers", "list", mark("Tiers"), SEE_TIERS),
    ("filings", "/admin/filings", "external", mark("Filings"), SEE_FILINGS),
    ("hosts", "/admin/hosts", "server", mark("Other servers"), HOSTS),
    ("records", "/admin/records", "scroll", mark("Records"), RECORDS),
)
_T = TypeVar("_T")
# What the judgement says to programmers, as operators read it.
_SAID: Final = {
    "nobody reviews their own claim": mark("Nobody reviews their own claim"),
    "this claim does not wait for a decision": mark("This claim does not wait for a decision"),
    "a claim that was refused wrongly is looked at by another person": mark(
        "After an appeal, a claim is looked at by another person than before"
    ),
    "this number has verified as many accounts as one number may": mark(
        "This number has verified as many accounts as one number may"
    ),
    "nobody decides about their own identity": mark("Nobody decides about their own identity"),
    "this identity was revoked by a person, and only a person restores it": mark(
        "This identity was withdrawn: restore it first"
    ),
    "this identity is revoked already": mark("This identity has been withdrawn already"),
    "this identity is not revoked": mark("This identity has not been withdrawn"),
    "a refusal needs a statement of reasons": mark("A refusal needs a statement of reasons"),
    "what is written about a step is too long": mark("What is written about a step is too long"),
    "an assessment's feature, version or reference is too long": mark(
        "The feature, its version or the reference is too long"
    ),
    "a decision needs a statement of reasons": mark("A decision needs a statement of reasons"),
    "this case has been decided": mark("This case has been decided"),
    "this complaint has been decided": mark("This report has been decided"),
    "this appeal has been decided": mark("This appeal has been decided"),
    "nobody decides their own appeal": mark("Nobody decides their own appeal"),
    "nobody decides a complaint of theirs, or about them": mark(
        "Nobody decides a report of theirs, or about them"
    ),
    "an appeal is decided by another person than the refusal was": mark(
        "An appeal is decided by another person than the refusal was"
    ),
    "nobody decides about their own certification": mark("Nobody decides about their own certification"),
    "another person decides about it after the appeal": mark("After the appeal, another person decides"),
    "the second decision is another person's": mark(
        "You checked it first: the second decision is another person's"
    ),
    "two different people decide about this class": mark("Two different people decide about this class"),
    "this application does not wait for a decision": mark("This application does not wait for a decision"),
    "this application has been checked": mark("This application has been checked"),
    "somebody else works on this application": mark("Somebody else works on this application"),
    "take the application first": mark("Take the application first"),
    "every field must agree with the papers, and each difference be resolved": mark(
        "Every field must agree with the papers, and each difference be resolved"
    ),
    "this certification is not in force": mark("This certification is not in force"),
    "this step is not open": mark("This step is not open"),
    "a filing is released by another person than drafted it": mark(
        "A filing is released by another person than drafted it"
    ),
    "an acknowledged filing has the number of its receipt": mark("Write the number of the receipt"),
    "a returned filing has the reason why": mark("Write why it came back"),
    "an authority has a name": mark("An authority has a name"),
    "an assessment names the feature and its version": mark(
        "An assessment names the feature and its version"
    ),
    "an assessment is not of a day to come": mark("An assessment is not of a day to come"),
    "this policy is in force": mark("This policy is in force"),
    "no policy is in force": mark("No policy is in force"),
    "a policy is put in force by another person than proposed it": mark(
        "A policy is put in force by another person than proposed it"
    ),
    "credit is never changed without a reason": mark("Credit is never changed without a reason"),
    "nobody changes their own credit": mark("Nobody changes their own credit"),
    "no tier policy is in force, so there is no credit": mark(
        "No tier policy is in force, so there is no credit"
    ),
    "no such account here": mark("No such account here"),
    "not the name of a host": mark("This is not the name of a server"),
    "a decision about a server needs a reason": mark("A decision about a server needs a reason"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the list beside the console's pages."""

    name: str
    path: str
    icon: str
    label: str
    count: int = 0


class Refused(AppError):
    """The judgement's own rules forbid this step: somebody's own case, or one that is decided."""

    status = 409


def may(request: web.Request, roles: tuple[Role, ...]) -> bool:
    """Whether whoever asks has one of these roles."""
    return bool(person(request).roles & set(roles))


def first(request: web.Request) -> str:
    """The first page that the person may open."""
    roles = person(request).roles
    return next((path for _, path, _, _, allowed in _DESKS if roles & set(allowed)), "/home")


async def page(request: web.Request, template: str, tab: str, **context: Any) -> web.Response:
    """A page of the console."""
    roles = person(request).roles
    async with request.app[keys.POOL].acquire() as conn:
        counts = {
            "queue": await cases.count_waiting(conn),
            "reports": await reports.count_waiting(conn),
            "appeals": await appeals.count_waiting(conn),
            "identity": await claims.count_waiting(conn),
            "vault": await openings.count_waiting(conn, request.app[keys.CLOCK]()),
            "certifications": await approvals.count_waiting(conn),
        }
    listed = tuple(
        Item(name, path, icon, say(request, label), counts.get(name, 0))
        for name, path, icon, label, allowed in _DESKS
        if roles & set(allowed)
    )
    return await render.page(request, template, tab=tab, console=listed, **context)


def id_of(request: web.Request) -> int:
    """The id in the address; raises `NotFound`."""
    found = number(request.match_info["id"])
    if found is None:
        raise NotFound
    return found


async def pasted(form: Body, empty: str) -> str:
    """The text of a file, or what was pasted instead; `Invalid` says `empty` where there is neither."""
    upload, text = form.upload("file"), form.text("body")
    if upload is not None:
        try:
            text = (await upload.read()).decode("utf-8")
        except UnicodeDecodeError:
            raise Invalid("This file is not text in UTF-8", field="file") from None
    if not text.strip():
        raise Invalid(empty, field="file")
    return text


async def found(work: Awaitable[_T]) -> _T:
    """What the judgement finds, with its "no such thing" as ours."""
    try:
        return await work
    except NoSuchThing:
        raise NotFound from None


def refused(error: ComplianceError) -> AppError:
    """An error of the judgement as one that a page can say."""
    if isinstance(error, NoSuchThing):
        return NotFound()
    return Refused(said(str(error)))


def said(message: str) -> str:
    """What the judgement says to programmers, as operators read it."""
    return _SAID.get(message, message)


def wants_next(form: Body) -> bool:
    """Whether the next case is to be opened after this one."""
    return form.text("then") == "next"
