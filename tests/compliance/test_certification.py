"""Certification from the first draft to the day it ends: every way through, and every way that is closed."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from compliance import (
    appeals,
    applications,
    approvals,
    certification,
    frontnames,
    identity,
    paperwork,
    records,
    reopening,
    submitting,
    vault,
)
from compliance.activity import AccountId
from compliance.appeals import AppealState
from compliance.applications import Application, State
from compliance.approvals import Looked, Match
from compliance.certification import Certification
from compliance.claims import Fault, Ground, Wrong
from compliance.classes import CertClass
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.paperwork import FieldName, InvalidPaperwork
from compliance.records import RecordKind
from compliance.sealing import Sealer
from compliance.vault import PaperId
from compliance.verdict import DecisionId

from .build import NOW, SOURCE, Clock, ids

LI, BO, CHECKER, OFFICER, OTHER = map(AccountId, (1, 2, 11, 12, 13))
USCC = "91350100M000100Y43"
COMPANY = {
    FieldName.ORGANISATION_NAME: "福州海风文化有限公司",
    FieldName.USCC: USCC,
    FieldName.LEGAL_REPRESENTATIVE: "林海风",
}
PERSON = {
    FieldName.NAME: "林海风",
    FieldName.LABEL: "海风医院 主治医师",
    FieldName.OCCUPATION: "医师",
    FieldName.EMPLOYER: "海风医院",
}
FOREIGN = {
    FieldName.ORGANISATION_NAME: "Sea Wind Foundation",
    FieldName.COUNTRY: "Portugal",
    FieldName.ISSUER: "葡萄牙驻广州总领事馆",
    FieldName.ISSUER_REFERENCE: "2026-117",
    FieldName.ISSUED_UNTIL: "2027-06-01",
}


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    return Sealer.load(tmp_path_factory.mktemp("keys") / "secret.key")


class Desk:
    """Those who apply and those who decide, on one connection and one clock."""

    def __init__(self, conn: Connection, sealer: Sealer, clock: Clock) -> None:
        self.conn, self.sealer, self.clock = conn, sealer, clock

    async def open(self) -> None:
        await paperwork.seed(self.conn, now=self.clock())
        for who in (LI, BO):
            await identity.attest(
                self.conn, who, reason="seen", by=None, now=self.clock(), source=SOURCE, new_id=ids()
            )

    async def begin(
        self, class_: CertClass = CertClass.ENTERPRISE, kind: str = "company", who: AccountId = LI
    ) -> Application:
        return await applications.begin(
            self.conn, who, class_, kind, by=who, now=self.clock(), source=SOURCE, new_id=ids()
        )

    async def fill(self, one: Application, values: Mapping[FieldName, str]) -> Application:
        return await applications.save(self.conn, one, values, sealer=self.sealer, now=self.clock())

    async def give(self, one: Application, slot: str, data: bytes = b"picture") -> PaperId:
        fresh = await applications.get(self.conn, one.id)
        return await applications.add_paper(
            self.conn,
            fresh,
            slot,
            data,
            mime="image/png",
            sealer=self.sealer,
            now=self.clock(),
            new_id=ids(),
        )

    async def give_all(self, one: Application) -> None:
        kind = await applications.kind_of(self.conn, one)
        for paper in kind.papers:
            await self.give(one, paper.name)

    async def submit(self, one: Application, words: str = "", register: bool | None = None) -> list[Wrong]:
        return await submitting.submit(
            self.conn,
            one.id,
            words=words,
            by=one.account_id,
            sealer=self.sealer,
            register=register,
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def submitted(
        self,
        values: Mapping[FieldName, str] = COMPANY,
        class_: CertClass = CertClass.ENTERPRISE,
        kind: str = "company",
        who: AccountId = LI,
    ) -> Application:
        one = await self.begin(class_, kind, who)
        await self.fill(one, values)
        await self.give_all(one)
        assert [] == await self.submit(one)
        return await applications.get(self.conn, one.id)

    async def take(self, one: Application, who: AccountId = OFFICER) -> None:
        await approvals.take(self.conn, one.id, who, now=self.clock(), source=SOURCE, new_id=ids())

    async def looked(self, one: Application, **resolved: str) -> Looked:
        compared = await approvals.compare(self.conn, one)
        return Looked(
            agrees=frozenset(each.field for each in compared),
            resolved={FieldName(name): words for name, words in resolved.items()},
        )

    async def check(self, one: Application, who: AccountId = CHECKER) -> None:
        await self.take(one, who)
        await approvals.check(
            self.conn,
            one.id,
            await self.looked(one),
            reviewer=who,
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def approve(
        self, one: Application, who: AccountId = OFFICER, looked: Looked | None = None
    ) -> Certification:
        await self.take(one, who)
        return await approvals.approve(
            self.conn,
            one.id,
            looked or await self.looked(one),
            registered={
                CertClass.INDIVIDUAL: {},
                CertClass.FOREIGN: FOREIGN,
            }.get(one.class_, COMPANY),
            reviewer=who,
            checked_by="compliance",
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def ask(self, one: Application, who: AccountId = CHECKER) -> None:
        await self.take(one, who)
        await approvals.ask(
            self.conn,
            one.id,
            "The stamp cannot be read",
            reviewer=who,
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def decline(self, one: Application, who: AccountId = OFFICER) -> int:
        await self.take(one, who)
        return await approvals.decline(
            self.conn,
            one.id,
            Ground.NAME_MISMATCH,
            "The name on the licence is another one.",
            reviewer=who,
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def withdraw(self, one: Application) -> None:
        await applications.withdraw(
            self.conn, one.id, by=one.account_id, now=self.clock(), source=SOURCE, new_id=ids()
        )

    async def state(self, one: Application) -> State:
        return (await applications.get(self.conn, one.id)).state


@pytest.fixture
async def desk(conn: Connection, sealer: Sealer) -> Desk:
    made = Desk(conn, sealer, Clock())
    await made.open()
    return made


async def test_a_company_is_certified_by_one_person_for_a_year(desk: Desk) -> None:
    """The whole way: what identified it is in the vault by then, and nowhere else."""
    one = await desk.submitted()
    assert one.sealed is None
    assert one.claims[FieldName.USCC] == "91**************43"
    assert COMPANY[FieldName.LEGAL_REPRESENTATIVE] not in str(one.claims)
    made = await desk.approve(one)
    assert (made.class_, made.label, made.registered_name, made.province) == (
        CertClass.ENTERPRISE,
        "福州海风文化有限公司",
        "福州海风文化有限公司",
        "35",
    )
    assert made.expires_at == NOW.replace(year=NOW.year + 1)
    assert await desk.state(one) is State.APPROVED
    assert made == await certification.find_active(desk.conn, LI)
    kinds = [record.kind for record in await records.list_page(desk.conn)]
    assert [kind for kind in kinds if kind.startswith("certification:")] == [
        RecordKind.CERTIFICATION_APPROVE,
        RecordKind.CERTIFICATION_TAKE,
        RecordKind.CERTIFICATION_SUBMIT,
        RecordKind.CERTIFICATION_BEGIN,
    ]


async def test_a_draft_loses_nothing_and_says_all_that_is_wrong_with_it(desk: Desk) -> None:
    """What was typed stands, however wrong; each fault is named by field and code, all at once."""
    one = await desk.begin()
    await desk.fill(one, {FieldName.USCC: "91350100M000100Y44", FieldName.ORG_CODE: "12345678X"})
    one = await applications.get(desk.conn, one.id)
    assert b"91350100" not in (one.sealed or b"")
    assert applications.typed(one, desk.sealer)[FieldName.USCC] == "91350100M000100Y44"
    assert {(wrong.place, wrong.fault) for wrong in await desk.submit(one)} == {
        ("organisation_name", Fault.FIELD_MISSING),
        ("legal_representative", Fault.FIELD_MISSING),
        ("uscc", Fault.USCC_WRONG),
        ("org_code", Fault.ORGANISATION_CODE_WRONG),
        ("paper:business-licence", Fault.PAPER_MISSING),
        ("paper:authorisation", Fault.PAPER_MISSING),
    }
    assert await desk.state(one) is State.DRAFT


CODES = [
    ({FieldName.USCC: "91350100M000100Y44"}, "uscc", Fault.USCC_WRONG),
    ({FieldName.USCC: "91350100M000100Y4"}, "uscc", Fault.USCC_WRONG),
    ({FieldName.USCC: "91350100M000100Y53"}, "uscc", Fault.USCC_ORGANISATION_CODE_WRONG),
    ({FieldName.ORG_CODE: "D21435690"}, "org_code", Fault.ORGANISATION_CODE_WRONG),
    ({FieldName.ORG_CODE: "D2143569X"}, "org_code", Fault.ORGANISATION_CODE_DIFFERS),
    ({FieldName.ORGANISATION_NAME: ""}, "organisation_name", Fault.FIELD_MISSING),
    ({FieldName.ORGANISATION_NAME: "福" * 121}, "organisation_name", Fault.FIELD_LONG),
    ({FieldName.ORGANISATION_NAME: "福州\u200b海风"}, "organisation_name", Fault.FIELD_UNSEEN),
    ({FieldName.WEBSITE: "javascript:alert(1)"}, "website", Fault.WEBSITE_WRONG),
]


@pytest.mark.parametrize(("other", "place", "fault"), CODES)
async def test_each_wrong_claim_has_a_code_of_its_own(
    desk: Desk, other: Mapping[FieldName, str], place: str, fault: Fault
) -> None:
    """Article 8: what cannot be true never reaches a reviewer."""
    one = await desk.begin()
    await desk.fill(one, {**COMPANY, **other})
    await desk.give_all(one)
    assert [Wrong(place, fault)] == await desk.submit(one)


@pytest.mark.parametrize(
    ("other", "place", "fault"),
    [
        ({FieldName.ISSUER: ""}, "issuer", Fault.RESIDENT_BODY_MISSING),
        ({FieldName.ISSUED_UNTIL: "2026-05-31"}, "issued_until", Fault.DATE_PAST),
        ({FieldName.ISSUED_UNTIL: "31 May"}, "issued_until", Fault.DATE_WRONG),
    ],
)
async def test_a_subject_from_abroad_needs_its_body_in_china(
    desk: Desk, other: Mapping[FieldName, str], place: str, fault: Fault
) -> None:
    """Article 8 paragraph 3; without the issuer there is no way to send it in."""
    one = await desk.begin(CertClass.FOREIGN, "organisation")
    await desk.fill(one, {**FOREIGN, **other})
    await desk.give_all(one)
    assert [Wrong(place, fault)] == await desk.submit(one)


async def test_the_paper_of_the_body_in_china_has_its_own_code(desk: Desk) -> None:
    one = await desk.begin(CertClass.FOREIGN, "organisation")
    await desk.fill(one, FOREIGN)
    assert [Wrong("paper:resident-body", Fault.RESIDENT_BODY_PAPER_MISSING)] == await desk.submit(one)


async def test_a_name_that_another_is_certified_by_under_this_code_is_refused(desk: Desk) -> None:
    """One code, two names: one of them is wrong. Found without opening anything."""
    await desk.approve(await desk.submitted(who=BO))
    one = await desk.begin()
    await desk.fill(one, {**COMPANY, FieldName.ORGANISATION_NAME: "福州另一家有限公司"})
    await desk.give_all(one)
    assert [Wrong("organisation_name", Fault.NAME_MISMATCH)] == await desk.submit(one)
    await desk.fill(one, COMPANY)
    assert [] == await desk.submit(one)
    assert [BO] == await approvals.duplicates(desk.conn, await _again(desk, one))


async def test_what_the_identity_service_denies_is_refused(desk: Desk) -> None:
    one = await desk.begin()
    await desk.fill(one, COMPANY)
    await desk.give_all(one)
    assert [Wrong("organisation_name", Fault.NAME_MISMATCH)] == await desk.submit(one, register=False)
    assert [] == await desk.submit(one, register=True)
    assert (await applications.get(desk.conn, one.id)).claims["asked"] == "agrees"


async def _known_as(desk: Desk, who: AccountId, name: str) -> None:
    """A verified identity with this name, as an approved claim leaves it."""
    paper_id = await vault.put(
        desk.conn, who, vault.Field.NAME, name, sealer=desk.sealer, now=desk.clock(), new_id=ids()
    )
    await desk.conn.execute(
        """
        insert into compliance.identity_claim
          (id, account_id, method, subject, state, numbers, papers, decided_at, created_at, updated_at)
        values ($1, $2, 'resident-id', 'person', 'approved', '[]', $3, $4, $4, $4)
        """,
        ids()(),
        who,
        [paper_id],
        desk.clock(),
    )


async def test_a_name_that_is_not_the_verified_one_is_refused(desk: Desk) -> None:
    """The claim is compared with the verified identity by its blind index: nothing is opened."""
    await _known_as(desk, LI, "林海风")
    one = await desk.begin(CertClass.INDIVIDUAL, "occupation")
    await desk.fill(one, {**PERSON, FieldName.NAME: "林海峰"})
    await desk.give_all(one)
    assert [Wrong("name", Fault.NAME_MISMATCH)] == await desk.submit(one)
    await desk.fill(one, PERSON)
    assert [] == await desk.submit(one)
    found = {each.field: each.match for each in await approvals.compare(desk.conn, await _again(desk, one))}
    assert (found[FieldName.NAME], found[FieldName.LABEL]) == (Match.SAME, Match.UNKNOWN)


async def _again(desk: Desk, one: Application) -> Application:
    return await applications.get(desk.conn, one.id)


async def test_nobody_applies_without_a_verified_identity(desk: Desk) -> None:
    one = await desk.begin(who=OTHER)
    await desk.fill(one, COMPANY)
    await desk.give_all(one)
    assert [Wrong("identity", Fault.IDENTITY_MISSING)] == await desk.submit(one)


async def test_another_owner_without_a_verified_identity_cannot_send_it_in(desk: Desk) -> None:
    """Whoever sends it in is who applies, not whoever began the draft."""
    one = await desk.begin()
    await desk.fill(one, COMPANY)
    await desk.give_all(one)
    wrong = await submitting.submit(
        desk.conn, one.id, by=OTHER, sealer=desk.sealer, now=desk.clock(), source=SOURCE, new_id=ids()
    )
    assert [Wrong("identity", Fault.IDENTITY_MISSING)] == wrong


async def test_a_difference_must_be_resolved_in_words(desk: Desk) -> None:
    """Article 10: where claims and papers do not agree there is no certification, and no way past it."""
    await _known_as(desk, LI, "林海风")
    one = await desk.submitted(PERSON, CertClass.INDIVIDUAL, "occupation")
    await _known_as(desk, LI, "林山")
    desk.clock.move(seconds=1)
    await desk.conn.execute(
        """
        update compliance.identity_claim set decided_at = $1
        where id = (select max(id) from compliance.identity_claim)
        """,
        desk.clock(),
    )
    whole = await desk.looked(one)
    with pytest.raises(NotAllowed, match="each difference be resolved"):
        await desk.approve(one, looked=whole)
    with pytest.raises(NotAllowed, match="every field must agree"):
        await desk.approve(one, looked=Looked(agrees=frozenset({FieldName.NAME}), resolved={}))
    made = await desk.approve(one, looked=await desk.looked(one, name="A new family name since."))
    assert made.label == PERSON[FieldName.LABEL]
    assert (await _again(desk, one)).agreement["name"] == "A new family name since."


FOUR = [
    (CertClass.GOVERNMENT, "body", COMPANY),
    (CertClass.MEDIA, "news", {**COMPANY, FieldName.LICENCE_NUMBER: "3512026001"}),
    (CertClass.FOREIGN, "organisation", FOREIGN),
]


@pytest.mark.parametrize(("class_", "kind", "values"), FOUR)
async def test_two_people_decide_about_these(
    desk: Desk, class_: CertClass, kind: str, values: Mapping[FieldName, str]
) -> None:
    """A first one who checks and then approves is still one person."""
    one = await desk.submitted(values, class_, kind)
    looked = await desk.looked(one, uscc="Entered in another register by law.")
    await desk.take(one)
    with pytest.raises(NotAllowed, match="two different people"):
        await desk.approve(one, looked=looked)
    await approvals.check(
        desk.conn, one.id, looked, reviewer=OFFICER, now=desk.clock(), source=SOURCE, new_id=ids()
    )
    assert await desk.state(one) is State.SECOND
    with pytest.raises(NotAllowed, match="another person's"):
        await desk.approve(one, looked=looked)
    made = await desk.approve(one, OTHER, looked=looked)
    assert (made.class_, await desk.state(one)) == (class_, State.APPROVED)


async def test_nobody_decides_about_their_own(desk: Desk) -> None:
    one = await desk.submitted()
    with pytest.raises(NotAllowed, match="their own"):
        await desk.take(one, LI)
    await desk.conn.execute("update compliance.application set by_id = $2 where id = $1", one.id, OFFICER)
    with pytest.raises(NotAllowed, match="their own"):
        await desk.take(one, OFFICER)


async def test_one_works_on_it_at_a_time(desk: Desk) -> None:
    one = await desk.submitted()
    await desk.take(one, CHECKER)
    with pytest.raises(NotAllowed, match="somebody else works"):
        await desk.take(one, OFFICER)
    desk.clock.move(minutes=31)
    await desk.take(one, OFFICER)


async def test_who_is_asked_for_more_keeps_what_was_sealed(desk: Desk) -> None:
    """The first of two people is asked anew: the answer may change everything."""
    one = await desk.submitted(COMPANY, CertClass.GOVERNMENT, "body")
    await desk.take(one, CHECKER)
    looked = await desk.looked(one, uscc="Entered elsewhere.")
    await approvals.check(
        desk.conn, one.id, looked, reviewer=CHECKER, now=desk.clock(), source=SOURCE, new_id=ids()
    )
    await desk.ask(one, OFFICER)
    one = await _again(desk, one)
    assert (one.state, one.question, one.first_by) == (State.MORE, "The stamp cannot be read", None)
    assert {} == applications.typed(one, desk.sealer)
    before = one.sealed_fields()
    await desk.give(one, "letter")
    assert [] == await desk.submit(one, "Here it is.")
    one = await _again(desk, one)
    assert (one.state, one.sealed_fields()) == (State.SUBMITTED, before)
    await desk.ask(one, OFFICER)
    await desk.fill(await _again(desk, one), {**COMPANY, FieldName.LEGAL_REPRESENTATIVE: "王山"})
    assert [] == await desk.submit(one)
    after = (await _again(desk, one)).sealed_fields()
    assert set(before.values()) == set(after.values())
    assert not set(before) & set(after)
    gone = await desk.conn.fetchval("select count(*) from vault.paper where id = any($1)", list(before))
    assert gone == 0


async def test_a_mask_is_never_sent_in_for_what_it_hides(desk: Desk) -> None:
    """Who changes one sealed field of several fills in all: the masks of the others are no claims."""
    one = await desk.submitted(FOREIGN | {FieldName.USCC: USCC}, CertClass.FOREIGN, "organisation")
    await desk.ask(one, OFFICER)
    await desk.fill(
        await _again(desk, one), FOREIGN | {FieldName.ORGANISATION_NAME: "", FieldName.USCC: USCC}
    )
    assert FieldName.ORGANISATION_NAME not in applications.typed(await _again(desk, one), desk.sealer)
    assert [Wrong(FieldName.ORGANISATION_NAME, Fault.FIELD_MISSING)] == await desk.submit(one)


async def test_a_declined_one_is_appealed_and_decided_by_somebody_else(desk: Desk) -> None:
    """With a reason of the list and in words; overturned, it waits again, and its first decider is out."""
    one = await desk.submitted()
    decision_id = await desk.decline(one)
    one = await _again(desk, one)
    assert (one.state, one.ground, one.decided_by) == (State.DECLINED, Ground.NAME_MISMATCH, OFFICER)
    await _overturn(desk, decision_id)
    one = await _again(desk, one)
    assert (one.state, one.barred) == (State.SUBMITTED, (OFFICER,))
    with pytest.raises(NotAllowed, match="another person decides"):
        await desk.take(one, OFFICER)
    assert (await desk.approve(one, CHECKER)).state is certification.State.ACTIVE


async def _overturn(desk: Desk, decision_id: int) -> None:
    appeal = await appeals.open_(
        desk.conn,
        DecisionId(decision_id),
        LI,
        "It is the same name.",
        now=desk.clock(),
        source=SOURCE,
        new_id=ids(),
    )
    await appeals.decide(
        desk.conn,
        appeal.id,
        decider=OTHER,
        outcome=AppealState.OVERTURNED,
        statement="The name is the same, written in full.",
        now=desk.clock(),
        source=SOURCE,
        new_id=ids(),
    )


async def test_a_revoked_one_is_restored_on_appeal_for_the_time_that_is_left(desk: Desk) -> None:
    held = await desk.approve(await desk.submitted())
    decision_id = await _revoke(desk, held)
    assert await certification.find_active(desk.conn, LI) is None
    await _overturn(desk, decision_id)
    back = await certification.find_active(desk.conn, LI)
    assert back is not None
    assert (back.id, back.expires_at) == (held.id, held.expires_at)


async def test_an_appeal_that_comes_too_late_gives_no_mark(desk: Desk) -> None:
    held = await desk.approve(await desk.submitted())
    desk.clock.move(days=360)
    decision_id = await _revoke(desk, held)
    desk.clock.move(days=30)
    await _overturn(desk, decision_id)
    assert (await certification.get(desk.conn, held.id)).state is certification.State.EXPIRED


async def _revoke(desk: Desk, held: Certification) -> int:
    return await certification.revoke(
        desk.conn,
        held.id,
        ground=Ground.MISUSE,
        statement="The mark was lent to somebody else.",
        by=OFFICER,
        now=desk.clock(),
        source=SOURCE,
        new_id=ids(),
    )


async def test_reminders_come_at_60_30_and_7_days_and_the_end_on_its_day(desk: Desk) -> None:
    """Each is told once; who renews in time loses no day."""
    held = await desk.approve(await desk.submitted())
    told = []
    for day in range(366):
        for one, days in await certification.due_notices(desk.conn, desk.clock()):
            told.append((day, days, one.id))
        ended = await certification.expire(desk.conn, desk.clock(), new_id=ids())
        if ended:
            told.append((day, 0, ended[0].id))
        desk.clock.move(days=1)
    assert told == [(305, 60, held.id), (335, 30, held.id), (358, 7, held.id), (365, 0, held.id)]
    assert await certification.find_active(desk.conn, LI) is None


async def test_a_renewal_adds_its_time_to_what_is_left(desk: Desk) -> None:
    held = await desk.approve(await desk.submitted())
    desk.clock.move(days=320)
    one = await desk.submitted()
    assert one.renews_id == held.id
    again = await desk.approve(one)
    assert (again.id, again.certified_at) == (held.id, held.certified_at)
    assert again.expires_at == held.expires_at.replace(year=held.expires_at.year + 1)


async def test_papers_go_when_their_time_is_over(desk: Desk) -> None:
    """Those of a certification in force stay, as what it rests on; those of a withdrawn one go at once."""
    one = await desk.submitted()
    await desk.approve(one)
    other = await desk.submitted(who=BO)
    await desk.withdraw(other)
    count = "select count(*) from vault.paper where account_id = $1 and field = 'scan'"
    assert await desk.conn.fetchval(count, BO) == 0
    desk.clock.move(days=100)
    assert await _sweep(desk) == 0
    desk.clock.move(days=300)
    await certification.expire(desk.conn, desk.clock(), new_id=ids())
    assert await _sweep(desk) == 0
    desk.clock.move(days=31)
    assert await _sweep(desk) == 1
    assert await desk.conn.fetchval(count, LI) == 0


async def _sweep(desk: Desk) -> int:
    return await reopening.sweep_papers(desk.conn, before=desk.clock() - timedelta(days=30), now=desk.clock())


async def test_an_application_keeps_the_version_of_the_papers_that_it_began_with(desk: Desk) -> None:
    """What the operator changes is for those who begin after it."""
    old = await desk.begin()
    text = paperwork.shipped().replace('name = "authorisation"', 'name = "mandate"', 1)
    version = await paperwork.import_(desk.conn, text, by=None, now=desk.clock(), source=SOURCE, new_id=ids())
    new = await desk.begin(who=BO)
    names = [
        [paper.name for paper in (await applications.kind_of(desk.conn, one)).papers] for one in (old, new)
    ]
    assert names == [["business-licence", "authorisation"], ["business-licence", "mandate"]]
    assert new.paperwork == version > old.paperwork
    with pytest.raises(NotFound):
        await desk.give(old, "mandate")
    await paperwork.seed(desk.conn, now=desk.clock())
    assert (await paperwork.current(desk.conn)).version == version, (
        "the shipped file never replaces the operator's"
    )


FILES = [
    (
        'class = "enterprise"',
        'class = "firm"',
        r"line \d+, kind\[3\].class \(firm/company\): Invalid",
    ),
    ("months = 12", "months = 0", r"line 20, kind\[0\].months \(individual/occupation\)"),
    (
        "four_eyes = true",
        "four_eyes = false",
        r"line \d+, kind\[5\].four_eyes .*two people decide",
    ),
    (
        '"issuer", "issuer_reference"',
        '"issuer_reference"',
        r"line \d+, kind\[8\].fields .*issuer must",
    ),
    ('group = "work"', 'groop = "work"', r"line \d+, kind\[0\].papers\[0\] .*unknown field `groop`"),
    ('zh = "职业", en', "en", r"line \d+, kind\[0\].title .*missing required field `zh`"),
    ('name = "expertise"', 'name = "occupation"', r"kind\[1\].name .*two of this class and name"),
    (
        'group = "press"',
        'group = "other"',
        r"the group (other|press) has no alternative",
    ),
    ("[[kind]]", "[[kind]", r"this is not TOML: .*line 13"),
]


@pytest.mark.parametrize(("old", "new", "said"), FILES)
def test_a_file_that_cannot_be_used_says_the_line_and_the_key(old: str, new: str, said: str) -> None:
    text = paperwork.shipped()
    assert old in text
    with pytest.raises(InvalidPaperwork) as caught:
        paperwork.parse(text.replace(old, new, 1))
    assert re.search(said, str(caught.value)), str(caught.value)


ACTS = ("submit", "take", "check", "approve", "approve-other", "ask", "decline", "withdraw", "wait")
NEXT: Mapping[State, Mapping[str, State]] = {
    State.DRAFT: {"submit": State.SUBMITTED, "withdraw": State.WITHDRAWN},
    State.SUBMITTED: {
        "check": State.SECOND,
        "ask": State.MORE,
        "decline": State.DECLINED,
        "withdraw": State.WITHDRAWN,
    },
    State.SECOND: {
        "approve-other": State.APPROVED,
        "ask": State.MORE,
        "decline": State.DECLINED,
        "withdraw": State.WITHDRAWN,
    },
    State.MORE: {"submit": State.SUBMITTED, "withdraw": State.WITHDRAWN},
    State.APPROVED: {},
    State.DECLINED: {},
    State.WITHDRAWN: {},
}
"""What is drawn at the top of `applications`, for a class that two people decide about."""


@pytest.mark.parametrize("seed", range(12))
async def test_no_order_of_acts_leaves_the_machine_as_it_is_drawn(desk: Desk, seed: int) -> None:
    """Whatever is tried in whatever order, the state moves as drawn or not at all, and a certification stands
    exactly where two people approved."""
    chance = random.Random(seed)  # noqa: S311 - the same orders each time
    one = await desk.begin(CertClass.MEDIA, "news")
    await desk.fill(one, {**COMPANY, FieldName.LICENCE_NUMBER: "3512026001"})
    await desk.give_all(one)
    for _ in range(14):
        before = await _again(desk, one)
        act = chance.choice(ACTS)
        savepoint = desk.conn.transaction()
        await savepoint.start()
        try:
            await _do(desk, before, act)
        except NotAllowed:
            await savepoint.rollback()
        else:
            await savepoint.commit()
        after = await desk.state(one)
        assert after in {before.state, NEXT[before.state].get(act, before.state)}, (before.state, act, after)
        held = await certification.find_active(desk.conn, LI)
        assert (held is not None) == (after is State.APPROVED)
        if held is not None:
            final = await _again(desk, one)
            assert final.first_by is not None
            assert final.first_by != final.decided_by


async def _do(desk: Desk, one: Application, act: str) -> None:
    match act:
        case "submit":
            await desk.submit(one)
        case "take":
            await desk.take(one, CHECKER)
        case "check":
            await desk.check(one, CHECKER)
        case "approve":
            await desk.approve(one, CHECKER)
        case "approve-other":
            await desk.approve(one, OFFICER)
        case "ask":
            await desk.ask(one, OFFICER)
        case "decline":
            await desk.decline(one, OFFICER)
        case "withdraw":
            await desk.withdraw(one)
        case _:
            desk.clock.move(hours=1)


async def test_a_front_name_is_shown_only_by_consent_and_only_the_verified_one(desk: Desk) -> None:
    """Taken back, the copy is gone."""
    await _known_as(desk, LI, "林海风")
    assert [LI] == await frontnames.ask(desk.conn, [LI], now=desk.clock())
    assert [] == await frontnames.ask(desk.conn, [LI], now=desk.clock()), "asked once"
    with pytest.raises(NotAllowed, match="not the name"):
        await _agree(desk, LI, "林海峰")
    with pytest.raises(NotAllowed, match="no name is known"):
        await _agree(desk, BO, "林海风")
    assert await frontnames.shown(desk.conn, LI, sealer=desk.sealer) is None
    await _agree(desk, LI, " 林海风 ")
    assert await frontnames.shown(desk.conn, LI, sealer=desk.sealer) == "林海风"
    await frontnames.hide(desk.conn, LI, now=desk.clock(), source=SOURCE, new_id=ids())
    assert await frontnames.shown(desk.conn, LI, sealer=desk.sealer) is None
    assert await desk.conn.fetchval("select sealed from compliance.front_name") is None


async def _agree(desk: Desk, who: AccountId, name: str) -> None:
    await frontnames.agree(
        desk.conn, who, name, sealer=desk.sealer, now=desk.clock(), source=SOURCE, new_id=ids()
    )


async def test_no_table_holds_what_identifies_somebody_in_the_clear(desk: Desk) -> None:
    """In a draft, while it waits, and when it is decided: a thief of the database reads none of it."""
    values = {**COMPANY, FieldName.LICENCE_NUMBER: "3512026001"}
    one = await desk.begin(CertClass.MEDIA, "news")
    await desk.fill(one, values)
    assert [] == await _in_the_clear(desk, values)
    await desk.give_all(one)
    assert [] == await desk.submit(one)
    assert [] == await _in_the_clear(desk, values)
    await desk.decline(one)
    assert [] == await _in_the_clear(desk, values)


async def _in_the_clear(desk: Desk, values: Mapping[FieldName, str]) -> list[str]:
    # The vault itself is closed to the running server: `test_vault` looks into it as its owner.
    rows = [
        row[0]
        for table in ("compliance.application", "compliance.application_step", "compliance.record")
        for row in await desk.conn.fetch(f"select t::text from {table} t")  # noqa: S608 - fixed names
    ]
    assert rows
    spellings = {name: (value, value.encode().hex()) for name, value in values.items()}
    return [name for name, forms in spellings.items() if any(form in row for form in forms for row in rows)]
