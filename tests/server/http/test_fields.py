"""The spellings of old and new clients end in the same values."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from server.errors import Invalid
from server.http.body import convert


class _Inner(Struct):
    name: str = ""
    value: str = ""


class _Wish(Struct):
    flag: bool | None = None
    number: int | None = None
    text: str = ""
    texts: Annotated[list[str], Meta(max_length=3)] = []
    ids: list[int] = []
    inner: _Inner | None = None
    rows: list[_Inner] = []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"flag": "true"}, _Wish(flag=True)),
        ({"flag": "1"}, _Wish(flag=True)),
        ({"flag": "on"}, _Wish(flag=True)),
        ({"flag": 1}, _Wish(flag=True)),
        ({"flag": "0"}, _Wish(flag=False)),
        ({"flag": "off"}, _Wish(flag=False)),
        ({"flag": "False"}, _Wish(flag=False)),
        ({"flag": False}, _Wish(flag=False)),
        ({"flag": ""}, _Wish()),
        ({"flag": None}, _Wish()),
        ({"number": "12"}, _Wish(number=12)),
        ({"number": ""}, _Wish()),
        ({"text": 12}, _Wish(text="12")),
        ({"text": None}, _Wish()),
        ({"texts": "one"}, _Wish(texts=["one"])),
        ({"texts": ["one", "two"]}, _Wish(texts=["one", "two"])),
        ({"ids": ["1", 2]}, _Wish(ids=[1, 2])),
        ({"ids": ""}, _Wish()),
        ({"inner": {"name": "a", "other": 1}}, _Wish(inner=_Inner("a"))),
        ({"rows": {"1": {"name": "b"}, "0": {"name": "a"}}}, _Wish(rows=[_Inner("a"), _Inner("b")])),
        ({"rows": [{"name": "a"}]}, _Wish(rows=[_Inner("a")])),
        ({"unknown": {"deep": []}}, _Wish()),
    ],
)
def test_spellings_of_one_thing_are_one_thing(said: dict[str, Any], meant: _Wish) -> None:
    """Forms have only text, old clients only lists or only single values."""
    assert meant == convert(said, _Wish)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"number": "many"}, "number"),
        ({"text": ["a"]}, "text"),
        ({"flag": []}, "flag"),
        ({"inner": "a"}, "inner"),
        ({"texts": ["a", "b", "c", "d"]}, "texts"),
        ({"ids": ["a"]}, "ids[0]"),
    ],
)
def test_what_does_not_fit_is_named(said: dict[str, Any], field: str) -> None:
    """A client's author reads which field was wrong."""
    with pytest.raises(Invalid) as caught:
        convert(said, _Wish)
    assert field == caught.value.field
