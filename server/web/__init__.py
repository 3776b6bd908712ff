"""The pages: the route table, and what their handlers share."""

from __future__ import annotations

from aiohttp import web

from .. import keys
from ..http.errors import ERROR_PAGE
from ..http.routes import Route, get, post
from ..pages import assets
from ..pages.cards import CARDS, Cards
from ..pages.render import PAGES
from . import (
    access,
    acting,
    card,
    certification,
    counts,
    decisions,
    documents,
    exporting,
    failures,
    identity,
    identity_claims,
    letterbox,
    live,
    login,
    notifications,
    oidc,
    profiles,
    reports,
    search,
    security,
    settings,
    shared,
    signup,
    standing,
    threads,
    timelines,
    writing,
)


def prepare(app: web.Application) -> None:
    """Puts in what the handlers keep from one request to the next."""
    app[CARDS] = Cards(app[PAGES], app[keys.CLOCK])
    app[shared.SHARED] = shared.SharedPages()
    app[counts.KEPT] = counts.Kept()
    app[letterbox.LETTERBOX] = letterbox.Letterbox()
    app.on_shutdown.append(app[letterbox.LETTERBOX].empty)
    app[ERROR_PAGE] = failures.page
    app[live.LIVE] = streams = live.Live()
    app.on_startup.extend((app[shared.SHARED].listen, streams.listen))
    app.on_shutdown.append(streams.close)


_PERSON = r"/@{acct:[^/@]+(?:@[^/@]+)?}"
_POST = _PERSON + r"/{id:[0-9]{1,19}}"

routes: list[Route] = [
    get("/static/{name}", assets.serve),
    get("/manifest.webmanifest", documents.manifest),
    get("/favicon.ico", documents.favicon),
    get("/robots.txt", documents.robots),
    get("/", timelines.welcome),
    get("/home", timelines.home),
    get("/live", live.stream),
    get("/local", timelines.local),
    get("/public", timelines.public),
    get("/tags/{name}", timelines.tag),
    get("/bookmarks", timelines.bookmarks),
    get("/favourites", timelines.favourites),
    get("/notifications", notifications.show),
    get("/search", search.show),
    get("/about", documents.about),
    get("/terms", documents.document),
    get("/privacy", documents.document),
    get("/rules", documents.document),
    get("/display", settings.display),
    post("/display", settings.change_display),
    get("/register", signup.form),
    post("/register", signup.register),
    get("/confirm/{token}", signup.ask_confirm),
    post("/confirm/{token}", signup.confirm),
    get("/first-operator/{token}", signup.first_operator_form),
    post("/first-operator/{token}", signup.first_operator),
    get("/login", login.form),
    post("/login", login.login),
    post("/login/second", login.second),
    post("/logout", login.logout),
    get("/confirm-login", login.confirm_form),
    post("/confirm-login", login.confirm),
    get("/reset", login.reset_form),
    post("/reset", login.reset),
    get("/reset/{token}", login.new_password_form),
    post("/reset/{token}", login.new_password),
    get("/compose", writing.compose),
    post("/compose", writing.publish),
    get("/posts/{id}/reply", writing.reply),
    get("/posts/{id}/edit", writing.edit_form),
    post("/posts/{id}/edit", writing.edit),
    get("/posts/{id}/delete", writing.delete_form),
    post("/posts/{id}/delete", writing.delete),
    post("/posts/{id}/{act}", acting.on_post),
    get("/accounts/{id}/{act}", acting.ask_account),
    post("/accounts/{id}/{act}", acting.on_account),
    get("/report", reports.form),
    post("/report", reports.send),
    get("/report/{code}", reports.state),
    get("/my/decisions", decisions.index),
    get("/my/decisions/{id}", decisions.show),
    post("/my/decisions/{id}/appeal", decisions.appeal),
    get("/settings", settings.index),
    get("/settings/profile", settings.profile),
    post("/settings/profile", settings.save_profile),
    get("/settings/account", settings.account),
    post("/settings/account/confirm", settings.send_confirmation),
    post("/settings/account/accept", settings.accept),
    post("/settings/account/export", exporting.download),
    post("/settings/account/close", settings.close),
    get("/settings/security", security.show),
    post("/settings/security/password", security.change_password),
    get("/settings/security/totp", security.totp),
    post("/settings/security/totp", security.enable_totp),
    post("/settings/security/totp/disable", security.disable_totp),
    post("/settings/security/sessions/{id}/end", security.end_session),
    get("/settings/identity", identity.show),
    post("/settings/identity", identity.start),
    post("/settings/identity/confirm", identity.confirm),
    get("/settings/identity/ways/{way}", identity_claims.way),
    post("/settings/identity/ways/{way}", identity_claims.send),
    post("/settings/identity/claims/{id}/more", identity_claims.add),
    post("/settings/identity/claims/{id}/withdraw", identity_claims.take_back),
    get("/settings/identity/delete", identity.ask_withdraw),
    post("/settings/identity/delete", identity.withdraw),
    get("/settings/identity/access", access.show),
    post("/settings/identity/access", access.reveal),
    get("/settings/identity/oidc/start", oidc.ask),
    post("/settings/identity/oidc/start", oidc.start),
    get("/settings/identity/oidc/callback", oidc.callback),
    get("/settings/certification", certification.show),
    post("/settings/certification", certification.begin),
    post("/settings/certification/details", certification.details),
    post("/settings/certification/papers", certification.add_papers),
    post("/settings/certification/papers/{paper}/drop", certification.drop_paper),
    post("/settings/certification/send", certification.send),
    post("/settings/certification/withdraw", certification.withdraw),
    get("/org/{name}/certification", certification.show),
    post("/org/{name}/certification", certification.begin),
    post("/org/{name}/certification/details", certification.details),
    post("/org/{name}/certification/papers", certification.add_papers),
    post("/org/{name}/certification/papers/{paper}/drop", certification.drop_paper),
    post("/org/{name}/certification/send", certification.send),
    post("/org/{name}/certification/withdraw", certification.withdraw),
    get("/settings/standing", standing.show),
    get("/settings/preferences", settings.preferences),
    post("/settings/preferences", settings.save_preferences),
    get("/settings/relationships", settings.relationships),
    get("/settings/apps", settings.apps),
    post("/settings/apps/{id}/end", settings.end_app),
    get(_PERSON, profiles.profile),
    get(f"{_PERSON}/with_replies", profiles.with_replies),
    get(f"{_PERSON}/media", profiles.media),
    get(f"{_PERSON}/certification", card.show),
    get(f"{_PERSON}/followers", profiles.followers),
    get(f"{_PERSON}/following", profiles.following),
    get(_POST, threads.thread),
    get(f"{_POST}/history", threads.history),
]
