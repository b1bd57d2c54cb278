"""Base 45 (RFC 9285): bytes as text that a QR code keeps in its compact alphanumeric mode.

Two bytes become three symbols, a last single byte two; a receipt of 150 bytes needs 225 symbols.
"""

from __future__ import annotations

from models.problems import Problem

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
TEXT_MAX = 8192
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """The text of `data`."""
    symbols: list[str] = []
    for at in range(0, len(data), 2):
        piece = data[at : at + 2]
        value = int.from_bytes(piece, "big")
        for _ in range(len(piece) + 1):
            value, rest = divmod(value, 45)
            symbols.append(ALPHABET[rest])
    return "".join(symbols)


def decode(text: str) -> bytes:
    """The bytes of `text`; Problem("receipt.malformed") for what is no such text.

    Letters may be small. A space belongs to the alphabet, so none is dropped but at the ends.
    """
    wanted = text.strip("\r\n\t").upper()
    if len(wanted) > TEXT_MAX or any(symbol not in _VALUES for symbol in wanted):
        raise Problem("receipt.malformed")
    data = bytearray()
    for at in range(0, len(wanted), 3):
        piece = wanted[at : at + 3]
        value = sum(_VALUES[symbol] * 45**place for place, symbol in enumerate(piece))
        size = len(piece) - 1
        if size == 0 or value >= 256**size:
            raise Problem("receipt.malformed")
        data += value.to_bytes(size, "big")
    return bytes(data)
