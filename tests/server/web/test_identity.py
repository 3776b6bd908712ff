"""The person's side of Article 7: every way there, what is shown of it, and what nobody learns."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from PIL import Image

from compliance import identity
from compliance.activity import AccountId
from compliance.identity import Field, IdentityState, Method, claims
from compliance.ways import CheckOutcome, Claimed
from server import identities, keys
from server.pipeline import Road
from server.sections import Limits
from tests.fixtures.server import SOURCE, Caller, Client, Enter
from tests.server.media.documents import document, words
from tests.server.web.visitor import Seen, Visitor

NUMBER, NAME, PHONE = "11010519491231002X", "欧阳修远", "+8613800138000"
PAGE = "/settings/identity"
CARD = f"{PAGE}/ways/resident-id"

_OWN = r'110\*+[0-9X]{4}|name="csrf" value="[^"]*"|/claims/[0-9]+|datetime="[^"]*"'
"""What is different for everybody: the mask of what they typed, their tokens, ids and moments."""


def photo() -> tuple[str, bytes, str]:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (9, 90, 200)).save(out, "JPEG")
    return "IMG 欧阳修远.jpg", out.getvalue(), "image/jpeg"


def shown(page: Seen) -> str:
    return html.unescape(page.text)


@pytest.fixture
async def wen(visitor: Visitor, enter: Enter) -> Caller:
    """Somebody who is not verified, logged in."""
    caller = await enter("wen", verified=False)
    await visitor.log_in("wen")
    return caller


def answers(client: Client, monkeypatch: pytest.MonkeyPatch, agrees: bool | None) -> list[Claimed]:
    """A register that says the same to everybody, and what it was asked."""
    asked: list[Claimed] = []

    async def check(_self: object, claim: Claimed) -> CheckOutcome:
        asked.append(claim)
        return CheckOutcome(agrees, "r1")

    monkeypatch.setattr(type(client.app[keys.CHECKER]), "check", check)
    return asked


async def state(road: Road, who: AccountId) -> IdentityState:
    async with road.pool.acquire() as conn:
        return (await identity.get(conn, who)).state


def code_in(folder: Path) -> str:
    texts = "".join(file.read_text("utf-8") for file in sorted(folder.iterdir())[-1:])
    return re.findall(r"\b[0-9]{6}\b", texts)[-1]  # type: ignore[no-any-return]


async def test_a_phone_verifies_and_is_never_shown(visitor: Visitor, wen: Caller, road_of: Road) -> None:
    """Consent first, then the code; the number comes back masked, and the form brings it back sealed."""
    without = await visitor.send(PAGE, phone=PHONE)
    assert (422, True) == (without.status, "Without your consent" in shown(without))
    assert PHONE[3:] not in without.text
    waiting = await visitor.send(PAGE, phone=PHONE, consent="1")
    assert "We have sent a code to 138****8000" in shown(waiting)
    assert PHONE[3:] not in waiting.text
    kept = waiting.hidden()["kept"]
    wrong = await visitor.send(f"{PAGE}/confirm", page=PAGE, kept=kept, code="000000")
    assert (422, True) == (wrong.status, "This code is not right" in shown(wrong))
    code = code_in(road_of.settings.data / "sms")
    done = await visitor.send(f"{PAGE}/confirm", page=PAGE, kept=wrong.hidden()["kept"], code=code)
    assert "You are verified and can publish" in shown(done)
    assert ("138****8000" in done.text, PHONE[3:] in done.text) == (True, False)
    assert await state(road_of, wen.id) is IdentityState.VERIFIED


async def test_many_accounts_do_not_ring_one_phone_all_day(
    visitor: Visitor, another: Visitor, wen: Caller, enter: Enter, road_of: Road
) -> None:
    """Five codes to a number in an hour, whoever asks for them and from wherever; what counts them holds no
    number."""
    await enter("bo", verified=False)
    await another.log_in("bo")
    object.__setattr__(road_of, "settings", structs.replace(road_of.settings, limits=Limits()))
    sent = [await visitor.send(PAGE, phone=PHONE, consent="1") for _ in range(5)]
    assert [200] * 5 == [one.status for one in sent]
    # The address and the account have their tries again.
    await road_of.pool.execute("delete from attempt where length(subject) < 30")
    refused = await another.send(PAGE, phone=f"+86 {PHONE[3:]}", consent="1")
    assert (429, True) == (refused.status, "Too many tries" in shown(refused))
    rows = await road_of.pool.fetch("select t::text as row from attempt t")
    assert not any(PHONE[3:] in row["row"] for row in rows)
    free = await another.send(PAGE, phone="+8613800138001", consent="1")
    assert 200 == free.status


async def test_a_form_that_another_brings_is_empty(
    visitor: Visitor, another: Visitor, wen: Caller, enter: Enter, road_of: Road
) -> None:
    """What was typed is sealed for who typed it."""
    waiting = await visitor.send(PAGE, phone=PHONE, consent="1")
    await enter("bo", verified=False)
    await another.log_in("bo")
    code = code_in(road_of.settings.data / "sms")
    stolen = await another.send(f"{PAGE}/confirm", page=PAGE, kept=waiting.hidden()["kept"], code=code)
    assert (422, True) == (stolen.status, "This code is not right" in shown(stolen))


async def test_a_number_and_a_name_are_looked_at_by_a_person(
    visitor: Visitor, wen: Caller, road_of: Road
) -> None:
    """Pictures are needed where nobody else can be asked; nothing typed is lost, and nothing of it shown."""
    missing = await visitor.send(CARD, number=NUMBER, name=NAME, consent="1")
    assert (422, True) == (missing.status, "Send pictures of the paper" in shown(missing))
    assert (NUMBER in missing.text, NAME in missing.text) == (False, False)
    assert "Kept from before, and not shown" in missing.text
    sent = await visitor.send(
        CARD, kept=missing.hidden()["kept"], number="", name="", files={"papers": photo()}
    )
    assert "A person will look at it" in shown(sent)
    assert ("110***********002X" in sent.text, "欧***" in sent.text) == (True, True)
    assert (NUMBER in sent.text, NAME in sent.text) == (False, False)
    again = await visitor.get(CARD)
    assert "Your last claim is still looked at" in shown(again)
    forced = await visitor.send(CARD, page=PAGE, number=NUMBER, name=NAME, files={"papers": photo()})
    assert 422 == forced.status
    assert await state(road_of, wen.id) is IdentityState.PENDING


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"number": "110105194912310021", "name": NAME}, "The last character does not fit"),
        ({"number": NUMBER, "name": "123"}, "This does not look like a name"),
        ({"number": NUMBER, "name": " "}, "The name is missing"),
        ({"number": "", "name": NAME}, "Type the number"),
    ],
)
async def test_what_is_wrong_is_said_in_its_place(
    visitor: Visitor, wen: Caller, fields: dict[str, Any], words: str
) -> None:
    """And before consent is asked for or anything kept."""
    wrong = await visitor.send(CARD, consent="1", files={"papers": photo()}, **fields)
    assert (422, True, True) == (wrong.status, words in shown(wrong), 'role="alert"' in wrong.text)
    assert (NUMBER in wrong.text, NAME in wrong.text) == (False, False)


async def test_a_disguised_paper_is_refused_in_plain_words(visitor: Visitor, wen: Caller) -> None:
    wrong = await visitor.send(
        CARD,
        number=NUMBER,
        name=NAME,
        consent="1",
        files={"papers": ("card.jpg", b"%PDF-1.7 ...", "image/jpeg")},
    )
    assert (422, True) == (wrong.status, "The PDF is damaged or incomplete" in shown(wrong))


async def test_a_register_that_agrees_verifies_at_once(
    client: Client, visitor: Visitor, wen: Caller, road_of: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked the number in its one form, once."""
    asked = answers(client, monkeypatch, True)
    done = await visitor.send(
        CARD, number="１１０１０５ 19491231 002x", name=f" {NAME} ", consent="1", files={"papers": photo()}
    )
    assert "You are verified and can publish" in shown(done)
    assert [(NUMBER, NAME)] == [(one.number, one.name) for one in asked]
    assert await state(road_of, wen.id) is IdentityState.VERIFIED


async def test_what_others_hold_changes_nothing_that_is_seen(
    client: Client, visitor: Visitor, enter: Enter, road_of: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The no-oracle rule (A7.6): one number is used up, one is free; whoever types them sees the same."""
    answers(client, monkeypatch, True)

    async def send(name: str, number: str) -> tuple[int, str, str]:
        await enter(name, verified=False)
        browser = Visitor(visitor.session)
        await browser.log_in(name)
        page = await browser.send(CARD, number=number, name=NAME, consent="1", files={"papers": photo()})
        about = shown(page).partition('class="form-page"')[2].replace(name, "NAME")
        assert about
        return page.status, page.path, re.sub(_OWN, "", about)

    for number in range(road_of.settings.identity.accounts_per_identity):
        assert "You can publish" in (await send(f"holder{number}", NUMBER))[2]
    used_up = await send("wen", NUMBER)
    answers(client, monkeypatch, None)
    free = await send("zhao", "110101190501010010")
    assert used_up[:2] == free[:2]
    assert used_up[2].splitlines() == free[2].splitlines()


async def test_more_is_asked_for_and_sent(visitor: Visitor, wen: Caller, road_of: Road) -> None:
    """On the page where it says so; a stranger's claim is not found."""
    from compliance.identity import review

    await visitor.send(CARD, number=NUMBER, name=NAME, consent="1", files={"papers": photo()})
    async with road_of.pool.acquire() as conn, conn.transaction():
        [claim] = await claims.list_waiting(conn)
        await review.ask(
            conn,
            claim.id,
            reviewer=AccountId(1),
            question="The back as well",
            now=road_of.clock(),
            source=SOURCE,
            new_id=road_of.ids,
        )
    page = await visitor.get(PAGE)
    assert "The back as well" in page.text
    none = await visitor.send(f"{PAGE}/claims/{claim.id}/more", page=PAGE)
    assert (422, True) == (none.status, "Choose the pictures" in shown(none))
    sent = await visitor.send(f"{PAGE}/claims/{claim.id}/more", page=PAGE, files={"papers": photo()})
    assert "waits for a person" in shown(sent)
    assert 404 == (await visitor.send(f"{PAGE}/claims/1/withdraw", page=PAGE)).status
    back = await visitor.send(f"{PAGE}/claims/{claim.id}/withdraw", page=PAGE)
    assert "its pictures are destroyed" in shown(back)


async def test_a_person_deletes_their_identity_and_hears_what_stays(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """Publishing ends; reading does not."""
    caller = await enter("wen")
    await visitor.log_in("wen")
    unread = await visitor.send(f"{PAGE}/delete")
    assert (422, True) == (unread.status, "Tick the box" in shown(unread))
    done = await visitor.send(f"{PAGE}/delete", understood="1")
    assert "Deleted. What is sealed is destroyed on" in shown(done)
    assert await state(road_of, caller.id) is IdentityState.NONE
    refused = await caller.call("POST", "/api/v1/statuses", json={"status": "hello"})
    assert (403, "identity_required") == (refused.status, refused.body["yanlu"]["reason"])
    assert 200 == (await caller.call("GET", "/api/v1/timelines/home")).status


async def test_who_was_revoked_is_told_so_and_starts_nothing(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """No form is open to them; the way to appeal is."""
    caller = await enter("wen")
    await visitor.log_in("wen")
    async with road_of.pool.acquire() as conn, conn.transaction():
        await identity.revoke(
            conn,
            caller.id,
            reason="another's card",
            by=None,
            now=road_of.clock(),
            source=SOURCE,
            new_id=road_of.ids,
        )
    page = await visitor.get(PAGE)
    assert "Your verified identity was withdrawn" in shown(page)
    assert 'name="phone"' not in page.text
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        (PAGE, {"phone": PHONE, "consent": "1"}),
        (CARD, {"number": NUMBER, "name": NAME, "consent": "1", "files": {"papers": photo()}}),
        (f"{PAGE}/delete", {"understood": "1"}),
    )
    for path, fields in forms:
        answer = await visitor.send(path, page="/home", **fields)
        assert (403, True) == (answer.status, "withdr" in shown(answer)), path
    assert await state(road_of, caller.id) is IdentityState.REVOKED


async def test_only_the_ways_that_the_operator_chose_are_there(visitor: Visitor, wen: Caller) -> None:
    """And a way that is none is not found."""
    for path in ("mobile", "attestation", "nonsense", "oidc"):
        assert 404 == (await visitor.get(f"{PAGE}/ways/{path}")).status, path
    page = await visitor.get(PAGE)
    assert {
        "resident-id",
        "organisation",
        "passport-cn",
        "passport",
        "foreign-permanent-resident",
        "hk-macau-permit",
        "taiwan-permit",
    } == set(re.findall(r"/settings/identity/ways/([\w-]+)", page.text))
    for way in re.findall(r"/settings/identity/ways/[\w-]+", page.text):
        assert 200 == (await visitor.get(way)).status


async def test_an_organisation_is_claimed_by_its_code_and_its_representative(
    client: Client, visitor: Visitor, wen: Caller, road_of: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three go to whoever is asked."""
    asked = answers(client, monkeypatch, True)
    fields: dict[str, Any] = {
        "number": "91350100MA01ABCD55",
        "organisation-name": "某某有限公司",
        "legal-representative": NAME,
        "consent": "1",
        "files": {"papers": photo()},
    }
    await visitor.send(f"{PAGE}/ways/organisation", **fields)
    assert [("91350100MA01ABCD55", "某某有限公司", NAME)] == [
        (one.number, one.name, one.legal_representative) for one in asked
    ]
    async with road_of.pool.acquire() as conn:
        known = await identity.get(conn, wen.id)
    assert ("organisation", "verified") == (known.subject, known.state)


PASSPORT = f"{PAGE}/ways/passport"


async def test_a_passport_of_another_state_waits_for_a_person(
    client: Client, visitor: Visitor, wen: Caller, road_of: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is chosen, nobody is asked, and the scan may be a PDF of several pages."""
    asked = answers(client, monkeypatch, True)
    form = await visitor.get(PASSPORT)
    assert '<option value="FRA">FRA · France</option>' in form.text
    assert ('value="CHN"' in form.text, 'value="TWN"' in form.text) == (False, False)
    scan = ("passport.pdf", document([words("P<FRA")] * 2), "application/pdf")
    done = await visitor.send(
        PASSPORT, state="FRA", number="12ab 34567", name="Léa Dupont", consent="1", files={"papers": scan}
    )
    assert "A person will look at it" in shown(done)
    assert [] == asked
    async with road_of.pool.acquire() as conn:
        claim = await claims.find_open(conn, wen.id)
        scans = await conn.fetchval("select count(*) from vault.paper where field = 'scan'")
    assert claim is not None
    assert ("passport", "FRA1******67", 2) == (claim.method, claim.shown["passport"], scans)
    assert "by passport of another state" in shown(await visitor.get(PAGE))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": "", "number": "12AB34567"}, "Choose the state that issued the passport"),
        ({"state": "CHN", "number": "E12345678"}, "Choose the state that issued the passport"),
        ({"state": "FRA", "number": ""}, "Type the number"),
        ({"state": "FRA", "number": "1234"}, "too long or too short"),
        ({"state": "FRA", "number": "12<4567"}, "stands in no such number"),
    ],
)
async def test_what_is_wrong_with_a_passport_is_said_and_the_state_stays_chosen(
    visitor: Visitor, wen: Caller, fields: dict[str, Any], said: str
) -> None:
    wrong = await visitor.send(PASSPORT, name=NAME, consent="1", files={"papers": photo()}, **fields)
    assert (422, True) == (wrong.status, said in shown(wrong))
    chosen = '<option value="FRA" selected>' in wrong.text
    assert (fields["state"] == "FRA") == chosen
    again = await visitor.send(
        PASSPORT,
        kept=wrong.hidden()["kept"],
        state="FRA",
        number="12AB34567",
        consent="1",
        files={"papers": photo()},
    )
    assert "A person will look at it" in shown(again), "the name was kept"


async def test_equal_numbers_of_two_states_are_two_numbers(road_of: Road) -> None:
    """What is counted is the state with the number, however it was typed."""
    form = identities.FORMS[Method.FOREIGN_PASSPORT]

    def counted(state: str, number: str) -> bytes:
        typed = identities.Typed(number=number, names={Field.NAME: NAME}, state=state)
        [index] = identities.read(form, typed, road_of.clock()).number.indexes(road_of.sealer)
        assert "passport" == index.kind
        return index.index

    assert counted("FRA", "12ab-34567") == counted("FRA", "１２AB34567")
    assert counted("FRA", "12AB34567") != counted("DEU", "12AB34567")
