"""Cargo: files of requests that come by stick, perhaps before the changes that speak of them.

Over the network the changes always come first. A stick's volumes come in any order, so one whose
files nobody has spoken of yet is laid aside, sealed as it came, and read again when more of its log
has arrived. What is laid aside is bounded: a laptop sends it again as long as central has not
proved to have the files. One that ended the process again and again when it was read lies from then
on, as it came, until an engineer lets it be read again (`jemput-pusat device retry`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.problems import Problem
from server.database.registry import Registry
from server.files import private_folder, write_atomically
from server.reception import Reception
from sync import bundle, messages, seal
from sync.bundle import SUFFIX, VOLUME_BYTES_MAX
from sync.known import LogState
from sync.messages import Chunk, Manifest

FOLDER = "aside"
ASIDE_MAX = 64
"""Volumes laid aside for one laptop."""

LIES = ".lies"
"""Added to the name of a volume that is not read any more."""


class Cargo:
    """Takes files in by stick. folder: of central's data."""

    def __init__(self, registry: Registry, reception: Reception, folder: Path) -> None:
        self.registry = registry
        self.reception = reception
        self.folder = folder / FOLDER

    def take(self, device: bytes, frames: Sequence[bytes], at: int) -> tuple[set[bytes], bool]:
        """Keep the pieces in these sealed frames, whichever log of the laptop speaks of them. Gives
        the files that are whole now, and whether every piece found its place."""
        manifests: list[Manifest] = []
        chunks: list[Chunk] = []
        for frame in frames:
            purpose = seal.purpose_of(frame)
            data = seal.unseal(frame, self.reception.identity, purpose)
            if purpose == "manifest":
                manifests.append(messages.decode(data, Manifest))
            else:
                chunks.append(messages.decode(data, Chunk))
        named = {one.blob for one in manifests}
        left = {chunk.blob for chunk in chunks}
        whole: set[bytes] = set()
        for log in self._logs(device):
            if not left:
                break
            mine = [one for one in manifests if one.blob in left & named]
            parts = [one for one in chunks if one.blob in left]
            states = self.reception.files(log, mine, parts, at)
            whole |= {state.blob for state in states if state.verified}
            left -= {state.blob for state in states if state.known and not state.problem}
            left -= whole
        return whole, not left

    def _logs(self, device: bytes) -> list[LogState]:
        """The laptop's logs, newest first."""
        with self.registry.read() as door:
            return door.logs(device)[::-1]

    # -- laid aside

    def keep(self, device: bytes, name: bytes, k: int, data: bytes) -> None:
        """Lay a volume aside; beyond the bound nothing is, the laptop will send it again."""
        path = self._path(device, name, k)
        here = path.exists() or _lying(path).exists()
        if not here and len(self.waiting(device)) < ASIDE_MAX:
            private_folder(self.folder)
            write_atomically(path, data)

    def waiting(self, device: bytes) -> list[Path]:
        """Volumes laid aside for a laptop."""
        return sorted(self.folder.glob(f"{device.hex()}-*{SUFFIX}"))

    def devices(self) -> list[bytes]:
        """Laptops of which something is laid aside."""
        names = {path.name.partition("-")[0] for path in self.folder.glob(f"*{SUFFIX}")}
        return [bytes.fromhex(name) for name in sorted(names)]

    def volumes(self, device: bytes) -> list[tuple[Path, bytes]]:
        """The same with their bytes. One that cannot be read is passed over."""
        found: list[tuple[Path, bytes]] = []
        for path in self.waiting(device):
            try:
                with path.open("rb") as file:
                    found.append((path, file.read(VOLUME_BYTES_MAX + 1)))
            except OSError:
                continue
        return found

    def named(self) -> set[bytes]:
        """Names of the files of which pieces lie aside, in volumes that may be read or not."""
        found: set[bytes] = set()
        for path in sorted(self.folder.glob(f"*{SUFFIX}*")):
            try:
                frames = bundle.frames_of(bundle.parse(path.read_bytes()), self.reception.identity)
                for frame in frames:
                    purpose = bundle.purpose_of(frame)
                    if purpose == "manifest":
                        found.add(messages.decode(self._opened(frame, purpose), Manifest).blob)
                    elif purpose == "chunk":
                        found.add(messages.decode(self._opened(frame, purpose), Chunk).blob)
            except (Problem, OSError):
                continue  # damaged on this disk: no file can come of it
        return found

    def _opened(self, frame: bytes, purpose: str) -> bytes:
        return seal.unseal(frame, self.reception.identity, purpose)

    def let_lie(self, path: Path) -> None:
        """Reading this volume ended the process too often: it is not read any more."""
        path.replace(_lying(path))

    def let_try(self, device: bytes) -> int:
        """Read a laptop's volumes that lie again; gives how many."""
        lying = sorted(self.folder.glob(f"{device.hex()}-*{SUFFIX}{LIES}"))
        for path in lying:
            path.replace(path.with_name(path.name.removesuffix(LIES)))
        return len(lying)

    def _path(self, device: bytes, name: bytes, k: int) -> Path:
        return self.folder / f"{device.hex()}-{name.hex()}-{k}{SUFFIX}"


def _lying(path: Path) -> Path:
    return path.with_name(path.name + LIES)
