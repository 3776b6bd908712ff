"""Decisions in plain words: what was judged, how it ended, and the words themselves with the matched part
marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from compliance import reasons, subject
from compliance.activity import Activity
from compliance.verdict import Finding, Reason

from ..i18n import mark
from .render import say

KINDS: Final = {
    "create": mark("Post"),
    "update": mark("Edit"),
    "update-profile": mark("Profile"),
    "upload": mark("Picture"),
    "delete": mark("Deletion"),
    "announce": mark("Boost"),
    "like": mark("Favourite"),
    "follow": mark("Follow"),
    "accept": mark("Accepting a follower"),
    "reject": mark("Declining a follower"),
    "undo": mark("Taking something back"),
    "block": mark("Block"),
    "flag": mark("Report"),
    "identity": mark("Identity"),
    "certification": mark("Certification"),
    "organisation": mark("Organisation"),
    "comment": mark("Comment"),
    "tier": mark("Standing"),
    "credit": mark("Credit"),
}
_FIELDS: Final = {
    "text": mark("Text"),
    "spoiler": mark("Content warning"),
    "tags": mark("Tags"),
    "display_name": mark("Name"),
    "alt": mark("Description of a picture"),
    "fields": mark("Table"),
}
VERDICTS: Final = {
    "held": mark("under review"),
    "refused": mark("refused"),
    "cleared": mark("cleared"),
}
LOOKS: Final = {"held": "warn", "refused": "danger", "cleared": "ok"}

Part = tuple[bool, str]
"""Whether the words are marked, and the words."""


def kind(request: web.Request, name: str) -> str:
    """What was judged, as a noun."""
    return say(request, KINDS.get(name, name))


def title(request: web.Request, reason: Reason | None) -> str:
    """What a reason is called."""
    return say(request, reasons.TEXTS[reason].title) if reason else say(request, "Cleared")


def fields(
    request: web.Request, activity: Activity | None, findings: Sequence[Finding]
) -> list[tuple[str, list[Part]]]:
    """The words of an activity by field, with what the rules matched marked."""
    if activity is None:
        return []
    named = []
    for words in subject.read(activity).words:
        if words.field == subject.LINKS or not words.text:
            continue
        label = say(request, _FIELDS.get(words.field.partition(".")[0], words.field))
        named.append((label, marked(words.text, spans(findings, words.field))))
    return named


def marked(text: str, where: Sequence[tuple[int, int]]) -> list[Part]:
    """`text` in parts, those in `where` marked; they may overlap or reach beyond the end."""
    parts: list[Part] = []
    at = 0
    for first, last in sorted(where):
        start, end = max(first, at), min(last, len(text))
        if start >= end:
            continue
        if at < start:
            parts.append((False, text[at:start]))
        parts.append((True, text[start:end]))
        at = end
    if at < len(text):
        parts.append((False, text[at:]))
    return parts


def spans(findings: Sequence[Finding], field: str) -> list[tuple[int, int]]:
    """Where in a field the rules matched."""
    return [
        (found.span.start, found.span.end) for found in findings if found.span and found.span.field == field
    ]
