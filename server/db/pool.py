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
        server_settings=session_settings(role, statement_seconds),
    )


def session_settings(role: str | None, statement_seconds: int) -> dict[str, str]:
    """What every connection of ours is set to."""
    settings = {
        "application_name": "yanlu",
        "search_path": "public",
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": f"{statement_seconds}s",
        "lock_timeout": f"{statement_seconds}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    return settings | ({"role": role} if role else {})
