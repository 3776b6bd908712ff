"""Which user names and addresses may be taken by somebody new."""

from __future__ import annotations

import re

from .errors import Invalid
from .uris import USERNAME

# Names that read as the server itself, or as a path of it.
RESERVED = frozenset(
    name
    for line in (
        "about abuse account accounts actor admin administrator api auth compliance contact editor help",
        "home host_meta inbox info login logout mail media moderator nobody noreply oauth official operator",
        "outbox owner postmaster privacy register report root rules search security server settings staff",
        "static status support system terms users webmaster well_known www yanlu",
    )
    for name in line.split()
)
_PLAIN = r"""[^\s@\x00-\x1f\x7f<>(),;:\\"\[\]]"""
_EMAIL = re.compile(rf"{_PLAIN}{{1,64}}@{_PLAIN}{{1,189}}\.[^\s@.]{{2,63}}|{_PLAIN}{{1,64}}@localhost")


def check_username(username: str, host: str) -> str:
    """`username` if it may be taken by somebody new; raises `Invalid`."""
    username = username.strip().removeprefix("@")
    if not USERNAME.fullmatch(username):
        raise Invalid("Use 1 to 30 letters, digits or underscores", field="username")
    if username.lower() in RESERVED or username.lower() == host.partition(":")[0]:
        raise Invalid("This name is reserved", field="username")
    return username


def check_email(email: str) -> str:
    """`email` in the form in which it is compared; raises `Invalid`."""
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise Invalid("This does not look like an e-mail address", field="email")
    return email
