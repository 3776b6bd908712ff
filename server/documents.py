"""Our views as the documents that other servers read."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from compliance import comments, lookalikes
from compliance.activity import (
    Activity,
    Actor,
    Announce,
    Attachment,
    Create,
    Field,
    MediaId,
    Mention,
    Note,
    Profile,
    ReplyControl,
    Uri,
)
from compliance.comments import Policy
from federation import render
from federation.actor import RemoteActor, RemoteKey
from federation.wire import Document

from .store.actor_keys import ActorKey
from .store.model import AccountView, MediaView, PostView
from .uris import Uris


def actor(
    account: AccountView,
    key: ActorKey,
    uris: Uris,
    *,
    certification: Document | None = None,
    assertion_keys: Sequence[Document] = (),
) -> Document:
    """The document of somebody here. A suspended one keeps its key: its Deletes must still be believed.

    With `certification`, what was certified also leads the table, for servers that know no assertions.
    """
    shown = account.veiled() if account.suspended else account
    name = account.username
    return render.actor(
        RemoteActor(
            uri=account.uri,
            actor_type="Service" if account.bot and account.actor_type == "Person" else account.actor_type,
            username=name,
            host=uris.host,
            url=account.url,
            inbox=uris.inbox(name),
            shared_inbox=uris.shared_inbox,
            outbox=uris.outbox(name),
            followers=Uri(uris.followers(name)),
            following=Uri(uris.following(name)),
            featured=uris.featured(name),
            keys=(RemoteKey(key.key_id, key.public_pem),),
            profile=_profile(shown, certification),
            # The day is enough for anybody, and says less about when somebody is awake.
            published=account.created_at.replace(hour=0, minute=0, second=0, microsecond=0),
            suspended=account.suspended,
            webfinger=f"{name}@{uris.host}",
        ),
        certification=certification,
        assertion_keys=assertion_keys,
    )


def post(
    view: PostView,
    uris: Uris,
    *,
    policy: Policy | None = None,
    reply_authorization: Uri | None = None,
) -> Document:
    """A post of ours; `policy` says who may comment, where its author chose."""
    return render.note(
        replace(
            note_of(view, uris),
            can_reply=control_of(policy, view.account.username, uris),
            reply_authorization=reply_authorization,
        ),
        followers=Uri(uris.followers(view.account.username)),
        tag_page=uris.tag_page,
        replies=f"{view.uri}/replies",
    )


def control_of(policy: Policy | None, username: str, uris: Uris) -> ReplyControl | None:
    """What other servers are told of who may comment under the posts of somebody here."""
    if policy is None:
        return None
    return comments.control(
        policy,
        author=uris.actor(username),
        followers=Uri(uris.followers(username)),
        following=Uri(uris.following(username)),
    )


def act(view: PostView, uris: Uris) -> Document:
    """The activity that made a post or a boost of ours."""
    facts = render.Facts(
        followers=Uri(uris.followers(view.account.username)),
        tag_page=uris.tag_page,
        author=view.boost_of.account.uri if view.boost_of else None,
    )
    return render.activity(_act_of(view, uris), facts)


def note_of(view: PostView, uris: Uris) -> Note:
    """The post as the value it was judged as."""
    return Note(
        uri=view.uri,
        author=view.account.uri,
        url=view.url,
        html=view.html,
        text=view.text,
        spoiler=view.spoiler,
        sensitive=view.sensitive,
        language=view.language,
        visibility=view.visibility,
        in_reply_to=view.in_reply_to_uri,
        mentions=tuple(
            Mention(uri=m.uri, handle=f"{m.username}@{m.host or uris.host}") for m in view.mentions
        ),
        tags=view.tags,
        attachments=tuple(map(_attachment, view.media)),
        published=view.created_at,
        updated=view.edited_at,
    )


def _act_of(view: PostView, uris: Uris) -> Activity:
    who = Actor(id=view.account.id, uri=view.account.uri, host=None)
    if view.boost_of is None:
        return Create(id=uris.create_of(view.uri), actor=who, note=note_of(view, uris))
    return Announce(
        id=view.uri,
        actor=who,
        target=view.boost_of.uri,
        visibility=view.visibility,
        published=view.created_at,
    )


def _profile(account: AccountView, certification: Document | None) -> Profile:
    fields = [Field(name=f.name, value=f.html, text=f.text) for f in account.fields]
    if certification is not None:
        label = certification["label"]
        fields.insert(0, Field(name=lookalikes.FIELD, value=escape(label), text=label))
    return Profile(
        display_name=account.display_name,
        html=account.html,
        fields=tuple(fields),
        avatar=_picture(account.avatar),
        header=_picture(account.header),
        locked=account.locked,
        bot=account.bot,
        discoverable=account.discoverable,
        indexable=account.indexable,
    )


def _picture(url: str | None) -> Attachment | None:
    if url is None:
        return None
    return Attachment(url=url, mime=mimetypes.guess_type(url)[0] or "image/*")


def _attachment(media: MediaView) -> Attachment:
    return Attachment(
        url=media.url,
        mime=media.mime,
        alt=media.description,
        media_id=MediaId(media.id),
        width=media.width,
        height=media.height,
        focus=media.focus,
        blurhash=media.blurhash,
    )
