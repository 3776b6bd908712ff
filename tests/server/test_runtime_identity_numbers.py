"""`yanlu identity check`: an interface that other programs rely on."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.cli import main
from server.cli.identity import run

DAY = date(2026, 7, 1)
RIGHT = {"id": "1", "type": "resident-id", "value": "110105 19491231 002x"}


def _file(folder: Path, *cases: object) -> str:
    path = folder / "numbers.jsonl"
    path.write_text("".join(f"{json.dumps(case, ensure_ascii=False)}\n" for case in cases), "utf-8")
    return str(path)


def _said(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_line_gets_an_answer_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole of the format, on a folder in which no server was ever started."""
    file = _file(
        tmp_path,
        RIGHT,
        {"id": "2", "type": "resident-id-15", "value": "110101050101001"},
        {"id": "3", "type": "uscc", "value": "000000000000000000"},
        {"id": "4", "type": "uscc", "value": "91350100MA01ABCD55"},
    )
    assert main(["identity", "check", "--input", file, "--data", str(tmp_path)]) == 0
    assert [
        {
            "id": "1",
            "valid": True,
            "reason": "ok",
            "normalized": "11010519491231002X",
            "birth": "1949-12-31",
            "sex": "female",
            "province": "11",
            "warnings": [],
        },
        {
            "id": "2",
            "valid": True,
            "reason": "ok",
            "normalized": "110101050101001",
            "birth": "1905-01-01",
            "sex": "male",
            "province": "11",
            "upgrade": "110101190501010010",
            "warnings": ["no_longer_a_document"],
        },
        {
            "id": "3",
            "valid": False,
            "reason": "authority",
            "normalized": "000000000000000000",
            "warnings": [],
        },
        {
            "id": "4",
            "valid": True,
            "reason": "ok",
            "normalized": "91350100MA01ABCD55",
            "province": "35",
            "warnings": [],
        },
    ] == _said(capsys)


def test_a_line_may_have_a_day_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Papers are looked at years after they were handed in."""
    number = {"type": "resident-id", "value": "440524188001010014"}
    file = _file(tmp_path, {"id": "old", "as_of": "1999-07-01", **number}, {"id": "new", **number})
    words = ["identity", "check", "--input", file, "--data", str(tmp_path)]
    assert main([*words, "--as-of", "2026-07-01"]) == 0
    assert [("old", "ok"), ("new", "age")] == [(one["id"], one["reason"]) for one in _said(capsys)]
    assert main([*words, "--as-of", "2005-07-01"]) == 0
    assert ["ok", "ok"] == [one["reason"] for one in _said(capsys)]


def test_standard_input_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the mark that some programs begin files with, empty lines, and a separator that is no new line."""
    lines = "\ufeff\n" + json.dumps({**RIGHT, "id": "a\u2028b"}, ensure_ascii=False) + "\r\n\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["identity", "check", "--input", "-", "--data", str(tmp_path)]) == 0
    [line] = capsys.readouterr().out.strip("\n").split("\n")
    assert ("a\u2028b", True) == (json.loads(line)["id"], json.loads(line)["valid"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "line 2: "),
        (b'{"id": "2", "type": "uscc"}', "line 2: Object missing required field `value`"),
        (b'{"id": "2", "type": "uscc", "value": 110105}', "line 2: Expected `str`, got `int`"),
        (b'{"id": "2", "type": "uscc", "value": "1", "colour": "red"}', "line 2: Object contains unknown"),
        (b'{"id": "2", "type": "11010519491231002X", "value": "1"}', "line 2: type is none of foreign-"),
        (b'{"id": "2", "type": "uscc", "value": "1", "as_of": "2026-02-30"}', "line 2: as_of is no day"),
        (b'{"id": "2", "type": "uscc", "value": "1", "as_of": "20260228"}', "line 2: as_of is not a day"),
        (b'{"id": "2", "type": "uscc", "value": "\xff"}', "line 2: it is not UTF-8"),
    ],
)
def test_what_is_malformed_ends_with_2_and_the_line(
    line: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could be judged before it was; and no number stands in the complaint."""
    file = tmp_path / "numbers.jsonl"
    file.write_bytes(json.dumps(RIGHT).encode() + b"\n" + line + b"\n")
    assert main(["identity", "check", "--input", str(file), "--data", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "110105" not in shown.err
    assert ["1"] == [json.loads(answer)["id"] for answer in shown.out.splitlines()]


def test_a_day_that_is_none_is_not_taken_for_another(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["identity", "check", "--input", "-", "--as-of", "tomorrow"])
    assert ended.value.code == 2
    assert "--as-of" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identity", "check", "--input", str(tmp_path / "gone"), "--data", str(tmp_path)]) == 1
    assert "gone cannot be read" in capsys.readouterr().err


def test_answers_come_while_lines_still_arrive() -> None:
    """A long file takes no more memory than a short one."""
    endless = iter([json.dumps(RIGHT).encode(), b"{"])
    assert "1" == next(run(endless, DAY))["id"]
