"""A rule set is read strictly: what would never match, or not as meant, is told with its line."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import InvalidRules
from compliance.jsonlines import duplicate_key, line_of
from compliance.ruleset import Action, RuleSet, Scope, parse, trusted

_WHOLE = """
{"name": "shop-frauds", "version": "3", "lists": {
   "frauds-en": {"category": "fraud", "action": "refuse", "basis": "12.1", "scope": ["post", "local"],
      "from": "2026-01-01T00:00:00+08:00", "rules": [
      {"pattern": "Fake Diploma", "allow": ["no fake diploma"], "unless_near": ["beware"], "window": 5},
      {"pattern": "假文憑", "pinyin": true, "split": true, "action": "hold", "basis": "house 3"},
      {"domain": "Evil.Example."},
      {"domain": "例子.中国", "until": "2027-01-01T00:00:00Z", "near": []}]}}}
"""


def test_a_whole_rule_set_is_read_with_its_lists_defaults() -> None:
    """What the list says holds for its rules, unless they say otherwise."""
    with pytest.raises(InvalidRules, match=r"line 8: .*\.near does not go with `domain`"):
        parse(_WHOLE)
    rules = parse(_WHOLE.replace(', "near": []', ""))
    fake, chinese, evil, national = rules.rules
    assert (rules.name, rules.version, len(rules.rules)) == ("shop-frauds", "3", 4)
    assert (fake.text, fake.action, fake.basis, fake.window) == ("fake diploma", Action.REFUSE, "12.1", 5)
    assert fake.scope == {Scope.POST, Scope.LOCAL}
    assert fake.since == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert (fake.allow, fake.unless_near) == (("no fake diploma",), ("beware",))
    assert (chinese.text, chinese.action, chinese.basis) == ("假文凭", Action.HOLD, "house 3")
    assert (chinese.pinyin, chinese.split, fake.pinyin) == (True, True, False)
    assert (evil.is_domain, evil.text, evil.written) == (True, "evil.example", "Evil.Example.")
    assert national.text == "xn--fsqu00a.xn--fiqs8s"
    assert national.until == datetime(2027, 1, 1, tzinfo=UTC)
    assert rules.without_basis() == ()


def test_rules_without_a_basis_are_named() -> None:
    """They may be imported and tried, and not put in force."""
    assert _with({"pattern": "a"}).without_basis() == ("list/a",)


def test_what_was_read_once_is_read_the_same_again() -> None:
    """Loading skips checks that importing has made, and nothing else."""
    text = _WHOLE.replace(', "near": []', "")
    assert trusted(text) == parse(text)


def _with(*rules: object, **of_list: object) -> RuleSet:
    return parse(_text(*rules, **of_list))


def _text(*rules: object, **of_list: object) -> str:
    content = {"category": "fraud", "rules": rules, **of_list}
    return msgspec.json.encode({"name": "n", "version": "1", "lists": {"list": content}}).decode()


@pytest.mark.parametrize(
    ("rules", "of_list", "why"),
    [
        ([{}], {}, "exactly one of"),
        ([{"pattern": "a", "domain": "b.example"}], {}, "exactly one of"),
        ([{"pattern": "a", "colour": 1}], {}, r"rules\.0\.colour is not a field"),
        ([{"pattern": ""}], {}, "not empty"),
        ([{"pattern": 5}], {}, "must be text"),
        ([{"pattern": "a\0"}], {}, "NUL"),
        ([{"pattern": "\u200b!"}], {}, "after folding"),
        ([{"pattern": "a" * 201}], {}, "longer than 200"),
        ([{"regex": "a+"}], {}, "not supported by this version"),
        ([{"hash": "sha256:00"}], {}, "not supported by this version"),
        ([{"domain": "not a host"}], {}, "not a host name"),
        ([{"domain": "a.example", "pinyin": True}], {}, "does not go with"),
        ([{"pattern": "a", "action": "limit"}], {}, "not supported by this version"),
        ([{"pattern": "a", "action": "burn"}], {}, "must be one of refuse"),
        ([{"pattern": "a", "action": ["hold"]}], {}, "must be one of refuse"),
        ([{"pattern": "a", "window": 0}], {}, "whole number"),
        ([{"pattern": "a", "window": True}], {}, "whole number"),
        ([{"pattern": "a", "window": 2.5}], {}, "whole number"),
        ([{"pattern": "a", "pinyin": "yes"}], {}, "true or false"),
        ([{"pattern": "a", "allow": "b"}], {}, "list of texts"),
        ([{"pattern": "a", "near": ["b", "?"]}], {}, r"near\.1 has no letter"),
        ([{"pattern": "a", "scope": ["nowhere"]}], {}, r"scope\.0 must be one of local"),
        ([{"pattern": "a", "from": "soon"}], {}, "must be a time"),
        ([{"pattern": "a", "from": "2026-01-01T00:00:00"}], {}, "offset from UTC"),
        (
            [{"pattern": "a", "until": "2026-01-01T00:00:00Z"}],
            {"from": "2026-01-01T00:00:00Z"},
            "ends before",
        ),
        ([{"pattern": "a", "basis": " "}], {}, "not empty"),
        (["a"], {}, "must be an object"),
        ([], {"category": ""}, "not empty"),
        ([], {"colour": "red"}, "is not a field"),
    ],
)
def test_a_rule_that_is_wrong_is_told(rules: list[object], of_list: dict[str, object], why: str) -> None:
    """Each would otherwise do nothing, or something else, in silence."""
    with pytest.raises(InvalidRules, match=why):
        _with(*rules, **of_list)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "the document must be an object"),
        ("{}", "name must be text"),
        ('{"name": "a", "version": "1"}', "no `lists`"),
        ('{"name": "a", "version": "1", "lists": []}', "lists must be an object"),
        ('{"name": "a", "version": 1, "lists": {}}', "version must be text"),
        ('{"name": "a", "version": "1", "lists": {"x": {"category": "c", "rules": {}}}}', "list of rules"),
        ('{"name": "a", "version": "1", "lists": {" ": {"category": "c", "rules": []}}}', "has no name"),
        (
            '{"name": "a",\n"version": "1",\n"lists": {},\n"name": "b"}',
            "line 4: name stands here for the second time",
        ),
        (
            '{"name": "a", "version": "1", "lists": {"x": {},\n"x": {}}}',
            r"line 2: lists\.x stands here for the second time",
        ),
        ("\ud800", "not JSON"),
    ],
)
def test_a_document_that_is_no_rule_set_is_told(text: str, why: str) -> None:
    """Also when it is JSON: a list that stands there twice would lose one of the two."""
    with pytest.raises(InvalidRules, match=why):
        parse(text)


def test_the_line_is_that_of_the_wrong_field() -> None:
    """An operator with 50,000 rules must find it."""
    text = '{"name": "n", "version": "1", "lists": {\n"a": {"category": "c",\n"rules": [\n{"pattern": "x"},\n'
    text += '{"pattern": "y",\n"window": "wide"}]}}}'
    with pytest.raises(InvalidRules, match=r"^line 6: lists\.a\.rules\.1\.window must be a whole number"):
        parse(text)


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_JSON)
def test_every_place_of_a_document_is_found_on_its_own_line(document: object) -> None:
    """Printed with a line for each key and item, the line that is found holds that key or item."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=1).decode()
    lines = text.split("\n")
    assert duplicate_key(text) is None

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                found = lines[line_of(text, (*path, key)) - 1]
                assert found.lstrip().startswith(msgspec.json.encode(key).decode())
                walk(inner, (*path, key))
        elif isinstance(value, list):
            seen = [line_of(text, (*path, number)) for number in range(len(value))]
            assert seen == sorted(set(seen))
            for number, inner in enumerate(value):
                walk(inner, (*path, number))

    walk(document, ())


@given(_JSON)
def test_no_document_brings_the_reader_down(document: object) -> None:
    """It is read, or it is told what is wrong with it."""
    with pytest.raises(InvalidRules):
        parse(msgspec.json.encode({"name": "n", "version": "1", "lists": {"a": document}}).decode())
