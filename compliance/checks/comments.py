"""Article 10 paragraph 2: what whoever answers for a post has chosen about its comments, and who may act on
them.

A comment that is looked at first is let through with a label, and waits where it is stored: whether it may be
said at all is the operator's to judge, and is judged before.
"""

from __future__ import annotations

from ..activity import ANYBODY, ApproveReply, Create, Direction, HideReply, Note, RemoveReply, Update, Uri
from ..commenting import WAITS, Answering
from ..comments import Mode, Policy, Sensitivity, State, Who
from ..facts import Facts
from ..subject import LINKS, Subject
from ..verdict import Finding, Outcome, Reason
from . import content


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses comments that are not let, and acts on comments by whom they do not concern; makes others
    wait."""
    known = facts.commenting
    match subject.activity:
        case ApproveReply() | HideReply() | RemoveReply():
            if known is not None and known.answers:
                return ()
            return (_refusal(Reason.ROLE_REQUIRED),)
        case Create() | Update() if known is not None:
            found: list[Finding] = []
            for one in known.answering:
                found += _here(subject, facts, one) if one.is_local else _elsewhere(subject, facts, one)
            return tuple(found)
        case _:
            return ()


def _here(subject: Subject, facts: Facts, one: Answering) -> tuple[Finding, ...]:
    """What somebody here has chosen, for a comment from anywhere."""
    if one.is_blocked:
        return (_refusal(Reason.COMMENTER_BLOCKED),)
    is_new = isinstance(subject.activity, Create) and one.state is None
    if is_new and not _may_comment(one):
        return (_refusal(Reason.COMMENTS_CLOSED),)
    if one.state is not None and (isinstance(subject.activity, Create) or one.is_same):
        # It is here already, and its fate decided: it only leaves, or came twice.
        return (_waiting(one),) if one.state is State.WAITING else ()
    # New words for what waits or was hidden are looked at again, whatever they are.
    again = one.state in (State.WAITING, State.HIDDEN)
    return (_waiting(one),) if again or _waits(subject, facts, one.policy, one) else ()


def _may_comment(one: Answering) -> bool:
    match one.policy.who:
        case Who.ANYONE:
            return True
        case Who.FOLLOWERS:
            return one.is_follower or one.is_mentioned
        case Who.FOLLOWED:
            return one.is_followed or one.is_mentioned
        case Who.MENTIONED:
            return one.is_mentioned
        case Who.NOBODY:
            return False


def _waits(subject: Subject, facts: Facts, policy: Policy, one: Answering) -> bool:
    if policy.mode is not Mode.FILTERED:
        return policy.mode is Mode.REVIEWED
    if any(policy.finds(words.text) for words in subject.words if words.field != LINKS):
        return True
    if policy.sensitivity is Sensitivity.OFF:
        return False
    if not isinstance(subject.activity, Create | Update):
        return False
    note = subject.activity.note
    if note.spoiler or note.sensitive or content.check(subject, facts):
        return True
    if policy.sensitivity is Sensitivity.CAREFUL:
        return False
    has_link = any(words.field == LINKS for words in subject.words) and _links_out(note)
    return bool(note.attachments) or has_link or not one.is_regular


def _links_out(note: Note) -> bool:
    """Whether it links to more than the people and tags it names."""
    links = note.html.count("<a ")
    named = note.html.count('class="u-url mention"') + note.html.count("mention hashtag")
    return links > named


def _elsewhere(subject: Subject, facts: Facts, one: Answering) -> tuple[Finding, ...]:
    """What somebody elsewhere has said about answers to their post, for a comment of our own people; and what
    they took away before it came here."""
    if one.is_removed:
        return (_refusal(Reason.COMMENT_REMOVED),)
    if one.state is not None:
        return (_waiting(one),) if one.state is State.WAITING else ()
    if facts.direction is Direction.IN or one.control is None or isinstance(subject.activity, Update):
        return ()
    who = subject.activity.actor.uri
    if one.is_mentioned or _covers(one.control.automatic, one, who):
        return ()
    if _covers(one.control.manual, one, who):
        return (_waiting(one),)
    return (_refusal(Reason.COMMENTS_CLOSED),)


def _covers(audience: tuple[Uri, ...], one: Answering, who: Uri) -> bool:
    return (
        ANYBODY in audience
        or who in audience
        or (one.is_follower and one.followers in audience)
        or (one.is_followed and one.following in audience)
    )


def _waiting(one: Answering) -> Finding:
    return Finding(
        outcome=Outcome.LABEL,
        reason=Reason.COMMENT_WAITS,
        check="comments",
        label=f"{WAITS}{one.owner_id}",
    )


def _refusal(reason: Reason) -> Finding:
    return Finding(outcome=Outcome.REFUSE, reason=reason, check="comments")
