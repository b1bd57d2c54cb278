"""Identifiers on screens and paper: sixteen bytes as text, and the tracking code of a request.

Ids themselves derive from the log they were made in (`models.changes.created_id`).

A tracking code has ten symbols of Crockford's base 32 (digits and capitals without I, L, O, U):
four name the block that central gave to a log, five are a number drawn at random inside it, the
last is a check symbol by the Luhn algorithm modulo 32. Read aloud, written on paper and typed on a
phone, small letters, O for 0, I and L for 1, spaces and hyphens are understood.

What the check symbol promises: every single wrong symbol is noticed, and every exchange of two
neighbours, except 0 beside Z (`0Z` for `Z0`). Luhn modulo any even base has exactly this one gap:
the two symbols weigh the same in both places. It lets a mistyped code be told from one whose
request has not arrived yet, before anything is looked up.
"""

from typing import Self

import msgspec

from models.problems import Problem

ID_BYTES = 16
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BLOCK_SYMBOLS, NUMBER_SYMBOLS = 4, 5
CODE_SYMBOLS = BLOCK_SYMBOLS + NUMBER_SYMBOLS + 1
BLOCKS = 32**BLOCK_SYMBOLS
"""How many blocks there are: 1,048,576."""
NUMBERS = 32**NUMBER_SYMBOLS
"""How many numbers a block holds: 33,554,432. They are drawn at random, so that the tail of a block
used twice (a cloned disk) hardly ever meets itself."""

_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u00a0": None})


def from_text(text: str, what: str) -> bytes:
    """The sixteen bytes of a hexadecimal id of `what`; `id.malformed` for anything else."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != ID_BYTES:
        raise Problem("id.malformed", what=what, digits=2 * ID_BYTES)
    return value


class Code(msgspec.Struct, frozen=True, order=True):
    """A tracking code: block 0..BLOCKS-1, number 0..NUMBERS-1. `str()` is how it is printed."""

    block: int
    number: int

    def __post_init__(self) -> None:
        if not (0 <= self.block < BLOCKS and 0 <= self.number < NUMBERS):
            raise ValueError(f"no such code: block {self.block}, number {self.number}")

    def __str__(self) -> str:
        symbols = self.symbols
        return f"{symbols[:4]}-{symbols[4:8]}-{symbols[8:]}"

    @property
    def symbols(self) -> str:
        """The ten symbols without hyphens, as stored and searched."""
        body = _symbols(self.block, BLOCK_SYMBOLS) + _symbols(self.number, NUMBER_SYMBOLS)
        return body + ALPHABET[-_weight(body, doubled=1) % 32]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The code a person typed.

        `code.length`, `code.symbol` or `code.mistyped` say what is wrong. A code that parses is
        well formed; whether its request has arrived is another question (`code.not_arrived`).
        """
        symbols = text.upper().translate(_LOOKALIKES)
        strange = next((one for one in symbols if one not in _VALUES), None)
        if strange is not None:
            raise Problem("code.symbol", symbol=strange)
        if len(symbols) != CODE_SYMBOLS:
            raise Problem("code.length", n=len(symbols))
        if _weight(symbols, doubled=0) % 32:
            raise Problem("code.mistyped")
        return cls(_value(symbols[:BLOCK_SYMBOLS]), _value(symbols[BLOCK_SYMBOLS:-1]))


def _symbols(value: int, length: int) -> str:
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(length)))


def _value(symbols: str) -> int:
    total = 0
    for symbol in symbols:
        total = total << 5 | _VALUES[symbol]
    return total


def _weight(symbols: str, doubled: int) -> int:
    """Luhn's sum from the right: every second symbol doubled (`doubled` 1: starting with the last),
    and the two base-32 digits of a double added up."""
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = _VALUES[symbol]
        total += sum(divmod(2 * value, 32)) if (place + doubled) % 2 else value
    return total
