"""The index of recent requests: a desk far from any signal hears that somebody has asked already.

Central tells each laptop, of every request of the last weeks that other laptops took in, a keyed
hash of who it is about and for which service, the office, and the day; nothing else. The laptop can
compare what is typed at its desk, and cannot read who is in the list. The key is this laptop's own
and is another one every month, so lists of two laptops, or of two months, cannot be laid side by
side. What five bytes hide and what they do not is reckoned in docs/security.md.
"""

from __future__ import annotations

import hashlib
import hmac

EPOCH_SECONDS = 30 * 24 * 3600
KEY_BYTES = 16
MARK_BYTES = 5
DAY_SECONDS = 24 * 3600
ZONE_SECONDS = 9 * 3600
"""The city's clock (WIT): a day of the index is a day there."""


def epoch_of(at: int) -> int:
    """Number of the key that holds at that time, Unix seconds. Above 0."""
    return max(1, at // EPOCH_SECONDS)


def day_of(at: int) -> int:
    """Day since 1970 of a time, as the city's calendars have it."""
    return (at + ZONE_SECONDS) // DAY_SECONDS


def key_of(secret: bytes, device: bytes, epoch: int) -> bytes:
    """A laptop's key of a month, from a secret that central alone has."""
    data = b"jb1-recent" + device + epoch.to_bytes(4, "big")
    return hmac.digest(secret, data, hashlib.sha256)[:KEY_BYTES]


def mark(key: bytes, trace: str) -> bytes:
    """The keyed hash of a trace (`models.services.Service.traces`), 5 bytes."""
    return hmac.digest(key, trace.encode(), hashlib.sha256)[:MARK_BYTES]


def marks_in(packed: bytes) -> list[bytes]:
    """Marks laid one behind the other."""
    return [packed[i : i + MARK_BYTES] for i in range(0, len(packed), MARK_BYTES)]
