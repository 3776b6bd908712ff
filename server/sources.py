"""Reads the settings: default, `DATA/yanlu.toml`, environment, command line, each over the one before.

A name that `server.settings` does not have is an error, wherever it stands, and the nearest name is told.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from .settings import ENTRIES, Entry, Settings, SettingsError, completed

FILE = "yanlu.toml"
_PREFIX = "YANLU_"
_BY_PATH = {entry.path: entry for entry in ENTRIES}
_BY_VARIABLE = {entry.variable: entry for entry in ENTRIES}
_SECTIONS = {entry.section for entry in ENTRIES if entry.section}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and for each by its path where its value comes from."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    environ: Mapping[str, str] | None = None, *, arguments: Mapping[str, object] | None = None
) -> Loaded:
    """Reads all sources; `arguments` are the command line's, by path. Raises `SettingsError`."""
    variables = _from_environment(os.environ if environ is None else environ)
    given = {path: value for path, value in (arguments or {}).items() if value is not None}
    data = Path(str(given.get("data") or variables.get("data") or _default_data())).expanduser().absolute()
    layers = ((FILE, _from_file(data / FILE)), ("environment", variables), ("command line", given))
    values: dict[str, object] = {}
    sources = {entry.path: "default" for entry in ENTRIES}
    for path, value in given.items():
        _check_alone(_BY_PATH[path], value, path)
    for source, layer in layers:
        values |= layer
        sources |= dict.fromkeys(layer, source)
    values["data"] = str(data)
    return Loaded(settings=completed(_build(values)), sources=sources)


def _default_data() -> Path:
    # PostgreSQL refuses to run as root and gets another account then, which cannot look into root's home.
    return Path("/var/lib/yanlu") if os.name == "posix" and os.geteuid() == 0 else Path("data")


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in environ.items():
        if name.startswith(_PREFIX):
            entry = _BY_VARIABLE.get(name)
            if entry is None:
                raise SettingsError(f"{name}: no such setting.{_nearest(name, _BY_VARIABLE)}")
            _check_alone(entry, value, name)
            values[entry.path] = value
    return values


def _from_file(file: Path) -> dict[str, object]:
    try:
        text = file.read_text("utf-8")
        document = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    values: dict[str, object] = {}
    for path, value in _flat(document):
        if path == "data":
            raise SettingsError(
                f"{file}: data cannot be set in a file that lies in it; use {_PREFIX}DATA or --data"
            )
        name, entry = f"{_place(file, text, path)}: {path}", _BY_PATH.get(path)
        if entry is None:
            raise SettingsError(f"{name}: no such setting.{_nearest(path, (*_BY_PATH, *_SECTIONS))}")
        is_several = isinstance(value, list) and isinstance(entry.default, str)
        values[path] = ",".join(map(str, value)) if is_several else value
        _check_alone(entry, values[path], name)
    return values


def _flat(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and name in _SECTIONS:
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _place(file: Path, text: str, path: str) -> str:
    """The file, with the line at which a setting stands, for an error message: tomllib does not say."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        name, is_setting, _ = line.partition("=")
        name = re.sub(r"[\s\"']", "", name)
        if name.startswith("["):
            section = name = name.partition("#")[0].strip("[]")
        elif is_setting and section:
            name = f"{section}.{name}"
        if name == path:
            return f"{file}, line {number}"
    return str(file)


def _nearest(name: str, known: Iterable[str]) -> str:
    if name in _SECTIONS:
        return f" It is a section: write [{name}], and its settings below."
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else " `yanlu settings` lists all there are."


def _build(values: Mapping[str, object]) -> Settings:
    whole: dict[str, Any] = {}
    for path, value in values.items():
        section, _, name = path.rpartition(".")
        (whole.setdefault(section, {}) if section else whole)[name] = value
    return _convert(whole)


def _check_alone(entry: Entry, value: object, name: str) -> None:
    """Converts one value by itself, so that the error can name it as the person wrote it, and where."""
    try:
        _convert({entry.section: {entry.name: value}} if entry.section else {entry.name: value})
    except msgspec.ValidationError as error:
        wanted = f"must be one of {', '.join(entry.choices)}" if entry.choices else str(error)
        shown = "" if entry.secret else f" (it is {value!r})"
        raise SettingsError(f"{name}: {wanted.partition(' - at ')[0]}{shown}") from error


def _convert(document: Mapping[str, Any]) -> Settings:
    return msgspec.convert(document, Settings, strict=False, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    return Path(value) if kind is Path else value
