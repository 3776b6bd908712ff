"""Who may read a post follows from `to` and `cc`, and nobody is let in by mistake."""

from __future__ import annotations

import pytest

from compliance.activity import Uri, Visibility
from federation import addressing
from federation.addressing import PUBLIC

ANN = Uri("https://home.example/users/ann")
FOLLOWERS = Uri(f"{ANN}/followers")
BOB = Uri("https://away.example/users/bob")

CASES = [
    ([PUBLIC], [FOLLOWERS], Visibility.PUBLIC, ()),
    (["as:Public"], [], Visibility.PUBLIC, ()),
    (["Public"], [BOB], Visibility.PUBLIC, (BOB,)),
    ([FOLLOWERS], [PUBLIC], Visibility.UNLISTED, ()),
    ([FOLLOWERS, BOB], [], Visibility.FOLLOWERS, (BOB,)),
    ([BOB], [FOLLOWERS], Visibility.FOLLOWERS, (BOB,)),
    ([BOB], [], Visibility.DIRECT, (BOB,)),
    ([BOB], [f"{BOB}/followers"], Visibility.DIRECT, (BOB, Uri(f"{BOB}/followers"))),
    ([ANN], [], Visibility.DIRECT, ()),
    ([], [], Visibility.DIRECT, ()),
    (["https://www.w3.org/ns/activitystreams#public"], [], Visibility.DIRECT, None),
]


@pytest.mark.parametrize(("to", "cc", "visibility", "named"), CASES)
def test_to_and_cc_make_a_visibility(
    to: list[str], cc: list[str], visibility: Visibility, named: tuple[Uri, ...] | None
) -> None:
    """What cannot be told is read as the more private."""
    ids = [Uri(item) for item in (*to, *cc) if item.startswith("https:")]
    found = addressing.read(to, cc, named=ids, author=ANN, followers=FOLLOWERS)
    assert visibility == found.visibility
    if named is not None:
        assert named == found.named


def test_without_the_authors_document_only_the_usual_place_is_their_collection() -> None:
    """Somebody else's followers are not the author's."""
    for collection, visibility in (
        (FOLLOWERS, Visibility.FOLLOWERS),
        (Uri(f"{BOB}/followers"), Visibility.DIRECT),
    ):
        found = addressing.read([collection], [], named=[collection], author=ANN, followers=None)
        assert visibility == found.visibility


@pytest.mark.parametrize("visibility", Visibility)
def test_what_is_written_is_read_back(visibility: Visibility) -> None:
    """The two directions are each other's reverse."""
    to, cc = addressing.write(visibility, followers=FOLLOWERS, named=[BOB])
    ids = [Uri(item) for item in (*to, *cc)]
    found = addressing.read(to, cc, named=ids, author=ANN, followers=FOLLOWERS)
    assert (visibility, (BOB,)) == (found.visibility, found.named)
