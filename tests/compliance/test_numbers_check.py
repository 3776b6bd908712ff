"""Numbers by the standards' vectors and by our own arithmetic: what each is judged, and what it says."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.numbers import Answer, FormReason, FormWarning, NumberType, Sex, check

TODAY = date(2026, 7, 1)
FOREIGN = NumberType.FOREIGN_PERMANENT_RESIDENT
FOREIGN_15 = NumberType.FOREIGN_PERMANENT_RESIDENT_15
RESIDENT = NumberType.RESIDENT_ID
RESIDENT_15 = NumberType.RESIDENT_ID_15
USCC = NumberType.USCC
ORG = NumberType.ORG_CODE


def judged(kind: NumberType, typed: str, as_of: date = TODAY) -> str:
    return check(kind, typed, as_of=as_of).reason


def gb_11643(body: str) -> str:
    """The number with its check, by the recursion of ISO 7064 instead of by weights."""
    product = 0
    for digit in body:
        product = (product + int(digit)) * 2 % 11
    value = (12 - product) % 11
    return body + ("X" if value == 10 else str(value))


def gb_32100(body: str) -> str:
    """The code with its check, the sum being written out."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(signs.index(sign) * 3**place for place, sign in enumerate(body))
    return body + signs[(31 - total % 31) % 31]


@pytest.mark.parametrize(
    ("kind", "typed", "answer"),
    [
        (
            RESIDENT,
            "11010519491231002X",
            Answer(normalized="11010519491231002X", birth=date(1949, 12, 31), sex=Sex.FEMALE, province="11"),
        ),
        (
            RESIDENT,
            "35010219080808009X",
            Answer(normalized="35010219080808009X", birth=date(1908, 8, 8), sex=Sex.MALE, province="35"),
        ),
        (
            RESIDENT,
            "810000190607040078",
            Answer(normalized="810000190607040078", birth=date(1906, 7, 4), sex=Sex.MALE, province="81"),
        ),
        (
            RESIDENT,
            "830000199201300022",
            Answer(normalized="830000199201300022", birth=date(1992, 1, 30), sex=Sex.FEMALE, province="83"),
        ),
        (
            RESIDENT_15,
            "110101050101001",
            Answer(
                normalized="110101050101001",
                birth=date(1905, 1, 1),
                sex=Sex.MALE,
                province="11",
                upgrade="110101190501010010",
                warnings=(FormWarning.NO_LONGER_A_DOCUMENT,),
            ),
        ),
        (
            RESIDENT_15,
            "110101050101998",
            Answer(
                normalized="110101050101998",
                birth=date(1905, 1, 1),
                sex=Sex.FEMALE,
                province="11",
                upgrade=gb_11643("11010119050101998"),
                warnings=(FormWarning.NO_LONGER_A_DOCUMENT, FormWarning.CENTURY_UNSURE),
            ),
        ),
        (
            FOREIGN,
            "911840190505050119",
            Answer(normalized="911840190505050119", birth=date(1905, 5, 5), sex=Sex.MALE, province="11"),
        ),
        (
            FOREIGN,
            "931586198001010028",
            Answer(normalized="931586198001010028", birth=date(1980, 1, 1), sex=Sex.FEMALE, province="31"),
        ),
        (
            FOREIGN_15,
            "PAK310080010103",
            Answer(normalized="PAK310080010103", birth=date(1980, 1, 1), province="31"),
        ),
        (
            FOREIGN_15,
            "KAZ110090123105",
            Answer(normalized="KAZ110090123105", birth=date(1990, 12, 31), province="11"),
        ),
        (ORG, "D2143569-X", Answer(normalized="D2143569X")),
        (ORG, "12345678-8", Answer(normalized="123456788")),
        (ORG, "00000000-0", Answer(normalized="000000000")),
        (USCC, "91350100MA01ABCD55", Answer(normalized="91350100MA01ABCD55", province="35")),
        (USCC, "91110000600037341L", Answer(normalized="91110000600037341L", province="11")),
        (USCC, "12100000123456788N", Answer(normalized="12100000123456788N", province="10")),
        (NumberType.MOBILE, "138 0013 8000", Answer(normalized="+8613800138000")),
        (NumberType.PASSPORT_CN, "E12345678", Answer(normalized="E12345678")),
        (NumberType.PASSPORT, "fra 12-ab 34567", Answer(normalized="FRA12AB34567")),
        (NumberType.HK_MACAU_PERMIT, "H12345678", Answer(normalized="H12345678")),
        (NumberType.TAIWAN_PERMIT, "01234567", Answer(normalized="01234567")),
    ],
)
def test_a_right_number_says_what_stands_in_it(kind: NumberType, typed: str, answer: Answer) -> None:
    """These vectors were computed from the standards, or are printed as specimens."""
    assert answer == check(kind, typed, as_of=TODAY)


def test_a_birth_of_1880_was_possible_once() -> None:
    """The number of GB 11643's own example; whoever bears it would be 146 now."""
    example = "440524188001010014"
    assert ("ok", "age") == (judged(RESIDENT, example, date(1999, 7, 1)), judged(RESIDENT, example))


@pytest.mark.parametrize(
    ("kind", "typed", "reason"),
    [
        (RESIDENT, "", FormReason.EMPTY),
        (RESIDENT, " \u200b-", FormReason.EMPTY),
        (RESIDENT, "1101051949123100２X", FormReason.OK),
        (RESIDENT, "１１０１０５１９４９１２３１００２ｘ", FormReason.OK),
        (RESIDENT, "110105 1949-1231 002x", FormReason.OK),
        (RESIDENT, "110105　1949–12—31 002Ｘ", FormReason.OK),
        (RESIDENT, "11010519491231002\u0425", FormReason.CHARACTERS),
        (RESIDENT, "11010519491231002×", FormReason.CHARACTERS),
        (RESIDENT, "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", FormReason.CHARACTERS),
        (RESIDENT, "१10105194912310021", FormReason.CHARACTERS),
        (RESIDENT, "𝟏10105194912310021", FormReason.CHARACTERS),
        (RESIDENT, "①10105194912310021", FormReason.CHARACTERS),
        (RESIDENT, "¹10105194912310021", FormReason.CHARACTERS),
        (RESIDENT, "11010519491231002X\0", FormReason.CHARACTERS),
        (RESIDENT, "1101051949123100２X1", FormReason.LENGTH),
        (RESIDENT, "110101050101001", FormReason.LENGTH),
        (RESIDENT, "1101051949123X0021", FormReason.FORM),
        (RESIDENT, "A10105194912310021", FormReason.FORM),
        (RESIDENT, gb_11643("00010519491231002"), FormReason.PROVINCE),
        (RESIDENT, gb_11643("16010519491231002"), FormReason.PROVINCE),
        (RESIDENT, gb_11643("10000019491231002"), FormReason.PROVINCE),
        (RESIDENT, gb_11643("83010119491231002"), FormReason.PROVINCE),
        (RESIDENT, gb_11643("91010519491231002"), FormReason.PROVINCE),
        (RESIDENT, gb_11643("71000019491231002"), FormReason.OK),
        (RESIDENT, gb_11643("82000019491231002"), FormReason.OK),
        (RESIDENT, gb_11643("11999919491231002"), FormReason.OK),
        (RESIDENT, gb_11643("50024319230101001"), FormReason.OK),
        (RESIDENT, gb_11643("11010519490229002"), FormReason.BIRTH),
        (RESIDENT, gb_11643("11010519000229002"), FormReason.BIRTH),
        (RESIDENT, gb_11643("11010520000229002"), FormReason.OK),
        (RESIDENT, gb_11643("11010519491301002"), FormReason.BIRTH),
        (RESIDENT, gb_11643("11010500001231002"), FormReason.BIRTH),
        (RESIDENT, gb_11643("11010520260701002"), FormReason.OK),
        (RESIDENT, gb_11643("11010520260702002"), FormReason.FUTURE),
        (RESIDENT, gb_11643("11010518950702002"), FormReason.OK),
        (RESIDENT, gb_11643("11010518950701002"), FormReason.AGE),
        (RESIDENT, "110105194912310021", FormReason.CHECK),
        (RESIDENT_15, "110101050101001X", FormReason.LENGTH),
        (RESIDENT_15, "11010105010100X", FormReason.FORM),
        (RESIDENT_15, "830000050101001", FormReason.PROVINCE),
        (RESIDENT_15, "100000050101001", FormReason.PROVINCE),
        (RESIDENT_15, "110101050229001", FormReason.BIRTH),
        (FOREIGN, gb_11643("81184019050505011"), FormReason.FORM),
        (FOREIGN, gb_11643("98384019050505011"), FormReason.PROVINCE),
        (FOREIGN, gb_11643("91100019050505011"), FormReason.NATIONALITY),
        (FOREIGN, gb_11643("91199919050505011"), FormReason.OK),
        (FOREIGN, gb_11643("91184019050532011"), FormReason.BIRTH),
        (FOREIGN, gb_11643("91184020300505011"), FormReason.FUTURE),
        (FOREIGN, "911840190505050118", FormReason.CHECK),
        (FOREIGN_15, "pak 3100 800101 03", FormReason.OK),
        (FOREIGN_15, "PA1310080010103", FormReason.FORM),
        (FOREIGN_15, "PAK31008001010", FormReason.LENGTH),
        (FOREIGN_15, "PAK990080010103", FormReason.PROVINCE),
        (FOREIGN_15, "PAK310080133103", FormReason.BIRTH),
        (FOREIGN_15, "PAK310080010104", FormReason.CHECK),
        (ORG, "D2143569Ｘ", FormReason.OK),
        (ORG, "D2143569-0", FormReason.CHECK),
        (ORG, "D2143569-Y", FormReason.FORM),
        (ORG, "D2143569", FormReason.LENGTH),
        (USCC, "9135 0100 ma01 abcd 55", FormReason.OK),
        (USCC, "0" * 18, FormReason.AUTHORITY),
        (USCC, gb_32100("B1350100MA01ABCD5"), FormReason.AUTHORITY),
        (USCC, gb_32100("90350100MA01ABCD5"), FormReason.CATEGORY),
        (USCC, gb_32100("Y2350100MA01ABCD5"), FormReason.CATEGORY),
        (USCC, gb_32100("54350100MA01ABCD5"), FormReason.CATEGORY),
        (USCC, gb_32100("92350100MA01ABCD5"), FormReason.OK),
        (USCC, gb_32100("N3350100MA01ABCD5"), FormReason.OK),
        (USCC, gb_32100("91830000MA01ABCD5"), FormReason.PROVINCE),
        (USCC, gb_32100("91990000MA01ABCD5"), FormReason.PROVINCE),
        (USCC, gb_32100("91359999MA01ABCD5"), FormReason.OK),
        (USCC, gb_32100("91350100MA01ABCD6"), FormReason.ORGANISATION),
        (USCC, "91350100MA01ABCD56", FormReason.CHECK),
        (USCC, "9135010OMA01ABCD55", FormReason.FORM),
        (USCC, "91350100MA01ABCDI5", FormReason.FORM),
        (USCC, "91350100MA01ABCD5", FormReason.LENGTH),
        (NumberType.PASSPORT_CN, "ea1234567", FormReason.OK),
        (NumberType.PASSPORT_CN, "G12345678", FormReason.OK),
        (NumberType.PASSPORT_CN, "DE1234567", FormReason.OK),
        (NumberType.PASSPORT_CN, "SE1234567", FormReason.OK),
        (NumberType.PASSPORT_CN, "PE1234567", FormReason.OK),
        (NumberType.PASSPORT_CN, "EI1234567", FormReason.FORM),
        (NumberType.PASSPORT_CN, "EO1234567", FormReason.FORM),
        (NumberType.PASSPORT_CN, "GA1234567", FormReason.FORM),
        (NumberType.PASSPORT_CN, "K12345678", FormReason.FORM),
        (NumberType.PASSPORT_CN, "E1234567", FormReason.LENGTH),
        (NumberType.PASSPORT, "SGP12345", FormReason.OK),
        (NumberType.PASSPORT, "ＤＥＵ Ｃ０１Ｘ０００Ｔ４", FormReason.OK),
        (NumberType.PASSPORT, "UNO123456", FormReason.OK),
        (NumberType.PASSPORT, "FRA1234", FormReason.LENGTH),
        (NumberType.PASSPORT, "FRA1234567890", FormReason.LENGTH),
        (NumberType.PASSPORT, "XYZ123456789", FormReason.NATIONALITY),
        (NumberType.PASSPORT, "CHNE12345678", FormReason.NATIONALITY),
        (NumberType.PASSPORT, "TWN123456789", FormReason.NATIONALITY),
        (NumberType.PASSPORT, "FRA12<456789", FormReason.CHARACTERS),
        (NumberType.HK_MACAU_PERMIT, "m1234567890", FormReason.OK),
        (NumberType.HK_MACAU_PERMIT, "H123456789", FormReason.LENGTH),
        (NumberType.HK_MACAU_PERMIT, "A12345678", FormReason.FORM),
        (NumberType.HK_MACAU_PERMIT, "HM2345678", FormReason.FORM),
        (NumberType.TAIWAN_PERMIT, "1234567", FormReason.LENGTH),
        (NumberType.TAIWAN_PERMIT, "T2345678", FormReason.FORM),
        (NumberType.TAIWAN_PERMIT, "１２３４５６７８", FormReason.OK),
        (NumberType.MOBILE, "12800138000", FormReason.FORM),
        (NumberType.MOBILE, "１３８００１３８０００", FormReason.OK),
        (NumberType.MOBILE, "١٣٨٠٠١٣٨٠٠٠", FormReason.CHARACTERS),
        (NumberType.MOBILE, "+852 9123 456", FormReason.FORM),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(kind: NumberType, typed: str, reason: FormReason) -> None:
    """A person mends a typing error by it, and a reviewer sees what was tried."""
    assert reason == judged(kind, typed)


@pytest.mark.parametrize(
    ("number", "birth"),
    [
        ("USA11000001010", None),
        ("USA11002606300", None),
        ("USA11002607020", date(1926, 7, 2)),
        ("USA11000002290", date(2000, 2, 29)),
        ("USA11009906300", date(1999, 6, 30)),
    ],
)
def test_a_year_of_two_digits_is_told_where_one_century_fits(number: str, birth: date | None) -> None:
    """A guess at somebody's age would be taken for a fact."""
    total = sum(int(sign, 36) * (7, 3, 1)[place % 3] for place, sign in enumerate(number))
    answer = check(FOREIGN_15, f"{number}{total % 10}", as_of=TODAY)
    assert (FormReason.OK, birth) == (answer.reason, answer.birth)
    assert (birth is None) == (FormWarning.CENTURY_UNSURE in answer.warnings)


@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u202d", "\u2060", "\xad"])
def test_what_nobody_sees_is_taken_away_and_told(mark: str) -> None:
    """Address books and pages put such marks round what one copies; it is no fault of who pastes it."""
    answer = check(RESIDENT, f"{mark}110105{mark}19491231002X", as_of=TODAY)
    assert ("11010519491231002X", FormReason.OK) == (answer.normalized, answer.reason)
    assert (FormWarning.INVISIBLE_CHARACTERS,) == answer.warnings


def test_a_number_is_not_shown_by_accident() -> None:
    """Whatever prints an answer into a log or a traceback prints no number and no birth."""
    shown = repr(check(RESIDENT_15, "110101050101001", as_of=TODAY))
    assert "1101" not in shown
    assert "1905" not in shown
