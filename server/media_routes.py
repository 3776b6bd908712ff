"""Serves the pictures in the media folder: `GET /media/{file}`.

Rule: only names of ours reach the disk, only types of ours reach the wire; what belongs to a withdrawn post
or a suspended account stops being served within seconds. Ranges, validators and sending are `FileResponse`'s.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

from aiohttp import hdrs, web

from . import keys
from .errors import NotFound
from .http.routes import Reach, get, needs
from .media import files
from .store import served

KEPT_SECONDS: Final = 5.0
_KEPT_MOST: Final = 8_192

_HEADERS: Final = {
    # The bytes under a name never change.
    hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
    # Nothing in here is a page, and should a browser take it for one, it may do nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Clients on other origins show our pictures.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Known:
    """What the database said of the files asked for in the last seconds."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    def find(self, name: str) -> bool | None:
        """The answer, where there is one that is young enough."""
        found = self._answers.get(name)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def keep(self, name: str, answer: bool) -> None:
        self._answers[name] = time.monotonic() + KEPT_SECONDS, answer
        self._answers.move_to_end(name)
        while len(self._answers) > _KEPT_MOST:
            self._answers.popitem(last=False)


KNOWN = web.AppKey("known-files", Known)


def prepare(app: web.Application) -> None:
    """Puts in place what the route keeps."""
    app[KNOWN] = Known()


# A page of a timeline asks for dozens of pictures at once: no limit of requests counts them.
@needs(reach=Reach.PUBLIC, uncounted=True)
async def serve(request: web.Request) -> web.StreamResponse:
    """One picture, whole or in part."""
    name = request.match_info["file"]
    originals = files.original_names(name)
    if not originals:
        raise NotFound
    known = request.app[KNOWN]
    answer = known.find(name)
    if answer is None:
        async with request.app[keys.POOL].acquire() as conn:
            answer = await served.is_served(conn, originals)
        known.keep(name, answer)
    if not answer:
        raise NotFound
    place = files.path(request.app[keys.SETTINGS].data / "media", name)
    return web.FileResponse(place, headers={**_HEADERS, hdrs.CONTENT_TYPE: files.TYPES[place.suffix]})


routes = [get("/media/{file}", serve)]
