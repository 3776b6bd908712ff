"""Certified accounts in the browser: applying, answering, deciding by two, and what is seen then."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from zipfile import ZipFile

import pytest
from msgspec import structs
from PIL import Image

from compliance import applications, certification, identity, organisations, paperwork, records, vault
from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.identity import IdentityState
from compliance.organisations import MemberState
from compliance.organisations import Role as Part
from server import certifying, export, keys
from server.organising import founding
from server.pipeline import Road
from server.store import accounts, cache, marks
from server.store.model import Role
from server.workers.upkeep import Upkeep
from tests.fixtures.server import SOURCE, Caller, Client, Enter
from tests.server.media.documents import LOCKED, block, document
from tests.server.web.staff import hire as staff
from tests.server.web.visitor import Seen, Visitor

HOME = "/settings/certification"
PERSON = {
    "name": "林海风",
    "label": "Sea Wind Hospital, physician",
    "occupation": "physician",
    "employer": "Sea Wind Hospital",
}
USCC = "91350100M000100Y43"
COMPANY = {"organisation_name": "福州海风文化有限公司", "uscc": USCC, "legal_representative": "林海风"}


def picture(kind: str = "PNG", colour: str = "#88aacc", size: tuple[int, int] = (640, 400)) -> bytes:
    """A paper, photographed."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


async def post(visitor: Visitor, home: str, step: str, fields: Mapping[str, str]) -> Seen:
    """What a form of the wizard sends."""
    return await visitor.send(f"{home}/{step}", page=f"{home}?step={step}", **{**fields})  # type: ignore[arg-type]


async def give(
    visitor: Visitor,
    home: str,
    *slots: str,
    data: bytes | None = None,
    name: str = "paper.png",
    mime: str = "image/png",
) -> Seen:
    """Uploads one picture for each of these papers."""
    made = picture() if data is None else data
    files = {f"paper-{slot}": (name, made, mime) for slot in slots}
    return await visitor.send(f"{home}/papers", page=f"{home}?step=papers", files=files, then="send")


async def apply(visitor: Visitor, home: str, kind: str, fields: Mapping[str, str], *slots: str) -> Seen:
    """The whole wizard, to its end."""
    await visitor.send(home, page=home, kind=kind)
    await post(visitor, home, "details", fields)
    await give(visitor, home, *slots)
    return await visitor.send(f"{home}/send", page=f"{home}?step=send")


async def waiting(road: Road) -> int:
    """The one application that waits."""
    async with road.pool.acquire() as conn:
        found: int = await conn.fetchval(
            "select id from compliance.application where state in ('submitted', 'second')"
        )
    return found


async def test_a_person_applies_is_asked_for_more_and_is_certified(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """The journey of an individual: a draft that keeps, a question, an answer, the mark, the public card."""
    mei = await enter("mei")
    await visitor.log_in("mei")
    page = await visitor.get(HOME)
    assert "Enterprise" not in page.text, "only what a person can be"
    begun = await visitor.send(HOME, page=HOME, kind="individual/occupation")
    assert "Employer" in begun.text
    kept = await post(visitor, HOME, "details", {"then": "later", **PERSON})
    assert "The draft is kept" in kept.text
    assert "Sea Wind Hospital, physician" in (await visitor.get(f"{HOME}?step=details")).text
    missing = await visitor.send(f"{HOME}/send", page=f"{HOME}?step=send")
    assert (422, True) == (missing.status, "paper_missing" in missing.text)
    await give(visitor, HOME, "employment")
    sent = await visitor.send(f"{HOME}/send", page=f"{HOME}?step=send")
    assert "Sent in" in sent.text
    await staff(another, enter, road_of, Role.COMPLIANCE)
    number = await waiting(road_of)
    place = f"/admin/certifications/{number}"
    assert "林海风" not in (await another.get(place)).text, "sealed until somebody takes it"
    taken = await another.send(f"{place}/take", page=place)
    assert "林海风" in taken.text
    assert taken.headers["Cache-Control"] == "no-store"
    asked = await another.send(place, page=place, outcome="more", statement="The stamp is not readable.")
    assert "Asked for more" in asked.text
    page = await visitor.get(HOME)
    assert "The stamp is not readable." in page.text
    assert "asks for more" in (await visitor.get("/notifications")).text
    await give(visitor, HOME, "licence")
    again = await visitor.send(f"{HOME}/send", page=f"{HOME}?step=send", words="Here is a better one.")
    assert "Sent in" in again.text
    await another.send(f"{place}/take", page=place)
    assert "Here is a better one." in (await another.get(place)).text
    bare = await another.send(place, page=place, outcome="approve")
    assert (422, True) == (bare.status, "Say of each field that it agrees" in bare.text)
    done = await another.send(place, page=place, outcome="approve", agrees=list(PERSON))
    assert "Certified" in done.text
    async with road_of.pool.acquire() as conn:
        mark = await marks.find(conn, mei.id)
    assert mark is not None
    assert (mark.class_, mark.label) == (CertClass.INDIVIDUAL, "Sea Wind Hospital, physician")
    assert "is certified until" in (await visitor.get("/notifications")).text


async def organisation(road: Road, owner: Caller, name: str = "seawind") -> AccountId:
    """An organisation that was just founded."""
    async with road.pool.acquire() as conn:
        founder = await accounts.get(conn, owner.id, uris=road.uris)
    return await founding.create(
        road,
        founder,
        username=name,
        name="Sea Wind",
        kind="media",
        locale="en",
        accepted=True,
        source=SOURCE,
    )


MEDIA = {**COMPANY, "licence_number": "3512026001"}
AGREES = list(MEDIA)


async def test_an_organisation_is_certified_by_two_and_may_publish_then(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Four eyes: a reviewer checks, a compliance officer decides, and neither of them alone."""
    li = await enter("li")
    org = await organisation(road_of, li)
    await visitor.log_in("li")
    home = "/org/seawind/certification"
    sent = await apply(visitor, home, "media/news", MEDIA, "register", "news-licence", "letter")
    assert "Sent in" in sent.text
    await staff(another, enter, road_of, Role.REVIEWER, name="first")
    place = f"/admin/certifications/{await waiting(road_of)}"
    await another.send(f"{place}/take", page=place)
    declined = await another.send(place, page=place, outcome="decline", ground="not_shown", statement="No.")
    assert declined.status == 403
    checked = await another.send(place, page=place, outcome="approve", agrees=AGREES)
    assert "a second person decides" in checked.text
    mine = await another.send(f"{place}/take", page="/admin/certifications")
    assert mine.status == 409
    third = Visitor(another.session)
    await staff(third, enter, road_of, Role.COMPLIANCE, name="second")
    taken = await third.send(f"{place}/take", page=place)
    assert COMPANY["organisation_name"] in taken.text
    done = await third.send(place, page=place, outcome="approve", agrees=AGREES)
    assert "Certified" in done.text
    async with road_of.pool.acquire() as conn:
        held = await certification.find_active(conn, org)
        known = await identity.get(conn, org)
    assert held is not None
    assert (held.registered_name, held.province, held.checked_by) == ("福州海风文化有限公司", "35", "two")
    assert known.state is IdentityState.VERIFIED
    card = await Visitor(another.session).get("/@seawind/certification")
    for words in ("福州海风文化有限公司", "News medium", "two people of this server"):
        assert words in card.text
    assert USCC not in card.text


async def test_the_reviewer_sees_the_verified_name_masked_beside_the_claimed_one(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Compared by keyed digest: the name that was verified is not opened for it."""
    mei = await enter("mei")
    await verified_as(road_of, mei.id, PERSON["name"])
    await visitor.log_in("mei")
    wrong = await apply(visitor, HOME, "individual/occupation", {**PERSON, "name": "林海峰"}, "employment")
    assert (422, True) == (wrong.status, "(name_mismatch)" in wrong.text)
    await post(visitor, HOME, "details", PERSON)
    await visitor.send(f"{HOME}/send", page=f"{HOME}?step=send")
    await staff(another, enter, road_of, Role.COMPLIANCE)
    place = f"/admin/certifications/{await waiting(road_of)}"
    taken = (await another.send(f"{place}/take", page=place)).text
    assert "known: 林**" in taken
    assert "agrees with what is known" in taken
    assert "nothing to compare it with" in taken


async def test_an_owner_reads_why_the_organisation_was_declined_and_appeals_for_it(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """The decision is about the organisation: its owner is told, and acts for it to appeal."""
    await organisation(road_of, await enter("li"))
    await visitor.log_in("li")
    home = "/org/seawind/certification"
    await apply(visitor, home, "media/news", MEDIA, "register", "press-licence", "letter")
    await staff(another, enter, road_of, Role.COMPLIANCE)
    place = f"/admin/certifications/{await waiting(road_of)}"
    await another.send(f"{place}/take", page=place)
    await another.send(place, page=place, outcome="decline", ground="paper_invalid", statement="Not legible.")
    assert "was declined or withdrawn" in (await visitor.get("/notifications")).text
    page = await visitor.get(home)
    assert "Not legible." in page.text
    found = re.search(r'name="next" value="(/my/decisions/\d+)"', page.text)
    assert found
    read = await visitor.send("/org/switch", page=home, organisation="seawind", next=found[1])
    assert (200, True) == (read.status, "Not legible." in read.text)
    appealed = await visitor.send(f"{found[1]}/appeal", page=found[1], words="It is legible.")
    assert appealed.status == 200


async def test_what_was_sent_in_meanwhile_is_not_written_over(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """Two windows: one sends the application in while the other still saves the draft."""
    mei = await enter("mei")
    await visitor.log_in("mei")
    await visitor.send(HOME, page=HOME, kind="individual/occupation")
    await post(visitor, HOME, "details", PERSON)
    async with road_of.pool.acquire() as conn, conn.transaction():
        one = await applications.find_open(conn, mei.id, lock=True)
        assert one is not None
        late = asyncio.create_task(post(visitor, HOME, "details", PERSON | {"label": "Somebody else"}))
        await asyncio.sleep(0.5)
        await conn.execute("update compliance.application set state = 'submitted' where id = $1", one.id)
    assert 409 == (await late).status
    async with road_of.pool.acquire() as conn:
        assert PERSON["label"] == (await applications.get(conn, one.id)).claims["label"]


async def test_a_picture_is_taken_out_again(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """And destroyed: what is not in the application is not kept."""
    await enter("mei")
    await visitor.log_in("mei")
    await visitor.send(HOME, page=HOME, kind="individual/occupation")
    await give(visitor, HOME, "employment", "licence")
    page = await visitor.get(f"{HOME}?step=papers")
    drops = re.findall(rf"{HOME}/papers/\d+/drop", page.text)
    assert len(drops) == 2
    gone = await visitor.send(drops[0], page=f"{HOME}?step=papers")
    assert "Taken out and destroyed" in gone.text
    async with road_of.pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from vault.paper") == 1
    again = await visitor.send(drops[0], page=f"{HOME}?step=papers")
    assert again.status == 404


async def test_only_an_owner_applies_for_an_organisation(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """A stranger hears that there is nothing, an editor that the role is not enough."""
    org = await organisation(road_of, await enter("li"))
    bo = await enter("bo")
    await visitor.log_in("bo")
    assert (await visitor.get("/org/seawind/certification")).status == 404
    async with road_of.pool.acquire() as conn:
        await organisations.put(
            conn, org, bo.id, Part.EDITOR, MemberState.ACTIVE, by=None, now=road_of.clock()
        )
    assert (await visitor.get("/org/seawind/certification")).status == 403
    sent = await visitor.send("/org/seawind/certification", page="/home", kind="media/news")
    assert sent.status == 403


async def test_a_picture_of_a_paper_says_across_it_who_looks(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Drawn into the pixels, stored by nobody, opened for whoever took it, each time with a record."""
    await enter("mei")
    await visitor.log_in("mei")
    await apply(visitor, HOME, "individual/occupation", PERSON, "employment")
    shen, _ = await staff(another, enter, road_of, Role.COMPLIANCE)
    number = await waiting(road_of)
    place = f"/admin/certifications/{number}"
    async with road_of.pool.acquire() as conn:
        paper = await conn.fetchval(
            "select id from vault.paper where field = 'scan' order by id desc limit 1"
        )
    at = f"{place}/papers/{paper}"
    assert (await another.get(at)).status == 404, "not before it is taken"
    await another.send(f"{place}/take", page=place)
    page = await another.get(place)
    assert at in page.text
    cookies = "; ".join(f"{name}={value}" for name, value in another.cookies.items())
    async with another.session.get(at, headers={"Cookie": cookies, "Accept": "image/*"}) as answer:
        body = await answer.read()
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store, private")
    with Image.open(io.BytesIO(body)) as shown:
        colours = {pixel for _, pixel in shown.convert("RGB").getcolors(1 << 24) or []}
    assert len(colours) > 100, "a paper of one colour has writing across it"
    async with road_of.pool.acquire() as conn:
        kinds = [(record.kind, record.actor_id) for record in await records.list_page(conn)]
        accesses = await conn.fetchval(
            "select count(*) from vault.access where case_ref = $1", f"application:{number}"
        )
    assert kinds[0] == ("vault:review", shen.id)
    assert accesses >= 3, "the claims, twice, and the picture"
    await visitor.send(f"{HOME}/withdraw", page=HOME)
    assert (await another.get(at)).status == 404


DISGUISES = [
    (picture(), "paper.jpg", "image/png", "it is: a PNG picture"),
    (picture("JPEG"), "paper.jpg", "image/png", "it is: a JPEG picture"),
    (picture() + b"<script>alert(1)</script>", "paper.png", "image/png", "something else as well"),
    (picture() + b"PK\x03\x04....PK\x05\x06", "paper.png", "image/png", "something else as well"),
    (picture("JPEG") + b"%PDF-1.7", "paper.jpg", "image/jpeg", "something else as well"),
    (picture() + b"more", "paper.png", "image/png", "something else as well"),
    (picture("WEBP") + b"more of it", "paper.webp", "image/webp", "something else as well"),
    (picture("JPEG") + b"Rar!\x1a\x07\x00...", "paper.jpg", "image/jpeg", "something else as well"),
    (picture("JPEG") + b"7z\xbc\xaf\x27\x1c...", "paper.jpg", "image/jpeg", "something else as well"),
    (b"%PDF-1.7 ...", "paper.pdf", "application/pdf", "The PDF is damaged or incomplete"),
    (document([block(1, 0, 0)], trailer_more=LOCKED), "paper.pdf", "application/pdf", "locked by a password"),
    (document([block(1, 0, 0)]), "paper.jpg", "image/jpeg", "something else than it is: a PDF"),
    (document([block(1, 0, 0)]), "paper.pdf", "text/html", "something else than it is: a PDF"),
    (b"PK\x03\x04" + document([block(1, 0, 0)]), "paper.pdf", "application/pdf", "a PDF and something else"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "paper.png", "image/png", "not a JPEG, PNG"),
    (b"MZ\x90\x00" + b"\x00" * 200, "paper.png", "image/png", "not a JPEG, PNG"),
    (picture()[:100], "paper.png", "image/png", "damaged or incomplete"),
]


@pytest.mark.parametrize("disguise", DISGUISES)
async def test_a_disguised_paper_is_refused_with_a_reason(
    visitor: Visitor, enter: Enter, road_of: Road, disguise: tuple[bytes, str, str, str]
) -> None:
    """Security F4: what it is is decided by its content, and what is two things at once is neither."""
    data, name, mime, said = disguise
    await enter("mei")
    await visitor.log_in("mei")
    await visitor.send(HOME, page=HOME, kind="individual/occupation")
    sent = await give(visitor, HOME, "employment", data=data, name=name, mime=mime)
    assert (422, True) == (sent.status, said in sent.text), sent.text[-1500:]
    async with road_of.pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from vault.paper") == 0


async def test_a_decline_reaches_the_applicant_and_an_appeal_another_reviewer(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """A reason of the list and a statement; overturned, the application waits for somebody else."""
    await enter("mei")
    await visitor.log_in("mei")
    await apply(visitor, HOME, "individual/public-figure", {"name": "林", "label": "Singer"}, "proof")
    await staff(another, enter, road_of, Role.COMPLIANCE)
    number = await waiting(road_of)
    place = f"/admin/certifications/{number}"
    await another.send(f"{place}/take", page=place)
    bare = await another.send(place, page=place, outcome="decline", ground="", statement="No.")
    assert (422, True, True) == (
        bare.status,
        "Choose a reason from the list" in bare.text,
        ">No.</textarea>" in bare.text,
    )
    await another.send(
        place, page=place, outcome="decline", ground="not_shown", statement="The article is about another."
    )
    page = await visitor.get(HOME)
    assert "The article is about another." in page.text
    found = re.search(r"/my/decisions/\d+", page.text)
    assert found
    appealed = await visitor.send(f"{found[0]}/appeal", page=found[0], words="It is about me.")
    assert appealed.status == 200
    third = Visitor(another.session)
    await staff(third, enter, road_of, Role.COMPLIANCE, name="third")
    appeal = re.search(r"/admin/appeals/\d+", (await third.get("/admin/appeals")).text)
    assert appeal
    await third.send(appeal[0], page=appeal[0], outcome="overturned", statement="It is about them.")
    assert "Sent in" in (await visitor.get(HOME)).text
    assert (await another.send(f"{place}/take", page="/admin/certifications")).status == 409
    assert (await third.send(f"{place}/take", page=place)).status == 200


async def certified(
    visitor: Visitor, another: Visitor, enter: Enter, road: Road, name: str = "mei"
) -> tuple[Caller, certification.Certification]:
    """Somebody who was certified just now, by somebody with a console open."""
    mei = await enter(name)
    await visitor.log_in(name)
    await apply(visitor, HOME, "individual/occupation", PERSON, "employment")
    await staff(another, enter, road, Role.COMPLIANCE)
    place = f"/admin/certifications/{await waiting(road)}"
    await another.send(f"{place}/take", page=place)
    await another.send(place, page=place, outcome="approve", agrees=list(PERSON))
    async with road.pool.acquire() as conn:
        held = await certification.find_active(conn, mei.id)
    assert held is not None
    return mei, held


async def test_a_withdrawn_mark_is_gone_at_once_and_back_after_an_appeal(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road, nobody: Caller
) -> None:
    mei, held = await certified(visitor, another, enter, road_of)
    api = f"/api/yanlu/v1/accounts/{mei.id}/certification"
    shown = await nobody.get(api)
    assert (shown["label"], shown["class"], shown["state"]) == (PERSON["label"], "individual", "active")
    assert PERSON["name"] not in str(shown)
    place = f"/admin/certifications/held/{held.id}"
    bare = await another.send(f"{place}/revoke", page=place, ground="misuse", statement=" ")
    assert bare.status == 422
    await another.send(f"{place}/revoke", page=place, ground="misuse", statement="Lent to somebody else.")
    assert (await nobody.call("GET", api)).status == 404
    assert (await Visitor(another.session).get("/@mei/certification")).status == 404
    own = await mei.get("/api/yanlu/v1/certification")
    assert own["certifications"][0]["state"] == "revoked"
    decision = re.search(r"/my/decisions/\d+", (await visitor.get(HOME)).text)
    assert decision
    await visitor.send(f"{decision[0]}/appeal", page=decision[0], words="I did not.")
    third = Visitor(another.session)
    await staff(third, enter, road_of, Role.EDITOR, name="third")
    appeal = re.search(r"/admin/appeals/\d+", (await third.get("/admin/appeals")).text)
    assert appeal
    await third.send(appeal[0], page=appeal[0], outcome="overturned", statement="They did not.")
    assert (await nobody.get(api))["state"] == "active"


async def test_the_profile_goes_out_again_with_the_mark(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """By the road that every profile takes, with the words it had: so followers elsewhere hear."""
    mei, _ = await certified(visitor, another, enter, road_of)
    async with road_of.pool.acquire() as conn:
        kinds = [record.kind for record in await records.list_page(conn, actor_id=mei.id)]
        view = await accounts.get(conn, mei.id, uris=road_of.uris)
        left = await certification.list_unsettled(conn)
    assert "activity:update-profile" in kinds
    assert view.mark is not None
    assert left == []


async def test_upkeep_reminds_by_notice_and_letter_and_takes_the_mark_on_the_day(
    client: Client, visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    mei, held = await certified(visitor, another, enter, road_of)
    letters: list[str] = []
    for days, subject in ((50, "ends on"), (0, "has ended")):
        async with road_of.pool.acquire() as conn:
            await conn.execute(
                "update compliance.certification set expires_at = $2, certified_at = $3 where id = $1",
                held.id,
                road_of.clock() + timedelta(days=days),
                road_of.clock() - timedelta(days=300),
            )
        tending = certifying.Tending(road_of, lambda letter: letters.append(letter.subject))
        async with road_of.pool.acquire() as conn, conn.transaction():
            await tending.step(conn, road_of.clock())
        await tending.after()
        assert subject in letters[-1]
    assert len(letters) == 2
    told = (await visitor.get("/notifications")).text
    assert "renew it in time" in told
    assert "has ended" in told
    async with road_of.pool.acquire() as conn:
        assert await marks.find(conn, mei.id) is None
    assert "certifications" in [chore.name for chore in Upkeep(road_of)._chores]


async def test_with_an_account_goes_what_was_certified_of_it(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """The mark, an application that waits, and its papers."""
    mei, held = await certified(visitor, another, enter, road_of)
    await apply(visitor, HOME, "individual/occupation", PERSON, "employment")
    async with road_of.pool.acquire() as conn, conn.transaction():
        await conn.execute("update account set gone_at = $2 where id = $1", mei.id, road_of.clock())
        cache.forget_accounts([mei.id])
        tending = certifying.Tending(road_of, lambda _letter: None)
        assert await tending.step(conn, road_of.clock()) == 1
        assert await tending.step(conn, road_of.clock()) == 0
    await tending.after()
    async with road_of.pool.acquire() as conn:
        assert (await certification.get(conn, held.id)).state is certification.State.EXPIRED
        assert await applications.find_open(conn, mei.id) is None
        assert await marks.find(conn, mei.id) is None


async def test_the_own_data_hold_what_was_applied_for_and_certified(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """As far as it may be shown: what is sealed stays masked."""
    mei, _ = await certified(visitor, another, enter, road_of)
    async with road_of.pool.acquire() as conn:
        me = await accounts.get(conn, mei.id, uris=road_of.uris)
    file = io.BytesIO()
    await export.write(road_of, me, file)
    with ZipFile(file) as archive:
        said = json.loads(archive.read("yanlu/certification.json"))
    [one], [held] = said["applications"], said["certifications"]
    assert (one["state"], one["claims"]["label"], one["pictures"]) == (
        "approved",
        PERSON["label"],
        {"employment": 1},
    )
    assert PERSON["name"] not in str(said)
    assert (held["state"], said["front_name"]) == ("active", None)


async def test_the_operator_changes_the_papers_with_effect_for_new_applications(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    await enter("mei")
    await visitor.log_in("mei")
    await visitor.send(HOME, page=HOME, kind="individual/occupation")
    await staff(another, enter, road_of, Role.EDITOR)
    place = "/admin/certifications/papers"
    text = paperwork.shipped()
    wrong = await another.send(place, page=place, text=text.replace("months = 12", "months = 0", 1))
    assert (422, True) == (wrong.status, "line 20, kind[0].months" in wrong.text)
    done = await another.send(place, page=place, text=text.replace("Work card", "Staff badge", 1))
    assert "is in force" in done.text
    assert "Work card" in (await visitor.get(f"{HOME}?step=papers")).text
    await visitor.send(f"{HOME}/withdraw", page=HOME)
    await visitor.send(HOME, page=HOME, kind="individual/occupation")
    assert "Staff badge" in (await visitor.get(f"{HOME}?step=papers")).text


async def verified_as(road: Road, who: AccountId, name: str) -> None:
    """A verified identity with this name, as an approved claim leaves it."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        paper_id = await vault.put(
            conn, who, vault.Field.NAME, name, sealer=road.sealer, now=now, new_id=road.ids
        )
        await conn.execute(
            """
            insert into compliance.identity_claim
              (id, account_id, method, subject, state, numbers, shown, papers, decided_at, created_at,
               updated_at)
            values ($1, $2, 'resident-id', 'person', 'approved', '[]', $5::jsonb, $3, $4, $4, $4)
            """,
            road.ids(),
            who,
            [paper_id],
            now,
            json.dumps({"name": name[:1] + "**"}),
        )


async def test_a_real_name_in_front_is_for_verified_readers_who_are_logged_in(
    client: Client, visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Off unless the operator asks for it; asked once, shown by consent, never to programs or strangers."""
    mei, page = await enter("mei"), "/settings/certification/name"
    await visitor.log_in("mei")
    assert (await visitor.get(page)).status == 404
    wanted = structs.replace(road_of.settings.certification, front_name_followers=10)
    made = structs.replace(road_of.settings, certification=wanted)
    client.app._state[keys.SETTINGS] = made
    await verified_as(road_of, mei.id, PERSON["name"])
    async with road_of.pool.acquire() as conn:
        await conn.execute("update account_count set followers = 11 where account_id = $1", mei.id)
    cache.forget_accounts([mei.id])
    tending = certifying.Tending(replace(road_of, settings=made), lambda _letter: None)
    async with road_of.pool.acquire() as conn, conn.transaction():
        assert await tending.step(conn, road_of.clock()) == 1
        assert await tending.step(conn, road_of.clock()) == 0
    assert "show their real name" in (await visitor.get("/notifications")).text
    wrong = await visitor.send(page, page=page, real_name="林海峰", agree="1")
    assert (422, True) == (wrong.status, "not the name that your identity" in wrong.text)
    unsaid = await visitor.send(page, page=page, real_name=PERSON["name"])
    assert (422, True) == (unsaid.status, "Say that you agree" in unsaid.text)
    await visitor.send(page, page=page, real_name=PERSON["name"], agree="1")
    await enter("reader")
    await another.log_in("reader")
    assert PERSON["name"] in (await another.get("/@mei")).text
    await enter("newcomer", verified=False)
    unverified = Visitor(another.session)
    await unverified.log_in("newcomer")
    for blind in (await unverified.get("/@mei"), await Visitor(another.session).get("/@mei")):
        assert (200, False) == (blind.status, PERSON["name"] in blind.text)
    assert PERSON["name"] not in str(await Caller(client).get(f"/api/v1/accounts/{mei.id}"))
    await visitor.send(f"{page}/hide", page=page)
    assert PERSON["name"] not in (await another.get("/@mei")).text


async def test_a_pdf_is_sealed_page_by_page_or_not_at_all(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """What the pages hold besides, and a page too many, leaves nothing behind."""
    await enter("mei")
    await visitor.log_in("mei")
    await visitor.send(HOME, page=HOME, kind="individual/occupation")
    form = await visitor.get(f"{HOME}?step=papers")
    assert 'accept="image/jpeg,image/png,image/webp,image/heic,image/heif,application/pdf"' in form.text
    seven = document([block(1, 0, 0)] * 7) + b"<script>PK\x03\x04PK\x05\x06"
    sent = await give(visitor, HOME, "employment", data=seven, name="paper.pdf", mime="application/pdf")
    assert 200 == sent.status
    assert "7 pictures sealed" in (await visitor.get(f"{HOME}?step=papers")).text
    more = await give(visitor, HOME, "employment", data=seven, name="paper.pdf", mime="application/pdf")
    assert (409, True) == (more.status, "at most 12 pictures, each page of a PDF being one" in more.text)
    async with road_of.pool.acquire() as conn:
        assert 7 == await conn.fetchval("select count(*) from vault.paper where field = 'scan'")
