"""Pictures on their way to a post. The work on their bytes is done elsewhere, in a process of its own."""

from __future__ import annotations

import re

from aiohttp import web

from compliance.activity import AccountId, MediaId

from .. import drafts, keys, uploads
from ..errors import Invalid, NotFound
from ..http import body, limits
from ..http.auth import Viewer, person
from ..http.body import Upload
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..media import files
from ..media.model import Shape
from ..store import media
from . import answers, render, schemas

_SLACK = 256 * body.KIB
"""What a form may hold besides its pictures."""
_NUMBER = r"\s*([-+]?[0-9]{0,2}(?:\.[0-9]{1,12})?)\s*"
_FOCUS = re.compile(f"{_NUMBER},{_NUMBER}")


@needs("write:media", reach=Reach.OWN, limit=limits.UPLOADS)
async def upload(request: web.Request) -> web.Response:
    """Takes a picture; it is ready when the answer comes, so the old and the new way are one."""
    me = person(request)
    form = await body.read(request, limit=form_limit(request, 1))
    words = form.to(schemas.MediaWords)
    file = form.upload("file")
    if file is None:
        raise Invalid("There is no file", field="file")
    media_id = await bring(
        request, me, file, description=words.description or "", focus=parse_focus(words.focus)
    )
    return await _one(request, me.id, media_id)


@needs("write:media", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One's own picture."""
    return await _one(request, person(request).id, answers.media_id(request))


@needs("write:media", reach=Reach.OWN)
async def update(request: web.Request) -> web.Response:
    """Says something else of a picture that is on no post yet; it is judged with the post."""
    me, media_id = person(request), answers.media_id(request)
    words = await body.to(request, schemas.MediaWords)
    async with request.app[keys.POOL].acquire() as conn:
        view = await media.update_description(
            conn,
            media_id,
            me.id,
            uris=request.app[keys.URIS],
            description=None if words.description is None else drafts.alt(words.description),
            focus=parse_focus(words.focus),
        )
    return answers.entity(render.media(view))


@needs("write:media", reach=Reach.OWN)
async def delete(request: web.Request) -> web.Response:
    """Takes a picture away that is on no post yet."""
    me, media_id = person(request), answers.media_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        names = await media.delete_own(conn, media_id, me.id)
    if not names:
        raise NotFound
    await files.remove(request.app[keys.SETTINGS].data / "media", *names)
    return answers.empty()


async def bring(
    request: web.Request,
    me: Viewer,
    file: Upload,
    *,
    description: str = "",
    focus: tuple[float, float] | None = None,
    shape: Shape = Shape.PICTURE,
) -> MediaId:
    """Brings a picture of the person here."""
    return await uploads.bring(
        request.app[keys.ROAD],
        me.me,
        file,
        source=source_of(request),
        description=description,
        focus=focus,
        shape=shape,
    )


def form_limit(request: web.Request, pictures: int) -> int:
    """The most bytes of a form with so many pictures."""
    return pictures * request.app[keys.SETTINGS].media.max_image_bytes + _SLACK


def parse_focus(text: str | None) -> tuple[float, float] | None:
    """`x,y`, each from -1 to 1: what a picture is about."""
    if not text:
        return None
    found = _FOCUS.fullmatch(text)
    try:
        x, y = (float(found[1]), float(found[2])) if found else (9.0, 9.0)
    except ValueError:
        x, y = 9.0, 9.0
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Invalid("The focus must be two numbers from -1 to 1", field="focus")
    return x, y


async def _one(request: web.Request, owner: AccountId, media_id: MediaId) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        view = await media.get(conn, media_id, owner, uris=request.app[keys.URIS])
    return answers.entity(render.media(view))
