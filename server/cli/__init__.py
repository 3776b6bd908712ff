"""The `yanlu` command: for the operator, and stable for scripts. Each family of commands has its module."""

from __future__ import annotations

import argparse
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
from . import (
    account,
    certification,
    database,
    demo,
    doctor,
    filing,
    identity,
    names,
    organisation,
    routes,
    rules,
    serve,
    settings,
    signing,
    terminal,
    tiers,
    token,
    vault,
)
from .command import add_common, call_of

FAMILIES = (
    *(serve, database, demo, doctor, settings, routes),
    *(account, identity, token, rules, vault, names, signing, certification, organisation, tiers, filing),
)

_USAGE = 2
_FAILED = 1
_INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status says how it went."""
    arguments = parser().parse_args(words)
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


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(prog="yanlu", description="Yanlu, a federated microblog server.")
    whole.set_defaults(data=None, json=False)
    add_common(whole)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for family in FAMILIES:
        family.add_to(commands)
    return whole


def _fail(arguments: argparse.Namespace, message: str, status: int) -> int:
    if arguments.json:
        terminal.tell({"error": message})
    terminal.fail(message)
    return status
