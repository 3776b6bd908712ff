"""How Mastodon writes moments and days."""

from __future__ import annotations

from datetime import UTC, date, datetime


def stamp(moment: datetime) -> str:
    """A moment as Mastodon writes it: UTC, milliseconds, Z."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def maybe_stamp(moment: datetime | None) -> str | None:
    """`stamp` of what may not have happened."""
    return None if moment is None else stamp(moment)


def midnight(moment: datetime) -> str:
    """The day of a moment, as Mastodon tells when somebody joined."""
    return f"{day(moment)}T00:00:00.000Z"


def day(moment: datetime) -> str:
    """The date of a moment."""
    return date.isoformat(moment.astimezone(UTC).date())
