"""Small makers for the words and the facts that tests of the judgement are about."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import msgspec

from compliance import subject
from compliance.activity import (
    Accept,
    AccountId,
    Activity,
    Actor,
    Announce,
    ApproveReply,
    AskReply,
    Attachment,
    Block,
    Create,
    Delete,
    Direction,
    Field,
    Flag,
    Follow,
    HideReply,
    Like,
    Note,
    Profile,
    Reject,
    RemoveReply,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Upload,
    Uri,
)
from compliance.commenting import Commenting
from compliance.connection import Connection
from compliance.facts import Facts
from compliance.identity import IdentityState
from compliance.records import Source
from compliance.ruleset import Rule, RuleSet, parse
from compliance.subject import Subject
from compliance.wordlists import Rulebook
from server.ids import IdMaker

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SOURCE = Source("192.0.2.7", 50_123, "a test")
HERE = Actor(id=AccountId(1), uri=Uri("https://here.example/users/li"), host=None)
FAR = Actor(id=AccountId(2), uri=Uri("https://far.example/users/ann"), host="far.example")
POST = Uri("https://here.example/users/li/statuses/1")

_numbers = itertools.count(1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def ids() -> IdMaker:
    """A maker of ids, later than those of every maker before it."""
    return IdMaker(0, Clock(NOW + timedelta(seconds=next(_numbers))))


def note(text: str = "good morning", **more: object) -> Note:
    whole: dict[str, object] = {
        "uri": POST,
        "author": HERE.uri,
        "url": str(POST),
        "html": f"<p>{text}</p>",
        "text": text,
        "published": NOW,
    } | more
    return Note(**whole)  # type: ignore[arg-type]


def create(text: str = "good morning", actor: Actor = HERE, **more: object) -> Create:
    number = next(_numbers)
    uri = Uri(f"{actor.uri}/statuses/{number}")
    return Create(
        id=Uri(f"{uri}/activity"), actor=actor, note=note(text, **{"uri": uri, "author": actor.uri} | more)
    )


def one_of_each(actor: Actor = HERE) -> dict[str, Activity]:
    """An activity of every kind, all by `actor`."""
    act = Uri(f"{actor.uri}/acts/1")
    other = Uri("https://else.example/users/bo")
    picture = Attachment(url="https://here.example/media/a.webp", mime="image/webp", alt="a cat")
    profile = Profile(
        display_name="Li", text="hello", html="<p>hello</p>", fields=(Field(name="a", value="b", text="b"),)
    )
    return {
        "create": Create(id=act, actor=actor, note=note()),
        "update": Update(id=act, actor=actor, note=note()),
        "update-profile": UpdateProfile(id=act, actor=actor, profile=profile),
        "upload": Upload(
            id=act,
            actor=actor,
            attachment=picture,
            file="a.webp",
            preview_file="b.webp",
            preview_width=4,
            preview_height=3,
            size=99,
        ),
        "delete": Delete(id=act, actor=actor, target=POST),
        "announce": Announce(id=act, actor=actor, target=POST, published=NOW),
        "like": Like(id=act, actor=actor, target=POST),
        "follow": Follow(id=act, actor=actor, target=other),
        "accept": Accept(id=act, actor=actor, follower=other, follow=None),
        "reject": Reject(id=act, actor=actor, follower=other, follow=None),
        "undo": Undo(id=act, actor=actor, kind=Undoable.LIKE, target=POST),
        "block": Block(id=act, actor=actor, target=other),
        "flag": Flag(id=act, actor=actor, target=other, comment="spam"),
        "ask-reply": AskReply(id=act, actor=actor, note=note(), post=POST, owner=other),
        "approve-reply": ApproveReply(id=act, actor=actor, target=POST, post=POST, author=other),
        "hide-reply": HideReply(id=act, actor=actor, target=POST, post=POST, author=other),
        "remove-reply": RemoveReply(id=act, actor=actor, target=POST, post=POST, author=other),
    }


ON_REPLIES = ("approve-reply", "hide-reply", "remove-reply")
PUBLISHING = ("create", "update", "update-profile", "upload", "announce")


def read(activity: Activity) -> Subject:
    return subject.read(activity)


def rules(*rules: Rule) -> Rulebook:
    """A rulebook of these rules, version 7."""
    return Rulebook.of(7, RuleSet("test", "1", rules))


def rule(**fields: object) -> Rule:
    """A rule as the format writes it; `rule(pattern="x", action="refuse")`."""
    return parse(
        msgspec.json.encode(
            {"name": "t", "version": "1", "lists": {"list": {"category": "fraud", "rules": [fields]}}}
        ).decode()
    ).rules[0]


def facts(direction: Direction = Direction.OUT, **more: object) -> Facts:
    """Facts of somebody in good standing, with `more` on top."""
    whole: dict[str, object] = {
        "now": NOW,
        "direction": direction,
        "rulebook": Rulebook.empty(),
        "identity": IdentityState.VERIFIED,
        "commenting": Commenting(answers=True),
        "identity_until": NOW + timedelta(days=30),
    } | more
    return Facts(**whole)  # type: ignore[arg-type]


async def people(conn: Connection) -> None:
    """`HERE`, verified, and `FAR`, as the database knows them."""
    for actor, name in ((HERE, "li"), (FAR, "ann")):
        await conn.execute(
            "insert into account (id, username, host, uri, url, inbox, created_at) "
            "values ($1, $2, $3, $4, $4, $4 || '/inbox', $5)",
            actor.id,
            name,
            actor.host,
            actor.uri,
            NOW,
        )
    await verify(conn, HERE.id)


async def comment(conn: Connection) -> None:
    """`POST` as a comment that both `HERE` and `FAR` answer for."""
    await conn.execute(
        "insert into compliance.decision (id, verdict, kind, direction, actor_id, activity_uri, digest, "
        "rule_version, created_at) "
        "values (1, 'cleared', 'create', 'out', 1, 'https://here.example/1', '', 0, $1)",
        NOW,
    )
    await conn.execute(
        "insert into post (id, account_id, local, uri, url, thread_id, visibility, created_at, decision_id) "
        "values (1, $1, true, $2, $2, 1, 'public', $3, 1)",
        HERE.id,
        POST,
        NOW,
    )
    await conn.execute(
        "insert into compliance.comment (post_id, owner_id, author_id, thread_id, state, created_at) "
        "select 1, o, $1, 1, 'waiting', $3 from unnest($2::bigint[]) as o",
        HERE.id,
        [HERE.id, FAR.id],
        NOW,
    )


async def verify(conn: Connection, account_id: AccountId, *, days: int = 395) -> None:
    """Makes somebody a verified person for `days`."""
    await conn.execute(
        """
        insert into compliance.identity
          (account_id, state, method, verified_at, due_at, lapses_at, updated_at)
        values ($1, 'verified', 'attestation', $2, $3, $3, $2)
        """,
        account_id,
        NOW,
        NOW + timedelta(days=days),
    )
