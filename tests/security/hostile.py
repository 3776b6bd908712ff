"""What an attacker puts where something else is expected."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, structs

from server.api import schemas

HUGE = 2**70
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63 - 1,
    2**63,
    HUGE,
    10**60,
    1.5,
    1e308,
    "",
    " ",
    "-1",
    "9" * 30,
    "9" * 5_000,
    "\x00",
    "\ud800",
    "\u202e",
    "a\u2028b",
    "𝟙",
    "١",
    "x" * 6_000,
    "😀" * 600,
    "nan,nan",
    "inf,1",
    "2026-13-45",
    "direct",
    "@a@b.example " * 60,
    "@alice@" + "a" * 300,
    " #x" * 300,
    "javascript:alert(1)",
    "http://[::1",
    "http://a:99999999/",
    "http://℀.example/",
    "http://%zz/",
    "acct:" + "a" * 3_000 + "@example.org",
    "https://example.org/users/a%00b",
    "http://example.org/@alice/99999999999999999999",
    "alice@example.org:99999999",
    "@x@[::1]",
    [],
    [None],
    [[]],
    [1, HUGE],
    ["a"] * 50,
    {},
    {"0": {}},
    {"a": {"b": {}}},
    {"last_read_id": HUGE},
    {"last_read_id": "x"},
    [{"id": HUGE}],
    [{"name": "a" * 5_000, "value": "b" * 5_000}] * 20,
)
"""Values for members of a body."""

IDS = (
    "0",
    "-1",
    "9" * 19,
    str(2**63 - 1),
    str(2**63),
    "1e3",
    "0x10",
    "%00",
    "a%00b",
    "%FF",
    "%ED%A0%80",
    "..%2F..",
    "x%2Finbox",
    "inbox",
    "1%0A",
    "%EF%BC%91",
    "%F0%9F%98%80",
    "%E2%80%A8",
    "a" * 2_000,
    "a@b@c",
    "@",
    "null",
)
"""What stands in a path where an id or a name is expected, spelled as it is sent."""

BODIES = (
    b"",
    b"[]",
    b"null",
    b'"x"',
    b"{",
    b'{"a":' * 5_000,
    b"\xff\xfe",
    b'{"status": "a", "status": 1}',
    b"--x\r\n",
    b"a=%ff",
    b"a=%00",
    b"a[b][c]=1&a[b]=2",
    b"a[]=1&a[b]=2",
    b"id[0]=1&id[x]=2",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
)
"""Bodies that are not what their type says."""

TYPES = (
    "application/json",
    "application/json; charset=utf-99",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/activity+json",
    "text/plain",
)

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"Idempotency-Key", b"\xff\xfe"),
    (b"Idempotency-Key", b"k" * 300),
    (b"User-Agent", b"\xff\xed\xa0\x80"),
    (b"Accept-Language", b"\xff" * 300),
    (b"Accept", b"\xff"),
    (b"Cookie", b"yanlu_session=\xff; yanlu_flash=\xff; display=\xff; locale=\xff"),
    (b"Origin", b"\xff"),
    (b"Referer", b"\xff"),
    (b"X-Forwarded-For", b"\xff, ::::"),
    (b"If-None-Match", b'\xff,,"'),
    (b"Range", b"bytes=9-1,-0"),
    (b"Signature", b"\xff"),
    (b"Authorization", b"Basic \xff"),
    (b"Content-Encoding", b"gzip"),
    (b"Content-Encoding", b"br"),
    (b"Upgrade", b"websocket"),
)
"""Headers that are no text, or lie."""


def names() -> list[str]:
    """Every name that a handler of the API may look for in a body or a query."""
    found = {
        field.encode_name
        for value in vars(schemas).values()
        if isinstance(value, type) and issubclass(value, Struct) and value is not Struct
        for field in structs.fields(value)
    }
    return sorted(
        found | {"max_id", "since_id", "min_id", "limit", "offset", "types", "acct", "resource", "page"}
    )
