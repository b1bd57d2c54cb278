"""At rest: how a file lies on a disk, at either end, so that the disk alone tells nothing.

    header  magic, name of the key, size of the file            24 bytes
    slot n  chunk n under AES-256-GCM                            16 KiB + 16 bytes, the last shorter

Each file has a key of its own, derived from the house's key and the file's name. The nonce is the
chunk's number: under that key and number only one content can ever stand, because the name is the
hash of it (chunks are checked before they are written). So a chunk can be written twice, in any
order, into its own place, and what a torn write leaves does not open. Parts of a chunk are not
checked yet and therefore get another key and random nonces.

Pure: bytes in, bytes out.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.transfer import CHUNK_BYTES, Part, chunk_range, split

MAGIC = b"jbfile1\0"
KEY_NAME_BYTES = 8
HEADER_BYTES = len(MAGIC) + KEY_NAME_BYTES + 8
TAG_BYTES = 16
SLOT_BYTES = CHUNK_BYTES + TAG_BYTES
NONCE_BYTES = 12
_PART_HEAD_BYTES = 10


def house_key(secret: bytes, purpose: bytes) -> bytes:
    """Key of a house for its files, from a secret of 32 bytes that it has anyway."""
    return _derived(secret, b"jb1-files" + purpose)


def key_name(key: bytes) -> bytes:
    """Which key a file was written with: tells a file of another key from a damaged one."""
    return hmac.digest(key, b"jb1-key-name", hashlib.sha256)[:KEY_NAME_BYTES]


def file_name(key: bytes, blob: bytes) -> str:
    """What a file is called on the disk: 40 hex digits that say nothing about its content."""
    return hmac.digest(key, b"jb1-file-name" + blob, hashlib.sha256)[:20].hex()


def _derived(secret: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret)


class Locker:
    """Seals and opens the chunks of one file. key: the house's; blob: the file's name."""

    def __init__(self, key: bytes, blob: bytes, size: int) -> None:
        self.size = size
        self.header = MAGIC + key_name(key) + size.to_bytes(8, "big")
        self._chunks = AESGCM(_derived(key, b"jb1-chunks" + blob))
        self._parts = AESGCM(_derived(key, b"jb1-parts" + blob))

    def place(self, index: int) -> tuple[int, int]:
        """Where the slot of chunk `index` begins, and how many bytes it has."""
        start, end = chunk_range(self.size, index)
        return HEADER_BYTES + index * SLOT_BYTES, end - start + TAG_BYTES

    def seal(self, index: int, chunk: bytes) -> bytes:
        """The slot of a chunk. Only bytes that were proved to be that chunk may be given."""
        return self._chunks.encrypt(index.to_bytes(NONCE_BYTES, "big"), chunk, self.header)

    def open(self, index: int, slot: bytes) -> bytes | None:
        """The chunk in a slot; None for one that is empty, torn, altered or of another key."""
        try:
            return self._chunks.decrypt(index.to_bytes(NONCE_BYTES, "big"), slot, self.header)
        except InvalidTag:
            return None

    def whole(self, data: bytes) -> bytes:
        """A complete file."""
        slots = (self.seal(index, chunk) for index, chunk in enumerate(split(data)))
        return self.header + b"".join(slots)

    # -- parts of chunks

    def seal_part(self, part: Part, nonce: bytes) -> bytes:
        """A part as one entry of the file's side file. nonce: 12 random bytes."""
        head = part.index.to_bytes(4, "big") + part.start.to_bytes(2, "big")
        sealed = nonce + self._parts.encrypt(nonce, part.data, self.header + head)
        return head + len(sealed).to_bytes(4, "big") + sealed

    def open_parts(self, data: bytes) -> Iterator[Part]:
        """The parts in a side file, up to the first entry that is torn or altered."""
        at = 0
        while at + _PART_HEAD_BYTES <= len(data):
            head = data[at : at + 6]
            size = int.from_bytes(data[at + 6 : at + _PART_HEAD_BYTES], "big")
            sealed = data[at + _PART_HEAD_BYTES : at + _PART_HEAD_BYTES + size]
            try:
                plain = self._parts.decrypt(
                    sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self.header + head
                )
            except (InvalidTag, ValueError):
                return
            yield Part(int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big"), plain)
            at += _PART_HEAD_BYTES + size
