"""The demo's story: whole, and such that it can happen."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from compliance import ruleset
from compliance.activity import Visibility
from server import drafts
from server.demo import pictures, plan, script
from server.demo.plan import Kind
from server.demo.script import Said
from server.text import markup
from server.uris import USERNAME

PEOPLE = {person.name: person for person in script.people()}
END = datetime(2026, 6, 15, 12, tzinfo=UTC)


def _all(roots: Sequence[Said]) -> Iterator[Said]:
    for said in roots:
        yield said
        yield from _all(said.answers)


def test_there_are_as_many_as_were_promised() -> None:
    """Twenty people, two organisations, three hundred posts, some in each language, and an operator."""
    people = [person for person in PEOPLE.values() if not person.organisation and not person.roles]
    assert 20 == len(people)
    assert 2 == sum(person.organisation for person in PEOPLE.values())
    assert ["zhan_wu"] == [person.name for person in PEOPLE.values() if person.roles]
    assert len(list(_all(script.posts()))) >= 300
    assert {"zh-CN", "en"} == {person.locale for person in people}


def test_everybody_could_sign_up() -> None:
    """Names, texts and tables within what the server takes."""
    for person in PEOPLE.values():
        assert USERNAME.fullmatch(person.name)
        assert len(person.shown) <= drafts.NAME_LENGTH
        assert markup.count(person.bio) <= drafts.BIO_LENGTH


def test_every_post_can_be_written() -> None:
    """By somebody who is here, naming people who are here, with pictures that are described."""
    for said in _all(script.posts()):
        assert said.by in PEOPLE
        assert said.text
        assert len(said.pictures) == len(said.alts) <= 9
        assert set(said.pictures) <= set(pictures.SCENES)
        assert set(markup.handles(said.text)) <= set(PEOPLE)
        assert said.fix is None or said.fix[0] in said.text


def test_nobody_says_the_same_twice() -> None:
    """Or it would not be believed."""
    texts = [said.text for said in _all(script.posts())]
    assert len(set(texts)) == len(texts)


def test_the_rules_can_be_put_in_force() -> None:
    """Each has its basis."""
    assert not ruleset.parse(script.rules()).without_basis()


def test_answers_are_no_more_open_than_what_they_answer() -> None:
    """What was told to followers is not told to everybody by the next one."""
    roots = script.parse("= a | to: followers\none\n== b\ntwo\n=== a\nthree\n= c\nfour")
    one, four = roots
    assert [Visibility.FOLLOWERS] * 3 == [said.visibility for said in _all([one])]
    assert Visibility.PUBLIC is four.visibility


@pytest.mark.parametrize(
    "text", ["== a\nno post before", "= a\none\n=== b\ntoo deep", "= a | colour: red\none"]
)
def test_a_script_that_makes_no_sense_is_refused(text: str) -> None:
    """A slip in the file must not become a hole in the demo."""
    with pytest.raises(ValueError, match=r"an answer to nothing|unknown"):
        script.parse(text)


def test_everything_happens_after_what_it_is_about_and_before_now() -> None:
    """Nobody answers, likes or mends what was not yet said."""
    steps = plan.steps(script.posts(), script.people(), end=END)
    said: set[int] = set()
    for step in steps:
        if step.kind is Kind.SAY:
            assert step.to is None or id(step.to) in said
            said.add(id(step.said))
        else:
            assert id(step.said) in said
    assert END - timedelta(days=plan.DAYS + 1) < steps[0].moment
    assert END > steps[-1].moment
    assert sorted(step.moment for step in steps) == [step.moment for step in steps]


def test_two_demos_are_alike() -> None:
    """A page that looked wrong in one can be found again in another."""
    first, second = (plan.steps(script.posts(), script.people(), end=END) for _ in range(2))
    assert [(step.moment, step.who, step.kind) for step in first] == [
        (step.moment, step.who, step.kind) for step in second
    ]
    assert pictures.paint("tea", 1) == pictures.paint("tea", 1)


def test_who_answers_what_only_followers_see_follows() -> None:
    """Or they could not have read it."""
    pairs = plan.follows(script.people(), script.posts())
    assert ("lu_ban", "su_wan") in pairs
    assert len(set(pairs)) == len(pairs)
    assert all(follower != followee for follower, followee in pairs)


@pytest.mark.parametrize("scene", pictures.SCENES)
def test_every_scene_can_be_painted(scene: str) -> None:
    """And is a picture with something on it."""
    image = Image.open(io.BytesIO(pictures.paint(scene, 3)))
    assert min(image.size) >= 800
    assert len(image.convert("L").getcolors(256) or ()) > 40
