"""JSON from strangers has one reading, or none."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import wire
from federation.errors import Malformed, RemoteFault

AS2 = wire.AS2
PUBLIC = f"{AS2}#Public"

HOSTILE = {
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"a"',
    "number": b"1",
    "nested brackets": b"[" * 20_000,
    "nested brackets, closed": b"[" * 20_000 + b"]" * 20_000,
    "nested objects": b'{"a":' * 20_000,
    "65 deep": b'{"a":' * 65 + b"1" + b"}" * 65,
    "deep behind a string": b'{"a":"}}}}","b":' + b"[" * 70 + b"]" * 70 + b"}",
    "deep behind a string that never ends": b'{"a":' + b"[" * 70 + b'"' + b'\\"' * 1000,
    "nothing but brackets": b'{"a":[' + b"{}," * 30_000 + b"{}]}",
    "too large": b'{"a":"' + b"a" * (1024 * 1024) + b'"}',
    "many members": json.dumps({str(number): 1 for number in range(1001)}).encode(),
    "same key twice": b'{"actor":"a","actor":"b"}',
    "same key twice, escaped": b'{"actor":"a","\\u0061ctor":"b"}',
    "same key twice, inside": b'{"object":{"id":"a","id":"b"}}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "a number without end": b'{"a":' + b"1" * 5000 + b"}",
    "a number too large": b'{"a":1e999}',
    "NUL": b'{"a":"\\u0000"}',
    "NUL in a key": b'{"\\u0000":1}',
    "raw NUL": b'{"a":"\x00"}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "the other half": b'{"a":"\\udc00x"}',
    "half a pair in a key": b'{"\\uD83D":1}',
    "not UTF-8": b'{"a":"\xff"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "a comment": b'{"a":1}//',
    "two documents": b'{"a":1}{"a":1}',
    "a trailing comma": b'{"a":1,}',
    "a raw line break": b'{"a":"\n"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_malformed(body: bytes) -> None:
    """Everything else would be a crash, a fault of the database, or a document that two readers read
    differently.
    """
    with pytest.raises(Malformed):
        wire.read(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 64 + b"1" + b"}" * 64,
        b'{"a":"' + b"[" * 50_000 + b'"}',
        b'{"a":"\\\\u0000 \\\\ud800"}',
        b'{"a":"\\ud83d\\ude00"}',
        b'{"a":"\\"[[[[\\\\"}',
        b'{"a":' + b"9" * 64 + b"}",
    ],
)
def test_odd_json_that_has_one_reading_is_read(body: bytes) -> None:
    """The limits must not hit what only looks like it."""
    assert json.loads(body) == wire.parse(body)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_remote_fault(body: bytes) -> None:
    """No input gives a 5xx."""
    with contextlib.suppress(RemoteFault):
        wire.read(body)


PLAIN = {
    "the usual": AS2,
    "Mastodon": [
        AS2,
        {"sensitive": "as:sensitive", "toot": "http://joinmastodon.org/ns#", "Emoji": "toot:Emoji"},
    ],
    "unknown, which says nothing": [AS2, "https://unheard.example/ns"],
    "a core word with its own meaning": [AS2, {"actor": {"@id": "as:actor", "@type": "@id"}}],
    "Pleroma": [AS2, "https://pl.example/schemas/litepub-0.1.jsonld", {"@language": "und"}],
    "words of its own": [AS2, {"ours": "https://home.example/ns#", "cat": "ours:cat"}],
}


@pytest.mark.parametrize("context", PLAIN.values(), ids=PLAIN.keys())
def test_a_usual_context_is_read_without_json_ld(context: object) -> None:
    """JSON-LD takes a hundred times as long."""
    assert wire.is_plain({"@context": context, "id": "https://home.example/1", "type": "Note"})


def test_a_document_without_context_is_plain() -> None:
    """ActivityStreams says to read it as ActivityStreams."""
    assert wire.is_plain({"id": "https://home.example/1", "type": "Note"})


REFUSED_CONTEXTS = {
    "another meaning": [AS2, {"actor": "https://evil.example/ns#actor"}],
    "two words changed about": [AS2, {"actor": "as:object", "object": "as:actor"}],
    "the meaning taken away": [AS2, {"actor": None}],
    "another name": [AS2, {"speaker": "as:actor"}],
    "another name through a prefix": [AS2, {"x": f"{AS2}#", "speaker": {"@id": "x:actor"}}],
    "another name through two": [AS2, {"x": "as:", "speaker": "x:attributedTo"}],
    "another name for id": [AS2, {"uri": "@id"}],
    "a circle": [AS2, {"a": "b:", "b": "a:", "speaker": "a:actor"}],
    "reversed": [AS2, {"wrote": {"@reverse": "as:attributedTo"}}],
    "scoped": [AS2, {"thing": {"@id": "https://e.example/t", "@context": {"actor": "as:object"}}}],
    "imported": [AS2, {"@import": "https://evil.example/context"}],
    "a number": [AS2, 7],
    "nested": [[AS2]],
    "everything is ActivityStreams": [{"@vocab": f"{AS2}#"}],
    "enormous": [AS2, {f"word{number}": "https://e.example/" + "x" * 100 for number in range(900)}],
}


@pytest.mark.parametrize("context", REFUSED_CONTEXTS.values(), ids=REFUSED_CONTEXTS.keys())
def test_a_context_that_turns_core_words_round_is_refused(context: object) -> None:
    """Who says what to whom must not depend on who reads it."""
    with pytest.raises(Malformed):
        wire.is_plain({"@context": context, "id": "https://home.example/1"})
    with pytest.raises(Malformed):
        wire.is_plain({"id": "https://home.example/1", "object": {"@context": context}})


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse"])
def test_documents_of_several_subjects_are_refused(keyword: str) -> None:
    """They carry a second story past whoever reads only the first."""
    documents: tuple[wire.Document, ...] = ({keyword: []}, {"object": [{"tag": {keyword: {}}}]})
    for document in documents:
        with pytest.raises(Malformed):
            wire.read(wire.write({"@context": AS2, "id": "https://home.example/1", **document}))


def test_a_document_has_few_contexts() -> None:
    """Each new one costs a look."""
    parts = [{"@context": {f"w{number}": "https://e.example/w"}} for number in range(200)]
    with pytest.raises(Malformed):
        wire.is_plain({"object": parts})


def test_json_ld_is_read_by_our_names() -> None:
    """A peer may spell the same thing with keywords and prefixes."""
    document = {
        "@context": [AS2, {"ex": "https://ex.example/ns#"}],
        "@id": "https://home.example/1",
        "@type": "Create",
        "actor": {"@id": "https://home.example/users/ann"},
        "ex:cat": True,
        "object": {
            "@type": "as:Note",
            "@id": "https://home.example/2",
            "as:content": "hello",
            "to": ["as:Public"],
            "published": {
                "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
                "@value": "2026-01-01T00:00:00Z",
            },
        },
    }
    read = wire.read(wire.write(document))
    assert "https://home.example/1" == read["id"]
    assert "Create" == read["type"]
    assert "https://home.example/users/ann" == read["actor"]
    assert {
        "type": "Note",
        "id": "https://home.example/2",
        "content": "hello",
        "to": "as:Public",
        "published": "2026-01-01T00:00:00Z",
    } == read["object"]


def test_json_ld_has_a_budget() -> None:
    """It is the one slow road, and anybody may take it."""
    tags = [{"@type": "Hashtag", "name": str(number)} for number in range(3000)]
    for document in (
        {"@context": AS2, "tag": tags},
        {"@context": [AS2] * 900},
        {"@context": AS2, "tag": [{"@context": AS2, "name": "x"} for _ in range(100)]},
    ):
        with pytest.raises(Malformed):
            wire.compact({"@id": "https://home.example/1", **document})


MEDIA_TYPES = {
    "application/activity+json": True,
    "application/activity+json; charset=utf-8": True,
    "Application/Activity+JSON": True,
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams"': True,
    'application/ld+json;charset=utf-8;profile="https://www.w3.org/ns/activitystreams"': True,
    "application/ld+json; profile=https://www.w3.org/ns/activitystreams": True,
    'application/ld+json; profile="https://other.example/ https://www.w3.org/ns/activitystreams"': True,
    "application/ld+json": False,
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams/evil"': False,
    "application/json": False,
    "text/html": False,
    "image/png": False,
    "application/activity+json-seq": False,
    "": False,
}


@pytest.mark.parametrize(("content_type", "is_activity"), MEDIA_TYPES.items())
def test_only_the_two_media_types_are_activitypub(content_type: str, is_activity: bool) -> None:
    """An uploaded file must never pass for a document of its host."""
    assert is_activity == wire.is_activity(content_type)
