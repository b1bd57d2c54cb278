"""Text of a QR code."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.problems import Problem
from sync import base45
from tests.vaults import refused


def test_the_examples_of_the_standard():
    assert base45.encode(b"AB") == "BB8"
    assert base45.encode(b"Hello!!") == "%69 VD92EX0"
    assert base45.decode("QED8WEX0") == b"ietf!"


@given(st.binary(max_size=300))
def test_bytes_come_back(data):
    assert base45.decode(base45.encode(data)) == data


@given(st.text(max_size=60))
def test_any_text_gives_bytes_or_a_problem(text):
    with contextlib.suppress(Problem):
        assert isinstance(base45.decode(text), bytes)


@pytest.mark.parametrize("text", ["ä", "GGW", "::", "A", "::::::::: ", "0" * 9000])
def test_what_is_no_such_text_is_refused(text):
    refused("receipt.malformed", base45.decode, text)
