"""Which papers a claim to a certified account rests on: the operator's data, by class and kind of subject.

A TOML file with one `[[kind]]` for each way to be certified. Read strictly: what is not understood is an
error that names its line and key, and the version before it stays in force. A new version is for
applications that begin after it; each application keeps the version that it began with.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from .activity import AccountId
from .classes import FOUR_EYES, CertClass
from .connection import Connection
from .errors import ComplianceError, NotFound
from .records import Detail, Entry, RecordKind, Source, write

MAX_BYTES = 256 * 1024
_SHIPPED = "shipped"


class InvalidPaperwork(ComplianceError):
    """A file that cannot be used; says the line and the key."""


class FieldName(enum.StrEnum):
    """What may be asked for. Each field has its check in `claims`."""

    NAME = "name"
    OCCUPATION = "occupation"
    EMPLOYER = "employer"
    EXPERTISE = "expertise"
    LABEL = "label"
    ORGANISATION_NAME = "organisation_name"
    USCC = "uscc"
    ORG_CODE = "org_code"
    LEGAL_REPRESENTATIVE = "legal_representative"
    LICENCE_NUMBER = "licence_number"
    COUNTRY = "country"
    ISSUER = "issuer"
    ISSUER_REFERENCE = "issuer_reference"
    ISSUED_UNTIL = "issued_until"
    WEBSITE = "website"


class Need(enum.StrEnum):
    """Whether a paper must be there. Of those in one `group`, one must."""

    REQUIRED = "required"
    ALTERNATIVE = "alternative"
    OPTIONAL = "optional"


_Slug = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{0,31}\Z")]
_Words = Annotated[str, Meta(min_length=1, max_length=400)]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in both languages."""

    zh: _Words
    en: _Words

    def to(self, locale: str) -> str:
        """The words for a reader."""
        return self.zh if locale.startswith("zh") else self.en


class Paper(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One paper that is asked for."""

    name: _Slug
    title: Said
    help: Said | None = None
    need: Need = Need.REQUIRED
    group: _Slug | None = None


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to be certified."""

    class_: CertClass = msgspec.field(name="class")
    name: _Slug
    title: Said
    help: Said | None = None
    fields: tuple[FieldName, ...]
    optional: tuple[FieldName, ...] = ()
    papers: tuple[Paper, ...]
    four_eyes: bool = False
    months: Annotated[int, Meta(ge=1, le=60)] = 12
    registers: tuple[Annotated[str, Meta(pattern=r"\A[1-9AGNY][1-9]?\Z")], ...] = ()
    """How social credit codes of such subjects begin; another beginning is shown to the reviewer."""

    def asks(self, field: FieldName) -> bool:
        """Whether the field is on the form at all."""
        return field in self.fields or field in self.optional

    def groups(self) -> Mapping[str, tuple[Paper, ...]]:
        """Alternatives by the group of which one must be there."""
        found: dict[str, tuple[Paper, ...]] = {}
        for paper in self.papers:
            if paper.need is Need.ALTERNATIVE and paper.group:
                found[paper.group] = (*found.get(paper.group, ()), paper)
        return found


class Paperwork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    kind: tuple[Kind, ...]

    def find(self, class_: CertClass, name: str) -> Kind | None:
        """The kind, where it is there."""
        return next((one for one in self.kind if (one.class_, one.name) == (class_, name)), None)

    def get(self, class_: CertClass, name: str) -> Kind:
        """The kind, or `NotFound`."""
        found = self.find(class_, name)
        if found is None:
            raise NotFound("no such kind of certification")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version as it stands in the database."""

    version: int
    body: str
    origin: str
    imported_by: AccountId | None
    imported_at: datetime

    @property
    def paperwork(self) -> Paperwork:
        return parse(self.body)


def shipped() -> str:
    """The file that comes with the program: fit to start with, and the operator's to replace."""
    return (resources.files("compliance") / "texts" / "certification.toml").read_text("utf-8")


def parse(text: str) -> Paperwork:
    """The paperwork of a file, or `InvalidPaperwork` with the line and the key that is wrong."""
    if len(text.encode()) > MAX_BYTES:
        raise InvalidPaperwork(f"the file is longer than {MAX_BYTES:,} bytes")
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPaperwork(f"this is not TOML: {error}") from None
    try:
        made = msgspec.convert(plain, Paperwork)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        raise InvalidPaperwork(_located(text, plain, path.rstrip("`"), what)) from None
    if not made.kind:
        raise InvalidPaperwork("kind: there must be at least one [[kind]]")
    seen: set[tuple[CertClass, str]] = set()
    for place, kind in enumerate(made.kind):
        fault = _fault(kind) or ("name: there are two of this class and name" if _twice(kind, seen) else None)
        if fault:
            key, _, what = fault.partition(": ")
            raise InvalidPaperwork(_located(text, plain, f"kind[{place}].{key}", what))
    return made


def _twice(kind: Kind, seen: set[tuple[CertClass, str]]) -> bool:
    if (kind.class_, kind.name) in seen:
        return True
    seen.add((kind.class_, kind.name))
    return False


def _fault(kind: Kind) -> str | None:
    """What a file may not say, though it has the form: the regulation's own floor."""
    asked = set(kind.fields)
    if asked & set(kind.optional):
        return "optional: a field is in fields as well"
    if kind.class_ in FOUR_EYES and not kind.four_eyes:
        return f"four_eyes: two people decide about {kind.class_}; it must be true"
    if kind.class_ is CertClass.INDIVIDUAL:
        must = {FieldName.NAME, FieldName.LABEL}
    elif kind.class_ is CertClass.FOREIGN:
        must = {FieldName.ORGANISATION_NAME, FieldName.ISSUER}
    else:
        must = {FieldName.ORGANISATION_NAME, FieldName.USCC, FieldName.LEGAL_REPRESENTATIVE}
    if missing := sorted(must - asked):
        return f"fields: {', '.join(missing)} must be asked for in class {kind.class_}"
    return _paper_fault(kind)


def _paper_fault(kind: Kind) -> str | None:
    names: set[str] = set()
    for place, paper in enumerate(kind.papers):
        if paper.name in names:
            return f"papers[{place}].name: there are two of this name"
        names.add(paper.name)
        if (paper.need is Need.ALTERNATIVE) != (paper.group is not None):
            return f"papers[{place}].group: an alternative, and nothing else, belongs to a group"
    if all(paper.need is Need.OPTIONAL for paper in kind.papers):
        return "papers: at least one paper must be required, or a group of alternatives (Article 8)"
    for group, papers in kind.groups().items():
        if len(papers) < 2:
            return f"papers: the group {group} has no alternative"
    return None


_PLACE = re.compile(r"kind\[(\d+)\](?:\.papers\[(\d+)\])?")


def _located(text: str, plain: Mapping[str, Any], path: str, what: str) -> str:
    """The fault with its line, as near as the tables of the file give it."""
    found = _PLACE.match(path)
    line, which = 1, ""
    if found:
        line = _line(text, int(found[1]), int(found[2]) if found[2] else None, path.rpartition(".")[2])
        kinds = plain.get("kind")
        kind = kinds[int(found[1])] if isinstance(kinds, list) and int(found[1]) < len(kinds) else {}
        if isinstance(kind, dict):
            which = f" ({kind.get('class', '?')}/{kind.get('name', '?')})"
    return f"line {line}, {path or 'the file'}{which}: {what}"


def _line(text: str, kind: int, paper: int | None, key: str) -> int:
    lines = text.splitlines()
    at = _header(lines, "kind", kind, 0)
    if paper is not None:
        at = _header(lines, "kind.papers", paper, at)
    for number in range(at + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if re.match(rf"\s*{re.escape(key)}\s*[.=]", lines[number]):
            return number + 1
    return at + 1


def _header(lines: list[str], name: str, count: int, start: int) -> int:
    wanted = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]")
    seen = -1
    for number in range(start, len(lines)):
        if wanted.match(lines[number]):
            seen += 1
            if seen == count:
                return number
    return start


_SELECT = "select version, body, origin, imported_by, imported_at from compliance.paperwork"


async def seed(conn: Connection, *, now: datetime) -> None:
    """Puts the shipped file in force, on a new server or where only an older shipped one is."""
    newest = await conn.fetchrow(f"{_SELECT} order by version desc limit 1")
    body = shipped()
    if newest is None or (newest["origin"] == _SHIPPED and newest["body"] != body):
        await conn.execute(
            "insert into compliance.paperwork (body, origin, imported_at) values ($1, $2, $3)",
            body,
            _SHIPPED,
            now,
        )


async def current(conn: Connection) -> Version:
    """The version that applications begin with now."""
    row = await conn.fetchrow(f"{_SELECT} order by version desc limit 1")
    if row is None:
        raise NotFound("no papers are asked for yet: the server was never started")
    return Version(**row)


async def get(conn: Connection, version: int) -> Version:
    """One version, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where version = $1", version)
    if row is None:
        raise NotFound(f"no version {version} of the papers")
    return Version(**row)


async def list_(conn: Connection, *, limit: int = 20) -> list[Version]:
    """The versions, newest first."""
    return [Version(**row) for row in await conn.fetch(f"{_SELECT} order by version desc limit $1", limit)]


async def import_(
    conn: Connection,
    text: str,
    *,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> int:
    """Puts a file in force for applications that begin from now on; `InvalidPaperwork` keeps nothing."""
    made = parse(text)
    # Two imports at once: the later number is in force.
    version: int = await conn.fetchval(
        """
        insert into compliance.paperwork (body, origin, imported_by, imported_at)
        values ($1, 'operator', $2, $3) returning version
        """,
        text,
        by,
        now,
    )
    detail: Detail = {"kinds": len(made.kind)}
    entry = Entry(RecordKind.CERTIFICATION_PAPERS, by, str(version), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return version
