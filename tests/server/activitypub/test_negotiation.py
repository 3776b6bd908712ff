"""Servers get documents, browsers get pages, whatever they write into Accept."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from server.activitypub import negotiation

LD = negotiation.LD
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "is_document", "is_page"),
    [
        ("", False, False),
        ("*/*", False, False),
        (BROWSER, False, True),
        ("application/activity+json", True, False),
        ("application/activity+json; charset=utf-8", True, False),
        (LD, True, False),
        ("application/ld+json", True, False),
        ('application/ld+json; profile="https://example.test/other"', False, False),
        (f"application/activity+json, {LD}", True, False),
        ("application/activity+json, text/html;q=0.1", True, False),
        ("text/html, application/activity+json;q=0.9", False, True),
        ("text/html, application/activity+json", True, False),
        ("application/json", False, False),
        ("application/activity+json;q=0", False, False),
        ("application/activity+json;q=nan", False, False),
        ("application/activity+json;q=7", False, False),
        (";;,,;q=", False, False),
    ],
)
def test_the_face_that_is_shown(accept: str, is_document: bool, is_page: bool) -> None:
    """Mastodon names two types, browsers a dozen, and nobody gets a page where a document is meant."""
    request = make_mocked_request("GET", "/", headers={"Accept": accept})
    assert (is_document, is_page) == (
        negotiation.asks_for_document(request),
        negotiation.asks_for_page(request),
    )


def test_a_document_says_what_it_depends_on() -> None:
    """A cache between us and them must not hand one reader what another may see."""
    request = make_mocked_request("GET", "/", headers={"Accept": LD})
    shared = negotiation.document(request, b"{}")
    private = negotiation.document(request, b"{}", by_signer=True)
    assert (LD, "Accept") == (shared.headers["Content-Type"], shared.headers["Vary"])
    assert ("Accept, Signature", "private, no-cache") == (
        private.headers["Vary"],
        private.headers["Cache-Control"],
    )
