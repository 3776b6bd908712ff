"""Who a request comes from: the address behind the configured proxies, and nobody's word but theirs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from aiohttp import hdrs, web

from compliance.records import Source

from .. import keys
from ..settings import parse_networks
from . import auth

Address: TypeAlias = IPv4Address | IPv6Address
_networks = cache(parse_networks)
_SOURCE = web.RequestKey("source", Source)
_MAX_CLIENT = 200
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f]+")


def source_of(request: web.Request) -> Source:
    """Address, port and client of this request, as they go into the log, and who acts for whom."""
    found = request.get(_SOURCE)
    if found is None:
        address, port = _origin(request)
        # Bytes that are no UTF-8 come as lone surrogates, which no database takes.
        told = request.headers.get(hdrs.USER_AGENT, "").encode("utf-8", "replace").decode("utf-8")
        client = _NOT_PLAIN.sub(" ", told)[:_MAX_CLIENT]
        found = Source(address=str(address) if address else None, port=port, client=client)
        request[_SOURCE] = found
    by = auth.acting_by(request)
    return found if by is None else replace(found, by=by)


def subject_of(request: web.Request) -> str:
    """What limits are counted by for somebody unknown: the address; for IPv6 the /64 that a customer has."""
    address = source_of(request).address
    if address is None:
        return "local"
    if ":" in address:
        return str(IPv6Network((address, 64), strict=False).network_address)
    return address


def _origin(request: web.Request) -> tuple[Address | None, int | None]:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple):
        return None, None
    address, port = _plain(peer[0]), peer[1]
    trusted = _networks(request.app[keys.SETTINGS].server.trusted_proxies)
    if address is None or not trusted:
        return address, port
    hops = [hop for value in request.headers.getall("X-Forwarded-For", ()) for hop in value.split(",")]
    for hop in reversed(hops):
        if not any(address in network for network in trusted):
            break
        told = _parse_hop(hop.strip())
        if told is None:
            break
        address, port = told
    return address, port


def _parse_hop(hop: str) -> tuple[Address, int | None] | None:
    """`1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]:5`: proxies write all of these."""
    host, port = hop, ""
    if hop.startswith("["):
        host, _, port = hop[1:].partition("]")
        port = port.removeprefix(":")
    elif hop.count(":") == 1:
        host, _, port = hop.partition(":")
    address = _plain(host)
    if address is None:
        return None
    return address, int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None


def _plain(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
