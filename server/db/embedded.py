"""Runs PostgreSQL for a data folder: made at the first start, stopped when its last user gives it back.

    take -> adopted    another process started it: postmaster.pid names it, and it lives
         -> started    a child of this process; if tied, Linux stops it cleanly when we die in whatever way
    give_back          stops it, unless somebody else has it in use

Two locks in the data folder keep takers apart: `start.lock` while one of them looks and starts, `use.lock`
shared by all who use it. Both end with the process that holds them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from . import programs
from .programs import Account, EmbeddedError, make_folder

OWNER, APP, SUPERUSER, DATABASE = "yanlu_owner", "yanlu_app", "yanlu_super", "yanlu"
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")
_READY_SECONDS = 600.0
_STOP_SECONDS = 60.0
_STALE_SECONDS = 10.0
_STALE = (b"already exists", b"still in use")
_LOG_BYTES = 10 * 1024 * 1024

_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "shared_buffers": "128MB",
    "wal_compression": "pglz",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # What people wrote stays out of the log: no statements, and no details that repeat their values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(slots=True)
class Cluster:
    """The embedded PostgreSQL of one data folder."""

    data: Path
    connections: int = 60
    options: Mapping[str, str] = field(default_factory=dict)
    """PostgreSQL's own settings, over those of the house."""
    tied: bool = True
    """Whether one that we start ends with us, killed or not. A command leaves it to who came since."""
    _child: subprocess.Popen[bytes] | None = None
    _use: int | None = None

    @property
    def folder(self) -> Path:
        return self.data / "postgres"

    @property
    def log(self) -> Path:
        return self.data / "postgres.log"

    @property
    def is_child(self) -> bool:
        """Whether this process started it."""
        return self._child is not None

    def take(self) -> None:
        """Makes it run, and counts us among its users. For the main thread. Raises `EmbeddedError`."""
        if threading.current_thread() is not threading.main_thread():
            # The signal at the parent's death follows the thread that started the child (prctl(2)).
            raise EmbeddedError("the database must be started from the main thread")
        account = programs.account_for(self.folder)
        self.data.mkdir(mode=0o711 if account.is_other else 0o700, parents=True, exist_ok=True)
        with self._alone():
            if self._use is None:
                self._use = _locked(self.data / "use.lock", fcntl.LOCK_SH)
            if _Postmaster.find(self.folder) is None:
                self._start(account)

    def give_back(self) -> None:
        """Ends our use; the last user stops the database cleanly."""
        if self._use is None:
            return
        with self._alone():
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._stop()
            os.close(self._use)
            self._use = None

    def is_alive(self) -> bool:
        """Whether it runs, as far as the process table says."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        postmaster = _Postmaster.read(self.folder)
        return postmaster is not None and _is_postgres(postmaster.pid)

    def url(self, role: str, database: str = DATABASE) -> str:
        """Where a connection as `role` is made, while it runs."""
        postmaster = _Postmaster.find(self.folder)
        if postmaster is None:
            raise EmbeddedError(f"the database in {self.folder} does not run")
        return f"postgresql://{role}@/{database}?host={quote(postmaster.sockets, safe='')}&port=5432"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = _locked(self.data / "start.lock", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)

    def _start(self, account: Account) -> None:
        folder = programs.find(self.data, account)
        if not self.folder.exists():
            _initialise(folder, self.folder, account)
        _write_access(self.folder, account)
        options = {
            **_OPTIONS,
            "unix_socket_directories": str(_socket_folder(self.folder, account)),
            "max_connections": str(self.connections),
            **self.options,
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        deadline = time.monotonic() + _STALE_SECONDS
        while True:
            self.log.touch(mode=0o600)
            with self.log.open("ab") as out:
                begin = out.tell()
                command: list[str | Path] = [folder / "postgres", *arguments]
                self._child = programs.start(command, self.folder, account, out, tied=self.tied)
            if self._becomes_ready():
                return
            words = _end_of(self.log, begin)
            # A server killed a moment ago may not be reaped yet; until then its lock file is believed.
            if time.monotonic() > deadline or not any(stale in words for stale in _STALE):
                raise EmbeddedError(f"the database does not start:\n{words.decode(errors='replace').strip()}")
            time.sleep(0.2)

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        while self._child is not None and self._child.poll() is None:
            postmaster = _Postmaster.read(self.folder)
            if postmaster is not None and postmaster.pid == self._child.pid and postmaster.is_ready:
                return True
            if time.monotonic() > deadline:
                self._child.send_signal(signal.SIGQUIT)
            time.sleep(0.005)
        self._child = None
        return False

    def _stop(self) -> None:
        postmaster = _Postmaster.find(self.folder)
        if postmaster is not None:
            os.kill(postmaster.pid, signal.SIGINT)
        deadline = time.monotonic() + _STOP_SECONDS
        while postmaster is not None and _is_postgres(postmaster.pid) and time.monotonic() < deadline:
            time.sleep(0.005)
        if self._child is not None:
            self._child.wait()
            self._child = None
        if postmaster is not None:
            with contextlib.suppress(OSError):
                Path(postmaster.sockets).rmdir()


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What postmaster.pid says of a running server."""

    pid: int
    sockets: str
    is_ready: bool

    @classmethod
    def read(cls, folder: Path) -> _Postmaster | None:
        """The file's words, whether or not they are still true."""
        try:
            lines = (folder / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if len(lines) < 8 or not lines[0].isdecimal():
            return None
        return cls(pid=int(lines[0]), sockets=lines[4], is_ready=lines[7].strip() == "ready")

    @classmethod
    def find(cls, folder: Path) -> _Postmaster | None:
        """The server that lives and is ready; waits for one that is just starting or stopping."""
        deadline = time.monotonic() + _READY_SECONDS
        while (found := cls.read(folder)) is not None and _is_postgres(found.pid):
            if found.is_ready and (Path(found.sockets) / ".s.PGSQL.5432").exists():
                return found
            if time.monotonic() > deadline:
                raise EmbeddedError(f"process {found.pid} holds {folder} and does not become ready")
            time.sleep(0.01)
        return None


def _is_postgres(pid: int) -> bool:
    """Whether `pid` is a living PostgreSQL: no zombie, and no stranger who got the number later."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return not Path("/proc/self/stat").exists()
    name, _, rest = status.partition("(")[2].rpartition(")")
    return name == "postgres" and rest.split()[0] not in "ZX"


def _initialise(folder: Path, target: Path, account: Account) -> None:
    draft = target.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    make_folder(draft, 0o700, account)
    # The builtin provider sorts alike everywhere; with LC_CTYPE=C pg_trgm would see no Chinese character.
    ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    command: list[str | Path] = [
        *(folder / "initdb", f"--username={SUPERUSER}", "--encoding=UTF8", "--auth=reject", "--no-sync"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={ctype}"),
    ]
    child = programs.start(command, draft, account, subprocess.PIPE)
    output = child.communicate()[0]
    if child.returncode:
        raise EmbeddedError(f"initdb failed: {output.decode(errors='replace').strip()}")
    draft.replace(target)


def _write_access(folder: Path, account: Account) -> None:
    """Lets in this user and root, by what the kernel says of who is at the other end of the socket."""
    users = dict.fromkeys(("root", programs.named(os.geteuid()).name))
    roles = (SUPERUSER, OWNER, APP)
    lines = [f'yanlu "{user}" {role}\n' for user in users for role in roles]
    for file, text in (
        (folder / "pg_ident.conf", "".join(lines)),
        (folder / "pg_hba.conf", "local all all peer map=yanlu\n"),
    ):
        draft = file.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(0o600)
        if account.is_other:
            os.chown(draft, account.uid, account.gid)
        draft.replace(file)


def _socket_folder(folder: Path, account: Account) -> Path:
    """`run` beside the database; a short folder elsewhere when that path is too long or out of reach."""
    beside = folder.with_name("run")
    is_short = len(os.fsencode(beside)) <= _LONGEST_SOCKET_FOLDER
    if is_short and (not account.is_other or programs.may_reach(folder.parent, account)):
        return make_folder(beside, 0o700, account)
    digest = hashlib.sha256(os.fsencode(f"{account.uid} {folder}")).hexdigest()[:16]
    root = Path("/run") if os.geteuid() == 0 and os.access("/run", os.W_OK) else Path("/tmp")  # noqa: S108
    return make_folder(root / f"yanlu-{digest}", 0o700, account)


def _locked(file: Path, mode: int) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, mode)
    return descriptor


def _end_of(log: Path, begin: int) -> bytes:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read()[-2000:]
