"""Which addresses and ports may be reached. A table of what is allowed: the standard library's `is_global`
lets too much through.

In 3.11 it says yes to `::127.0.0.1`, `64:ff9b::7f00:1` and `2002:7f00:1::`, which are loopback by other
routes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final, Protocol, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL_V4: Final = [
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6: Final = [
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]

_SERVICES: Final = frozenset(
    {
        *(1099, 1433, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 2483, 2484),
        *(3260, 3306, 3389, 3659, 4045, 4190, 4369, 4444, 4505, 4506, 5060, 5061, 5432, 5433, 5601),
        *(5671, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6380, 6443, 6514, 6566, 6665, 6666),
        *(6667, 6668, 6669, 6679, 6697, 7000, 7001, 7077, 7473, 7474, 7687, 8009, 8086, 8125, 8500),
        *(8600, 8983, 9042, 9092, 9093, 9100, 9160, 9200, 9300, 9418, 9990, 10050, 10051, 10080),
        *(10250, 10255, 11211, 15672, 16379, 25672, 26379, 27017, 27018, 27019, 28015, 50000, 50070),
    }
)
"""Ports where databases, caches and the like listen, which a request must not be led to."""


class Peer(Protocol):
    """A private address that an operator lets us reach, over plain http as well, on a range of ports."""

    @property
    def ip(self) -> Address: ...

    @property
    def first_port(self) -> int: ...

    @property
    def last_port(self) -> int: ...


def is_public(address: Address) -> bool:
    """Whether `address` is an ordinary one of the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in block for block in _SPECIAL_V6)


def is_allowed_port(port: int) -> bool:
    """Whether a public server may be asked on `port`."""
    return port == 443 or (1024 <= port <= 65535 and port not in _SERVICES)


def is_peer(peers: Iterable[Peer], address: Address, port: int) -> bool:
    """Whether an operator allowed exactly this address and port."""
    return any(address == peer.ip and peer.first_port <= port <= peer.last_port for peer in peers)
