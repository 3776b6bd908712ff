"""The typed names under which `app.py` puts what the whole application shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import jinja2

    from compliance.sealing import Sealer
    from compliance.ways import Checker
    from federation.client import Client

    from .db.pool import Pool
    from .events import Events
    from .ids import Clock
    from .metrics import Metrics
    from .pipeline import Road
    from .providers.mail import Carrier, Mailer
    from .providers.oidc import Provider
    from .providers.sms import Gateway
    from .settings import Settings
    from .uris import Uris
    from .workers.runner import Runner

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
POOL: web.AppKey[Pool] = web.AppKey("pool")
ROAD: web.AppKey[Road] = web.AppKey("road")
URIS: web.AppKey[Uris] = web.AppKey("uris")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
SEALER: web.AppKey[Sealer] = web.AppKey("sealer")
EVENTS: web.AppKey[Events] = web.AppKey("events")
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")
RUNNER: web.AppKey[Runner] = web.AppKey("runner")
CLIENT: web.AppKey[Client] = web.AppKey("client")
MAIL: web.AppKey[Mailer] = web.AppKey("mail")
CARRIER: web.AppKey[Carrier] = web.AppKey("carrier")
SMS: web.AppKey[Gateway] = web.AppKey("sms")
CHECKER: web.AppKey[Checker] = web.AppKey("checker")
OIDC: web.AppKey[Provider | None] = web.AppKey("oidc")
TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("templates")
