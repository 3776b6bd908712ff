"""Sends one claimed letter: signed at the moment of sending, in the dialect its host took last.

A host we know nothing of gets draft-cavage, which everybody understands; whoever refuses the signature is
asked once more in the other dialect, and both together are one try.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from .client import Client, Response
from .errors import RemoteFault, Unreachable
from .outbox.lanes import Job
from .outbox.results import Fate, Result
from .signatures import Dialect, SigningKey

CONTENT_TYPE: Final = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
LONGEST_WAIT: Final = timedelta(hours=12)
_NOT_UNDERSTOOD: Final = frozenset({400, 401, 403})
_LATER: Final = frozenset({401, 408, 425, 429})


async def send(client: Client, job: Job, key: SigningKey) -> Result:
    """Posts the job's body to its inbox, and says how that ended; raises nothing that the other side
    caused.
    """
    dialect = job.dialect or Dialect.CAVAGE
    try:
        answer = await _post(client, job, key, dialect)
        if answer.status == 401 or (job.dialect is None and answer.status in _NOT_UNDERSTOOD):
            other = Dialect.RFC9421 if dialect is Dialect.CAVAGE else Dialect.CAVAGE
            second = await _post(client, job, key, other)
            if second.status not in _NOT_UNDERSTOOD:
                answer, dialect = second, other
    except Unreachable as fault:
        return Result(job=job, fate=Fate.FAILED, error=str(fault))
    except RemoteFault as fault:
        return Result(job=job, fate=Fate.REFUSED, error=str(fault))
    fate = _fate(answer.status)
    return Result(
        job=job,
        fate=fate,
        error="" if fate is Fate.DELIVERED else f"answered {answer.status}",
        retry_after=_retry_after(answer, client.clock()) if answer.status in (429, 503) else None,
        dialect=dialect if fate is Fate.DELIVERED else None,
    )


async def _post(client: Client, job: Job, key: SigningKey, dialect: Dialect) -> Response:
    return await client.post(job.inbox, job.body, content_type=CONTENT_TYPE, key=key, dialect=dialect)


def _fate(status: int) -> Fate:
    if 200 <= status < 300:
        return Fate.DELIVERED
    if status in (404, 410):
        return Fate.GONE
    if status in _LATER:
        return Fate.LATER
    # 501 says "never"; any other 5xx says "not now".
    return Fate.FAILED if status >= 500 and status != 501 else Fate.REFUSED


def _retry_after(answer: Response, now: datetime) -> timedelta | None:
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        wait = timedelta(seconds=int(text))
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = (at.replace(tzinfo=UTC) if at.tzinfo is None else at) - now
    return max(min(wait, LONGEST_WAIT), timedelta())
