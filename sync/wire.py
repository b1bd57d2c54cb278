"""Wire: the compressed form of messages, and the body made of frames.

Payloads are msgpack, compressed by zstd (RFC 8878) with a trained dictionary. The dictionary's
number stands in the signed header; the four magic bytes of zstd are left out, and the size is bound
before anything is unpacked. The requests of one body are one stream; large ones have their digits
packed apart from their words (sync/digits.py), which takes eight percent less. A body is a row of
frames: four bytes of length, then the sealed bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

from models.problems import Problem
from sync import digits

if sys.version_info >= (3, 14):  # pragma: no cover - the standard library's own from 3.14 on
    from compression import zstd
else:
    from backports import zstd

DICTIONARY = 1
"""The dictionary new messages use. Older ones stay readable for ever (sync/data/jb-N.dict)."""

CONTINUES = -1
"""In place of a dictionary's number: the payload goes on with the compressed stream of the request
before it in the same body, so that a name told once is not told again."""

CONTINUES_APART = -2
"""The same, as two streams: the length of the words (4 bytes), the words, the digits."""

APART_BYTES_MIN = 8 * 1024
"""Of a payload; in a smaller one the second stream costs more than it saves."""

APART_UNPACKED_BYTES_MAX = 4 * 1024 * 1024
"""Putting digits back costs a step for each run of them: a few packed bytes can say millions."""

WINDOW_LOG = 20
DIGITS_WINDOW_LOG = 18
"""How far back a stream may point: 1 MiB and 256 KiB, which central keeps for each connection."""

FRAME_BYTES_MAX = 4 * 1024 * 1024
UNPACKED_BYTES_MAX = 16 * 1024 * 1024
BODY_FRAMES_MAX = 1024
_MAGIC = b"\x28\xb5\x2f\xfd"
_P = zstd.CompressionParameter
OPTIONS: dict[Any, int] = {
    _P.compression_level: 19,
    _P.checksum_flag: 0,
    _P.dict_id_flag: 0,
}
_NEAR: dict[Any, int] = {_P.window_log: DIGITS_WINDOW_LOG, _P.hash_log: 16, _P.chain_log: 17}
"""Smaller tables find as much among digits, and cost a laptop 1 ms to make instead of 50."""

_WINDOW_LOG_MAX = 24  # of a single message; more would only serve to fill the memory
_FAST = {**OPTIONS, _P.compression_level: 6}


def dictionaries() -> tuple[int, ...]:
    """Numbers of the dictionaries this build can read; 0 is none."""
    found = resources.files("sync").joinpath("data").iterdir()
    names = [f.name for f in found if f.name.startswith("jb-") and f.name.endswith(".dict")]
    return (0, *sorted(int(n[3:-5]) for n in names))


@cache
def _dictionary(number: int) -> Any:
    if number == 0:
        return None
    if number not in dictionaries():
        raise Problem("sync.dictionary", dictionary=number)
    data = resources.files("sync").joinpath("data", f"jb-{number}.dict").read_bytes()
    return zstd.ZstdDict(data)


def _digested(number: int) -> Any:
    """The dictionary prepared once for each level: else every message pays 8 ms for it."""
    known = _dictionary(number)
    return None if known is None else known.as_digested_dict


def pack(payload: bytes, dictionary: int = DICTIONARY, *, fast: bool = False) -> bytes:
    """Compress a message. fast: for central's replies and large pages."""
    options: Any = _FAST if fast else OPTIONS
    packed = zstd.compress(payload, options=options, zstd_dict=_digested(dictionary))
    return packed[len(_MAGIC) :]


def unpack(packed: bytes, dictionary: int, limit: int = UNPACKED_BYTES_MAX) -> bytes:
    """The message in `packed`, at most `limit` bytes; more is refused before it is unpacked."""
    frame = _MAGIC + packed
    known = _dictionary(dictionary)
    try:
        declared = zstd.get_frame_info(frame).decompressed_size
        if declared is not None and declared > limit:
            raise Problem("sync.bomb", limit=limit)
        reader = _stream(known)
        payload: bytes = reader.decompress(frame, max_length=limit + 1)
    except zstd.ZstdError:
        raise Problem("sync.malformed") from None
    if len(payload) > limit:
        raise Problem("sync.bomb", limit=limit)
    if not reader.eof or reader.unused_data:
        raise Problem("sync.truncated")
    return payload


class Packer:
    """Compresses the requests of one body, each in the light of those before it. apart: large ones
    as words and digits."""

    def __init__(self, dictionary: int = DICTIONARY, *, apart: bool = True) -> None:
        self._number = dictionary
        self._apart = apart
        near: Any = {**OPTIONS, **_NEAR}
        far: Any = {**OPTIONS, _P.window_log: WINDOW_LOG}
        self._words = zstd.ZstdCompressor(options=far, zstd_dict=_digested(dictionary))
        self._digits = zstd.ZstdCompressor(options=near)

    def pack(self, payload: bytes) -> tuple[bytes, int]:
        """The compressed payload, and what the header has to say as its dictionary."""
        number, self._number = self._number, CONTINUES
        if number != CONTINUES:
            return _flushed(self._words, payload)[len(_MAGIC) :], number
        if not self._apart or len(payload) < APART_BYTES_MIN:
            return _flushed(self._words, payload), CONTINUES
        words, numbers = digits.apart(payload)
        packed = _flushed(self._words, words)
        size = len(packed).to_bytes(4, "big")
        return size + packed + _flushed(self._digits, numbers), CONTINUES_APART


def _flushed(stream: Any, payload: bytes) -> bytes:
    packed: bytes = stream.compress(payload, zstd.ZstdCompressor.FLUSH_BLOCK)
    return packed


class Unpacker:
    """The other end of a `Packer`; takes single messages of `pack` too."""

    def __init__(self) -> None:
        self._words: Any = None
        self._digits: Any = None

    def unpack(self, packed: bytes, dictionary: int, limit: int = UNPACKED_BYTES_MAX) -> bytes:
        """The next payload, at most `limit` bytes. Problems: those of the function `unpack`."""
        if dictionary == CONTINUES_APART:
            return self._together(packed, limit)
        if dictionary != CONTINUES:
            self._words, self._digits = _stream(_dictionary(dictionary)), _stream(None)
            packed = _MAGIC + packed
        return _next(self._words, packed, limit)

    def _together(self, packed: bytes, limit: int) -> bytes:
        limit = min(limit, APART_UNPACKED_BYTES_MAX)
        end = 4 + int.from_bytes(packed[:4], "big")
        words = _next(self._words, packed[4:end], limit)
        numbers = _next(self._digits, packed[end:], limit // 2)
        try:
            payload = digits.together(words, numbers)
        except ValueError:
            raise Problem("sync.malformed") from None
        if len(payload) > limit:
            raise Problem("sync.bomb", limit=limit)
        return payload


def _stream(known: Any) -> Any:
    options: Any = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
    return zstd.ZstdDecompressor(zstd_dict=known, options=options)


def _next(stream: Any, packed: bytes, limit: int) -> bytes:
    """What a stream gives for its next bytes, at most `limit`."""
    if stream is None or stream.eof:
        raise Problem("sync.malformed")
    try:
        payload: bytes = stream.decompress(packed, max_length=limit + 1)
    except zstd.ZstdError:
        raise Problem("sync.malformed") from None
    if len(payload) > limit:
        raise Problem("sync.bomb", limit=limit)
    return payload


def join_frames(frames: Iterable[bytes]) -> bytes:
    """One body of several sealed frames."""
    return b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)


def split_frames(body: bytes) -> list[bytes]:
    """The frames of a body. A body cut short gives Problem("sync.truncated")."""
    frames: list[bytes] = []
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        frame = body[at + 4 : at + 4 + size]
        if size > FRAME_BYTES_MAX or len(frames) >= BODY_FRAMES_MAX:
            raise Problem("sync.too_large", limit=FRAME_BYTES_MAX)
        if len(frame) != size or at + 4 > len(body):
            raise Problem("sync.truncated")
        frames.append(frame)
        at += 4 + size
    return frames
