"""What an author reads for each reason: what it is called, what happened, and what to do next.

The texts are message ids of the catalogues, in English. They name no rule and no word of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .verdict import Reason


@dataclass(frozen=True, slots=True)
class Text:
    """Three sentences or so, for the person it happened to."""

    title: str
    happened: str
    next_step: str


TEXTS: Mapping[Reason, Text] = MappingProxyType(
    {
        Reason.IDENTITY_REQUIRED: Text(
            "Verify your identity to publish",
            "By law, this server publishes only for people whose identity it has verified. Yours is not yet.",
            "Verify your mobile number under Settings, Identity. Your public name stays your choice.",
        ),
        Reason.IDENTITY_LAPSED: Text(
            "Verify your identity again",
            "Your identity was verified too long ago, and the time to renew it has passed.",
            "Verify your mobile number again under Settings, Identity. Reading goes on as before.",
        ),
        Reason.AGREEMENT_REQUIRED: Text(
            "The agreement has changed",
            "You have not accepted the current service agreement, rules and privacy notice.",
            "Read and accept them, then publish again. Your text is kept.",
        ),
        Reason.ACCOUNT_SUSPENDED: Text(
            "This account is suspended",
            "A suspended account cannot publish, follow or like.",
            "You can still delete, report and appeal. The decision and its reasons are under My decisions.",
        ),
        Reason.ACCOUNT_LIMITED: Text(
            "This account is limited",
            "Your account may not do this at its present standing.",
            "See under Settings, Standing why, until when, and how to appeal.",
        ),
        Reason.HOST_BLOCKED: Text(
            "That server is blocked here",
            "This server exchanges no posts with the server that this comes from or points to.",
            "If you think that this is wrong, appeal under My decisions.",
        ),
        Reason.HOST_REVIEWED: Text(
            "Posts from that server are looked at first",
            "A person looks at what comes from this server before anybody else sees it.",
            "Nothing is needed from you.",
        ),
        Reason.WORDS: Text(
            "Stopped by a content rule",
            "The text matches a rule about content that the law or the house rules do not allow.",
            "Change the marked text, or ask a person to look at it.",
        ),
        Reason.TAKEN_DOWN: Text(
            "This was taken down",
            "It is a copy of something that was taken down here, with reasons.",
            "If you are its author, you can appeal under My decisions.",
        ),
        Reason.REVIEWER: Text(
            "A reviewer refused this",
            "A person looked at it and found that it may not be published here.",
            "Read the statement of reasons under My decisions. Another person decides if you appeal.",
        ),
        Reason.CHECK_FAILED: Text(
            "It could not be checked",
            "A check of this server did not work, so a person must look before anything is published.",
            "Nothing is needed from you; if it was refused, try again later.",
        ),
    }
)
