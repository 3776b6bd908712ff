"""`to` and `cc` to visibility, and back.

Public in `to` is public; Public in `cc` is unlisted; the author's followers without Public is for followers;
only actors is direct. What cannot be told is read as the more private.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.activity import Uri, Visibility

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_PUBLIC_SPELLINGS = frozenset({PUBLIC, "as:Public", "Public"})


@dataclass(frozen=True, slots=True)
class Audience:
    """Who an object is for: how widely, and which ids were named besides Public and the author's
    followers.
    """

    visibility: Visibility
    named: tuple[Uri, ...]


def is_public(value: str) -> bool:
    """Whether an addressee is the whole world, in any of the three spellings that JSON-LD allows."""
    return value in _PUBLIC_SPELLINGS


def read(
    to: Sequence[str], cc: Sequence[str], *, named: Iterable[Uri], author: Uri, followers: Uri | None
) -> Audience:
    """The audience that `to` and `cc` spell; `named` are the valid ids among them, `followers` the author's
    collection.
    """
    public_to = any(map(is_public, to))
    public_cc = any(map(is_public, cc))
    others: list[Uri] = []
    to_followers = False
    for id_ in dict.fromkeys(named):
        if _is_followers(id_, author, followers):
            to_followers = True
        elif not is_public(id_) and id_ != author:
            others.append(id_)
    if public_to:
        visibility = Visibility.PUBLIC
    elif public_cc:
        visibility = Visibility.UNLISTED
    elif to_followers:
        visibility = Visibility.FOLLOWERS
    else:
        visibility = Visibility.DIRECT
    return Audience(visibility, tuple(others))


def write(visibility: Visibility, *, followers: Uri, named: Iterable[Uri]) -> tuple[list[str], list[str]]:
    """`to` and `cc` for a visibility; `named` actors are addressed whatever it is."""
    actors: list[str] = list(dict.fromkeys(named))
    match visibility:
        case Visibility.PUBLIC:
            return [PUBLIC], [followers, *actors]
        case Visibility.UNLISTED:
            return [followers], [PUBLIC, *actors]
        case Visibility.FOLLOWERS:
            return [followers], actors
        case Visibility.DIRECT:
            return actors, []


def _is_followers(id_: Uri, author: Uri, followers: Uri | None) -> bool:
    if followers is not None:
        return id_ == followers
    # The author's document was not at hand: nearly everybody names the collection under the actor's own id.
    return id_ in (f"{author}/followers", f"{author}followers")
