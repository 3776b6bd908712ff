"""What the house itself tells people: a text by its code, values, and the page that it is about.

The words are chosen when they are read, in the reader's language. Such notices cannot be muted; whoever
writes one wakes its reader after commit, by the channel `notices`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import msgspec

from compliance.activity import AccountId

from .db.pool import Connection
from .i18n import mark

_encode = msgspec.json.Encoder().encode


class Code(enum.StrEnum):
    """What is told; the values are what the database stores. Each has its text below."""

    IMPORT_DONE = "import:done"
    IMPORT_FAILED = "import:failed"
    IDENTITY_DUE = "identity:due"
    IDENTITY_OVERDUE = "identity:overdue"
    IDENTITY_LAPSES = "identity:lapses"
    IDENTITY_ASKED = "identity:asked"
    ORGANISATION_DUE = "organisation:identity-due"
    ORGANISATION_OVERDUE = "organisation:identity-overdue"
    ORGANISATION_LAPSES = "organisation:identity-lapses"
    ORGANISATION_ASKED = "organisation:identity-asked"
    IDENTITY_VERIFIED = "identity:verified"
    IDENTITY_MORE = "identity:more"
    IDENTITY_RESTORED = "identity:restored"
    TIER_RAISED = "tier:raised"
    CREDIT_CHANGED = "credit:changed"
    FILING_DUE = "filing:due"
    FILING_LATE = "filing:late"
    CERTIFICATION_MORE = "certification:more"
    CERTIFICATION_APPROVED = "certification:approved"
    CERTIFICATION_DUE = "certification:due"
    CERTIFICATION_EXPIRED = "certification:expired"
    CERTIFICATION_REFUSED = "certification:refused"
    FRONT_NAME_ASKED = "front-name:asked"

    VAULT_OPENED = "vault:opened"
    VAULT_ASKED = "vault:asked"
    VAULT_DECIDED = "vault:decided"
    VAULT_LOCKED = "vault:locked"

    ORGANISATION_INVITED = "organisation:invited"
    ORGANISATION_JOINED = "organisation:joined"
    ORGANISATION_ROLE = "organisation:role"
    ORGANISATION_REMOVED = "organisation:removed"
    ORGANISATION_LEFT = "organisation:left"
    ORGANISATION_TRANSFER = "organisation:transfer"
    ORGANISATION_TRANSFER_CANCELLED = "organisation:transfer-cancelled"
    ORGANISATION_TRANSFER_DONE = "organisation:transfer-done"
    ORGANISATION_GRANTED = "organisation:granted"
    ORGANISATION_SUSPENDED = "organisation:suspended"
    ORGANISATION_RESTORED = "organisation:restored"
    DRAFT_SUBMITTED = "draft:submitted"
    DRAFT_APPROVED = "draft:approved"
    DRAFT_RETURNED = "draft:returned"
    SCHEDULED_PUBLISHED = "scheduled:published"
    SCHEDULED_HELD = "scheduled:held"
    SCHEDULED_FAILED = "scheduled:failed"


TEXTS: Mapping[Code, str] = MappingProxyType(
    {
        Code.VAULT_OPENED: mark(
            "Your identity papers were opened. The access history says when and what for"
        ),
        Code.VAULT_ASKED: mark("Somebody asks to open sealed papers; you decide, within 24 hours"),
        Code.VAULT_DECIDED: mark("Your request to open sealed papers was decided"),
        Code.VAULT_LOCKED: mark("%(name)s asked to open more papers than a day allows, and was locked out"),
        Code.IMPORT_DONE: mark("The posts of your archive are here"),
        Code.IMPORT_FAILED: mark("Your archive could not be brought here as a whole"),
        Code.IDENTITY_DUE: mark("Your identity is to be verified again by %(date)s"),
        Code.IDENTITY_OVERDUE: mark(
            "Your identity was to be verified again by %(date)s. You can publish until %(ends)s"
        ),
        Code.IDENTITY_LAPSES: mark("You can publish until %(ends)s, unless you verify your identity again"),
        Code.IDENTITY_ASKED: mark("Please verify your identity again by %(date)s. %(reason)s"),
        Code.ORGANISATION_DUE: mark("The identity of @%(account)s is to be verified again by %(date)s"),
        Code.ORGANISATION_OVERDUE: mark(
            "The identity of @%(account)s was to be verified again by %(date)s. It can publish until %(ends)s"
        ),
        Code.ORGANISATION_LAPSES: mark(
            "@%(account)s can publish until %(ends)s, unless its identity is verified again"
        ),
        Code.ORGANISATION_ASKED: mark(
            "Please have the identity of @%(account)s verified again by %(date)s. %(reason)s"
        ),
        Code.IDENTITY_VERIFIED: mark("Your identity is verified: you can publish"),
        Code.IDENTITY_MORE: mark("To verify your identity, something more is needed"),
        Code.IDENTITY_RESTORED: mark("The withdrawal of your identity was taken back"),
        Code.TIER_RAISED: mark("Your account has moved up to the tier %(tier)s"),
        Code.FILING_DUE: mark("A filing is due on %(date)s: %(what)s"),
        Code.FILING_LATE: mark("A filing is late, it was due on %(date)s: %(what)s"),
        Code.CREDIT_CHANGED: mark("Your credit has changed from %(before)s to %(after)s"),
        Code.CERTIFICATION_MORE: mark("The reviewer of the certification of @%(account)s asks for more"),
        Code.CERTIFICATION_APPROVED: mark("@%(account)s is certified until %(date)s"),
        Code.CERTIFICATION_DUE: mark("The certification of @%(account)s ends on %(date)s: renew it in time"),
        Code.CERTIFICATION_EXPIRED: mark("The certification of @%(account)s has ended"),
        Code.CERTIFICATION_REFUSED: mark(
            "The certification of @%(account)s was declined or withdrawn: read why, or appeal"
        ),
        Code.FRONT_NAME_ASKED: mark(
            "Accounts with more than %(followers)s followers show their real name to verified people"
        ),
        Code.ORGANISATION_INVITED: mark("@%(by)s invites you to act for @%(organisation)s"),
        Code.ORGANISATION_JOINED: mark("@%(person)s now acts for @%(organisation)s"),
        Code.ORGANISATION_ROLE: mark("Your role for @%(organisation)s was changed by @%(by)s"),
        Code.ORGANISATION_REMOVED: mark("You no longer act for @%(organisation)s"),
        Code.ORGANISATION_LEFT: mark("@%(person)s no longer acts for @%(organisation)s"),
        Code.ORGANISATION_TRANSFER: mark(
            "On %(date)s @%(person)s takes over @%(organisation)s from @%(by)s;"
            " until then an owner can stop it"
        ),
        Code.ORGANISATION_TRANSFER_CANCELLED: mark("@%(organisation)s is not handed on to @%(person)s"),
        Code.ORGANISATION_TRANSFER_DONE: mark("@%(person)s is now the owner of @%(organisation)s"),
        Code.ORGANISATION_GRANTED: mark("The operators made @%(person)s an owner of @%(organisation)s"),
        Code.ORGANISATION_SUSPENDED: mark("The operators have suspended the rights of @%(organisation)s"),
        Code.ORGANISATION_RESTORED: mark("The rights of @%(organisation)s are restored"),
        Code.DRAFT_SUBMITTED: mark("@%(by)s submitted a draft of @%(organisation)s for approval"),
        Code.DRAFT_APPROVED: mark("@%(by)s approved your draft for @%(organisation)s"),
        Code.DRAFT_RETURNED: mark("@%(by)s sent your draft for @%(organisation)s back"),
        Code.SCHEDULED_PUBLISHED: mark("Your scheduled post was published"),
        Code.SCHEDULED_HELD: mark("Your scheduled post is under review before anybody sees it"),
        Code.SCHEDULED_FAILED: mark("Your scheduled post was not published. It is kept: see why."),
    }
)
"""The text of each code, as message ids of the catalogues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell one account here. `link` is a path on this server."""

    to: AccountId
    code: Code
    values: Mapping[str, str | int] = field(default_factory=dict)
    link: str | None = None


async def tell(
    conn: Connection, notices: Sequence[Notice], *, now: datetime, new_id: Callable[[], int]
) -> None:
    """Writes the notices in one statement."""
    if not notices:
        return
    await conn.execute(
        """
        insert into notification (id, account_id, kind, code, details, link, created_at)
        select n.id, n.account_id, 'notice', n.code, n.details::jsonb, n.link, $6
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
               as n(id, account_id, code, details, link)
             join account a on a.id = n.account_id and a.host is null
        """,
        [new_id() for _ in notices],
        [notice.to for notice in notices],
        [notice.code.value for notice in notices],
        [_encode(notice.values).decode() for notice in notices],
        [notice.link for notice in notices],
        now,
    )


async def tell_decision(
    conn: Connection,
    account_id: AccountId,
    decision_id: int,
    *,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Tells an account here of a decision about it."""
    await conn.execute(
        """
        insert into notification (id, account_id, kind, decision_id, created_at)
        select $1, a.id, 'decision', $3, $4 from account a where a.id = $2 and a.host is null
        """,
        new_id(),
        account_id,
        decision_id,
        now,
    )
