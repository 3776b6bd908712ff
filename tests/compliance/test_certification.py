"""Certification from the first draft to the day it ends: every way through, and every way that is closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance import (
    appeals,
    applications,
    approvals,
    certification,
    identity,
    openings,
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
from compliance.errors import NotAllowed
from compliance.paperwork import FieldName, InvalidPaperwork
from compliance.records import RecordKind
from compliance.sealing import Sealer
from compliance.vault import PaperId

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
