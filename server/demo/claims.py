"""A claim that waits in the reviewers' queue: a specimen's number, and a drawing where the card would be."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from compliance.activity import AccountId
from compliance.identity import Field, Method, Scan, sending
from compliance.records import Source
from compliance.ways import CheckOutcome

from .. import identities
from ..identities import Typed
from ..pipeline import Road

_NUMBER: Final = "11010519491231002X"
"""The specimen that the standard itself prints; nobody's."""
_SIZE: Final = (1012, 638)


async def send(road: Road, account_id: AccountId, name: str, *, source: Source) -> None:
    """Sends a claim of this account, as its owner would."""
    now, form = road.clock(), identities.FORMS[Method.RESIDENT_ID]
    said = identities.read(form, Typed(number=_NUMBER, names={Field.NAME: name}), now)
    await identities.consent(road, account_id, True, locale="zh-CN", source=source)
    scans = [
        Scan(data=_card(side), mime="image/png", name=f"paper {place}")
        for place, side in enumerate(("FRONT", "BACK"), 1)
    ]
    async with road.pool.acquire() as conn, conn.transaction():
        await sending.submit(
            conn,
            account_id,
            said,
            scans,
            CheckOutcome(None, ""),
            terms=await identities.terms(conn, road.settings, account_id),
            sealer=road.sealer,
            now=now,
            source=source,
            new_id=road.ids,
        )


def _card(side: str) -> bytes:
    picture = Image.new("RGB", _SIZE, "#e9eef2")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((20, 20, _SIZE[0] - 20, _SIZE[1] - 20), 36, outline="#7d93a6", width=6)
    draw.rectangle((680, 120, 900, 420), fill="#c7d3dd")
    draw.text((80, 120), f"SPECIMEN\n{side}", fill="#48596a", font=ImageFont.load_default(72))
    draw.text((80, 520), _NUMBER, fill="#48596a", font=ImageFont.load_default(48))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
