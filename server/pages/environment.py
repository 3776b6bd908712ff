"""The template engine, one environment for each language: what templates may call, and how values are
written.

Every value is escaped. The only HTML that passes is what `clean` has just cleaned; no template comes from
data.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import jinja2
import nh3
from markupsafe import Markup, escape

from compliance import agreements
from compliance.classes import CertClass

from .. import i18n
from ..ids import Clock
from ..settings import Settings
from ..store.model import AccountView, Mark
from .assets import Assets
from .seals import SEALS

FOLDER: Final = Path(__file__).parent.parent / "templates"
_TAGS: Final = frozenset(
    tag
    for line in (
        "p br a span ul ol li blockquote pre code strong em b i u s del ruby rt rp",
        "h1 h2 h3 h4 h5 h6",
    )
    for tag in line.split()
)
_ALLOWED: Final = nh3.Cleaner(
    tags=set(_TAGS),
    attributes={"a": {"href", "rel", "translate"}, "*": {"lang"}},
    allowed_classes={"a": {"mention", "hashtag", "u-url"}, "span": {"invisible", "ellipsis", "h-card"}},
    url_schemes={"http", "https", "mailto", "xmpp", "gemini"},
    link_rel=None,
)


# Each names the ones before it as well, so the order decides.
_BROWSERS: Final = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def make(locale: str, assets: Assets, settings: Settings, clock: Clock) -> jinja2.Environment:
    """The environment for one language."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.env == "development",
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    catalogue = i18n.catalogue(locale)
    # New style: a translation is safe text, and what is filled in is escaped.
    made.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]

    def ago(moment: datetime) -> str:
        return i18n.ago(locale, moment, clock())

    def day(moment: datetime) -> str:
        return i18n.day(locale, moment, clock())

    def full(moment: datetime) -> str:
        return i18n.full(locale, moment, clock())

    def mark_of(account: AccountView) -> Mark | None:
        return account.mark_at(clock())

    def is_of_many(account: AccountView) -> bool:
        mark = mark_of(account)
        return mark is not None and mark.class_ is not CertClass.INDIVIDUAL

    made.globals |= {
        "seals": SEALS,
        "mark_of": mark_of,
        "is_of_many": is_of_many,
        "locale": locale,
        "asset": assets.path,
        "site": settings.site,
        "origin": settings.origin,
        "number": partial(i18n.number, locale),
        "ago": ago,
        "day": day,
        "full": full,
    }
    made.filters |= {
        "iso": _iso,
        "clean": clean,
        "words": words,
        "focus_class": focus_class,
        "prose": prose,
        "browser": browser,
    }
    return made


def clean(html: str) -> Markup:
    """HTML of a post or a profile, cleaned once more: what was stored is not trusted for ever."""
    return Markup(_ALLOWED.clean(html))  # noqa: S704 - this is the sanitiser


def words(html: str) -> str:
    """Only the words of some HTML."""
    return Markup(html.replace("</p>", " ").replace("<br", " <br")).striptags()  # noqa: S704 - tags go


def prose(body: str) -> Markup:
    """An agreement's plain text as headings, paragraphs and lists."""
    parts = []
    for block in agreements.blocks(body):
        lines = [escape(line) for line in block.lines]
        match block.kind:
            case "heading":
                parts.append(Markup("<h2>{}</h2>").format(lines[0]))
            case "list":
                items = Markup().join(Markup("<li>{}</li>").format(line) for line in lines)
                parts.append(Markup("<ul>{}</ul>").format(items))
            case _:
                parts.append(Markup("<p>{}</p>").format(Markup("<br>").join(lines)))
    return Markup().join(parts)


def browser(client: str) -> str:
    """What a person calls the program behind a User-Agent."""
    name = next((name for token, name in _BROWSERS if token in client), client.partition("/")[0][:40])
    system = next((name for token, name in _SYSTEMS if token in client), "")
    return f"{name} · {system}" if system else name


def focus_class(focus: tuple[float, float] | None) -> str:
    """A picture's point of interest as a class: inline styles are not allowed here."""
    if focus is None:
        return ""
    x, y = focus
    axis, place = ("x", x) if abs(x) >= abs(y) else ("y", -y)
    step = min(max(round((place + 1) * 2), 0), 4)
    return "" if step == 2 else f" f{axis}-{step}"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
