"""Reads the settings: default, `DATA/yanlu.toml`, environment, command line, each over the one before.

A name that `server.settings` does not have is an error, wherever it stands, and the nearest name is told.
"""

from __future__ import annotations

import difflib
import os
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
    for source, layer in layers:
        values |= layer
        sources |= dict.fromkeys(layer, source)
    values["data"] = str(data)
    return Loaded(settings=completed(_build(values, sources)), sources=sources)


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
            values[entry.path] = value
    return values


def _from_file(file: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(file.read_text("utf-8"))
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
        if path not in _BY_PATH:
            raise SettingsError(f"{file}: {path}: no such setting.{_nearest(path, _BY_PATH)}")
        values[path] = ",".join(map(str, value)) if isinstance(value, list) else value
    return values


def _flat(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and name in _SECTIONS:
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else " `yanlu settings` lists all there are."


def _build(values: Mapping[str, object], sources: Mapping[str, str]) -> Settings:
    whole: dict[str, Any] = {}
    for path, value in values.items():
        section, _, name = path.rpartition(".")
        (whole.setdefault(section, {}) if section else whole)[name] = value
        _check_alone(_BY_PATH[path], value, sources[path])
    return _convert(whole)


def _check_alone(entry: Entry, value: object, source: str) -> None:
    """Converts one value by itself, so that the error can name the setting as the person wrote it."""
    try:
        _convert({entry.section: {entry.name: value}} if entry.section else {entry.name: value})
    except msgspec.ValidationError as error:
        wanted = f"must be one of {', '.join(entry.choices)}" if entry.choices else str(error)
        shown = "" if entry.secret else f" (it is {value!r})"
        name = entry.variable if source == "environment" else entry.path
        raise SettingsError(f"{name}: {wanted.partition(' - at ')[0]}{shown}") from error


def _convert(document: Mapping[str, Any]) -> Settings:
    return msgspec.convert(document, Settings, strict=False, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    return Path(value) if kind is Path else value
