"""Sealed values open only where they belong, and indexes cannot be told from noise without the key file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import NotAllowed, SealBroken
from compliance.keyring import FileKeys, GivenKeys, Keys, text_of
from compliance.sealing import Sealer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret.key"


@pytest.fixture
def sealer(path: Path) -> Sealer:
    return Sealer.load(path)


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@shared
@given(plain=st.binary(), context=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens_in_the_same_context(sealer: Sealer, plain: bytes, context: str) -> None:
    """Nothing of it is lost, whatever it is."""
    assert sealer.open(sealer.seal(plain, context=context), context=context) == plain


@shared
@given(plain=st.binary(min_size=1, max_size=64), data=st.data())
def test_one_changed_bit_opens_nothing(sealer: Sealer, plain: bytes, data: st.DataObject) -> None:
    """A change gives an error, never other data: anywhere in version, nonce, text and tag."""
    sealed = bytearray(sealer.seal(plain, context="totp:1"))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << place % 8
    with pytest.raises(SealBroken):
        sealer.open(bytes(sealed), context="totp:1")


@shared
@given(st.binary(max_size=100))
def test_noise_opens_nothing(sealer: Sealer, noise: bytes) -> None:
    """What was never sealed is refused, short or long."""
    with pytest.raises(SealBroken):
        sealer.open(noise, context="email:1")


def test_a_value_moved_to_another_row_does_not_open(sealer: Sealer) -> None:
    """Who can write the database must not put one person's address into another's row."""
    with pytest.raises(SealBroken):
        sealer.open(sealer.seal(b"li@here.example", context="email:1"), context="email:2")


def test_two_seals_of_one_value_differ(sealer: Sealer) -> None:
    """A dump must not show who has the same value."""
    assert sealer.seal(b"same", context="a") != sealer.seal(b"same", context="a")


def test_an_index_is_stable_and_of_its_purpose_alone(path: Path) -> None:
    """Look-ups go on after a restart, and one purpose's index says nothing about another's."""
    first, second = Sealer.load(path), Sealer.load(path)
    assert first.index("+8613800138000", purpose="phone") == second.index("+8613800138000", purpose="phone")
    assert first.index("+8613800138000", purpose="phone") != first.index("+8613800138000", purpose="email")
    assert first.index("same", purpose="phone") != first.mac("same", purpose="phone")


def test_another_key_file_indexes_otherwise(tmp_path: Path) -> None:
    """A thief of the database alone cannot try numbers out."""
    one, other = Sealer.load(tmp_path / "one"), Sealer.load(tmp_path / "other")
    assert one.index("+8613800138000", purpose="phone") != other.index("+8613800138000", purpose="phone")


def test_the_key_file_is_readable_by_its_owner_alone(path: Path, sealer: Sealer) -> None:
    """It is what everything hangs on."""
    assert path.stat().st_mode & 0o777 == 0o400


def test_a_key_file_open_to_others_is_not_used(path: Path, sealer: Sealer) -> None:
    """Better no start than keys that anybody on the machine has."""
    path.chmod(0o444)
    with pytest.raises(SealBroken, match="0400"):
        Sealer.load(path)


def test_after_rotation_old_values_open_and_new_ones_use_the_new_key(path: Path, sealer: Sealer) -> None:
    """Rotation must not lose what is sealed, nor change an index."""
    old = sealer.seal(b"before", context="a")
    rotate(path)
    rotated = Sealer.load(path)
    assert rotated.version == 2
    assert rotated.open(old, context="a") == b"before"
    assert rotated.seal(b"after", context="a")[0] == 2
    assert rotated.index("x", purpose="p") == sealer.index("x", purpose="p")


def rotate(path: Path) -> None:
    source = FileKeys(path)
    source.store(source.load().with_another())


def test_what_a_newer_key_sealed_opens_in_a_process_that_has_not_heard_of_it(path: Path) -> None:
    """It looks once more, but not each time that somebody sends nonsense."""
    now = [0.0]
    old = Sealer(FileKeys(path), clock=lambda: now[0])
    rotate(path)
    sealed = Sealer.load(path).seal(b"new", context="a")
    with pytest.raises(SealBroken):
        old.open(sealed, context="a")
    now[0] += 1.0
    assert old.open(sealed, context="a") == b"new"
    assert old.version == 2
    rotate(path)
    with pytest.raises(SealBroken):
        old.open(bytes([3]) + sealed[1:], context="a")
    assert old.versions == {1, 2}


def test_the_keys_of_another_server_are_not_taken_up(path: Path, tmp_path: Path) -> None:
    """All blind indexes would be worth nothing; it goes on with what it has."""
    sealer = Sealer.load(path)
    Sealer.load(tmp_path / "other")
    path.unlink()
    (tmp_path / "other").rename(path)
    sealed = sealer.seal(b"x", context="a")
    with pytest.raises(SealBroken, match="another server"):
        sealer.reload()
    assert sealer.open(sealed, context="a") == b"x"


def test_keys_from_the_environment_are_the_same_ring(path: Path, sealer: Sealer) -> None:
    """One line with semicolons; and a key may be there before it is used."""
    lines = path.read_text().strip().replace("\n", ";")
    given = Sealer(GivenKeys(lines, "the environment"))
    assert given.open(sealer.seal(b"x", context="a"), context="a") == b"x"
    two = FileKeys(path).load().with_another()
    waiting = Sealer(GivenKeys(text_of(Keys(two.index, two.seals, 1)), "the environment"))
    assert (1, [1, 2]) == (waiting.version, sorted(waiting.versions))
    assert waiting.seal(b"x", context="a")[0] == 1
    with pytest.raises(NotAllowed):
        GivenKeys(lines, "the environment").store(two)


def test_a_retired_key_opens_nothing(path: Path, sealer: Sealer) -> None:
    """What is still sealed with it is lost: so the command counts first."""
    old = sealer.seal(b"x", context="a")
    source = FileKeys(path)
    source.store(source.load().with_another().with_current_alone())
    sealer.reload()
    assert sealer.versions == {2}
    with pytest.raises(SealBroken):
        sealer.open(old, context="a")


def test_nothing_prints_a_key(path: Path) -> None:
    """Not a traceback, not a log."""
    keys = FileKeys(path).load()
    assert "Keys(chosen=None)" == repr(keys)
    assert "object at" in repr(Sealer.load(path))


def test_many_processes_that_start_at_once_agree_on_one_key(path: Path) -> None:
    """The loser of the race must not go on with a key that is on no disk."""
    found: list[bytes] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(Sealer.load(path).index("x", purpose="p"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a key file"),
        ("yanlu-keys 2\n", "not a key file"),
        ("yanlu-keys 1\n", "cut short"),
        ("yanlu-keys 1\nindex AAAA\n", "32 bytes"),
        ("yanlu-keys 1\nindex ????\n", "32 bytes"),
        ("yanlu-keys 1\nseal x AAAA\n", "not a line"),
        ("yanlu-keys 1\nseal 0 " + "A" * 43 + "=\n", "not a key version"),
        ("yanlu-keys 1\nseal 256 " + "A" * 43 + "=\n", "not a key version"),
        ("yanlu-keys 1\nseal 1 " + "A" * 43 + "=\nseal 1 " + "A" * 43 + "=\n", "not a key version"),
        ("yanlu-keys 1\nseal 1 " + "A" * 43 + "=\n", "cut short"),
        ("yanlu-keys 1\nindex " + "A" * 43 + "=\nindex " + "A" * 43 + "=\n", "not a line"),
        ("yanlu-keys 1\nkey\xff\n", "not a line"),
        ("yanlu-keys 1\ncurrent 1\ncurrent 1\n", "not a line"),
        (
            "yanlu-keys 1\nindex " + "A" * 43 + "=\nseal 1 " + "A" * 43 + "=\ncurrent 2\n",
            "not among the keys",
        ),
    ],
)
def test_a_damaged_key_file_is_told_not_guessed_at(path: Path, text: str, why: str) -> None:
    """Half a key file must not be taken for a new server's."""
    path.write_text(text, "utf-8")
    path.chmod(0o400)
    with pytest.raises(SealBroken, match=why):
        Sealer.load(path)
