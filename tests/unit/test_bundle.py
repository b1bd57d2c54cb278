"""Volumes of a bundle: cut anywhere, carried in any order, noticed when anything is altered."""

from __future__ import annotations

import hashlib
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.problems import Problem
from sync import bundle, seal
from sync.bundle import Part, judge
from sync.exchange import Position
from sync.identity import Identity
from sync.messages import Branch, Checkpoint, Cursor, Reply, Return

CENTRAL, VAN = (
    Identity(hashlib.sha256(f"{who}-sign".encode()).digest(), hashlib.sha256(who.encode()).digest())
    for who in ("pusat", "van")
)
NAME = bytes(range(8))
FRAMES = [bytes([i]) * 50 * (i + 1) for i in range(6)]
DATA = bundle.close(FRAMES, bundle.WORK, NAME, 2, 3, CENTRAL.seal_key)


def code(data: bytes) -> str:
    with pytest.raises(Problem) as caught:
        bundle.frames_of(bundle.parse(data, "x.jbb"), CENTRAL)
    return caught.value.code


def test_a_volume_gives_back_its_frames_and_says_which_it_is() -> None:
    volume = bundle.parse(DATA)
    assert (volume.header.k, volume.header.n, volume.header.name) == (2, 3, NAME)
    assert volume.header.recipient == seal.audience(CENTRAL.seal_key)
    assert bundle.frames_of(volume, CENTRAL) == FRAMES


def test_a_carrier_can_see_that_it_is_whole_and_cannot_open_it() -> None:
    volume = bundle.parse(DATA)
    with pytest.raises(Problem, match=r"bundle\.other_recipient"):
        bundle.frames_of(volume, VAN)
    assert not any(frame[:40] in DATA for frame in FRAMES)


@given(st.integers(0, len(DATA) * 8 - 1))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    altered = bytearray(DATA)
    altered[bit // 8] ^= 1 << bit % 8
    assert code(bytes(altered)).startswith("bundle.")


@given(st.integers(0, len(DATA) * 8 - 1))
def test_any_flipped_bit_is_noticed_even_with_the_hash_put_right(bit: int) -> None:
    """Who alters a volume on purpose can make a fitting hash; the seal still does not open."""
    altered = bytearray(DATA[: -bundle.DIGEST_BYTES])
    altered[bit // 8 % len(altered)] ^= 1 << bit % 8
    assert code(bytes(altered) + hashlib.sha256(altered).digest()).startswith("bundle.")


@given(st.integers(0, len(DATA) - 1))
def test_any_shortened_file_is_noticed(size: int) -> None:
    assert code(DATA[:size]) in ("bundle.truncated", "bundle.foreign")
    if size > 40:
        assert code(DATA[:size]) == "bundle.truncated"


def test_what_is_no_bundle_is_told_apart() -> None:
    assert code(b"PK\x03\x04 a zip") == "bundle.foreign"
    assert code(b"") == "bundle.foreign"
    assert code(DATA[:3] + b"\x02" + DATA[4:]) == "bundle.version"
    assert code(DATA + b"\0") == "bundle.altered"
    assert code(bytes(bundle.VOLUME_BYTES_MAX + 1)) == "bundle.too_large"


def test_volumes_of_two_bundles_cannot_be_exchanged() -> None:
    """The header is part of the seal: volume 1 of this bundle under the name of that one fails."""
    mine, other = bundle.parse(DATA), bundle.close(FRAMES, "work", NAME[::-1], 2, 3, VAN.seal_key)
    forged = mine.plain + bundle.parse(other).body
    assert code(forged + hashlib.sha256(forged).digest()) == "bundle.altered"


@given(st.lists(st.integers(1, 3000), max_size=60), st.integers(0, 500), st.integers(4000, 20_000))
def test_every_frame_is_in_one_volume_in_order_and_each_volume_fits(
    sizes: list[int], lead: int, most: int
) -> None:
    cuts = bundle.cut(sizes, lead, most)
    assert [i for piece in cuts for i in piece] == list(range(len(sizes)))
    for k, piece in enumerate(cuts, 1):
        frames = [b"l" * lead, *(b"x" * sizes[i] for i in piece)]
        data = bundle.close(frames, bundle.WORK, NAME, k, len(cuts), CENTRAL.seal_key)
        assert len(data) <= most + 4
    full = [sum(sizes[i] + 4 for i in piece) for piece in cuts]
    following = zip(full[:-1], cuts[1:], strict=True)
    assert all(
        size + sizes[after[0]] + 4 > most - bundle.OVERHEAD - lead for size, after in following
    )


def test_a_frame_that_fits_no_volume_is_refused() -> None:
    with pytest.raises(Problem, match=r"bundle\.too_large"):
        bundle.cut([10, 5000], 0, 4000)


def test_the_missing_volumes_are_named() -> None:
    headers = [bundle.Header("work", NAME, k, 5, bytes(8), 1) for k in (4, 2)]
    assert bundle.missing(headers) == [1, 3, 5]
    assert bundle.missing([]) == []


# -- words and names


def test_the_words_are_many_short_and_far_apart() -> None:
    words = bundle.word_list()
    assert len(words) == len(set(words)) == 2048
    assert list(words) == sorted(words)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
    assert all(4 <= len(word) <= 7 for word in words)
    assert len({sound(word) for word in words}) == 2048
    assert not [pair for pair in neighbours(words) if one_letter_apart(*pair)]


SOUNDS = str.maketrans("bdgqvfzcmoeyw", "ptkkppsjnuiiu", "h")


def sound(word: str) -> str:
    """What is left of a word on a bad line: voiced and unvoiced, m and n, e and i, o and u fall
    together, h is not heard, doubled sounds are one."""
    for letters, heard in (("ng", "n"), ("ny", "n"), ("sy", "s"), ("kh", "k"), ("ks", "s")):
        word = word.replace(letters, heard)
    word = word.translate(SOUNDS)
    return "".join(b for a, b in zip(" " + word, word, strict=False) if a != b)


def neighbours(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of words that become the same when each loses at most one letter."""
    found: dict[str, list[str]] = {}
    for word in words:
        for form in {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}:
            found.setdefault(form, []).append(word)
    return [pair for group in found.values() for pair in combinations(group, 2)]


def one_letter_apart(a: str, b: str) -> bool:
    """One letter changed, added, taken away or changed places with its neighbour."""
    if len(a) == len(b):
        wrong = [i for i in range(len(a)) if a[i] != b[i]]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1 and sorted(a) == sorted(b)
        return len(wrong) <= 1 or swapped
    short, long = sorted((a, b), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def test_one_letter_apart_is_noticed() -> None:
    assert one_letter_apart("pala", "palu")
    assert one_letter_apart("pala", "plaa")
    assert one_letter_apart("pala", "pal")
    assert not one_letter_apart("pala", "sagu")
    assert sound("bantal") == sound("pandal")


@given(st.binary(min_size=8, max_size=8), st.lists(st.binary(min_size=32, max_size=32), min_size=1))
def test_other_volumes_give_other_words(name: bytes, digests: list[bytes]) -> None:
    words = bundle.words(name, digests)
    assert len(words) == 4
    assert set(words) <= set(bundle.word_list())
    assert bundle.words(name, digests) == words
    changed = [*digests[:-1], bytes([digests[-1][0] ^ 1]) + digests[-1][1:]]
    assert bundle.words(name, changed) != words


def test_names_of_files_say_nothing_of_anybody() -> None:
    assert bundle.file_name(NAME, 2, 12) == f"{bundle.label(NAME)}-02of12.jbb"
    assert bundle.label(NAME).startswith("K-")
    assert len(bundle.label(NAME)) == 8


@pytest.mark.parametrize(
    ("parent", "at", "state"),
    [(b"i", 20, "rewound"), (b"i", 5, "rewound"), (b"x", 20, "parted"), (b"x", 5, "known")],
)
def test_a_bundle_of_a_history_that_is_not_ours_says_so_only_where_it_is_newer(
    parent: bytes, at: int, state: str
) -> None:
    """An older one is a stick from before a restore; a newer one, that ours was given up."""
    log, head = b"l" * 16, b"h" * 32
    position = Position(log, 3, head, 3, Cursor(b"i" * 16, 70), 1)
    theirs = Branch(b"n" * 16, parent * 16, 60, b"h" * 8, 7 << 40)
    upper = Cursor(b"n" * 16, 7 << 40)
    told = Return(b"b" * 8, log, 1, at, Cursor(b"n" * 16, 60), upper, 1)
    said = Checkpoint(log, 3, head, b"n" * 16, 7 << 40, b"", 0, at)
    reply = Reply(b"r" * 16, said, [], None, [], 0, upper, False, lineage=[theirs])
    known = Checkpoint(log, 3, head, b"i" * 16, 70, b"", 0, 10)
    verdict = judge(position, lambda _: head, known, told, [Part(reply, b"", {})], [])
    assert verdict.state == state
    assert bool(verdict.steps) == (state == "rewound")
