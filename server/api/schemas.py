"""What clients send. Names are Mastodon's; what a client leaves out has its default here."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

Short = Annotated[str, Meta(max_length=2_048)]
Ids = Annotated[list[int], Meta(max_length=100)]


class MediaChange(Struct):
    """New words for a picture that stays on an edited post."""

    id: int
    description: str | None = None
    focus: str | None = None


class NewStatus(Struct):
    """A post to be. A poll is refused rather than dropped in silence."""

    status: str = ""
    spoiler_text: str = ""
    sensitive: bool | None = None
    visibility: Short | None = None
    language: Short | None = None
    in_reply_to_id: int | None = None
    media_ids: Ids = []
    poll: Any = None
    scheduled_at: Short | None = None
    quoted_status_id: int | None = None
    quote_id: int | None = None


class ChangedStatus(Struct):
    """New words for a post."""

    status: str | None = None
    spoiler_text: str | None = None
    sensitive: bool | None = None
    language: Short | None = None
    media_ids: Ids | None = None
    media_attributes: Annotated[list[MediaChange], Meta(max_length=100)] = []
    poll: Any = None


class MovedStatus(Struct):
    """Another time for a post that waits."""

    scheduled_at: Short | None = None


class Boost(Struct):
    """How widely a boost is to be seen."""

    visibility: Short | None = None


class Several(Struct):
    """Things asked for by their ids; both spellings of the list are in use."""

    id: Ids = []


class NewApp(Struct):
    """An app that wants to be known here."""

    client_name: Annotated[str, Meta(min_length=1, max_length=100)]
    redirect_uris: Annotated[list[Short], Meta(max_length=20)]
    scopes: Short = "read"
    website: Short | None = None


class TokenRequest(Struct):
    """A step of OAuth; which members count depends on `grant_type`."""

    grant_type: Short = ""
    client_id: Short = ""
    client_secret: Short = ""
    code: Short = ""
    redirect_uri: Short = ""
    code_verifier: Short = ""
    scope: Short = ""


class RevokeRequest(Struct):
    """A token that is to end."""

    token: Short = ""
    client_id: Short = ""
    client_secret: Short = ""


class AuthorizeRequest(Struct):
    """What an app asks a person for, and where it wants the answer."""

    response_type: Short = ""
    client_id: Short = ""
    redirect_uri: Short = ""
    scope: Short = ""
    state: Short = ""
    code_challenge: Short = ""
    code_challenge_method: Short = ""
    force_login: bool | None = None


class NewAccount(Struct):
    """Somebody who signs up in an app."""

    username: str = ""
    email: str = ""
    password: Annotated[str, Meta(max_length=1_024)] = ""
    agreement: bool | None = None
    locale: Short = ""


class FieldChange(Struct):
    """A row of the profile's table."""

    name: str = ""
    value: str = ""


class SourceChange(Struct):
    """Defaults for posting."""

    privacy: Short | None = None
    sensitive: bool | None = None
    language: Short | None = None


class ChangedAccount(Struct):
    """New words, pictures and switches for one's own profile; pictures come as files beside this."""

    display_name: str | None = None
    note: str | None = None
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    fields_attributes: Annotated[list[FieldChange], Meta(max_length=100)] | None = None
    source: SourceChange | None = None


class NewFollow(Struct):
    """What one wants of somebody one follows; `None` leaves what was chosen before."""

    reblogs: bool | None = None
    notify: bool | None = None


class NewMute(Struct):
    """How one mutes somebody; `duration` is in seconds, 0 for good."""

    notifications: bool | None = None
    duration: Annotated[int, Meta(ge=0, le=10 * 366 * 24 * 3600)] = 0


class MediaWords(Struct):
    """What is said of a picture."""

    description: str | None = None
    focus: str | None = None


class NewReport(Struct):
    """A complaint."""

    account_id: int
    status_ids: Ids = []
    comment: str = ""
    forward: bool | None = None
    category: Short = "other"
    rule_ids: Annotated[list[Short], Meta(max_length=100)] = []


class MarkerChange(Struct):
    """How far one has read."""

    last_read_id: int


class ChangedMarkers(Struct):
    """How far one has read, by timeline."""

    home: MarkerChange | None = None
    notifications: MarkerChange | None = None


class Which(Struct):
    """Which kinds of notices are wanted, which not, and from whom."""

    types: Annotated[list[Short], Meta(max_length=50)] = []
    exclude_types: Annotated[list[Short], Meta(max_length=50)] = []
    account_id: int | None = None


class AccountSearch(Struct):
    """Somebody who is looked for."""

    q: Short = ""
    limit: int = 40
    offset: int = 0
    resolve: bool | None = None
    following: bool | None = None


class Search(Struct):
    """What is looked for."""

    q: Short = ""
    type: Short | None = None
    limit: int = 20
    offset: int = 0
    resolve: bool | None = None
    following: bool | None = None
    account_id: int | None = None


class MarkerQuery(Struct):
    """Which timelines' markers are wanted."""

    timeline: Annotated[list[Short], Meta(max_length=10)] = []
