"""Ids and tracking codes: read from text, and what the check symbol really catches."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import ids
from models.ids import ALPHABET, Code
from models.problems import Problem

codes = st.builds(Code, st.integers(0, ids.BLOCKS - 1), st.integers(0, ids.NUMBERS - 1))


def test_ids_are_read_from_text():
    value = bytes(range(16))
    assert ids.from_text(value.hex(), "perkara") == value
    for bad in ("", "00", "zz" * 16, "00" * 17, "é"):
        with pytest.raises(Problem) as caught:
            ids.from_text(bad, "perkara")
        assert caught.value.code == "id.malformed"


@given(codes)
def test_a_printed_code_is_read_again(code):
    shown = str(code)
    assert [len(part) for part in shown.split("-")] == [4, 4, 2]
    assert Code.parse(shown) == code
    sloppy = shown.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert Code.parse(f" {sloppy} ") == code
    assert Code.parse(shown.replace("1", "i")) == code


@given(codes, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_every_single_wrong_symbol_is_noticed(code, place, symbol):
    right = code.symbols
    wrong = right[:place] + symbol + right[place + 1 :]
    if wrong != right:
        with pytest.raises(Problem) as caught:
            Code.parse(wrong)
        assert caught.value.code == "code.mistyped"


@given(codes, st.integers(0, 8))
def test_every_exchange_of_neighbours_is_noticed_but_0_beside_z(code, place):
    right = code.symbols
    pair = right[place : place + 2]
    wrong = right[:place] + pair[::-1] + right[place + 2 :]
    if wrong == right:
        return
    if set(pair) == {"0", "Z"}:
        assert Code.parse(wrong) != code
        return
    with pytest.raises(Problem):
        Code.parse(wrong)


def test_0_beside_z_is_the_only_pair_that_slips_through():
    slipped = set()
    for a in ALPHABET:
        for b in ALPHABET:
            right = ids._weight(f"{a}{b}", doubled=0) % 32
            if a < b and right == ids._weight(f"{b}{a}", doubled=0) % 32:
                slipped.add(a + b)
    assert slipped == {"0Z"}


def test_a_block_holds_enough_numbers_to_draw_at_random():
    assert ids.NUMBERS >= 2**20
    with pytest.raises(ValueError, match="no such code"):
        Code(0, ids.NUMBERS)
    with pytest.raises(ValueError, match="no such code"):
        Code(-1, 0)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "code.length"), ("ABCD-EFGH", "code.length"), ("ABCD-EFGH-JU", "code.symbol")],
)
def test_what_is_wrong_is_named(text, code):
    with pytest.raises(Problem) as caught:
        Code.parse(text)
    assert caught.value.code == code


@given(st.text())
def test_any_text_gets_an_answer(text):
    with contextlib.suppress(Problem):
        code = Code.parse(text)
        assert Code.parse(str(code)) == code
