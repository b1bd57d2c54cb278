"""The wire dictionary: it knows nobody, it can be made again, and no message needs a new one."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from backports import zstd

import home
from dictionary import keep, samples, train
from invented import Maker
from journal import Journal
from models.problems import Problem
from models.services import catalogue
from sync import wire
from tests import vocabulary
from tests.village import TODAY

FILES = sorted((home.ROOT / "sync" / "data").glob("jb-*.dict"))


RELEASED = {1: "e876d35a6a36b039a5201081f272a4e54c41cd128a94228046a58264bb258817"}
"""SHA-256 of every dictionary that messages were packed with; only ever appended to."""


def number_of(path: Path) -> int:
    return int(path.stem.removeprefix("jb-"))


def message(slug: str, seed: int = 5) -> bytes:
    """An encoded request of somebody the dictionary never met."""
    rng = Random(seed)
    laptop = Journal(rng, "2026.11.0", 1_795_300_000)
    laptop.create(Maker(vocabulary.fresh(), rng).request(slug, TODAY))
    return laptop.request()


def test_every_dictionary_that_was_shipped_can_still_be_read():
    numbers = [number_of(path) for path in FILES]
    assert numbers == list(range(1, wire.DICTIONARY + 1))
    assert wire.dictionaries() == (0, *numbers)


def test_no_dictionary_changes_once_it_was_shipped():
    found = {number_of(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in FILES}
    assert found == RELEASED


def test_a_dictionary_that_is_there_is_never_written_again(tmp_path):
    path = tmp_path / "jb-1.dict"
    keep(b"first", path)
    keep(b"first", path)
    with pytest.raises(SystemExit, match="never written again"):
        keep(b"other", path)
    assert path.read_bytes() == b"first"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_number_of_a_person_is_in_it(path):
    runs = re.findall(rb"\d+", path.read_bytes())
    assert max(map(len, runs)) < 10  # shorter than any phone, NIK or family card


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_was_not_trained_on_the_words_benches_use(path):
    text = path.read_bytes().lower()
    fresh = vocabulary.fresh()
    words = (*fresh.men, *fresh.women, *fresh.clans, *fresh.streets, *fresh.hamlets, *fresh.notes)
    whole = (rb"(?<![a-z'])" + re.escape(w.lower().encode()) + rb"(?![a-z'])" for w in words)
    long = [
        word
        for word, sign in zip(words, whole, strict=True)
        if len(word) > 3 and re.search(sign, text)
    ]
    assert long == []


def test_it_was_trained_on_the_words_meant_for_it():
    """So that the test above would notice a name at all."""
    text = FILES[-1].read_bytes()
    assert sum(name.encode() in text for name in vocabulary.train().women) > 20


@pytest.mark.parametrize("number", wire.dictionaries())
@pytest.mark.parametrize("fast", [False, True])
def test_a_message_comes_back_as_it_was(number, fast):
    for slug in catalogue().slugs[::6]:
        payload = message(slug)
        packed = wire.pack(payload, number, fast=fast)
        assert wire.unpack(packed, number) == payload


def test_it_is_worth_its_bytes():
    payload = message("birth")
    assert len(wire.pack(payload)) < 0.55 * len(wire.pack(payload, 0))


def test_an_unknown_dictionary_is_named():
    packed = wire.pack(message("birth"))
    with pytest.raises(Problem) as found:
        wire.unpack(packed, 200)
    assert found.value.code == "sync.dictionary"
    assert found.value.details["dictionary"] == 200


def test_a_bomb_is_refused_before_it_is_unpacked():
    packed = wire.pack(bytes(wire.UNPACKED_BYTES_MAX + 1))
    assert len(packed) < 4096
    with pytest.raises(Problem) as found:
        wire.unpack(packed, wire.DICTIONARY)
    assert found.value.code == "sync.bomb"


def test_a_bomb_that_hides_its_size_is_refused_too():
    options = {**wire.OPTIONS, zstd.CompressionParameter.content_size_flag: 0}
    packed = zstd.compress(bytes(50_000), options=options)[4:]
    with pytest.raises(Problem) as found:
        wire.unpack(packed, 0, limit=10_000)
    assert found.value.code == "sync.bomb"
    assert wire.unpack(packed, 0, limit=50_000) == bytes(50_000)


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_message_cut_short_is_no_message(cut):
    packed = wire.pack(message("birth"))
    with pytest.raises(Problem) as found:
        wire.unpack(packed[:-cut], wire.DICTIONARY)
    assert found.value.code in ("sync.malformed", "sync.truncated")


def test_one_seed_makes_one_dictionary():
    """In another process too, where Python orders its sets differently."""
    made = train(samples(7, 2), 8 * 1024)
    again = (
        "import sys; sys.path[:0] = [{!r}, {!r}]; from dictionary import samples, train;"
        " sys.stdout.buffer.write(train(samples(7, 2), 8 * 1024))"
    ).format(str(home.ROOT), str(home.ROOT / "scripts"))
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    told = subprocess.run([sys.executable, "-c", again], capture_output=True, env=environment)
    assert told.returncode == 0, told.stderr
    assert told.stdout == made
