"""The page for an error: one plain sentence and one next step, and nothing of our insides."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from ..acts import NotPublished
from ..errors import AppError
from ..http.auth import identify, viewer
from ..http.routes import declared
from ..i18n import mark
from ..pages import render
from ..pages.render import say
from . import documents
from .composer import answer_of

_HEADINGS: Final = {
    400: mark("This request cannot be read"),
    401: mark("Please log in"),
    403: mark("This is not for you"),
    404: mark("There is nothing here"),
    405: mark("This page cannot do that"),
    409: mark("Something has changed meanwhile"),
    410: mark("This was here, and is gone"),
    413: mark("This is too large"),
    415: mark("This kind of file is not known here"),
    422: mark("Something in the form is not right"),
    429: mark("Too much at once"),
    503: mark("Not at the moment"),
}
_OPEN: Final = declared(documents.about)
_OTHER: Final = mark("Something went wrong on our side")
_NEXT: Final = {
    404: mark("The address may have a typing error, or what was here is not for everybody."),
    410: mark("Its author or the server has withdrawn it."),
    429: mark("Wait a minute, then try again."),
    500: mark("It has been noted. Try again in a moment."),
    503: mark("Try again in a moment."),
}


async def page(request: web.Request, error: AppError, said: str) -> web.Response:
    """The answer to a request that ended in `error`; for a script, the sentence alone."""
    if render.wants_fragment(request):
        words = render.escape_words(said)
        return render.fragment(request, words, status=error.status)
    if viewer(request) is None and error.status < 500 and _OPEN is not None:
        # Unknown addresses, and pages for others: nobody has said yet whose session this is.
        await identify(request, _OPEN)
    if isinstance(error, NotPublished):
        answer = answer_of(request, error)
        return await render.page(
            request, "web/stopped.html", status=error.status, answer=answer, next="/home"
        )
    known = viewer(request) is not None
    path, link = ("/home", say(request, "Home")) if known else ("/", say(request, "Start page"))
    if error.status == 401:
        path, link = "/login", say(request, "Log in")
    return await render.page(
        request,
        "web/error.html",
        status=error.status,
        heading=say(request, _HEADINGS.get(error.status, _OTHER)),
        words=said if error.status != 404 else "",
        next_step=say(request, _NEXT.get(error.status, "")),
        path=path,
        link=link,
    )
