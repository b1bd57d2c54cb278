"""Files of a simulated laptop: which there are, what central lacks of each, which may go.

The rules of naming, cutting, ordering and of central's word are the production `sync.transfer`.
"""

from __future__ import annotations

import copy

import msgspec

from sync.messages import BlobState, Checkpoint, Manifest
from sync.transfer import Parcel, Piece, after, in_order, manifest_of, next_pieces, sane

DAY_SECONDS = 86_400


class Paper(msgspec.Struct):
    """A file. state: waiting, verified or gone. covered, incarnation: as central proved it."""

    data: bytes
    manifest: Manifest
    parcel: Parcel
    log: bytes
    seq: int
    state: str = "waiting"
    incarnation: bytes = b""
    covered: int = 0
    at: int = 0


class Papers:
    """The files beside a laptop's database."""

    def __init__(self) -> None:
        self.files: dict[bytes, Paper] = {}

    def twin(self) -> Papers:
        other = Papers()
        other.files = {name: copy.copy(paper) for name, paper in self.files.items()}
        return other

    def add(self, data: bytes, lane: int, record: bytes, log: bytes, seq: int) -> Manifest:
        """Take a file in; it is sent once its entry is at central."""
        manifest = manifest_of(data)
        size, number = len(data), len(self.files)
        parcel = Parcel(manifest.blob, lane, "", record, number, size, ((0, size),))
        self.files.setdefault(manifest.blob, Paper(data, manifest, parcel, log, seq))
        return manifest

    def forget(self, log: bytes, numbers: set[int]) -> None:
        """The entries that spoke of them are lost, so nobody will ask for them."""
        files = self.files.items()
        gone = [name for name, one in files if one.log == log and one.seq in numbers]
        for name in gone:
            del self.files[name]

    def waiting(self, log: bytes, upto: int) -> bool:
        """Are there files of this log to be sent?"""
        files = self.files.values()
        return any(p.state == "waiting" and p.log == log and p.seq <= upto for p in files)

    def begin(self, incarnation: bytes) -> None:
        """What another central proved counts as unproved again."""
        for paper in self.files.values():
            if paper.state == "verified" and incarnation and paper.incarnation != incarnation:
                size = len(paper.data)
                paper.state = "waiting"
                paper.parcel = msgspec.structs.replace(
                    paper.parcel, known=False, missing=((0, size),)
                )

    def next(self, log: bytes, stored: int, room: int, most: int) -> list[Piece]:
        """What goes out next, of files that stored entries of this log speak of."""
        ready = [
            paper.parcel
            for paper in self.files.values()
            if paper.state == "waiting" and paper.log == log and paper.seq <= stored
        ]
        return next_pieces(in_order(ready), room, most)

    def hear(self, states: list[BlobState], checkpoint: Checkpoint) -> None:
        """Central's word on files."""
        for state in states:
            paper = self.files.get(state.blob)
            if paper is None or paper.state == "gone" or not sane(state, len(paper.data)):
                continue
            if state.verified:
                paper.state, paper.incarnation = "verified", checkpoint.incarnation
                paper.covered, paper.at = state.at, checkpoint.at
            elif not state.problem:
                paper.state = "waiting"
                paper.parcel = after(paper.parcel, state)

    def may_go(self, checkpoint: Checkpoint, decided: set[bytes], days: int) -> list[Paper]:
        """As the vault says it (`vault/attached.py`). decided: files all of whose entries are."""
        return [
            paper
            for name, paper in self.files.items()
            if paper.state == "verified"
            and paper.incarnation == checkpoint.incarnation
            and paper.covered < checkpoint.durable_seq
            and paper.at <= checkpoint.at - days * DAY_SECONDS
            and name in decided
        ]
