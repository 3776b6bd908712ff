"""`yanlu demo`: a small community that never was, so that every page can be looked at full of life."""

from __future__ import annotations

import secrets
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime

from ..demo.fill import BEFORE, Filled, StoryClock, fill
from ..pipeline import Road
from . import terminal
from .command import Call, Commands, add, on_road

_WIDTH = 30
_EVERY = 0.1


def add_to(commands: Commands) -> None:
    parser = add(commands, "demo", _demo, "fill an empty server with made-up people and posts")
    parser.add_argument("--force", action="store_true", help="also where people have written already")
    parser.add_argument("--password", metavar="P", help="for everybody made up; random if there is none")


def _demo(call: Call) -> int:
    password: str = call.password or secrets.token_urlsafe(9)
    clock = StoryClock(datetime.now(UTC) - BEFORE)
    bar = _Bar(quiet=call.is_json)

    async def work(road: Road) -> Filled:
        return await fill(road, clock, password=password, force=bool(call.force), tell=bar.tell)

    try:
        filled = on_road(call, work, clock=clock)
    finally:
        bar.end()
    if call.is_json:
        terminal.tell({**asdict(filled), "password": password})
        return 0
    terminal.say(
        f"{filled.people} people, {filled.organisations} organisations, {filled.posts} posts,"
        f" {filled.pictures} pictures, {filled.reports} reports waiting, {filled.held} cases held",
        *terminal.table(
            [
                ("look at it", f"{terminal.link(call.settings.origin)}, once `yanlu serve` runs"),
                ("log in as", f"{terminal.bold('lin_qiao')}, or {terminal.bold('maya_chen')} in English"),
                ("as operator", terminal.bold("zhan_wu")),
                ("password", terminal.bold(password)),
            ]
        ),
    )
    return 0


class _Bar:
    """A line that fills up, on a terminal; elsewhere a line for each new thing that is done."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._moves = sys.stderr.isatty()
        self._label = ""
        self._drawn = 0.0

    def tell(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if self._quiet or (label == self._label and (not self._moves or now - self._drawn < _EVERY)):
            return
        if self._moves:
            full = round(_WIDTH * done / total)
            bar = "━" * full + terminal.dim("━" * (_WIDTH - full))
            print(f"\r\x1b[K{bar} {100 * done // total:3d} %  {label}", end="", file=sys.stderr, flush=True)
        else:
            print(label, file=sys.stderr, flush=True)
        self._label, self._drawn = label, now

    def end(self) -> None:
        """Leaves a clean line behind."""
        if self._moves and not self._quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
