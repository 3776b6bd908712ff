"""From a request to its claim: what both dialects have in common, then the one it speaks."""

from __future__ import annotations

from datetime import datetime

from federation import origin
from federation.errors import NotTrusted

from . import cavage, rfc9421
from .claims import Claim, Request


def read(request: Request, *, ours: str, now: datetime) -> Claim:
    """What `request` claims; `ours` is the origin it must have been sent to."""
    if "signature" not in request.fields:
        raise NotTrusted("the request is not signed")
    if origin.host(request.one("host"), ours.partition(":")[0]) != origin.host_of(ours):
        raise NotTrusted("the request was meant for another host")
    if "signature-input" in request.fields:
        return rfc9421.read(request, ours=ours, now=now)
    return cavage.read(request, now=now)
