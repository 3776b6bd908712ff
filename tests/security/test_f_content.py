"""Rule F: what people write and upload stays text and pictures, wherever it is shown.

The sanitiser's payloads are in `tests/federation/test_html.py`, pictures in `tests/server/media`.
"""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser

from aiohttp import ClientSession, DummyCookieJar, FormData
from yarl import URL

from server.pipeline import Road
from server.store.model import Role
from tests.fixtures.server import Caller, Client, Enter

from .world import Browser, doors, open_browser, open_desk, png, upload

PAYLOADS = (
    "{{7*7}}${7*7}#{7*7}<%=7*7%>",
    '"><script src=//evil.example></script>',
    "'><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "]]><style>*{}</style><!--",
    "javascript:alert(1)",
    "%3Cscript%3E&lt;script&gt;&#60;script&#62;",
)
_WORDS = " ".join(PAYLOADS)
_NO_PAGES = ("/users", "/media", "/.well", "/static")


class _Finder(HTMLParser):
    """What a browser would run or load of a page that is not ours."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, given in attrs:
            value = (given or "").strip().lower()
            leads = name in ("href", "src", "action", "formaction", "data") and value.startswith(
                "javascript:"
            )
            if leads or name.startswith("on") or name in ("style", "srcdoc"):
                self.found.append(f"<{tag} {name}={value[:60]}>")
            if name == "src" and not value.startswith(("/", "data:image/", "http://example.org/")):
                self.found.append(f"<{tag} {name}={value[:60]}>")
        if tag in ("style", "iframe", "object", "embed", "base", "form") and "evil" in str(attrs):
            self.found.append(f"<{tag}>")


async def test_nothing_that_somebody_wrote_is_markup_on_any_page(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """Name, text, fields, warning, description, tags, report and app's name hold templates and scripts; every
    page there is shows them as they are (F1, F2).
    """
    bob, ada = await enter("bob"), await enter("ada")
    await bob.call(
        "PATCH",
        "/api/v1/accounts/update_credentials",
        json={
            "display_name": PAYLOADS[1],
            "note": _WORDS,
            "fields_attributes": [{"name": text, "value": text} for text in PAYLOADS],
        },
    )
    media = await upload(bob, _WORDS)
    post = await bob.post(f"{_WORDS} #x", spoiler_text=_WORDS, media_ids=[media])
    await ada.do("/api/v1/reports", account_id=str(bob.id), status_ids=[post["id"]], comment=_WORDS)
    await ada.do(f"/api/v1/statuses/{post['id']}/reblog")
    desk = await open_desk(client, road_of, ada, [Role.ADMIN, Role.EDITOR, Role.COMPLIANCE, Role.REVIEWER])
    page = await open_browser(client, road_of, bob)
    report = await road_of.pool.fetchval("select id from compliance.report")
    found, shown = [], 0
    for door in doors(client.app):
        if door.method != "GET" or door.is_api or door.path.startswith(_NO_PAGES):
            continue
        ids = {post["id"], str(bob.id), str(report)} if "id" in door.names else {""}
        for id_ in ids:
            path = door.at({"id": id_, "acct": "bob", "name": "x", "act": "mute"}, "x")
            for who in (desk, page, Browser(client)):
                answer = await who.get(path, params={"q": _WORDS, "next": _WORDS, "code": _WORDS})
                if "text/html" in answer.headers.get("Content-Type", ""):
                    shown += "{{7*7}}" in answer.body
                    found += [(str(door), what) for what in _Finder(answer.body).found]
                    assert "49" not in re.findall(r"\b49\$\{", answer.body)
    assert [] == found
    assert shown > 10


async def test_every_page_says_that_only_we_run_there(client: Client, enter: Enter, road_of: Road) -> None:
    """The policy of each page and each error: no script but ours, no frame, no base, nothing sniffed (F3)."""
    page = await open_browser(client, road_of, await enter("alice"))
    for door in doors(client.app):
        if door.method == "GET" and not door.is_api:
            answer = await page.get(door.at({"acct": "alice"}, "x"))
            policy = answer.headers["Content-Security-Policy"]
            assert "nosniff" == answer.headers["X-Content-Type-Options"], str(door)
            assert policy.startswith("default-src 'none'"), str(door)
            assert "frame-ancestors 'none'" in policy, str(door)
            assert "unsafe" not in policy, str(door)
            if "text/html" in answer.headers.get("Content-Type", ""):
                for part in ("script-src 'self';", "base-uri 'none'", "form-action 'self'"):
                    assert part in policy, (str(door), part)
            assert "Server" not in answer.headers or answer.headers["Server"] == "Yanlu"


NO_PICTURES: tuple[tuple[bytes, str, str], ...] = (
    (b'{"type": "Note", "id": "http://example.org/users/bob"}', "a.json", "application/activity+json"),
    (b"<html><script>alert(1)</script>", "a.html", "text/html"),
    (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "a.svg", "image/svg+xml"),
    (b"<svg/>", "a.png", "image/png"),
    (b"GIF89a/*" + b"\x00" * 40 + b"*/=alert(1)", "a.gif", "image/gif"),
    (b"%PDF-1.4", "a.png", "image/png"),
    (b"\x89PNG\r\n\x1a\n" + b"\x00" * 200, "a.png", "image/png"),
    (b"#EXTM3U\nfile:///etc/passwd", "a.png", "image/png"),
    (b"push graphic-context\nimage over 0,0 0,0 'url(http://127.0.0.1/)'", "a.mvg", "image/png"),
    (b"", "a.png", "image/png"),
)


async def test_what_is_no_picture_is_not_kept(enter: Enter, road_of: Road) -> None:
    """Documents, pages and drawings are refused whatever they call themselves; no file is left (B10, F4)."""
    bob = await enter("bob")
    for content, name, mime in NO_PICTURES:
        form = FormData()
        form.add_field("file", io.BytesIO(content), filename=name, content_type=mime)
        answer = await bob.call("POST", "/api/v2/media", data=form)
        assert (422, True) == (answer.status, bool(answer.body["error"])), (name, content[:20])
    assert [] == [file for file in (road_of.settings.data / "media").rglob("*") if file.is_file()]


async def test_a_picture_that_is_also_a_page_becomes_only_a_picture(enter: Enter, road_of: Road) -> None:
    """A polyglot is drawn anew: what hid in it is gone, and its name never was a path (F4, F5)."""
    bob = await enter("bob")
    script = b"<script>alert('poly')</script>"
    form = FormData()
    both = io.BytesIO(png().read() + script)
    form.add_field("file", both, filename="..%2f..%2fevil.html", content_type="text/html")
    made = (await bob.call("POST", "/api/v2/media", data=form)).raised().body
    served = await bob.call("GET", made["url"].removeprefix("http://example.org"))
    assert served.headers["Content-Type"].startswith("image/")
    assert script not in served.body
    assert re.fullmatch(r"http://example\.org/media/[\w-]{20,}\.\w+", made["url"])
    for file in (road_of.settings.data / "media").rglob("*"):
        assert not file.is_file() or script not in file.read_bytes()


async def test_a_picture_that_promises_too_much_is_not_opened(enter: Enter) -> None:
    """Its header is read first (F6)."""
    bob = await enter("bob")
    for width, height in ((50_000, 50_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 0)):
        form = FormData()
        form.add_field("file", png(width, height), filename="a.png", content_type="image/png")
        answer = await bob.call("POST", "/api/v2/media", data=form)
        assert 422 == answer.status, (width, height)


async def test_no_path_leads_out_of_the_media(client: Client) -> None:
    """Names are looked up, never joined to a folder as they come (F5)."""
    here = str(client.make_url("/")).rstrip("/")
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        for path in (
            "../yanlu.toml",
            "..%2fyanlu.toml",
            "%2e%2e/secret.key",
            "a%00.png",
            "%2e%2e%5csecret.key",
        ):
            async with session.get(URL(f"{here}/media/{path}", encoded=True)) as answer:
                assert answer.status in (400, 404), path


async def test_text_that_no_database_takes_is_422_everywhere(client: Client, enter: Enter) -> None:
    """NUL and half characters, in every member that is text (F7)."""
    bob, kind = await enter("bob"), {"Content-Type": "application/json"}
    names = ("status", "spoiler_text", "q", "note", "comment", "client_name")
    for text in ("a\x00b", "\ud800", "a\udfff"):
        body = json.dumps(dict.fromkeys(names, text)).encode()
        for door in doors(client.app):
            if door.path.startswith("/api/v1/statuses") and door.method in ("POST", "PUT"):
                answer = await bob.call(door.method, door.at({}, "1"), data=body, headers=kind)
                assert answer.status in (404, 422), str(door)
        new = await Caller(client).call("POST", "/api/v1/apps", data=body, headers=kind)
        assert (422, True) == (new.status, "error" in new.body)
