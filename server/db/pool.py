"""The pool of connections a process answers with, always as the role that may not alter tables or the log."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
Pool: TypeAlias = "asyncpg.Pool[Any]"

WEB_STATEMENT_SECONDS = 5
JOB_STATEMENT_SECONDS = 30


async def open_pool(
    url: str, *, size: int, role: str | None = None, statement_seconds: int = WEB_STATEMENT_SECONDS
) -> Pool:
    """A pool on `url`; with `role`, every connection acts as that role instead of its login."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        max_inactive_connection_lifetime=0,
        command_timeout=statement_seconds * 2,
        statement_cache_size=1024,
        max_cached_statement_lifetime=0,
        timeout=10,
        reset=_let_go,
        server_settings=session_settings(role, statement_seconds),
    )


async def _let_go(conn: Connection) -> None:
    """What the pool does with a connection that comes back. Nothing here sets anything beyond a transaction
    or listens on a pooled connection, so the usual statement that resets all that is a round trip for
    nothing.
    """
    if conn.is_in_transaction():
        raise RuntimeError("a connection came back in the middle of a transaction")


def session_settings(role: str | None, statement_seconds: int) -> dict[str, str]:
    """What every connection of ours is set to."""
    settings = {
        "application_name": "yanlu",
        "search_path": "public",
        "timezone": "UTC",
        "jit": "off",
        # Planning costs several times what our short statements cost to run, and is the same each time.
        "plan_cache_mode": "force_generic_plan",
        "statement_timeout": f"{statement_seconds}s",
        "lock_timeout": f"{statement_seconds}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    return settings | ({"role": role} if role else {})
