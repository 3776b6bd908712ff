"""Article 10 paragraph 2: whoever answers for a post answers for the comments under it, and may say who
writes them.

    (a reply) ──> waiting ──approve──> shown <──hide, unhide──> hidden
                     │                   │                        │
                     └──────remove───────┴────────────────────────┴──> removed ──appeal──> shown

Here is what an account chose: its policy, what single posts have instead, and whom it lets not comment.
Two answer for a reply: whoever wrote the first post of its thread, and whoever wrote what it answers
directly. In one's own thread one is free. What the gate knows of all that is in `commenting`; what moves a
comment from one state to another are activities.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from .activity import ANYBODY, AccountId, PostId, ReplyControl, Uri
from .connection import Connection
from .errors import NotAllowed
from .folding import fold
from .matching import Hit, Matcher
from .records import Detail, Entry, RecordKind, Source, write
from .ruleset import Action, Rule
from .verdict import DecisionId

MOST_WORDS = 500
LONGEST_WORD = 100
MOST_BLOCKED = 10_000


class Who(enum.StrEnum):
    """Who may comment; the values are what the database stores. Whom a post names may answer it, unless it is
    closed."""

    ANYONE = "anyone"
    FOLLOWERS = "followers"
    FOLLOWED = "followed"
    MENTIONED = "mentioned"
    NOBODY = "nobody"


class Mode(enum.StrEnum):
    """What becomes of a new comment."""

    OPEN = "open"
    FILTERED = "filtered"
    REVIEWED = "reviewed"


class Sensitivity(enum.StrEnum):
    """What `filtered` keeps back besides the account's own words: nothing; what the server's rules mark and
    what its author hides behind a warning; links, pictures and first comments too."""

    OFF = "off"
    CAREFUL = "careful"
    STRICT = "strict"


class State(enum.StrEnum):
    """How a comment stands with one who answers for it."""

    WAITING = "waiting"
    SHOWN = "shown"
    HIDDEN = "hidden"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one account, or one post of it, has chosen."""

    who: Who = Who.ANYONE
    mode: Mode = Mode.OPEN
    sensitivity: Sensitivity = Sensitivity.OFF
    words: tuple[str, ...] = ()

    @property
    def is_default(self) -> bool:
        """Whether it is as if nothing had been chosen."""
        return self.who is Who.ANYONE and self.mode is Mode.OPEN

    def finds(self, text: str) -> bool:
        """Whether one of its own words stands in `text`, found as the server's rules find theirs."""
        return bool(self.words) and bool(_matcher(self.words).find(text, _always))


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What one post has instead of its author's policy; `None` is as the policy says."""

    who: Who | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Somebody who may not comment, and what they were told."""

    account_id: AccountId
    statement: str
    decision_id: DecisionId | None
    created_at: datetime


def _always(_: Rule) -> bool:
    return True


@lru_cache(maxsize=256)
def _matcher(words: tuple[str, ...]) -> Matcher:
    return Matcher([_rule(word) for word in words])


def _rule(word: str) -> Rule:
    return Rule(list_name="own", written=word, text=fold(word), category="own", action=Action.HOLD)


def hits(policy: Policy, text: str) -> list[Hit]:
    """Where the account's own words stand in `text`."""
    return _matcher(policy.words).find(text, _always) if policy.words else []


def words_of(typed: str) -> tuple[str, ...]:
    """A list of words as somebody typed it, one a line; `NotAllowed` says what is wrong with it."""
    words = tuple(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
    if len(words) > MOST_WORDS:
        raise NotAllowed(f"a list has at most {MOST_WORDS} words")
    for word in words:
        if len(word) > LONGEST_WORD:
            raise NotAllowed(f"a word has at most {LONGEST_WORD} characters")
        if not fold(word).strip():
            raise NotAllowed("a word must hold a letter, a digit or a sign that can be read")
    return words


def control(policy: Policy, *, followers: Uri, following: Uri, author: Uri) -> ReplyControl | None:
    """What other servers are told of a policy; `None` for one that lets everybody. The named and the author
    may always answer, which others know without being told."""
    if policy.is_default:
        return None
    audience = {
        Who.ANYONE: (ANYBODY,),
        Who.FOLLOWERS: (followers,),
        Who.FOLLOWED: (following,),
        Who.MENTIONED: (),
        Who.NOBODY: (),
    }[policy.who]
    if policy.mode is Mode.OPEN:
        return ReplyControl(automatic=audience or (author,))
    # Whether a filtered one passes at once is found out when it comes; a server that waits for an answer is
    # answered at once then.
    return ReplyControl(automatic=(author,), manual=audience)


async def get_policy(conn: Connection, account_id: AccountId) -> Policy:
    """What the account chose; the default where it chose nothing."""
    row = await conn.fetchrow(
        "select who, mode, sensitivity, words from compliance.comment_policy where account_id = $1",
        account_id,
    )
    return Policy() if row is None else read_policy(row["who"], row["mode"], row["sensitivity"], row["words"])


def read_policy(
    who: str | None, mode: str | None, sensitivity: str | None, words: Sequence[str] | None
) -> Policy:
    """A policy as the database has it."""
    return Policy(
        who=Who(who or "anyone"),
        mode=Mode(mode or "open"),
        sensitivity=Sensitivity(sensitivity or "off"),
        words=tuple(words or ()),
    )


async def policies_of(conn: Connection, post_ids: Sequence[PostId]) -> dict[PostId, Policy]:
    """What holds for the comments of each post that has anything but the default."""
    rows = await conn.fetch(
        """
        select p.id, coalesce(o.who, c.who) as who, coalesce(o.mode, c.mode) as mode, c.sensitivity, c.words
        from post p left join compliance.comment_policy c on c.account_id = p.account_id
          left join compliance.comment_override o on o.post_id = p.id
        where p.id = any($1) and (c.account_id is not null or o.post_id is not null)
        """,
        list(post_ids),
    )
    found = {
        row["id"]: read_policy(row["who"], row["mode"], row["sensitivity"], row["words"]) for row in rows
    }
    return {PostId(id_): policy for id_, policy in found.items() if not policy.is_default}


async def get_override(conn: Connection, post_id: PostId) -> Override:
    """What the post has instead of its author's policy."""
    row = await conn.fetchrow("select who, mode from compliance.comment_override where post_id = $1", post_id)
    if row is None:
        return Override()
    return Override(
        who=None if row["who"] is None else Who(row["who"]),
        mode=None if row["mode"] is None else Mode(row["mode"]),
    )


async def set_policy(
    conn: Connection,
    account_id: AccountId,
    policy: Policy,
    *,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Puts a policy in the place of the one before."""
    await conn.execute(
        """
        insert into compliance.comment_policy (account_id, who, mode, sensitivity, words, updated_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (account_id) do update set who = excluded.who, mode = excluded.mode,
          sensitivity = excluded.sensitivity, words = excluded.words, updated_at = excluded.updated_at
        """,
        account_id,
        policy.who.value,
        policy.mode.value,
        policy.sensitivity.value,
        list(policy.words),
        now,
    )
    detail: Detail = {
        "who": policy.who.value,
        "mode": policy.mode.value,
        "sensitivity": policy.sensitivity.value,
        "words": len(policy.words),
    }
    entry = Entry(RecordKind.COMMENT_POLICY, account_id, str(account_id), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)


async def set_override(
    conn: Connection,
    owner_id: AccountId,
    post_id: PostId,
    override: Override,
    *,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> bool:
    """Gives one post of the owner another policy than its author's; whether the post is theirs."""
    done = await conn.fetchval(
        """
        insert into compliance.comment_override (post_id, who, mode, updated_at)
        select p.id, $3, $4, $5 from post p
        where p.id = $2 and p.account_id = $1 and p.boost_of_id is null and p.withdrawn_at is null
        on conflict (post_id) do update
          set who = excluded.who, mode = excluded.mode, updated_at = excluded.updated_at
        returning true
        """,
        owner_id,
        post_id,
        override.who and override.who.value,
        override.mode and override.mode.value,
        now,
    )
    if not done:
        return False
    kind = RecordKind.COMMENT_CLOSE if override.who is Who.NOBODY else RecordKind.COMMENT_OPEN
    detail: Detail = {
        "who": override.who and override.who.value,
        "mode": override.mode and override.mode.value,
    }
    entry = Entry(kind, owner_id, str(post_id), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return True


async def block(
    conn: Connection,
    owner_id: AccountId,
    account_id: AccountId,
    *,
    statement: str,
    by: AccountId,
    decision_id: DecisionId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> bool:
    """Keeps somebody from commenting under all posts of the owner; whether that is new."""
    count = await conn.fetchval("select count(*) from compliance.comment_block where owner_id = $1", owner_id)
    if count >= MOST_BLOCKED:
        raise NotAllowed(f"at most {MOST_BLOCKED:,} can be blocked")
    made = await conn.fetchval(
        """
        insert into compliance.comment_block (owner_id, account_id, statement, by_id, decision_id, created_at)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning true
        """,
        owner_id,
        account_id,
        statement.strip(),
        by,
        decision_id,
        now,
    )
    if not made:
        return False
    entry = Entry(
        RecordKind.COMMENT_BLOCK,
        owner_id,
        str(account_id),
        decision_id=decision_id,
        source=source,
        detail={"statement": statement.strip()},
    )
    await write(conn, [entry], now=now, new_id=new_id)
    return True


async def is_blocked(conn: Connection, owner_id: AccountId, account_id: AccountId) -> bool:
    """Whether somebody may not comment under the owner's posts."""
    found: bool = await conn.fetchval(
        "select exists (select from compliance.comment_block where owner_id = $1 and account_id = $2)",
        owner_id,
        account_id,
    )
    return found


async def unblock(
    conn: Connection,
    owner_id: AccountId,
    account_id: AccountId,
    *,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> bool:
    """Lets somebody comment again; whether they were kept from it."""
    gone = await conn.fetchval(
        "delete from compliance.comment_block where owner_id = $1 and account_id = $2 returning true",
        owner_id,
        account_id,
    )
    if not gone:
        return False
    entry = Entry(RecordKind.COMMENT_UNBLOCK, owner_id, str(account_id), source=source)
    await write(conn, [entry], now=now, new_id=new_id)
    return True


async def list_blocked(
    conn: Connection, owner_id: AccountId, *, after: int = 0, limit: int = 80
) -> list[Block]:
    """Whom the owner lets not comment, in the order of their ids, behind `after`."""
    rows = await conn.fetch(
        """
        select account_id, statement, decision_id, created_at from compliance.comment_block
        where owner_id = $1 and account_id > $2 order by account_id limit $3
        """,
        owner_id,
        after,
        limit,
    )
    return [Block(**row) for row in rows]
