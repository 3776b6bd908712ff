"""Pictures come in: the one way from bytes that somebody sent to a picture that a post can show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from compliance import identity
from compliance.activity import MediaId
from compliance.records import Source

from . import acts
from .media import files
from .media.files import Stored
from .media.model import Shape
from .pipeline import Road
from .store import media
from .store.model import AccountView


class Sent(Protocol):
    """A file that came in a form."""

    def chunks(self) -> AsyncIterator[bytes]: ...


_NOTHING = Stored(
    file=f"{0:032x}.png",
    preview_file=f"{0:032x}-small.png",
    mime="image/png",
    width=1,
    height=1,
    preview_width=1,
    preview_height=1,
    bytes=0,
    blurhash="",
)
"""What the gate is asked about before there is a picture."""


async def bring(
    road: Road,
    me: AccountView,
    sent: Sent,
    *,
    source: Source,
    description: str = "",
    focus: tuple[float, float] | None = None,
    shape: Shape = Shape.PICTURE,
) -> MediaId:
    """Stores a picture and has it judged; of one that is refused nothing stays. Nobody whose identity is not
    known has anything decoded."""
    await _ask(road, me, source)
    root = road.settings.data / "media"
    stored = await files.store_image(root, sent.chunks(), road.settings.media, shape=shape)
    try:
        return await acts.upload(road, me, stored, source=source, description=description, focus=focus)
    except BaseException:
        await files.remove(root, stored.file, stored.preview_file)
        raise


async def _ask(road: Road, me: AccountView, source: Source) -> None:
    """Has the gate refuse, with its decision and its reasons, whoever may not publish: before any work."""
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, me.id)
    if known.may_publish(road.clock()):
        return
    media_id = await acts.upload(road, me, _NOTHING, source=source)
    # Verified between the look and the question: what was asked about is not there.
    async with road.pool.acquire() as conn:
        await media.delete_own(conn, media_id, me.id)
