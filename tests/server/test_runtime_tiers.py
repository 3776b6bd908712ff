"""`yanlu tiers check` and `yanlu filing verify`: what needs no database, and scripts rely on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance import tierbook
from federation import proofs
from server.cli import main


def test_a_policy_is_checked_without_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 for one that can be used, 2 and the place for one that cannot."""
    file = tmp_path / "tiers.toml"
    file.write_text(tierbook.shipped(), "utf-8")
    assert 0 == main(["tiers", "check", str(file), "--json", "--data", str(tmp_path)])
    told = json.loads(capsys.readouterr().out)
    assert (True, ["answerable", "trusted", "standard", "new", "watched"]) == (told["valid"], told["tiers"])
    file.write_text(tierbook.shipped().replace("min = 60", "min = -1e9", 1), "utf-8")
    assert 2 == main(["tiers", "check", str(file), "--data", str(tmp_path)])
    assert "tiers[3].when.credit.min must be a number from" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["99999999999999999999", "-1", "x"])
def test_what_can_be_no_number_is_told_before_any_database(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words of the command line's, not of the database's."""
    for command in (["tiers", "dry-run"], ["filing", "show"], ["rules", "activate"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--data", str(tmp_path), "--", number])
        assert (2, True) == (ended.value.code, "number" in capsys.readouterr().err)


def test_the_shipped_policy_is_printed_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To begin from: what is printed can be imported."""
    assert 0 == main(["tiers", "show", "shipped", "--data", str(tmp_path)])
    assert tierbook.shipped().rstrip() == capsys.readouterr().out.rstrip()


def test_a_filing_is_verified_by_the_public_key_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By whoever has the file: status 3 for one letter that is another, for another key, for no signature."""
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    at = datetime(2026, 6, 15, tzinfo=UTC)
    bare = {"type": "YanluFiling", "id": "17", "place": "福建省"}
    signed = proofs.create(bare, key, method="https://example.org/actor#signing", created=at)
    names = [proofs.multikey(one.public_key().public_bytes_raw()) for one in (key, other)]
    for document, name, status in (
        (signed, names[0], 0),
        (signed, names[1], 3),
        (signed | {"place": "福建市"}, names[0], 3),
        (bare, names[0], 3),
        (signed, "znotakey", 3),
    ):
        file = tmp_path / "filing.json"
        file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
        assert status == main(["filing", "verify", str(file), "--key", name, "--data", str(tmp_path)]), (
            capsys.readouterr()
        )


@pytest.mark.parametrize(
    "text", ["[]", "7", "[" * 100_000, '{"proof":[]}', '{"proof":{"type":7}}', "no JSON"]
)
def test_what_is_no_filing_does_not_verify(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 3, and a line that says so."""
    file = tmp_path / "filing.json"
    file.write_text(text, "utf-8")
    key = proofs.multikey(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert 3 == main(["filing", "verify", str(file), "--key", key, "--data", str(tmp_path)])
    assert "not as it was signed" in capsys.readouterr().err
