"""The command line without a server: what it answers, and what it refuses."""

import argparse
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compliance.sealing import Sealer
from server.cli import FAMILIES, main, parser
from server.db.embedded import Cluster


def _commands(
    of: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield (*words, name), inner
                yield from _commands(inner, (*words, name))


COMMANDS = dict(_commands(parser()))


class Yanlu:
    """Runs commands on one data folder."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = data
        self._capsys = capsys

    def __call__(self, *words: str) -> Any:
        """What a command that succeeds answers."""
        status, said, _ = self.all(*words)
        assert status == 0, said
        return said

    def all(self, *words: str) -> tuple[int, Any, str]:
        """Status, answer and complaint of any command."""
        status = main([*words, "--data", str(self.data), "--json"])
        out, err = self._capsys.readouterr()
        return status, json.loads(out), err


@pytest.fixture
def yanlu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Yanlu]:
    # Held for the test, so that not every command starts and stops a database of its own.
    cluster = Cluster(tmp_path / "data")
    cluster.take()
    yield Yanlu(tmp_path / "data", capsys)
    cluster.give_back()


PASSWORD = "correct horse battery"


def _create(yanlu: Yanlu, name: str, *more: str) -> Any:
    return yanlu("account", "create", name, "--email", f"{name}@mail.example", "--password", PASSWORD, *more)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    found = COMMANDS[words]
    assert found.description
    options = {option for action in found._actions for option in action.option_strings}
    is_family = any(isinstance(action, argparse._SubParsersAction) for action in found._actions)
    assert is_family or {"--data", "--json", "--help"} <= options


def test_options_may_stand_before_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--data", str(tmp_path), "settings"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert (str(tmp_path), "command line") == (found["data"]["value"], found["data"]["source"])


def test_secrets_are_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are pasted into questions to others."""
    monkeypatch.setenv("YANLU_METRICS_TOKEN", "opensesame")
    for more in ((), ("--json",)):
        assert main(["settings", "--data", str(tmp_path), *more]) == 0
        assert "opensesame" not in capsys.readouterr().out


def test_doctor_looks_at_a_server_that_is_not_there_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--data", str(tmp_path / "new"), "--json"]) == 0
    assert {"settings", "data", "disk", "name", "database"} <= {
        check["subject"] for check in json.loads(capsys.readouterr().out)
    }
    assert not (tmp_path / "new").exists()


def test_a_life_of_an_account(yanlu: Yanlu) -> None:
    """What an operator does at a machine without a browser, in one go: each start costs a database."""
    alice = _create(yanlu, "alice", "--phone", "+8613800138000", "--role", "reviewer")
    assert ("verified", ["reviewer"], True) == (
        alice["identity"],
        alice["roles"],
        alice["email_confirmed"],
    )
    assert _create(yanlu, "bob")["identity"] == "none"
    assert yanlu("account", "role", "bob", "reviewer", "compliance")["roles"] == ["compliance", "reviewer"]
    assert yanlu("account", "role", "bob", "--revoke", "reviewer", "compliance")["roles"] == []
    assert yanlu("account", "suspend", "bob", "--reason", "spam")["suspended"] is True
    assert yanlu("account", "restore", "bob", "--reason", "a mistake")["suspended"] is False
    assert len(yanlu("account", "reset-password", "bob")["password"]) >= 12
    assert yanlu("token", "create", "alice", "--scopes", "read admin:read")["scopes"] == [
        "read",
        "admin:read",
    ]
    assert yanlu("migrate") == {"applied": []}
    states = {check["subject"]: check["state"] for check in yanlu("doctor")}
    assert {"ok"} == {states[subject] for subject in ("database", "roles", "clock", "tables")}

    late = ("account", "create", "late", "--email", "late@mail.example", "--password", PASSWORD)
    for words, said in (
        (("account", "create", "alice", "--email", "c@mail.example", "--password", PASSWORD), "taken"),
        (("account", "create", "c", "--email", "c@mail.example", "--password", "short"), "at least"),
        (("account", "show", "nobody"), "no account nobody"),
        ((*late, "--phone", "123"), "does not look like a mobile number"),
        ((*late, "--phone", ""), "does not look like a mobile number"),
        ((*late, "--attest", " "), "Say how the identity was verified"),
        (("account", "show", "late"), "no account late"),
        (("token", "create", "bob", "--scopes", "read", "--app", " "), "no name"),
        (("account", "restore", "bob", "--reason", "x"), "not suspended"),
        (("token", "create", "bob", "--scopes", "admin:write"), "needs a role"),
        (("token", "create", "bob", "--scopes", "everything"), "no scope called everything"),
    ):
        status, answer, complaint = yanlu.all(*words)
        assert (1, True, True) == (status, said in answer["error"], said in complaint), answer


def test_a_number_that_verifies_nobody_more_is_said_to_be(
    yanlu: Yanlu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads "made" believes that the person can publish."""
    monkeypatch.setenv("YANLU_IDENTITY_ACCOUNTS_PER_IDENTITY", "1")
    _create(yanlu, "alice", "--phone", "+8613800138000")
    words = ("--email", "bob@mail.example", "--password", PASSWORD, "--phone", "+8613800138000")
    status, answer, _ = yanlu.all("account", "create", "bob", *words)
    assert (1, True) == (status, "as many accounts as one number may" in answer["error"])
    assert yanlu("account", "show", "bob")["identity"] == "pending"


def test_a_key_that_is_lost_or_strange_is_asked_back_for(yanlu: Yanlu, tmp_path: Path) -> None:
    """A new key beside old data would seal some people's addresses and lose everybody else's."""
    _create(yanlu, "alice")
    secret = yanlu.data / "secret.key"
    secret.rename(tmp_path / "kept")
    for _ in range(2):
        status, answer, _ = yanlu.all("account", "show", "alice")
        assert (1, True, False) == (status, "is missing" in answer["error"], secret.exists())
    Sealer.load(secret)
    assert "not the key of this database" in yanlu.all("account", "show", "alice")[1]["error"]
    (tmp_path / "kept").replace(secret)
    assert yanlu("account", "show", "alice")["email"] == "alice@mail.example"


def test_rules_come_in_and_into_force(yanlu: Yanlu, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rule = {"pattern": "假文凭", "basis": "12"}
    lists = {"frauds": {"category": "fraud", "rules": [rule]}}
    rules.write_text(json.dumps({"name": "shop", "version": "3", "lists": lists}))
    version = yanlu("rules", "import", str(rules))["version"]
    assert [(version, "shop", False)] == [
        (one["version"], one["name"], one["active"]) for one in yanlu("rules", "list")
    ]
    yanlu("rules", "activate", str(version))
    assert yanlu("rules", "list")[0]["active"] is True
    yanlu("rules", "activate", "0")
    assert yanlu("rules", "list")[0]["active"] is False
    rules.write_text("{}")
    assert yanlu.all("rules", "import", str(rules))[0] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_cannot_be_made_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o500)
    assert main(["migrate", "--data", str(tmp_path / "new")]) == 1
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_answers_to_its_words_and_no_others(family: str) -> None:
    """The table in `server.cli` says which module a word loads; the modules say the words."""
    found = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(f"server.cli.{family}").add_to(found)
    assert FAMILIES[family] == tuple(found.choices)
