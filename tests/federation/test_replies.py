"""Replies and who answers for them, as other servers say it and read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from compliance.activity import (
    ANYBODY,
    AccountId,
    Actor,
    ApproveReply,
    AskReply,
    Create,
    Delete,
    HideReply,
    Note,
    RemoveReply,
    ReplyControl,
    Uri,
)
from federation import parse, render
from federation.errors import NotTrusted
from federation.parse import NeedsObject

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANN = Actor(id=AccountId(1), uri=Uri("https://a.example/users/ann"), host="a.example")
BEN = Actor(id=AccountId(2), uri=Uri("https://b.example/users/ben"), host="b.example")
POST = Uri("https://a.example/users/ann/statuses/1")
REPLY = Uri("https://b.example/users/ben/statuses/2")
FACTS = render.Facts(
    followers=Uri(f"{BEN.uri}/followers"), tag_page=lambda name: f"https://b.example/tags/{name}"
)


def note(**more: Any) -> Note:
    return Note(
        uri=REPLY,
        author=BEN.uri,
        url=str(REPLY),
        html="<p>yes</p>",
        text="yes",
        in_reply_to=POST,
        published=NOW,
        **more,
    )


def said(document: dict[str, Any], by: Actor) -> Any:
    return parse.activity(document, by, now=NOW)


def test_a_request_is_the_reply_itself_and_which_request() -> None:
    """What one Yanlu asks, another reads as the reply that it judges and stores."""
    asked = AskReply(id=Uri(f"{REPLY}/reply_request"), actor=BEN, note=note(), post=POST, owner=ANN.uri)
    document = render.activity(asked, FACTS)
    assert document["@context"][1] == "https://gotosocial.org/ns"
    got = said(document, BEN)
    assert isinstance(got, Create)
    assert (got.asked, got.note.uri, got.note.in_reply_to) == (asked.id, REPLY, POST)


def test_a_request_that_names_the_reply_by_its_id_has_it_fetched() -> None:
    """GoToSocial may send the id alone."""
    document = {
        "id": "https://b.example/r/1",
        "type": "ReplyRequest",
        "actor": BEN.uri,
        "object": POST,
        "instrument": REPLY,
    }
    assert said(document, BEN) == NeedsObject(REPLY, parse.activities.Wanted.INSTRUMENT)


@pytest.mark.parametrize(
    "instrument",
    [
        {"id": REPLY, "type": "Note", "attributedTo": BEN.uri, "inReplyTo": "https://a.example/other"},
        {"id": REPLY, "type": "Note", "attributedTo": "https://b.example/users/eve", "inReplyTo": POST},
        {"id": "https://c.example/2", "type": "Note", "attributedTo": BEN.uri, "inReplyTo": POST},
    ],
)
def test_a_request_for_something_else_is_not_believed(instrument: dict[str, Any]) -> None:
    """Another post, another author, another server."""
    document = {
        "id": "https://b.example/r/1",
        "type": "ReplyRequest",
        "actor": BEN.uri,
        "object": POST,
        "instrument": instrument,
    }
    with pytest.raises(NotTrusted):
        said(document, BEN)


@pytest.mark.parametrize("request_", [None, Uri("https://b.example/r/1")])
def test_answers_go_there_and_back(request_: Uri | None) -> None:
    """Yes with its stamp, no with its reason: to the question, and to the reply where nobody asked."""
    act: dict[str, Any] = {
        "actor": ANN,
        "target": REPLY,
        "post": POST,
        "author": BEN.uri,
        "request": request_,
    }
    stamp = Uri(f"{ANN.uri}/reply_authorizations/2")
    yes = render.activity(ApproveReply(id=Uri("https://a.example/1"), stamp=stamp, **act), FACTS)
    no = render.activity(HideReply(id=Uri("https://a.example/2"), statement="off topic", **act), FACTS)
    assert (yes["type"], yes["to"], no["type"], no["to"]) == ("Accept", [BEN.uri], "Reject", [BEN.uri])
    if request_ is None:
        # The server that gets it knows the reply by its id, and puts that in its place.
        known = {"id": REPLY, "type": "Note", "attributedTo": BEN.uri, "inReplyTo": POST}
        assert (yes["object"], no["object"]) == (REPLY, REPLY)
        yes, no = yes | {"object": known}, no | {"object": known}
    got = said(yes, ANN)
    assert isinstance(got, ApproveReply)
    assert (got.target, got.post, got.author, got.stamp) == (REPLY, POST, BEN.uri, stamp)
    refused = said(no, ANN)
    assert isinstance(refused, HideReply)
    assert (refused.target, refused.post, refused.statement) == (REPLY, POST, "off topic")


def test_a_stamp_of_another_server_is_not_believed() -> None:
    """Whoever approves says so at its own place."""
    act: dict[str, Any] = {"actor": ANN, "target": REPLY, "post": POST, "author": BEN.uri}
    yes = ApproveReply(id=Uri("https://a.example/1"), stamp=Uri("https://c.example/s"), request=REPLY, **act)
    with pytest.raises(NotTrusted):
        said(render.activity(yes, FACTS), ANN)


def test_a_removal_names_the_author_and_is_never_taken_for_theirs() -> None:
    """A Delete of what somebody else wrote, which may be on the same server or on another."""
    removal = RemoveReply(
        id=Uri("https://a.example/3"), actor=ANN, target=REPLY, post=POST, author=BEN.uri, statement="insults"
    )
    document = render.activity(removal, FACTS)
    got = said(document, ANN)
    assert isinstance(got, RemoveReply)
    assert (got.target, got.post, got.author, got.statement) == (REPLY, POST, BEN.uri, "insults")
    with pytest.raises(NotTrusted):
        said(document | {"object": REPLY}, ANN)
    own = said(document | {"object": {"id": POST, "type": "Tombstone"}}, ANN)
    assert isinstance(own, Delete)


@pytest.mark.parametrize(
    ("rule", "control"),
    [
        (None, None),
        ({"automaticApproval": ["as:Public"], "manualApproval": []}, None),
        ({"automaticApproval": [BEN.uri], "manualApproval": "Public"}, ((BEN.uri,), (ANYBODY,))),
        ({"always": [f"{BEN.uri}/followers"], "approvalRequired": []}, ((f"{BEN.uri}/followers",), ())),
        ({"automaticApproval": [], "manualApproval": []}, ((), ())),
        ({"automaticApproval": 7, "manualApproval": [{}, None, "nonsense"]}, ((), ())),
    ],
)
def test_who_may_reply_is_read_in_new_words_and_old(rule: Any, control: Any) -> None:
    """Nothing said, or everybody, is no limit at all."""
    document = render.note(note(), followers=FACTS.followers, tag_page=FACTS.tag_page)
    if rule is not None:
        document["interactionPolicy"] = {"canReply": rule}
    got = parse.note(document, now=NOW)
    assert got.can_reply == (
        None if control is None else ReplyControl(automatic=control[0], manual=control[1])
    )


def test_who_may_reply_is_said_and_read_again() -> None:
    """By another Yanlu as by GoToSocial; a post without a limit says nothing, in the old context."""
    control = ReplyControl(automatic=(BEN.uri,), manual=(ANYBODY,))
    stamp = Uri("https://a.example/users/ann/reply_authorizations/2")
    limited = note(can_reply=control, reply_authorization=stamp)
    document = render.note(limited, followers=FACTS.followers, tag_page=FACTS.tag_page)
    got = parse.note(document, now=NOW)
    assert (got.can_reply, got.reply_authorization) == (control, stamp)
    plain = render.note(note(), followers=FACTS.followers, tag_page=FACTS.tag_page)
    assert "interactionPolicy" not in plain and "https://gotosocial.org/ns" not in plain["@context"]
