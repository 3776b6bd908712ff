"""Style, script and icons: named by content, kept for ever, and within their budgets."""

from __future__ import annotations

import re

import pytest

from server.pages.assets import FOLDER, Assets
from tests.fixtures.server import Client

KILOBYTE = 1000


@pytest.fixture(scope="module")
def assets() -> Assets:
    return Assets()


def _packed(assets: Assets, *names: str) -> int:
    served = (assets.get(assets.path(name).rpartition("/")[2]) for name in names)
    return sum(len(asset.gzip) for asset in served if asset)


def test_the_style_sheet_fits_its_budget(assets: Assets) -> None:
    """20 kB packed, in one file."""
    assert 20 * KILOBYTE >= _packed(assets, "yanlu.css")


def test_all_scripts_fit_their_budget(assets: Assets) -> None:
    """30 kB packed on any page; the target is 14."""
    names = [path.name for path in (FOLDER / "js").glob("*.js")]
    assert 14 * KILOBYTE >= _packed(assets, *names)


def test_the_icons_fit_their_budget(assets: Assets) -> None:
    """6 kB packed."""
    assert 6 * KILOBYTE >= _packed(assets, "icons.svg")


def test_every_icon_that_is_used_is_drawn(assets: Assets) -> None:
    """A missing one leaves a hole where a button was."""
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (FOLDER / "icons.svg").read_text()))
    used: set[str] = set()
    for path in (FOLDER.parent / "templates").rglob("*.html"):
        used |= set(re.findall(r'icon\("([a-z-]+)"\)', path.read_text()))
    for path in (FOLDER.parent / "admin" / "desk.py", FOLDER.parent / "web" / "notifications.py"):
        used |= set(re.findall(r'"/admin/[a-z]+", "([a-z-]+)"', path.read_text()))
    assert set() == used - drawn


def test_colours_are_named_in_one_place() -> None:
    """Everything else uses their names, so that both themes follow."""
    for layer in ("base", "components", "screens"):
        text = (FOLDER / "css" / f"{layer}.css").read_text()
        # Descriptions lie on pictures, codes are scanned, and print is black on white, in either theme.
        text = re.sub(r"(?m)^.*(?:\.alt |\.qr |@media print|body \{ background: #fff|#0000).*$", "", text)
        assert [] == re.findall(r"#[0-9a-fA-F]{3,8}\b", text), layer


def test_scripts_name_each_other_by_content(assets: Assets) -> None:
    """A page never runs a mixture of old and new."""
    main = assets.get(assets.path("main.js").rpartition("/")[2])
    assert main is not None
    for served in re.findall(r'from "([^"]+)"', main.body.decode()):
        assert assets.get(served.rpartition("/")[2]) is not None, served


async def test_an_asset_is_kept_for_ever_and_comes_packed(client: Client) -> None:
    """Its name says what is in it."""
    path = Assets().path("yanlu.css")
    async with client.get(path, headers={"Accept-Encoding": "br, gzip"}) as answer:
        assert 200 == answer.status
        assert "public, max-age=31536000, immutable" == answer.headers["Cache-Control"]
        assert "br" == answer.headers["Content-Encoding"]
    async with client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert "gzip" == answer.headers["Content-Encoding"]
        assert "@layer" in await answer.text()
    async with client.get("/static/yanlu.0000000000.css") as answer:
        assert 404 == answer.status
    async with client.get("/static/..%2f..%2fsettings.py") as answer:
        assert 404 == answer.status
