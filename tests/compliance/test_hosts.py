"""Policies about other servers: which name is meant, and which policy holds."""

from __future__ import annotations

import pytest

from compliance import hosts, records
from compliance.activity import AccountId
from compliance.connection import Connection
from compliance.errors import ComplianceError, NotFound
from compliance.hosts import Policy, host_of, names_above, normalised, strictest
from compliance.records import RecordKind

from .build import NOW, SOURCE, ids


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("evil.example", "evil.example"),
        (" EVIL.Example. ", "evil.example"),
        ("https://evil.example/", "evil.example"),
        ("*.evil.example", "evil.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("例子.中国", "xn--fsqu00a.xn--fiqs8s"),
        ("ｅｖｉｌ.example", "evil.example"),
        ("evil.example:8443", "evil.example:8443"),
        ("127.0.0.1:9001", "127.0.0.1:9001"),
        ("[::1]:9001", "[::1]:9001"),
        ("example", "example"),
    ],
)
def test_a_host_is_meant_however_it_is_typed(typed: str, host: str) -> None:
    """Compared names have one spelling (security rule B8)."""
    assert normalised(typed) == host


@pytest.mark.parametrize(
    "typed", ["", " ", "a b", "evil.example:0", "evil.example:99999", "-", "a..b", "a/b", "x:y"]
)
def test_what_is_no_host_is_refused(typed: str) -> None:
    """A policy for nothing would look like one for something."""
    with pytest.raises(ComplianceError):
        normalised(typed)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://far.example/users/ann", "far.example"),
        ("https://far.example:8443?x", "far.example:8443"),
        ("https://user@FAR.example#a", "far.example"),
        ("http://[::1]:80/x", "[::1]:80"),
        ("https://far.example", "far.example"),
        ("urn:isbn:1", ""),
        ("", ""),
    ],
)
def test_the_host_of_an_address(uri: str, host: str) -> None:
    """Also when it is followed by no path."""
    assert host_of(uri) == host


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("a.b.example", ["a.b.example", "b.example", "example"]),
        ("b.example:81", ["b.example:81", "b.example", "example"]),
        ("127.0.0.1:9001", ["127.0.0.1:9001", "127.0.0.1"]),
        ("[::1]:9001", ["[::1]:9001", "[::1]"]),
        ("[::1]", ["[::1]"]),
    ],
)
def test_a_policy_may_be_written_for_every_name_above(host: str, names: list[str]) -> None:
    """But an address has no parent: `0.0.1` is nothing."""
    assert list(names_above(host)) == names


def test_the_longest_name_wins_and_the_strictest_host() -> None:
    """An exception is an exception, and one bad host is enough."""
    policies = {"example": Policy.REFUSE, "good.example": Policy.ALLOW, "odd.test": Policy.HOLD}
    assert strictest(["a.good.example"], policies) == ("good.example", Policy.ALLOW)
    assert strictest(["a.good.example", "odd.test"], policies) == ("odd.test", Policy.HOLD)
    assert strictest(["odd.test", "bad.example", "good.example"], policies) == ("example", Policy.REFUSE)
    assert strictest(["else.test"], policies) is None


async def test_policies_are_set_changed_found_listed_and_removed(conn: Connection) -> None:
    """Each change with a reason and a record."""
    by, maker = AccountId(5), ids()

    async def decide(host: str, policy: Policy, reason: str = "spam") -> None:
        await hosts.set_policy(conn, host, policy, reason=reason, by=by, source=SOURCE, now=NOW, new_id=maker)

    await decide("Evil.example", Policy.HOLD)
    await decide("evil.example", Policy.REFUSE, " worse ")
    await decide("good.evil.example", Policy.ALLOW)
    with pytest.raises(ComplianceError, match="reason"):
        await decide("far.example", Policy.REFUSE, " ")
    found = await hosts.find_policy(conn, "sub.evil.example:8080")
    assert found is not None
    assert (found.host, found.policy, found.reason, found.set_by) == (
        "evil.example",
        Policy.REFUSE,
        "worse",
        5,
    )
    assert await hosts.find_policy(conn, "else.example") is None
    listed = await hosts.list_policies(conn, limit=1)
    assert [one.host for one in listed] == ["evil.example"]
    assert [one.host for one in await hosts.list_policies(conn, after="evil.example")] == [
        "good.evil.example"
    ]
    await hosts.remove_policy(conn, "evil.example", by=by, source=SOURCE, now=NOW, new_id=maker)
    with pytest.raises(NotFound):
        await hosts.remove_policy(conn, "evil.example", by=by, source=SOURCE, now=NOW, new_id=maker)
    details = [record.detail for record in await records.list_page(conn, kind=RecordKind.HOST_POLICY)]
    assert details[0] == {"policy": None, "was": "refuse"}
    assert details[-1] == {"policy": "hold", "reason": "spam"}
