"""Reads what a client sent, whatever spelling it chose: JSON, form or multipart.

Everything ends as one tree of plain values, then as the Struct a handler asks for. Nothing that the
database cannot hold (NUL, lone surrogates, NaN) gets past here, and nothing is read beyond its limit.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import BodyPartReader, MultipartReader, hdrs, web

from ..errors import AppError, Invalid, Malformed, TooLarge
from .fields import shape

KIB = 1024
MIB = 1024 * KIB
JSON_LIMIT = MIB
MAX_DEPTH = 64
MAX_MEMBERS = 1_000
MAX_DIGITS = 64
_MEMORY = 256 * KIB
_CHUNK = 64 * KIB

T = TypeVar("T")
Value: TypeAlias = Any
"""A JSON value, or an `Upload`."""
Params: TypeAlias = dict[str, Value]


class UnsupportedType(AppError):
    """A body in a format that nobody here reads."""

    status = 415


@dataclass(slots=True)
class Upload:
    """A file that came in a form. Read it within the request; it is gone afterwards."""

    name: str
    mime: str
    size: int
    file: IO[bytes]

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, from the start, read off the loop."""
        await asyncio.to_thread(self.file.seek, 0)
        while chunk := await asyncio.to_thread(self.file.read, MIB):
            yield chunk

    async def read(self) -> bytes:
        """All the bytes."""
        await asyncio.to_thread(self.file.seek, 0)
        return await asyncio.to_thread(self.file.read)


class Body:
    """The parameters of one request, query string included, and the files that came with them."""

    def __init__(self, params: Params, pairs: Sequence[tuple[str, Value]] = ()) -> None:
        self.params = params
        self._pairs = pairs

    def to(self, type_: type[T]) -> T:
        """The parameters as a `type_`; unknown ones are left aside, as clients of every age send them."""
        return convert(self.params, type_)

    def text(self, name: str) -> str:
        """The text under `name`, for a page's form; empty where there is none."""
        value = self.params.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All texts under `name`: the boxes ticked in a page's form."""
        return [value for key, value in self._pairs if key == name and isinstance(value, str)]

    def upload(self, name: str) -> Upload | None:
        """The file under `name`; `None` where there is none or the client sent an empty one."""
        found = self.uploads(name)
        return found[0] if found else None

    def uploads(self, name: str) -> list[Upload]:
        """All files under `name` that are not empty."""
        return [
            value for key, value in self._pairs if key == name and isinstance(value, Upload) and value.size
        ]

    def close(self) -> None:
        """Lets the temporary files go."""
        for _, value in self._pairs:
            if isinstance(value, Upload):
                value.file.close()


_BODY = web.RequestKey("body", Body)


def query(request: web.Request, type_: type[T]) -> T:
    """The query string as a `type_`."""
    return convert(_nest(_parse_pairs(request.rel_url.raw_query_string.encode())), type_)


async def read(request: web.Request, *, limit: int = JSON_LIMIT) -> Body:
    """Everything the client said: the query string, and over it the body, of at most `limit` bytes unpacked.

    Read once; whoever asks again within the request gets the same.
    """
    found = request.get(_BODY)
    if found is None:
        found = request[_BODY] = await _read(request, limit)
    return found


def close(request: web.Request) -> None:
    """The request is over: its temporary files go."""
    found = request.get(_BODY)
    if found is not None:
        found.close()


async def to(request: web.Request, type_: type[T]) -> T:
    """`read` and `Body.to` for the many handlers that take no files."""
    return (await read(request)).to(type_)


async def _read(request: web.Request, limit: int) -> Body:
    query_pairs = _parse_pairs(request.rel_url.raw_query_string.encode())
    if not request.can_read_body:
        return Body(_nest(query_pairs))
    mime = request.content_type
    if mime == "multipart/form-data":
        pairs = await _read_multipart(request, limit)
        try:
            return Body(_nest([*query_pairs, *pairs]), pairs)
        except AppError:
            Body({}, pairs).close()
            raise
    raw = await read_bytes(request, min(limit, JSON_LIMIT))
    if mime == "application/x-www-form-urlencoded":
        pairs = _parse_pairs(raw)
        return Body(_nest([*query_pairs, *pairs]), pairs)
    if mime == "application/json" or mime.endswith("+json"):
        return Body(_nest(query_pairs) | _parse_json(raw))
    if raw:
        raise UnsupportedType("The body is in a format that is not understood here")
    return Body(_nest(query_pairs))


async def read_bytes(request: web.Request, limit: int) -> bytes:
    """The raw body, refused as soon as it is known to be larger than `limit`."""
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            parts.append(chunk)
    except web.RequestPayloadError:
        raise Malformed("The body is not packed as its header says") from None
    return b"".join(parts)


def too_large(limit: int) -> TooLarge:
    """The refusal of a body above `limit` bytes."""
    return TooLarge("The request is larger than %(limit)s KiB", limit=limit // KIB)


def convert(params: Mapping[str, Value], type_: type[T]) -> T:
    """`params` as a `type_`, with the spellings of forms and old clients understood; 422 where that fails."""
    try:
        return msgspec.convert(shape(params, type_), type_, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        field = where.strip("`").lstrip(".") or None
        if field is None:
            raise Invalid("Validation failed: %(what)s", what=what) from None
        raise Invalid("Validation failed: %(where)s: %(what)s", field=field, where=field, what=what) from None


def _parse_json(raw: bytes) -> Params:
    if not raw.strip():
        return {}
    try:
        value = msgspec.json.decode(raw)
    except RecursionError:
        raise Malformed("The JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _why_not(raw) from None
    if not isinstance(value, dict):
        raise Malformed("The JSON must be an object")
    _check(value, MAX_DEPTH)
    return value


def _why_not(raw: bytes) -> AppError:
    """What a lenient parser takes is JSON with a value that cannot be kept; anything else is not JSON."""
    try:
        json.loads(raw, parse_int=str)
    except (ValueError, RecursionError):
        return Malformed("The body is not valid JSON")
    return Invalid("The JSON holds a number or text that cannot be kept")


def _check(value: Value, depth: int) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise Invalid("Text may not hold a NUL character")
    elif isinstance(value, dict):
        if depth == 0:
            raise Malformed("The JSON is nested too deeply")
        if len(value) > MAX_MEMBERS:
            raise Invalid("Too many members in one object")
        for key, inner in value.items():
            _check(key, depth)
            _check(inner, depth - 1)
    elif isinstance(value, list):
        if depth == 0:
            raise Malformed("The JSON is nested too deeply")
        if len(value) > MAX_MEMBERS:
            raise Invalid("Too many members in one list")
        for inner in value:
            _check(inner, depth - 1)
    elif type(value) is int and abs(value) >= 10**MAX_DIGITS:
        raise Invalid("The JSON holds a number or text that cannot be kept")


def _parse_pairs(raw: bytes) -> list[tuple[str, Value]]:
    if not raw:
        return []
    try:
        text = raw.decode("utf-8")
        return list(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_MEMBERS))
    except UnicodeDecodeError:
        raise Invalid("The form is not valid UTF-8") from None
    except ValueError:
        raise Invalid("Too many fields in the form") from None


def _nest(pairs: Sequence[tuple[str, Value]]) -> Params:
    """`a[b][]=1&a[b][]=2` as `{"a": {"b": ["1", "2"]}}`, as Mastodon's clients spell their forms."""
    tree: Params = {}
    for name, value in pairs:
        if "\x00" in name or (isinstance(value, str) and "\x00" in value):
            raise Invalid("Text may not hold a NUL character")
        _put(tree, _path(name), value)
    return tree


def _path(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket or not head or not rest.endswith("]"):
        return [name]
    path = [head, *rest[:-1].split("][")]
    if len(path) > 8:
        raise Malformed("The form is nested too deeply")
    return path


def _put(node: Params, path: list[str], value: Value) -> None:
    name, *rest = path
    if not rest:
        node[name] = value
        return
    empty: Value = [] if rest[0] == "" else {}
    inner: Any = node.setdefault(name, empty)
    if type(inner) is not type(empty):
        raise Malformed("The form gives a field twice, in two shapes")
    if rest == [""]:
        inner.append(value)
    elif rest[0] != "":
        _put(inner, rest, value)
    elif rest[1] == "":
        raise Malformed("The form has a list of objects, which must be numbered")
    else:
        # `a[][id]=1&a[][text]=x&a[][id]=2`: an object goes on until a name comes again, as Rails has it.
        if not inner or not isinstance(inner[-1], dict) or _has(inner[-1], rest[1:]):
            inner.append({})
        _put(inner[-1], rest[1:], value)


def _has(node: Value, path: list[str]) -> bool:
    """Whether a value is at `path` already. A list always takes one more."""
    if path[0] == "" or not isinstance(node, dict) or path[0] not in node:
        return False
    return len(path) == 1 or _has(node[path[0]], path[1:])


async def _read_multipart(request: web.Request, limit: int) -> list[tuple[str, Value]]:
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    pairs: list[tuple[str, Value]] = []
    try:
        await _read_parts(await request.multipart(), limit, pairs)
    except BaseException as error:
        Body({}, pairs).close()
        if isinstance(error, (ValueError, AssertionError, RuntimeError, web.RequestPayloadError)):
            raise Malformed("The multipart body cannot be read") from None
        raise
    return pairs


async def _read_parts(reader: MultipartReader, limit: int, pairs: list[tuple[str, Value]]) -> None:
    left = limit
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise Malformed("The multipart body cannot be read")
        if len(pairs) >= MAX_MEMBERS:
            raise Invalid("Too many fields in the form")
        if part.filename is None:
            text = await _read_text(part, min(left, JSON_LIMIT), limit)
            left -= len(text)
            try:
                pairs.append((part.name, text.decode("utf-8")))
            except UnicodeDecodeError:
                raise Invalid("The form is not valid UTF-8") from None
        else:
            upload = await _spool(part, left, limit)
            left -= upload.size
            pairs.append((part.name, upload))


async def _read_text(part: BodyPartReader, left: int, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := await part.read_chunk(_CHUNK):
        size += len(chunk)
        if size > left:
            raise too_large(limit)
        parts.append(chunk)
    return b"".join(parts)


async def _spool(part: BodyPartReader, left: int, limit: int) -> Upload:
    """To a nameless temporary file: memory for small ones, and never the loop's time for a slow disk."""
    file = tempfile.SpooledTemporaryFile(max_size=_MEMORY)  # noqa: SIM115
    upload = Upload(part.filename or "", part.headers.get(hdrs.CONTENT_TYPE, ""), 0, file)
    pending = bytearray()
    try:
        while chunk := await part.read_chunk(_CHUNK):
            upload.size += len(chunk)
            if upload.size > left:
                raise too_large(limit)
            pending += chunk
            if len(pending) >= MIB:
                await asyncio.to_thread(file.write, bytes(pending))
                pending.clear()
        if pending:
            await asyncio.to_thread(file.write, bytes(pending))
    except BaseException:
        file.close()
        raise
    return upload
