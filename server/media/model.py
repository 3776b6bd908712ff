"""What is said of a picture before, while and after it is decoded."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """The kinds of picture that may be uploaded; the values are Pillow's names."""

    JPEG = "JPEG"
    PNG = "PNG"
    GIF = "GIF"
    WEBP = "WEBP"
    AVIF = "AVIF"
    HEIC = "HEIF"


class Shape(enum.StrEnum):
    """What a picture is for, which decides how it is cut."""

    PICTURE = "picture"
    AVATAR = "avatar"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Header:
    """What the header promises; `frames` above 1 is an animation."""

    kind: Kind
    width: int
    height: int
    frames: int = 1

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, as Pillow's names of formats and sizes in pixels."""

    kind: str
    width: int
    height: int
    small_kind: str
    small_width: int
    small_height: int
    blurhash: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was written of a document: how many bytes the picture of each page has, one behind the other."""

    lengths: list[int]
