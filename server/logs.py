"""Log lines: one JSON object each, to a file or standard error. No personal data: ids, never names or words.

What an exception says may repeat what somebody typed, so numbers and addresses in it are blotted out, and of
a database error only its code and constraint are kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import time
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp.http_exceptions import HttpProcessingError

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
"""Id of the request that is being answered; every line written meanwhile carries it."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PERSONAL = re.compile(r"[^\s@'\"]+@[^\s@'\"]+|\+?\d[\d -]{6,}\d[xX]?")
_LONGEST_MESSAGE = 300
_DEEPEST = 30


class JsonLines(logging.Formatter):
    """For machines."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        if (request := REQUEST.get()) is not None:
            line["request"] = request
        line |= _extras(record)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


class ShortLines(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        extras = _extras(record)
        extras.pop("request", None)
        words = " ".join(f"{name}={value}" for name, value in extras.items() if value is not None)
        line = f"{moment} {record.levelname.lower():7} {record.getMessage()} {words}".rstrip()
        if record.exc_info and record.exc_info[1] is not None:
            error = describe(record.exc_info[1])
            frames = "".join(f"\n    {frame}" for frame in error.pop("frames"))
            line += f"\n  {' '.join(str(value) for value in error.values())}{frames}"
        return line


class _Append(logging.Handler):
    """Writes each line with one call, so that lines of several processes do not mix; follows rotation."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor, self._inode = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            with contextlib.suppress(FileNotFoundError):
                if self._path.stat().st_ino == self._inode:
                    os.write(self._descriptor, line)
                    return
            os.close(self._descriptor)
            self._descriptor, self._inode = self._open()
            os.write(self._descriptor, line)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        super().close()

    def _open(self) -> tuple[int, int]:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o640)
        return descriptor, os.fstat(descriptor).st_ino


def configure(path: str, level: str) -> None:
    """Sends every log line of this process to `path`, or to standard error."""
    handler: logging.Handler
    if path:
        handler = _Append(Path(path))
        handler.setFormatter(JsonLines())
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(ShortLines() if sys.stderr.isatty() else JsonLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    # Both say at level info what is only of interest while debugging them.
    for name in ("aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _is_ours(record: logging.LogRecord) -> bool:
    """Leaves out what the library says of requests that are not HTTP: a line and a traceback for whoever
    cares to send noise. Of the rest it leaves out the address, which the log does not hold.
    """
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        return False
    if record.exc_info:
        record.msg, record.args = "a request could not be answered", ()
    return True


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as the log may hold it."""
    code = getattr(error, "sqlstate", None)
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    found: dict[str, Any] = {"type": type(error).__name__}
    if code:
        found |= {"sqlstate": code, "constraint": getattr(error, "constraint_name", None)}
    else:
        found["said"] = _PERSONAL.sub("[…]", str(error))[:_LONGEST_MESSAGE]
    found["frames"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        found["cause"] = type(cause).__name__
    return found


def _short(path: str) -> str:
    """The end of a path: where a machine keeps its files is nobody's business."""
    return "/".join(Path(path).parts[-3:])


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}
