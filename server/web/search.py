"""Looking for people and tags, and for the post or account behind an address."""

from __future__ import annotations

from aiohttp import web

from compliance.activity import PostId

from .. import keys
from ..http import limits
from ..http.auth import viewer_id
from ..http.routes import Reach, needs
from ..pages import cards, render
from ..store import accounts, follows, posts, tags
from ..store.model import AccountView, Entry, Relationship, TagView

_PEOPLE = 20
_TAGS = 12
_LENGTH = 300


@needs(reach=Reach.SEEN, limit=limits.SEARCH)
async def show(request: web.Request) -> web.Response:
    """The search form and what it finds."""
    words = request.query.get("q", "").strip()[:_LENGTH]
    people: list[AccountView] = []
    found_tags: list[TagView] = []
    entry: Entry | None = None
    relations: dict[int, Relationship] = {}
    me, uris = viewer_id(request), request.app[keys.URIS]
    if words:
        async with request.app[keys.POOL].acquire() as conn:
            if words.startswith(("http://", "https://")):
                post_id = uris.post_in(words) or await posts.find_id_by_uri(conn, words)
                found = await posts.entries(conn, [PostId(post_id)], me, uris=uris) if post_id else []
                entry = found[0] if found else None
                username = uris.username_in(words)
                account = (
                    await accounts.find_by_name(conn, username, None, uris=uris)
                    if username
                    else await accounts.find_by_uri(conn, words, uris=uris)
                )
                people = [account] if account and not account.suspended and not account.gone else []
            else:
                if not words.startswith("#"):
                    people = await accounts.search(conn, words, _PEOPLE, me, uris=uris)
                if not words.startswith("@"):
                    found_tags = await tags.search(conn, words.removeprefix("#"), _TAGS)
            if me is not None and people:
                known = await follows.relationships(conn, me, [each.id for each in people])
                relations = {relation.id: relation for relation in known}
    return await render.page(
        request,
        "web/search.html",
        section="search",
        q=words,
        people=people,
        relations=relations,
        tags=[tag.shown for tag in found_tags],
        found_post=cards.one(request, entry) if entry else None,
    )
