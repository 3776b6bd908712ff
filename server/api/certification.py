"""Ours: certification (Articles 8 and 10) for programs. `GET /api/yanlu/v1/certification` is one's own,
`GET /api/yanlu/v1/accounts/{id}/certification` is the public card.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from compliance import applications, certification, steps
from compliance.applications import Application
from compliance.certification import Certification

from .. import certifying, keys
from ..errors import NotFound
from ..http.auth import person
from ..http.routes import Reach, needs
from ..store import accounts
from ..store.model import Mark
from . import answers, render
from .moments import stamp


@needs("read:accounts", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """How the caller's own certification and the newest application for it stand."""
    me = person(request)
    async with request.app[keys.POOL].acquire() as conn:
        one = await applications.find_latest(conn, me.id)
        way = await steps.list_(conn, one.id) if one else []
        held = await certification.list_of(conn, me.id)
    application = None if one is None else _application(one)
    if application is not None:
        application["steps"] = [
            {"state": each.state, "words": each.words, "at": stamp(each.at)} for each in way
        ]
    return _answer(
        {
            "application": application,
            "certifications": [_certification(each) for each in held],
        }
    )


@needs(reach=Reach.SEEN)
async def of_account(request: web.Request) -> web.Response:
    """What is certified of an account: class, label, since when, until when, and who checked it."""
    account_id, now = answers.account_id(request), request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.find(conn, account_id, uris=request.app[keys.URIS])
        if account is None or account.suspended or account.gone:
            raise NotFound
        held = None if account.host else await certification.find_active(conn, account.id)
    mark = account.mark
    if mark is None or not mark.holds(now):
        raise NotFound
    if held is not None and certifying.is_in_force(held, now):
        return _answer(_certification(held) | {"server": request.app[keys.URIS].host})
    if account.host is None:
        raise NotFound
    return _answer(_remote(mark, account.host))


def _application(one: Application) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "class": one.class_.value,
        "kind": one.kind,
        "state": one.state.value,
        "question": one.question if one.state is applications.State.MORE else None,
        "ground": one.ground,
        "statement": one.statement,
        "decision": None if one.decision_id is None else str(one.decision_id),
        "papers_version": one.paperwork,
        "created_at": stamp(one.created_at),
        "submitted_at": stamp(one.submitted_at) if one.submitted_at else None,
        "decided_at": stamp(one.decided_at) if one.decided_at else None,
    }


def _certification(one: Certification) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "class": one.class_.value,
        "kind": one.kind,
        "label": one.label,
        "registered_name": one.registered_name,
        "state": one.state.value,
        "certified_at": stamp(one.certified_at),
        "renewed_at": stamp(one.renewed_at) if one.renewed_at else None,
        "expires_at": stamp(one.expires_at),
        "checked_by": one.checked_by,
    }


def _remote(mark: Mark, host: str) -> dict[str, Any]:
    """What another server says of its own."""
    return {
        "class": mark.class_.value,
        "label": mark.label,
        "certified_at": stamp(mark.certified_at),
        "expires_at": stamp(mark.expires_at),
        "state": "active",
        "checked_by": "server",
        "server": mark.host or host,
    }


def _answer(said: dict[str, Any]) -> web.Response:
    return answers.json(render.encode(said))
