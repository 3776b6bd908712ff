"""One post with what it answers and what answers it, and how it read before it was edited."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from aiohttp import web

from compliance import commenting, commentqueue
from compliance.activity import PostId
from compliance.organisations import Act

from .. import keys
from ..db.pool import Connection
from ..errors import NotFound
from ..http.auth import viewer, viewer_id
from ..http.routes import Reach, needs
from ..pages import cards, render
from ..pages.windows import number
from ..store import posts, timelines
from ..store.model import Entry
from . import composer, shared

_TEMPLATE = "web/thread.html"
_WORDS = re.compile(r"\w[\w'’-]*|\s+|.", re.DOTALL)
_MOST_WORDS = 4_000


@needs(reach=Reach.SEEN)
async def thread(request: web.Request) -> web.StreamResponse:
    """The post and its conversation."""
    if shared.is_shared(request):

        async def context() -> tuple[dict[str, Any], shared.About]:
            made = await _context(request)
            around = [made["card"], *made["ancestors"], *(card for _, card in made["descendants"])]
            return made, shared.about(around)

        return await shared.serve(request, _TEMPLATE, context)
    return await render.page(request, _TEMPLATE, **await _context(request))


async def find(request: web.Request, conn: Connection) -> Entry:
    """The post that the address names, if it is its author's and the reader may see it."""
    post_id = number(request.match_info["id"])
    if post_id is None:
        raise NotFound
    entry = await posts.get_entry(conn, PostId(post_id), viewer_id(request), uris=request.app[keys.URIS])
    author = entry.view.account
    names = {author.handle.lower(), f"{author.username}@{request.app[keys.URIS].host}".lower()}
    if request.match_info["acct"].lower() not in names:
        raise NotFound
    return entry


async def _context(request: web.Request) -> dict[str, Any]:
    me, uris, found = viewer_id(request), request.app[keys.URIS], viewer(request)
    async with request.app[keys.POOL].acquire() as conn:
        entry = await find(request, conn)
        post = entry.view.boost_of or entry.view
        above, below = await timelines.thread(conn, post.id, me)
        around = await posts.entries(conn, [*above, *below], me, uris=uris)
        answered = await commentqueue.answers_for(conn, me, [*below, post.id]) if me is not None else {}
        stance = await commenting.stance(conn, post.id)
        pinned = await commentqueue.pinned(conn, post.thread_id) if below else set()
        is_own = me is not None and post.account.id == me
        draft = None
        if me is not None and (is_own or not stance.is_closed):
            next_ = cards.path_of(post)
            draft = await composer.fresh(request, conn, next_=next_, parent=post)
    by_id = {each.view.id: each for each in around}
    return {
        "card": cards.one(request, entry, focus=True),
        "excerpt": cards.excerpt(post),
        "ancestors": cards.of(request, [by_id[i] for i in above if i in by_id]),
        "descendants": cards.nest(cards.of(request, [by_id[i] for i in below if i in by_id]), post.id),
        "draft": draft,
        "answered": answered,
        "pinned": pinned,
        "stance": stance,
        "is_own": is_own,
        "may_moderate": bool(answered)
        and (found is None or found.place is None or found.place.rights.may(Act.COMMENTS)),
    }


@dataclass(frozen=True, slots=True)
class Edit:
    """A version, and how it differs from the one before: `+`, `-` or `=` with the words."""

    at: datetime
    spoiler: str
    diff: list[tuple[str, str]]


@needs(reach=Reach.SEEN)
async def history(request: web.Request) -> web.Response:
    """Every version of a post, the newest first, with what changed."""
    async with request.app[keys.POOL].acquire() as conn:
        entry = await find(request, conn)
        post = entry.view
        versions = await posts.history(conn, post.id, viewer_id(request), uris=request.app[keys.URIS])
    rising = sorted(versions, key=lambda version: version.created_at)
    edits = [Edit(rising[0].created_at, rising[0].spoiler, [("=", rising[0].text)])]
    for before, after in pairwise(rising):
        edits.append(Edit(after.created_at, after.spoiler, diff(before.text, after.text)))
    return await render.page(request, "web/history.html", versions=edits[::-1], path=cards.path_of(post))


def diff(before: str, after: str) -> list[tuple[str, str]]:
    """What was taken out and what was put in, word by word, or character by character in Chinese."""
    old, new = _parts(before), _parts(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return [("-", before), ("+", after)]
    found: list[tuple[str, str]] = []
    for act, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if act == "equal":
            found.append(("=", "".join(old[i:j])))
            continue
        if i != j:
            found.append(("-", "".join(old[i:j])))
        if k != m:
            found.append(("+", "".join(new[k:m])))
    return found


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for part in _WORDS.findall(text):
        parts += part if any("\u3400" <= char <= "\u9fff" for char in part) else [part]
    return parts
