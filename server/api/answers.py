"""How handlers read ids and windows, and how they answer: JSON bytes, and links that page both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from aiohttp import hdrs, web
from msgspec import Struct

from compliance.activity import AccountId, MediaId, PostId

from .. import keys
from ..errors import Invalid, NotFound
from ..http.auth import viewer_id
from ..ids import MAX_ID
from ..store.model import AccountView, Entry, Page
from . import render
from .render import RENDERER

Id = TypeVar("Id", AccountId, PostId, MediaId)

_JSON = "application/json; charset=utf-8"
_CURSORS = ("max_id=", "min_id=", "since_id=")
_DIGITS = 19
_MAX_QUERY = 2_048
"""A query longer than this is not repeated in links: clients refuse headers above some 8 KiB."""


class _Keyed(Protocol):
    @property
    def key(self) -> int: ...


def json(body: bytes, *, status: int = 200) -> web.Response:
    """Rendered JSON. What it holds may depend on who asked, so no cache may share it."""
    headers = {hdrs.CONTENT_TYPE: _JSON, hdrs.CACHE_CONTROL: "private, no-store"}
    return web.Response(body=body, status=status, headers=headers)


def shared(body: bytes, seconds: int) -> web.Response:
    """Rendered JSON that is the same for everybody for a while."""
    headers = {hdrs.CONTENT_TYPE: _JSON, hdrs.CACHE_CONTROL: f"public, max-age={seconds}"}
    return web.Response(body=body, headers=headers)


def entity(value: Struct | Sequence[Struct], *, status: int = 200) -> web.Response:
    """One entity, or a list of them."""
    return json(render.encode(value), status=status)


def empty() -> web.Response:
    """What Mastodon answers where there is nothing to say."""
    return json(b"{}")


def none() -> web.Response:
    """An empty list, where that is the truth."""
    return json(b"[]")


def account_id(request: web.Request, name: str = "id") -> AccountId:
    """The account id in the path."""
    return AccountId(_path_id(request, name))


def post_id(request: web.Request, name: str = "id") -> PostId:
    """The post id in the path."""
    return PostId(_path_id(request, name))


def media_id(request: web.Request, name: str = "id") -> MediaId:
    """The media id in the path."""
    return MediaId(_path_id(request, name))


def notification_id(request: web.Request) -> int:
    """The notification id in the path."""
    return _path_id(request, "id")


def known_id(value: int) -> int:
    """An id from a body; 404 for one that no row can have."""
    if not is_id(value):
        raise NotFound
    return value


def is_id(value: int) -> bool:
    """Whether a row can have this id."""
    return 0 < value <= MAX_ID


def _path_id(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise NotFound
    return known_id(int(text))


def page_of(request: web.Request, *, usual: int = 20, most: int = 40) -> Page:
    """The window that the query string asks for."""
    query = request.rel_url.query
    limit = _number(query, "limit")
    return Page(
        limit=usual if limit is None else max(1, min(limit, most)),
        max_id=_number(query, "max_id"),
        since_id=_number(query, "since_id"),
        min_id=_number(query, "min_id"),
    )


def flag(request: web.Request, name: str) -> bool:
    """Whether the query string has `name` set to something that means yes."""
    return request.rel_url.query.get(name, "").lower() not in ("", "0", "f", "false", "off", "no")


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise Invalid("Validation failed: %(where)s: expected a number", field=name, where=name)
    # No id is larger, so a larger bound is no bound: the page is the same.
    return 0 if text.startswith("-") else min(int(digits[: _DIGITS + 1]), MAX_ID)


def paged(request: web.Request, body: bytes, keys_: Sequence[int]) -> web.Response:
    """A page with the links to its neighbours; `keys_` are its cursors, newest first.

    The link to older ones is there as long as the page has anything: a page may be short because of what the
    viewer may not see, and is not the last one for that.
    """
    response = json(body)
    if keys_ and len(request.rel_url.raw_query_string) <= _MAX_QUERY:
        response.headers[hdrs.LINK] = _links(request, keys_[0], keys_[-1])
    return response


def statuses(request: web.Request, entries: Sequence[Entry], keys_: Sequence[int]) -> web.Response:
    """A page of posts."""
    known = viewer_id(request) is not None
    return paged(request, request.app[RENDERER].statuses(entries, known=known), keys_)


def accounts(request: web.Request, views: Sequence[AccountView], rows: Sequence[_Keyed]) -> web.Response:
    """A page of accounts, whose places on the list are not their ids."""
    return paged(request, request.app[RENDERER].accounts(views), [row.key for row in rows])


def _links(request: web.Request, newest: int, oldest: int) -> str:
    url = request.rel_url
    rest = "&".join(
        part for part in url.raw_query_string.split("&") if part and not part.startswith(_CURSORS)
    )
    base = f"{request.app[keys.URIS].origin}{url.raw_path.rstrip('/')}?{rest}{'&' if rest else ''}"
    return f'<{base}max_id={oldest}>; rel="next", <{base}min_id={newest}>; rel="prev"'
