"""Draws the pages of a PDF as pictures. Only pixels come out: scripts, attachments, links and what forms do
stay behind.

Runs in the child process only (`server.media.child`), which can open no file and no socket any more, so a
document's letters must be in the document itself. PDFium has fourteen Latin fonts of its own; where a page
counts on another that it did not bring, it is refused, because its picture would show gaps.
"""

from __future__ import annotations

import codecs
import math
import unicodedata
from typing import Any, BinaryIO

import pypdfium2
from pypdfium2 import raw

from .model import Drawn

LONGEST_SIDE = 2400
"""Pixels: 200 to the inch on A4, which shows the smallest print of a certificate."""
_SHORTEST_SIDE = 16
_QUALITY = 88
_DEEPEST = 8
_BEYOND_LATIN = "\u0400"
codecs.lookup("utf-16-le")  # what text comes in; it could not be looked up any more once rights are given up


class Unusable(ValueError):
    """Why a document is not drawn; the first argument is the fault's name."""


def draw(data: bytes, out: BinaryIO, *, max_pixels: int, max_pages: int) -> Drawn:
    """Writes a JPEG of each page into the file, one behind the other. Raises `Unusable`."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Unusable("locked" if locked else "broken") from None
    if len(document) > max_pages:
        raise Unusable("pages")
    if not len(document):
        raise Unusable("broken")
    lengths = []
    for place in range(len(document)):
        page = _flat(document, place)
        if _lacks_letters(page):
            raise Unusable("letters")
        before = out.tell()
        _draw(page, out, max_pixels)
        lengths.append(out.tell() - before)
        page.close()
    return Drawn(lengths)


def _flat(document: Any, place: int) -> Any:
    """The page with what lies on it made a part of it, as it looks: filled-in fields, notes, electronic
    seals."""
    page = document[place]
    became = raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
    page.close()
    if became == raw.FLATTEN_FAIL:
        raise Unusable("broken")
    return document[place]


def _draw(page: Any, out: BinaryIO, max_pixels: int) -> None:
    width, height = page.get_size()
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise Unusable("broken")
    scale = min(LONGEST_SIDE / max(width, height), math.sqrt(max_pixels / (width * height)))
    if min(width, height) * scale < _SHORTEST_SIDE:
        raise Unusable("broken")
    bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)
    bitmap.to_pil().convert("RGB").save(out, "JPEG", quality=_QUALITY)
    bitmap.close()


def _lacks_letters(page: Any) -> bool:
    """Whether there are letters beyond Latin and Greek on the page in a font that it did not bring."""
    words = None
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=_DEEPEST):
        if item.get_font().is_embedded:
            continue
        words = words or page.get_textpage()
        item.textpage = words
        if any(
            letter >= _BEYOND_LATIN and unicodedata.category(letter)[0] == "L" for letter in item.extract()
        ):
            return True
    return False
