"""Text messages by Tencent Cloud: SMS 2021-01-11, SendSms, by its official SDK."""

from __future__ import annotations

import logging
from typing import Final

from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111.models import SendSmsRequest
from tencentcloud.sms.v20210111.sms_client import SmsClient

from ..errors import Unavailable
from ..settings import Settings
from . import clouds
from .sms_template import FAILED, template_values

_REGION: Final = "ap-guangzhou"
_SECONDS: Final = 10
"""One number at this cloud: for the connection, and for the answer."""

log = logging.getLogger(__name__)


class TencentGateway:
    """Sends the code as a value of a template that the cloud approved; the text stays here."""

    def __init__(self, settings: Settings) -> None:
        sms = settings.sms
        scheme, endpoint = clouds.endpoint(sms.url)
        self._settings = settings
        self._threads = clouds.Threads("tencent-sms")
        self._client = SmsClient(
            Credential(sms.key_id, clouds.secret(sms.token_file)),
            sms.region or _REGION,
            ClientProfile(httpProfile=HttpProfile(protocol=scheme, endpoint=endpoint, reqTimeout=_SECONDS)),
        )

    async def send(self, number: str, text: str, *, code: str) -> None:
        asked = SendSmsRequest()
        asked.PhoneNumberSet = [number]
        asked.SmsSdkAppId = self._settings.sms.app_id
        asked.SignName = self._settings.sms.signature
        asked.TemplateId = self._settings.sms.template
        asked.TemplateParamSet = list(template_values(self._settings, code).values())
        try:
            answer = await self._threads.run(self._client.SendSms, asked)
        except Exception as error:
            log.warning("the cloud could not be asked", extra={"error": clouds.name_of(error)})
            raise Unavailable(FAILED) from None
        states = [status.Code for status in answer.SendStatusSet or ()]
        if states != ["Ok"]:
            log.warning(
                "the cloud refused a text message",
                extra={"error": " ".join(states), "reference": answer.RequestId},
            )
            raise Unavailable(FAILED)
