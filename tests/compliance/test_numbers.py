"""A mobile number is read as people type it, and nothing else is."""

from __future__ import annotations

import pytest

from compliance.errors import InvalidNumber
from compliance.numbers import NumberType, masked, masked_name, mobile


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+8613800138000", "+8613800138000"),
        ("13800138000", "+8613800138000"),
        (" 138-0013-8000 ", "+8613800138000"),
        ("0086 138 0013 8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("（＋８６）13800138000", "+8613800138000"),
        ("+852 9123 4567", "+85291234567"),
        ("+853 66123456", "+85366123456"),
        ("+886 0912 345 678", "+886912345678"),
        ("+886912345678", "+886912345678"),
        ("+44 7911 123456", "+447911123456"),
        ("+1 (415) 555-2671", "+14155552671"),
    ],
)
def test_numbers_are_brought_to_one_form(typed: str, number: str) -> None:
    """One person's number must have one blind index, however it was typed."""
    assert mobile(typed) == number


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "characters"),
        ("+", "characters"),
        ("hello", "characters"),
        ("1380013800a", "characters"),
        ("١٣٨٠٠١٣٨٠٠٠", "characters"),
        ("𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎", "characters"),
        ("+86+13800138000", "characters"),
        ("12800138000", "form"),
        ("1380013800", "form"),
        ("138001380000", "form"),
        ("+861380013800", "form"),
        ("+852912345678", "form"),
        ("+88691234567", "form"),
        ("+123456", "form"),
        ("+1234567890123456", "form"),
        ("+0441234567", "form"),
        ("13800138000\0", "characters"),
    ],
)
def test_what_is_no_mobile_number_is_refused_without_being_repeated(typed: str, code: str) -> None:
    """The reason may stand in a log; the number may not."""
    with pytest.raises(InvalidNumber) as caught:
        mobile(typed)
    assert (caught.value.code, str(caught.value)) == (code, code)


@pytest.mark.parametrize(
    ("number_type", "number", "shown"),
    [
        (NumberType.MOBILE, "+8613800138000", "138****8000"),
        (NumberType.MOBILE, "+85291234567", "+85*****4567"),
        (NumberType.RESIDENT_ID, "11010519491231002X", "110***********002X"),
        (NumberType.RESIDENT_ID_15, "110101050101001", "110*********001"),
        (NumberType.USCC, "91350100MA01ABCD55", "9135**********CD55"),
        (NumberType.ORG_CODE, "D2143569X", "D2*****9X"),
        (NumberType.PASSPORT_CN, "E12345678", "E1*****78"),
        (NumberType.PASSPORT, "FRA12AB34567", "FRA1******67"),
        (NumberType.PASSPORT, "SGP12345", "SGP1**45"),
        (NumberType.HK_MACAU_PERMIT, "H1234567800", "H1*******00"),
        (NumberType.TAIWAN_PERMIT, "12345678", "12****78"),
        (NumberType.FOREIGN_PERMANENT_RESIDENT, "911840190505050119", "911***********0119"),
        (NumberType.FOREIGN_PERMANENT_RESIDENT_15, "PAK310080010103", "PAK*********103"),
    ],
)
def test_a_masked_number_is_known_again_and_no_more(number_type: NumberType, number: str, shown: str) -> None:
    """It is shown to its owner, where others may look over a shoulder."""
    assert masked(number_type, number) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张三丰", "张**"), ("李四", "李*"), ("王", "王*"), (" Ada  Lovelace", "A**  L*******")],
)
def test_of_a_name_the_first_letters_are_shown(name: str, shown: str) -> None:
    assert masked_name(name) == shown
