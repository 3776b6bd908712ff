"""The process above the workers: it owns the embedded database and the port, and keeps the workers alive.

    start -> workers forked -> all ready -> announce
    worker died -> another one, after a pause that grows while they die young
    database died -> started again; the workers connect anew by themselves
    SIGINT, SIGTERM, SIGHUP -> workers finish what they answer -> database stopped; a second signal -> at once

Workers share the port by SO_REUSEPORT and are forked, so that what is loaded once lies in memory once. They
end with this process even when it is killed: Linux kills them, elsewhere the closed pipe tells them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from .db.embedded import Cluster
from .db.programs import EmbeddedError

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[["Post"], None]
"""What a worker does until it is told to stop."""

_LOOK_SECONDS = 1.0
_STOP_SECONDS = 15.0
_YOUNG_SECONDS = 10.0
_LONGEST_PAUSE = 5.0
_FAILED_STARTS = 3
_PORT_PATIENCE = 3.0
_PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """The server cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker gets from above: its number, its socket, and two pipes."""

    number: int
    listener: socket.socket
    ready: int
    """To be written to once it answers."""
    alive: int
    """Ends when the process above is gone."""


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int
    ready: int
    started: float
    is_ready: bool = False


@dataclass(slots=True)
class Supervisor:
    """Runs `work` in `workers` processes on `host` and `port` until a signal ends it."""

    host: str
    port: int
    workers: int
    work: Work
    cluster: Cluster | None
    announce: Callable[[], None]
    forget: Callable[[int], None]
    """Told the process id of each worker that ended."""
    _running: dict[int, _Worker] = field(default_factory=dict)
    _due: dict[int, float] = field(default_factory=dict)
    _deaths: int = 0
    _signals: int = 0
    _announced: bool = False
    _alive: tuple[int, int] = (-1, -1)

    def run(self) -> None:
        """Returns after a clean stop. Raises `StartError` when the workers do not get going."""
        self._alive = os.pipe()
        gc.collect()
        gc.freeze()  # what is loaded stays out of the collector's way, and in shared pages
        with _listening_to_signals(self._count_signal) as wake:
            try:
                for number in range(1, self.workers + 1):
                    self._fork(number)
                while not self._signals:
                    self._wait(wake)
                    self._reap()
                    self._replace()
                    self._look_after_database()
            finally:
                self._stop(wake)

    def _fork(self, number: int) -> None:
        ready = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become_worker(lambda: self._child(number, ready[1], parent))
        os.close(ready[1])
        self._running[pid] = _Worker(number, pid, ready[0], time.monotonic())

    def _child(self, number: int, ready: int, parent: int) -> None:
        for worker in self._running.values():
            os.close(worker.ready)
        os.close(self._alive[1])
        _die_with(parent)
        listener = listen(self.host, self.port)
        self.work(Post(number, listener, ready, self._alive[0]))

    def _wait(self, wake: int) -> None:
        waiting = {worker.ready: worker for worker in self._running.values() if not worker.is_ready}
        seconds = max(0.0, min([_LOOK_SECONDS, *(due - time.monotonic() for due in self._due.values())]))
        for descriptor in select.select([wake, *waiting], [], [], seconds)[0]:
            said = os.read(descriptor, 512)
            if descriptor in waiting and said:
                waiting[descriptor].is_ready = True
            elif descriptor in waiting:
                # Closed and nothing said: it is dying, and will be reaped.
                time.sleep(0.01)
        is_whole = len(self._running) == self.workers and all(w.is_ready for w in self._running.values())
        if is_whole and not self._announced:
            self._announced = True
            self.announce()

    def _reap(self) -> None:
        while (found := self._next_death()) is not None:
            worker, status = found
            del self._running[worker.pid]
            os.close(worker.ready)
            self.forget(worker.pid)
            if self._signals:
                continue
            log.error("worker %d ended with %d", worker.number, os.waitstatus_to_exitcode(status))
            is_young = time.monotonic() - worker.started < _YOUNG_SECONDS
            self._deaths = self._deaths + 1 if is_young else 0
            if not self._announced and self._deaths >= _FAILED_STARTS:
                raise StartError("the workers do not start; the log says why")
            pause = min(0.1 * 2**self._deaths, _LONGEST_PAUSE) if is_young else 0.0
            self._due[worker.number] = time.monotonic() + pause

    def _next_death(self) -> tuple[_Worker, int] | None:
        # One by one: the database is a child too, and waited for by the cluster.
        for worker in self._running.values():
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                return worker, status
        return None

    def _replace(self) -> None:
        now = time.monotonic()
        for number, due in list(self._due.items()):
            if due <= now:
                del self._due[number]
                self._fork(number)

    def _look_after_database(self) -> None:
        if self.cluster is None or self.cluster.is_alive():
            return
        log.error("the embedded database ended; starting it again")
        try:
            self.cluster.take()
        except EmbeddedError as error:
            raise StartError(str(error)) from error

    def _stop(self, wake: int) -> None:
        self._signals = max(self._signals, 1)
        self._kill(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._running and time.monotonic() < deadline and self._signals < 2:
            select.select([wake], [], [], 0.05)
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)
            self._reap()
        self._kill(signal.SIGKILL)
        for worker in self._running.values():
            os.waitpid(worker.pid, 0)
            os.close(worker.ready)
            self.forget(worker.pid)
        self._running.clear()
        for descriptor in self._alive:
            os.close(descriptor)

    def _kill(self, number: signal.Signals) -> None:
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _count_signal(self) -> None:
        self._signals += 1


def listen(host: str, port: int) -> socket.socket:
    """A socket on `host` and `port` that other processes of ours may share."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def claim_port(host: str, port: int) -> int:
    """Makes sure that nobody else listens there, and tells the port, which is chosen where it is 0.

    The workers share the port, so they would not notice another program of the same user that does so too.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + _PORT_PATIENCE
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                # The workers of a server that was just killed may still be on their way out.
                if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                raise StartError(_port_trouble(host, port, error)) from error
            chosen: int = probe.getsockname()[1]
            return chosen


def _port_trouble(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program: stop it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights: choose one above 1023, with a proxy in front"
    return f"cannot listen on {host} port {port}: {error.strerror}"


@contextlib.contextmanager
def _listening_to_signals(count: Callable[[], None]) -> Iterator[int]:
    """A descriptor that becomes readable at each signal; `count` is called for those that end the server."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: count()) for number in ending}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    old = signal.set_wakeup_fd(writer)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _become_worker(work: Callable[[], None]) -> None:
    """In the forked child: runs `work` and ends, whatever happens; never goes back into the parent's code."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent tells us
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        work()
        status = 0
    except BaseException:
        log.exception("worker failed")
    finally:
        logging.shutdown()
        os._exit(status)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
