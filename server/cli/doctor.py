"""`yanlu doctor`: looks at what a server needs, and says what to do where something is amiss."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ..db import access
from ..db.embedded import APP, Cluster
from ..db.pool import Connection
from ..db.roles import find_app_role
from ..ids import moment_of
from ..opening import SECRET
from ..settings import Settings, warnings
from . import terminal
from .command import Call, Commands, add

_GIBIBYTE = 1024**3
_LITTLE_SPACE = 2 * _GIBIBYTE
_CLOCK_SECONDS = 5.0

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what to do about it."""

    subject: str
    state: State
    said: str
    advice: str = ""


def add_to(commands: Commands) -> None:
    add(commands, "doctor", _doctor, "check settings, database, disk, clock and name, and say what to do")


def _doctor(call: Call) -> int:
    settings = call.settings
    checks = [
        *_settings(settings),
        *_folder(settings),
        *_disk(settings),
        *_name(settings),
        *_database(settings),
    ]
    if call.is_json:
        terminal.tell([{name: getattr(check, name) for name in Check.__slots__} for check in checks])
    else:
        for check in checks:
            terminal.say(f"{_mark(check.state)} {terminal.bold(check.subject)}: {check.said}")
            if check.advice:
                terminal.say(terminal.dim(f"    {check.advice}"))
    return 1 if any(check.state == "error" for check in checks) else 0


def _settings(settings: Settings) -> Iterator[Check]:
    yield Check("settings", "ok", f"read; this is a {settings.env} server")
    for text in warnings(settings):
        yield Check("settings", "warning", text, "good for development and tests only")
    if settings.is_production and settings.mail.sink:
        yield Check("mail", "warning", "mails are written to files", "empty mail.sink and set mail.smtp_url")
    elif settings.is_production and not settings.mail.smtp_url:
        yield Check("mail", "error", "there is no way to send mail", "set mail.smtp_url and mail.sender")
    if settings.is_production and settings.sms.driver == "sink":
        yield Check(
            "sms", "error", "text messages are written to files", "set sms.driver, as in docs/PROVIDERS.md"
        )


def _folder(settings: Settings) -> Iterator[Check]:
    data = settings.data
    if not data.exists():
        yield Check("data", "ok", f"{data} will be made at the first start")
        return
    if not os.access(data, os.W_OK | os.X_OK):
        yield Check("data", "error", f"{data} cannot be written to", "run as the user who owns it")
        return
    yield Check("data", "ok", f"{data} can be written to")
    if settings.vault.keys or settings.vault.kms_url:
        return
    secret = Path(settings.vault.keys_file) if settings.vault.keys_file else data / SECRET
    if secret.exists() and secret.stat().st_mode & 0o077:
        yield Check("secret", "error", f"{secret} can be read by others", f"chmod 400 {secret}")
    elif secret.exists():
        yield Check("secret", "ok", f"{secret}: keep a copy apart from the backups of the database")


def _disk(settings: Settings) -> Iterator[Check]:
    place = next(each for each in (settings.data, *settings.data.parents) if each.exists())
    free = shutil.disk_usage(place).free
    said = f"{free / _GIBIBYTE:.1f} GiB free at {place}"
    if free < _LITTLE_SPACE:
        yield Check("disk", "warning", said, "make room: the database stops when there is none left")
    else:
        yield Check("disk", "ok", said)


def _name(settings: Settings) -> Iterator[Check]:
    host = urlsplit(settings.origin).hostname or ""
    try:
        found = sorted(
            {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        )
    except OSError:
        yield Check("name", "error", f"{host} is not known to DNS", f"let {host} point to this machine")
        return
    yield Check("name", "ok", f"{host} is {', '.join(found)}")
    if settings.origin.startswith("http://"):
        yield Check(
            "name",
            "ok" if not settings.is_production else "error",
            f"{settings.origin} is for this machine only",
            "for others to reach it, set origin to https:// and put a proxy with a certificate in front",
        )


def _database(settings: Settings) -> Iterator[Check]:
    if not settings.database.url and not (settings.data / "postgres").exists():
        yield Check("database", "ok", "embedded; will be made at the first start")
        return
    try:
        with access.running(settings) as (complete, cluster):
            yield from asyncio.run(_ask(complete, cluster))
    except (access.DatabaseError, OSError) as error:
        yield Check("database", "error", str(error), "see that it runs, and that database.url is right")


async def _ask(settings: Settings, cluster: Cluster | None) -> list[Check]:
    kind = "embedded" if cluster else "external"
    async with access.connected(settings.database.url) as conn:
        version: str = await conn.fetchval("show server_version")
        checks = [Check("database", "ok", f"{kind} PostgreSQL {version.split(maxsplit=1)[0]} answers")]
        checks += await _roles(conn)
        checks += await _clock(conn)
    pending = await access.find_pending(settings)
    if pending:
        checks.append(
            Check(
                "tables", "warning", f"{len(pending)} migrations wait", "yanlu migrate; serve does it as well"
            )
        )
    else:
        checks.append(Check("tables", "ok", "up to date"))
    return checks


async def _roles(conn: Connection) -> Iterator[Check]:
    login = await conn.fetchval("select current_user")
    if login == APP or await find_app_role(conn):
        return iter((Check("roles", "ok", "the running server may not alter tables or the log"),))
    return iter(
        (
            Check(
                "roles",
                "warning",
                f"the login {login} owns the tables, so a break-in could alter the log",
                f"as a superuser: create role {APP} nologin; grant {APP} to {login};",
            ),
        )
    )


async def _clock(conn: Connection) -> list[Check]:
    begun = time.time()
    theirs: datetime = await conn.fetchval("select clock_timestamp()")
    ours = datetime.fromtimestamp((begun + time.time()) / 2, UTC)
    away = abs((theirs - ours).total_seconds())
    if away > _CLOCK_SECONDS:
        said = f"this machine and the database are {away:.0f} s apart"
        return [Check("clock", "error", said, "set both by NTP: signatures of other servers depend on it")]
    newest: int | None = None
    if await conn.fetchval("select to_regclass('compliance.decision') is not null"):
        newest = await conn.fetchval("select max(id) from compliance.decision")
    if newest and (moment_of(newest) - ours).total_seconds() > _CLOCK_SECONDS:
        said = f"it was {moment_of(newest):%Y-%m-%d %H:%M} UTC here before, and is {ours:%Y-%m-%d %H:%M} now"
        return [Check("clock", "error", said, "the clock went back: set it by NTP")]
    return [Check("clock", "ok", f"{ours:%Y-%m-%d %H:%M:%S} UTC, as in the database")]


def _mark(state: State) -> str:
    match state:
        case "ok":
            return terminal.green("✓")
        case "warning":
            return terminal.yellow("!")
        case "error":
            return terminal.red("✗")
