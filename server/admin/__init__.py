"""The operators' console: the route table."""

from __future__ import annotations

from aiohttp import web

from ..http.routes import Reach, Route, get, needs, post
from ..pages.render import see_other
from ..store.model import Role
from . import (
    accounts,
    campaigns,
    certificates,
    certifications,
    complaints,
    credits,
    desk,
    identities,
    log,
    organisations,
    policies,
    review,
    tiers,
    vault,
)


@needs(role=tuple(Role), reach=Reach.NONE)
async def start(request: web.Request) -> web.Response:
    """Leads to the first page that the person's roles open."""
    return see_other(request, desk.first(request))


routes: list[Route] = [
    get("/admin", start),
    get("/admin/queue", review.queue),
    get("/admin/queue/next", review.take_next),
    get("/admin/queue/{id}", review.show),
    post("/admin/queue/{id}", review.decide),
    post("/admin/queue/{id}/claim", review.claim),
    get("/admin/reports", complaints.list_reports),
    get("/admin/reports/{id}", complaints.show_report),
    post("/admin/reports/{id}", complaints.decide_report),
    get("/admin/appeals", complaints.list_appeals),
    get("/admin/appeals/{id}", complaints.show_appeal),
    post("/admin/appeals/{id}", complaints.decide_appeal),
    get("/admin/certifications", certifications.queue),
    get("/admin/certifications/next", certifications.take_next),
    get("/admin/certifications/papers", certificates.papers),
    post("/admin/certifications/papers", certificates.import_papers),
    get("/admin/certifications/held", certificates.index),
    get("/admin/certifications/held/{id}", certificates.show),
    post("/admin/certifications/held/{id}/revoke", certificates.revoke),
    get("/admin/certifications/{id}", certifications.show),
    post("/admin/certifications/{id}", certifications.decide),
    post("/admin/certifications/{id}/take", certifications.take),
    get("/admin/certifications/{id}/papers/{paper}", certifications.paper),
    get("/admin/identity", identities.queue),
    get("/admin/identity/accounts/{id}", identities.account),
    post("/admin/accounts/{id}/revoke-identity", identities.revoke),
    post("/admin/accounts/{id}/restore-identity", identities.restore),
    get("/admin/identity/{id}", identities.show),
    post("/admin/identity/{id}", identities.decide),
    post("/admin/identity/{id}/open", identities.open_papers),
    get("/admin/campaigns", campaigns.index),
    post("/admin/campaigns", campaigns.create),
    get("/admin/campaigns/{id}", campaigns.show),
    post("/admin/campaigns/{id}/start", campaigns.start),
    post("/admin/campaigns/{id}/close", campaigns.close),
    get("/admin/campaigns/{id}/open.csv", campaigns.export),
    get("/admin/accounts", accounts.index),
    get("/admin/accounts/{id}", accounts.show),
    post("/admin/accounts/{id}/suspend", accounts.suspend),
    post("/admin/accounts/{id}/restore", accounts.restore),
    post("/admin/accounts/{id}/roles", accounts.roles),
    post("/admin/accounts/{id}/attest", accounts.attest),
    get("/admin/vault", vault.index),
    post("/admin/vault", vault.ask),
    get("/admin/vault/{id}", vault.show),
    post("/admin/vault/{id}", vault.decide),
    post("/admin/vault/{id}/read", vault.read),
    post("/admin/vault/{id}/hold", vault.hold),
    get("/admin/organisations", organisations.index),
    get("/admin/organisations/{id}", organisations.show),
    post("/admin/organisations/{id}/suspend", organisations.suspend),
    post("/admin/organisations/{id}/restore", organisations.restore),
    post("/admin/organisations/{id}/grant", organisations.request_grant),
    post("/admin/organisations/{id}/grant/decide", organisations.decide_grant),
    get("/admin/rules", policies.rules),
    post("/admin/rules", policies.import_rules),
    post("/admin/rules/{id}/activate", policies.activate_rules),
    get("/admin/accounts/{id}/credit", credits.show),
    post("/admin/accounts/{id}/credit", credits.change),
    get("/admin/tiers", tiers.index),
    post("/admin/tiers", tiers.import_policy),
    post("/admin/tiers/off", tiers.deactivate),
    get("/admin/tiers/{id}", tiers.show),
    get("/admin/tiers/{id}/text", tiers.download),
    post("/admin/tiers/{id}/try", tiers.try_policy),
    post("/admin/tiers/{id}/activate", tiers.activate),
    get("/admin/hosts", policies.other_servers),
    post("/admin/hosts", policies.set_host),
    post("/admin/hosts/clear", policies.clear_host),
    get("/admin/records", log.show),
]
