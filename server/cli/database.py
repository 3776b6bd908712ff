"""`yanlu migrate`."""

from __future__ import annotations

import asyncio

from ..db import access
from . import terminal
from .command import Call, Commands, add


def add_to(commands: Commands) -> None:
    add(commands, "migrate", _migrate, "bring the database's tables up to this program")


def _migrate(call: Call) -> int:
    with access.running(call.settings) as (settings, cluster):
        applied = asyncio.run(access.prepare(settings, cluster))
    if call.is_json:
        terminal.tell({"applied": applied})
    elif applied:
        terminal.say(*(f"applied {terminal.bold(name)}" for name in applied))
    else:
        terminal.say("nothing to do: the tables are up to date")
    return 0
