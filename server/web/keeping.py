"""What was typed into a form and is nobody's to read, brought back by the form itself: sealed, for this
person, for half an hour. Nothing typed is lost, and nothing of it stands in a page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from aiohttp import web

from compliance.errors import SealBroken

from .. import keys
from ..http.auth import person
from ..http.body import Body

_KEPT: Final = timedelta(minutes=30)
_encode = msgspec.msgpack.Encoder().encode


def keep(request: web.Request, values: Mapping[str, str]) -> str:
    """What was typed, for the form to bring it back, readable by nobody on the way: not on a screen, not in a
    browser's history, not in anything that keeps pages."""
    now = request.app[keys.CLOCK]()
    packed = _encode((now + _KEPT, dict(values)))
    sealed = request.app[keys.SEALER].seal(packed, context=f"form:{person(request).id}")
    return base64.urlsafe_b64encode(sealed).decode()


def kept(request: web.Request, form: Body) -> dict[str, str]:
    return opened(request, form.text("kept"))


def opened(request: web.Request, sealed_form: str) -> dict[str, str]:
    """What a form brought back; nothing, where it is too old, or not this person's."""
    try:
        sealed = base64.urlsafe_b64decode(sealed_form.encode())
        packed = request.app[keys.SEALER].open(sealed, context=f"form:{person(request).id}")
        until, values = msgspec.msgpack.decode(packed, type=tuple[datetime, dict[str, str]])
    except (binascii.Error, UnicodeEncodeError, SealBroken, msgspec.DecodeError):
        return {}
    return values if request.app[keys.CLOCK]() < until else {}
