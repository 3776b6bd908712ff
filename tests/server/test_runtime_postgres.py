import asyncpg
import pytest

from server.db.pool import Connection
from tests.fixtures.postgres import Database


async def test_the_app_role_may_not_change_the_log(conn: Connection) -> None:
    """The log is worth something only if the running server cannot alter it."""
    for statement in ("delete from compliance.record", "update compliance.decision set verdict = 'held'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await conn.execute(statement)


async def test_chinese_words_have_trigrams(conn: Connection) -> None:
    """With the wrong LC_CTYPE pg_trgm sees no Chinese character, and people cannot be found by name."""
    assert await conn.fetchval("select array_length(show_trgm('言路微博客'), 1)") == 6


async def test_a_database_of_its_own_takes_commits(database: Database) -> None:
    conn = await asyncpg.connect(database.url)
    try:
        await conn.execute("insert into tag (id, name, shown) values (1, 'a', 'A')")
        assert await conn.fetchval("select count(*) from tag") == 1
    finally:
        await conn.close()


async def test_another_database_does_not_see_them(database: Database) -> None:
    conn = await asyncpg.connect(database.url)
    try:
        assert await conn.fetchval("select count(*) from tag") == 0
    finally:
        await conn.close()
