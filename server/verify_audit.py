#!/usr/bin/env python3
"""Verifies an exported audit trail of Jemput Bola, without Jemput Bola. For auditors.

    python3 verify_audit.py trail.jsonl [--key HEX] [--after EARLIER.jsonl]

Memeriksa jejak audit yang diekspor, tanpa program Jemput Bola. Needs Python 3.8 or newer, and the
package `cryptography` for the signature; without it the chain alone is checked, and that is said.

What is shown, in this order:
1. Every entry's link is the SHA-256 of the link before it and of the entry: nothing was altered,
   dropped, inserted or put in another order within the file.
2. The file is whole: as many entries as its head says, and it ends with its signature.
3. The office's key signed all of it. Compare the key's fingerprint, which is printed, with the one
   that the office gave you on paper; or give the key itself with --key.
4. With --after: this trail goes on from an earlier export, entry by entry, so that nothing was
   rewritten in between. Keep each export you take: that is what proves the end of the trail.

Exit code: 0 it holds, 1 it does not, 2 it cannot be read or not be checked wholly.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

FORMAT = "jb1-audit-export"
LINK = b"jb1-audit"
OPENING = b"jb1-audit-open"
_UNSIGNED = ((0xCC, ">B", 8), (0xCD, ">H", 16), (0xCE, ">I", 32), (0xCF, ">Q", 64))
_SIGNED = ((0xD0, ">b", 7), (0xD1, ">h", 15), (0xD2, ">i", 31), (0xD3, ">q", 63))


class Fault(Exception):
    """What does not hold, in words."""


def packed(value: Any) -> bytes:
    """A number, text or list as MessagePack, shortest form: how the office encodes an entry."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, str):
        data = value.encode("utf-8")
        size = len(data)
        if size < 32:
            return bytes([0xA0 | size]) + data
        if size < 1 << 8:
            return bytes([0xD9, size]) + data
        if size < 1 << 16:
            return b"\xda" + struct.pack(">H", size) + data
        return b"\xdb" + struct.pack(">I", size) + data
    if isinstance(value, list) and len(value) < 16:
        return bytes([0x90 | len(value)]) + b"".join(packed(one) for one in value)
    raise Fault("entri berisi nilai yang tidak dikenal / an entry holds an unknown value")


def _number(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b", value) if value < 0 else bytes([value])
    for code, form, bits in _UNSIGNED if value >= 0 else _SIGNED:
        if -(1 << bits) <= value < 1 << bits:
            return bytes([code]) + struct.pack(form, value)
    raise Fault("angka terlalu besar / a number is too large")


class Export:
    """A file as it is: its head, its entries, and the signature with the bytes it is of, empty
    where it is gone."""

    def __init__(self, path: str) -> None:
        lines = Path(path).read_bytes().splitlines(keepends=True)
        self.head: dict[str, Any] = json.loads(lines[0]) if lines else {}
        if not isinstance(self.head, dict) or self.head.get("format") != FORMAT:
            raise Fault("bukan ekspor jejak audit / not an export of the audit trail")
        self.signature, self.signed = b"", b""
        last = json.loads(lines[-1]) if lines[-1].endswith(b"\n") and len(lines) > 1 else None
        if isinstance(last, dict) and "signature" in last:
            self.signature = bytes.fromhex(last["signature"])
            self.signed = b"".join(lines[:-1])
            lines = lines[:-1]
        whole = lines[1:] if lines[-1].endswith(b"\n") else lines[1:-1]
        self.entries: list[Any] = [json.loads(line) for line in whole]
        self.links = self._walk()

    def _walk(self) -> dict[int, bytes]:
        """The link after each entry by its number, each checked."""
        first, link = int(self.head["first"]), bytes.fromhex(self.head["before"])
        city = hashlib.sha256(OPENING + self.head["city"].encode()).digest()
        if first == 1 and link != city:
            raise Fault("awal jejak bukan milik kota ini / the trail does not begin as this city's")
        links = {first - 1: link}
        for number, entry in enumerate(self.entries, first):
            if not isinstance(entry, list) or len(entry) != 7 or entry[0] != number:
                raise Fault(
                    f"entri {number} hilang, disisipkan, atau berpindah / entry {number} is "
                    "missing, inserted or out of place"
                )
            link = hashlib.sha256(LINK + link + packed(entry[:6])).digest()
            if link.hex() != entry[6]:
                raise Fault(f"entri {number} diubah / entry {number} was altered")
            links[number] = link
        return links

    def is_whole(self) -> bool:
        """Are there just the entries that the head speaks of, and the signature?"""
        after = self.links[max(self.links)].hex()
        counted = len(self.entries) == self.head["count"] and after == self.head["after"]
        return counted and bool(self.signature)

    def is_signed(self) -> bool | None:
        """Did the key of the head sign it? None where `cryptography` is not installed."""
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError:
            return None
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.head["key"]))
        try:
            key.verify(self.signature, FORMAT.encode() + hashlib.sha256(self.signed).digest())
        except InvalidSignature:
            return False
        return True


def check(path: str, key: str = "", after: str = "") -> tuple[list[str], bool]:
    """What is shown, in words, and whether that is all; Fault for the first thing that does not
    hold."""
    export = Export(path)
    n = len(export.entries)
    said = [f"{n} entri, rantainya utuh / {n} entries, their chain holds"]
    if not export.is_whole():
        raise Fault("berkas terpotong atau bertambah / the file is cut off, or was added to")
    if key and key.strip().lower() != export.head["key"]:
        raise Fault("kuncinya bukan yang Anda berikan / the key is not the one you gave")
    proved = export.is_signed()
    if proved is False:
        raise Fault("tanda tangan kantor palsu / the office's signature is false")
    said.append(
        "tanda tangan benar / the signature is genuine" if proved else
        "TANDA TANGAN TIDAK DIPERIKSA, perlu paket cryptography / SIGNATURE NOT CHECKED"
    )  # fmt: skip
    said.append(f"sidik kunci / fingerprint: {fingerprint(export.head['key'])}")
    if after:
        said.append(_goes_on(Export(after), export))
    return said, bool(proved)


def _goes_on(earlier: Export, export: Export) -> str:
    """That this trail goes on from an earlier export."""
    if earlier.head["city"] != export.head["city"]:
        raise Fault("ekspor lama milik kota lain / the earlier export is another city's")
    shared = sorted(set(earlier.links) & set(export.links))
    if not shared:
        raise Fault("ada celah di antara kedua ekspor / there is a gap between the two exports")
    for number in shared:
        if earlier.links[number] != export.links[number]:
            raise Fault(
                f"jejak ditulis ulang sebelum entri {number + 1} / the trail was rewritten before "
                f"entry {number + 1}"
            )
    if max(earlier.links) > max(export.links):
        raise Fault("berakhir sebelum ekspor lama / this one ends before the earlier one")
    n = shared[-1]
    return f"melanjutkan ekspor lama sampai entri {n} / goes on from the earlier one at entry {n}"


def fingerprint(key: str) -> str:
    """What people compare: the beginning of the key's SHA-256, in groups of four."""
    digest = hashlib.sha256(bytes.fromhex(key)).hexdigest()[:32]
    return " ".join(digest[i : i + 4] for i in range(0, 32, 4))


def main(arguments: list[str] | None = None) -> int:
    """Exit code, see above."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file")
    parser.add_argument("--key", default="", help="the office's key, 64 hexadecimal digits")
    parser.add_argument("--after", default="", help="an earlier export that this one goes on from")
    options = parser.parse_args(arguments)
    try:
        said, whole = check(options.file, options.key, options.after)
    except Fault as fault:
        _tell(f"TIDAK UTUH / BROKEN: {fault}")
        return 1
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        _tell(f"TIDAK TERBACA / UNREADABLE: {type(error).__name__}: {error}")
        return 2
    for line in said:
        _tell(line)
    _tell("UTUH / IT HOLDS" if whole else "RANTAINYA UTUH / THE CHAIN HOLDS")
    return 0 if whole else 2


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
