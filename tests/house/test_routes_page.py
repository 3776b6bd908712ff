"""Each route is on the page that developers read, and says what it does."""

from pathlib import Path

from server.cli.routes import page, rows

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_the_program_says() -> None:
    """`yanlu routes --markdown > docs/ROUTES.md` makes it anew."""
    assert (ROOT / "docs" / "ROUTES.md").read_text("utf-8") == page()


def test_every_route_promises_something() -> None:
    """A reader of the page must not have to open the code to know what an address is for."""
    assert [(row.method, row.path) for row in rows() if not row.promise] == []
