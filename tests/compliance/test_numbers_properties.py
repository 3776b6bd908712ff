"""What holds for every number, not only for those somebody thought of."""

from __future__ import annotations

import time
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from compliance.numbers import FormReason, NumberType, check, cleaned
from compliance.numbers.checksums import gb_11643, gb_11714, gb_32100
from compliance.numbers.provinces import PROVINCES

TODAY = date(2026, 7, 1)
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_RESIDENT = (NumberType.RESIDENT_ID, NumberType.FOREIGN_PERMANENT_RESIDENT)


@st.composite
def _people(draw: st.DrawFn) -> tuple[NumberType, str]:
    """A right number of 18 characters, a citizen's or a foreigner's."""
    kind = draw(st.sampled_from(_RESIDENT))
    province, rest = draw(st.sampled_from(sorted(PROVINCES))), draw(st.integers(1, 999))
    region = f"{province}{rest:04}" if kind is NumberType.RESIDENT_ID else f"9{province}{rest:03}"
    birth = draw(st.dates(date(1896, 1, 1), TODAY))
    body = f"{region}{birth:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return kind, body + gb_11643(body)


@st.composite
def _organisations(draw: st.DrawFn) -> str:
    inner = draw(st.text(_SIGNS, min_size=8, max_size=8))
    region = f"{draw(st.sampled_from(sorted(PROVINCES)))}{draw(st.integers(0, 9999)):04}"
    body = f"{draw(st.sampled_from(['11', '51', '91', '92', 'Y1']))}{region}{inner}{gb_11714(inner)}"
    return body + gb_32100(body)


def _reason(kind: NumberType, typed: str) -> FormReason:
    return check(kind, typed, as_of=TODAY).reason


@given(_people())
def test_a_number_made_by_the_rule_is_right_and_says_when(person: tuple[NumberType, str]) -> None:
    kind, number = person
    answer = check(kind, number, as_of=TODAY)
    assert (FormReason.OK, number[6:14]) == (answer.reason, f"{answer.birth:%Y%m%d}")


@given(_people(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_changed_digit_is_noticed(person: tuple[NumberType, str], place: int, digit: str) -> None:
    """MOD 11-2 finds every single error; this is what it is for."""
    kind, number = person
    changed = number[:place] + digit + number[place + 1 :]
    assert (changed == number) == (_reason(kind, changed) is FormReason.OK)


@given(_people(), st.integers(0, 16))
def test_two_swapped_neighbours_are_noticed(person: tuple[NumberType, str], place: int) -> None:
    """And every swap of neighbours, the commonest error in typing off a card."""
    kind, number = person
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (swapped == number) == (_reason(kind, swapped) is FormReason.OK)


@given(_organisations(), st.integers(0, 17), st.sampled_from(_SIGNS))
def test_one_changed_character_of_a_credit_code_is_noticed(code: str, place: int, sign: str) -> None:
    changed = code[:place] + sign + code[place + 1 :]
    assert FormReason.OK is _reason(NumberType.USCC, code)
    assert (changed == code) == (_reason(NumberType.USCC, changed) is FormReason.OK)


@given(_people(), st.lists(st.tuples(st.integers(0, 18), st.sampled_from(" -–　\u200b\t－"))))
def test_the_way_of_writing_does_not_matter(
    person: tuple[NumberType, str], marks: list[tuple[int, str]]
) -> None:
    """One person's number must have one blind index, however it was typed."""
    kind, number = person
    typed = "".join(chr(ord(sign) + 0xFEE0) if sign != "X" else "x" for sign in number)
    for place, mark in marks:
        typed = typed[:place] + mark + typed[place:]
    answer = check(kind, typed, as_of=TODAY)
    assert (FormReason.OK, number) == (answer.reason, answer.normalized)


@given(st.text())
def test_cleaning_twice_is_cleaning_once(typed: str) -> None:
    assert cleaned(cleaned(typed)) == cleaned(typed)


@given(
    st.sampled_from(NumberType),
    st.text() | st.text("0123456789XＸx+-() \u0661\u200b", max_size=20),
    st.dates(),
)
def test_no_input_raises_and_what_is_right_stays_right(kind: NumberType, typed: str, as_of: date) -> None:
    """A form is filled in by anybody; and what was accepted once is accepted in the form it was kept in."""
    answer = check(kind, typed, as_of=as_of)
    again = check(kind, answer.normalized, as_of=as_of)
    assert answer.is_valid == again.is_valid
    assert answer.normalized == again.normalized
    assert answer.is_valid or (answer.birth, answer.sex, answer.province, answer.upgrade) == (None,) * 4


def test_ten_thousand_numbers_take_no_time() -> None:
    """Measured 0.06 s on one core; the bound is wide for a busy machine."""
    body = "91350100MA01ABCD5"
    begun = time.process_time()
    for count in range(5_000):
        check(NumberType.USCC, body + _SIGNS[count % 31], as_of=TODAY)
        check(NumberType.RESIDENT_ID, f"11010519491231{count % 1000:03}X", as_of=TODAY)
    assert time.process_time() - begun < 0.5
