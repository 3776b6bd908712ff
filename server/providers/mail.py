"""Carries letters: by SMTP, or into a folder where a developer reads them.

Whoever sends one does not wait and hears of no failure: no answer may take longer, or read otherwise, because
an address exists. No line of the log holds an address, a subject or a word of a letter.
"""

from __future__ import annotations

import logging
import re
import secrets
import smtplib
import ssl
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

import jinja2
from yarl import URL

from ..i18n import mark, translate
from ..letters import Letter
from ..settings import Settings

_TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "mail"
_PRESS: Final = mark("Open this page")
_SECONDS: Final = 20.0

log = logging.getLogger(__name__)


class LetterRefused(Exception):
    """It is about this letter, and will be the same next time."""


class NotTaken(Exception):
    """The mail server does not take it now."""


class Mailer(Protocol):
    """Takes letters."""

    def send(self, letter: Letter) -> None:
        """Sees to it that the letter leaves; never waits, never raises."""


class Carrier(Protocol):
    """Brings letters away."""

    def deliver(self, letter: Letter, name: str) -> None:
        """Hands it over while the caller waits; `name` is the same at each try, so that a receiver can tell.
        Raises `LetterRefused` or `NotTaken`."""


def open_carrier(settings: Settings) -> SinkCarrier | SmtpCarrier:
    """The carrier that the settings name; with none, letters lie in the data folder."""
    composer = Composer(settings)
    if settings.mail.sink or not settings.mail.smtp_url:
        folder = Path(settings.mail.sink) if settings.mail.sink else settings.data / "mail"
        return SinkCarrier(folder, composer)
    return SmtpCarrier(settings.mail.smtp_url, composer)


class Composer:
    """Makes the message of a letter: its words as text, and the same words as a page."""

    def __init__(self, settings: Settings) -> None:
        origin = URL(settings.origin)
        self.host = origin.host or "localhost"
        self._sender = settings.mail.sender or f"no-reply@{self.host}"
        self._site = settings.site.title
        self._origin = settings.origin
        engine = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._page = engine.get_template("letter.html")

    def compose(self, letter: Letter, now: datetime, *, cte: str, name: str = "") -> EmailMessage:
        """Raises `ValueError` for an address that no header may hold. `cte` is how its bytes are written,
        `name` what it is known by if it is sent more than once."""
        message = EmailMessage(policy=SMTP)
        message["Subject"] = letter.subject
        message["From"] = Address(self._site, addr_spec=self._sender)
        message["To"] = _address(letter.to)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{name}@{self.host}>" if name else make_msgid(domain=self.host)
        # Answering machines must not answer, and their owners not get two letters for one.
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(letter.text, cte=cte)
        message.add_alternative(self._html(letter), subtype="html", cte=cte)
        return message

    def _html(self, letter: Letter) -> str:
        return self._page.render(
            locale=letter.locale,
            subject=letter.subject,
            paragraphs=letter.text.strip().split("\n\n"),
            press=translate(letter.locale, _PRESS),
            site=self._site,
            origin=self._origin,
        )


class SinkCarrier:
    """Writes each letter as an `.eml` file, named by time and receiver; it is there when `send` returns."""

    def __init__(self, folder: Path, composer: Composer) -> None:
        self._folder = folder
        self._composer = composer

    def send(self, letter: Letter) -> None:
        try:
            self.deliver(letter, "")
        except (LetterRefused, NotTaken) as error:
            log.error("a letter could not be written", extra={"error": type(error.__cause__).__name__})

    def deliver(self, letter: Letter, name: str) -> None:
        now = datetime.now(UTC)
        try:
            # As it is, so that a link can be copied out of the file.
            message = self._composer.compose(letter, now, cte="8bit", name=name)
            write_named(self._folder, now, letter.to, ".eml", message.as_bytes())
        except ValueError as error:
            raise LetterRefused from error
        except OSError as error:
            raise NotTaken from error


class SmtpCarrier:
    """Hands letters to a mail server."""

    def __init__(self, url: str, composer: Composer) -> None:
        self._server = URL(url)
        if self._server.scheme not in ("smtp", "smtps") or not self._server.host:
            raise ValueError("mail.smtp_url must look like smtp://user:password@host:587")
        self._composer = composer
        self._name = composer.host

    def deliver(self, letter: Letter, name: str) -> None:
        try:
            self._deliver(
                self._composer.compose(letter, datetime.now(UTC), cte="quoted-printable", name=name)
            )
        except ValueError as error:
            raise LetterRefused from error
        except (smtplib.SMTPException, OSError) as error:
            raise (LetterRefused if _is_final(error) else NotTaken) from error

    def _deliver(self, message: EmailMessage) -> None:
        url = self._server
        trusted = ssl.create_default_context()
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                url.host or "", url.port or 465, self._name, timeout=_SECONDS, context=trusted
            )
        else:
            server = smtplib.SMTP(url.host or "", url.port or 587, self._name, timeout=_SECONDS)
        with server:
            if url.scheme == "smtp" and (url.user or server.has_extn("starttls")):
                server.starttls(context=trusted)  # a password never goes over a line that is open
            if url.user:
                server.login(unquote(url.raw_user or ""), unquote(url.raw_password or ""))
            server.send_message(message)


def _is_final(error: Exception) -> bool:
    """Whether a mail server said 5xx about the letter itself; 4xx is a greylist or a full disk."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused) and error.smtp_code >= 500


def _address(text: str) -> Address:
    try:
        return Address(addr_spec=text)
    except (ValueError, IndexError, MessageError) as error:  # whatever the parser stumbles over
        raise ValueError("not an address") from error


def write_named(folder: Path, now: datetime, receiver: str, ending: str, content: bytes) -> Path:
    """Writes a file that appears whole, named by time and receiver, so that a folder sorts by time."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^\w@.+-]", "_", receiver)[:80]
    name = f"{now:%Y%m%dT%H%M%S.%f}-{plain}-{secrets.token_hex(2)}{ending}"
    partial = folder / f".{name}.part"
    partial.write_bytes(content)
    return partial.rename(folder / name)
