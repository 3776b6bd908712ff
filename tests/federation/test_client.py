"""The one way out: checked where sockets are made, bounded in everything, on a real wire."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from federation import signatures
from federation.client import Budget, Client, Limits
from federation.client.budget import Hosts
from federation.errors import Malformed, NotTrusted, RemoteFault, Unreachable
from federation.signatures import Request

from .peer import OUR_KEY, OURS, PAIR, Allowed, Peer, client_for, redirect

ANY = "application/json"


class Names(AbstractResolver):
    """A name server that says what it is told, differently each time if told so."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def _canary() -> AsyncIterator[tuple[int, list[str]]]:
    """A port that nobody may connect to, and who did."""
    seen: list[str] = []

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append("connected")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


async def test_it_fetches_and_says_who_asks(peer: Peer, client: Client) -> None:
    """Servers refuse a request without a name, and count on the signature."""
    peer.serve("/a?b=%20c", {"x": 1})
    answer = await client.get(peer.uri("/a?b=%20c#part"), accept=ANY, key=OUR_KEY)
    assert (200, b'{"x": 1}', peer.uri("/a?b=%20c")) == (answer.status, answer.body, answer.url)
    [request] = peer.requests
    assert f"Yanlu/0.1 (+{OURS}/)" == request.headers["User-Agent"]
    assert "Cookie" not in request.headers
    signed = Request.of("GET", request.raw_path, request.headers.items())
    claim = signatures.read(signed, ours=peer.origin, now=client.clock())
    signatures.verify(claim, signatures.public_key(PAIR.public_pem))


FORBIDDEN = ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://[::ffff:127.0.0.1]:{port}/"]


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_a_literal_private_address_gets_no_connection(peer: Peer, url: str) -> None:
    """aiohttp does not ask the resolver about these."""
    async with _canary() as (port, seen), client_for(peer) as client:
        with pytest.raises(Unreachable):
            await client.get(url.format(port=port), accept=ANY)
        assert [] == seen


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1", "127.0.0.1"], ["10.0.0.1", "127.0.0.1"]])
async def test_a_name_that_leads_to_a_private_address_gets_no_connection(
    peer: Peer, scheme: str, addresses: list[str]
) -> None:
    """Whatever name led there."""
    async with _canary() as (port, seen), client_for(peer, resolver=Names(addresses)) as client:
        with pytest.raises(Unreachable):
            await client.get(f"{scheme}://good.example:{port}/", accept=ANY)
        assert [] == seen


async def test_a_name_that_changes_its_mind_gets_no_connection(peer: Peer) -> None:
    """DNS rebinding: the address that was checked is the one that is connected to."""
    names = Names(["127.0.0.1"])
    async with client_for(peer, resolver=names) as client:
        peer.serve("/a", {})
        assert 200 == (await client.get(f"http://name.example:{peer.port}/a", accept=ANY)).status
    async with _canary() as (port, seen), client_for(peer, resolver=names) as client:
        with pytest.raises(Unreachable):
            await client.get(f"http://name.example:{port}/", accept=ANY)
        assert [] == seen


async def test_without_peers_nothing_goes_out_in_the_clear() -> None:
    """As in production."""
    async with _canary() as (port, seen), Client(OURS, resolver=Names(["127.0.0.1"])) as client:
        for url in (
            f"http://good.example:{port}/",
            f"http://127.0.0.1:{port}/",
            f"https://127.0.0.1:{port}/",
        ):
            with pytest.raises(Unreachable):
                await client.get(url, accept=ANY)
        assert [] == seen


async def test_every_hop_is_checked_again(peer: Peer, client: Client) -> None:
    """A redirect is how one is led inside."""
    async with _canary() as (port, seen):
        for target in (
            f"http://127.0.0.1:{port}/",
            f"//127.0.0.1:{port}/",
            "file:///etc/passwd",
            "gopher://x/",
        ):
            peer.answers["/away"] = redirect(target)
            with pytest.raises(RemoteFault):
                await client.get(peer.uri("/away"), accept=ANY)
        assert [] == seen


async def test_redirects_are_followed_and_signed_anew(peer: Peer, other: Peer, client: Client) -> None:
    """Each host gets a signature made for it."""
    peer.answers["/a"] = redirect("/b", 301)
    peer.answers["/b"] = redirect(other.uri("/c"), 307)
    other.serve("/c", {"x": 1})
    answer = await client.get(peer.uri("/a"), accept=ANY, key=OUR_KEY)
    assert (200, other.uri("/c")) == (answer.status, answer.url)
    [request] = other.requests
    claim = signatures.read(
        Request.of("GET", request.raw_path, request.headers.items()), ours=other.origin, now=client.clock()
    )
    signatures.verify(claim, signatures.public_key(PAIR.public_pem))


async def test_circles_and_long_chains_end(peer: Peer, client: Client) -> None:
    """Three redirects, no address twice."""
    peer.answers["/a"] = redirect("/b")
    peer.answers["/b"] = redirect("/a")
    with pytest.raises(Unreachable):
        await client.get(peer.uri("/a"), accept=ANY)
    assert 1 == peer.counts("/a")
    for step in range(6):
        peer.answers[f"/{step}"] = redirect(f"/{step + 1}")
    with pytest.raises(Unreachable):
        await client.get(peer.uri("/0"), accept=ANY)
    assert (1, 0) == (peer.counts("/3"), peer.counts("/4"))


async def test_a_post_is_only_sent_on_where_it_stays_a_post(peer: Peer, other: Peer, client: Client) -> None:
    """And one that carries somebody's secret instead of a signature is not sent on at all."""
    peer.answers["/inbox"] = redirect(other.uri("/inbox"), 308)
    other.answers["/inbox"] = web.Response(status=202)
    answer = await client.post(peer.uri("/inbox"), b"{}", content_type=ANY, key=OUR_KEY)
    assert (202, [b"{}"]) == (answer.status, other.bodies)
    peer.answers["/moved"] = redirect(other.uri("/inbox"), 302)
    assert 302 == (await client.post(peer.uri("/moved"), b"{}", content_type=ANY, key=OUR_KEY)).status
    secret = {"Authorization": "Bearer secret"}
    answer = await client.post(peer.uri("/inbox"), b"{}", content_type=ANY, key=None, headers=secret)
    assert (308, 1) == (answer.status, len(other.requests))


async def test_our_own_address_is_never_asked(client: Client) -> None:
    """Nobody out there has anything of ours to show."""
    for url in (f"{OURS}/users/alice", f"{OURS.upper()}:443/users/alice"):
        with pytest.raises(NotTrusted):
            await client.get(url, accept=ANY)


@pytest.mark.parametrize(
    "url", ["https://u:p@good.example/", "https://good.example/\r\nX: y", "ftp://good.example/", "", "//x"]
)
async def test_an_address_that_is_none_is_refused(client: Client, url: str) -> None:
    """Nothing in it may become a header or a password."""
    with pytest.raises(Malformed):
        await client.get(url, accept=ANY)


async def test_an_answer_may_not_be_larger_than_wanted(peer: Peer, client: Client) -> None:
    """Counted after decompression, so that a bomb of 10 kB costs 10 kB."""
    bomb = gzip.compress(b"0" * 10_000_000)
    peer.answers["/plain"] = web.Response(body=b"0" * 2000)
    peer.answers["/bomb"] = web.Response(body=bomb, headers={"Content-Encoding": "gzip"})
    peer.answers["/cut"] = web.Response(body=bomb[:5000], headers={"Content-Encoding": "gzip"})
    peer.answers["/false"] = web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})
    peer.answers["/br"] = web.Response(body=b"x", headers={"Content-Encoding": "br"})
    for path in ("/plain", "/bomb", "/false", "/br"):
        with pytest.raises(Malformed):
            await client.get(peer.uri(path), accept=ANY, most=1000)
    with pytest.raises(Malformed):
        await client.get(peer.uri("/cut"), accept=ANY, most=100_000_000)
    peer.answers["/good"] = web.Response(
        body=gzip.compress(b"0" * 1000), headers={"Content-Encoding": "gzip"}
    )
    assert b"0" * 1000 == (await client.get(peer.uri("/good"), accept=ANY, most=1000)).body


async def test_slowness_ends_by_the_clock(peer: Peer) -> None:
    """A byte now and then is progress for a socket, and none for us."""

    over = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the client has had enough, which is the point
            while True:
                await answer.write(b" ")
                await asyncio.sleep(0.01)
        return answer

    async def silence(request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    peer.answers |= {"/drip": drip, "/silence": silence}
    async with client_for(peer, limits=Limits(total=0.15)) as client:
        with pytest.raises(Unreachable):
            await client.get(peer.uri("/drip"), accept=ANY)
    async with client_for(peer, limits=Limits(first_byte=0.15)) as client:
        with pytest.raises(Unreachable):
            await client.get(peer.uri("/silence"), accept=ANY)
    over.set()


async def test_a_closed_port_is_unreachable(peer: Peer) -> None:
    """An answer of any kind is not to be had there; that is no fault of ours."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        allowed = [Allowed(ipaddress.ip_address("127.0.0.1"), port, port)]
        async with Client(OURS, peers=allowed) as client:
            with pytest.raises(Unreachable):
                await client.get(f"http://127.0.0.1:{port}/", accept=ANY)


async def test_few_requests_go_to_one_host_at_a_time(peer: Peer) -> None:
    """One slow host must not hold everything, nor be run over."""
    going = most = 0
    full, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal going, most
        going += 1
        most = max(most, going)
        if going == 2:
            full.set()
        await go_on.wait()
        going -= 1
        return web.Response()

    peer.answers["/slow"] = slow
    async with client_for(peer, limits=Limits(at_once=2)) as client, asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(client.get(peer.uri("/slow"), accept=ANY))
        await full.wait()
        go_on.set()
    assert (2, 10) == (most, peer.counts("/slow"))


async def test_fetches_are_counted(peer: Peer) -> None:
    """By host and minute, and for all that one activity leads to."""
    peer.serve("/a", {})
    async with client_for(peer, limits=Limits(a_minute=2)) as client:
        for _ in range(2):
            await client.get(peer.uri("/a"), accept=ANY)
        with pytest.raises(Unreachable):
            await client.get(peer.uri("/a"), accept=ANY)
    async with client_for(peer) as client:
        budget = Budget(fetches=1)
        await client.get(peer.uri("/a"), accept=ANY, budget=budget)
        with pytest.raises(Unreachable):
            await client.get(peer.uri("/a"), accept=ANY, budget=budget)
    assert 3 == peer.counts("/a")


def test_a_minute_passes() -> None:
    """The window moves with the clock, and idle hosts are forgotten."""
    now = 0.0
    hosts = Hosts(at_once=1, a_minute=1, clock=lambda: now)
    hosts.count_fetch("a")
    with pytest.raises(Unreachable):
        hosts.count_fetch("a")
    hosts.count_fetch("b")
    now = 61.0
    hosts.count_fetch("a")


async def test_no_cookie_is_kept(peer: Peer, client: Client) -> None:
    """A server that recognises us could answer us differently."""
    peer.answers["/a"] = web.Response(headers={"Set-Cookie": "a=b"})
    for _ in range(2):
        await client.get(peer.uri("/a"), accept=ANY)
    assert [None, None] == [request.headers.get("Cookie") for request in peer.requests]


async def test_proxies_of_the_environment_are_not_used(
    peer: Peer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operator allows is in the settings, nowhere else."""
    async with _canary() as (port, seen):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        peer.serve("/a", {})
        assert 200 == (await client.get(peer.uri("/a"), accept=ANY)).status
        assert [] == seen
