"""Settings: profile, account, preferences, relationships and apps. Security and identity have modules of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from compliance import agreements, organisations
from compliance.activity import MediaId

from .. import acts, keys, membership, passwords, tries
from ..acts import NotPublished, ProfileDraft
from ..db.pool import Connection
from ..errors import AppError, Invalid, NotFound
from ..http import auth, body, cookies
from ..http.auth import Viewer, person
from ..http.body import Body, Upload
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import LOCALES, mark
from ..media.model import Shape
from ..pages import render, windows
from ..pages.render import local_path, say, see_other
from ..pages.windows import number
from ..store import accounts, follows, members, tokens
from ..store.model import AccountView
from . import composer
from .signup import errors_of

_ROWS: Final = 4
_MOST_ROWS: Final = 10
_PEOPLE: Final = 40
_PICTURES: Final = 48 * 1024 * 1024
_LISTS: Final = (
    ("requests", mark("Requests")),
    ("following", mark("Following")),
    ("followers", mark("Followers")),
    ("muted", mark("Muted")),
    ("blocked", mark("Blocked")),
)


@dataclass(slots=True)
class Profile:
    """What the profile form shows."""

    display_name: str
    note: str
    fields: list[tuple[str, str]]
    locked: bool
    discoverable: bool
    indexable: bool
    bot: bool

    @classmethod
    def of(cls, me: AccountView) -> Profile:
        return cls(
            me.display_name,
            me.source or "",
            _padded([(row.name, row.text) for row in me.fields]),
            me.locked,
            me.discoverable,
            me.indexable,
            me.bot,
        )

    @classmethod
    def sent(cls, form: Body) -> Profile:
        return cls(
            form.text("display_name"),
            form.text("note").replace("\r\n", "\n"),
            _padded(list(zip(form.texts("field_name"), form.texts("field_value"), strict=False))),
            *(bool(form.text(name)) for name in ("locked", "discoverable", "indexable", "bot")),
        )


@needs(member=True, unconfirmed=True)
async def index(request: web.Request) -> web.Response:
    """The first of the settings pages."""
    return see_other(request, "/settings/profile")


@needs(member=True, reach=Reach.OWN)
async def profile(request: web.Request) -> web.Response:
    """What one shows of oneself."""
    return await _profile(request, Profile.of(await _me(request)))


@needs(member=True, reach=Reach.OWN, body=_PICTURES)
async def save_profile(request: web.Request) -> web.Response:
    """Shows another profile, once the gate has let it through."""
    most = 2 * request.app[keys.SETTINGS].media.max_image_bytes + 256 * 1024
    form = await body.read(request, limit=most)
    values, me = Profile.sent(form), person(request)
    try:
        pictures = await _pictures(request, form, me)
        draft = ProfileDraft(
            display_name=values.display_name,
            text=values.note,
            fields=tuple(values.fields),
            avatar_media_id=pictures["avatar"],
            header_media_id=pictures["header"],
            locked=values.locked,
            bot=values.bot,
            discoverable=values.discoverable,
            indexable=values.indexable,
        )
        await acts.update_profile(request.app[keys.ROAD], me.me, draft, source=source_of(request))
    except NotPublished as stopped:
        return await _profile(request, values, stopped=stopped)
    except AppError as error:
        return await _profile(request, values, error=error)
    auth.forget(request)
    return see_other(request, "/settings/profile", say(request, "Saved"))


async def _pictures(request: web.Request, form: Body, me: Viewer) -> dict[str, MediaId | None]:
    """The new pictures, or those that are shown now."""
    async with request.app[keys.POOL].acquire() as conn:
        avatar, header = await accounts.pictures_of(conn, me.id)
    found: dict[str, MediaId | None] = {"avatar": avatar, "header": header}
    for name, shape in (("avatar", Shape.AVATAR), ("header", Shape.HEADER)):
        upload: Upload | None = form.upload(name)
        if upload is not None:
            found[name] = await composer.bring(request, me, upload, shape=shape)
    return found


async def _profile(
    request: web.Request,
    values: Profile,
    *,
    stopped: NotPublished | None = None,
    error: AppError | None = None,
) -> web.Response:
    failed = stopped or error
    return await render.page(
        request,
        "web/settings/profile.html",
        status=failed.status if failed else 200,
        tab="profile",
        heading=say(request, "Profile"),
        values=values,
        answer=composer.answer_of(request, stopped) if stopped else None,
        errors=errors_of(request, error),
    )


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def account(request: web.Request) -> web.Response:
    """Address, agreement, and the way out."""
    return await account_page(request)


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def send_confirmation(request: web.Request) -> web.Response:
    """Sends the letter again."""
    letter = await membership.resend_confirmation(
        request.app[keys.ROAD], person(request).id, source=source_of(request)
    )
    if letter is not None:
        request.app[keys.MAIL].send(letter)
    return see_other(request, "/settings/account", say(request, "The letter is on its way"))


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def accept(request: web.Request) -> web.Response:
    """Notes that the current agreement was read and accepted."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        missing = await agreements.missing(conn, me.id, locale=locale_of(request), now=now)
        versions = {
            document.document: document.version
            for document in missing
            if form.text(f"version-{document.document}") == str(document.version)
        }
        await agreements.accept(
            conn,
            me.id,
            versions,
            locale=locale_of(request),
            now=now,
            source=source_of(request),
            new_id=road.ids,
        )
    return see_other(request, "/settings/account", say(request, "Accepted"))


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def close(request: web.Request) -> web.Response:
    """Ends the account for good, for somebody who typed its name and password."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    try:
        if form.text("username").strip().removeprefix("@").lower() != me.me.username.lower():
            raise Invalid("This is not your user name", field="username")
        async with road.pool.acquire() as conn:
            member = await members.get(conn, me.id)
            if member.roles:
                raise Invalid("Give your roles to somebody else first", field="username")
            if await organisations.owned_alone(conn, me.id):
                raise Invalid("Hand your organisations on first: you are their last owner", field="username")
            most = road.settings.limits.account_logins
            await tries.take(road, conn, f"login:{me.id}", most, tries.HOUR)
        if not await passwords.matches(form.text("password"), member.password):
            raise Invalid("This is not your current password", field="password")
    except Invalid as error:
        return await account_page(request, error)
    await acts.close_account(road, me.me, source=source_of(request))
    async with road.pool.acquire() as conn, conn.transaction():
        await membership.end_everything(conn, me.id)
    request.app[auth.SEEN].forget()
    response = see_other(request, "/", say(request, "Your account is closed"))
    cookies.clear_session(request, response)
    return response


async def account_page(request: web.Request, error: AppError | None = None) -> web.Response:
    """The page about the account itself, with what was wrong in what was sent."""
    road, me = request.app[keys.ROAD], person(request)
    async with road.pool.acquire() as conn:
        member = await members.get(conn, me.id)
        missing = await agreements.missing(conn, me.id, locale=locale_of(request), now=road.clock())
    return await render.page(
        request,
        "web/settings/account.html",
        status=error.status if error else 200,
        tab="account",
        heading=say(request, "Account"),
        email=membership.open_email(road, member),
        confirmed_at=member.email_confirmed_at,
        missing=missing,
        errors=errors_of(request, error),
    )


@needs(member=True, reach=Reach.OWN)
async def preferences(request: web.Request) -> web.Response:
    """How one likes to read and write."""
    async with request.app[keys.POOL].acquire() as conn:
        sheet = await composer.fresh(request, conn, next_="/home")
    return await render.page(
        request,
        "web/settings/preferences.html",
        tab="preferences",
        heading=say(request, "Preferences"),
        values=sheet,
        visibilities=composer.visibilities(request),
        languages=composer.LANGUAGES,
    )


@needs(member=True, reach=Reach.OWN)
async def save_preferences(request: web.Request) -> web.Response:
    """Keeps the choices, those of display in a cookie."""
    form, me = await body.read(request), person(request)
    visibility, language = form.text("visibility"), form.text("language")
    chosen: dict[str, str | int | bool | None] = {"sensitive": bool(form.text("sensitive"))}
    if visibility in dict(composer.VISIBILITIES):
        chosen["visibility"] = "private" if visibility == "followers" else visibility
    if language in dict(composer.LANGUAGES):
        chosen["language"] = language
    async with request.app[keys.POOL].acquire() as conn:
        await members.set_preferences(conn, me.id, chosen)
    return await save_display(request, form, "/settings/preferences")


async def save_display(request: web.Request, form: Body, next_: str) -> web.Response:
    """Language with the account where there is one, and else, like the looks, in a cookie."""
    locale = form.text("locale")
    me = auth.viewer(request)
    if locale in LOCALES and me is not None:
        async with request.app[keys.POOL].acquire() as conn:
            await members.set_locale(conn, me.id, locale)
        auth.forget(request)
    response = see_other(request, next_)
    if locale in LOCALES:
        _remember(request, response, "locale", locale)
    theme = form.text("theme") if form.text("theme") in render.THEMES else render.THEMES[0]
    density = form.text("density") if form.text("density") in render.DENSITIES else render.DENSITIES[0]
    shortcuts = "on" if form.text("shortcuts") else "off"
    _remember(request, response, render.DISPLAY, f"{theme}.{density}.{shortcuts}")
    return response


def _remember(request: web.Request, response: web.Response, name: str, value: str) -> None:
    """A choice of looks: no secret, and not tied to anybody."""
    response.set_cookie(
        name,
        value,
        max_age=365 * 86_400,
        path="/",
        samesite="Lax",
        httponly=True,
        secure=cookies.is_secure(request),
    )


@needs(member=True, reach=Reach.OWN)
async def relationships(request: web.Request) -> web.Response:
    """Whom one has to do with: requests, follows, mutes, blocks."""
    me, page = person(request), windows.page_of(request, _PEOPLE)
    names = [name for name, _ in _LISTS]
    show = request.query.get("show", "requests" if me.me.locked else "following")
    if show not in names:
        raise NotFound
    async with request.app[keys.POOL].acquire() as conn:
        rows = await _rows(conn, show, me, page)
        listed = windows.shown(page, rows)
        people = await accounts.load_in_order(conn, [row.id for row in listed], uris=request.app[keys.URIS])
    newer, older = windows.links(request, page, [row.key for row in rows])
    return await render.page(
        request,
        "web/settings/relationships.html",
        tab="relationships",
        heading=say(request, "Relationships"),
        show=show,
        lists=[
            (f"/settings/relationships?show={name}", say(request, words), name == show)
            for name, words in _LISTS
        ],
        people=people,
        newer=newer,
        older=older,
    )


async def _rows(conn: Connection, show: str, me: Viewer, page: Any) -> Any:
    match show:
        case "requests":
            return await follows.requests(conn, me.id, page)
        case "following":
            return await follows.following(conn, me.id, me.id, page)
        case "followers":
            return await follows.followers(conn, me.id, me.id, page)
        case "muted":
            return await follows.list_muted(conn, me.id, page)
        case _:
            return await follows.list_blocked(conn, me.id, page)


@needs(member=True, reach=Reach.OWN)
async def apps(request: web.Request) -> web.Response:
    """Which apps may act for one."""
    async with request.app[keys.POOL].acquire() as conn:
        listed = await tokens.list_(conn, person(request).id)
    return await render.page(
        request, "web/settings/apps.html", tab="apps", heading=say(request, "Apps"), tokens=listed
    )


@needs(member=True, reach=Reach.OWN)
async def end_app(request: web.Request) -> web.Response:
    """Takes an app's leave away."""
    token_id = number(request.match_info["id"])
    async with request.app[keys.POOL].acquire() as conn:
        if token_id is None or not await tokens.revoke_one(conn, person(request).id, token_id):
            raise NotFound
    request.app[auth.SEEN].forget()
    return see_other(request, "/settings/apps", say(request, "This app is logged out"))


@needs()
async def display(request: web.Request) -> web.Response:
    """Language and looks, for everybody."""
    next_ = local_path(request.query.get("next", ""), "/")
    return await render.page(request, "web/display.html", next=next_)


@needs()
async def change_display(request: web.Request) -> web.Response:
    """Keeps language and looks."""
    form = await body.read(request)
    return await save_display(request, form, local_path(form.text("next"), "/"))


async def _me(request: web.Request) -> AccountView:
    async with request.app[keys.POOL].acquire() as conn:
        return await accounts.get(conn, person(request).id, uris=request.app[keys.URIS])


def _padded(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    filled = [row for row in rows if row[0].strip() or row[1].strip()][:_MOST_ROWS]
    empty = max(_ROWS - len(filled), 1) if len(filled) < _MOST_ROWS else 0
    return filled + [("", "")] * empty
