"""`yanlu certification`: the operator's file of papers, and what is certified, from the machine itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from compliance import paperwork
from server.cli import main


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certification") / "data"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    """The exit status, what was printed as JSON, and what was complained of."""
    status = main([*words, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out.strip().startswith(("[", "{")) else out, err


def test_a_file_is_checked_without_a_database(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Right or wrong, with the line and the key."""
    file = tmp_path / "papers.toml"
    file.write_text(paperwork.shipped(), "utf-8")
    assert (0, {"valid": True, "kinds": 9}) == run(capsys, "certification", "papers", "check", str(file))[:2]
    monkeypatch.setattr("sys.stdin", io.StringIO(paperwork.shipped().replace("months = 12", "months = 0", 1)))
    status, _, said = run(capsys, "certification", "papers", "check", "-")
    assert (2, True) == (status, "line 20, kind[0].months" in said)


def test_the_file_goes_out_and_comes_back_as_a_new_version(
    capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    """What is in force can be edited and put in force again; a wrong file changes nothing."""
    at = ("--data", str(data))
    status, text, _ = run(capsys, "certification", "papers", "export", *at)
    assert (0, paperwork.shipped()) == (status, text)
    (data / "certification.toml").write_text(text.replace("months = 12", "months = 24"), "utf-8")
    assert (0, {"version": 2}) == run(capsys, "certification", "papers", "import", *at)[:2]
    (data / "certification.toml").write_text("[[kind]]\n", "utf-8")
    status, _, said = run(capsys, "certification", "papers", "import", *at)
    assert (1, True) == (status, "missing required field" in said), said
    versions = run(capsys, "certification", "papers", "list", *at)[1]
    assert [(one["version"], one["origin"]) for one in versions] == [(2, "operator"), (1, "shipped")]
    first = run(capsys, "certification", "papers", "export", "--version", "1", *at)[1]
    assert first == paperwork.shipped()


def test_what_is_not_certified_is_said_so(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    at = ("--data", str(data))
    assert (0, []) == run(capsys, "certification", "list", *at)[:2]
    assert (0, []) == run(capsys, "certification", "front-names", *at)[:2]
    status, _, said = run(capsys, "certification", "show", "nobody", *at)
    assert (1, True) == (status, "There is no account of this name" in said)
    words = ("account", "create", "mei", "--email", "mei@x.example", "--password", "correct horse battery")
    assert run(capsys, *words, "--attest", "seen", *at)[0] == 0
    assert run(capsys, "certification", "show", "mei", *at)[1] == {"account": "mei", "certifications": []}
    status, _, said = run(
        capsys, "certification", "revoke", "mei", "--ground", "misuse", "--reason", "x", *at
    )
    assert (1, True) == (status, "This account is not certified" in said)
