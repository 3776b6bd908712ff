"""Nobody is believed about what is not theirs, and nothing that comes in breaks anything."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.activity import AccountId, Actor, Create, Uri, Visibility
from federation import addressing, origin, parse, wire
from federation.errors import Malformed, NotTrusted, RemoteFault
from federation.parse import Ignored, NeedsObject, Parsed, Wanted
from tests.fixtures import documents

from .values import NOW

ANN = "https://home.example/users/ann"
SIBLING = "https://home.example/users/eve"
VICTIM = "https://good.example/users/vic"
POST = "https://home.example/posts/1"


def _by(uri: str) -> Actor:
    return Actor(id=AccountId(1), uri=Uri(uri), host=origin.host_of(uri))


def _parse(document: wire.Document, actor: str = ANN) -> Parsed:
    return parse.activity(document, _by(actor), now=NOW)


def _activity(kind: str, object_: object, **more: object) -> wire.Document:
    return {"id": "https://home.example/acts/1", "type": kind, "actor": ANN, "object": object_, **more}


def _note(**more: object) -> wire.Document:
    return {
        "id": POST,
        "type": "Note",
        "attributedTo": ANN,
        "content": "<p>hi</p>",
        "to": [addressing.PUBLIC],
        **more,
    }


NOT_TRUSTED = {
    "an activity by somebody else": {**_activity("Like", POST), "actor": VICTIM},
    "an activity by a neighbour": {**_activity("Like", POST), "actor": SIBLING},
    "an activity without actor": {**_activity("Like", POST), "actor": None},
    "an activity with another server's id": {**_activity("Like", POST), "id": "https://good.example/acts/1"},
    "a post with another server's id": _activity("Create", _note(id="https://good.example/posts/1")),
    "a post by somebody else": _activity("Create", _note(attributedTo=VICTIM)),
    "a post by a neighbour": _activity("Create", _note(attributedTo=SIBLING)),
    "an edit of a neighbour's post": _activity(
        "Update", _note(attributedTo=SIBLING, updated="2026-01-01T00:00:00Z")
    ),
    "a new profile for a neighbour": _activity("Update", {"id": SIBLING, "type": "Person"}),
    "a new profile for somebody else": _activity("Update", {"id": VICTIM, "type": "Person"}),
    "a post of another server, by id": _activity("Create", "https://good.example/posts/1"),
    "a deletion at another server": _activity("Delete", "https://good.example/posts/1"),
    "a deletion of somebody else": _activity("Delete", VICTIM),
    "undoing somebody else's act": _activity(
        "Undo", {"id": "https://home.example/likes/1", "type": "Like", "actor": VICTIM, "object": POST}
    ),
    "undoing a neighbour's act": _activity(
        "Undo", {"id": "https://home.example/likes/1", "type": "Like", "actor": SIBLING, "object": POST}
    ),
    "undoing an act of another server": _activity(
        "Undo", {"id": "https://good.example/likes/1", "type": "Like", "actor": ANN, "object": POST}
    ),
    "accepting for somebody else": _activity(
        "Accept", {"type": "Follow", "actor": VICTIM, "object": SIBLING}
    ),
    "rejecting for somebody else": _activity("Reject", {"type": "Follow", "actor": ANN, "object": VICTIM}),
}


@pytest.mark.parametrize("document", NOT_TRUSTED.values(), ids=NOT_TRUSTED.keys())
def test_nobody_speaks_for_somebody_else(document: wire.Document) -> None:
    """The signature says who spoke; what was said must be theirs to say."""
    with pytest.raises(NotTrusted):
        _parse(document)


MALFORMED = {
    "no id": {**_activity("Like", POST), "id": None},
    "an id that is none": {**_activity("Like", POST), "id": "urn:uuid:1"},
    "a like of nothing": _activity("Like", None),
    "a follow of a number": _activity("Follow", 7),
    "a flag of nobody": _activity("Flag", []),
    "an undo of nothing": _activity("Undo", {"type": "Like"}),
    "a post without id": _activity("Create", {**_note(), "id": None}),
    "a post without author": _activity("Create", {**_note(), "attributedTo": []}),
}


@pytest.mark.parametrize("document", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_lacks_its_parts_is_malformed(document: wire.Document) -> None:
    """4xx with a message, nothing stored."""
    with pytest.raises(Malformed):
        _parse(document)


IGNORED = {
    "no type": {**_activity("Like", POST), "type": None},
    "an unknown type": _activity("Arrive", POST),
    "a Dislike": _activity("Dislike", POST),
    "a collection": _activity("Create", {"id": POST, "type": "Collection"}),
    "an answer to an Invite": _activity("Accept", {"type": "Invite", "actor": VICTIM, "object": POST}),
    "an undone Accept": _activity("Undo", {"type": "Accept", "actor": ANN, "object": POST}),
}


@pytest.mark.parametrize("document", IGNORED.values(), ids=IGNORED.keys())
def test_what_means_nothing_here_is_ignored(document: wire.Document) -> None:
    """It is well-formed, and its sender did no wrong."""
    assert isinstance(_parse(document), Ignored)


def test_an_embedded_boosted_post_is_never_believed() -> None:
    """A boost names a post; the words come from the post's own server."""
    forged = _note(id="https://good.example/posts/1", attributedTo=VICTIM, content="forged")
    said = _parse(_activity("Announce", forged))
    assert "https://good.example/posts/1" == getattr(said, "target", None)


def test_an_answer_by_id_asks_for_the_act() -> None:
    """Only we know which Follow of ours has that id."""
    assert NeedsObject(Uri("https://here.example/follows/1"), Wanted.ACT) == _parse(
        _activity("Accept", "https://here.example/follows/1")
    )


def test_a_mention_without_address_gives_no_access() -> None:
    """Else a tag could put a post in front of anybody."""
    tags = [{"type": "Mention", "href": VICTIM, "name": "@vic@good.example"}]
    said = _parse(_activity("Create", _note(to=[f"{ANN}/followers"], tag=tags)))
    assert isinstance(said, Create)
    assert ((), ()) == (said.note.mentions, said.note.addressed)


def test_a_mention_bomb_tells_nobody() -> None:
    """Above 200 the post is kept and nobody is notified."""
    people = [f"https://good.example/users/u{number}" for number in range(201)]
    tags = [{"type": "Mention", "href": uri, "name": "@u@good.example"} for uri in people]
    said = _parse(_activity("Create", _note(cc=people, tag=tags)))
    assert isinstance(said, Create)
    assert () == said.note.mentions
    assert people == list(said.note.addressed)


def test_the_audience_is_the_activitys_where_the_post_has_none() -> None:
    """Some servers write it on one of the two only; hidden recipients are not read at all."""
    bare = {name: value for name, value in _note(bto=[VICTIM], bcc=[VICTIM]).items() if name != "to"}
    said = _parse(_activity("Create", bare, to=[f"{ANN}/followers"]))
    assert isinstance(said, Create)
    assert (Visibility.FOLLOWERS, ()) == (said.note.visibility, said.note.addressed)


def test_words_that_stand_in_a_map_of_languages_only_are_read() -> None:
    """Of the text, the warning, and a title."""
    said = _parse(_activity("Create", _note(content=None, contentMap={"fr": "hi"}, summaryMap={"fr": "cw"})))
    assert isinstance(said, Create)
    assert ("hi", "cw", "fr") == (said.note.text, said.note.spoiler, said.note.language)
    said = _parse(_activity("Create", _note(type="Article", nameMap={"en": "Title"})))
    assert isinstance(said, Create)
    assert said.note.text.startswith("Title")


def test_the_future_is_now() -> None:
    """Or a post dated 2099 would stand on top of every timeline until then."""
    said = _parse(_activity("Create", _note(published="2099-01-01T00:00:00Z")))
    assert isinstance(said, Create)
    assert said.note.published == NOW


def test_excess_is_cut_and_never_a_reason_to_fail() -> None:
    """Limits are ours, not the sender's."""
    said = _parse(
        _activity(
            "Create",
            _note(
                summary="s" * 5_000,
                content="<p>" + "x" * 200_000,
                tag=[{"type": "Hashtag", "name": f"#t{number}"} for number in range(200)],
                attachment=[
                    {"type": "Image", "url": f"https://home.example/{number}.png", "name": "a" * 20_000}
                    for number in range(100)
                ],
            ),
        )
    )
    assert isinstance(said, Create)
    note = said.note
    assert (2_000, 50, 32, 10_000) == (
        len(note.spoiler),
        len(note.tags),
        len(note.attachments),
        len(note.attachments[0].alt),
    )
    # Too long to clean: its own server can still show it.
    assert note.text == POST


def test_names_and_warnings_are_plain_text() -> None:
    """They are shown escaped, so nothing in them may be taken for mark-up, and no control character comes
    along.
    """
    actor = parse.actor(
        {
            "id": ANN,
            "type": "Person",
            "inbox": f"{ANN}/inbox",
            "preferredUsername": "ann",
            "name": "<b>{{7*7}}</b>\n\x07 Ann",
            "url": "javascript:alert(1)",
            "followers": "https://good.example/users/vic/followers",
            "publicKey": [
                {"id": f"{ANN}#key", "owner": VICTIM, "publicKeyPem": "x"},
                {"id": f"{VICTIM}#key", "owner": ANN, "publicKeyPem": "x"},
            ],
        }
    )
    assert "<b>{{7*7}}</b> Ann" == actor.profile.display_name
    assert (ANN, None, ()) == (actor.url, actor.followers, actor.keys)


@pytest.mark.parametrize("name", ["", "a b", "a@b", "a/b", "a" * 101, "a\u202eb", "a\x00", None, 7, ["ann"]])
def test_a_name_that_could_not_be_a_handle_is_refused(name: object) -> None:
    """It becomes part of every mention."""
    with pytest.raises(Malformed):
        parse.actor({"id": ANN, "type": "Person", "inbox": f"{ANN}/inbox", "preferredUsername": name})


def test_an_inbox_elsewhere_is_no_inbox() -> None:
    """Or anybody could have our mail sent wherever they like."""
    with pytest.raises(Malformed):
        parse.actor({"id": ANN, "type": "Person", "inbox": f"{VICTIM}/inbox", "preferredUsername": "ann"})


# What may stand where something else was expected.
_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**70), 10**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            *(
                "Note",
                "Person",
                "Follow",
                "Link",
                "https://home.example/1",
                "as:Public",
                "#",
                "@",
                "@a@",
                "//",
                ":",
            ),
            *(
                ANN,
                VICTIM,
                "https://home.example",
                "2026-13-45",
                "9999-12-31T23:59:59+23:59",
                "0001-01-01T00:00:00-23:00",
            ),
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "href", "url", "name", "object", "actor"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inside for place in _places(item, (*path, key)))]


@settings(max_examples=600)
@given(st.data())
def test_wrong_types_anywhere_raise_nothing_but_a_remote_fault(data: st.DataObject) -> None:
    """No input gives a 5xx, whichever field it spoils in whichever server's document."""
    document = copy.deepcopy(documents.load(data.draw(st.sampled_from(documents.names()))))
    speaker = document.get("actor")
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(_places(document)[1:]))
        inside: Any = document
        for key in path:
            inside = inside[key]
        inside[last] = data.draw(_junk)
        if not document:
            return
    with contextlib.suppress(RemoteFault):
        read = wire.read(wire.write(document))
        _read_in_every_way(read, speaker if isinstance(speaker, str) else ANN)


def _read_in_every_way(document: wire.Document, speaker: str) -> None:
    for attempt in (
        lambda: _parse(document, speaker),
        lambda: parse.note(document, now=NOW),
        lambda: parse.actor(document),
        lambda: parse.key_owner(document, Uri(f"{speaker}#main-key")),
    ):
        with contextlib.suppress(RemoteFault):
            attempt()
