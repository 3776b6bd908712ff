"""Signing our own requests, in either dialect, at the moment of sending: dates age."""

from __future__ import annotations

import base64
from datetime import datetime
from email.utils import format_datetime

from yarl import URL

from . import cavage, digests, fields, rfc9421
from .claims import Dialect
from .keys import SigningKey


def sign(
    dialect: Dialect, key: SigningKey, method: str, url: URL, body: bytes | None, *, now: datetime
) -> dict[str, str]:
    """The headers that sign a request, `Host` and `Date` among them."""
    headers = {
        # With a port that is not the default, everything signed carries it.
        "Host": url.host_port_subcomponent or "",
        "Date": format_datetime(now.replace(microsecond=0), usegmt=True),
    }
    if dialect is Dialect.CAVAGE:
        return headers | _cavage(key, method, url, body, headers)
    return headers | _rfc9421(key, method, url, body, now)


def _cavage(
    key: SigningKey, method: str, url: URL, body: bytes | None, headers: dict[str, str]
) -> dict[str, str]:
    covered = {"host": headers["Host"], "date": headers["Date"]}
    added: dict[str, str] = {}
    if body is not None:
        covered["digest"] = added["Digest"] = digests.digest(body)
    signature = base64.b64encode(key.sign(cavage.base(method, url.raw_path_qs, covered))).decode()
    names = " ".join(["(request-target)", *covered])
    added["Signature"] = (
        f'keyId="{key.key_id}",algorithm="rsa-sha256",headers="{names}",signature="{signature}"'
    )
    return added


def _rfc9421(key: SigningKey, method: str, url: URL, body: bytes | None, now: datetime) -> dict[str, str]:
    components = {"@method": method, "@target-uri": f"{url.origin()}{url.raw_path_qs}"}
    added: dict[str, str] = {}
    if body is not None:
        components["content-digest"] = added["Content-Digest"] = digests.content_digest(body)
    described = fields.InnerList(
        tuple(fields.Item(name) for name in components),
        {"created": int(now.timestamp()), "keyid": key.key_id, "alg": "rsa-v1_5-sha256"},
    )
    lines = [f'"{name}": {value}' for name, value in components.items()]
    signature = key.sign(rfc9421.base(lines, described))
    added["Signature-Input"] = f"sig1={fields.write(described)}"
    added["Signature"] = f"sig1={fields.write(fields.Item(signature))}"
    return added
