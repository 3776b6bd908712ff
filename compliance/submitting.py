"""Sending an application in: every check that a machine can do, and what identifies somebody into the vault.

Whatever is wrong is said all at once, each fault with its own code, and nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from . import claims, identity, vault
from .activity import AccountId
from .applications import (
    VAULT_FIELDS,
    WRITABLE,
    Application,
    State,
    encode,
    get,
    kind_of,
    must_be,
    set_papers,
    typed,
)
from .applications import words as decode
from .claims import Fault, Wrong
from .connection import Connection
from .errors import NotAllowed
from .paperwork import FieldName, Kind
from .records import RecordKind, Source
from .sealing import Sealer
from .steps import note, record
from .vault import Field, PaperId

ANSWER_LONGEST = 1_000


async def submit(
    conn: Connection,
    application_id: int,
    *,
    words: str = "",
    by: AccountId,
    sealer: Sealer,
    register: bool | None = None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> list[Wrong]:
    """Sends it in, or says everything that is wrong with it. `register` is what an identity service answered
    about code and name; `words` go with the answer to a question."""
    application = await get(conn, application_id, lock=True)
    must_be(application, *WRITABLE)
    if len(words) > ANSWER_LONGEST:
        raise NotAllowed(f"an answer has at most {ANSWER_LONGEST} characters")
    kind = await kind_of(conn, application)
    values = typed(application, sealer)
    again = application.state is State.MORE and not any(claims.is_sealed(name) for name in values)
    wrong = await _faults(conn, application, kind, values, again, by=by, sealer=sealer, now=now)
    if register is False:
        wrong.append(Wrong(FieldName.ORGANISATION_NAME, Fault.NAME_MISMATCH))
    if wrong:
        return wrong
    if not again:
        await _seal(conn, application, kind, values, sealer=sealer, register=register, now=now, new_id=new_id)
    await conn.execute(
        """
        update compliance.application
        set state = 'submitted', submitted_at = coalesce(submitted_at, $2), updated_at = $2, sealed = null,
            by_id = $3, first_by = null, first_at = null, first_note = null, taken_by = null,
            taken_until = null
        where id = $1
        """,
        application.id,
        now,
        by,
    )
    await note(conn, application.id, State.SUBMITTED, by, words.strip(), now=now, new_id=new_id)
    await record(
        conn, RecordKind.CERTIFICATION_SUBMIT, application.id, by, source=source, now=now, new_id=new_id
    )
    return []


async def _faults(
    conn: Connection,
    application: Application,
    kind: Kind,
    values: Mapping[FieldName, str],
    again: bool,
    *,
    by: AccountId,
    sealer: Sealer,
    now: datetime,
) -> list[Wrong]:
    wrong = claims.check_fields(kind, values, as_of=now.date())
    if again:
        # What was sealed at the first time stands, and is not typed again.
        wrong = [one for one in wrong if not claims.is_sealed(FieldName(one.place))]
    wrong += claims.check_papers(kind, application.slots)
    if not (await identity.get(conn, by)).may_publish(now):
        wrong.append(Wrong("identity", Fault.IDENTITY_MISSING))
    places = {one.place for one in wrong}
    if FieldName.NAME in values and FieldName.NAME not in places:
        known = await known_index(conn, application.account_id, Field.NAME)
        if known is not None and known != _index(sealer, FieldName.NAME, values[FieldName.NAME]):
            wrong.append(Wrong(FieldName.NAME, Fault.NAME_MISMATCH))
    code = {FieldName.USCC, FieldName.ORGANISATION_NAME}
    if (
        code <= set(values)
        and not places & code
        and await _certified_otherwise(conn, application, values, sealer)
    ):
        wrong.append(Wrong(FieldName.ORGANISATION_NAME, Fault.NAME_MISMATCH))
    return wrong


async def _certified_otherwise(
    conn: Connection, application: Application, values: Mapping[FieldName, str], sealer: Sealer
) -> bool:
    """Whether another account is certified by this very code under another name."""
    return bool(
        await conn.fetchval(
            """
            select exists (
              select 1 from compliance.application a
                join compliance.certification c on c.application_id = a.id
              where a.uscc_index = $1 and a.organisation_index <> $2 and a.account_id <> $3
                and c.state = 'active')
            """,
            _index(sealer, FieldName.USCC, values[FieldName.USCC]),
            _index(sealer, FieldName.ORGANISATION_NAME, values[FieldName.ORGANISATION_NAME]),
            application.account_id,
        )
    )


async def known_index(conn: Connection, account_id: AccountId, kind: Field) -> bytes | None:
    """The blind index of what the verified identity of an account says; `None` where it does not say it."""
    found: bytes | None = await conn.fetchval(
        """
        select p.index from compliance.identity_claim c join vault.paper p on p.id = any(c.papers)
        where c.account_id = $1 and c.state = 'approved' and p.field = $2 and p.index is not null
        order by c.decided_at desc limit 1
        """,
        account_id,
        kind.value,
    )
    return found


async def known_masked(conn: Connection, account_id: AccountId) -> dict[str, str]:
    """What the verified identity of an account says, as it may be shown: masked, by the vault's fields."""
    shown = await conn.fetchval(
        """
        select shown::text from compliance.identity_claim
        where account_id = $1 and state = 'approved' order by decided_at desc limit 1
        """,
        account_id,
    )
    return {} if shown is None else decode(shown)


async def _seal(
    conn: Connection,
    application: Application,
    kind: Kind,
    values: Mapping[FieldName, str],
    *,
    sealer: Sealer,
    register: bool | None,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Moves what identifies somebody into the vault, and leaves blind indexes and masks."""
    slots = {name: ids for name, ids in application.slots.items() if not name.startswith("field:")}
    shown = {name.value: value for name, value in values.items() if not claims.is_sealed(name)}
    indexes: dict[FieldName, bytes] = {}
    for name, value in values.items():
        if not claims.is_sealed(name) or not value:
            continue
        slots[f"field:{name}"] = (
            await _put(conn, application, name, value, sealer=sealer, now=now, new_id=new_id),
        )
        shown[name.value] = claims.masked(name, value)
        if name in VAULT_FIELDS:
            indexes[name] = _index(sealer, name, value)
    replaced = [id_ for name, ids in application.slots.items() if name.startswith("field:") for id_ in ids]
    uscc = values.get(FieldName.USCC, "")
    if uscc and not claims.is_of_register(kind, uscc):
        shown["register"] = "other"
    if register:
        shown["asked"] = "agrees"
    await conn.execute(
        """
        update compliance.application
        set claims = $2::jsonb, uscc_index = $3, name_index = $4, organisation_index = $5 where id = $1
        """,
        application.id,
        encode(shown).decode(),
        indexes.get(FieldName.USCC),
        indexes.get(FieldName.NAME),
        indexes.get(FieldName.ORGANISATION_NAME),
    )
    await set_papers(conn, application, slots, now=now)
    if replaced:
        await vault.shred_papers(conn, [PaperId(id_) for id_ in replaced])


async def _put(
    conn: Connection,
    application: Application,
    name: FieldName,
    value: str,
    *,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
) -> PaperId:
    """Seals one claim: as a number or a name of the vault's, or, where it has no such, as a document."""
    if name in VAULT_FIELDS:
        return await vault.put(
            conn, application.account_id, VAULT_FIELDS[name], value, sealer=sealer, now=now, new_id=new_id
        )
    return await vault.put_scan(
        conn,
        application.account_id,
        value.encode(),
        mime="text/plain",
        name=name.value,
        sealer=sealer,
        now=now,
        new_id=new_id,
    )


def _index(sealer: Sealer, name: FieldName, value: str) -> bytes:
    """As the vault indexes the same: what is compared is compared in one form."""
    return sealer.index(value, purpose=vault.index_purpose(VAULT_FIELDS[name]))
