"""Somebody whose name reads as certified hears why, and keeps what they typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.server import PASSWORD, Enter
from tests.server.web.visitor import Visitor


@pytest.mark.parametrize("name", ["Mei ✓", "【官方认证】Mei"])
async def test_a_refused_name_is_explained_and_kept(visitor: Visitor, enter: Enter, name: str) -> None:
    await enter("mei")
    await visitor.log_in("mei")
    page = await visitor.get("/settings/profile")
    values: dict[str, Any] = page.hidden() | {"display_name": name, "note": "A long story about me"}
    answer = await visitor.send("/settings/profile", page="/settings/profile", **values)
    assert answer.status in (403, 422)
    assert "imitates a certified account" in answer.text
    assert "A long story about me" in answer.text
    assert name in answer.text


async def test_a_reserved_user_name_is_a_mistake_in_the_form(visitor: Visitor) -> None:
    page = await visitor.get("/register")
    values: dict[str, Any] = page.hidden() | {
        "username": "CCTV",
        "email": "me@mail.example",
        "password": PASSWORD,
        "agreement": "1",
    }
    answer = await visitor.send("/register", page="/register", **values)
    assert answer.status == 422
    assert "kept for whom it belongs to" in answer.text
    assert 'href="#f-username"' in answer.text
    assert 'value="CCTV"' in answer.text
