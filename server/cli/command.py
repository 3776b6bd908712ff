"""How a command is made: its place in the command line, its settings, and the road it works on.

Every command takes `--data` and `--json`, and works whether the server runs or not: the embedded database is
found running, or is started for as long as the command takes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec

from ..db import access
from ..ids import MAX_ID, Clock, system_clock
from ..opening import found, open_road, worker_number
from ..pipeline import Road
from ..settings import Settings, completed
from ..sources import Loaded, load

ORIGIN = "origin"
"""File in the data folder that says which origin the server was last started with."""
LAST_START = "last start"

T = TypeVar("T")
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


@dataclass(frozen=True, slots=True)
class Call:
    """One use of the command line: what was typed, and the settings it is to work with."""

    arguments: argparse.Namespace
    loaded: Loaded

    @property
    def settings(self) -> Settings:
        return self.loaded.settings

    @property
    def is_json(self) -> bool:
        return bool(self.arguments.json)

    def __getattr__(self, name: str) -> Any:
        """What was typed for the option or place `name`."""
        return getattr(self.arguments, name)


Run: TypeAlias = Callable[[Call], int]
"""Does what a command is for, and gives the exit status."""


def add(commands: Commands, name: str, run: Run, help_: str) -> argparse.ArgumentParser:
    """A command; its own options are added to what is returned."""
    parser = commands.add_parser(name, help=help_, description=help_[:1].upper() + help_[1:] + ".")
    add_common(parser)
    parser.set_defaults(run=run)
    return parser


def add_family(commands: Commands, name: str, help_: str) -> Commands:
    """A word that others follow, as in `account create`."""
    parser = commands.add_parser(name, help=help_, description=help_[:1].upper() + help_[1:] + ".")
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options of all commands; before or after the command's own words."""
    parser.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help="the server's data folder")
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="answer with JSON, for programs"
    )


def number(text: str) -> int:
    """For places that take the number of something in the database."""
    try:
        found = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 <= found <= MAX_ID:
        raise argparse.ArgumentTypeError(f"there is no number {text}")
    return found


def call_of(arguments: argparse.Namespace) -> Call:
    """The call with its settings. Raises `SettingsError`.

    Where no origin is set, it is the one that the server was last started with: its port may have come from
    that command line, and what a command makes must belong to the same origin.
    """
    given = {"data": arguments.data}
    for option, path in (("host", "server.host"), ("port", "server.port"), ("workers", "server.workers")):
        given[path] = getattr(arguments, option, None)
    loaded = load(arguments=given)
    if loaded.sources["origin"] == "default":
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            origin = (loaded.settings.data / ORIGIN).read_text("utf-8").strip()
            settings = completed(msgspec.structs.replace(loaded.settings, origin=origin))
            loaded = Loaded(settings, {**loaded.sources, "origin": LAST_START})
    return Call(arguments, loaded)


def on_road(call: Call, work: Callable[[Road], Awaitable[T]], *, clock: Clock = system_clock) -> T:
    """Does `work` on a road of its own, migrated and founded."""
    with access.running(call.settings) as (settings, cluster), worker_number(settings.data) as number:

        async def whole() -> T:
            await access.prepare(settings, cluster)
            async with open_road(settings, worker=number, clock=clock, for_jobs=True) as road:
                await found(road)
                return await work(road)

        return asyncio.run(whole())
