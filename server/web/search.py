"""Looking for people and tags, and for the post or account behind an address."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from compliance.activity import PostId

from .. import keys
from ..db.pool import Connection
from ..http import limits
from ..http.auth import viewer_id
from ..http.routes import Reach, needs
from ..pages import cards, render
from ..store import accounts, follows, posts, tags
from ..store.model import AccountView, Entry, Relationship, TagView
from . import strangers


@dataclass(slots=True)
class Found:
    """What there is for the words."""

    people: list[AccountView] = field(default_factory=list)
    tags: list[TagView] = field(default_factory=list)
    entry: Entry | None = None
    relations: dict[int, Relationship] = field(default_factory=dict)


_PEOPLE = 20
_TAGS = 12
_LENGTH = 300


@needs(reach=Reach.SEEN, limit=limits.SEARCH)
async def show(request: web.Request) -> web.Response:
    """The search form and what it finds."""
    words = request.query.get("q", "").strip()[:_LENGTH]
    found = Found()
    if words:
        # Only members have another server asked: a stranger could make us knock anywhere.
        asked = await strangers.look_up(request, words) if viewer_id(request) is not None else None
        async with request.app[keys.POOL].acquire() as conn:
            if words.startswith(("http://", "https://")):
                await _at_address(request, conn, asked or words, found)
            else:
                await _by_words(request, conn, words, found)
            await _relate(request, conn, found)
    return await render.page(
        request,
        "web/search.html",
        section="search",
        q=words,
        people=found.people,
        relations=found.relations,
        tags=[tag.shown for tag in found.tags],
        found_post=cards.one(request, found.entry) if found.entry else None,
    )


async def _at_address(request: web.Request, conn: Connection, address: str, found: Found) -> None:
    uris = request.app[keys.URIS]
    post_id = uris.post_in(address) or await posts.find_id_by_uri(conn, address)
    if post_id is not None:
        entries = await posts.entries(conn, [PostId(post_id)], viewer_id(request), uris=uris)
        found.entry = entries[0] if entries else None
    username = uris.username_in(address)
    if username is not None:
        account = await accounts.find_by_name(conn, username, None, uris=uris)
    else:
        account = await accounts.find_by_uri(conn, address, uris=uris)
    if account is not None and not account.suspended and not account.gone:
        found.people.append(account)


async def _by_words(request: web.Request, conn: Connection, words: str, found: Found) -> None:
    if not words.startswith("#"):
        uris = request.app[keys.URIS]
        found.people += await accounts.search(conn, words, _PEOPLE, viewer_id(request), uris=uris)
    if not words.startswith("@"):
        found.tags += await tags.search(conn, words.removeprefix("#"), _TAGS)


async def _relate(request: web.Request, conn: Connection, found: Found) -> None:
    me = viewer_id(request)
    if me is not None and found.people:
        known = await follows.relationships(conn, me, [each.id for each in found.people])
        found.relations = {relation.id: relation for relation in known}
