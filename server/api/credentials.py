"""One's own account: who one is, what one shows, and joining from within an app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web
from msgspec import UNSET, UnsetType

from compliance import identity
from compliance.activity import MediaId

from .. import acts, keys, membership
from ..drafts import ProfileDraft
from ..errors import Forbidden, Invalid
from ..http import auth, body, limits
from ..http.auth import Viewer, person, viewer
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..media.model import Shape
from ..store import accounts, follows, members
from ..store.model import AccountView, Role
from . import answers, entities, extension, media, oauth, preferences, schemas
from .moments import maybe_stamp
from .render import RENDERER
from .statuses import visibility_of

T = TypeVar("T")
_LANGUAGE_LENGTH = 35
_RANKS = (Role.ADMIN, Role.EDITOR, Role.COMPLIANCE, Role.REVIEWER, Role.AUDITOR)
_SHAPES = {"avatar": Shape.AVATAR, "header": Shape.HEADER}


@needs("profile", "read:accounts", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """Who one is."""
    return await _me(request)


@needs("write:accounts", reach=Reach.OWN)
async def update(request: web.Request) -> web.Response:
    """Changes what one shows and how one posts; what is not named stays."""
    me = person(request)
    form = await body.read(request, limit=media.form_limit(request, len(_SHAPES)))
    change = form.to(schemas.ChangedAccount)
    if change.source is not None:
        await _prefer(request, me, change.source)
    pictures = {
        name: await media.bring(request, me, file, shape=shape)
        for name, shape in _SHAPES.items()
        if (file := form.upload(name)) is not None
    }
    if pictures or _changes_profile(change):
        await _show(request, me, change, pictures)
    return await _me(request)


@needs("write:accounts", reach=Reach.OWN)
async def delete_avatar(request: web.Request) -> web.Response:
    """Goes back to the picture that everybody has at first."""
    await _show(request, person(request), schemas.ChangedAccount(), {"avatar": None})
    return await _me(request)


@needs("write:accounts", reach=Reach.OWN)
async def delete_header(request: web.Request) -> web.Response:
    """Takes the wide picture away."""
    await _show(request, person(request), schemas.ChangedAccount(), {"header": None})
    return await _me(request)


@needs("write:accounts", app=True, limit=limits.SIGN_UP)
async def register(request: web.Request) -> web.Response:
    """Joins, from within an app. The token works once the address is confirmed.

    For an address that has an account already the answer is the same, and the token works never: nobody
    learns here who has an account (security rule E7). Whoever owns the address is told by mail.
    """
    new, road, asking = await body.to(request, schemas.NewAccount), request.app[keys.ROAD], viewer(request)
    if asking is None or asking.app_id is None:
        raise Forbidden("This method requires an app's token")
    if not road.settings.registration.open:
        raise Forbidden("This server does not take new people at present")
    if not new.agreement:
        raise Invalid("The agreement must be accepted", field="agreement")
    account_id = None
    try:
        made = await membership.register(
            road,
            new.username,
            new.email,
            new.password,
            locale=locale_of(request) if new.locale == "" else _locale(new.locale),
            accepted=True,
            source=source_of(request),
        )
        account_id, letter = made.account_id, made.letter
    except membership.EmailTaken as taken:
        letter = taken.letter
    if letter is not None:
        request.app[keys.MAIL].send(letter)
    granted = tuple(asking.scopes) if account_id is not None else (auth.DECOY,)
    async with road.pool.acquire() as conn, conn.transaction():
        return await oauth.give_token(
            request, conn, asking.app_id, account_id, granted, shown=tuple(asking.scopes)
        )


async def _me(request: web.Request) -> web.Response:
    me, uris, now = person(request), request.app[keys.URIS], request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        view = await accounts.get(conn, me.id, uris=uris)
        member = await members.get(conn, me.myself.id)
        known = await identity.get(conn, me.id)
        requests = await follows.count_requests(conn, me.id)
    chosen = preferences.chosen({} if me.by else member.preferences, member.locale)
    shown = request.app[RENDERER].account_members(view)
    marked: extension.Marked | UnsetType = shown.pop("yanlu")
    return answers.entity(
        entities.CredentialAccount(
            **shown,
            source=entities.Source(
                note=view.source or "",
                fields=[
                    entities.Field(field.name, field.text, maybe_stamp(field.verified_at))
                    for field in view.fields
                ],
                privacy=chosen.visibility,
                sensitive=chosen.sensitive,
                language=chosen.language,
                follow_requests_count=requests,
                discoverable=view.discoverable,
                indexable=view.indexable,
            ),
            role=_role(frozenset() if me.by else member.roles),
            yanlu=extension.Yanlu(
                certification=UNSET if marked is UNSET else marked.certification,
                identity=extension.Identity(
                    state=known.state.value,
                    method=None if known.method is None else known.method.value,
                    verified_at=maybe_stamp(known.verified_at),
                    due_at=maybe_stamp(known.due_at),
                    may_publish=known.may_publish(now),
                    url=f"{uris.origin}/org/{view.username}/duties"
                    if me.by
                    else f"{uris.origin}/settings/identity",
                ),
                email_confirmed=member.email_confirmed_at is not None,
                acting=UNSET
                if me.by is None or me.place is None
                else extension.Acting(me.by.username, me.place.role.value),
            ),
        )
    )


async def _show(
    request: web.Request,
    me: Viewer,
    change: schemas.ChangedAccount,
    pictures: Mapping[str, MediaId | None],
) -> None:
    async with request.app[keys.POOL].acquire() as conn:
        now = await accounts.get(conn, me.id, uris=request.app[keys.URIS])
        avatar, header = await accounts.pictures_of(conn, me.id)
    draft = ProfileDraft(
        display_name=_or(change.display_name, now.display_name),
        text=_or(change.note, now.source or ""),
        fields=_fields(change, now),
        avatar_media_id=pictures.get("avatar", avatar),
        header_media_id=pictures.get("header", header),
        locked=_or(change.locked, now.locked),
        bot=_or(change.bot, now.bot),
        discoverable=_or(change.discoverable, now.discoverable),
        indexable=_or(change.indexable, now.indexable),
    )
    await acts.update_profile(request.app[keys.ROAD], me.me, draft, source=source_of(request))
    auth.forget(request)


async def _prefer(request: web.Request, me: Viewer, change: schemas.SourceChange) -> None:
    chosen: dict[str, str | int | bool | None] = {}
    if change.privacy:
        visibility_of(change.privacy)
        chosen["visibility"] = change.privacy
    if change.sensitive is not None:
        chosen["sensitive"] = change.sensitive
    if change.language is not None:
        if len(change.language) > _LANGUAGE_LENGTH:
            raise Invalid("This is not a language code", field="source[language]")
        chosen["language"] = change.language
    if chosen and me.by is not None:
        raise Invalid("An organisation has no preferences of its own", field="source")
    if chosen:
        async with request.app[keys.POOL].acquire() as conn:
            await members.set_preferences(conn, me.id, chosen)
        auth.forget(request)


def _changes_profile(change: schemas.ChangedAccount) -> bool:
    return any(getattr(change, name) is not None for name in change.__struct_fields__ if name != "source")


def _fields(change: schemas.ChangedAccount, now: AccountView) -> tuple[tuple[str, str], ...]:
    if change.fields_attributes is None:
        return tuple((field.name, field.text) for field in now.fields)
    return tuple((field.name, field.value) for field in change.fields_attributes)


def _role(held_roles: frozenset[Role]) -> entities.Role:
    """The highest of one's roles; without one, what Mastodon calls everybody."""
    held = next((role for role in _RANKS if role in held_roles), None)
    return entities.Role(
        id="-99" if held is None else str(_RANKS.index(held) + 1),
        name="" if held is None else held.value,
        highlighted=held is not None,
    )


def _locale(wish: str) -> str:
    return "zh-CN" if wish.lower().startswith("zh") else "en"


def _or(wish: T | None, now: T) -> T:
    return now if wish is None else wish
