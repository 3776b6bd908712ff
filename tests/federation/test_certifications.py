"""What another server asserts of an account, before anybody looks at who signed it."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.classes import CertClass
from federation import parse
from federation.errors import Malformed

SAID: dict[str, Any] = {
    "id": "https://far.example/users/li/certification",
    "type": "Certification",
    "subject": "https://far.example/users/li",
    "class": "media",
    "label": "福州海风报社",
    "issued": "2026-01-01T00:00:00Z",
    "expires": "2027-01-01T00:00:00Z",
}


def test_an_assertion_is_read() -> None:
    read = parse.certification(SAID)
    assert (read.class_, read.label) == (CertClass.MEDIA, "福州海风报社")


@pytest.mark.parametrize("unseen", ["\u202e", "\u2066", "\u200b", "\ue000"])
def test_a_label_with_characters_that_nobody_sees_is_none(unseen: str) -> None:
    with pytest.raises(Malformed):
        parse.certification(SAID | {"label": f"报社{unseen}海风"})


@pytest.mark.parametrize(
    "wrong", [{"class": "president"}, {"label": ""}, {"expires": "2025-01-01T00:00:00Z"}, {"issued": None}]
)
def test_an_assertion_without_class_label_or_dates_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse.certification(SAID | wrong)
