"""Starts the child that decodes a picture or draws a document, waits for it, and says in plain words why one
was not taken."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import msgspec

from ..errors import Invalid
from ..i18n import mark
from .child import LONGEST_SECONDS
from .model import Drawn, Made, Shape

MAX_FRAMES = 500
MAX_PAGES = 10

_BEGIN = """
import sys
sys.path.append(sys.argv[1])
from server.media import child
"""
_DECODE = f"{_BEGIN}child.main(sys.argv[2], *map(int, sys.argv[3:]))"
_DRAW = f"{_BEGIN}child.draw(*map(int, sys.argv[2:]))"
_HOME = str(Path(__file__).parents[2])
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
"""Nothing of ours: no setting, no secret."""

_OVERRUN = {signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM, signal.SIGXFSZ}

_log = logging.getLogger(__name__)


class _Refused(msgspec.Struct, frozen=True):
    fault: str = ""
    detail: str = ""


def decode(upload: IO[bytes], full: IO[bytes], small: IO[bytes], *, max_pixels: int, shape: Shape) -> Made:
    """Has `upload` decoded and encoded anew into the two files. Blocks; raises `Invalid`."""
    files = full.fileno(), small.fileno()
    answer = _run(_DECODE, (shape, max_pixels, MAX_FRAMES, *files), upload, files)
    if isinstance(answer, _Refused):
        _log.info("a picture was refused", extra={"fault": answer.fault, "detail": answer.detail})
        raise _refusal(answer.fault, max_pixels)
    return msgspec.json.decode(answer, type=Made)


def draw(upload: IO[bytes], out: IO[bytes], *, max_pixels: int) -> list[bytes]:
    """Has the pages of a PDF drawn, each a JPEG. `out` is a file to work in. Blocks; raises `Invalid`."""
    file = out.fileno()
    answer = _run(_DRAW, (max_pixels, MAX_PAGES, file), upload, (file,))
    if isinstance(answer, _Refused):
        _log.info("a document was refused", extra={"fault": answer.fault, "detail": answer.detail})
        raise Invalid(_DOCUMENT_FAULTS[answer.fault], field="file", pages=MAX_PAGES)
    out.seek(0)
    return [out.read(length) for length in msgspec.json.decode(answer, type=Drawn).lengths]


def _run(
    code: str, arguments: tuple[object, ...], upload: IO[bytes], files: tuple[int, ...]
) -> bytes | _Refused:
    """What the child answered, or why there is nothing."""
    upload.seek(0)
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, code and numbers
            [sys.executable, "-I", "-c", code, _HOME, *map(str, arguments)],
            stdin=upload,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=files,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            timeout=LONGEST_SECONDS + 5,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _Refused("costly")
    if done.returncode:
        _log.warning("a file ended its decoder", extra={"returncode": done.returncode})
        is_costly = -done.returncode in _OVERRUN or code is _DRAW  # PDFium ends itself where memory runs out
        return _Refused("costly" if is_costly else "broken")
    refused = msgspec.json.decode(done.stdout, type=_Refused)
    return refused if refused.fault else done.stdout


def _refusal(fault: str, max_pixels: int) -> Invalid:
    if fault == "unknown":
        return Invalid(mark("The file is not a JPEG, PNG, GIF, WebP, AVIF or HEIC picture"), field="file")
    if fault == "pixels":
        return Invalid(
            mark("The picture has more than %(megapixels)s million pixels"),
            megapixels=max_pixels // 1_000_000,
            field="file",
        )
    if fault == "frames":
        return Invalid(mark("The animation has more than %(frames)s frames"), frames=MAX_FRAMES, field="file")
    if fault == "costly":
        return Invalid(mark("The picture takes too much time or memory to read"), field="file")
    return Invalid(mark("The picture is damaged or incomplete"), field="file")


_DOCUMENT_FAULTS: Final = {
    "locked": mark("The PDF is locked by a password: save it without one, or send a photograph of each page"),
    "pages": mark("The PDF has more than %(pages)s pages: send only the pages that are asked for"),
    "letters": mark(
        "The PDF does not bring the fonts of its own text: save it anew with its fonts embedded, or send a"
        " photograph of each page"
    ),
    "costly": mark("The PDF takes too much time or memory to draw: send a photograph of each page instead"),
    "broken": mark(
        "The PDF is damaged or incomplete: save or print it as a PDF anew, or send a photograph of each page"
    ),
}
