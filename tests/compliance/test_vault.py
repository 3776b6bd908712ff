"""The vault: what goes in, what comes out and by whom, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from compliance import accesses, openings, vault
from compliance.accesses import Purpose
from compliance.activity import AccountId
from compliance.connection import Connection
from compliance.sealing import Sealer
from compliance.vault import Field, PaperId

from .build import SOURCE, Clock, ids

LI, MEI, OFFICER, EDITOR, REVIEWER = map(AccountId, range(1, 6))
NUMBER = "+8613800138000"
NAME = "欧阳明月"
RESIDENT = "11010519491231002X"

pytestmark = pytest.mark.usefixtures("staff")


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer.load(tmp_path / "secret.key")


@dataclass(frozen=True, slots=True)
class Office:
    """The vault with its people: everything at the clock's time."""

    conn: Connection
    sealer: Sealer
    clock: Clock
    new_id: Callable[[], int]

    async def put(self, field: Field, value: str, who: AccountId = LI, **more: Any) -> PaperId:
        return await vault.put(
            self.conn,
            who,
            field,
            value,
            sealer=self.sealer,
            now=self.clock(),
            new_id=self.new_id,
            **more,
        )

    async def request(self, *wanted: Field, by: AccountId = OFFICER, **more: Any) -> int:
        given: dict[str, Any] = {
            "purpose": Purpose.AUTHORITY,
            "legal_basis": "Cybersecurity Law, article 28",
            "case": "2026-118",
        }
        async with self.conn.transaction():
            return await openings.request(
                self.conn, LI, wanted or (Field.NAME,), by=by, **self.about(), **(given | more)
            )

    async def decide(self, opening: int, by: AccountId = EDITOR, *, approve: bool = True) -> None:
        async with self.conn.transaction():
            await openings.decide(
                self.conn, opening, approve=approve, statement="seen", by=by, **self.about()
            )

    async def read(self, opening: int, by: AccountId = OFFICER) -> list[str]:
        async with self.conn.transaction():
            found = await openings.read(self.conn, opening, by=by, sealer=self.sealer, **self.about())
        return [paper.value.decode() for paper in found]

    async def review(self, case: str, *papers: PaperId, by: AccountId = REVIEWER) -> list[vault.OpenedPaper]:
        async with self.conn.transaction():
            return await openings.read_for_review(
                self.conn, papers, reviewer=by, case=case, sealer=self.sealer, **self.about()
            )

    async def history(self, who: AccountId = LI) -> list[accesses.Access]:
        return await accesses.history(self.conn, who, self.clock())

    def about(self) -> dict[str, Any]:
        return {"now": self.clock(), "source": SOURCE, "new_id": self.new_id}


@pytest.fixture
async def staff(conn: Connection) -> None:
    """Li and Mei, a compliance officer, an editor in chief, a reviewer."""
    for account_id, name, role in (
        (LI, "li", None),
        (MEI, "mei", None),
        (OFFICER, "officer", "compliance"),
        (EDITOR, "chief", "editor"),
        (REVIEWER, "reviewer", "reviewer"),
    ):
        await conn.execute(
            "insert into account (id, username, uri, url, inbox, created_at)"
            " values ($1, $2, $3, $3, $3, now())",
            account_id,
            name,
            f"https://here.example/users/{name}",
        )
        await conn.execute(
            "insert into member (account_id, email_sealed, email_index, password, created_at)"
            " values ($1, '', $2, '', now())",
            account_id,
            name.encode(),
        )
        if role:
            await conn.execute(
                "insert into member_role (account_id, role, granted_at) values ($1, $2, now())",
                account_id,
                role,
            )


@pytest.fixture
def office(conn: Connection, sealer: Sealer) -> Office:
    return Office(conn, sealer, Clock(), ids())


# --- Putting in


async def test_a_person_has_one_key_for_all_papers(office: Office) -> None:
    """Whatever they give, and another person has another."""
    await office.put(Field.MOBILE, NUMBER)
    await office.put(Field.NAME, NAME)
    await office.put(Field.MOBILE, NUMBER, MEI)
    keys = await office.conn.fetch("select account_id, version, key_version from vault.person_key order by 1")
    assert [(LI, 1, 1), (MEI, 1, 1)] == [tuple(row) for row in keys]
    papers = await office.conn.fetch("select distinct person_key from vault.paper")
    assert [1] == [row["person_key"] for row in papers]


async def test_equal_papers_are_found_without_opening_them(office: Office) -> None:
    """The index is the same, and says nothing without its key."""
    await office.put(Field.MOBILE, NUMBER)
    await office.put(Field.MOBILE, NUMBER, MEI, forget=True)
    indexes = {row["index"] for row in await office.conn.fetch("select index from vault.paper")}
    assert indexes == {office.sealer.index(NUMBER, purpose="phone")}


@pytest.mark.parametrize(
    "statement",
    [
        "select sealed from vault.paper",
        "select wrapped_key from vault.paper",
        "select wrapped_key from vault.person_key",
        "select * from vault.taken(array[1]::bigint[])",
        "select vault.has_role(1, array['editor'])",
        "insert into vault.opening (id) values (1)",
        "update vault.opening set state = 'approved'",
        "insert into vault.access (id) values (1)",
        "delete from vault.access",
        "delete from vault.person_key",
        "update vault.person_key set wrapped_key = ''",
        "update vault.paper set account_id = 2",
        "delete from vault.paper",
        "truncate vault.paper",
        "copy vault.paper to stdout",
        "create or replace function vault.has_role(bigint, text[]) returns boolean language sql as ''",
    ],
)
async def test_the_server_has_no_other_way_to_what_is_sealed(office: Office, statement: str) -> None:
    """Not to read it, to approve for itself, to write an access of its own or to take one back."""
    await office.put(Field.NAME, NAME)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await office.conn.execute(statement)
