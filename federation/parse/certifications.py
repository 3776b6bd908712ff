"""A server's assertion about an account, to what it says. Whether it may be believed is for others to see."""

from __future__ import annotations

import unicodedata

from compliance.classes import CertClass
from federation.actor import Certification
from federation.errors import Malformed
from federation.wire import Document

from . import values

MAX_LABEL = 200
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn")
"""Kinds of characters that nobody sees. They could turn the label around, and with it the name of whoever
vouches."""


def certification(document: Document) -> Certification:
    """What the assertion says; `Malformed` where anything of it is missing."""
    if "Certification" not in values.types(document):
        raise Malformed("not a certification")
    issued, expires = values.moment(document.get("issued")), values.moment(document.get("expires"))
    label = values.line(document.get("label"), MAX_LABEL)
    class_ = document.get("class")
    if issued is None or expires is None or not label or issued >= expires:
        raise Malformed("a certification without label or dates")
    if any(unicodedata.category(char) in _UNSEEN for char in label):
        raise Malformed("a certification with characters that nobody sees")
    if not isinstance(class_, str) or class_ not in set(CertClass):
        raise Malformed("a certification of no known class")
    return Certification(
        id=values.require_id(document.get("id"), "certification"),
        subject=values.require_id(document.get("subject"), "certified account"),
        class_=CertClass(class_),
        label=label,
        issued=issued,
        expires=expires,
    )
