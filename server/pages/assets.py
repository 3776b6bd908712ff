"""Style, script and pictures of the pages: read once, named by their content, and kept compressed.

The style sheet is one file made of the layers in `static/css`. A script that imports another names the other
by its content too, so that a page never runs a mixture of old and new.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import brotli
from aiohttp import hdrs, web

from ..http.routes import needs

FOLDER: Final = Path(__file__).parent.parent / "static"
LAYERS: Final = ("tokens", "base", "components", "screens")
_MIMES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
}
_IMPORT: Final = re.compile(rb'(?<=from ")\./([a-z_]+\.js)(?=")')
_CSS_NOISE: Final = re.compile(rb"/\*.*?\*/|(?<=[{};:,>])\s+|\s+(?=[{};>])|;(?=\s*\})", re.DOTALL)
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file as it is served."""

    name: str
    mime: str
    body: bytes

    @cached_property
    def brotli(self) -> bytes:
        packed: bytes = brotli.compress(self.body, quality=9)
        return packed

    @cached_property
    def gzip(self) -> bytes:
        return gzip.compress(self.body, 9, mtime=0)


class Assets:
    """All files under `/static/`, by their served and by their plain names."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._paths: dict[str, str] = {}
        self._served: dict[str, Asset] = {}
        style = b"".join((folder / "css" / f"{layer}.css").read_bytes() for layer in LAYERS)
        self._add("yanlu.css", _CSS_NOISE.sub(b"", style))
        for path in sorted(folder.iterdir()):
            if path.suffix in _MIMES:
                self._add(path.name, path.read_bytes())
        self._add_scripts({path.name: path.read_bytes() for path in sorted((folder / "js").glob("*.js"))})

    def path(self, name: str) -> str:
        """Where the file with this plain name is served."""
        return self._paths[name]

    def get(self, served: str) -> Asset | None:
        """The file served under this name."""
        return self._served.get(served)

    def __iter__(self) -> Iterator[Asset]:
        return iter(self._served.values())

    def _add(self, name: str, body: bytes) -> None:
        stem, _, suffix = name.rpartition(".")
        served = f"{stem}.{hashlib.sha256(body).hexdigest()[:10]}.{suffix}"
        self._served[served] = Asset(served, _MIMES[f".{suffix}"], body)
        self._paths[name] = f"/static/{served}"

    def _add_scripts(self, left: dict[str, bytes]) -> None:
        """Adds scripts after the ones they import, whose served names they carry."""
        while left:
            ready = [
                name
                for name, body in left.items()
                if all(found.decode() in self._paths for found in _IMPORT.findall(body))
            ]
            if not ready:
                raise ValueError(f"scripts import each other in a circle: {sorted(left)}")
            for name in ready:
                self._add(name, _IMPORT.sub(self._renamed, left.pop(name)))

    def _renamed(self, found: re.Match[bytes]) -> bytes:
        return self._paths[found[1].decode()].encode()


ASSETS = web.AppKey("assets", Assets)


@needs()
async def serve(request: web.Request) -> web.Response:
    """A file of `/static/`; its name says what is in it, so it may be kept for ever."""
    asset = request.app[ASSETS].get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    headers = {
        hdrs.CONTENT_TYPE: f"{asset.mime}; charset=utf-8",
        hdrs.CACHE_CONTROL: _FOREVER,
        hdrs.VARY: hdrs.ACCEPT_ENCODING,
    }
    accepted = request.headers.get(hdrs.ACCEPT_ENCODING, "")
    if "br" in accepted:
        return web.Response(body=asset.brotli, headers={**headers, hdrs.CONTENT_ENCODING: "br"})
    if "gzip" in accepted:
        return web.Response(body=asset.gzip, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
    return web.Response(body=asset.body, headers=headers)
