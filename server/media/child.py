"""The process in which one picture is decoded, or one document drawn, and what it may do: almost nothing.

Started by `server.media.decoder` with an empty environment, the upload as standard input, files to write.
Before a decoder sees a byte it gives up its rights: ten seconds of CPU, a cap on memory, no further file, no
socket, no process, and root where it had that. A decoder that is taken over or runs wild ends with it.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from .model import Kind, Shape
from .probe import Unreadable, probe

CPU_SECONDS = 10
DOCUMENT_CPU_SECONDS = 20
"""For all pages of a PDF together."""
MEMORY = 512 * 1024 * 1024
"""On top of what interpreter and libraries map before the first decoder runs."""

LONGEST_SECONDS = 30
_LARGEST_FILE = 64 * 1024 * 1024
_NOBODY = 65534


def main(shape: str, max_pixels: int, max_frames: int, full: int, small: int) -> NoReturn:
    """Answers on standard output with one JSON object: what was made, or `{"fault": ...}`."""
    signal.alarm(LONGEST_SECONDS)
    _answer(_work(shape, max_pixels, max_frames, full, small))


def draw(max_pixels: int, max_pages: int, out: int) -> NoReturn:
    """The same for the pages of a PDF."""
    signal.alarm(LONGEST_SECONDS)
    _answer(_draw(max_pixels, max_pages, out))


def _answer(answer: dict[str, object]) -> NoReturn:
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and no decoder's clean-up is worth waiting for


def _work(shape: str, max_pixels: int, max_frames: int, full: int, small: int) -> dict[str, object]:
    data = sys.stdin.buffer.read()
    try:
        header = probe(data)
    except Unreadable:
        return {"fault": "unknown"}
    if header.pixels > max_pixels:
        return {"fault": "pixels"}
    if header.frames > max_frames:
        return {"fault": "frames"}
    pictures = _load(header.kind)
    with os.fdopen(full, "r+b") as full_file, os.fdopen(small, "r+b") as small_file:
        _give_up_rights(CPU_SECONDS, may_start_threads=header.kind is Kind.HEIC)
        try:
            made = pictures.make(data, header, Shape(shape), full_file, small_file)
        except MemoryError:
            return {"fault": "costly"}
        except Exception as error:
            # Decoders fail in every way there is; each of them means that the file is broken.
            return {"fault": "broken", "detail": f"{type(error).__name__}: {error}"[:200]}
    return asdict(made)


def _draw(max_pixels: int, max_pages: int, out: int) -> dict[str, object]:
    data = sys.stdin.buffer.read()
    _load(Kind.JPEG)  # what the pages are written as
    document: Any = importlib.import_module("server.media.document")
    with os.fdopen(out, "r+b") as file:
        _give_up_rights(DOCUMENT_CPU_SECONDS, may_start_threads=False)
        try:
            drawn = document.draw(data, file, max_pixels=max_pixels, max_pages=max_pages)
        except document.Unusable as refused:
            return {"fault": refused.args[0]}
        except MemoryError:
            return {"fault": "costly"}
        except Exception as error:
            return {"fault": "broken", "detail": f"{type(error).__name__}: {error}"[:200]}
    return asdict(drawn)


def _load(kind: Kind) -> ModuleType:
    """Imports all that decoding may need, because nothing can be opened later; HEIC's 26 MB only for HEIC.

    Pillow itself looks for Bmp and Ppm when it opens a file of any kind.
    """
    for name in ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Ppm", "Tiff", "WebP"):
        importlib.import_module(f"PIL.{name}ImagePlugin")
    if kind is Kind.AVIF:
        avif: Any = importlib.import_module("PIL.AvifImagePlugin")
        avif.DEFAULT_MAX_THREADS = 1
    if kind is Kind.HEIC:
        heif = importlib.import_module("pillow_heif")
        heif.register_heif_opener(thumbnails=False, decode_threads=1)
    return importlib.import_module("server.media.pictures")


def _give_up_rights(cpu_seconds: int, *, may_start_threads: bool) -> None:
    for limit, most in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, _mapped() + MEMORY),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    if not may_start_threads:  # the HEIC decoder cannot do without; threads and processes are one limit
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def _mapped() -> int:
    """Bytes of address space in use; a guess where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return MEMORY
    return pages * resource.getpagesize()
