"""What the clouds share: an approved template with its values instead of a sentence."""

from __future__ import annotations

from typing import Final

from ..i18n import mark
from ..settings import Settings

FAILED: Final = mark("The text message could not be sent; please try again in a moment")


def template_values(settings: Settings, code: str) -> dict[str, str]:
    """What the variables of an approved template stand for, in the template's order."""
    known = {"code": code, "minutes": str(settings.identity.code_minutes)}
    return {name.strip(): known[name.strip()] for name in settings.sms.template_values.split(",")}
