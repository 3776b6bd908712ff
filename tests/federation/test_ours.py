"""What peers read of us, kept as files and reviewed as such: Mastodon compares strings, Fedify reads
JSON-LD.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compliance.activity import (
    Accept,
    AccountId,
    Activity,
    Actor,
    Announce,
    Attachment,
    Block,
    Create,
    Delete,
    Field,
    Flag,
    Follow,
    Like,
    MediaId,
    Mention,
    Note,
    Profile,
    Reject,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Upload,
    Uri,
    Visibility,
)
from federation import render, wire
from federation.actor import RemoteActor, RemoteKey
from federation.errors import LocalFault
from tests.fixtures import documents

HERE = "https://here.example"
ALICE = Actor(id=AccountId(1), uri=Uri(f"{HERE}/users/alice"), host=None)
BOB = Uri("https://away.example/users/bob")
FOLLOWERS = Uri(f"{ALICE.uri}/followers")
AT = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
POST = Uri(f"{ALICE.uri}/statuses/7")

PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
NOTE = Note(
    uri=POST,
    author=ALICE.uri,
    url=f"{HERE}/@alice/7",
    html='<p>你好 <a href="https://here.example/tags/%E8%8C%B6">#茶</a></p>',
    text="你好 #茶",
    spoiler="tea",
    sensitive=True,
    language="zh-CN",
    visibility=Visibility.PUBLIC,
    in_reply_to=Uri("https://away.example/notes/9"),
    mentions=(Mention(uri=BOB, handle="bob@away.example"),),
    tags=("茶",),
    attachments=(
        Attachment(
            url="",
            mime="image/webp",
            alt="a cup",
            media_id=MediaId(3),
            width=800,
            height=600,
            focus=(0.5, -0.25),
            blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        ),
    ),
    published=AT,
)
PERSON = RemoteActor(
    uri=ALICE.uri,
    actor_type="Person",
    username="alice",
    host="here.example",
    url=f"{HERE}/@alice",
    inbox=f"{ALICE.uri}/inbox",
    shared_inbox=f"{HERE}/inbox",
    outbox=f"{ALICE.uri}/outbox",
    followers=FOLLOWERS,
    following=Uri(f"{ALICE.uri}/following"),
    featured=f"{ALICE.uri}/collections/featured",
    keys=(
        RemoteKey(f"{ALICE.uri}#main-key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
    ),
    profile=Profile(
        display_name="Alice 爱丽丝",
        html="<p>tea</p>",
        text="tea",
        fields=(Field(name="Site", value='<a href="https://a.example">a.example</a>', text="a.example"),),
        avatar=Attachment(url=f"{HERE}/media/a.webp", mime="image/webp"),
        locked=True,
        indexable=True,
    ),
    published=AT,
    webfinger="alice@here.example",
)
FACTS = render.Facts(
    followers=FOLLOWERS,
    tag_page=lambda name: f"{HERE}/tags/{name}",
    media={MediaId(3): f"{HERE}/media/cup.webp"},
    author=BOB,
    profile=render.actor(PERSON),
    reporter=Uri(f"{HERE}/actor"),
)


def _id(name: str) -> Uri:
    return Uri(f"{HERE}/activities/{name}")


ACTIVITIES: dict[str, Activity] = {
    "create": Create(id=Uri(f"{POST}/activity"), actor=ALICE, note=NOTE),
    "update": Update(
        id=_id("2"),
        actor=ALICE,
        note=Note(
            uri=POST,
            author=ALICE.uri,
            url=f"{HERE}/@alice/7",
            html="<p>changed</p>",
            text="changed",
            visibility=Visibility.FOLLOWERS,
            published=AT,
            updated=AT.replace(hour=9, microsecond=250_000),
        ),
    ),
    "update_person": UpdateProfile(id=_id("3"), actor=ALICE, profile=PERSON.profile),
    "delete": Delete(id=_id("4"), actor=ALICE, target=POST),
    "delete_person": Delete(id=_id("5"), actor=ALICE, target=ALICE.uri),
    "announce": Announce(
        id=Uri(f"{ALICE.uri}/statuses/8/activity"),
        actor=ALICE,
        target=Uri("https://away.example/notes/9"),
        published=AT,
    ),
    "like": Like(id=_id("6"), actor=ALICE, target=Uri("https://away.example/notes/9")),
    "follow": Follow(id=_id("7"), actor=ALICE, target=BOB),
    "accept": Accept(id=_id("8"), actor=ALICE, follower=BOB, follow=Uri("https://away.example/follows/1")),
    "reject": Reject(id=_id("9"), actor=ALICE, follower=BOB, follow=None),
    "undo_follow": Undo(id=_id("10"), actor=ALICE, kind=Undoable.FOLLOW, target=BOB, act=_id("7")),
    "undo_like": Undo(
        id=_id("11"),
        actor=ALICE,
        kind=Undoable.LIKE,
        target=Uri("https://away.example/notes/9"),
        act=_id("6"),
    ),
    "undo_announce": Undo(
        id=_id("12"),
        actor=ALICE,
        kind=Undoable.ANNOUNCE,
        target=Uri("https://away.example/notes/9"),
        act=Uri(f"{ALICE.uri}/statuses/8/activity"),
    ),
    "block": Block(id=_id("13"), actor=ALICE, target=BOB),
    "flag": Flag(
        id=_id("14"),
        actor=ALICE,
        target=BOB,
        posts=(Uri("https://away.example/notes/9"),),
        comment="rude",
        forward=True,
    ),
}
DOCUMENTS = {
    **{name: render.activity(activity, FACTS) for name, activity in ACTIVITIES.items()},
    "person": render.actor(PERSON),
    "note": render.note(
        NOTE, followers=FOLLOWERS, tag_page=FACTS.tag_page, media=FACTS.media, replies=f"{POST}/replies"
    ),
    "outbox": render.collection(f"{ALICE.uri}/outbox", total=2, first=f"{ALICE.uri}/outbox?page=true"),
    "outbox_page": render.page(
        f"{ALICE.uri}/outbox?page=true",
        part_of=f"{ALICE.uri}/outbox",
        items=[f"{POST}/activity"],
        following=f"{ALICE.uri}/outbox?page=true&max_id=7",
        before=f"{ALICE.uri}/outbox?page=true&min_id=7",
    ),
    "followers": render.collection(FOLLOWERS, total=0, items=[]),
    "tombstone": render.tombstone(POST, deleted=AT),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_of_ours_is_as_reviewed(name: str) -> None:
    """A change here is a change for every server that knows us."""
    assert documents.load(f"yanlu/{name}") == DOCUMENTS[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_of_ours_can_be_read_by_everybody(name: str) -> None:
    """`@context` is AS2 or begins with it, and ids are strings: Mastodon and Threads refuse anything else."""
    document = DOCUMENTS[name]
    context = document["@context"]
    assert wire.AS2 == (context if isinstance(context, str) else context[0])
    assert wire.is_plain(document)
    for holder in (document, document.get("object")):
        if isinstance(holder, dict):
            assert all(isinstance(holder.get(name, ""), str) for name in ("id", "actor", "attributedTo"))
            assert all(isinstance(holder.get(name, []), list) for name in ("to", "cc", "tag", "attachment"))


def test_whoever_complains_stays_unknown() -> None:
    """The instance speaks for them; nothing in the document names them."""
    assert ALICE.uri.encode() not in wire.write(DOCUMENTS["flag"])


def test_what_is_ours_alone_is_not_federated() -> None:
    """A mistake of our own must not pass in silence."""
    upload = Upload(
        id=_id("15"),
        actor=ALICE,
        attachment=Attachment(url="", mime="image/png"),
        file="a.png",
        preview_file="b.webp",
        preview_width=1,
        preview_height=1,
        size=1,
    )
    with pytest.raises(LocalFault):
        render.activity(upload, FACTS)
    with pytest.raises(LocalFault):
        render.activity(
            ACTIVITIES["update_person"], render.Facts(followers=FOLLOWERS, tag_page=lambda name: name)
        )
