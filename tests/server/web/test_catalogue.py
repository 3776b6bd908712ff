"""The catalogue says everything the program says, in Chinese, and nothing else."""

from __future__ import annotations

import re

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from server import i18n
from tests.fixtures import catalogue

_FILLED = re.compile(r"%\((\w+)\)[sd]")


def _kept() -> Catalog:
    with catalogue.PO.open("rb") as file:
        return read_po(file, locale="zh_CN", domain="yanlu")


def _ids(messages: Catalog) -> set[str | tuple[str, ...]]:
    return {message.id if isinstance(message.id, str) else tuple(message.id) for message in messages} - {""}


def _fillings(text: str) -> set[str]:
    return set(_FILLED.findall(text)) - {"num"}


def _said(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def test_every_message_is_in_the_catalogue_and_no_other() -> None:
    """Otherwise a page is half in English, or the file rots: `python -m tests.fixtures.catalogue` mends
    it.
    """
    said, kept = _ids(catalogue.extract()), _ids(_kept())
    assert (set(), set()) == (said - kept, kept - said)


def test_every_message_is_translated() -> None:
    """zh-CN and English are equal."""
    assert [] == [message.id for message in _kept() if message.id and not all(_said(message))]


def test_a_translation_fills_in_what_the_message_does() -> None:
    """A misspelt name would fail only when the page is asked for."""
    wrong = [
        (message.id, text)
        for message in _kept()
        if message.id
        for text in _said(message)
        if _fillings(text) != _fillings(" ".join([message.id] if isinstance(message.id, str) else message.id))
    ]
    assert [] == wrong


def test_the_compiled_catalogue_is_the_written_one() -> None:
    """The program reads the compiled one."""
    assert catalogue.compiled(_kept()) == catalogue.MO.read_bytes()
    assert "首页" == i18n.translate("zh-CN", "Home")
    assert "Home" == i18n.translate("en", "Home")
