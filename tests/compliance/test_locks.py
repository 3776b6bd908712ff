"""The five locks of the gate: for each, going round it is tried, and fails.

1. the type     an effect or the outbox takes a `Cleared`, and a type checker refuses everything else
2. the value    nobody else makes, alters, copies or keeps a `Cleared`
3. the database what shows or sends hangs on a cleared decision, and decisions are never changed
4. the union    a new kind of activity does not type-check until the gate says how it is judged
5. the imports  nobody else may even name the mint, the gate or the effects
"""

from __future__ import annotations

import ast
import copy
import pickle
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import get_args

import asyncpg
import pytest

from compliance import gate
from compliance.activity import Activity, Direction
from compliance.connection import Connection
from compliance.verdict import Cleared, DecisionId, Refused
from compliance.wordlists import Rulebook
from tests.fixtures.postgres import Database

from .build import HERE, NOW, SOURCE, create, ids, people

ROOT = Path(__file__).parents[2]
KINDS: tuple[type, ...] = get_args(Activity)


def _mypy(folder: Path, *arguments: str, path: Path | None = None) -> list[str]:
    """What the type checker complains about, as it would in `make check`."""
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--no-error-summary"]
    cache = ["--cache-dir", str(folder / "cache"), "--no-pretty", "--python-version", "3.11"]
    done = subprocess.run(
        [*command, *cache, *arguments],
        cwd=folder,
        env={"PATH": ""} | ({"MYPYPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


# --- 1. the type

_SHORTCUTS = """\
from collections.abc import Sequence
from typing import Any, assert_type

from compliance.activity import Activity, Create, Follow, Like
from compliance.connection import Connection
from compliance.verdict import Cleared, DecisionId


async def insert(conn: Connection, cleared: Sequence[Cleared[Like]]) -> None: ...


async def apply(conn: Connection, bare: Like, some: Cleared[Activity], other: Cleared[Follow]) -> None:
    await insert(conn, [bare])  # refused: list-item
    await insert(conn, [some])  # refused: list-item
    await insert(conn, [other])  # refused: list-item


def forge(like: Like) -> None:
    Cleared(like)  # refused: arg-type
    Cleared()  # refused: call-arg
    Cleared(activity=like, decision_id=DecisionId(1), labels=())  # refused: call-arg


class Mine(Cleared[Like]):  # refused: misc
    pass


def fine(like: Cleared[Like]) -> Cleared[Activity]:
    assert_type(like.activity, Like)
    return like
"""


def test_a_type_checker_refuses_the_shortcut(tmp_path: Path) -> None:
    """A bare activity, another kind's clearance, a made-up one: none of them is what an effect takes."""
    (tmp_path / "shortcuts.py").write_text(_SHORTCUTS)
    expected = {
        (number, line.partition("# refused: ")[2])
        for number, line in enumerate(_SHORTCUTS.splitlines(), start=1)
        if "# refused: " in line
    }
    found = set()
    for line in _mypy(tmp_path, "shortcuts.py", path=ROOT):
        complaint = re.match(r"shortcuts\.py:(\d+): error: .*\[([a-z-]+)\]$", line)
        if complaint:
            found.add((int(complaint[1]), complaint[2]))
    assert found == expected


def test_every_effect_and_the_outbox_take_only_what_is_cleared() -> None:
    """Read from the sources: where a public function there takes an activity, it takes it cleared."""
    takers = 0
    for package in ("server/effects", "federation/outbox"):
        for path in (ROOT / package).glob("*.py"):
            for function in ast.parse(path.read_text("utf-8")).body:
                if isinstance(function, ast.AsyncFunctionDef) and not function.name.startswith("_"):
                    taken = [
                        argument.annotation for argument in function.args.args + function.args.kwonlyargs
                    ]
                    assert not any(map(_is_bare, taken)), f"{path}: {function.name}"
                    takers += any(
                        annotation is not None and "Cleared" in ast.unparse(annotation)
                        for annotation in taken
                    )
    assert takers >= 10


def _is_bare(annotation: ast.AST | None) -> bool:
    """Whether an annotation names an activity outside of `Cleared[...]`."""
    if annotation is None or (
        isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Cleared"
    ):
        return False
    if isinstance(annotation, ast.Name) and annotation.id in {"Activity", *(kind.__name__ for kind in KINDS)}:
        return True
    return any(map(_is_bare, ast.iter_child_nodes(annotation)))


# --- 2. the value


@pytest.fixture
async def cleared(conn: Connection) -> Cleared[Activity]:
    """The real thing."""
    await people(conn)
    [verdict] = await gate.judge(
        conn, [create()], Direction.OUT, rulebook=Rulebook.empty(), now=NOW, new_id=ids(), source=SOURCE
    )
    assert isinstance(verdict, Cleared)
    return verdict


async def test_a_cleared_is_not_made_by_hand() -> None:
    """Not by calling it, with whatever arguments."""
    with pytest.raises(TypeError, match="only the gate"):
        Cleared(create())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Cleared()  # type: ignore[call-arg]


async def test_a_cleared_is_not_copied_or_pickled(cleared: Cleared[Activity]) -> None:
    """It dies with the transaction that it was given in."""
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(cleared)
    with pytest.raises(TypeError):
        replace(cleared, activity=create("other"))  # type: ignore[type-var]


@pytest.mark.parametrize("name", ["activity", "decision_id", "labels", "extra"])
async def test_a_cleared_is_not_altered(cleared: Cleared[Activity], name: str) -> None:
    """What was judged is what is done."""
    with pytest.raises(AttributeError):
        setattr(cleared, name, None)
    with pytest.raises(AttributeError):
        delattr(cleared, name)


async def test_a_cleared_is_not_subclassed() -> None:
    """A child would come with a constructor of its own."""
    with pytest.raises(TypeError, match="closed"):
        type("Mine", (Cleared,), {"__init__": lambda self: None})


# --- 3. the database


async def _refused(conn: Connection) -> DecisionId:
    await people(conn)
    await conn.execute("update compliance.identity set state = 'rejected'")
    [verdict] = await gate.judge(
        conn, [create()], Direction.OUT, rulebook=Rulebook.empty(), now=NOW, new_id=ids(), source=SOURCE
    )
    assert isinstance(verdict, Refused)
    return verdict.decision_id


_POST = """
  insert into post (id, account_id, local, uri, url, thread_id, visibility, created_at, decision_id, verdict)
  values (1, $1, true, 'https://here.example/1', 'https://here.example/1', 1, 'public', $2, $3, $4)
"""


@pytest.mark.parametrize("verdict", ["cleared", "refused"])
async def test_a_post_on_a_refused_decision_is_an_integrity_error(conn: Connection, verdict: str) -> None:
    """Neither with a false verdict nor with the true one."""
    decision_id = await _refused(conn)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await conn.execute(_POST, HERE.id, NOW, decision_id, verdict)


async def test_a_post_on_no_decision_is_an_integrity_error(conn: Connection) -> None:
    """Nor without one, nor with one that is not there."""
    await people(conn)
    for decision_id in (None, 12345):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            async with conn.transaction():
                await conn.execute(_POST, HERE.id, NOW, decision_id, "cleared")


async def test_everything_that_shows_or_sends_hangs_on_a_cleared_decision(conn: Connection) -> None:
    """Each of these tables has the foreign key and the check; one that is added later must be added here."""
    rows = await conn.fetch(
        """
        select n.nspname || '.' || t.relname as name, c.contype::text as kind,
               pg_get_constraintdef(c.oid) as text
        from pg_constraint c
          join pg_class t on t.oid = c.conrelid
          join pg_namespace n on n.oid = t.relnamespace
        where n.nspname in ('public', 'compliance', 'federation')
        """
    )
    tied = {
        row["name"]
        for row in rows
        if row["kind"] == "f"
        and row["text"].startswith(
            "FOREIGN KEY (decision_id, verdict) REFERENCES compliance.decision(id, verdict)"
        )
    }
    checked = {row["name"] for row in rows if row["text"] == "CHECK ((verdict = 'cleared'::text))"}
    assert tied == checked
    assert tied == {
        "public.post",
        "public.post_edit",
        "public.profile",
        "public.media",
        "public.reaction",
        "public.follow",
        "compliance.report",
        "federation.message",
    }


async def test_not_even_the_owner_changes_what_was_decided(database: Database) -> None:
    """The server's role has no right to; the role that owns the tables is stopped by a trigger."""
    app = await asyncpg.connect(database.url)
    owner = await asyncpg.connect(database.owner_url)
    try:
        await people(app)
        await gate.judge(
            app, [create()], Direction.OUT, rulebook=Rulebook.empty(), now=NOW, new_id=ids(), source=SOURCE
        )
        for table in ("compliance.decision", "compliance.record", "compliance.record_2026_06"):
            for statement in ("update {} set kind = 'x'", "delete from {}", "truncate {} cascade"):
                for conn, why in ((app, "permission denied"), (owner, "append-only")):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=why):
                        await conn.execute(statement.format(table))
    finally:
        await app.close()
        await owner.close()


# --- 4. the union

_NEW_KIND = '''
@dataclass(frozen=True, slots=True, kw_only=True)
class Shout:
    """A kind that nobody has thought about yet."""

    id: Uri
    actor: Actor


Activity: TypeAlias = (
    Shout
    | Create
'''


def test_a_new_kind_of_activity_does_not_type_check(tmp_path: Path) -> None:
    """Until the gate says what happens when a check breaks on it, and what of it is judged."""
    shutil.copytree(
        ROOT / "compliance", tmp_path / "compliance", ignore=shutil.ignore_patterns("__pycache__")
    )
    words = tmp_path / "compliance" / "activity.py"
    text = words.read_text("utf-8")
    changed = text.replace("Activity: TypeAlias = (\n    Create\n", _NEW_KIND.strip("\n") + "\n")
    assert changed != text
    words.write_text(changed, "utf-8")
    complaints: dict[str, list[str]] = defaultdict(list)
    for line in _mypy(tmp_path, "-p", "compliance"):
        complaints[line.partition(":")[0]].append(line)
    for module in ("compliance/gate.py", "compliance/subject.py"):
        assert any('"assert_never" has incompatible type "Shout"' in line for line in complaints[module])


# --- 5. the imports

_SHORTCUT = """\
from compliance import gate, vault
from compliance._mint import strike
from server.effects import posts
"""
_ROUND_ABOUT = {
    "server/web/shortcut.py": _SHORTCUT,
    "compliance/checks/shortcut.py": "import json\nfrom .. import _mint\n",
    "federation/shortcut.py": "from server import pipeline\n",
    "compliance/newcomer.py": "",
}
_COMPLAINTS = {
    "The house points one way": "federation.shortcut -> server.pipeline",
    "Inside compliance": "compliance.newcomer",
    "Compliance speaks no HTTP, JSON or HTML": "compliance.checks.shortcut -> json",
    "Only the gate mints": "server.web.shortcut -> compliance._mint",
    "Only the pipeline asks the gate and applies effects": "server.web.shortcut -> compliance.gate",
    "Papers stay in the vault": "server.web.shortcut -> compliance.vault",
}


def _lint_imports(folder: Path) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "pyproject.toml", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_nobody_imports_their_way_round_the_gate(tmp_path: Path) -> None:
    """Each contract holds as the house stands, and breaks when somebody tries."""
    for package in ("server", "federation", "compliance"):
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: {
                name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()
            },
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    before = _lint_imports(tmp_path)
    for name, text in _ROUND_ABOUT.items():
        (tmp_path / name).write_text(text)
    after = _lint_imports(tmp_path)
    for contract, complaint in _COMPLAINTS.items():
        assert f"{contract} KEPT" in before
        assert f"{contract} BROKEN" in after
        assert complaint in after
    assert "compliance.checks.shortcut -> compliance._mint" in after
    assert "server.web.shortcut -> server.effects" in after
