"""The archive is for whoever knows the password."""

from __future__ import annotations

import io
import re
from zipfile import ZipFile

from aiohttp import ClientSession
from msgspec import json

from tests.fixtures.server import ORIGIN, PASSWORD, Enter
from tests.server.web.visitor import Visitor


async def test_only_the_password_opens_the_archive(
    visitor: Visitor, wire: ClientSession, enter: Enter
) -> None:
    """A browser left open must not be enough to take everything away."""
    await enter("mei")
    await visitor.log_in("mei")
    refused = await visitor.send(
        "/settings/account/export", page="/settings/account", export_password="wrong"
    )
    assert (422, True) == (refused.status, "not your current password" in refused.text)
    token = re.search(r'name="csrf" value="([^"]+)"', refused.text)
    assert token is not None
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    form = {"csrf": token[1], "export_password": PASSWORD}
    headers = {"Cookie": cookie, "Origin": ORIGIN}
    async with wire.post("/settings/account/export", data=form, headers=headers) as answer:
        assert (200, "application/zip") == (answer.status, answer.content_type)
        with ZipFile(io.BytesIO(await answer.read())) as archive:
            assert json.decode(archive.read("actor.json"))["id"] == f"{ORIGIN}/users/mei"
