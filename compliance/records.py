"""The log (Article 16): who did what, when, from where. Append-only, monthly partitions, kept six months at
least.

A record is written in the transaction of the act it tells of, so neither is there without the other. The
database refuses to change or delete one, whoever asks.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import asyncpg
import msgspec

from .activity import AccountId
from .connection import Connection

MONTHS_AHEAD = 3
"""Partitions are made this far ahead, so that a month of broken upkeep stops nobody from writing."""
_encode = msgspec.json.Encoder().encode


Detail: TypeAlias = Mapping[str, str | int | bool | None]


class RecordKind(enum.StrEnum):
    """What happened, as `subject:action`. A new kind needs no migration."""

    ACTIVITY_CREATE = "activity:create"
    ACTIVITY_UPDATE = "activity:update"
    ACTIVITY_UPDATE_PROFILE = "activity:update-profile"
    ACTIVITY_UPLOAD = "activity:upload"
    ACTIVITY_DELETE = "activity:delete"
    ACTIVITY_ANNOUNCE = "activity:announce"
    ACTIVITY_LIKE = "activity:like"
    ACTIVITY_FOLLOW = "activity:follow"
    ACTIVITY_ACCEPT = "activity:accept"
    ACTIVITY_REJECT = "activity:reject"
    ACTIVITY_UNDO = "activity:undo"
    ACTIVITY_BLOCK = "activity:block"
    ACTIVITY_FLAG = "activity:flag"
    ACTIVITY_ASK_REPLY = "activity:ask-reply"
    ACTIVITY_APPROVE_REPLY = "activity:approve-reply"
    ACTIVITY_HIDE_REPLY = "activity:hide-reply"
    ACTIVITY_REMOVE_REPLY = "activity:remove-reply"

    COMMENT_POLICY = "comment:policy"
    COMMENT_OPEN = "comment:open"
    COMMENT_CLOSE = "comment:close"
    COMMENT_PIN = "comment:pin"
    COMMENT_UNPIN = "comment:unpin"
    COMMENT_BLOCK = "comment:block"
    COMMENT_UNBLOCK = "comment:unblock"

    NAME_RESERVE = "name:reserve"
    NAME_RELEASE = "name:release"
    SIGNING_ROTATE = "signing:rotate"

    ACCOUNT_REGISTER = "account:register"
    ACCOUNT_DELETE = "account:delete"
    ACCOUNT_EXPORT = "account:export"
    ACCOUNT_IMPORT = "account:import"
    ACCOUNT_SUSPEND = "account:suspend"
    ACCOUNT_RESTORE = "account:restore"
    SESSION_LOGIN = "session:login"
    SESSION_LOGIN_FAILED = "session:login-failed"
    SESSION_LOGOUT = "session:logout"
    SESSION_REVOKE = "session:revoke"
    EMAIL_CONFIRM = "email:confirm"
    EMAIL_CHANGE = "email:change"
    PASSWORD_CHANGE = "password:change"  # noqa: S105 - the name of an act
    PASSWORD_RESET = "password:reset"  # noqa: S105
    TOTP_ENABLE = "totp:enable"
    TOTP_DISABLE = "totp:disable"
    TOKEN_CREATE = "token:create"  # noqa: S105
    TOKEN_REVOKE = "token:revoke"  # noqa: S105
    APP_REGISTER = "app:register"
    ROLE_GRANT = "role:grant"
    ROLE_REVOKE = "role:revoke"
    SETTINGS_CHANGE = "settings:change"

    AGREEMENT_PUBLISH = "agreement:publish"
    AGREEMENT_ACCEPT = "agreement:accept"
    IDENTITY_START = "identity:start"
    IDENTITY_VERIFY = "identity:verify"
    IDENTITY_REJECT = "identity:reject"
    IDENTITY_ATTEST = "identity:attest"
    IDENTITY_CLAIM = "identity:claim"
    IDENTITY_MORE = "identity:ask-more"
    IDENTITY_ADVISE = "identity:advise"
    IDENTITY_REVOKE = "identity:revoke"
    IDENTITY_RESTORE = "identity:restore"
    IDENTITY_WITHDRAW = "identity:withdraw"
    IDENTITY_SHRED = "identity:shred"
    CONSENT_GIVE = "consent:give"
    CONSENT_END = "consent:end"
    IDENTITY_REMIND = "identity:remind"
    IDENTITY_ASK = "identity:ask"
    CAMPAIGN_CREATE = "campaign:create"
    CAMPAIGN_START = "campaign:start"
    CAMPAIGN_CLOSE = "campaign:close"
    CASE_CLAIM = "case:claim"
    CASE_RELEASE = "case:release"
    CASE_REFUSE = "case:refuse"
    CASE_WITHDRAW = "case:withdraw"
    APPEAL_OPEN = "appeal:open"
    APPEAL_DECIDE = "appeal:decide"
    REPORT_DECIDE = "report:decide"
    RULES_IMPORT = "rules:import"
    RULES_ACTIVATE = "rules:activate"
    HOST_POLICY = "host:policy"

    TIERS_IMPORT = "tiers:import"
    TIERS_ACTIVATE = "tiers:activate"
    TIER_MOVE = "tier:move"
    CREDIT_MANUAL = "credit:manual"
    FILING_STEP = "filing:step"
    AUTHORITY_SET = "authority:set"
    ASSESSMENT_RECORD = "assessment:record"

    VAULT_REQUEST = "vault:request"
    VAULT_APPROVE = "vault:approve"
    VAULT_REFUSE = "vault:refuse"
    VAULT_OPEN = "vault:open"
    VAULT_REVIEW = "vault:review"
    VAULT_OWN = "vault:own"
    VAULT_HOLD = "vault:hold"
    VAULT_LOCK = "vault:lock"
    VAULT_SHRED = "vault:shred"
    VAULT_ROTATE = "vault:rotate"
    VAULT_AUDIT = "vault:audit"

    CERTIFICATION_PAPERS = "certification:papers"
    CERTIFICATION_BEGIN = "certification:begin"
    CERTIFICATION_SUBMIT = "certification:submit"
    CERTIFICATION_WITHDRAW = "certification:withdraw"
    CERTIFICATION_TAKE = "certification:take"
    CERTIFICATION_ASK = "certification:ask"
    CERTIFICATION_CHECK = "certification:check"
    CERTIFICATION_APPROVE = "certification:approve"
    CERTIFICATION_DECLINE = "certification:decline"
    CERTIFICATION_REOPEN = "certification:reopen"
    CERTIFICATION_EXPIRE = "certification:expire"
    CERTIFICATION_REVOKE = "certification:revoke"
    CERTIFICATION_RESTORE = "certification:restore"
    FRONT_NAME_AGREE = "front-name:agree"
    FRONT_NAME_HIDE = "front-name:hide"

    ORGANISATION_CREATE = "organisation:create"
    ORGANISATION_INVITE = "organisation:invite"
    ORGANISATION_ACCEPT = "organisation:accept"
    ORGANISATION_DECLINE = "organisation:decline"
    ORGANISATION_ROLE = "organisation:role"
    ORGANISATION_REMOVE = "organisation:remove"
    ORGANISATION_LEAVE = "organisation:leave"
    ORGANISATION_SETTINGS = "organisation:settings"
    ORGANISATION_TRANSFER = "organisation:transfer"
    ORGANISATION_TRANSFER_CANCEL = "organisation:transfer-cancel"
    ORGANISATION_TRANSFER_DONE = "organisation:transfer-done"
    ORGANISATION_GRANT = "organisation:grant"
    ORGANISATION_GRANT_DECIDE = "organisation:grant-decide"
    ORGANISATION_SUSPEND = "organisation:suspend"
    ORGANISATION_RESTORE = "organisation:restore"
    ORGANISATION_EXPORT = "organisation:export"
    DRAFT_SAVE = "draft:save"
    DRAFT_SUBMIT = "draft:submit"
    DRAFT_APPROVE = "draft:approve"
    DRAFT_RETURN = "draft:return"
    DRAFT_DISCARD = "draft:discard"
    POST_SCHEDULE = "post:schedule"
    POST_UNSCHEDULE = "post:unschedule"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an act came from: the address and port it was asked from, and the client that asked."""

    address: str | None
    port: int | None
    client: str
    by: AccountId | None = None
    """The person who acts for an organisation, where the actor is one (Article 10)."""
    second: AccountId | None = None
    """Another person of the organisation who approved what is published, where one did."""

    @classmethod
    def internal(cls, client: str = "server") -> Source:
        """The server itself, or a command on its machine."""
        return cls(None, None, client)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act to be recorded. `detail` holds what else a reader of the log needs, and never a word of
    identity papers."""

    kind: RecordKind
    actor_id: int | None
    object: str | None
    decision_id: int | None = field(default=None, kw_only=True)
    source: Source = field(kw_only=True)
    detail: Detail = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An entry of the log as it stands."""

    id: int
    at: datetime
    kind: str
    actor_id: int | None
    object: str | None
    decision_id: int | None
    source: Source
    detail: Detail


async def write(
    conn: Connection, entries: Sequence[Entry], *, now: datetime, new_id: Callable[[], int]
) -> None:
    """Appends `entries` in one statement."""
    if not entries:
        return
    await conn.execute(
        """
        insert into compliance.record
          (id, at, kind, actor_id, by_id, object, decision_id, address, port, client, detail)
        select r.id, $1, r.kind, r.actor_id, r.by_id, r.object, r.decision_id,
               r.address::inet, r.port, r.client, r.detail::jsonb
        from unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
                    $8::text[], $9::int[], $10::text[], $11::text[])
          as r(id, kind, actor_id, by_id, object, decision_id, address, port, client, detail)
        """,
        now,
        [new_id() for _ in entries],
        [entry.kind.value for entry in entries],
        [entry.actor_id for entry in entries],
        [entry.source.by for entry in entries],
        [entry.object for entry in entries],
        [entry.decision_id for entry in entries],
        [entry.source.address for entry in entries],
        [entry.source.port for entry in entries],
        [entry.source.client for entry in entries],
        [_encode(entry.detail).decode() for entry in entries],
    )


async def list_page(
    conn: Connection,
    *,
    actor_id: int | None = None,
    by: int | None = None,
    kind: RecordKind | None = None,
    max_id: int | None = None,
    min_id: int | None = None,
    limit: int = 40,
) -> list[Record]:
    """Records newest first, of one person or one kind where asked: those below `max_id`, or the oldest above
    `min_id`."""
    wanted: list[str] = []
    values: list[object] = [limit]
    for column, test, value in (
        ("actor_id", "=", actor_id),
        ("by_id", "=", by),
        ("kind", "=", None if kind is None else kind.value),
        ("id", "<", max_id),
        ("id", ">", min_id),
    ):
        if value is not None:
            values.append(value)
            wanted.append(f"{column} {test} ${len(values)}")
    where = f"where {' and '.join(wanted)}" if wanted else ""
    order = "asc" if min_id is not None and max_id is None else "desc"
    rows = await conn.fetch(
        # Only the fixed names above are put into the text; every value is a parameter.
        "select id, at, kind, actor_id, by_id, object, decision_id, host(address) as address, port, client,"  # noqa: S608
        f" detail::text as detail from compliance.record {where} order by id {order} limit $1",
        *values,
    )
    return sorted(map(_record, rows), key=lambda record: record.id, reverse=True)


async def open_months(conn: Connection, now: datetime) -> int:
    """Makes sure that this month and the next ones have their partitions; returns how many were made."""
    opened: int = await conn.fetchval("select compliance.open_record_months($1, $2)", now, 1 + MONTHS_AHEAD)
    return opened


def _record(row: asyncpg.Record) -> Record:
    return Record(
        id=row["id"],
        at=row["at"],
        kind=row["kind"],
        actor_id=row["actor_id"],
        object=row["object"],
        decision_id=row["decision_id"],
        source=Source(row["address"], row["port"], row["client"] or "", row["by_id"]),
        detail=msgspec.json.decode(row["detail"], type=dict[str, str | int | bool | None]),
    )
