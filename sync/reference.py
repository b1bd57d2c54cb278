"""Packages of reference data: forms, code lists, days off and visits, signed by central.

A package holds everything that was published since the program was made, so a laptop needs the
newest one only, whichever it missed. It travels in pieces, by any road, and counts when all of it
is here and central's signature holds: never half of it.
"""

from __future__ import annotations

import hashlib

import msgspec

from models.overlay import PACKAGE_BYTES_MAX
from models.problems import Problem
from sync import seal, wire
from sync.identity import Identity
from sync.logs import log_id
from sync.messages import Piece, decode, encode

PIECE_BYTES = 32 * 1024
TOKEN_BYTES_MAX = PACKAGE_BYTES_MAX + 64 * 1024


class Package(msgspec.Struct, frozen=True, array_like=True):
    """number: grows with each. at: when it was published, Unix seconds; title: in the office's
    words. files: path inside the data folder -> content."""

    number: int
    at: int
    title: str
    files: dict[str, bytes]


def issue(package: Package, central: Identity) -> bytes:
    """The signed package."""
    header = seal.Header(log_id(central.sign_key), "reference", b"", wire.DICTIONARY)
    return seal.sign(wire.pack(encode(package)), central, header)


def read(token: bytes, central_sign_key: bytes) -> Package:
    """The package, once central's key is shown to have signed it. Problems: those of `seal.verify`,
    sync.bomb, sync.malformed."""
    header, packed = seal.verify(token, central_sign_key, "reference", b"")
    limit = TOKEN_BYTES_MAX
    return decode(wire.unpack(packed, header.dictionary, limit), Package)


def digest(token: bytes) -> bytes:
    """By which a package is known."""
    return hashlib.sha256(token).digest()


def piece(number: int, token: bytes, offset: int, budget: int) -> Piece:
    """Bytes of a package from an offset on: about `budget` of them, at least some."""
    size = min(PIECE_BYTES, max(1024, budget))
    data = token[offset : offset + size]
    return Piece(number, len(token), digest(token), offset, data)


class Coming(msgspec.Struct, frozen=True):
    """A package of which the first bytes are here."""

    number: int
    size: int
    digest: bytes
    data: bytes = b""

    @property
    def whole(self) -> bool:
        """All bytes are here, and they are those that were promised."""
        return len(self.data) == self.size and digest(self.data) == self.digest


def grown(coming: Coming | None, piece: Piece) -> Coming | None:
    """What is here after a piece: it goes on where the bytes end, or begins another package. One
    that does neither changes nothing. Problem sync.malformed for one of no possible size."""
    if not 0 < piece.size <= TOKEN_BYTES_MAX or piece.offset + len(piece.data) > piece.size:
        raise Problem("sync.malformed")
    same = coming is not None and (coming.number, coming.digest) == (piece.number, piece.digest)
    if coming is None or not same:
        if piece.offset or (coming is not None and piece.number < coming.number):
            return coming
        coming = Coming(piece.number, piece.size, piece.digest)
    if piece.offset != len(coming.data):
        return coming
    return msgspec.structs.replace(coming, data=coming.data + piece.data)
