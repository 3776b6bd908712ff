import json
import logging
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from server import logs
from server.db.pool import Connection


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Path]:
    """A log file, for as long as a test."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    logs.configure(str(tmp_path / "deep" / "yanlu.log"), "info")
    yield tmp_path / "deep" / "yanlu.log"
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = before, level
    logging.captureWarnings(capture=False)


def _read(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_is_one_json_object_with_its_request(lines: Path) -> None:
    """Whoever follows one request through the log needs every line of it, and a program to find them."""
    token = logs.REQUEST.set("abc")
    logging.getLogger("x").info("done\nwith it", extra={"account": 7})
    logs.REQUEST.reset(token)
    logging.getLogger("x").debug("not kept")
    [line] = _read(lines)
    assert ("done\nwith it", "info", "abc", 7) == (
        line["message"],
        line["level"],
        line["request"],
        line["account"],
    )


def test_what_people_typed_does_not_get_in_by_an_exception(lines: Path) -> None:
    """Exceptions quote values; a log is read by more people than a database."""
    try:
        int("alice@example.org +8613800138000 11010519491231002X")
    except ValueError:
        logging.getLogger("x").exception("failed")
    written = lines.read_text()
    assert [] == [word for word in ("alice", "138001", "491231") if word in written]
    assert "test_runtime_logs.py" in written


async def test_of_a_database_error_only_the_code_is_kept(lines: Path, conn: Connection) -> None:
    """Its details repeat the row: mail addresses, digests, words."""
    try:
        async with conn.transaction():
            for _ in range(2):
                await conn.execute("insert into tag (id, name, shown) values (1, 'secretword', 'secretword')")
    except asyncpg.UniqueViolationError:
        logging.getLogger("x").exception("failed")
    [line] = _read(lines)
    error = line["error"]
    assert isinstance(error, dict)
    assert ("23505", "tag_pkey") == (error["sqlstate"], error["constraint"])
    assert "secretword" not in lines.read_text()


def test_a_rotated_file_is_followed(lines: Path) -> None:
    """logrotate moves the file away under us."""
    log = logging.getLogger("x")
    log.info("one")
    lines.rename(lines.with_suffix(".1"))
    log.info("two")
    assert ["two"] == [line["message"] for line in _read(lines)]
