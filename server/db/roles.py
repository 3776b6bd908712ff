"""Who is who in the database: the owner migrates; the app runs, and may not alter tables or the log.

In the embedded database both are made here. Of an external one only a login is known: the app role is made
where that login may make roles; where it may not, the login runs everything, and `yanlu doctor` says so.
"""

from __future__ import annotations

import asyncpg

from . import embedded
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


async def app_role(conn: Connection) -> str:
    """The role to run as from an external login: made and granted if that is allowed, else the login."""
    login: str = await conn.fetchval("select current_user")
    try:
        async with conn.transaction():
            if not await conn.fetchval("select true from pg_roles where rolname = $1", embedded.APP):
                await conn.execute(f"create role {APP} nologin")
            if not await conn.fetchval("select pg_has_role(current_user, $1, 'member')", APP):
                await conn.execute(f'grant {APP} to "{login.replace(chr(34), chr(34) * 2)}"')
            await conn.execute(f"set local role {APP}")
    except asyncpg.PostgresError:
        return login
    return APP
