"""Letters on their way out."""

from __future__ import annotations

import email
import email.policy
import logging
import queue
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from server import letters
from server.letters import Letter
from server.providers import mail
from server.sections import Mail
from server.settings import Settings

LINK = "https://yanlu.example/confirm?token=abc-DEF_123=&x=1"


def _settings(tmp_path: Path, **options: str) -> Settings:
    return Settings(origin="https://yanlu.example", data=tmp_path, mail=Mail(**options))


def _letter(to: str = "alice@mail.example", locale: str = "zh-CN") -> Letter:
    return letters.confirm(locale, to=to, username="alice", site="言路 <Yanlu>", link=LINK)


def _read(file: Path) -> EmailMessage:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_letter_is_text_and_a_page_with_the_same_words(tmp_path: Path, locale: str) -> None:
    """Each reader shows one of the two; the link must be in both, and hostile names harmless in both."""
    sent = _letter(locale=locale)
    mail.open_mailer(_settings(tmp_path, sink=str(tmp_path / "sink"))).send(sent)
    (file,) = (tmp_path / "sink").iterdir()
    message = _read(file)
    assert sent.subject == message["Subject"]
    assert "alice@mail.example" == message["To"]
    assert "no-reply@yanlu.example" == message["From"].addresses[0].addr_spec
    assert "auto-generated" == message["Auto-Submitted"]
    assert "@yanlu.example>" in message["Message-ID"]
    text, page = (part.get_content() for part in message.iter_parts())
    assert sent.text.split() == text.split()
    assert f'<html lang="{locale}">' in page
    assert 'href="https://yanlu.example/confirm?token=abc-DEF_123=&amp;x=1"' in page
    assert "言路 &lt;Yanlu&gt;" in page
    assert "<script" not in page


def test_a_sink_file_can_be_read_as_it_is(tmp_path: Path) -> None:
    """A developer, or a test, copies the link out of the newest file; the name says whose letter it is."""
    mailer = mail.open_mailer(_settings(tmp_path))
    mailer.send(_letter())
    mailer.send(_letter(to="bob+x@mail.example"))
    first, second = sorted((tmp_path / "mail").iterdir())
    assert f"\n{LINK}\n" in first.read_text("utf-8").replace("\r\n", "\n")
    assert "-alice@mail.example-" in first.name
    assert "-bob+x@mail.example-" in second.name
    assert ".eml" == second.suffix


@pytest.mark.parametrize("to", ["../../etc/passwd", "a@b.example\r\nBcc: all@b.example", "", "nobody"])
def test_a_hostile_address_reaches_no_header_and_no_other_folder(
    tmp_path: Path, to: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log tells that something was wrong, not what was written."""
    mail.open_mailer(_settings(tmp_path, sink=str(tmp_path / "sink"))).send(_letter(to=to))
    for file in tmp_path.rglob("*.eml"):
        assert tmp_path / "sink" == file.parent
        assert _read(file)["Bcc"] is None
    assert "b.example" not in caplog.text


class _MailServer:
    """Speaks as much SMTP as a client needs, answers what it is told to, and keeps what it hears."""

    def __init__(self, *refusals: bytes) -> None:
        self.heard: queue.Queue[bytes] = queue.Queue()
        self._refusals = list(refusals)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            conn, _ = self._listener.accept()
            with conn, conn.makefile("rwb", buffering=0) as line:
                try:
                    line.write(b"220 here\r\n")
                    talked = self._talk(line)
                except ConnectionError:
                    return
                if not talked:
                    return

    def _talk(self, line: socket.SocketIO) -> bool:
        talked = False
        for heard in iter(line.readline, b""):
            talked = True
            word = heard[:4].upper()
            if word == b"DATA" and self._refusals:
                answer = self._refusals.pop(0)
            elif word == b"DATA":
                line.write(b"354 go on\r\n")
                self.heard.put(b"".join(iter(line.readline, b".\r\n")))
                answer = b"250 taken"
            else:
                answer = b"221 bye" if word == b"QUIT" else b"250 yes"
            line.write(answer + b"\r\n")
        return talked


@pytest.fixture
def refusals() -> tuple[bytes, ...]:
    return ()


@pytest.fixture
def server(refusals: tuple[bytes, ...]) -> Iterator[_MailServer]:
    made = _MailServer(*refusals)
    yield made
    made.close()


def test_smtp_takes_the_letter_in_the_background(
    tmp_path: Path, server: _MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """`send` returns at once; nothing of the person is logged."""
    caplog.set_level(logging.DEBUG)
    mailer = mail.open_mailer(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}"))
    mailer.send(_letter())
    heard = server.heard.get(timeout=10)
    mailer.close()
    message = email.message_from_bytes(heard, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    assert LINK in body.get_content()
    assert max(len(line) for line in heard.split(b"\r\n")) <= 998
    assert "alice" not in caplog.text


@pytest.mark.parametrize("refusals", [(b"451 later",)])
def test_a_letter_that_is_refused_for_good_is_not_tried_again(
    tmp_path: Path, server: _MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The next letter goes out all the same."""
    mailer = mail.open_mailer(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}"))
    mailer.send(_letter())
    mailer.send(_letter(to="bob@mail.example"))
    assert b"bob@mail.example" in server.heard.get(timeout=10)
    mailer.close()
    assert "a letter was refused" in caplog.text


def test_a_mail_server_that_is_away_holds_nobody_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The letter is tried again later; closing does not wait for that."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mailer = mail.open_mailer(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{port}"))
    mailer.send(_letter())
    mailer.close()
    assert "a letter was given up" in caplog.text


def test_an_address_that_is_no_mail_server_is_refused_at_start(tmp_path: Path) -> None:
    """Better than at the first letter."""
    with pytest.raises(ValueError, match="smtp_url"):
        mail.open_mailer(_settings(tmp_path, smtp_url="https://mail.example"))
