"""Starts the child that decodes a picture, waits for it, and says in plain words why one was not taken."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import msgspec

from ..errors import Invalid
from ..i18n import mark
from .child import LONGEST_SECONDS
from .model import Made, Shape

MAX_FRAMES = 500

_CODE = """
import sys
sys.path.append(sys.argv[1])
from server.media import child
child.main(sys.argv[2], *map(int, sys.argv[3:]))
"""
_HOME = str(Path(__file__).parents[2])
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
"""Nothing of ours: no setting, no secret."""

_OVERRUN = {signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM, signal.SIGXFSZ}

_log = logging.getLogger(__name__)


class _Refused(msgspec.Struct, frozen=True):
    fault: str
    detail: str = ""


def decode(upload: IO[bytes], full: IO[bytes], small: IO[bytes], *, max_pixels: int, shape: Shape) -> Made:
    """Has `upload` decoded and encoded anew into the two files. Blocks; raises `Invalid`."""
    upload.seek(0)
    files = full.fileno(), small.fileno()
    arguments = (_HOME, shape, max_pixels, MAX_FRAMES, *files)
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, code and numbers
            [sys.executable, "-I", "-c", _CODE, *map(str, arguments)],
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
        raise _refusal("costly", max_pixels) from None
    if done.returncode:
        _log.warning("a picture ended its decoder", extra={"returncode": done.returncode})
        raise _refusal("costly" if -done.returncode in _OVERRUN else "broken", max_pixels)
    answer = msgspec.json.decode(done.stdout, type=dict[str, str | int])
    if "fault" in answer:
        refused = msgspec.convert(answer, _Refused)
        _log.info("a picture was refused", extra={"fault": refused.fault, "detail": refused.detail})
        raise _refusal(refused.fault, max_pixels)
    return msgspec.convert(answer, Made)


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
