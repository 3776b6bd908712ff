"""Letters on their way out."""

from __future__ import annotations

import email
import email.policy
import logging
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from server import letters
from server.letters import Letter
from server.providers import mail
from server.sections import Mail
from server.settings import Settings
from tests.fixtures.smtp import MailServer

LINK = "https://yanlu.example/confirm?token=abc-DEF_123=&x=1"


def _settings(tmp_path: Path, **options: str) -> Settings:
    return Settings(origin="https://yanlu.example", data=tmp_path, mail=Mail(**options))


def _sink(tmp_path: Path, **options: str) -> mail.SinkCarrier:
    carrier = mail.open_carrier(_settings(tmp_path, **options))
    assert isinstance(carrier, mail.SinkCarrier)
    return carrier


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
    _sink(tmp_path, sink=str(tmp_path / "sink")).send(sent)
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
    mailer = _sink(tmp_path)
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
    _sink(tmp_path, sink=str(tmp_path / "sink")).send(_letter(to=to))
    for file in tmp_path.rglob("*.eml"):
        assert tmp_path / "sink" == file.parent
        assert _read(file)["Bcc"] is None
    assert "b.example" not in caplog.text


@pytest.fixture
def refusals() -> tuple[bytes, ...]:
    return ()


@pytest.fixture
def server(refusals: tuple[bytes, ...]) -> Iterator[MailServer]:
    made = MailServer(*refusals)
    yield made
    made.close()


def test_smtp_takes_the_letter_under_the_name_it_is_given(
    tmp_path: Path, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A letter that goes out twice can be told by its name; nothing of the person is logged."""
    caplog.set_level(logging.DEBUG)
    carrier = mail.open_carrier(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}"))
    carrier.deliver(_letter(), "letter-7")
    heard = server.heard.get(timeout=10)
    message = email.message_from_bytes(heard, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    assert LINK in body.get_content()
    assert "<letter-7@yanlu.example>" == message["Message-ID"]
    assert max(len(line) for line in heard.split(b"\r\n")) <= 998
    assert "alice" not in caplog.text


@pytest.mark.parametrize(
    ("refusals", "kind"),
    [((b"554 no",), mail.LetterRefused), ((b"451 later",), mail.NotTaken)],
)
def test_what_a_mail_server_says_for_good_is_told_from_what_it_says_for_now(
    tmp_path: Path, server: MailServer, kind: type[Exception]
) -> None:
    """A greylist is no refusal; a full stop is not tried again."""
    carrier = mail.open_carrier(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}"))
    with pytest.raises(kind):
        carrier.deliver(_letter(), "letter-7")


def test_a_mail_server_that_is_away_does_not_take_it(tmp_path: Path, unused_tcp_port: int) -> None:
    """The letter is tried again later."""
    carrier = mail.open_carrier(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{unused_tcp_port}"))
    with pytest.raises(mail.NotTaken):
        carrier.deliver(_letter(), "letter-7")


def test_an_address_that_no_header_may_hold_is_refused(tmp_path: Path, server: MailServer) -> None:
    """By SMTP as well as in the folder."""
    carrier = mail.open_carrier(_settings(tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}"))
    with pytest.raises(mail.LetterRefused):
        carrier.deliver(_letter(to="a@b.example\r\nBcc: all@b.example"), "letter-7")


def test_an_address_that_is_no_mail_server_is_refused_at_start(tmp_path: Path) -> None:
    """Better than at the first letter."""
    with pytest.raises(ValueError, match="smtp_url"):
        mail.open_carrier(_settings(tmp_path, smtp_url="https://mail.example"))
