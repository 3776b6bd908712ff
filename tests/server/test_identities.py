"""What the operator chooses about identities: the ways, how long one holds, and who is asked."""

from __future__ import annotations

import msgspec
import pytest

from compliance.identity import Method, SubjectType
from server import identities
from server.pipeline import Road
from server.sections import WAYS, Identity, Vault
from server.settings import Settings, SettingsError, completed, parse_ways
from tests.fixtures.people import Join


def chosen(**identity: object) -> Settings:
    return Settings(identity=Identity(**identity))  # type: ignore[arg-type]


def test_ways_are_offered_in_the_operators_order() -> None:
    """A provider's only where there is one."""
    assert ("oidc", "mobile") == parse_ways(" oidc, mobile,mobile ")
    assert (Method.MOBILE,) == identities.ways(chosen(ways="oidc, mobile"))
    some = chosen(ways="oidc, mobile", oidc_issuer="https://id.example")
    assert (Method.OIDC, Method.MOBILE) == identities.ways(some)


@pytest.mark.parametrize(
    ("ways", "words"), [("mobile, telepathy", "'telepathy' is none of"), (" , ", "name one way at least")]
)
def test_ways_that_are_none_stop_the_start(ways: str, words: str) -> None:
    """Said before anything runs."""
    with pytest.raises(SettingsError, match=words):
        completed(chosen(ways=ways))


def test_every_way_that_can_be_chosen_has_a_page_and_words() -> None:
    """Nothing is offered that cannot be used."""
    assert set(WAYS) == {Method.MOBILE, Method.OIDC, *identities.FORMS}
    assert set(Method) == set(identities.METHODS)


@pytest.mark.parametrize(
    ("checker", "method", "needed"),
    [
        ("manual", Method.RESIDENT_ID, True),
        ("http", Method.RESIDENT_ID, False),
        ("http", Method.ORGANISATION, False),
        ("http", Method.PASSPORT, True),
    ],
)
def test_papers_are_needed_where_only_a_person_can_tell(checker: str, method: Method, needed: bool) -> None:
    assert needed is identities.needs_papers(chosen(checker=checker), identities.FORMS[method])


async def test_how_long_an_identity_holds_depends_on_who_it_is(
    road: Road, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People and organisations by their own setting; a tier may ask more often, never less."""
    who = (await join("wen")).id
    settings = msgspec.structs.replace(
        road.settings,
        identity=Identity(reverify_months=12, organisation_reverify_months=6),
        vault=Vault(keep="proof"),
    )

    async def months(subject: SubjectType, of_tier: int | None) -> int:
        async def interval(_conn: object, _who: object) -> int | None:
            return of_tier

        monkeypatch.setattr("compliance.tiers.interval_months", interval)
        async with road.pool.acquire() as conn:
            terms = await identities.terms(conn, settings, who, subject)
        assert terms.forget
        return terms.months

    assert [12, 6, 3, 6] == [
        await months(SubjectType.PERSON, None),
        await months(SubjectType.ORGANISATION, None),
        await months(SubjectType.PERSON, 3),
        await months(SubjectType.ORGANISATION, 24),
    ]
