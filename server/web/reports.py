"""Complaints: the form, reached from every post and profile, and the page that tells what became of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from compliance import reports
from compliance.activity import AccountId, PostId
from compliance.errors import NotFound as NoSuchThing
from compliance.reports import ReportState

from .. import acts, keys, tries
from ..errors import AppError, Invalid, NotFound
from ..http import body
from ..http.auth import viewer, viewer_id
from ..http.body import Body
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import cards, render
from ..pages.render import local_path, say, see_other
from ..pages.windows import number
from ..store import accounts, posts
from ..store.model import AccountView, Entry
from .signup import errors_of

CATEGORIES: Final = (
    ("spam", mark("Advertising, fraud or a fake account"), mark("Unwanted, repeated or misleading")),
    (
        "violation",
        mark("Breaks a rule of this server"),
        mark("Harassment, hatred, private data"),
    ),
    ("legal", mark("Against the law"), mark("Here or where its author is")),
    ("other", mark("Something else"), mark("Say what in your own words")),
)
MOST_UNNAMED: Final = 5
"""Complaints in half an hour from one address by people without an account."""
_OUTCOMES: Final = {
    ReportState.UPHELD: mark("Your report was right"),
    ReportState.DISMISSED: mark("Nothing against the rules was found"),
}


@dataclass(frozen=True, slots=True)
class Values:
    """What was chosen and typed."""

    category: str = ""
    comment: str = ""
    forward: bool = False


@needs(unconfirmed=True, reach=Reach.SEEN)
async def form(request: web.Request) -> web.Response:
    """The form, about a post or an account; for anybody, with an account or without."""
    account, post = request.query.get("account", ""), request.query.get("post", "")
    if account or post:
        return await _form(request, account, post, Values())
    about = request.query.get("about", "").strip()
    found = await _find(request, about) if about else None
    if found is not None:
        raise web.HTTPSeeOther(f"/report?{urlencode(found)}")
    error = Invalid("Nothing with this address is known here", field="about") if about else None
    return await render.page(
        request,
        "web/report_start.html",
        status=error.status if error else 200,
        about=about,
        errors=errors_of(request, error),
    )


@needs(unconfirmed=True, reach=Reach.SEEN)
async def send(request: web.Request) -> web.Response:
    """Files the complaint and gives the receipt."""
    sent, road, source = await body.read(request), request.app[keys.ROAD], source_of(request)
    who = viewer(request)
    values = Values(sent.text("category"), sent.text("comment"), bool(sent.text("forward")))
    target, entry = await _about(request, sent.text("account"), sent.text("post"))
    try:
        if values.category not in {name for name, _, _ in CATEGORIES}:
            raise Invalid("Choose what is wrong", field="category")
        if who is None:
            async with road.pool.acquire() as conn:
                await tries.take(road, conn, f"report:{tries.network(source)}", MOST_UNNAMED, tries.HALF_HOUR)
        report_id = await acts.report(
            road,
            who.me if who else None,
            target.id,
            [(entry.view.boost_of or entry.view).id] if entry else [],
            comment=values.comment,
            category=values.category,
            source=source,
            forward=values.forward,
        )
    except Invalid as error:
        return await _form(request, sent.text("account"), sent.text("post"), values, error=error, sent=sent)
    async with road.pool.acquire() as conn:
        report = await reports.get(conn, report_id)
    return see_other(request, f"/report/{report.code}", say(request, "Thank you. Somebody will look at it."))


@needs(reach=Reach.PUBLIC)
async def state(request: web.Request) -> web.Response:
    """What became of a complaint, for whoever has its number."""
    async with request.app[keys.POOL].acquire() as conn:
        try:
            report = await reports.get_by_code(conn, request.match_info["code"][:40])
        except NoSuchThing:
            raise NotFound from None
    decided = report.state is not ReportState.WAITING
    states = [
        (say(request, "Received"), report.created_at, "", False),
        (say(request, "A person looks at it within a day, and decides within three"), None, "", not decided),
    ]
    if decided:
        said = say(request, _OUTCOMES[report.state])
        states.append((said, report.decided_at, report.statement or "", True))
    return await render.page(request, "web/report_state.html", report=report, states=states)


async def _find(request: web.Request, about: str) -> dict[str, int] | None:
    """What somebody means by an address or a handle, as the form's parameters."""
    uris, me = request.app[keys.URIS], viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        post_id = uris.post_in(about) or await posts.find_id_by_uri(conn, about)
        if post_id is not None and await posts.find(conn, post_id, me, uris=uris) is not None:
            return {"post": post_id}
        username = uris.username_in(about)
        if username is not None:
            target = await accounts.find_by_name(conn, username, None, uris=uris)
        elif "://" in about:
            target = await accounts.find_by_uri(conn, about, uris=uris)
        else:
            name, _, host = about.removeprefix("@").partition("@")
            target = await accounts.find_by_name(conn, name, host.lower() or None, uris=uris)
    if target is None or target.gone or target.suspended or target.actor_type == "Application":
        return None
    return {"account": target.id}


async def _about(request: web.Request, account: str, post: str) -> tuple[AccountView, Entry | None]:
    me, uris = viewer_id(request), request.app[keys.URIS]
    account_id, post_id = number(account), number(post)
    async with request.app[keys.POOL].acquire() as conn:
        if post_id is not None:
            entry = await posts.get_entry(conn, PostId(post_id), me, uris=uris)
            return (entry.view.boost_of or entry.view).account, entry
        if account_id is None:
            raise NotFound
        target = await accounts.get(conn, AccountId(account_id), uris=uris)
        if target.gone or target.id == me:
            raise NotFound
        return target, None


async def _form(
    request: web.Request,
    account: str,
    post: str,
    values: Values,
    *,
    error: AppError | None = None,
    sent: Body | None = None,
) -> web.Response:
    target, entry = await _about(request, account, post)
    back = f"/@{target.handle}"
    wish: Any = sent.text("next") if sent else request.query.get("next", "")
    return await render.page(
        request,
        "web/report.html",
        status=error.status if error else 200,
        account=target,
        card=cards.one(request, entry) if entry else None,
        categories=[(name, say(request, words), say(request, more)) for name, words, more in CATEGORIES],
        values=values,
        next=local_path(wish, back),
        errors=errors_of(request, error),
    )
