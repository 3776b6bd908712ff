"""`yanlu settings`: every setting, its value, where that comes from, and what it is for."""

from __future__ import annotations

from ..settings import ENTRIES, Entry, Settings
from ..sources import FILE
from . import terminal
from .command import Call, Commands, add


def add_to(commands: Commands) -> None:
    add(commands, "settings", _settings, "show every setting: name, value, source, default, help")


def _settings(call: Call) -> int:
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


def _shown(entry: Entry, settings: Settings) -> object:
    value = entry.value(settings)
    if entry.secret and value:
        return "(set)"
    return value if isinstance(value, (int, str)) else str(value)
