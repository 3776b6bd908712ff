"""What we say and what others would read of it are the same."""

from __future__ import annotations

from hypothesis import given

from compliance.activity import Activity, Note, UpdateProfile
from federation import parse, render, wire
from federation.actor import RemoteActor

from . import values

FACTS = render.Facts(followers=values.FOLLOWERS, tag_page=values.tag_page)


def _over_the_wire(document: wire.Document) -> wire.Document:
    return wire.read(wire.write(document))


@given(values.activities)
def test_an_activity_is_read_as_it_was_said(activity: Activity) -> None:
    """The one property that keeps `parse` and `render` from drifting apart."""
    facts = FACTS
    if isinstance(activity, UpdateProfile):
        person = render.actor(
            RemoteActor(
                uri=values.ACTOR.uri,
                actor_type="Person",
                username="ann",
                host="home.example",
                url=values.ACTOR.uri,
                inbox=f"{values.ACTOR.uri}/inbox",
                profile=activity.profile,
            )
        )
        facts = render.Facts(followers=values.FOLLOWERS, tag_page=values.tag_page, profile=person)
    document = _over_the_wire(render.activity(activity, facts))
    read = parse.activity(document, values.ACTOR, now=values.NOW, followers=values.FOLLOWERS)
    assert activity == read


@given(values.notes())
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    document = _over_the_wire(render.note(note, followers=values.FOLLOWERS, tag_page=values.tag_page))
    assert note == parse.note(document, now=values.NOW, followers=values.FOLLOWERS)


@given(values.actors)
def test_an_actor_is_read_as_described(actor: RemoteActor) -> None:
    assert actor == parse.actor(_over_the_wire(render.actor(actor)))


@given(values.activities)
def test_json_ld_reads_our_documents_as_the_plain_reader_does(activity: Activity) -> None:
    """Peers with a JSON-LD processor must see the same act as those who read names."""
    if isinstance(activity, UpdateProfile):
        return
    document = render.activity(activity, FACTS)
    assert wire.is_plain(document)
    read = parse.activity(wire.compact(document), values.ACTOR, now=values.NOW, followers=values.FOLLOWERS)
    assert activity == read
