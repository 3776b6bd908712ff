"""Values for property tests: everything that can be said, as hypothesis strategies."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

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
    Mention,
    Note,
    Profile,
    Reject,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Uri,
    Visibility,
)
from federation import html
from federation.actor import RemoteActor, RemoteKey

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOME = "https://home.example"
AWAY = "https://away.example:8443"
ACTOR = Actor(id=AccountId(7), uri=Uri(f"{HOME}/users/ann"), host="home.example")
FOLLOWERS = Uri(f"{ACTOR.uri}/followers")


def tag_page(name: str) -> str:
    return f"{HOME}/tags/tag"


names = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
own_ids = names.map(lambda name: Uri(f"{HOME}/things/{name}"))
other_actors = names.map(lambda name: Uri(f"{AWAY}/users/{name}"))
ids = own_ids | other_actors
times = st.datetimes(datetime(1990, 1, 1), datetime(2026, 11, 24)).map(lambda at: at.replace(tzinfo=UTC))
printable = st.characters(exclude_categories=("C", "Z"))
lines = st.text(printable | st.just(" "), max_size=40).map(lambda text: " ".join(text.split()))
words = st.text(printable | st.sampled_from(" \n<>&"), max_size=60)
markup = st.one_of(
    words,
    words.map(html.paragraph),
    st.lists(words, max_size=3).map(html.listing),
    st.just(
        f'<p>see <a href="{AWAY}/x?a=1&amp;b=2">this</a></p><pre>a\n  b</pre><ruby>漢<rt>kan</rt></ruby>'
    ),
).map(html.clean)
languages = st.none() | st.sampled_from(["zh", "zh-CN", "en"])
handles = names.map(lambda name: f"{name}@away.example:8443")

attachments = st.builds(
    Attachment,
    url=names.map(lambda name: f"{HOME}/media/{name}.webp"),
    mime=st.sampled_from(["image/webp", "image/png", "video/mp4"]),
    alt=lines,
    width=st.none() | st.integers(1, 65_535),
    height=st.none() | st.integers(1, 65_535),
    focus=st.none() | st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    blurhash=st.none() | st.just("LEHV6nWB2yk8pyo0adR*.7kCMdnj"),
)


@st.composite
def notes(draw: st.DrawFn, *, edited: bool = False) -> Note:
    named = draw(st.lists(other_actors, max_size=4, unique=True))
    cut = draw(st.integers(0, len(named)))
    content = draw(markup)
    tags = draw(st.lists(names, max_size=3, unique=True))
    return Note(
        uri=draw(own_ids),
        author=ACTOR.uri,
        url=draw(own_ids),
        html=content.html,
        text=content.text,
        spoiler=draw(lines),
        sensitive=draw(st.booleans()),
        language=draw(languages) if content.html else None,
        visibility=draw(st.sampled_from(Visibility)),
        in_reply_to=draw(st.none() | ids),
        mentions=tuple(Mention(uri=uri, handle=draw(handles)) for uri in named[:cut]),
        addressed=tuple(named[cut:]),
        tags=tuple(tags),
        attachments=tuple(draw(st.lists(attachments, max_size=3))),
        published=draw(times),
        updated=draw(times) if edited else draw(st.none() | times),
    )


fields = st.builds(
    lambda name, value: Field(name=name, value=value.html, text=value.text), lines, markup
).filter(lambda field: bool(field.name or field.text))
profiles = st.builds(
    lambda bio, **rest: Profile(html=bio.html, text=bio.text, **rest),
    markup,
    display_name=lines,
    fields=st.lists(fields, max_size=3).map(tuple),
    avatar=st.none() | attachments,
    header=st.none() | attachments,
    locked=st.booleans(),
    bot=st.just(False),
    discoverable=st.booleans(),
    indexable=st.booleans(),
)
keys = st.builds(
    RemoteKey,
    id=names.map(lambda name: f"{ACTOR.uri}#{name}"),
    pem=st.just("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
)
actors = st.builds(
    RemoteActor,
    uri=st.just(ACTOR.uri),
    actor_type=st.sampled_from(["Person", "Group", "Organization"]),
    username=names,
    host=st.just("home.example"),
    url=own_ids,
    inbox=own_ids,
    shared_inbox=st.none() | own_ids,
    outbox=st.none() | own_ids,
    followers=st.none() | own_ids,
    following=st.none() | own_ids,
    featured=st.none() | own_ids,
    keys=st.lists(keys, max_size=2).map(tuple),
    profile=profiles,
    published=st.none() | times,
    memorial=st.booleans(),
    suspended=st.booleans(),
    also_known_as=st.lists(ids, max_size=2, unique=True).map(tuple),
    moved_to=st.none() | ids,
    webfinger=st.none() | handles,
)

_said = {"id": own_ids, "actor": st.just(ACTOR)}
_answer = {"follower": other_actors, "follow": st.none() | ids}
activities: st.SearchStrategy[Activity] = st.one_of(
    st.builds(Create, **_said, note=notes()),
    st.builds(Update, **_said, note=notes(edited=True)),
    st.builds(UpdateProfile, **_said, profile=profiles),
    st.builds(Delete, **_said, target=own_ids | st.just(ACTOR.uri)),
    st.builds(Announce, **_said, target=ids, visibility=st.sampled_from(Visibility), published=times),
    st.builds(Like, **_said, target=ids),
    st.builds(Follow, **_said, target=other_actors),
    st.builds(Accept, **_said, **_answer),
    st.builds(Reject, **_said, **_answer),
    st.builds(Undo, **_said, kind=st.sampled_from(Undoable), target=ids, act=st.none() | own_ids),
    st.builds(Block, **_said, target=other_actors),
    st.builds(
        Flag,
        **_said,
        target=other_actors,
        posts=st.lists(ids, max_size=3, unique=True).map(tuple),
        comment=lines,
    ),
)
