"""Which addresses a request may be led to, in the spelling that attackers use."""

from __future__ import annotations

import ipaddress

import pytest

from federation.client import addresses, is_public
from federation.client.guard import Guard

from .peer import Allowed

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2001:200::1",
    "2003::1",
    "3ffe::1",
]
SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:1::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_ordinary_addresses_may_be_reached(address: str) -> None:
    """The neighbours of every special block are ordinary."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_may_not(address: str) -> None:
    """Loopback, private, metadata, and every way of writing them in IPv6."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("port", "allowed"),
    [
        *[(443, True), (1024, True), (8443, True), (3000, True), (65535, True)],
        *[(0, False), (22, False), (25, False), (80, False), (444, False), (1023, False), (65536, False)],
        *[(3306, False), (5432, False), (6379, False), (9200, False), (11211, False), (27017, False)],
    ],
)
def test_only_ports_of_web_servers_may_be_asked(port: int, allowed: bool) -> None:
    """A database must not be spoken to, however it is named."""
    assert allowed == addresses.is_allowed_port(port)


def test_an_operators_exception_is_one_address_and_its_ports() -> None:
    """Never a prefix, never a whole address; and http reaches nobody else."""
    guard = Guard([Allowed(ipaddress.ip_address("127.0.0.2"), 9001, 9003)])
    for host, port, plain, allowed in (
        ("127.0.0.2", 9001, True, True),
        ("127.0.0.2", 9003, False, True),
        ("127.0.0.2", 9004, True, False),
        ("127.0.0.2", 9000, False, False),
        ("127.0.0.1", 9001, True, False),
        ("::ffff:127.0.0.2", 9001, True, False),
        ("8.8.8.8", 443, False, True),
        ("8.8.8.8", 443, True, False),
        ("8.8.8.8", 9001, True, False),
        ("fe80::1%eth0", 443, False, False),
        ("example.com", 443, False, False),
    ):
        assert allowed == guard.allows(host, port, plain=plain), (host, port, plain)
    assert ("http", "https") == guard.schemes([9002])
    assert ("https",) == guard.schemes([443])
