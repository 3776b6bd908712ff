"""Public pages that are kept: for a moment, and never past a change of what they are about."""

from __future__ import annotations

import time

import pytest

from server.events import EVERYTHING
from server.web.shared import ANY_POST, SharedPages

KEY = ("/@mei", "en", "")


@pytest.fixture
def pages() -> SharedPages:
    made = SharedPages()
    made.keep(KEY, b"page", {"account 1", "post 2", ANY_POST}, since=made.tick)
    return made


@pytest.mark.parametrize(
    ("channel", "payload", "left"),
    [
        ("post", "2", None),
        ("post", "3", None),
        ("account", "1", None),
        ("account", EVERYTHING, None),
        ("post", EVERYTHING, None),
    ],
)
def test_a_timeline_goes_with_any_post(
    pages: SharedPages, channel: str, payload: str, left: bytes | None
) -> None:
    """Any post may come onto it."""
    assert b"page" == pages.get(KEY)
    getattr(pages, f"_{channel}_changed")(payload)
    assert left == pages.get(KEY)


def test_a_profile_stays_when_others_write() -> None:
    """Or a busy server would keep nothing."""
    pages = SharedPages()
    pages.keep(KEY, b"page", {"account 1", "post 2"}, since=pages.tick)
    pages._post_changed("3")
    pages._account_changed("4")
    assert b"page" == pages.get(KEY)
    pages._account_changed("1")
    assert pages.get(KEY) is None


def test_a_page_begun_before_a_change_is_not_kept() -> None:
    """It may show what was true before."""
    pages = SharedPages()
    began = pages.tick
    pages.forget("post 2")
    pages.keep(KEY, b"old", {"post 2"}, since=began)
    assert pages.get(KEY) is None
    pages.keep(KEY, b"other", {"post 3"}, since=began)
    assert b"other" == pages.get(KEY)


def test_a_page_is_kept_for_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not told ends with them."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pages = SharedPages()
    pages.keep(KEY, b"page", (), since=pages.tick)
    now = 3.9
    assert b"page" == pages.get(KEY)
    now = 4.1
    assert pages.get(KEY) is None


def test_the_shelf_is_not_endless() -> None:
    """Addresses can be made up without end."""
    pages = SharedPages()
    for number in range(3_000):
        pages.keep((number,), b"", {f"post {number}"}, since=pages.tick)
    assert 1_024 >= len(pages._kept)
    assert 1_024 >= len(pages._about)
