"""What is read out of an activity, and by what it is known again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import gate
from compliance.activity import Attachment, MediaId, Mention, Uri, Visibility
from compliance.subject import Unreadable, kind_of, pack, read, storable, unpack

from .build import FAR, create, note, one_of_each

EACH = one_of_each()


@pytest.mark.parametrize("kind", EACH)
def test_every_kind_can_be_kept_whole(kind: str) -> None:
    """What a reviewer releases is what was held, to the last field."""
    assert kind_of(EACH[kind]) == kind
    assert unpack(kind, pack(EACH[kind])) == EACH[kind]


def test_a_note_with_everything_is_kept_whole() -> None:
    """Optional parts are those that get lost."""
    activity = create(
        spoiler="cw",
        language="zh",
        in_reply_to=Uri("https://x.example/1"),
        mentions=(Mention(uri=FAR.uri, handle="ann@far.example"),),
        attachments=(Attachment(url="u", mime="image/png", media_id=MediaId(3), focus=(0.5, -1.0), width=1),),
        visibility=Visibility.FOLLOWERS,
    )
    assert unpack("create", pack(activity)) == activity


def test_every_kind_has_a_digest_of_its_own() -> None:
    """A released like is no released boost."""
    assert len({gate.digest(activity) for activity in EACH.values()}) == len(EACH)


def test_the_same_words_by_the_same_person_are_known_again() -> None:
    """Sending once more makes new ids and times, and is the same thing."""
    assert gate.digest(create("hello")) == gate.digest(create("hello"))


_PICTURE = Attachment(url="https://here.example/m/1", mime="image/png", alt="a")


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "goodbye"},
        {"html": "<p><a href='https://evil.example'>good morning</a></p>"},
        {"spoiler": "cw"},
        {"tags": ("tag",)},
        {"in_reply_to": Uri("https://x.example/1")},
        {"visibility": Visibility.UNLISTED},
        {"mentions": (Mention(uri=FAR.uri, handle="ann@far.example"),)},
        {"attachments": (_PICTURE,)},
    ],
)
def test_whatever_a_reviewer_saw_makes_a_difference(changed: dict[str, object]) -> None:
    """A release must not cover another picture, another link, another person spoken to."""
    one = create(note().text)
    other = replace(one, note=replace(one.note, **changed))  # type: ignore[arg-type]
    assert gate.digest(one) != gate.digest(other)


def test_two_people_do_not_share_a_release() -> None:
    """Standing is personal, and so is a review."""
    assert gate.digest(create("hello")) != gate.digest(create("hello", actor=FAR))


@pytest.mark.parametrize(
    "bad",
    [
        {"text": "a\0b"},
        {"text": "half \ud83d"},
        {"spoiler": "\0"},
        {"html": "<p>\0</p>"},
        {"uri": Uri("https://here.example/" + "a" * 2_100)},
        {"in_reply_to": Uri("https://x.example/\0")},
        {"attachments": (replace(_PICTURE, alt="\udc00"),)},
    ],
)
def test_what_no_database_takes_is_not_read(bad: dict[str, object]) -> None:
    """It must be known before the batch is written, or it takes its neighbours with it."""
    one = create()
    with pytest.raises(Unreadable):
        read(replace(one, note=replace(one.note, **bad)))  # type: ignore[arg-type]


def test_hosts_are_those_it_comes_from_points_at_and_shows() -> None:
    """And ours is none of them."""
    ours = Attachment(url="https://here.example/m/1", mime="image/png", media_id=MediaId(1))
    theirs = Attachment(url="https://cdn.far.example:8443/a?b=//x", mime="image/png")
    assert read(create(attachments=(ours,))).hosts == ()
    assert read(create(actor=FAR, attachments=(ours, theirs))).hosts == (
        "cdn.far.example:8443",
        "far.example",
    )
    assert read(EACH["follow"]).hosts == ("else.example",)


def test_what_reviewers_read_leaves_out_what_only_machines_follow() -> None:
    """Words, not addresses."""
    subject = read(create("look here", spoiler="cw", html='<a href="https://x.example/">look here</a>'))
    assert subject.shown == "look here\ncw"
    assert [words.field for words in subject.words] == ["text", "spoiler", "links"]


@given(st.text(st.characters()))
def test_anything_can_be_made_storable(text: str) -> None:
    """For the row that says that something could not be read."""
    made = storable(text)
    made.encode()
    assert "\0" not in made
