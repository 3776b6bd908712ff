"""HTTP Message Signatures (RFC 9421): one signature, RSASSA-PKCS1-v1_5 with SHA-256 or Ed25519."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from federation import origin
from federation.errors import NotTrusted

from . import claims, digests, fields
from .claims import Claim, Request

_ALGORITHMS: Final = {
    None: frozenset({"rsa", "ed25519"}),
    "rsa-v1_5-sha256": frozenset({"rsa"}),
    "ed25519": frozenset({"ed25519"}),
}
MAX_COMPONENTS: Final = 32


def read(request: Request, *, ours: str, now: datetime) -> Claim:
    """What the one signature claims that `Signature-Input` and `Signature` describe."""
    inputs = fields.dictionary(request.one("signature-input"))
    signatures = fields.dictionary(request.one("signature"))
    if len(inputs) != 1 or inputs.keys() != signatures.keys():
        raise NotTrusted("there must be one signature, described once")
    ((label, described),) = inputs.items()
    signature = signatures[label]
    if not isinstance(described, fields.InnerList) or not isinstance(signature, fields.Item):
        raise NotTrusted("the signature is not described as one")
    if not isinstance(signature.value, bytes):
        raise NotTrusted("the signature is not bytes")
    parameters = described.parameters
    covered = _covered(described)
    _require_covered(request, covered)
    claims.require_fresh(claims.unix_time(parameters.get("created")), now)
    if "expires" in parameters and claims.unix_time(parameters["expires"]) < now:
        raise NotTrusted("the signature has expired")
    if request.method == "POST":
        digests.require_content_digest(request.one("content-digest"), request.body)
    algorithm, key_id = parameters.get("alg"), parameters.get("keyid")
    if algorithm is not None and (not isinstance(algorithm, str) or algorithm not in _ALGORITHMS):
        raise NotTrusted("the algorithm is not one of ours")
    if not isinstance(key_id, str):
        raise NotTrusted("the signature names no key")
    lines = [f'"{name}": {_component(request, name, ours)}' for name in covered]
    return Claim(
        key_id=claims.key_id(key_id),
        signature=signature.value,
        bases=(base(lines, described),),
        kinds=_ALGORITHMS[algorithm],
    )


def base(lines: list[str], described: fields.InnerList) -> bytes:
    """What is signed (section 2.5)."""
    return "\n".join([*lines, f'"@signature-params": {fields.write(described)}']).encode("latin-1", "replace")


def _covered(described: fields.InnerList) -> list[str]:
    names: list[str] = []
    for item in described.items:
        if not isinstance(item.value, str) or isinstance(item.value, fields.Token) or item.parameters:
            raise NotTrusted("a covered component has parameters")
        names.append(item.value)
    if len(names) != len(set(names)) or len(names) > MAX_COMPONENTS:
        raise NotTrusted("a component is covered twice, or there are too many")
    return names


def _require_covered(request: Request, covered: list[str]) -> None:
    names = set(covered)
    whole = "@target-uri" in names
    parts = {"@authority", "@path"} <= names and ("@query" in names or "?" not in request.target)
    if "@method" not in names or not (whole or parts or {"@authority", "@request-target"} <= names):
        raise NotTrusted("the signature does not cover method and target")
    if request.method == "POST" and "content-digest" not in names:
        raise NotTrusted("the signature does not cover the body")


def _component(request: Request, name: str, ours: str) -> str:
    path, mark, query = request.target.partition("?")
    match name:
        case "@method":
            return request.method
        case "@target-uri":
            return ours + request.target
        case "@authority":
            return origin.host_of(ours)
        case "@scheme":
            return ours.partition(":")[0]
        case "@request-target":
            return request.target
        case "@path":
            return path or "/"
        case "@query":
            return f"?{query}" if mark else "?"
        case _ if name.startswith("@") or name != name.lower():
            raise NotTrusted("a covered component is not one of ours")
        case _:
            return request.one(name)
