"""The page for organisations says what its roles may do, as the program has it."""

from __future__ import annotations

from pathlib import Path

from compliance.organisations import Act, Role
from server.pages import orgtabs

PAGE = (Path(__file__).parents[2] / "docs/ORGANISATIONS.md").read_text("utf-8")


def test_the_table_of_roles_is_the_one_that_is_asked() -> None:
    """`yanlu organisation roles` prints it."""
    assert "\n".join(orgtabs.role_table()) in PAGE
    assert (set(orgtabs.POWER_NAMES), set(orgtabs.ROLES)) == (set(Act), set(Role))
