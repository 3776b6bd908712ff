"""What an application claims, checked field by field before a person looks at it (Article 8).

Each fault has a code of its own: pages, the API and tests name it. A right form proves nothing; it keeps
reviewers from reading what cannot be true.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from . import numbers
from .classes import CertClass
from .numbers import FormReason, NumberType
from .paperwork import FieldName, Kind, Need

LONGEST = 120
LABEL_LONGEST = 40
_SEALED = frozenset(
    {
        FieldName.NAME,
        FieldName.USCC,
        FieldName.ORG_CODE,
        FieldName.ORGANISATION_NAME,
        FieldName.LEGAL_REPRESENTATIVE,
        FieldName.LICENCE_NUMBER,
    }
)
"""What identifies somebody: in the vault, and shown only to whoever decides."""
_ORGANISATION_CODE = slice(8, 17)


class Fault(enum.StrEnum):
    """Why an application cannot be sent in as it is. Stable: programs read them."""

    FIELD_MISSING = "field_missing"
    FIELD_LONG = "field_long"
    FIELD_UNSEEN = "field_unseen"
    USCC_WRONG = "uscc_wrong"
    USCC_ORGANISATION_CODE_WRONG = "uscc_organisation_code_wrong"
    ORGANISATION_CODE_WRONG = "organisation_code_wrong"
    ORGANISATION_CODE_DIFFERS = "organisation_code_differs"
    NAME_MISMATCH = "name_mismatch"
    RESIDENT_BODY_MISSING = "resident_body_missing"
    RESIDENT_BODY_PAPER_MISSING = "resident_body_paper_missing"
    DATE_WRONG = "date_wrong"
    DATE_PAST = "date_past"
    WEBSITE_WRONG = "website_wrong"
    PAPER_MISSING = "paper_missing"
    IDENTITY_MISSING = "identity_missing"


class Ground(enum.StrEnum):
    """Why a certification is declined or withdrawn: the fixed list, beside the statement in words."""

    NAME_MISMATCH = "name_mismatch"
    CODE_MISMATCH = "code_mismatch"
    IDENTITY_MISMATCH = "identity_mismatch"
    PAPER_INVALID = "paper_invalid"
    PAPER_FORGED = "paper_forged"
    PAPER_EXPIRED = "paper_expired"
    NOT_SHOWN = "not_shown"
    NOT_AUTHORISED = "not_authorised"
    RESIDENT_BODY = "resident_body"
    MISLEADING_LABEL = "misleading_label"
    MISUSE = "misuse"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One fault, and where: a field's name, or `paper:` and a paper's."""

    place: str
    fault: Fault


def is_sealed(field: FieldName) -> bool:
    """Whether what is typed there goes to the vault."""
    return field in _SEALED


def tidy(field: FieldName, typed: str) -> str:
    """One form for every way of writing the same."""
    if field in (FieldName.USCC, FieldName.ORG_CODE):
        return numbers.cleaned(typed)
    return " ".join(unicodedata.normalize("NFKC", typed).split())


def same_name(name: str) -> str:
    """By what names are compared: without spaces and the dots between parts of a name, and without case."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in plain if not char.isspace() and char not in "·•・.")


def masked(field: FieldName, value: str) -> str:
    """What its owner may see again of what was sealed: enough to know it by."""
    if field is FieldName.ORGANISATION_NAME or not value:
        return value[:2] + "*" * max(len(value) - 4, 1) + value[-2:] if len(value) > 4 else value[:1] + "*"
    if field in (FieldName.USCC, FieldName.ORG_CODE):
        return value[:2] + "*" * max(len(value) - 4, 1) + value[-2:]
    return value[:1] + "*" * max(len(value) - 1, 1)


def check_fields(kind: Kind, values: Mapping[FieldName, str], *, as_of: date) -> list[Wrong]:
    """Everything that is wrong with what was typed, in the order of the form."""
    found: list[Wrong] = []
    for field in (*kind.fields, *kind.optional):
        value = values.get(field, "")
        if not value:
            if field in kind.fields:
                missing = Fault.RESIDENT_BODY_MISSING if field is FieldName.ISSUER else Fault.FIELD_MISSING
                found.append(Wrong(field, missing))
            continue
        fault = _fault(field, value, as_of)
        if fault is not None:
            found.append(Wrong(field, fault))
    code, org = values.get(FieldName.USCC, ""), values.get(FieldName.ORG_CODE, "")
    is_right = not any(wrong.place in (FieldName.USCC, FieldName.ORG_CODE) for wrong in found)
    if code and org and is_right and code[_ORGANISATION_CODE] != org:
        found.append(Wrong(FieldName.ORG_CODE, Fault.ORGANISATION_CODE_DIFFERS))
    return found


def check_papers(kind: Kind, slots: Mapping[str, Sequence[int]]) -> list[Wrong]:
    """The papers that are still missing."""
    foreign = kind.class_ is CertClass.FOREIGN
    missing = Fault.RESIDENT_BODY_PAPER_MISSING if foreign else Fault.PAPER_MISSING
    found = [
        Wrong(f"paper:{paper.name}", missing)
        for paper in kind.papers
        if paper.need is Need.REQUIRED and not slots.get(paper.name)
    ]
    found += [
        Wrong(f"paper:{papers[0].name}", missing)
        for papers in kind.groups().values()
        if not any(slots.get(paper.name) for paper in papers)
    ]
    return found


def is_of_register(kind: Kind, uscc: str) -> bool:
    """Whether a social credit code was given out by a register that such subjects stand in."""
    return not kind.registers or uscc.startswith(kind.registers)


def _fault(field: FieldName, value: str, as_of: date) -> Fault | None:
    longest = LABEL_LONGEST if field is FieldName.LABEL else LONGEST
    if len(value) > longest:
        return Fault.FIELD_LONG
    if any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Cn") for char in value):
        return Fault.FIELD_UNSEEN
    match field:
        case FieldName.USCC:
            answer = numbers.check(NumberType.USCC, value, as_of=as_of)
            if answer.reason is FormReason.ORGANISATION:
                return Fault.USCC_ORGANISATION_CODE_WRONG
            return None if answer.is_valid else Fault.USCC_WRONG
        case FieldName.ORG_CODE:
            good = numbers.check(NumberType.ORG_CODE, value, as_of=as_of).is_valid
            return None if good else Fault.ORGANISATION_CODE_WRONG
        case FieldName.ISSUED_UNTIL:
            return _date_fault(value, as_of)
        case FieldName.WEBSITE:
            return (
                None
                if value.startswith(("https://", "http://")) and " " not in value
                else Fault.WEBSITE_WRONG
            )
        case _:
            return None


def _date_fault(value: str, as_of: date) -> Fault | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return Fault.DATE_WRONG
    return Fault.DATE_PAST if day < as_of else None
