"""Who may comment under one's posts, what becomes of a comment, and who is kept from it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from compliance import comments
from compliance.activity import AccountId
from compliance.comments import Mode, Policy, Sensitivity, Who
from compliance.errors import NotAllowed

from .. import keys, moderating
from ..errors import Invalid
from ..http import body
from ..http.body import Body
from ..http.routes import Reach, needs
from ..i18n import mark
from ..moderating import Deed
from ..pages import windows
from ..pages.render import say, see_other
from ..store import accounts
from . import commentdesk
from .commentdesk import DONE, At, E

_LENGTH: Final = 40
WHO: Final = {
    Who.ANYONE: mark("Everybody"),
    Who.FOLLOWERS: mark("My followers, and whom the post names"),
    Who.FOLLOWED: mark("People I follow, and whom the post names"),
    Who.MENTIONED: mark("Only whom the post names"),
    Who.NOBODY: mark("Nobody: comments are closed"),
}
MODES: Final = {
    Mode.OPEN: (mark("Shown at once"), ""),
    Mode.FILTERED: (mark("Filtered"), mark("What holds one of your words, or is sensitive, waits for you.")),
    Mode.REVIEWED: (mark("Looked at first"), mark("Every comment waits until you approve it.")),
}
SENSITIVITIES: Final = {
    Sensitivity.OFF: (mark("My words only"), ""),
    Sensitivity.CAREFUL: (
        mark("Careful"),
        mark("Also what the server's rules mark, and what its author hides behind a warning."),
    ),
    Sensitivity.STRICT: (mark("Strict"), mark("Also links, pictures, and everybody's first comment.")),
}
_WRONG: Final = {
    f"a list has at most {comments.MOST_WORDS} words": mark("A list has at most 500 words"),
    f"a word has at most {comments.LONGEST_WORD} characters": mark("A word has at most 100 characters"),
    "a word must hold a letter, a digit or a sign that can be read": mark(
        "A word must hold a letter, a digit or a sign that can be read"
    ),
}


@needs(member=True, reach=Reach.OWN)
async def policy(request: web.Request) -> web.Response:
    """Who may comment, what becomes of a comment, own words, and who is blocked."""
    return await _policy(request, await commentdesk.enter(request))


@needs(member=True, reach=Reach.OWN)
async def save_policy(request: web.Request) -> web.Response:
    """Takes another policy."""
    at, form = await commentdesk.enter(request), await body.read(request)
    try:
        wanted = Policy(
            who=_chosen(Who, form.text("who"), "who"),
            mode=_chosen(Mode, form.text("mode"), "mode"),
            sensitivity=_chosen(Sensitivity, form.text("sensitivity"), "sensitivity"),
            words=_words(form.text("words")),
        )
    except Invalid as error:
        return await _policy(request, at, form=form, error=error)
    await moderating.set_policy(request.app[keys.ROAD], at.owner, wanted, source=at.source)
    return see_other(request, f"{at.base}/policy", say(request, "Saved"))


@needs(member=True, reach=Reach.OWN)
async def unblock(request: web.Request) -> web.Response:
    """Lets somebody comment again."""
    at = await commentdesk.enter(request)
    await body.read(request)
    await moderating.unblock(
        request.app[keys.ROAD], at.owner, AccountId(commentdesk.id_of(request)), source=at.source
    )
    return see_other(request, f"{at.base}/policy#blocked", say(request, DONE[Deed.UNBLOCK]))


async def _policy(
    request: web.Request, at: At, *, form: Body | None = None, error: Invalid | None = None
) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        now = await comments.get_policy(conn, at.owner.id)
        after = windows.number(request.query.get("after")) or 0
        found = await comments.list_blocked(conn, at.owner.id, after=after, limit=_LENGTH + 1)
        blocked = found[:_LENGTH]
        people = await accounts.load(conn, [one.account_id for one in blocked], uris=request.app[keys.URIS])
    typed = {name: form.text(name) for name in ("who", "mode", "sensitivity", "words")} if form else {}
    return await commentdesk.page(
        request,
        at,
        "web/comment_policy.html",
        status=error.status if error else 200,
        who=typed.get("who", now.who.value),
        mode=typed.get("mode", now.mode.value),
        sensitivity=typed.get("sensitivity", now.sensitivity.value),
        words=typed.get("words", "\n".join(now.words)),
        whos=[(key.value, say(request, words), "") for key, words in WHO.items()],
        modes=[_option(request, key.value, said) for key, said in MODES.items()],
        sensitivities=[_option(request, key.value, said) for key, said in SENSITIVITIES.items()],
        more=f"{at.base}/policy?after={blocked[-1].account_id}#blocked" if len(found) > _LENGTH else "",
        blocked=[(people[one.account_id], one) for one in blocked if one.account_id in people],
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


def _option(request: web.Request, key: str, said: tuple[str, str]) -> tuple[str, str, str]:
    words, hint = said
    return key, say(request, words), say(request, hint) if hint else ""


def _words(typed: str) -> tuple[str, ...]:
    try:
        return comments.words_of(typed)
    except NotAllowed as error:
        raise Invalid(_WRONG.get(str(error), str(error)), field="words") from None


def _chosen(kind: type[E], text: str, field: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise Invalid("Choose one of these", field=field) from None
