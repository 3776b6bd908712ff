"""`yanlu rules test`: an interface that other programs rely on."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from compliance.ruleset import parse
from server.cli import main
from server.cli.rulecases import Visible, run

NOW = datetime(2026, 6, 15, tzinfo=UTC)
RULES = json.dumps(
    {
        "name": "shop-frauds",
        "version": "3",
        "lists": {
            "frauds-en": {
                "category": "fraud",
                "rules": [
                    {"pattern": "fake diploma", "allow": ["no fake diploma"], "unless_near": ["beware"]},
                    {"pattern": "假文凭"},
                ],
            },
            "other": {"category": "spam", "rules": [{"pattern": "casino"}]},
        },
    }
)


def _answers(*cases: dict[str, str], only: str | None = None) -> list[Any]:
    return [answer["hits"] for answer in run(parse(RULES), map(json.dumps, cases), NOW, only)]


def test_a_hit_says_what_where_and_how_sure() -> None:
    [hits] = _answers({"id": "1", "text": "Buy a FAKE  diploma now"})
    assert [
        {
            "list": "frauds-en",
            "rule": "fake diploma",
            "category": "fraud",
            "span": [6, 19],
            "verdict": "act",
            "evasion": [],
        }
    ] == hits


@pytest.mark.parametrize(
    ("text", "evasion"), [("假文凭", []), ("假\u200b文凭", ["zero-width"]), ("假 文 凭", ["spacing"])]
)
def test_a_disguise_is_named(text: str, evasion: list[str]) -> None:
    [[hit]] = _answers({"id": "1", "text": text})
    assert ([0, len(text)], evasion) == (hit["span"], hit["evasion"])


def test_spans_in_html_count_in_the_text_as_given() -> None:
    """Whoever asks must find the words again in what they have."""
    text = "<p>A <b>fa&#107;e</b> diploma</p>"
    [[hit]] = _answers({"id": "1", "text": text, "format": "html"})
    start, end = hit["span"]
    assert text[start:end] == "fa&#107;e</b> diploma"


def test_what_nobody_sees_in_html_is_not_read() -> None:
    assert Visible("a<script>fake diploma</script><p>b &amp; c").text == "a\nb & c"


def test_a_list_can_be_chosen_for_all_cases_or_one() -> None:
    text = "casino and fake diploma"
    assert [2, 1, 1] == [
        len(hits)
        for hits in (
            *_answers({"id": "1", "text": text}),
            *_answers({"id": "1", "text": text, "list": "other"}),
            *_answers({"id": "1", "text": text}, only="frauds-en"),
        )
    ]


@pytest.mark.parametrize(
    ("rules", "cases", "said"),
    [
        (RULES, '{"id": "1", "text": "a"}\n{"id": "2"}\n', "line 2"),
        (RULES, '{"id": "1", "text": "a", "colour": "red"}\n', "line 1"),
        (RULES, '{"id": "1", "text": "a", "list": "nowhere"}\n', "no list nowhere"),
        ('{"name": "x"}', '{"id": "1", "text": "a"}\n', "line 1"),
    ],
)
def test_what_is_malformed_ends_with_2_and_the_line(
    rules: str, cases: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules.json").write_text(rules)
    (tmp_path / "cases.jsonl").write_text(cases)
    words = ["rules", "test", str(tmp_path / "rules.json"), "--input", str(tmp_path / "cases.jsonl")]
    assert main([*words, "--data", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err
