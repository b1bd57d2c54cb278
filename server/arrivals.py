"""Arrivals: files of requests on their way in, whatever road their pieces took.

Only files that the log has announced in a stored change are taken in or spoken of. A chunk counts
when it was proved by its hash and is on the disk; a file counts when all of it was read back and
hashes to its whole name. A refusal here (a full disk, a used-up share of the day) never touches the
changes that came along: it is said of the file, and the laptop keeps it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec
import structlog

from models.problems import Problem
from server.blobs import Shelf
from server.database.files import Announced, Blob
from server.database.registry import Door, Registry
from server.losses import Losses
from sync.known import LogState
from sync.messages import BlobState, Chunk, Manifest
from sync.transfer import Arrival, Part, check_manifest, is_whole, manifest_of, split, state_of

ASKED_MAX = 256
"""Files whose state is told at once."""

_REMEMBERED = 256
_LOCKS = 32
_DAY_SECONDS = 86_400

log_lines = structlog.get_logger(__name__)


class Limits(msgspec.Struct, frozen=True):
    """Bytes of files: that one laptop may bring in a day, and that one request may have."""

    day_bytes: int
    request_bytes: int


class Arrivals:
    """Takes pieces in and says what is still wanted. For any number of threads. spare: copies of
    files that a backup made."""

    def __init__(
        self, registry: Registry, shelf: Shelf, limits: Limits, spare: Shelf | None = None
    ) -> None:
        self.registry = registry
        self.shelf = shelf
        self.losses = Losses(registry, shelf, spare)
        self.limits = limits
        self._arrivals: dict[bytes, Arrival] = {}
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._uncounted: dict[bytes, int] = {}
        self._lying: dict[bytes, int] = {}  # name -> uploads that laid it and have not ended

    def take(
        self, log: LogState, manifests: Sequence[Manifest], chunks: Sequence[Chunk], at: int
    ) -> list[BlobState]:
        """Keep what came, durably, and give the state of each file that it was of. at: central's
        clock, Unix seconds. What belongs to no file of this log is not taken, whoever has it."""
        names = {m.blob for m in manifests} | {c.blob for c in chunks}
        with self.registry.read() as door:
            spoken = door.announced(log.id, names)
            known = door.blobs(spoken)
            room = self.limits.day_bytes - door.brought(log.device, at // _DAY_SECONDS)
        problems = self._take_manifests(manifests, spoken, known, at)
        room -= self._uncounted.get(log.device, 0)
        whole: set[bytes] = set()
        for name, pieces in _by_file(chunks).items():
            if name not in known or known[name].covered is not None or name in problems:
                continue
            size = sum(len(piece.data) for piece in pieces)
            if size > room:
                problems[name] = "blob.day_full"
                continue
            room -= size
            self._count(log.device, size)
            try:
                if self._take_chunks(known[name], pieces):
                    whole.add(name)
            except Problem as problem:
                problems[name] = problem.code
        self._note_whole(log, whole, at)
        strange = [
            BlobState(name, [], problem="blob.unannounced") for name in names - spoken.keys()
        ]
        return self._told(log, spoken, problems, at) + strange

    def states(self, log: LogState, names: Sequence[bytes], at: int) -> list[BlobState]:
        """The state of those of the named files that the log has announced, and of what was lost of
        its laptop's, asked or not. What is remembered of them is looked up anew on the disk:
        another process may have taken pieces in."""
        lost = self.losses.any(at)
        with self.registry.read() as door:
            spoken = set(door.announced(log.id, names[:ASKED_MAX]))
            if lost:
                spoken |= self.losses.of(door, log)
        for name in spoken:
            self._arrivals.pop(name, None)
        return self._told(log, spoken, {}, at)

    def read(self, blob: bytes) -> bytes:
        """A whole file, proved by its name. Problems blob.unknown, blob.waiting, blob.lost."""
        with self.registry.read() as door:
            found = door.blobs([blob]).get(blob)
        short = blob.hex()[:8]
        if found is None or found.covered is None:
            percent = 0 if found is None else self.percent(found)
            raise Problem("blob.waiting", blob=short, percent=percent)
        chunks = list(self.shelf.read(blob, found.size))
        if not is_whole(_manifest(found), chunks):
            return self.losses.found(found)
        return b"".join(chunk for chunk in chunks if chunk is not None)

    def percent(self, blob: Blob) -> int:
        """How much of a file is here, 0-100; 100 only when it is whole."""
        if blob.covered is not None:
            return 100
        with self._alone(blob.id):
            arrival = self._arrival(blob)
        missing = sum(end - start for start, end in arrival.missing)
        return min(99, 100 * (blob.size - missing) // blob.size)

    # -- of the office itself

    @contextmanager
    def lay(self, files: Sequence[bytes]) -> Iterator[list[Blob]]:
        """Whole files on the disk, sealed and durable, for the transaction inside that speaks of
        them (`arrived`). What the register does not know at the end leaves the disk again, unless
        another upload has just laid the same."""
        with ExitStack() as begun:
            laid = [self._laid_down(data, begun) for data in files]
            yield laid
            self.losses.mended([blob.id for blob in laid])  # committed
            for blob in laid:
                self._arrivals.pop(blob.id, None)  # a laptop may have sent a part of the same file

    def _laid_down(self, data: bytes, begun: ExitStack) -> Blob:
        made = manifest_of(data)
        with self._alone(made.blob):
            self._lying[made.blob] = self._lying.get(made.blob, 0) + 1
            begun.callback(self._let_go, made.blob)
            self.shelf.put(made.blob, made.size, list(enumerate(split(data))))
            if not is_whole(made, self.shelf.read(made.blob, made.size)):
                raise Problem("blob.lost", blob=made.blob.hex()[:8])
        return Blob(made.blob, made.size, made.hashes, None, 0)

    def _let_go(self, name: bytes) -> None:
        """One upload that laid this file has ended, one way or the other."""
        with self._alone(name):
            others = self._lying.pop(name) - 1
            if others:
                self._lying[name] = others
                return
            with self.registry.read() as door:
                known = name in door.blobs([name])
            if not known:
                self.shelf.delete(name)

    def expect(self, door: Door, laid: Sequence[Blob], record: bytes) -> None:
        """Problem blob.request_full where the files of a request would become too many bytes."""
        sizes = {b.id: b.size for b in (*door.blobs_of(record).values(), *laid)}
        if sum(sizes.values()) > self.limits.request_bytes:
            raise Problem("blob.request_full")

    def arrived(self, door: Door, laid: Sequence[Blob], at: int) -> None:
        """Note, in the transaction that speaks of them, that files of `lay` are whole."""
        door.keep_manifests([msgspec.structs.replace(blob, at=at) for blob in laid])
        known = door.blobs([blob.id for blob in laid])
        door.blobs_whole([name for name, blob in known.items() if blob.covered is None], at)

    # -- manifests

    def _take_manifests(
        self,
        manifests: Iterable[Manifest],
        spoken: dict[bytes, Announced],
        known: dict[bytes, Blob],
        at: int,
    ) -> dict[bytes, str]:
        """Note what files consist of; adds to `known`. Gives name -> code of what was refused."""
        problems: dict[bytes, str] = {}
        fresh: list[Blob] = []
        coming: Counter[bytes] = Counter()
        for manifest in manifests:
            announced = spoken.get(manifest.blob)
            if announced is None or manifest.blob in known:
                continue
            try:
                check_manifest(manifest)
                _fits(manifest, announced)
                self._check_request(announced, manifest.size + coming[announced.record])
            except Problem as problem:
                problems[manifest.blob] = problem.code
                continue
            blob = Blob(manifest.blob, manifest.size, manifest.hashes, None, at)
            known[manifest.blob] = blob
            coming[announced.record] += manifest.size
            fresh.append(blob)
        if fresh:
            with self.registry.write() as door:
                door.keep_manifests(fresh)
        return problems

    def _check_request(self, announced: Announced, size: int) -> None:
        with self.registry.read() as door:
            others = door.blobs_of(announced.record)
        if size + sum(blob.size for blob in others.values()) > self.limits.request_bytes:
            raise Problem("blob.request_full")

    # -- chunks

    def _take_chunks(self, blob: Blob, pieces: Iterable[Chunk]) -> bool:
        """Keep the pieces of one file; True when it is whole now."""
        with self._alone(blob.id):
            arrival = self._arrival(blob)
            try:
                self._keep(blob, arrival, pieces)
            except BaseException:
                self._arrivals.pop(blob.id, None)  # what is not on the disk is not remembered
                raise
            return arrival.complete and self._verify(blob)

    def _keep(self, blob: Blob, arrival: Arrival, pieces: Iterable[Chunk]) -> None:
        done: list[tuple[int, bytes]] = []
        parts: list[Part] = []
        for piece in pieces:
            taken = arrival.take(piece)
            done += taken.chunks
            finished = {index for index, _ in taken.chunks} | set(taken.damaged)
            parts = [part for part in [*parts, *taken.parts] if part.index not in finished]
        if done:
            self.shelf.put(blob.id, blob.size, done)
        if parts:
            self.shelf.put_parts(blob.id, blob.size, parts)

    def _verify(self, blob: Blob) -> bool:
        """Read everything back. What is not the file after all is looked up anew."""
        if is_whole(_manifest(blob), self.shelf.read(blob.id, blob.size)):
            return True
        log_lines.warning("blob_torn", blob=blob.id.hex()[:8])
        self._arrivals.pop(blob.id, None)
        return False

    def _arrival(self, blob: Blob) -> Arrival:
        """What is here of a file that is not whole. The lock of the file is held."""
        found = self._arrivals.get(blob.id)
        if found is None:
            present = self.shelf.present(blob.id, blob.size)
            parts = self.shelf.parts(blob.id, blob.size)
            found = Arrival(_manifest(blob), present, parts)
            while len(self._arrivals) >= _REMEMBERED:
                self._arrivals.pop(next(iter(self._arrivals)), None)
            self._arrivals[blob.id] = found
        return found

    def _note_whole(self, log: LogState, whole: Collection[bytes], at: int) -> None:
        """Commit that files are whole; only then anybody is told."""
        if not whole:
            return
        with self.registry.write() as door:
            door.blobs_whole(whole, at)
            door.add_brought(log.device, at // _DAY_SECONDS, self._uncounted.pop(log.device, 0))
        self.losses.mended(whole)
        for name in whole:
            self._arrivals.pop(name, None)
            self.shelf.drop_parts(name)

    def _count(self, device: bytes, size: int) -> None:
        """Bytes are counted in memory and noted with the next file that is whole: a share of the
        day is a courtesy among laptops, not an account."""
        self._uncounted[device] = self._uncounted.get(device, 0) + size

    # -- telling

    def _told(
        self, log: LogState, spoken: Collection[bytes], problems: dict[bytes, str], at: int
    ) -> list[BlobState]:
        with self.registry.read() as door:
            known = door.blobs(spoken)
        # A kill may have come between the last chunk of a file and the note that it is whole.
        ripe = {name for name, blob in known.items() if self._ripe(blob, problems)}
        if ripe:
            self._note_whole(log, ripe, at)
            return self._told(log, spoken, problems, at)
        return [self._state(known.get(name), name, problems.get(name, "")) for name in spoken]

    def _ripe(self, blob: Blob, problems: dict[bytes, str]) -> bool:
        """All of it is here and nobody has noted it. A disk that refuses is added to `problems`."""
        if blob.covered is not None or blob.id in problems:
            return False
        try:
            with self._alone(blob.id):
                return self._arrival(blob).complete and self._verify(blob)
        except Problem as problem:
            problems[blob.id] = problem.code
            return False

    def _state(self, blob: Blob | None, name: bytes, problem: str) -> BlobState:
        if blob is None:
            return BlobState(name, [], problem=problem)
        if blob.covered is not None:
            return BlobState(name, [], known=True, verified=True, at=blob.covered)
        if problem:
            return BlobState(name, [(0, blob.size)], known=True, problem=problem)
        with self._alone(name):
            return state_of(self._arrival(blob))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nobody in this process writes or reads a file meanwhile."""
        with ExitStack() as held:
            for lock in self._locks:
                held.enter_context(lock)
            yield

    @contextmanager
    def _alone(self, blob: bytes) -> Iterator[None]:
        """One thread at a time on one file."""
        with self._locks[blob[0] % _LOCKS]:
            yield


def _manifest(blob: Blob) -> Manifest:
    return Manifest(blob.id, blob.size, blob.hashes)


def _fits(manifest: Manifest, announced: Announced) -> None:
    """The size is the one that was signed; a preview has no more than a preview may have."""
    fits = manifest.size <= announced.size if announced.preview else manifest.size == announced.size
    if not fits:
        raise Problem("blob.manifest")


def _by_file(chunks: Iterable[Chunk]) -> dict[bytes, list[Chunk]]:
    found: dict[bytes, list[Chunk]] = {}
    for chunk in chunks:
        found.setdefault(chunk.blob, []).append(chunk)
    return found
