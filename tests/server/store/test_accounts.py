"""Accounts are found by every name they have, and those of other servers follow their own documents."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from compliance.activity import AccountId, Profile, Uri
from federation.actor import RemoteActor, RemoteKey
from server.db.pool import Connection
from server.errors import NotFound
from server.store import accounts, actor_keys
from server.store.model import FieldView, Page
from tests.fixtures.factory import URIS, Factory, now


def remote(
    name: str = "bob", *, host: str = "far.example", at: str | None = None, keys: int = 1
) -> RemoteActor:
    uri = Uri(at or f"https://{host}/users/{name}")
    return RemoteActor(
        uri=uri,
        actor_type="Person",
        username=name,
        host=host,
        url=f"https://{host}/@{name}",
        inbox=f"{uri}/inbox",
        shared_inbox=f"https://{host}/inbox",
        keys=tuple(RemoteKey(f"{uri}#key-{n}", f"PEM {n}") for n in range(keys)),
        profile=Profile(),
    )


async def test_a_local_account_has_its_addresses_counts_and_key(make: Factory, conn: Connection) -> None:
    await accounts.insert_local(
        conn,
        id=AccountId(7),
        username="Li",
        uris=URIS,
        public_pem="PEM",
        private_sealed=b"sealed",
        now=now(),
    )
    view = await accounts.get(conn, AccountId(7), uris=URIS)
    assert ("https://example.org/users/Li", "https://example.org/@Li") == (view.uri, view.url)
    assert ("Li", "Li", None, 0, True) == (view.handle, view.name, view.host, view.posts, view.discoverable)
    key = await actor_keys.get_signing(conn, AccountId(7))
    assert (URIS.key("Li"), b"sealed") == (key.key_id, key.private_sealed)
    public = await actor_keys.find(conn, URIS.key("Li"))
    assert public is not None
    assert (7, "PEM", view.uri, None) == (public.account_id, public.public_pem, public.actor, public.host)
    assert public == await actor_keys.get_public(conn, AccountId(7))


async def test_a_name_is_taken_whatever_its_case(make: Factory, conn: Connection) -> None:
    await make.account("Li")
    with pytest.raises(asyncpg.UniqueViolationError):
        await make.account("LI")


async def test_accounts_are_found_by_name_and_address(make: Factory, conn: Connection) -> None:
    ours, theirs = await make.account("Li"), await make.account("Li", "far.example")
    found = [
        await accounts.find_by_name(conn, "li", None, uris=URIS),
        await accounts.find_by_name(conn, "LI", "example.org", uris=URIS),
        await accounts.find_by_uri(conn, "https://example.org/users/Li", uris=URIS),
        await accounts.find_by_name(conn, "li", "far.example", uris=URIS),
    ]
    assert [ours, ours, ours, theirs] == [view.id if view else None for view in found]
    assert await accounts.find_by_name(conn, "nobody", None, uris=URIS) is None
    uri = Uri("https://far.example/users/Li")
    assert {uri: theirs} == await accounts.find_ids_by_uri(conn, [uri, "https://far.example/x"])
    with pytest.raises(NotFound):
        await accounts.get(conn, AccountId(1), uris=URIS)


async def test_a_profile_is_shown_with_its_pictures(make: Factory, conn: Connection) -> None:
    ours, theirs = await make.account("li"), await make.account("bob", "far.example")
    picture = await make.media(ours)
    row = FieldView("Site", "<a>x</a>", "x")
    await make.profile(ours, display_name="李", text="hello", fields=[row], avatar=picture, locked=True)
    await make.profile(theirs, avatar_url="https://far.example/bob.png")
    views = await accounts.load(conn, [ours, theirs], uris=URIS)
    assert ("李", "<p>hello</p>", (row,), True) == (
        views[ours].name,
        views[ours].html,
        views[ours].fields,
        views[ours].locked,
    )
    assert f"https://example.org/media/{picture}-small.webp" == views[ours].avatar
    assert "https://far.example/bob.png" == views[theirs].avatar
    veiled = views[ours].veiled()
    assert ("", "", (), None) == (veiled.display_name, veiled.html, veiled.fields, veiled.avatar)


async def test_a_suspension_ends_as_it_began(make: Factory, conn: Connection) -> None:
    id_ = await make.member("li")
    assert await accounts.suspend(conn, id_, reason="spam", now=now())
    assert not await accounts.suspend(conn, id_, reason="spam", now=now())
    assert (await accounts.get(conn, id_, uris=URIS)).suspended
    assert 0 == await accounts.count_local(conn)
    assert await accounts.restore(conn, id_)
    assert not await accounts.restore(conn, id_)
    assert not (await accounts.get(conn, id_, uris=URIS)).suspended
    assert 1 == await accounts.count_local(conn)
    assert 0 == await accounts.count_local(conn, seen_since=now() + timedelta(days=1))


async def test_somebody_of_another_server_is_stored_once_and_kept_up_to_date(
    make: Factory, conn: Connection
) -> None:
    first = await accounts.upsert_remote(conn, remote(keys=2), new_id=make.ids, now=now())
    changed = remote(keys=1)
    again = await accounts.upsert_remote(conn, changed, new_id=make.ids, now=now())
    assert first == again
    assert await actor_keys.find(conn, f"{changed.uri}#key-0") is not None
    assert await actor_keys.find(conn, f"{changed.uri}#key-1") is None


async def test_a_key_stays_with_the_account_that_has_it(make: Factory, conn: Connection) -> None:
    """Otherwise a neighbour could take over a key id and speak for its owner."""
    bob = await accounts.upsert_remote(conn, remote("bob"), new_id=make.ids, now=now())
    mallory = remote("mallory")
    stolen = RemoteKey(f"{remote('bob').uri}#key-0", "MALLORY")
    changed = RemoteActor(
        uri=mallory.uri,
        actor_type="Person",
        username="mallory",
        host="far.example",
        url=mallory.url,
        inbox=mallory.inbox,
        keys=(stolen,),
        profile=Profile(),
    )
    await accounts.upsert_remote(conn, changed, new_id=make.ids, now=now())
    key = await actor_keys.find(conn, stolen.id)
    assert key is not None
    assert (bob, "PEM 0") == (key.account_id, key.public_pem)


async def test_a_name_goes_to_who_has_it_now(make: Factory, conn: Connection) -> None:
    """A server set up anew gives its people new ids under their old names."""
    old = await accounts.upsert_remote(conn, remote(), new_id=make.ids, now=now())
    new = await accounts.upsert_remote(conn, remote(at="https://far.example/u/1"), new_id=make.ids, now=now())
    found = await accounts.find_by_name(conn, "bob", "far.example", uris=URIS)
    assert found is not None
    assert (new, f"bob.{old}") == (found.id, (await accounts.get(conn, old, uris=URIS)).username)


async def test_nobody_from_elsewhere_becomes_one_of_ours(make: Factory, conn: Connection) -> None:
    await make.account("li")
    with pytest.raises(ValueError, match="ours"):
        await accounts.upsert_remote(conn, remote(at=URIS.actor("li")), new_id=make.ids, now=now())


async def test_search_knows_both_names_and_puts_the_known_first(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    lihua, lina = await make.account("lihua"), await make.account("lina", "far.example")
    zhang = await make.account("zs", "far.example")
    await make.profile(zhang, display_name="张三李")
    hidden = await make.account("lilo")
    await make.block(hidden, me)
    await make.account("liang", suspended=True)
    await make.account("linus", actor_type="Application")
    await make.follow(me, lina)

    async def found(words: str) -> list[AccountId]:
        return [view.id for view in await accounts.search(conn, words, 10, me, uris=URIS)]

    assert [lina, lihua] == await found("li")
    assert [lina, lihua] == await found("@LI")
    assert [lina] == await found("li@far.example")
    assert [lihua] == await found("li@example.org")
    assert [zhang] == await found("张三")
    assert [zhang] == await found("张三李")
    assert [] == await found("%")
    assert [] == await found(" ")


async def test_who_does_not_want_to_be_found_by_display_name_is_not(make: Factory, conn: Connection) -> None:
    shy = await make.account("zs")
    await make.profile(shy, display_name="张三", discoverable=False)
    assert [] == await accounts.search(conn, "张三", 10, None, uris=URIS)


async def test_operators_see_everybody(make: Factory, conn: Connection) -> None:
    ours, theirs = await make.account("li"), await make.account("bob", "far.example", suspended=True)

    async def listed(local: bool | None = None, suspended: bool | None = None) -> list[AccountId]:
        return [v.id for v in await accounts.list_(conn, Page(), uris=URIS, local=local, suspended=suspended)]

    assert [theirs, ours] == await listed()
    assert [ours] == await listed(local=True)
    assert [theirs] == await listed(suspended=True)


async def test_the_instance_actor_is_found_by_its_own_address(make: Factory, conn: Connection) -> None:
    with pytest.raises(NotFound):
        await accounts.instance_actor(conn, uris=URIS)
    await make.account("example.org", actor_type="Application")
    assert "https://example.org/actor" == (await accounts.instance_actor(conn, uris=URIS)).uri
