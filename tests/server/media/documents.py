"""PDF files for tests, written here byte by byte, so that each says exactly what its test is about."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

A4 = "0 0 595 842"
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
CHINESE = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [ <<"
    b" /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe)"
    b" /Ordering (GB1) /Supplement 2 >> /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light"
    b" /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880"
    b" /StemV 93 >> >> ] >>"
)
"""A font that is named and not brought, as Chinese offices' programs often do."""


def words(text: str, *, size: int = 40) -> bytes:
    return f"BT /F 0 Tf /F {size} Tf 60 600 Td ({text}) Tj ET".encode("latin-1")


def block(red: float, green: float, blue: float) -> bytes:
    """A page full of one colour."""
    return f"{red} {green} {blue} rg 0 0 20000 20000 re f".encode()


def stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return (
        b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n" % (len(packed), entries)
        + packed
        + b"\nendstream"
    )


def document(
    pages: Sequence[bytes],
    *,
    box: str = A4,
    font: bytes = _FONT,
    resources: bytes = b"",
    page_more: bytes = b"",
    catalog_more: bytes = b"",
    trailer_more: bytes = b"",
    more: Sequence[bytes] = (),
) -> bytes:
    """A PDF with these contents of pages. `more` are further objects, numbered from 4 on."""
    objects = [b"", b"", font, *more]
    kids = []
    for content in pages:
        objects.append(stream(content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> %s >> %s >>"
            % (box.encode(), len(objects), resources, page_more)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog_more
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer_more,
        start,
    )
    return bytes(out)


LOCKED = b"/ID [<00> <00>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <%s> /U <%s> >>" % (
    b"11" * 32,
    b"22" * 32,
)
"""For a trailer: locked by a password that nobody has."""
