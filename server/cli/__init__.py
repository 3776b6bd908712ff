"""The `yanlu` command: for the operator, and stable for scripts. Each family of commands has its module."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import asyncpg

from compliance.errors import ComplianceError

from ..db.access import DatabaseError
from ..db.migrate import MigrationError
from ..db.programs import EmbeddedError
from ..errors import AppError
from ..settings import SettingsError
from ..supervise import StartError
from . import terminal
from .command import add_common, call_of

FAMILIES = {
    "serve": ("serve",),
    "database": ("migrate",),
    "demo": ("demo",),
    "doctor": ("doctor",),
    "settings": ("settings",),
    "routes": ("routes",),
    "account": ("account",),
    "identity": ("identity",),
    "token": ("token",),
    "rules": ("rules",),
    "vault": ("vault",),
    "names": ("names",),
    "signing": ("signing",),
    "certification": ("certification",),
    "organisation": ("organisation",),
    "tiers": ("tiers",),
    "filing": ("filing", "authority"),
}
"""The modules of the commands, and the words that each answers to; only what is asked for is loaded."""

_USAGE = 2
_FAILED = 1
_INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status says how it went."""
    typed = sys.argv[1:] if words is None else words
    arguments = parser(typed[0] if typed else "").parse_args(typed)
    try:
        status: int = arguments.run(call_of(arguments))
        sys.stdout.flush()
    except SettingsError as error:
        return _fail(arguments, str(error), _USAGE)
    except (AppError, ComplianceError, DatabaseError, EmbeddedError, MigrationError, StartError) as error:
        return _fail(arguments, str(error), _FAILED)
    except BrokenPipeError:
        # Whoever read our words went away, as `head` does; there is nobody to tell anything.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except (OSError, asyncpg.PostgresError) as error:
        return _fail(arguments, f"{type(error).__name__}: {error}", _FAILED)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def parser(command: str = "") -> argparse.ArgumentParser:
    """The command line of one command; of all of them where it is none."""
    whole = argparse.ArgumentParser(prog="yanlu", description="Yanlu, a federated microblog server.")
    whole.set_defaults(data=None, json=False)
    add_common(whole)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = [name for name, its in FAMILIES.items() if command in its]
    for name in asked or FAMILIES:
        importlib.import_module(f".{name}", __name__).add_to(commands)
    return whole


def _fail(arguments: argparse.Namespace, message: str, status: int) -> int:
    if arguments.json:
        terminal.tell({"error": message})
    terminal.fail(message)
    return status
