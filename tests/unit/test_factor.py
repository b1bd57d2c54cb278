"""The second factor: the vectors of RFC 6238, one use a step, nothing readable at rest."""

from __future__ import annotations

import pytest

from server import factor

SECRET = b"12345678901234567890"
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("at", "digits"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_digits_are_those_of_the_standard(at: int, digits: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert factor.step_of(SECRET, digits, at, 0) == at // 30
    assert factor.step_of(SECRET, f"{digits[:3]} {digits[3:]}", at + 30, 0) == at // 30
    assert factor.step_of(SECRET, digits, at + 60, 0) == 0


def test_a_step_is_good_once() -> None:
    assert factor.step_of(SECRET, "287082", 59, 1) == 0


@pytest.mark.parametrize("code", ["", "000000", "28708", "2870820", "287O82", "é87082"])
def test_other_digits_are_not_right(code: str) -> None:
    assert factor.step_of(SECRET, code, 59, 0) == 0


def test_the_secret_is_sealed_for_its_person() -> None:
    kept = factor.sealed(SECRET, "rina", KEY, bytes(12))
    assert SECRET not in kept
    assert factor.opened(kept, "rina", KEY) == SECRET
    assert factor.opened(kept, "yusuf", KEY) == b""
    assert factor.opened(kept, "rina", bytes(32)) == b""
    assert factor.opened(b"", "rina", KEY) == b""


def test_the_secret_is_typed_as_it_is_shown() -> None:
    assert factor.from_text(factor.as_text(SECRET).lower()) == SECRET
    assert factor.from_text("ABC 1") == b""
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in factor.address(SECRET, "rina", "Dukcapil")
