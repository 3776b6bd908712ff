"""The places in an organisation's console, as far as a role opens them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from compliance.organisations import Act, Role, may
from compliance.records import RecordKind

from .. import i18n
from ..http.errors import locale_of
from ..http.viewers import Place

ROLES: Final = {
    Role.OWNER: i18n.mark("owner"),
    Role.EDITOR: i18n.mark("editor"),
    Role.MODERATOR: i18n.mark("comment moderator"),
    Role.ANALYST: i18n.mark("analyst"),
}
POWER_NAMES: Final = {
    Act.SEE: i18n.mark("See the console: figures, posts, duties"),
    Act.READ: i18n.mark("Read its home timeline, notifications and messages"),
    Act.WRITE: i18n.mark("Write drafts, bring pictures, and submit them"),
    Act.APPROVE: i18n.mark("Approve or return what somebody else submitted"),
    Act.PUBLISH: i18n.mark("Publish, schedule, edit and boost posts"),
    Act.REMOVE: i18n.mark("Delete its posts"),
    Act.ENGAGE: i18n.mark("Follow, like, block, report, and answer follow requests"),
    Act.COMMENTS: i18n.mark("Manage the comments under its posts"),
    Act.LOG: i18n.mark("Read and export the log of who did what"),
    Act.PROFILE: i18n.mark("Change its profile"),
    Act.APPEAL: i18n.mark("Appeal against decisions about it"),
    Act.MEMBERS: i18n.mark("Invite and remove people, and change roles"),
    Act.CERTIFY: i18n.mark("Apply for certification"),
    Act.SETTINGS: i18n.mark("Change how it works, such as four eyes"),
    Act.TRANSFER: i18n.mark("Hand the organisation on, and stop that"),
}
"""Each act in words."""
LOG_NAMES: Final = {
    RecordKind.ACTIVITY_CREATE: i18n.mark("published a post"),
    RecordKind.ACTIVITY_UPDATE: i18n.mark("edited a post"),
    RecordKind.ACTIVITY_DELETE: i18n.mark("deleted"),
    RecordKind.ACTIVITY_ANNOUNCE: i18n.mark("boosted"),
    RecordKind.ACTIVITY_LIKE: i18n.mark("liked"),
    RecordKind.ACTIVITY_FOLLOW: i18n.mark("followed"),
    RecordKind.ACTIVITY_UNDO: i18n.mark("took back"),
    RecordKind.ACTIVITY_BLOCK: i18n.mark("blocked"),
    RecordKind.ACTIVITY_ACCEPT: i18n.mark("accepted a follower"),
    RecordKind.ACTIVITY_REJECT: i18n.mark("declined a follower"),
    RecordKind.ACTIVITY_UPLOAD: i18n.mark("brought a picture"),
    RecordKind.ACTIVITY_UPDATE_PROFILE: i18n.mark("changed the profile"),
    RecordKind.AGREEMENT_ACCEPT: i18n.mark("accepted the agreement"),
    RecordKind.ORGANISATION_CREATE: i18n.mark("founded the organisation"),
    RecordKind.ORGANISATION_INVITE: i18n.mark("invited somebody"),
    RecordKind.ORGANISATION_ACCEPT: i18n.mark("accepted the invitation"),
    RecordKind.ORGANISATION_DECLINE: i18n.mark("declined the invitation"),
    RecordKind.ORGANISATION_ROLE: i18n.mark("changed a role"),
    RecordKind.ORGANISATION_REMOVE: i18n.mark("removed somebody"),
    RecordKind.ORGANISATION_LEAVE: i18n.mark("left"),
    RecordKind.ORGANISATION_SETTINGS: i18n.mark("changed how it works"),
    RecordKind.ORGANISATION_TRANSFER: i18n.mark("announced another owner"),
    RecordKind.ORGANISATION_TRANSFER_CANCEL: i18n.mark("stopped the handing on"),
    RecordKind.ORGANISATION_TRANSFER_DONE: i18n.mark("handed it on"),
    RecordKind.ORGANISATION_EXPORT: i18n.mark("took the log along"),
    RecordKind.DRAFT_SAVE: i18n.mark("wrote a draft"),
    RecordKind.DRAFT_SUBMIT: i18n.mark("submitted a draft"),
    RecordKind.DRAFT_APPROVE: i18n.mark("approved a draft"),
    RecordKind.DRAFT_RETURN: i18n.mark("sent a draft back"),
    RecordKind.DRAFT_DISCARD: i18n.mark("threw a draft away"),
    RecordKind.POST_SCHEDULE: i18n.mark("scheduled a post"),
    RecordKind.POST_UNSCHEDULE: i18n.mark("took a scheduled post back"),
}
"""What the log says of the acts that organisations do every day; the others stand by their name."""
_TABS: Final = (
    ("overview", "", "home", i18n.mark("Overview"), Act.SEE),
    ("content", "/content", "pen", i18n.mark("Content"), Act.SEE),
    ("comments", "/comments", "reply", i18n.mark("Comments"), Act.COMMENTS),
    ("members", "/members", "user", i18n.mark("People"), Act.SEE),
    ("certification", "/certification", "shield", i18n.mark("Certification"), Act.CERTIFY),
    ("duties", "/duties", "check", i18n.mark("Duties"), Act.SEE),
    ("log", "/log", "scroll", i18n.mark("Log"), Act.LOG),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A line of the list beside the console's pages."""

    name: str
    path: str
    icon: str
    label: str


def tabs(request: web.Request, place: Place) -> list[Tab]:
    """What this person may open."""
    base, locale = f"/org/{place.account.username}", locale_of(request)
    return [
        Tab(name, f"{base}{path}", icon, i18n.translate(locale, label))
        for name, path, icon, label, act in _TABS
        if place.rights.may(act)
    ]


def powers(role: Role) -> list[str]:
    """What a role may do, in words to be translated."""
    return [POWER_NAMES[act] for act in Act if may(role, act)]


def role_table() -> list[str]:
    """The roles and their acts as a Markdown table, for the documentation."""
    head = f"| | {' | '.join(ROLES.values())} |"
    rule = f"| --- |{' --- |' * len(ROLES)}"
    rows = [
        f"| {words} | {' | '.join('yes' if may(role, act) else '-' for role in ROLES)} |"
        for act, words in POWER_NAMES.items()
    ]
    return [head, rule, *rows]


def act_name(request: web.Request, kind: str) -> str:
    """What a record of this kind says, in the reader's language."""
    words = LOG_NAMES.get(RecordKind(kind)) if kind in {each.value for each in RecordKind} else None
    return kind if words is None else i18n.translate(locale_of(request), words)
