"""Who may see what. Every read path takes its conditions from here; none writes its own.

    public, unlisted    anybody
    followers           the author, accepted followers, people named or addressed
    direct              the author, people named or addressed

A post is read from the view `visible_post`, which leaves out what was withdrawn and whatever is by an account
that is suspended or gone. A block hides each side from the other, whatever the visibility. A boost is shown
where both it and the boosted post may be seen. A mute hides from lists, not from somebody who asks for the
post itself.

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
_MAY_SEE = """({post}.account_id = {viewer} or (not {blocked} and (
  {open}
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
    return f"{post}.visibility = 'public'"


def is_open(post: str) -> str:
    """Whether anybody at all may read `post`."""
    return f"{post}.visibility in ('public', 'unlisted')"


def may_see(post: str, viewer: str) -> str:
    """Whether the viewer may see the words of `post`, an alias of `visible_post`."""
    return compose(
        _MAY_SEE,
        post=post,
        viewer=viewer,
        blocked=blocked(f"{post}.account_id", viewer),
        open=is_open(post),
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
