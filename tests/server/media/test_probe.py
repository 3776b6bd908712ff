"""Headers: read by our own code, whatever is in them."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from server.media.model import Header, Kind
from server.media.probe import Unreadable, probe

from . import samples
from .samples import encoded, scene

KINDS = {
    "JPEG": (encoded(scene(), "JPEG"), Header(Kind.JPEG, 300, 200)),
    "progressive JPEG": (encoded(scene(), "JPEG", progressive=True), Header(Kind.JPEG, 300, 200)),
    "JPEG of a telephone": (samples.located(6), Header(Kind.JPEG, 300, 200)),
    "PNG": (encoded(scene(), "PNG"), Header(Kind.PNG, 300, 200)),
    "moving PNG": (samples.animation("PNG"), Header(Kind.PNG, 120, 80, 6)),
    "GIF": (encoded(scene(), "GIF"), Header(Kind.GIF, 300, 200)),
    "moving GIF": (samples.animation("GIF"), Header(Kind.GIF, 120, 80, 6)),
    "WebP": (encoded(scene(), "WEBP"), Header(Kind.WEBP, 300, 200)),
    "lossless WebP": (encoded(scene(), "WEBP", lossless=True), Header(Kind.WEBP, 300, 200)),
    "clear WebP": (encoded(scene(mode="RGBA"), "WEBP"), Header(Kind.WEBP, 300, 200)),
    "moving WebP": (samples.animation("WEBP"), Header(Kind.WEBP, 120, 80, 6)),
    "AVIF": (encoded(scene(), "AVIF"), Header(Kind.AVIF, 300, 200)),
    "HEIC": (encoded(scene(), "HEIF"), Header(Kind.HEIC, 300, 200)),
}


@pytest.mark.parametrize("case", KINDS)
def test_kind_and_size_are_read_from_the_content(case: str) -> None:
    """Sizes are refused before a decoder allocates for them."""
    data, expected = KINDS[case]
    assert expected == probe(data)


def test_a_gif_whose_frames_are_larger_than_its_canvas_tells_the_truth() -> None:
    """The canvas of a GIF is only a promise; a frame decides what is decoded."""
    data = bytearray(samples.gif_of_many_frames(1))
    frame = data.index(b"\x2c")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    assert Header(Kind.GIF, 65535, 65535) == probe(bytes(data))


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_no_header_brings_it_down(case: str, data: st.DataObject) -> None:
    """A byte changed or a tail cut off: an answer or `Unreadable`, nothing else."""
    whole = bytearray(KINDS[case][0])
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, min(len(whole), 600) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with suppress(Unreadable):
        assert probe(bytes(whole[:cut])).pixels > 0


@given(st.binary(max_size=400))
def test_noise_is_no_picture(data: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(Unreadable):
        probe(data)


def test_the_samples_open_elsewhere() -> None:
    """Or the tests above would prove nothing."""
    for data, header in KINDS.values():
        assert (header.width, header.height) == Image.open(io.BytesIO(data)).size
