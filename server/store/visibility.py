"""Who may see what. Every read path takes its conditions from here; none writes its own.

    public, unlisted    anybody
    followers           the author, accepted followers, people named or addressed
    direct              the author, people named or addressed

A post is read from the view `visible_post`, which leaves out what was withdrawn and whatever is by an account
that is suspended or gone. A comment that `waits` is there for its author and for those who answer for the
post above it; one that is `hidden` stands in no list under it (`is_under`), and is read at its own place. A
block hides each side from the other, whatever the visibility. A boost is shown where both it and the boosted
post may be seen. What somebody's tier (Article 9) keeps from timelines of everybody, or from readers who are
not logged in, is in `held_back`. A mute hides from lists, not from somebody who asks for the post itself.

`viewer` is a parameter such as `$2`, null for somebody who is not logged in. Each condition is a scalar
subquery over a primary key. As an `exists` or `in`, the planner could turn it into a hash of everything the
viewer ever blocked or was named in, read anew for each page; so it is one look-up, for heavy users too.
"""

from __future__ import annotations

from .sql import compose

SEEN = "visible_post p left join visible_post b on b.id = p.boost_of_id"
"""A post `p` and, for a boost, the boosted post `b`."""


# Most people block and mute nobody: that is asked once for a statement, and the rest then costs nothing.
_BLOCKED = """(
  coalesce(exists (select from block x where x.account_id = {viewer}) and (
    select true from block x where x.account_id = {viewer} and x.target_id = {account}), false)
  or coalesce(exists (select from block x where x.target_id = {viewer}) and (
    select true from block x where x.account_id = {account} and x.target_id = {viewer}), false))"""
_MUTED = """coalesce(exists (select from mute x where x.account_id = {viewer}) and (
  select (x.expires_at is null or x.expires_at > now()){also}
  from mute x where x.account_id = {viewer} and x.target_id = {account}), false)"""
_ANSWERS = """coalesce((select true from compliance.comment k
  where k.post_id = {post}.id and k.owner_id = {viewer}), false)"""
# The few whose tier keeps them from some readers; on most servers nobody: asked once for a statement.
_HELD_BACK = """coalesce(exists (select from held_back) and (
  select h.{what} from held_back h where h.account_id = {account}), false)"""
_MAY_SEE = """({post}.account_id = {viewer} or (not {blocked} and (not {post}.waits or {answers}) and (
  ({visible} and ({viewer} is not null or not {from_guests}))
  or (select true from mention x where x.post_id = {post}.id and x.account_id = {viewer})
  or ({post}.visibility = 'followers' and (select x.state = 'accepted' from follow x
      where x.follower_id = {viewer} and x.followee_id = {post}.account_id)))))"""


def blocked(account: str, viewer: str) -> str:
    """Whether a block stands between `account` and the viewer, in either direction."""
    return compose(_BLOCKED, account=account, viewer=viewer)


def muted(account: str, viewer: str) -> str:
    """Whether the viewer mutes `account` at present."""
    return compose(_MUTED, account=account, viewer=viewer, also="")


def silenced(account: str, viewer: str) -> str:
    """Whether the viewer mutes `account` at present and wants no notices from it either."""
    return compose(_MUTED, account=account, viewer=viewer, also=" and x.notifications")


def is_public(post: str) -> str:
    """Whether `post` is meant for timelines of everybody."""
    return f"{post}.visibility = 'public' and not {post}.waits"


def is_listed(post: str) -> str:
    """Whether `post` stands in everybody's timelines: meant for them, and its author's tier reaches there."""
    return f"{is_public(post)} and not {_held_back(post, 'from_timelines')}"


def is_open(post: str) -> str:
    """Whether anybody at all may read `post`."""
    return f"{_is_open(post)} and not {post}.waits and not {_held_back(post, 'from_guests')}"


def may_be_suggested(account: str) -> str:
    """Whether `account` is put before people who did not ask for it by its handle."""
    return f"not {compose(_HELD_BACK, what='undiscoverable', account=account)}"


def is_under(post: str) -> str:
    """Whether `post` stands under what it answers."""
    return f"not {post}.waits and not {post}.hidden"


def stands(post: str, viewer: str) -> str:
    """Whether the viewer is shown `post` under what it answers: its author and those who answer for it see
    also what is hidden, and how it stands.
    """
    answers = compose(_ANSWERS, post=post, viewer=viewer)
    return f"(not {post}.hidden or {post}.account_id = {viewer} or {answers})"


def _held_back(post: str, what: str) -> str:
    return compose(_HELD_BACK, what=what, account=f"{post}.account_id")


def _is_open(post: str) -> str:
    return f"{post}.visibility in ('public', 'unlisted')"


def may_see(post: str, viewer: str) -> str:
    """Whether the viewer may see the words of `post`, an alias of `visible_post`."""
    return compose(
        _MAY_SEE,
        post=post,
        viewer=viewer,
        blocked=blocked(f"{post}.account_id", viewer),
        visible=_is_open(post),
        from_guests=_held_back(post, "from_guests"),
        answers=compose(_ANSWERS, post=post, viewer=viewer),
    )


def may_see_both(viewer: str) -> str:
    """Whether the viewer may see the post `p` of `SEEN` and, if it is a boost, the boosted post `b`."""
    own, boosted = may_see("p", viewer), may_see("b", viewer)
    return f"{own} and (p.boost_of_id is null or (b.id is not null and {boosted}))"


def wanted(viewer: str) -> str:
    """Whether the viewer mutes neither the author of `p` nor that of the boosted post `b`.

    For lists that the viewer did not ask of one person.
    """
    return f"not {muted('p.account_id', viewer)} and (b.id is null or not {muted('b.account_id', viewer)})"


def may_meet(account: str, viewer: str) -> str:
    """Whether `account`, an alias of the table, is to be listed to the viewer: here, and no block between."""
    here = f"{account}.suspended_at is null and {account}.gone_at is null"
    return f"({here} and not {blocked(f'{account}.id', viewer)})"
