"""One line for each answer: what was asked for, what came of it, how long it took. No secrets, nobody's
address: where the law wants one kept it stands in the records, which are guarded better.

The path is the route's, not the request's, and query strings are left out: ids of people, codes and tokens
stand there. Every answer carries the id of its line, so that a person can tell us which one they mean.
"""

from __future__ import annotations

import logging
import secrets
import time

from aiohttp import web

from .. import logs
from .auth import viewer
from .routes import Handler

log = logging.getLogger("yanlu.access")


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: it also sees what the others refuse."""
    started = time.perf_counter()
    mark = secrets.token_hex(8)
    logs.REQUEST.set(mark)
    status = 499
    try:
        response = await handler(request)
        status = response.status
        if not response.prepared:
            response.headers["X-Request-Id"] = mark
        return response
    except web.HTTPException as error:
        status = error.status
        error.headers["X-Request-Id"] = mark
        raise
    finally:
        if log.isEnabledFor(logging.INFO):
            _write(request, status, time.perf_counter() - started)


def _write(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    found = viewer(request)
    log.info(
        "request",
        extra={
            "method": request.method,
            "route": resource.canonical if resource is not None else None,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "account": found.account.id if found is not None and found.account is not None else None,
        },
    )
