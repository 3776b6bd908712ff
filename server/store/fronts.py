"""Who has more readers than the operator lets go unnamed (`certification.front_name_followers`)."""

from __future__ import annotations

from compliance.activity import AccountId
from server.db.pool import Connection


async def not_asked(conn: Connection, *, followers: int, limit: int) -> list[AccountId]:
    """People here with more followers than that who were not asked yet. An organisation has no name of its
    own to hide.
    """
    rows = await conn.fetch(
        """
        select a.id from account a
          join member m on m.account_id = a.id
          join account_count c on c.account_id = a.id
        where a.host is null and a.suspended_at is null and a.gone_at is null and c.followers > $1
          and not exists (select 1 from compliance.front_name f where f.account_id = a.id)
        order by a.id limit $2
        """,
        followers,
        limit,
    )
    return [AccountId(row["id"]) for row in rows]


async def above(conn: Connection, *, followers: int) -> list[AccountId]:
    """Everybody here with more followers than that; there are few."""
    rows = await conn.fetch(
        """
        select a.id from account a
          join member m on m.account_id = a.id
          join account_count c on c.account_id = a.id
        where a.host is null and a.suspended_at is null and a.gone_at is null and c.followers > $1
        """,
        followers,
    )
    return [AccountId(row["id"]) for row in rows]


async def list_(conn: Connection, *, followers: int) -> list[tuple[str, int, str]]:
    """Everybody above that number, with how it stands: name, followers, state."""
    rows = await conn.fetch(
        """
        select a.username, c.followers, coalesce(f.state, 'none') as state from account a
          join member m on m.account_id = a.id
          join account_count c on c.account_id = a.id
          left join compliance.front_name f on f.account_id = a.id
        where a.host is null and a.suspended_at is null and a.gone_at is null and c.followers > $1
        order by c.followers desc
        """,
        followers,
    )
    return [(row["username"], row["followers"], row["state"]) for row in rows]


async def closed(conn: Connection, *, limit: int) -> list[AccountId]:
    """Accounts that were closed while something was certified, applied for, or shown of them."""
    rows = await conn.fetch(
        """
        select a.id from account a where a.gone_at is not null and a.host is null and (
          exists (select 1 from compliance.certification c where c.account_id = a.id and c.state = 'active')
          or exists (select 1 from compliance.application p
                     where p.account_id = a.id and p.state in ('draft', 'submitted', 'more', 'second'))
          or exists (select 1 from compliance.front_name f where f.account_id = a.id and f.state = 'shown'))
        order by a.id limit $1
        """,
        limit,
    )
    return [AccountId(row["id"]) for row in rows]
