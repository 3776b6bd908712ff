"""Letters that outlive the process that wrote them, and leave by a real mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from server import keys, letters, postbox
from server.letters import Letter
from server.pipeline import Road
from server.providers.mail import Carrier, open_carrier
from server.sections import Mail
from server.settings import Settings
from server.store import postbox as store
from server.workers.mailing import KEPT, LEASE, Mailing, Posting
from tests.fixtures.people import MovingClock
from tests.fixtures.server import Serve
from tests.fixtures.smtp import MailServer


@pytest.fixture
def refusals() -> tuple[bytes, ...]:
    return ()


@pytest.fixture
def server(refusals: tuple[bytes, ...]) -> Iterator[MailServer]:
    made = MailServer(*refusals)
    yield made
    made.close()


def _carrier(tmp_path: Path, port: int) -> Carrier:
    mail = Mail(smtp_url=f"smtp://127.0.0.1:{port}")
    return open_carrier(Settings(origin="https://example.org", data=tmp_path, mail=mail))


def _letter(name: str = "alice") -> Letter:
    return letters.confirm(
        "en", to=f"{name}@mail.example", username=name, site="Yanlu", link="https://example.org/c"
    )


async def _post(road: Road, *names: str) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await postbox.post(road, conn, [_letter(name) for name in names])


async def _waiting(road: Road) -> int:
    async with road.pool.acquire() as conn:
        counted: int = await conn.fetchval("select count(*) from letter")
    return counted


async def test_letters_leave_in_their_order_and_are_gone_then(
    road: Road, tmp_path: Path, server: MailServer
) -> None:
    """And in the database nobody can read them meanwhile."""
    await _post(road, "alice", "bob")
    async with road.pool.acquire() as conn:
        lying = b"".join(row["sealed"] for row in await conn.fetch("select sealed from letter"))
    assert not [word for word in (b"alice", b"bob", b"mail.example") if word in lying]
    await Mailing(road, _carrier(tmp_path, server.port)).work()
    heard = [server.heard.get(timeout=10) for _ in range(2)]
    assert [True, True] == [b"alice@mail.example" in heard[0], b"bob@mail.example" in heard[1]]
    assert (True, 0) == (server.heard.empty(), await _waiting(road))


async def test_a_letter_of_a_process_that_died_is_sent_by_another_under_the_same_name(
    road: Road, tmp_path: Path, clock: MovingClock, server: MailServer
) -> None:
    """Taken out, handed over, and then the power went: the receiver can tell that it is the same letter."""
    await _post(road, "alice")
    async with road.pool.acquire() as conn:
        (taken,) = await store.take(conn, now=road.clock(), until=road.clock() + LEASE, limit=8)
    carrier = _carrier(tmp_path, server.port)
    await asyncio.to_thread(carrier.deliver, postbox.opened(road, taken), f"letter-{taken.id}")
    mailing = Mailing(road, carrier)
    await mailing.work()
    assert 1 == await _waiting(road)  # the lease of the dead one holds
    clock.move(seconds=LEASE.total_seconds() + 1)
    await mailing.work()
    names = {
        email.message_from_bytes(server.heard.get(timeout=10), policy=email.policy.default)["Message-ID"]
        for _ in range(2)
    }
    assert ({f"<letter-{taken.id}@example.org>"}, 0) == (names, await _waiting(road))


async def test_processes_beside_each_other_send_each_letter_once(
    road: Road, tmp_path: Path, server: MailServer
) -> None:
    """Whoever takes one out has it alone."""
    await _post(road, *(f"person{number}" for number in range(20)))
    workers = [Mailing(road, _carrier(tmp_path, server.port)) for _ in range(3)]
    while await _waiting(road):
        await asyncio.gather(*(worker.work() for worker in workers))
    heard = [server.heard.get(timeout=10) for _ in range(20)]
    assert (True, 20) == (server.heard.empty(), len(set(heard)))


async def test_a_mail_server_that_is_away_gets_it_later_and_not_for_ever(
    road: Road, tmp_path: Path, clock: MovingClock, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """After two days the person has asked again, or it is no news any more."""
    await _post(road, "alice")
    mailing = Mailing(road, _carrier(tmp_path, unused_tcp_port))
    seconds = await mailing.work()
    assert 1 < seconds <= 5
    clock.move(seconds=6)
    assert 5 < await mailing.work() <= 30
    assert 1 == await _waiting(road)
    clock.move(seconds=(KEPT + timedelta(hours=1)).total_seconds())
    await mailing.work()
    assert (0, True) == (await _waiting(road), "a letter was given up" in caplog.text)
    assert "alice" not in caplog.text


@pytest.mark.parametrize("refusals", [(b"554 nobody here",)])
async def test_a_letter_that_is_refused_for_good_holds_up_no_other(
    road: Road, tmp_path: Path, server: MailServer
) -> None:
    """The first is thrown away, the second leaves."""
    await _post(road, "gone", "bob")
    await Mailing(road, _carrier(tmp_path, server.port)).work()
    assert (True, 0) == (b"bob@mail.example" in server.heard.get(timeout=10), await _waiting(road))


async def test_a_letter_sealed_with_another_key_is_thrown_away(
    road: Road, tmp_path: Path, server: MailServer
) -> None:
    """A copied row opens nothing, and stops nothing."""
    await _post(road, "alice")
    async with road.pool.acquire() as conn:
        await conn.execute("update letter set id = id + 1")
    await Mailing(road, _carrier(tmp_path, server.port)).work()
    assert (True, 0) == (server.heard.empty(), await _waiting(road))


async def test_what_a_page_sends_lies_in_the_postbox_before_the_process_ends(road: Road) -> None:
    """`send` does not wait; the end of the process does."""
    posting = Posting(road)
    posting.send(_letter())
    await posting.close()
    assert 1 == await _waiting(road)


async def test_the_running_server_sends_what_its_pages_write(serve: Serve, server: MailServer) -> None:
    """From the page through the database to the mail server, woken by an event and not by a clock."""
    client = await serve(mail=Mail(smtp_url=f"smtp://127.0.0.1:{server.port}"))
    client.app[keys.MAIL].send(_letter("carol"))
    assert b"carol@mail.example" in await asyncio.to_thread(server.heard.get, timeout=20)
