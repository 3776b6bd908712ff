"""What the server says as itself is signed by a key that is sealed here and published to everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from compliance.errors import SealBroken
from federation import proofs
from server import signing
from server.errors import NotFound
from server.pipeline import Road
from server.store import server_keys


async def test_the_private_half_is_sealed(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        with pytest.raises(NotFound):
            await signing.current(conn, sealer=road.sealer)
        await signing.found(conn, sealer=road.sealer, uris=road.uris, now=road.clock())
        key = await server_keys.find_current(conn)
        signer = await signing.current(conn, sealer=road.sealer)
    assert key is not None
    opened = road.sealer.open(key.private_sealed, context=f"server-key:{key.key_id}")
    assert len(opened) == 32 and opened not in key.private_sealed
    with pytest.raises(SealBroken):
        road.sealer.open(key.private_sealed, context="server-key:another")
    assert signer.key_id.startswith(f"{road.uris.instance_actor}#")
    assert signer.sign(b"bytes") != signer.sign(b"other bytes")


async def test_it_is_made_once(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        for _ in range(2):
            await signing.found(conn, sealer=road.sealer, uris=road.uris, now=road.clock())
        assert len(await server_keys.list_(conn)) == 1


async def test_what_a_retired_key_signed_still_verifies(road: Road) -> None:
    said = {"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "content": "filed", "n": 1.5}
    async with road.pool.acquire() as conn, conn.transaction():
        await signing.found(conn, sealer=road.sealer, uris=road.uris, now=road.clock())
        old = await signing.sign_document(conn, said, sealer=road.sealer, now=road.clock())
        road.clock.move(seconds=5)  # type: ignore[attr-defined]
        await signing.rotate(conn, sealer=road.sealer, uris=road.uris, now=road.clock())
        new = await signing.sign_document(conn, said, sealer=road.sealer, now=road.clock())
        listed = await signing.multikeys(conn, uris=road.uris, retired=True)
        current = await signing.multikeys(conn, uris=road.uris)
    actor = {"id": road.uris.instance_actor, "assertionMethod": listed}
    late = road.clock() + timedelta(days=1)
    for document in (old, new):
        proofs.verify(document, proofs.listed_key(actor, proofs.read(document).method), now=late)
    assert [key["id"] for key in current] == [proofs.read(new).method]
    assert ["expires" in key for key in listed] == [False, True]
