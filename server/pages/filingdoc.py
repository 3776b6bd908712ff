"""A filing as people read and print it: one file by itself, made from the signed document."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import jinja2
import msgspec

from compliance.filings import Filing, State
from compliance.owed import Key, Kind
from compliance.places import NOWHERE, PLACES

from .. import i18n
from ..i18n import mark
from .certificates import CLASSES

TEMPLATE: Final = "admin/filing_document.html"
KINDS: Final = {
    Kind.CERTIFIED: mark("Certified accounts"),
    Kind.TIERS: mark("Graded management: tier policies"),
    Kind.ASSESSMENTS: mark("Assessed features"),
}
STATES: Final = {
    State.DRAFTED: mark("drafted"),
    State.RELEASED: mark("released"),
    State.SUBMITTED: mark("handed over"),
    State.ACKNOWLEDGED: mark("acknowledged"),
    State.RETURNED: mark("returned"),
    State.WITHDRAWN: mark("withdrawn"),
}
RESULTS: Final = {
    "passed": mark("passed"),
    "conditions": mark("passed with conditions"),
    "failed": mark("failed"),
}
COLUMNS: Final = {
    Kind.CERTIFIED: (
        ("account", mark("Account")),
        ("name", mark("Public name")),
        ("label", mark("Certified as")),
        ("registered_name", mark("Registered name")),
        ("certified_at", mark("Since")),
        ("expires_at", mark("Until")),
    ),
    Kind.TIERS: (
        ("id", mark("Version")),
        ("name", mark("Name")),
        ("label", mark("Label")),
        ("activated_at", mark("In force since")),
        ("retired_at", mark("Retired")),
        ("sha256", mark("SHA-256")),
    ),
    Kind.ASSESSMENTS: (
        ("feature", mark("Feature")),
        ("version", mark("Version")),
        ("assessed_on", mark("Assessed on")),
        ("result", mark("Result")),
        ("reference", mark("Reference")),
    ),
}


def title(locale: str, key: Key) -> str:
    """What a filing is about, with its place and class."""
    parts = [i18n.translate(locale, KINDS[key.kind]), place(locale, key.province)]
    if key.class_ is not None:
        parts.append(i18n.translate(locale, CLASSES[key.class_]))
    return " · ".join(parts)


def place(locale: str, province: str) -> str:
    """A place of registration by name and code."""
    if province == NOWHERE:
        return i18n.translate(locale, mark("no place of registration"))
    return f"{PLACES[province]} ({province})"


def rows(filing: Filing, entries: list[dict[str, Any]] | None = None) -> list[list[str]]:
    """The lines of a filing in the order of its columns; moments as days."""
    names = [name for name, _ in COLUMNS[filing.key.kind]]
    return [
        [_cell(name, entry.get(name)) for name in names] for entry in entries or document(filing)["entries"]
    ]


def document(filing: Filing) -> dict[str, Any]:
    """The signed document, read."""
    found: dict[str, Any] = msgspec.json.decode(filing.body)
    return found


def digest(filing: Filing) -> str:
    """SHA-256 of the file as it leaves."""
    return hashlib.sha256(filing.body.encode()).hexdigest()


def html(environment: jinja2.Environment, locale: str, filing: Filing) -> str:
    """The page to print, in a reader's language."""
    read = document(filing)
    return environment.get_template(TEMPLATE).render(
        title=title(locale, filing.key),
        filing=filing,
        document=read,
        columns=[i18n.translate(locale, label) for _, label in COLUMNS[filing.key.kind]],
        rows=rows(filing),
        removed=rows(filing, read["delta"]["removed"]) if read["delta"]["removed"] else [],
        policies=[entry for entry in read["entries"] if "body" in entry],
        digest=digest(filing),
        proof=read["proof"],
    )


def file_name(filing: Filing, ending: str) -> str:
    """What the file is called when it is kept."""
    return f"filing-{str(filing.key).replace(':', '-')}-{filing.id}.{ending}"


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    return text[:10] if name.endswith("_at") else text
