"""Hashtags by themselves."""

from __future__ import annotations

from aiohttp import web

from .. import keys
from ..errors import NotFound
from ..http.auth import viewer
from ..http.routes import Reach, needs
from ..store import tags
from ..store.model import TagView
from . import answers
from .render import RENDERER

_MAX = 100


@needs("read", "read:follows", optional=True, reach=Reach.PUBLIC)
async def show(request: web.Request) -> web.Response:
    """One hashtag and how much it was used lately; one that nobody used yet is there all the same."""
    name = folded(request, "name")
    async with request.app[keys.POOL].acquire() as conn:
        found = await tags.find_with_history(conn, name, now=request.app[keys.CLOCK]())
    view = found or TagView(name=name, shown=name)
    return answers.entity(request.app[RENDERER].tag(view, known=viewer(request) is not None))


def folded(request: web.Request, part: str) -> str:
    """The hashtag in the path, as it is found by."""
    name = request.match_info[part].removeprefix("#")
    if not 0 < len(name) <= _MAX or "\x00" in name:
        raise NotFound
    return tags.fold(name)
