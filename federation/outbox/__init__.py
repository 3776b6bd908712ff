"""The outgoing mail, kept in PostgreSQL: what the gate cleared, one row for each inbox, a lane for each host.

Only the pipeline puts mail here, only the delivery worker takes it.
"""

from federation.backoff import Policy

from .lanes import Job, claim, next_due, release, release_all
from .mail import Message, cancel, enqueue
from .results import Fate, Result, heard_from, settle

__all__ = [
    "Fate",
    "Job",
    "Message",
    "Policy",
    "Result",
    "cancel",
    "claim",
    "enqueue",
    "heard_from",
    "next_due",
    "release",
    "release_all",
    "settle",
]
