"""The letters we send, as values: whoever asked for one sends it after the transaction that made its link.

A link is built from the configured origin, never from a request's Host. A letter holds no picture and no
tracking.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.i18n import mark, translate


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail. A paragraph that is only a link is what the letter is about."""

    locale: str
    to: str
    subject: str
    text: str


_SIGN_OFF = mark("If you did not ask for this, you can ignore this mail; nothing will change.")


def confirm(locale: str, *, to: str, username: str, site: str, link: str) -> Letter:
    """Asks whether the address is right."""
    return _letter(
        locale,
        to,
        mark("Confirm your address for %(site)s"),
        (
            mark("Hello @%(username)s,"),
            mark("open this page within 24 hours and press the button to confirm your address:"),
            "%(link)s",
            _SIGN_OFF,
        ),
        {"username": username, "site": site, "link": link},
    )


def already_here(locale: str, *, to: str, username: str, site: str, link: str) -> Letter:
    """Tells the owner of an address that somebody tried to sign up with it once more."""
    return _letter(
        locale,
        to,
        mark("You already have an account on %(site)s"),
        (
            mark("Hello @%(username)s,"),
            mark("somebody tried to sign up with your address, but your account exists already."),
            mark("If that was you, log in, or choose a new password here:"),
            "%(link)s",
            _SIGN_OFF,
        ),
        {"username": username, "site": site, "link": link},
    )


def reset(locale: str, *, to: str, username: str, site: str, link: str) -> Letter:
    """Carries the link with which a new password is set."""
    return _letter(
        locale,
        to,
        mark("Choose a new password for %(site)s"),
        (
            mark("Hello @%(username)s,"),
            mark("open this page within 30 minutes to choose a new password. The link works once:"),
            "%(link)s",
            _SIGN_OFF,
        ),
        {"username": username, "site": site, "link": link},
    )


def password_changed(locale: str, *, to: str, username: str, site: str, link: str) -> Letter:
    """Tells the owner that the password is another one now."""
    return _letter(
        locale,
        to,
        mark("Your password on %(site)s was changed"),
        (
            mark("Hello @%(username)s,"),
            mark("the password of your account was changed, and every other session was ended."),
            mark("If that was not you, take your account back here at once:"),
            "%(link)s",
        ),
        {"username": username, "site": site, "link": link},
    )


def certification_question(locale: str, *, to: str, username: str, site: str, link: str) -> Letter:
    """Says that the reviewer of an application asks for more. What is asked stands on the page only."""
    return _letter(
        locale,
        to,
        mark("A question about the certification of @%(username)s"),
        (
            mark("Hello,"),
            mark(
                "the reviewer of the certification of @%(username)s on %(site)s asks for more. Answer here:"
            ),
            "%(link)s",
        ),
        {"username": username, "site": site, "link": link},
    )


def certification_due(
    locale: str, *, to: str, username: str, site: str, link: str, date: str, days: int
) -> Letter:
    """Reminds of the yearly renewal."""
    return _letter(
        locale,
        to,
        mark("The certification of @%(username)s ends on %(date)s"),
        (
            mark("Hello,"),
            mark(
                "the certification of @%(username)s on %(site)s ends on %(date)s. Within %(days)s days,"
                " apply for its renewal here:"
            ),
            "%(link)s",
            mark("After that day the mark is taken away; the account itself stays as it is."),
        ),
        {"username": username, "site": site, "link": link, "date": date, "days": str(days)},
    )


def certification_ended(locale: str, *, to: str, username: str, site: str, link: str) -> Letter:
    """Says that the mark was taken away because its time was over."""
    return _letter(
        locale,
        to,
        mark("The certification of @%(username)s has ended"),
        (
            mark("Hello,"),
            mark("the certification of @%(username)s on %(site)s has ended, and its mark is taken away."),
            mark("You can apply anew here:"),
            "%(link)s",
        ),
        {"username": username, "site": site, "link": link},
    )


def identity_due(
    locale: str, *, to: str, username: str, site: str, link: str, date: str, ends: str
) -> Letter:
    """Reminds of the day by which an identity is to be verified again, and of what ends after it."""
    return _letter(
        locale,
        to,
        mark("The identity of @%(username)s is to be verified again by %(date)s"),
        (
            mark("Hello @%(username)s,"),
            mark("the identity of your account on %(site)s is to be verified again by %(date)s. Do it here:"),
            "%(link)s",
            mark(
                "Without it you can publish until %(ends)s. After that you can still read, export your data"
                " and delete your account."
            ),
        ),
        {"username": username, "site": site, "link": link, "date": date, "ends": ends},
    )


def identity_asked(
    locale: str, *, to: str, username: str, site: str, link: str, date: str, ends: str, reason: str
) -> Letter:
    """The operator asks somebody among others to verify again, and says why."""
    return _letter(
        locale,
        to,
        mark("%(site)s asks you to verify the identity of @%(username)s again by %(date)s"),
        (
            mark("Hello @%(username)s,"),
            mark("the operators of %(site)s ask you to verify the identity of your account again, because:"),
            "%(reason)s",
            mark("Please do it by %(date)s, here:"),
            "%(link)s",
            mark(
                "Without it you can publish until %(ends)s. After that you can still read, export your data"
                " and delete your account."
            ),
        ),
        {
            "username": username,
            "site": site,
            "link": link,
            "date": date,
            "ends": ends,
            "reason": " ".join(reason.split()),
        },
    )


def _letter(
    locale: str, to: str, subject: str, paragraphs: tuple[str, ...], values: dict[str, str]
) -> Letter:
    said = (translate(locale, paragraph, values) for paragraph in paragraphs)
    text = "\n\n".join(said) + "\n"
    return Letter(locale=locale, to=to, subject=translate(locale, subject, values), text=text)
