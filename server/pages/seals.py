"""How the classes of certified accounts look: a glyph reversed out of a square, and what the class is called.

A tick or a round badge is never used: those are what others imitate with a character. The API gives the same
colours to the badges of its clients, which know no seals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from compliance.classes import CertClass

from ..i18n import mark


class Seal(NamedTuple):
    """What stands for one class. `kind` names its colour in the stylesheet; `colour` is that, by light."""

    glyph: str
    kind: str
    colour: str
    words: str


SEALS: Final[Mapping[CertClass, Seal]] = {
    CertClass.GOVERNMENT: Seal("政", "state", "#B3261E", mark("Government body")),
    CertClass.MEDIA: Seal("媒", "state", "#B3261E", mark("News media")),
    CertClass.ENTERPRISE: Seal("企", "organisation", "#1F4E79", mark("Enterprise")),
    CertClass.SOCIAL: Seal("社", "organisation", "#1F4E79", mark("Social organisation")),
    CertClass.INSTITUTION: Seal("机", "organisation", "#1F4E79", mark("Institution")),
    CertClass.FOREIGN: Seal("外", "organisation", "#1F4E79", mark("Foreign organisation")),
    CertClass.INDIVIDUAL: Seal("名", "person", "#555147", mark("Individual")),
}
