"""`yanlu settings`: every setting, its value, where that comes from, and what it is for."""

from __future__ import annotations

import inspect
from pathlib import Path

from ..settings import ENTRIES, SECTIONS, Entry, Settings
from ..sources import FILE
from . import terminal
from .command import Call, Commands, add

_HEAD = """\
# Settings

Each setting is a line in `yanlu.toml` in the data folder, or a variable in the environment; the environment
wins, and `--data`, `--host`, `--port` and `--workers` on the command line win over both. A name that is not
on this page is an error. `yanlu settings` shows what a server runs with, and where each value comes from.

This page is made by `yanlu settings --markdown`.

```toml
# DATA/yanlu.toml
origin = "https://yanlu.example"

[server]
port = 8001
```
"""


def add_to(commands: Commands) -> None:
    parser = add(commands, "settings", _settings, "show every setting: name, value, source, default, help")
    parser.add_argument("--markdown", action="store_true", help="as the page docs/SETTINGS.md")


def page() -> str:
    """All settings and their defaults, as docs/SETTINGS.md."""
    lines = [_HEAD]
    for section, kind in SECTIONS.items():
        title = f"`[{section}]`" if section else "Without a section"
        lines += [f"## {title}", "", f"{inspect.getdoc(kind)}", ""]
        lines += ["| Name | Variable | Default | |", "| --- | --- | --- | --- |"]
        for entry in ENTRIES:
            if entry.section == section:
                choices = f" One of: {', '.join(entry.choices)}." if entry.choices else ""
                default = f"`{_default(entry)}`" if _default(entry) else ""
                lines.append(f"| `{entry.name}` | `{entry.variable}` | {default} | {entry.help}{choices} |")
        lines.append("")
    return "\n".join(lines)


def _settings(call: Call) -> int:
    if call.markdown:
        print(page(), end="")
        return 0
    if call.is_json:
        terminal.tell(
            [
                {
                    "name": entry.path,
                    "variable": entry.variable,
                    "value": _shown(entry, call.settings),
                    "source": call.loaded.sources[entry.path],
                    "default": entry.default,
                    "help": entry.help,
                }
                for entry in ENTRIES
            ]
        )
        return 0
    section = ""
    for entry in ENTRIES:
        if entry.section != section:
            section = entry.section
            terminal.say("", terminal.bold(f"[{section}]"))
        source = call.loaded.sources[entry.path]
        value = str(_shown(entry, call.settings)) or "(empty)"
        is_set = source != "default"
        terminal.say(
            f"{terminal.bold(entry.name)} = {terminal.green(value) if is_set else value}"
            f"  {terminal.dim(source if is_set else 'default')}",
            f"    {entry.help}",
            terminal.dim(f"    {entry.variable}, or {entry.path} in {call.settings.data / FILE}"),
        )
    return 0


def _default(entry: Entry) -> str:
    if isinstance(entry.default, Path):
        return ""  # depends on who starts it; the help says how
    if entry.path == "server.workers":
        return "2"  # fewer where there are fewer cores
    return str(entry.default).lower() if isinstance(entry.default, bool) else str(entry.default)


def _shown(entry: Entry, settings: Settings) -> object:
    value = entry.value(settings)
    if entry.secret and value:
        return "(set)"
    return value if isinstance(value, (int, str)) else str(value)
