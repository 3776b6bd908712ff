"""Resident id numbers and names by Alibaba Cloud: Cloudauth 2019-03-07, Id2MetaVerify, by its own SDK."""

from __future__ import annotations

import logging
from typing import Final

from alibabacloud_cloudauth20190307.client import Client
from alibabacloud_cloudauth20190307.models import Id2MetaVerifyRequest
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

from compliance.numbers import NumberType
from compliance.ways import CheckOutcome, Claimed

from ..settings import Settings
from . import clouds

_ENDPOINT: Final = "cloudauth.aliyuncs.com"
_REGION: Final = "cn-hangzhou"
_AGREES: Final = {"1": True, "2": False}
"""The cloud's third answer, that there is no record, says nothing of the person."""

log = logging.getLogger(__name__)


class AlibabaChecker:
    """Knows the numbers of residents; about any other number it is not asked."""

    def __init__(self, settings: Settings) -> None:
        identity = settings.identity
        scheme, endpoint = clouds.endpoint(identity.checker_url)
        self._threads = clouds.Threads("alibaba-identity")
        self._client = Client(
            Config(
                access_key_id=identity.checker_key_id,
                access_key_secret=clouds.secret(identity.checker_secret_file),
                region_id=_REGION,
                endpoint=endpoint or _ENDPOINT,
                protocol=scheme,
            )
        )

    async def check(self, claim: Claimed) -> CheckOutcome:
        if claim.number_type is not NumberType.RESIDENT_ID:
            return CheckOutcome(None, f"alibaba: not asked about {claim.number_type.value}")
        asked = Id2MetaVerifyRequest(param_type="normal", identify_num=claim.number, user_name=claim.name)
        options = RuntimeOptions(
            connect_timeout=clouds.CONNECT_SECONDS * 1_000, read_timeout=clouds.ANSWER_SECONDS * 1_000
        )
        try:
            answer = await self._threads.run(self._client.id_2meta_verify_with_options, asked, options)
            code, request_id = str(answer.body.code), str(answer.body.request_id)
            found = str(answer.body.result_object.biz_code) if code == "200" else ""
        except Exception as error:
            why = clouds.name_of(error)
            log.warning("the cloud could not be asked", extra={"error": why})
            return CheckOutcome(None, f"alibaba: {why}")
        if code != "200":
            log.warning("the cloud gave no answer", extra={"error": code, "reference": request_id})
        return CheckOutcome(_AGREES.get(found), f"alibaba:{request_id} {code}/{found or '-'}")
