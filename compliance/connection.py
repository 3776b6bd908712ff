"""The one name for a database connection: taken from a pool or opened by itself, always with a transaction
around it.

Who calls a function of this package has opened the transaction; nothing here begins, ends or commits one.
"""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
