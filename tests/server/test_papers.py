"""Papers: only pixels come through, nothing touches a disk, and what is no picture is said
plainly.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from server import papers
from server.errors import Invalid, TooLarge
from server.media import decoder, stamp
from server.sections import Media
from tests.server.media.documents import CHINESE, LOCKED, block, document, stream, words

LIMITS = Media()


@dataclass(frozen=True)
class Upload:
    """A file as a form brings it."""

    data: bytes

    async def chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), 4096):
            yield self.data[start : start + 4096]


def picture(kind: str = "JPEG", size: tuple[int, int] = (120, 80), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_comes_back_encoded_anew(kind: str) -> None:
    """The same picture, and not one byte that was behind its end."""
    sent = picture(kind) + b"<?php system($_GET['x']) ?>PK\x03\x04 hidden archive"
    [paper] = await papers.accept(Upload(sent), LIMITS)
    assert b"hidden archive" not in paper.data
    with Image.open(io.BytesIO(paper.data)) as opened:
        assert (opened.size, Image.MIME[opened.format or ""]) == ((120, 80), paper.mime)


async def test_what_a_picture_says_of_itself_is_left_behind() -> None:
    """A place and a device are nobody's business who checks a paper."""
    exif = Image.Exif()
    exif[0x010E] = "taken at 39.9 N 116.4 E"
    [paper] = await papers.accept(Upload(picture(exif=exif.tobytes())), LIMITS)
    assert b"116.4" not in paper.data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"%PDF-1.7\n%....", "The PDF is damaged or incomplete"),
        (b"\n\n  %PDF-1.4", "The PDF is damaged or incomplete"),
        (b"<svg onload=alert(1)>", "is not a JPEG, PNG, WebP or HEIC"),
        (picture("GIF"), "is not a JPEG, PNG, WebP or HEIC"),
        (picture()[:300], "damaged or incomplete"),
        (picture()[:600] + b"%PDF-", "damaged or incomplete|a PDF and something else as well"),
    ],
)
async def test_what_is_no_picture_is_said_plainly(data: bytes, words: str) -> None:
    """Each with the field of the form that it was in."""
    with pytest.raises(Invalid, match=words) as refused:
        await papers.accept(Upload(data), LIMITS, name="front")
    assert "front" == refused.value.field


async def test_a_file_above_the_limit_is_refused_while_it_comes_in() -> None:
    """Nobody fills the memory with papers."""
    with pytest.raises(TooLarge):
        await papers.accept(Upload(b"\xff" * 5000), Media(max_paper_bytes=4096))


async def test_more_pixels_than_allowed_are_not_decoded() -> None:
    """A small file can be a large picture."""
    with pytest.raises(Invalid, match="million pixels"):
        await papers.accept(Upload(picture("PNG", (3000, 1000))), Media(max_pixels=1_000_000))


async def test_nothing_is_left_in_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers are in memory, and then in the vault."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    await papers.accept(Upload(picture()), LIMITS)
    assert [] == list(tmp_path.iterdir())


async def _pages(data: bytes) -> list[Image.Image]:
    found = []
    for paper in await papers.accept(Upload(data), LIMITS):
        assert paper.mime == "image/jpeg"
        with Image.open(io.BytesIO(paper.data)) as opened:
            found.append(opened.convert("RGB"))
    return found


def _is(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    centre = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(centre, tuple)
    return all(abs(one - other) < 12 for one, other in zip(centre, colour, strict=True))


async def test_each_page_of_a_pdf_becomes_a_picture() -> None:
    """In their order, sharp enough for small print, upright as the page says."""
    sent = document([block(1, 0, 0), block(0, 0, 1)], page_more=b"/Rotate 90")
    pages = await _pages(sent)
    assert [(2400, 1696), (2400, 1696)] == [page.size for page in pages]
    assert (_is(pages[0], (255, 0, 0)), _is(pages[1], (0, 0, 255))) == (True, True)
    [text] = await _pages(b"\xef\xbb\xbf\n" + document([words("Licence 91350100MA01ABCD55")]))
    low, high = text.convert("L").getextrema()
    assert (low, high) == (0, 255), "black letters on white paper"
    assert len(await papers.accept(Upload(document([words("x")] * 10)), LIMITS)) == 10


async def test_of_a_pdf_only_pixels_are_kept() -> None:
    """Scripts are not run, attachments and what stands behind the end are gone."""
    sent = document(
        [block(0, 1, 0)],
        catalog_more=b"/OpenAction << /S /JavaScript /JS (while \\(true\\) { app.alert\\(1\\) }) >>"
        b" /Names << /EmbeddedFiles << /Names [(virus.exe) << /Type /Filespec /EF << /F 4 0 R >> >>] >> >>"
        b" /AcroForm << /Fields [] /XFA (<xdp/>) >>",
        more=[b"<< /Type /EmbeddedFile /Length 9 >>\nstream\nMZ hidden\nendstream"],
    )
    sent += b"<html><script>alert(1)</script>PK\x03\x04 an archive PK\x05\x06"
    [paper] = await papers.accept(Upload(sent), LIMITS)
    for trace in (b"hidden", b"JavaScript", b"<script", b"PK\x03\x04", b"xdp", b"%PDF"):
        assert trace not in paper.data
    assert _is((await _pages(sent))[0], (0, 255, 0))


@pytest.mark.parametrize(
    "kind", [b"/Subtype /Stamp", b"/Subtype /Widget /FT /Tx /T (a)", b"/Subtype /Widget /FT /Sig /T (s)"]
)
async def test_what_lies_on_a_page_is_drawn_as_it_looks(kind: bytes) -> None:
    """Electronic seals and filled-in fields are often all that a paper says; what is hidden stays so."""
    look = stream(b"1 0 0 rg 0 0 600 900 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 600 900]")
    for flags, colour in ((4, (255, 0, 0)), (4 | 2, (255, 255, 255))):
        on_it = b"<< /Type /Annot %s /Rect [0 0 595 842] /F %d /AP << /N 4 0 R >> >>" % (kind, flags)
        sent = document(
            [words("x")],
            page_more=b"/Annots [5 0 R]",
            catalog_more=b"/AcroForm << /Fields [5 0 R] >>",
            more=[look, on_it],
        )
        [page] = await _pages(sent)
        assert _is(page, colour), flags


def _blown_up() -> bytes:
    """Half a gigabyte of nothing in half a megabyte."""
    return document([b" " * 600_000_000])


def _crowded() -> bytes:
    """Three million squares."""
    return document([b"0 0 2000 2000 re f " * 3_000_000])


def _nested() -> bytes:
    """Forms in forms, ten of each in the other: ten to the ninth squares."""
    inner = [
        stream(
            b" ".join([b"/X%d Do" % (level + 1)] * 10) if level < 9 else b"0 0 500 800 re f",
            b"/Type /XObject /Subtype /Form /BBox [0 0 600 900] /Resources << /XObject << /X%d %d 0 R >> >>"
            % (level + 1, level + 5),
        )
        for level in range(10)
    ]
    return document([b"/X0 Do"], resources=b"/XObject << /X0 4 0 R >>", more=inner)


@pytest.mark.parametrize("bomb", [_blown_up, _crowded, _nested])
async def test_a_bomb_ends_its_own_process(bomb: Callable[[], bytes]) -> None:
    sent = bomb()
    assert len(sent) < LIMITS.max_paper_bytes
    with pytest.raises(Invalid, match="too much time or memory to draw: send a photograph"):
        await papers.accept(Upload(sent), LIMITS)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (document([words("x")], trailer_more=LOCKED), "locked by a password: save it without one"),
        (document([words("x")] * 11), "more than 10 pages: send only the pages"),
        (document([]), "damaged or incomplete: save or print it as a PDF anew"),
        (document([words("x")])[:200], "damaged or incomplete: save or print it as a PDF anew"),
        (document([words("x")], box="0 0 1 14400"), "damaged or incomplete"),
        (
            document([b"BT /F 40 Tf 60 600 Td <84254E1A62677167> Tj ET"], font=CHINESE),
            "does not bring the fonts of its own text: save it anew",
        ),
        (b"PK\x03\x04 archive " + document([words("x")]), "a PDF and something else as well"),
        (b"<html><!-- " + document([words("x")]), "a PDF and something else as well"),
        (picture("GIF")[:64] + document([words("x")]), "a PDF and something else as well"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_pdf_that_is_not_taken_says_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        await papers.accept(Upload(data), LIMITS, name="front")
    assert "front" == refused.value.field


async def test_what_takes_over_the_drawing_of_a_pdf_can_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no network, no process, no secret, and an end to its time."""
    monkeypatch.setenv("YANLU_DATABASE_URL", "postgresql://secret")
    wild = {
        "open('/etc/passwd')": "damaged or incomplete",
        "import socket; socket.socket()": "damaged or incomplete",
        "import os; os.fork()": "damaged or incomplete",
        "import os; os.kill(os.getpid(), 11)": "too much time or memory",
        "x = bytearray(700 << 20)": "too much time or memory",
        "import os; [n for n in os.environ if 'YANLU' in n] or exec('raise MemoryError')": "too much time",
    }
    for code, said in wild.items():
        child = f"""
import sys
sys.path.append(sys.argv[1])
from server.media import child, document
def draw(*args, **more):
    exec({code!r})
document.draw = draw
child.draw(*map(int, sys.argv[2:]))
"""
        monkeypatch.setattr(decoder, "_DRAW", child)
        with pytest.raises(Invalid, match=said):
            await papers.accept(Upload(document([words("x")])), LIMITS)


async def test_a_vast_page_is_as_small_a_picture_as_any() -> None:
    """However large it says that it is, and however few pixels are allowed."""
    vast = document([block(1, 0, 0)], box="0 0 14400 14400")
    [paper] = await papers.accept(Upload(vast), Media(max_pixels=1_000_000))
    with Image.open(io.BytesIO(paper.data)) as opened:
        assert (1000, 1000) == opened.size


@pytest.fixture
def fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Says which fonts the system has."""

    def have(*paths: str) -> None:
        stamp._chinese_font.cache_clear()
        monkeypatch.setattr(stamp, "FONTS", paths)

    yield have
    stamp._chinese_font.cache_clear()


def test_what_cannot_be_drawn_is_left_out_whole(fonts: Callable[..., None], tmp_path: Path) -> None:
    """A number without its letters would be another number."""
    broken = tmp_path / "broken.ttc"
    broken.write_bytes(b"no font")
    fonts("/nonexistent/font.ttc", str(broken))
    case = "shen@yanlu.example 2026-11-25 10:00 UTC 京公网安字〔2026〕12号"
    assert "shen@yanlu.example 2026-11-25 10:00 UTC" == stamp.legible(case)
    assert "@shen identity check only" == stamp.legible("@shen 仅供认证审核", "@shen identity check only")


def test_a_chinese_font_of_the_system_is_used_for_what_it_has(fonts: Callable[..., None]) -> None:
    """Marks that hang on other letters, and letters that it lacks, are still left out."""
    here = [path for path in stamp.FONTS if Path(path).is_file()]
    if not here:
        pytest.skip("this system has no Chinese font")
    fonts(*here)
    assert "@shen 仅供认证审核" == stamp.legible("@shen 仅供认证审核", "@shen identity check only")
    assert "@shen UTC" == stamp.legible("@shen \U0001f980\u0301 محمد e\u0301 UTC")


@pytest.mark.parametrize("size", [(1200, 800), (40, 30), (60, 2000)])
async def test_a_stamp_is_all_over_the_picture(size: tuple[int, int]) -> None:
    """Whoever cuts a corner off cuts into the writing as well."""
    sent = picture("PNG", size)
    marked = await stamp.stamp(sent, "@shen 2026-11-25 10:00 UTC 认证 identity check only")
    with Image.open(io.BytesIO(sent)) as before, Image.open(io.BytesIO(marked)) as after:
        assert before.size == after.size
        plain = before.convert("RGB").getpixel((0, 0))
        assert isinstance(plain, tuple)
        across, down = max(size[0] // 4, 1), max(size[1] // 4, 1)
        for left in range(0, size[0] - across + 1, across):
            for top in range(0, size[1] - down + 1, down):
                part = after.convert("RGB").crop((left, top, left + across, top + down))
                lows = [low for low, _ in part.getextrema()]  # type: ignore[misc]
                assert min(size) < 100 or lows[0] < plain[0] - 40, (left, top)
