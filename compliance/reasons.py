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
            "Verify it under Settings, Identity. Your public name stays your choice.",
        ),
        Reason.IDENTITY_LAPSED: Text(
            "Verify your identity again",
            "Your identity was verified too long ago, and the time to renew it has passed.",
            "Verify it again under Settings, Identity. Reading goes on as before.",
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
        Reason.IDENTITY_REJECTED: Text(
            "Your identity could not be confirmed",
            "A person compared what you gave with your papers, and could not confirm it.",
            "Read the statement of reasons, and verify again with other papers, or appeal.",
        ),
        Reason.IDENTITY_REVOKED: Text(
            "Your verified identity was withdrawn",
            "A person found that the identity of this account is not what it was said to be.",
            "Read the statement of reasons. Another person decides if you appeal.",
        ),
        Reason.FRONT_NAME_REQUIRED: Text(
            "Show your real name to publish",
            "This server requires accounts with many followers to show their real name to verified people.",
            "Agree to it under Settings, Certification. Only verified people who are logged in see it.",
        ),
        Reason.CERTIFICATION_DECLINED: Text(
            "The certification was declined",
            "What was claimed and the papers do not agree, or the papers do not show it.",
            "Read the statement of reasons. You can apply again with other papers, or appeal.",
        ),
        Reason.CERTIFICATION_REVOKED: Text(
            "The certification was withdrawn",
            "The mark of this account was taken away.",
            "Read the statement of reasons. Another person decides if you appeal.",
        ),
        Reason.IMITATES_MARK: Text(
            "A name that imitates a certified account",
            "The name or a sign in it looks like a certification mark, or like a certified account's name.",
            "Choose another name. If it is yours by right, apply for certification.",
        ),
        Reason.ROLE_REQUIRED: Text(
            "Your role does not include this",
            "The organisation has not given you a role that may do this.",
            "Ask an owner of the organisation.",
        ),
        Reason.ORGANISATION_SUSPENDED: Text(
            "The rights of this organisation are suspended",
            "The operators have suspended what this organisation's people may do.",
            "An owner finds the statement of reasons under Decisions, and can appeal.",
        ),
        Reason.APPROVAL_REQUIRED: Text(
            "A second person must approve this",
            "This organisation publishes only what another owner or editor has approved.",
            "Submit it as a draft in the organisation's console: it is published once it is approved.",
        ),
        Reason.COMMENTS_CLOSED: Text(
            "Comments are closed here",
            "Whoever answers for this post has closed its comments, or opens them to some people only.",
            "You can boost the post, or write a post of your own.",
        ),
        Reason.COMMENTER_BLOCKED: Text(
            "You may not comment here",
            "Whoever answers for this post has blocked you from commenting under it.",
            "If you think that this is wrong, appeal under My decisions: the operators look at it.",
        ),
        Reason.COMMENT_WAITS: Text(
            "Comments are looked at first here",
            "Whoever answers for this post looks at a comment before others see it. You see yours already.",
            "Nothing is needed from you.",
        ),
        Reason.COMMENT_HIDDEN: Text(
            "Your comment was hidden",
            "Whoever answers for the post has hidden your comment under it. Your followers still see it.",
            "If you think that this is wrong, appeal under My decisions: the operators look at it.",
        ),
        Reason.COMMENT_REMOVED: Text(
            "Your comment was removed",
            "Whoever answers for the post has removed your comment.",
            "If you think that this is wrong, appeal under My decisions: the operators look at it.",
        ),
        Reason.TIER_REVIEW: Text(
            "Posts at your standing are looked at first",
            "At your present standing a person looks at a post before anybody else sees it.",
            "Under Settings, Standing you read why, and how you reach another one.",
        ),
        Reason.TIER_LOWERED: Text(
            "Your standing has changed",
            "Your account has moved to another tier, by published conditions.",
            "Under Settings, Standing you read why, and how you come back.",
        ),
        Reason.CREDIT_DEDUCTED: Text(
            "Credit was taken from your account",
            "Something counted against your credit, by published rules.",
            "Under Settings, Standing you read each change with its reason.",
        ),
        Reason.CHECK_FAILED: Text(
            "It could not be checked",
            "A check of this server did not work, so a person must look before anything is published.",
            "Nothing is needed from you; if it was refused, try again later.",
        ),
    }
)
