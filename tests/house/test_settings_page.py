"""Each setting is on the page that operators read, and each does something."""

import re
from pathlib import Path

from server.cli.settings import page
from server.settings import ENTRIES

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_the_program_says() -> None:
    """`yanlu settings --markdown > docs/SETTINGS.md` makes it anew."""
    assert page() == (ROOT / "docs" / "SETTINGS.md").read_text("utf-8")


def test_every_setting_is_looked_at_somewhere() -> None:
    """A setting that nothing reads is a promise that nobody keeps."""
    modules = [
        file for file in (ROOT / "server").rglob("*.py") if file.name not in ("settings.py", "sections.py")
    ]
    source = "\n".join(file.read_text("utf-8") for file in modules)
    own = (ROOT / "server" / "settings.py").read_text("utf-8").partition("def completed")[2]
    # Limits are also named as text, by the route that each of them bounds.
    unread = [
        entry.path
        for entry in ENTRIES
        if not re.search(rf"\.{entry.name}\b|Limit\(\"{entry.name}\"", source)
        and not re.search(rf"\.{entry.name}\b", own)
    ]
    assert [] == unread
