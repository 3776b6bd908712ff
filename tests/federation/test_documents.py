"""What every other server sends is understood, each in its own way of writing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from compliance.activity import (
    Accept,
    AccountId,
    Actor,
    Announce,
    Attachment,
    Create,
    Delete,
    Flag,
    Follow,
    Like,
    Mention,
    Note,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Uri,
    Visibility,
)
from federation import origin, parse, wire
from federation.parse import Ignored, NeedsObject, Parsed, Wanted
from tests.fixtures import documents

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALICE = "https://here.example/users/alice"
POST = f"{ALICE}/statuses/3"


def _by(uri: str) -> Actor:
    return Actor(id=AccountId(1), uri=Uri(uri), host=origin.host_of(uri))


def _read(name: str) -> Parsed:
    document = wire.read(documents.read(name))
    actor = document["actor"]
    return parse.activity(document, _by(actor), now=NOW, followers=Uri(f"{actor}/followers"))


ERIN = "https://mastodon.example/users/erin"
GIL = "https://gts.example/users/gil"
NEKO = "https://misskey.example/users/9abcd"
LAIN = "https://pleroma.example/users/lain"
FAY = "https://fedify.example/users/fay"

ACTIVITIES: dict[str, tuple[type, dict[str, Any]]] = {
    "mastodon/follow": (Follow, {"target": ALICE}),
    "mastodon/accept": (Accept, {"follower": ALICE, "follow": "https://here.example/activities/5"}),
    "mastodon/announce": (
        Announce,
        {
            "target": "https://away.example/notes/9",
            "visibility": Visibility.PUBLIC,
            "published": datetime(2026, 5, 4, 10, tzinfo=UTC),
        },
    ),
    "mastodon/undo_announce": (
        Undo,
        {
            "kind": Undoable.ANNOUNCE,
            "target": "https://away.example/notes/9",
            "act": f"{ERIN}/statuses/113000000000000002/activity",
        },
    ),
    "mastodon/delete_note": (Delete, {"target": f"{ERIN}/statuses/113000000000000001"}),
    "mastodon/delete_actor": (Delete, {"target": ERIN}),
    "mastodon/update_person": (UpdateProfile, {}),
    "mastodon/update_note": (Update, {}),
    "mastodon/flag": (Flag, {"target": ALICE, "posts": (POST,), "comment": "spam, again"}),
    "mastodon/vote": (Ignored, {"reason": "vote in a poll"}),
    "mastodon/poll_counts": (Ignored, {"reason": "Update without a time of edit"}),
    "gotosocial/follow": (Follow, {"target": ALICE}),
    "gotosocial/undo_like": (
        Undo,
        {"kind": Undoable.LIKE, "target": POST, "act": f"{GIL}/liked/01J0000000000000000000008"},
    ),
    "gotosocial/create_by_id": (
        NeedsObject,
        {"uri": f"{GIL}/statuses/01J0000000000000000000001", "wanted": Wanted.OBJECT},
    ),
    "misskey/reaction": (Like, {"target": POST}),
    "misskey/flag": (Flag, {"target": ALICE, "posts": (POST,)}),
    "misskey/undo_follow": (
        Undo,
        {"kind": Undoable.FOLLOW, "target": ALICE, "act": "https://misskey.example/follows/9abcd/x"},
    ),
    "pleroma/emoji_react": (Like, {"target": POST}),
    "pleroma/announce": (Announce, {"target": POST, "visibility": Visibility.UNLISTED}),
    "fedify/accept": (Accept, {"follower": ALICE, "follow": "https://here.example/activities/5"}),
    "fedify/undo_by_id": (NeedsObject, {"uri": f"{FAY}/likes/1", "wanted": Wanted.ACT}),
    "lemmy/announce_create": (
        NeedsObject,
        {"uri": "https://lemmy.example/activities/create/1", "wanted": Wanted.ACTIVITY},
    ),
}


@pytest.mark.parametrize(("name", "kind", "values"), [(name, *case) for name, case in ACTIVITIES.items()])
def test_an_activity_is_understood(name: str, kind: type, values: dict[str, Any]) -> None:
    """Each server's way of saying it."""
    read = _read(name)
    assert type(read) is kind
    assert values == {field: getattr(read, field) for field in values}


NOTES: dict[str, dict[str, Any]] = {
    "mastodon/create_note": {
        "author": ERIN,
        "url": "https://mastodon.example/@erin/113000000000000001",
        "text": "@bob walked all day #hiking\n\nhttps://maps.example/route/42?from=a&to=b",
        "spoiler": "long walk",
        "sensitive": True,
        "language": "en",
        "visibility": Visibility.PUBLIC,
        "in_reply_to": "https://away.example/notes/9",
        "mentions": (Mention(uri=Uri("https://away.example/users/bob"), handle="bob@away.example"),),
        "addressed": (),
        "tags": ("hiking",),
        "attachments": (
            Attachment(
                url="https://mastodon.example/system/media_attachments/files/1/original/a.jpg",
                mime="image/jpeg",
                alt="a valley in fog",
                width=1600,
                height=1200,
                focus=(0.25, -0.5),
                blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            ),
        ),
        "published": datetime(2026, 5, 4, 8, 30, tzinfo=UTC),
        "updated": None,
    },
    "mastodon/update_note": {"updated": datetime(2026, 5, 4, 9, tzinfo=UTC)},
    "mastodon/question": {"text": "Tea or coffee?\n\nTea\nCoffee"},
    "gotosocial/create_note": {
        "author": GIL,
        "text": "up there",
        "visibility": Visibility.PUBLIC,
        "tags": ("birds",),
        "published": datetime(2026, 5, 4, 6, 30, tzinfo=UTC),
        "attachments": (
            Attachment(
                url="https://gts.example/fileserver/a.webp",
                mime="image/webp",
                alt="a red kite",
                blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            ),
        ),
    },
    "misskey/create_note": {
        "author": NEKO,
        "text": "ねこ\nにゃ !",
        "visibility": Visibility.UNLISTED,
        "spoiler": "",
        "addressed": (),
    },
    "pleroma/create_note": {
        "author": LAIN,
        "url": "https://pleroma.example/objects/1",
        "text": "@alice psst",
        "visibility": Visibility.DIRECT,
        "mentions": (Mention(uri=Uri(ALICE), handle="alice@here.example"),),
        "language": None,
        "sensitive": False,
    },
    "fedify/create_note": {
        "author": FAY,
        "text": "안녕",
        "visibility": Visibility.PUBLIC,
        "tags": ("인사",),
        "published": datetime(2026, 5, 4, 8, 30, 0, 123456, tzinfo=UTC),
    },
    "wordpress/create_article": {
        "text": "Why we moved to the hills\n\nhttps://blog.example/2026/05/hills",
        "spoiler": "",
        "language": "en",
    },
}


@pytest.mark.parametrize(("name", "values"), NOTES.items())
def test_a_post_is_understood(name: str, values: dict[str, Any]) -> None:
    """Words, audience, pictures and people, wherever its server puts them."""
    said = _read(name)
    assert isinstance(said, Create | Update)
    assert values == {field: getattr(said.note, field) for field in values}


FETCHED: dict[str, dict[str, Any]] = {
    "lemmy/page": {
        "author": "https://lemmy.example/u/leo",
        "text": "First flush is in\n\nhttps://lemmy.example/post/1",
        "tags": ("tea",),
    },
    "peertube/video": {
        "author": "https://peertube.example/accounts/pia",
        "url": "https://peertube.example/w/9c9de5e8",
        "text": "How to fold a kite\n\nhttps://peertube.example/w/9c9de5e8",
    },
}


@pytest.mark.parametrize(("name", "values"), FETCHED.items())
def test_what_is_not_a_post_is_shown_by_title_and_link(name: str, values: dict[str, Any]) -> None:
    """A video or an essay is read where it lives."""
    note: Note = parse.note(wire.read(documents.read(name)), now=NOW)
    assert values == {field: getattr(note, field) for field in values}


ACTORS: dict[str, dict[str, Any]] = {
    "mastodon/person": {
        "uri": ERIN,
        "username": "erin",
        "host": "mastodon.example",
        "url": "https://mastodon.example/@erin",
        "shared_inbox": "https://mastodon.example/inbox",
        "featured": f"{ERIN}/collections/featured",
        "display_name": "Erin 🥾",
        "text": "Walks, maps and #fog",
        "field": ("Site", "https://erin.example"),
        "key": f"{ERIN}#main-key",
        "indexable": True,
    },
    "gotosocial/person": {"username": "gil", "shared_inbox": None, "locked": True, "key": f"{GIL}/main-key"},
    "misskey/person": {"username": "neko", "display_name": "", "key": f"{NEKO}#main-key"},
    "pleroma/person": {"text": "close the world,\nopen the nExt", "discoverable": False},
    "fedify/person": {"avatar": "https://fedify.example/fay.png", "key": f"{FAY}#main-key"},
    "lemmy/group": {"actor_type": "Group", "username": "tea", "bot": False},
}


@pytest.mark.parametrize(("name", "values"), ACTORS.items())
def test_an_actor_is_understood(name: str, values: dict[str, Any]) -> None:
    """Everything that is kept of a person, from any server's description of them."""
    actor = parse.actor(wire.read(documents.read(name)))
    profile = actor.profile
    shown = {
        **{field: getattr(actor, field) for field in actor.__struct_fields__},
        **{
            field: getattr(profile, field)
            for field in ("display_name", "text", "locked", "bot", "discoverable", "indexable")
        },
        "avatar": profile.avatar.url if profile.avatar else None,
        "field": (profile.fields[0].name, profile.fields[0].text) if profile.fields else None,
        "key": actor.keys[0].id,
    }
    assert values == {field: shown[field] for field in values}


@pytest.mark.parametrize("name", documents.names())
def test_every_kept_document_takes_the_fast_road(name: str) -> None:
    """A hundred times the cost would fall on everyday mail otherwise."""
    assert wire.is_plain(wire.parse(documents.read(name)))


def test_a_key_that_lives_at_its_own_address_names_its_owner() -> None:
    """GoToSocial answers there with a stub of the actor."""
    key = wire.read(documents.read("gotosocial/key"))
    assert parse.key_owner(key, Uri(f"{GIL}/main-key")) == GIL
