"""Text messages by Alibaba Cloud: Dysmsapi 2017-05-25, SendSms, by its official SDK."""

from __future__ import annotations

import logging
from typing import Final

import msgspec
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

from ..errors import Unavailable
from ..settings import Settings
from . import clouds
from .sms_template import FAILED, template_values

_REGION: Final = "cn-hangzhou"

log = logging.getLogger(__name__)


class AlibabaGateway:
    """Sends the code as a value of a template that the cloud approved; the text stays here."""

    def __init__(self, settings: Settings) -> None:
        sms = settings.sms
        scheme, endpoint = clouds.endpoint(sms.url)
        self._settings = settings
        self._threads = clouds.Threads("alibaba-sms")
        self._client = Client(
            Config(
                access_key_id=sms.key_id,
                access_key_secret=clouds.secret(sms.token_file),
                region_id=sms.region or _REGION,
                endpoint=endpoint,
                protocol=scheme,
            )
        )

    async def send(self, number: str, text: str, *, code: str) -> None:
        values = template_values(self._settings, code)
        asked = SendSmsRequest(
            # Within the country the cloud knows numbers without 86, of other countries without the plus.
            phone_numbers=number.removeprefix("+86").removeprefix("+"),
            sign_name=self._settings.sms.signature,
            template_code=self._settings.sms.template,
            template_param=msgspec.json.encode(values).decode(),
        )
        try:
            answer = await self._threads.run(self._client.send_sms_with_options, asked, _options())
        except Exception as error:
            log.warning("the cloud could not be asked", extra={"error": clouds.name_of(error)})
            raise Unavailable(FAILED) from None
        if answer.body.code != "OK":
            log.warning(
                "the cloud refused a text message",
                extra={"error": answer.body.code, "reference": answer.body.request_id},
            )
            raise Unavailable(FAILED)


def _options() -> RuntimeOptions:
    """The SDK changes what it is given, so each call has its own."""
    return RuntimeOptions(
        connect_timeout=clouds.CONNECT_SECONDS * 1_000, read_timeout=clouds.ANSWER_SECONDS * 1_000
    )
