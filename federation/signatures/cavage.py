"""draft-cavage-http-signatures-12, as everybody uses it."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Final

from federation.errors import NotTrusted

from . import claims, digests
from .claims import Claim, Request

_PARAMETER: Final = re.compile(r'\s*([A-Za-z]{1,20})=(?:"([^"\\]*)"|([0-9]{1,15}))\s*(,|\Z)')
_BOTH: Final = frozenset({"rsa", "ed25519"})
_ALGORITHMS: Final = {
    "": _BOTH,
    "hs2019": _BOTH,
    "rsa-sha256": frozenset({"rsa"}),
    "rsa-sha512": frozenset({"rsa"}),
    "ed25519": frozenset({"ed25519"}),
}
"""`algorithm` is a hint: what it names must fit the key, and what it does not know is refused, HMAC before
all.
"""


def read(request: Request, *, now: datetime) -> Claim:
    """What the one `Signature` header claims."""
    parameters = _parameters(request.one("signature"))
    covered = parameters.get("headers", "date").lower().split()
    if len(covered) != len(set(covered)):
        raise NotTrusted("a header is covered twice")
    _require_covered(request, covered)
    _require_fresh(request, parameters, covered, now)
    if request.method == "POST":
        digests.require_digest(request.one("digest"), request.body)
    algorithm = parameters.get("algorithm", "").lower()
    if algorithm not in _ALGORITHMS:
        raise NotTrusted("the algorithm is not one of ours")
    try:
        signature = base64.b64decode(parameters.get("signature", ""), validate=True)
    except binascii.Error as error:
        raise NotTrusted("the signature is not base64") from error
    targets = [request.target]
    if request.method == "GET" and "?" in request.target:
        # Old servers leave the query out; an inbox has none.
        targets.append(request.target.partition("?")[0])
    return Claim(
        key_id=claims.key_id(parameters.get("keyid", "")),
        signature=signature,
        bases=tuple(_base(request, target, parameters, covered) for target in targets),
        kinds=_ALGORITHMS[algorithm],
        wide=algorithm in ("", "hs2019", "rsa-sha512"),
    )


def base(method: str, target: str, covered: dict[str, str]) -> bytes:
    """What is signed: one line for each covered name, in order."""
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name}: {value}" for name, value in covered.items()]
    return "\n".join(lines).encode()


def _parameters(header: str) -> dict[str, str]:
    if len(header) > 8192:
        raise NotTrusted("the signature header is too long")
    found: dict[str, str] = {}
    at = 0
    while at < len(header):
        matched = _PARAMETER.match(header, at)
        if matched is None:
            raise NotTrusted("the signature header cannot be read")
        name = matched[1].lower()
        if name in found:
            raise NotTrusted(f"{name} stands in the signature header twice")
        found[name] = matched[2] if matched[2] is not None else matched[3]
        at = matched.end()
    return found


def _require_covered(request: Request, covered: list[str]) -> None:
    wanted = {"(request-target)", "host"}
    if request.method == "POST":
        wanted.add("digest")
    missing = wanted.difference(covered)
    if missing:
        raise NotTrusted(f"not covered by the signature: {', '.join(sorted(missing))}")
    if "date" not in covered and "(created)" not in covered:
        raise NotTrusted("the signature covers no time")


def _require_fresh(request: Request, parameters: dict[str, str], covered: list[str], now: datetime) -> None:
    if "date" in covered:
        claims.require_fresh(claims.http_date(request.one("date")), now)
    if "(created)" in covered:
        claims.require_fresh(claims.unix_time(_number(parameters, "created")), now)
    if "expires" in parameters and claims.unix_time(_number(parameters, "expires")) < now:
        raise NotTrusted("the signature has expired")


def _number(parameters: dict[str, str], name: str) -> int:
    value = parameters.get(name, "")
    if not value.isascii() or not value.isdigit():
        raise NotTrusted(f"{name} is not a time")
    return int(value)


def _base(request: Request, target: str, parameters: dict[str, str], covered: list[str]) -> bytes:
    lines: list[str] = []
    for name in covered:
        match name:
            case "(request-target)":
                value = f"{request.method.lower()} {target}"
            case "(created)" | "(expires)":
                value = parameters.get(name.strip("()"), "")
            case _:
                value = request.one(name)
        lines.append(f"{name}: {value}")
    return "\n".join(lines).encode("latin-1", "replace")
