"""Complaints (Article 14), as apps file them."""

from __future__ import annotations

from aiohttp import web

from compliance import reports
from compliance.activity import AccountId, PostId

from .. import acts, keys
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..store import accounts
from . import answers, entities, render, schemas
from .moments import stamp
from .render import RENDERER


@needs("write:reports", reach=Reach.SEEN)
async def create(request: web.Request) -> web.Response:
    """Files a complaint about an account and posts of it."""
    me, new = person(request), await body.to(request, schemas.NewReport)
    target_id = AccountId(answers.known_id(new.account_id))
    report_id = await acts.report(
        request.app[keys.ROAD],
        me.me,
        target_id,
        [PostId(answers.known_id(id_)) for id_ in new.status_ids],
        comment=new.comment,
        category="violation" if new.rule_ids and new.category == "other" else new.category,
        forward=bool(new.forward),
        source=source_of(request),
    )
    async with request.app[keys.POOL].acquire() as conn:
        report = await reports.get(conn, report_id)
        target = await accounts.get(conn, target_id, uris=request.app[keys.URIS])
    return answers.entity(
        entities.Report(
            id=str(report.id),
            category=report.category,
            comment=report.comment,
            forwarded=report.forwarded,
            created_at=stamp(report.created_at),
            status_ids=[str(id_) for id_ in report.posts],
            rule_ids=new.rule_ids,
            target_account=render.raw(request.app[RENDERER].account(target)),
            yanlu={"code": report.code, "url": f"{request.app[keys.URIS].origin}/report/{report.code}"},
        )
    )
