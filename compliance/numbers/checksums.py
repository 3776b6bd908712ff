"""Check characters, each from the standard that it is named after. All expect characters that their standard
knows."""

from __future__ import annotations

_GB_11643_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_GB_11643_CHECKS = "10X98765432"
_GB_11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_GB_11714_CHECKS = "0X987654321"
GB_32100_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""No I, O, S, V, Z, which are taken for digits or for each other."""
_GB_32100_VALUES = {sign: value for value, sign in enumerate(GB_32100_ALPHABET)}
_GB_32100_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ICAO_9303_WEIGHTS = (7, 3, 1) * 5


def gb_11643(body: str) -> str:
    """The check of 17 digits by ISO 7064 MOD 11-2."""
    total = sum(int(sign) * weight for sign, weight in zip(body, _GB_11643_WEIGHTS, strict=True))
    return _GB_11643_CHECKS[total % 11]


def gb_11714(body: str) -> str:
    """The check of the 8 characters of an organisation code; letters count from A = 10."""
    total = sum(int(sign, 36) * weight for sign, weight in zip(body, _GB_11714_WEIGHTS, strict=True))
    return _GB_11714_CHECKS[total % 11]


def gb_32100(body: str) -> str:
    """The check of the first 17 characters of a unified social credit code, MOD 31-3."""
    total = sum(_GB_32100_VALUES[sign] * weight for sign, weight in zip(body, _GB_32100_WEIGHTS, strict=True))
    return GB_32100_ALPHABET[-total % 31]


def icao_9303(body: str) -> str:
    """The check digit of up to 15 characters of a travel document, 7-3-1 modulo 10."""
    return str(
        sum(int(sign, 36) * weight for sign, weight in zip(body, _ICAO_9303_WEIGHTS, strict=False)) % 10
    )
