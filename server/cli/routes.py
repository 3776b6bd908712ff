"""`yanlu routes`: every address the server answers at, and what it asks of whoever calls."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from ..app import PARTS
from ..http.routes import Needs, Route, Who, declared
from . import terminal
from .command import Call, Commands, add

_HEAD = """\
# Routes

Every address a server answers at, and what it asks of whoever calls. `{name}` stands for one part of a
path. A route that does not declare what it needs does not start the server.

This page is made by `yanlu routes --markdown`.
"""
_TITLES = {
    "health": "For the operator's own probes",
    "media_routes": "Pictures",
    "activitypub": "Other servers",
    "api": "Apps (Mastodon's client API, OAuth)",
    "web": "Pages",
    "admin": "Pages for operators",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One route as a reader sees it."""

    part: str
    method: str
    path: str
    needs: str
    promise: str


def add_to(commands: Commands) -> None:
    parser = add(commands, "routes", _routes, "list every address the server answers at, and who may call it")
    parser.add_argument("--markdown", action="store_true", help="as the page docs/ROUTES.md")


def rows() -> Iterator[Row]:
    """Every route, in the order in which the parts declare them."""
    for part in PARTS:
        name = part.__name__.rpartition(".")[2]
        for route in part.routes:
            yield Row(name, route.method, route.path, _asks(route), _promise(route))


def page() -> str:
    """All routes, as docs/ROUTES.md."""
    lines = [_HEAD]
    for name, title in _TITLES.items():
        lines += [f"## {title}", "", "| Method | Path | Needs | |", "| --- | --- | --- | --- |"]
        lines += [f"| {r.method} | `{r.path}` | {r.needs} | {r.promise} |" for r in rows() if r.part == name]
        lines.append("")
    return "\n".join(lines)


def _routes(call: Call) -> int:
    if call.markdown:
        print(page(), end="")
    elif call.is_json:
        terminal.tell(
            [{"method": r.method, "path": r.path, "needs": r.needs, "help": r.promise} for r in rows()]
        )
    else:
        terminal.say(*terminal.table([(r.method, r.path, r.needs) for r in rows()]))
    return 0


def _asks(route: Route) -> str:
    needs = declared(route.handler)
    if needs is None:
        return ""
    return " ".join(_parts(needs)) or "nothing"


def _parts(needs: Needs) -> Iterator[str]:
    match needs.who:
        case Who.STAFF:
            yield "role " + " or ".join(sorted(role.value for role in needs.roles))
        case Who.MEMBER:
            yield "log-in"
        case Who.PERSON | Who.APP:
            yield "token with " + " or ".join(needs.scopes)
        case Who.ANYBODY:
            pass
    if needs.fresh:
        yield "and a fresh second factor"


def _promise(route: Route) -> str:
    words = inspect.getdoc(route.handler) or ""
    first = " ".join(words.partition("\n\n")[0].split())
    return first.replace("|", "\\|")
