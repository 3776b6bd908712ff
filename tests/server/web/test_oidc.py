"""Being verified by an identity provider: a real one over real sockets, and those who would cheat it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

from compliance import identity
from compliance.activity import AccountId
from compliance.identity import IdentityState, Method
from server import keys
from server.errors import Unavailable
from server.sections import Identity
from tests.fixtures import oidc
from tests.fixtures.oidc import CLIENT_ID, CLIENT_SECRET, Issuer, ec_signer, ed_signer, rsa_signer
from tests.fixtures.server import ORIGIN, Client, Enter, Serve
from tests.server.web.visitor import Seen, Visitor

START, CALLBACK = "/settings/identity/oidc/start", "/settings/identity/oidc/callback"
WRONG = "The identity provider&#39;s answer could not be confirmed. Nothing has changed."
NOT_MINE = "This answer belongs to no verification that you began here in the last minutes."


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with oidc.issuing() as issuer:
        yield issuer


@pytest.fixture
async def client(serve: Serve, issuer: Issuer, tmp_path: Path) -> Client:
    """The server, where this provider vouches for people."""
    secret = tmp_path / "oidc"
    secret.write_text(f"{CLIENT_SECRET}\n")
    return await serve(identity=_settings(issuer, oidc_secret_file=str(secret)))


def _settings(issuer: Issuer, **more: Any) -> Identity:
    chosen: dict[str, Any] = {
        "oidc_issuer": issuer.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_label": "National identity",
        "oidc_allow_private": True,
        "accounts_per_identity": 1,
    }
    return Identity(**chosen | more)


@pytest.fixture
async def wire(client: Client) -> AsyncIterator[ClientSession]:
    async with ClientSession(client.make_url("/"), cookie_jar=DummyCookieJar()) as session:
        yield session


@dataclass(frozen=True, slots=True)
class Door:
    """Somebody not verified, logged in, before the provider's door."""

    client: Client
    issuer: Issuer
    visitor: Visitor
    account_id: AccountId


@pytest.fixture
async def door(client: Client, issuer: Issuer, visitor: Visitor, enter: Enter) -> Door:
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    return Door(client, issuer, visitor, person.id)


async def _state(client: Client, account_id: Any) -> IdentityState:
    async with client.app[keys.POOL].acquire() as conn:
        return (await identity.get(conn, account_id)).state


async def _start(visitor: Visitor) -> str:
    """Where the provider wants the browser."""
    answer = await visitor.send(START, follow=False)
    assert 303 == answer.status, answer.text
    return str(answer.headers["Location"])


async def _back(visitor: Visitor, address: str) -> Seen:
    assert address.startswith(ORIGIN + CALLBACK)
    return await visitor.get(address.removeprefix(ORIGIN))


async def test_a_person_is_verified_by_a_provider_that_hands_over_no_number(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor
) -> None:
    """The whole way, with a browser: what is asked, what is kept, and what is not."""
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    page = await visitor.get(START)
    assert "Verify with National identity" in page.text
    assert f"form-action 'self' https: {issuer.url}" in page.headers["Content-Security-Policy"]
    done = await _back(visitor, issuer.authorize(await _start(visitor)))
    assert (200, "/settings/identity") == (done.status, done.path)
    (asked,) = issuer.asked
    assert ("code", "openid", "S256", CLIENT_ID) == (
        *(asked[name] for name in ("response_type", "scope", "code_challenge_method", "client_id")),
    )
    async with client.app[keys.POOL].acquire() as conn:
        known = await identity.get(conn, person.id)
        assert (IdentityState.VERIFIED, Method.OIDC) == (known.state, known.method)
        kept = await conn.fetch(
            "select n::text from compliance.identity_number n union all select f::text from oidc_flow f"
        )
        records = await conn.fetch("select detail::text from compliance.record")
    assert not [row for row in [*kept, *records] if "13800138000" in row[0] or issuer.subject in row[0]]


@pytest.mark.parametrize("make", [rsa_signer, ec_signer, ed_signer])
async def test_each_algorithm_verifies(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, make: Callable[[str], Any]
) -> None:
    """Providers choose among three."""
    issuer.signer = make("k9")
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    await _back(visitor, issuer.authorize(await _start(visitor)))
    assert IdentityState.VERIFIED is await _state(client, person.id)


@pytest.mark.parametrize(
    "bent",
    [
        {"nonce": "of another question"},
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://another.example"},
        {"exp": 1_000_000_000},
        {"sub": None},
    ],
    ids=["wrong nonce", "another audience", "another party", "another issuer", "expired", "no subject"],
)
async def test_a_token_that_is_not_the_answer_verifies_nobody(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, bent: dict[str, Any]
) -> None:
    """Signed by the right provider all the same."""
    issuer.bend = bent
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    page = await _back(visitor, issuer.authorize(await _start(visitor)))
    assert 422 == page.status
    assert WRONG in page.text
    assert IdentityState.NONE is await _state(client, person.id)


@pytest.mark.parametrize("attack", ["none", "confusion", "stranger", "embedded"])
async def test_a_forged_token_verifies_nobody(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, attack: str
) -> None:
    """Whoever can answer in the provider's place still lacks its key."""
    real = issuer.signer
    issuer.published = [real.document]
    if attack == "none":
        issuer.signer, issuer.header = oidc.Signer(real.document, lambda _: b""), {"alg": "none"}
    elif attack == "confusion":
        issuer.signer = oidc.hmac_signer(real.document["kid"], real.document["x"].encode())
    else:
        issuer.signer = ed_signer(real.document["kid"])
        issuer.header = {"jwk": issuer.signer.document} if attack == "embedded" else {}
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    page = await _back(visitor, issuer.authorize(await _start(visitor)))
    assert WRONG in page.text
    assert IdentityState.NONE is await _state(client, person.id)


async def test_an_answer_ends_only_in_the_browser_that_began(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, another: Visitor
) -> None:
    """Nobody can be made to take an attacker's identity, nor give theirs to an attacker's account."""
    victim, attacker = await enter("victim", verified=False), await enter("attacker", verified=False)
    await visitor.log_in("victim")
    await another.log_in("attacker")
    address = issuer.authorize(await _start(another))
    page = await _back(visitor, address)
    assert (422, True) == (page.status, NOT_MINE in page.text)
    assert IdentityState.NONE is await _state(client, victim.id)
    assert [] == issuer.redeemed  # the code was not even asked about
    await _back(another, address)  # its owner's flow was not spent by that
    assert IdentityState.VERIFIED is await _state(client, attacker.id)


async def test_an_answer_is_not_taken_in_another_session_of_the_same_person(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, another: Visitor
) -> None:
    """The state belongs to a session."""
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    await another.log_in("xiaoming")
    page = await _back(another, issuer.authorize(await _start(visitor)))
    assert NOT_MINE in page.text
    assert IdentityState.NONE is await _state(client, person.id)


async def test_swapped_states_verify_nobody(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, another: Visitor
) -> None:
    """A code of one flow with the state of another: the verifier and the nonce are the other's."""
    one, two = await enter("one", verified=False), await enter("two", verified=False)
    await visitor.log_in("one")
    await another.log_in("two")
    first, second = URL(issuer.authorize(await _start(visitor))), URL(issuer.authorize(await _start(another)))
    page = await _back(visitor, str(first.update_query(code=second.query["code"])))
    assert WRONG in page.text
    assert (IdentityState.NONE, IdentityState.NONE) == (
        await _state(client, one.id),
        await _state(client, two.id),
    )


async def test_an_answer_counts_once(client: Client, issuer: Issuer, enter: Enter, visitor: Visitor) -> None:
    """The back button, or somebody who read the address over a shoulder."""
    await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    address = issuer.authorize(await _start(visitor))
    await _back(visitor, address)
    assert NOT_MINE in (await _back(visitor, address)).text
    assert 1 == len(issuer.redeemed)


async def test_an_answer_comes_too_late(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor
) -> None:
    """After ten minutes a flow is over."""
    await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    address = issuer.authorize(await _start(visitor))
    async with client.app[keys.POOL].acquire() as conn:
        await conn.execute("delete from oidc_flow where expires_at < now() + interval '601 seconds'")
    assert NOT_MINE in (await _back(visitor, address)).text


@pytest.mark.parametrize(
    ("described", "iss", "verified"),
    [
        ({}, "https://evil.example", False),
        ({"authorization_response_iss_parameter_supported": True}, None, False),
        ({"authorization_response_iss_parameter_supported": True}, "own", True),
        ({}, "own", True),
    ],
)
async def test_an_answer_mixed_up_with_another_provider_is_not_taken(
    door: Door, described: dict[str, Any], iss: str | None, verified: bool
) -> None:
    """RFC 9207: the answer says whose it is, and the code is not sent to anybody else."""
    door.issuer.described = described
    address = URL(door.issuer.authorize(await _start(door.visitor)))
    if iss is not None:
        address = address.update_query(iss=door.issuer.url if iss == "own" else iss)
    await _back(door.visitor, str(address))
    assert verified is (IdentityState.VERIFIED is await _state(door.client, door.account_id))
    assert verified is bool(door.issuer.redeemed)


async def test_who_says_no_at_the_provider_is_told_so(issuer: Issuer, enter: Enter, visitor: Visitor) -> None:
    """Nothing is wrong; they can take another way."""
    await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    state = URL(await _start(visitor)).query["state"]
    page = await visitor.get(f"{CALLBACK}?error=access_denied&state={state}")
    assert "The identity provider did not confirm who you are. Nothing has changed." in page.text


@pytest.mark.parametrize(
    "query", ["", "?state=x&code=y", "?code=y", "?state=%00&code=%ff", "?state=a&state=b&code=c"]
)
async def test_answers_that_nobody_asked_for_change_nothing(
    issuer: Issuer, enter: Enter, visitor: Visitor, query: str
) -> None:
    """Anybody can send a browser here."""
    await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    page = await visitor.get(CALLBACK + query)
    assert 422 == page.status
    assert [] == issuer.redeemed


async def test_one_identity_verifies_as_many_accounts_as_one_may(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, another: Visitor
) -> None:
    """Found by the blind index of issuer and subject."""
    await enter("first", verified=False)
    second = await enter("second", verified=False)
    await visitor.log_in("first")
    await another.log_in("second")
    await _back(visitor, issuer.authorize(await _start(visitor)))
    page = await _back(another, issuer.authorize(await _start(another)))
    assert "This identity has verified as many accounts as one may" in page.text
    assert IdentityState.VERIFIED is not await _state(client, second.id)
    issuer.subject = "somebody else"
    await _back(another, issuer.authorize(await _start(another)))
    assert IdentityState.VERIFIED is await _state(client, second.id)


async def test_a_new_key_of_the_provider_is_found(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Providers change keys, and nobody has to restart anything; unknown ones are not sought each time."""
    await enter("first", verified=False)
    await visitor.log_in("first")
    await _back(visitor, issuer.authorize(await _start(visitor)))
    issuer.signer = ed_signer("k2")
    page = await _back(visitor, issuer.authorize(await _start(visitor)))
    assert (WRONG in page.text, 1) == (True, issuer.keys_read)
    monkeypatch.setattr("server.providers.oidc._AGAIN", timedelta(0))
    done = await _back(visitor, issuer.authorize(await _start(visitor)))
    assert ("/settings/identity", 2) == (done.path, issuer.keys_read)


async def test_the_secret_goes_where_the_provider_wants_it(
    client: Client, issuer: Issuer, enter: Enter, visitor: Visitor
) -> None:
    """In the body, where a provider does not take it in the header."""
    issuer.methods = ["client_secret_post"]
    person = await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    await _back(visitor, issuer.authorize(await _start(visitor)))
    assert IdentityState.VERIFIED is await _state(client, person.id)


async def test_a_provider_that_is_down_is_said_as_that(
    issuer: Issuer, enter: Enter, visitor: Visitor
) -> None:
    """A code that it could not redeem verifies nobody, and is nobody's fault here."""
    await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    address = issuer.authorize(await _start(visitor))
    issuer.token_status = 503
    page = await _back(visitor, address)
    assert (503, True) == (page.status, "The identity provider cannot be reached" in page.text)


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://127.0.0.2:1/token", "jwks_uri": "ftp://127.0.0.1/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 7},
        {"jwks_uri": "http://[/keys"},
        {"token_endpoint": "https:"},
    ],
)
async def test_a_provider_that_describes_itself_wrongly_is_not_used(
    issuer: Issuer, enter: Enter, visitor: Visitor, described: dict[str, Any]
) -> None:
    """The description decides where secrets are sent."""
    issuer.described = described
    await enter("xiaoming", verified=False)
    await visitor.log_in("xiaoming")
    assert 503 == (await visitor.get(START)).status


async def test_a_private_address_needs_the_operators_word(
    serve: Serve, issuer: Issuer, enter: Enter, client: Client
) -> None:
    """Otherwise the guard refuses it, like any address inside the operator's network."""
    other = await serve(identity=_settings(issuer, oidc_allow_private=False))
    provider = other.app[keys.OIDC]
    assert provider is not None
    with pytest.raises(Unavailable, match="cannot be reached"):
        await provider.origin()


async def test_no_other_private_host_becomes_reachable(
    issuer: Issuer, enter: Enter, visitor: Visitor
) -> None:
    """The word is for the provider's own host: its description may not lead us further inside."""
    async with oidc.issuing() as inside:
        issuer.described = {"jwks_uri": f"{inside.url}/keys"}
        await enter("xiaoming", verified=False)
        await visitor.log_in("xiaoming")
        page = await _back(visitor, issuer.authorize(await _start(visitor)))
        assert (503, 0) == (page.status, inside.keys_read)


async def test_without_a_provider_there_is_no_such_page(serve: Serve, made_secrets: Any) -> None:
    """Nothing is offered that does not work."""
    plain = await serve()
    assert plain.app[keys.OIDC] is None
