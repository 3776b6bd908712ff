"""Who is who in the database: the owner migrates; the app runs, and may not alter tables or the log.

In the embedded database both are made here. Of an external one only logins are known: the app role is made
where the owner may make roles; where it may not, the login runs everything, and `yanlu doctor` says so.
"""

from __future__ import annotations

import asyncpg

from .embedded import APP, DATABASE, OWNER, SUPERUSER, Cluster
from .pool import Connection


async def prepare_embedded(cluster: Cluster) -> None:
    """Makes the roles and the database where they are not there yet."""
    conn = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
    try:
        there = {row["rolname"] for row in await conn.fetch("select rolname from pg_roles")}
        for role in (OWNER, APP):
            if role not in there:
                await conn.execute(f"create role {role} login noinherit")
        if not await conn.fetchval("select true from pg_database where datname = $1", DATABASE):
            await conn.execute(f"create database {DATABASE} owner {OWNER}")
            await conn.execute(f"revoke all on database {DATABASE} from public")
            await conn.execute(f"grant connect on database {DATABASE} to {APP}")
    finally:
        await conn.close()


async def grant_app_role(owner: Connection, login: str) -> str:
    """The role that `login` is to run as: the app role, made and granted if that is allowed; else itself."""
    try:
        async with owner.transaction():
            if not await owner.fetchval("select true from pg_roles where rolname = $1", APP):
                await owner.execute(f"create role {APP} nologin")
            if not await owner.fetchval(
                "select pg_has_role($1::name, $2::name, $3)", login, APP, _changing(owner)
            ):
                await owner.execute(f"grant {APP} to {quoted(login)}")
    except asyncpg.PostgresError:
        return login
    return APP


async def find_app_role(conn: Connection) -> str | None:
    """The role to change to after a log-in, where it is another than the login's own."""
    found: str | None = await conn.fetchval(
        "select rolname from pg_roles where rolname = $1 and rolname <> current_user"
        " and pg_has_role(current_user, oid, $2)",
        APP,
        _changing(conn),
    )
    return found


def _changing(conn: Connection) -> str:
    """What allows SET ROLE: since 16 more than being a member, as the maker of a role is at once."""
    return "set" if conn.get_server_version().major >= 16 else "member"


def quoted(name: str) -> str:
    """`name` as SQL takes it where no parameter is possible."""
    return '"' + name.replace('"', '""') + '"'
