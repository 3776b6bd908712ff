"""What is counted, in the form Prometheus reads, over all processes of the server.

Several processes answer on one port, so each writes its numbers into files of a shared folder and whichever
is asked adds them up. The library decides for files or not when it is imported, so that happens late.
Labels are routes, outcomes and other small closed sets: never a person, an id or a host.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def share(folder: Path) -> None:
    """Has all processes forked from this one add up their numbers in `folder`, which is emptied first."""
    if "prometheus_client" in sys.modules:
        raise RuntimeError("the library looks for the shared folder only when it is first imported")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[_SHARED] = str(folder)


def forget(pid: int) -> None:
    """Drops what a process that ended was doing at the moment; what it counted stays counted."""
    if _SHARED in os.environ:
        from prometheus_client import multiprocess  # noqa: PLC0415

        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """The numbers of one process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415

        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "yanlu_request_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self.jobs = Counter(
            "yanlu_jobs_total", "Jobs worked on.", ("kind", "outcome"), registry=self._registry
        )
        self.waiting = Gauge(
            "yanlu_waiting",
            "Rows of a queue that wait, as of the last look.",
            ("queue",),
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self.connections = Gauge(
            "yanlu_database_connections",
            "Database connections, by whether they are in use.",
            ("state",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self.lag = Histogram(
            "yanlu_loop_lag_seconds",
            "How much later than asked a timer of the loop fires.",
            registry=self._registry,
            buckets=_SECONDS,
        )

    def render(self) -> bytes:
        """All numbers of all processes."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess  # noqa: PLC0415

        registry: CollectorRegistry = self._registry
        if _SHARED in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
