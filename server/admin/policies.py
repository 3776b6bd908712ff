"""What holds for everybody: the word rules by version, and how other servers are treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from compliance import hosts, wordlists
from compliance.errors import ComplianceError, InvalidRules
from compliance.hosts import Policy

from .. import keys
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages.render import say, see_other
from . import desk

_MOST_BYTES: Final = 64 * 1024 * 1024
_SHOWN: Final = 40
_POLICIES: Final = {
    "refuse": mark("Refuse everything"),
    "hold": mark("Look first"),
    "allow": mark("Allow, though a domain above it is not"),
}


@dataclass(frozen=True, slots=True)
class Values:
    """What was typed about a server."""

    host: str = ""
    policy: str = "hold"
    reason: str = ""


@needs(role=desk.SEE_RULES, reach=Reach.ANY)
async def rules(request: web.Request) -> web.Response:
    """The rule sets there are, and which one is in force."""
    return await _rules(request)


@needs(role=desk.CHANGE_RULES, reach=Reach.ANY, body=_MOST_BYTES, fresh=True)
async def import_rules(request: web.Request) -> web.Response:
    """Takes a rule set in, after checking all of it; it is not in force yet."""
    form, road = await body.read(request, limit=_MOST_BYTES), request.app[keys.ROAD]
    text = form.text("body")
    try:
        text = await desk.pasted(form, mark("Choose a file, or paste a rule set"))
        async with road.pool.acquire() as conn, conn.transaction():
            version = await wordlists.import_(
                conn,
                text,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except InvalidRules as error:
        return await _rules(request, Invalid("%(what)s", field="body", what=str(error)), text)
    except Invalid as error:
        return await _rules(request, error, text)
    flash = say(request, "Imported as version %(version)s. It is not in force yet.", version=version)
    return see_other(request, "/admin/rules", flash)


@needs(role=desk.CHANGE_RULES, reach=Reach.ANY, fresh=True)
async def activate_rules(request: web.Request) -> web.Response:
    """Puts a rule set in force, here and in the other processes."""
    road, version = request.app[keys.ROAD], desk.id_of(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await wordlists.activate(
                conn,
                version,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        if isinstance(error, InvalidRules):
            return await _rules(request, Invalid("%(what)s", what=str(error)))
        raise desk.refused(error) from None
    # The gate notices by itself; this only spares the next post the second try.
    async with road.pool.acquire() as conn:
        await road.rules.reload(conn)
    flash = say(request, "Version %(version)s is in force", version=version)
    return see_other(request, "/admin/rules", flash)


async def _rules(request: web.Request, error: AppError | None = None, text: str = "") -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        sets = await wordlists.list_(conn, limit=_SHOWN)
    return await desk.page(
        request,
        "admin/rules.html",
        "rules",
        status=error.status if error else 200,
        sets=sets,
        may_change=desk.may(request, desk.CHANGE_RULES),
        body=text,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


@needs(role=desk.HOSTS, reach=Reach.ANY)
async def other_servers(request: web.Request) -> web.Response:
    """Which servers are treated differently."""
    return await _hosts(request, Values(host=request.query.get("host", "")))


@needs(role=desk.HOSTS, reach=Reach.ANY, fresh=True)
async def set_host(request: web.Request) -> web.Response:
    """Decides how a server and everything below it is treated."""
    form, road = await body.read(request), request.app[keys.ROAD]
    values = Values(form.text("host"), form.text("policy"), form.text("reason"))
    try:
        if values.policy not in _POLICIES:
            raise Invalid("Choose a policy", field="policy")
        if not values.reason.strip():
            raise Invalid("A decision about a server needs a reason", field="reason")
        async with road.pool.acquire() as conn, conn.transaction():
            await hosts.set_policy(
                conn,
                values.host,
                Policy(values.policy),
                reason=values.reason,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError:
        return await _hosts(request, values, Invalid("This is not the name of a server", field="host"))
    except Invalid as error:
        return await _hosts(request, values, error)
    return see_other(request, "/admin/hosts", say(request, "Set"))


@needs(role=desk.HOSTS, reach=Reach.ANY, fresh=True)
async def clear_host(request: web.Request) -> web.Response:
    """Treats a server like every other one again."""
    form, road = await body.read(request), request.app[keys.ROAD]
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await hosts.remove_policy(
                conn,
                form.text("host"),
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        raise desk.refused(error) from None
    return see_other(request, "/admin/hosts", say(request, "Lifted"))


async def _hosts(request: web.Request, values: Values, error: AppError | None = None) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        policies = await hosts.list_policies(conn, after=request.query.get("after", ""))
    return await desk.page(
        request,
        "admin/hosts.html",
        "hosts",
        status=error.status if error else 200,
        policies=policies,
        words={name: say(request, words) for name, words in _POLICIES.items()},
        values=values,
        may_change=True,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )
