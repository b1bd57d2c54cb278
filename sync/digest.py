"""Digests of cells: do a laptop and central know the same of the same requests?

A request weighs H(cell ‖ its face), 16 bytes taken as a number; a cell is the sum of what its
requests weigh, modulo 2^128. So a sum is kept by adding and taking away, whatever the order, and
two sums are equal only if the same requests stand in the same state. The face of a request is what
every laptop in whose scope it is may see of it: its state, and of its open cases what was offered.

Both houses reckon by these two functions. What a face holds is written out field by field: a later
edition that adds to `Record` does not make two programs see a difference where there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from sync.state import Case, Record

SUM_BYTES = 16
MODULUS = 1 << (8 * SUM_BYTES)

_encoder = msgspec.msgpack.Encoder(order="deterministic")


def face(record: Record, cases: Mapping[bytes, Case]) -> bytes:
    """32 bytes that are the same wherever the request stands in the same state. cases: with its
    open ones; what they say of other requests, or of unsent work, is left out."""
    units = [
        (unit, write.value, write.log, write.seq, write.server_seq, write.also)
        for unit, write in sorted(record.units.items())
    ]
    names = sorted({*record.disputes.values(), *record.cases})
    open_ = [(name, *_offered(cases.get(name))) for name in names]
    shown = (
        record.id, record.service, record.edition, record.device, record.log, record.seq,
        record.code, record.created, record.status, record.changed, record.verified, units,
        sorted(record.disputes.items()), sorted(record.cases), sorted(record.links), record.kept,
        open_,
    )  # fmt: skip
    return hashlib.sha256(b"jb1-face" + _encoder.encode(shown)).digest()


def _offered(case: Case | None) -> tuple[object, ...]:
    if case is None:
        return ()
    offers = [(o.value, o.log, o.seq, o.server_seq) for o in case.offers]
    return (case.kind, case.unit, case.opened, offers)


def weight(cell: bytes, face_of: bytes) -> int:
    """What a request with this face adds to the sum of a cell: the code of a village in UTF-8, or
    the 16 bytes of a device."""
    data = b"jb1-cell" + len(cell).to_bytes(2, "big") + cell + face_of
    return int.from_bytes(hashlib.sha256(data).digest()[:SUM_BYTES], "big")


def total(sums: Iterable[int]) -> bytes:
    """All sums together, as they are sent."""
    return packed(sum(sums))


def packed(number: int) -> bytes:
    """A sum as 16 bytes."""
    return (number % MODULUS).to_bytes(SUM_BYTES, "big")


def unpacked(data: bytes) -> int:
    """The sum in 16 bytes."""
    return int.from_bytes(data, "big")
