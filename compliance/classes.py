"""The classes a certified account belongs to (Articles 8 and 10 paragraph 1).

Apart from everything that certifies, because the mark, the tiers and the filings
speak of a class without speaking of papers. The values are what the database
stores and what the API says.
"""

from __future__ import annotations

from enum import StrEnum


class CertClass(StrEnum):
    """What kind of subject stands behind a certified account."""

    INDIVIDUAL = "individual"
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    GOVERNMENT = "government"
    SOCIAL = "social"
    MEDIA = "media"
    FOREIGN = "foreign"


# Two different people approve these: an error here speaks with the state's voice, the
# press's, or that of somebody whom no court here reaches.
FOUR_EYES = frozenset({CertClass.GOVERNMENT, CertClass.MEDIA, CertClass.FOREIGN})
