"""What follows a decision about a certification: an appeal that was right, papers that had their time."""

from __future__ import annotations

from datetime import datetime

from . import certification, vault
from .applications import State, find_open, get
from .connection import Connection
from .overturned import Again, Overturned
from .records import RecordKind
from .steps import note, record
from .vault import PaperId


async def overturned(conn: Connection, found: Overturned) -> Again:
    """An appeal was right: a declined application waits again, for somebody else; a revoked one holds."""
    subject, _, number = (found.decision.object_uri or "").partition(":")
    if subject == "certification":
        await certification.restore(
            conn,
            int(number),
            by=found.decider,
            now=found.now,
            source=found.source,
            new_id=found.new_id,
        )
    elif subject == "application":
        await _reopen(conn, int(number), found)
    return None


async def _reopen(conn: Connection, application_id: int, found: Overturned) -> None:
    application = await get(conn, application_id, lock=True)
    if application.state is not State.DECLINED or await find_open(conn, application.account_id) is not None:
        return  # they have applied anew, which is looked at with new eyes as it is
    await conn.execute(
        """
        update compliance.application
        set state = 'submitted', barred = array_append(barred, decided_by), decided_by = null,
            decided_at = null, ground = null, statement = null, first_by = null, first_at = null,
            first_note = null, taken_by = null, taken_until = null, updated_at = $2
        where id = $1
        """,
        application.id,
        found.now,
    )
    await note(conn, application.id, "reopened", found.decider, "", now=found.now, new_id=found.new_id)
    await record(
        conn,
        RecordKind.CERTIFICATION_REOPEN,
        application.id,
        found.decider,
        source=found.source,
        now=found.now,
        new_id=found.new_id,
    )


async def sweep_papers(conn: Connection, *, before: datetime, now: datetime, limit: int = 100) -> int:
    """Destroys what was given for applications that were decided before then; those that a certification in
    force rests on stay until it ends."""
    rows = await conn.fetch(
        """
        select a.id, a.papers from compliance.application a
        where a.shredded_at is null and a.decided_at < $1 and a.state in ('approved', 'declined', 'withdrawn')
          and not exists (select 1 from compliance.certification c
                          where c.application_id = a.id and (c.state = 'active' or c.updated_at >= $1))
          and not exists (select 1 from compliance.appeal p
                          where p.decision_id = a.decision_id and p.state = 'waiting')
        order by a.decided_at limit $2 for update of a skip locked
        """,
        before,
        limit,
    )
    for row in rows:
        await vault.shred_papers(conn, [PaperId(id_) for id_ in row["papers"]])
        await conn.execute("update compliance.application set shredded_at = $2 where id = $1", row["id"], now)
    return len(rows)
