"""Bundles: the laptop's work by USB stick, and what comes back, both ways and for others too.

    bundles.export(folder)     everything central has not proved to hold, onto a stick
    bundles.take(places)       return bundles read and taken in
    bundles.carry(places)      volumes for somebody else, taken into custody unopened
    bundles.hand_over(folder)  the same, written to the next stick

What is exported stays in the queue until central's proof covers it: a stick may be lost, arrive
late, twice or after the radio, and nothing comes of it but the same entries once more.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from field_client import inbox, loading, succession, training
from field_client.courier import Confirmed, SyncLock
from field_client.desk import Desk
from field_client.inbox import Refused, RosterFiles, Taken
from field_client.introduction import introduction
from field_client.loading import Load
from field_client.orders import obey, shred
from field_client.settings import Place
from field_client.transports import usb
from field_client.transports.usb import Piece, Progress, unwatched
from field_client.vault.custody import CARRIED, EXPORTED, HANDED, RELAYED, Handled, Slip
from field_client.vault.files import private_folder, write_atomically
from field_client.vault.logs import OwnLog
from field_client.vault.store import Store
from models.problems import Problem
from sync import bundle, enrolment
from sync.bundle import NAME_BYTES, VOLUME_BYTES_MAX, WORK, Header
from sync.messages import Contents, Span, encode

CARRIED_FOLDER = "carried"
LEFT_BYTES = 512 * 1024 * 1024
"""Of the disk, that what is carried for others does not take."""


class Exported(msgspec.Struct, frozen=True):
    """What was written to a stick. first, last: of the newest log's entries (0: none). left: what
    did not fit and waits for the next stick. known: central has certified this laptop."""

    bundle: str
    files: tuple[str, ...]
    size: int
    words: tuple[str, ...]
    entries: int
    last: int
    left: int
    known: bool


class Carried(msgspec.Struct, frozen=True):
    """Volumes of one bundle in custody here. words: where all of them are here."""

    bundle: str
    name: bytes
    purpose: str
    volumes: tuple[int, ...]
    n: int
    size: int
    words: tuple[str, ...] = ()


def on_the_way(store: Store) -> list[Handled]:
    """Exports of which central has not proved yet to hold everything, newest first."""
    stored = {log.id: log.stored for log in store.logs()}
    made = store.custody.of(EXPORTED)
    return [one for one in made if one.slip.last > stored.get(one.slip.log, 0)]


class Bundles:
    """What may be done with sticks at this laptop. Not for several threads at once."""

    def __init__(
        self,
        desk: Desk,
        place: Place,
        progress: Progress = unwatched,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.desk = desk
        self.store = desk.store
        self.folder = place.folder
        self.progress = progress
        self.entropy = entropy

    # -- to central

    def export(
        self, folder: Path, limit: int | None = None, volume_bytes: int = VOLUME_BYTES_MAX
    ) -> Exported:
        """Write everything central has not proved to hold. When this returns the stick may go.

        limit: bytes the stick may take; the oldest work goes first. volume_bytes: of a file.
        Problems: usb.*, sync.busy, bundle.too_large.
        """
        training.refuse(self.store)
        usb.check_room(folder, 0)
        with self._alone():
            if self.store.restored:
                succession.after_copy(self.desk)
            obey(self.desk)
            lead, known = self._lead()
            due = self._due()
            loads = [load for log in due for load in loading.requests(self.desk, log)]
            loads += loading.files(self.desk, self.store.logs())
            kept = loading.within(loads, _size(lead), limit, volume_bytes)
            made = self._write(folder, lead, kept, known, volume_bytes)
            shred(self.desk, delivered=made.left == 0)
            return made

    def _alone(self) -> SyncLock:
        return SyncLock(self.folder / "sync.lock", wait=0)

    def _due(self) -> list[OwnLog]:
        """Older logs that still have something to send, then the newest."""
        *older, newest = self.store.logs()
        return [log for log in older if log.stored < log.seq] + [newest]

    def _lead(self) -> tuple[list[bytes], bool]:
        """What every volume begins with so that it can be read alone by a central that does not
        know this laptop, perhaps because it was put back from a backup: its logs, oldest first,
        since each is vouched for by the one before. Also: does central know all of them?"""
        confirmed = self.store.recall(Confirmed) or Confirmed()
        central, logs = self.desk.invitation(), self.store.logs()
        asked = [(introduction(self.desk, self.folder, log), log.identity) for log in logs]
        frames = [enrolment.ask(said, me, central.seal_key) for said, me in asked]
        return frames, all(log.id in confirmed.logs for log in logs)

    def _write(
        self, folder: Path, lead: list[bytes], loads: Sequence[Load], known: bool, most: int
    ) -> Exported:
        central, me = self.desk.invitation(), self.store.log()
        name = self.entropy(NAME_BYTES)
        sizes = [load.size for load in loads]
        spans = [load.span for load in loads if load.span is not None]
        room = _size(lead) + loading.contents_room(len(spans), sum(sizes), most)
        cuts = bundle.cut(sizes, room, most)
        volumes = [[s for i in cut if (s := loads[i].span) is not None] for cut in cuts]
        here = self.store.recall(RosterFiles) or RosterFiles()
        lists = [digest[:8] for digest in here.names]
        sight = msgspec.structs.replace(self.store.sight(), rosters=lists)
        contents = encode(Contents(name, self.desk.facts().at, volumes, sight))
        cover = bundle.frame(contents, "contents", me.identity, central.seal_key)
        digests: list[bytes] = []

        def volume(k: int, cut: range) -> bytes:
            inside = (frame for i in cut for frame in loads[i].make())
            frames = [cover, *lead, *inside]
            data = bundle.close(frames, WORK, name, k, len(cuts), central.seal_key)
            digests.append(data[-bundle.DIGEST_BYTES :])
            return data

        pieces = [
            Piece(
                bundle.file_name(name, k, len(cuts)),
                room + bundle.OVERHEAD + sum(sizes[i] for i in cut),
                partial(volume, k, cut),
            )
            for k, cut in enumerate(cuts, 1)
        ]
        written = usb.write_set(folder, pieces, self.progress)
        names = [piece.name for piece in pieces]
        size = sum(amount for amount, _ in written)
        return self._noted(name, names, size, bundle.words(name, digests), spans, me, known)

    def _noted(
        self,
        name: bytes,
        names: list[str],
        size: int,
        words: tuple[str, ...],
        spans: Sequence[Span],
        me: OwnLog,
        known: bool,
    ) -> Exported:
        """Write the export into the custody log, after it is on the stick."""
        n = len(names)
        entries = sum(span.last - span.first + 1 for span in spans)
        last = max((span.last for span in spans if span.log == me.id), default=0)
        log = me.id if last or not spans else spans[-1].log
        slip = Slip(
            WORK, tuple(range(1, n + 1)), n, size, words, log=log, last=last, entries=entries
        )
        self._note(EXPORTED, name, slip)
        left = self.store.standing().unsent - entries
        return Exported(
            bundle.label(name), tuple(names), size, words, entries, last, max(0, left), known
        )

    def _note(self, act: str, name: bytes, slip: Slip) -> None:
        at, who = self.desk.facts().at, self.desk.operator.name
        self.store.custody.add(at, who, act, name, slip)

    # -- from central

    def take(self, places: Iterable[Path]) -> tuple[list[Taken], list[Refused]]:
        """Read return bundles from files and folders; what of them is new is taken in, each page
        in one commit. Volumes that come alone are kept until the others are here.

        A folder may hold anything: what is not for this laptop is passed over. What was named
        itself and cannot be read is refused.
        """
        with self._alone():
            if self.store.restored:
                succession.after_copy(self.desk)
            refused = inbox.put(self.desk, self.folder, places)
            taken, forged = inbox.empty(self.desk, self.folder, self.progress)
            for one in taken:
                one.orders += obey(self.desk)
            shred(self.desk)  # what waits goes out with the next stick or network first
        return taken, refused + forged

    def on_the_way(self) -> list[Handled]:
        """Exports of which central has not proved yet to hold everything, newest first."""
        return on_the_way(self.store)

    def history(self) -> list[Handled]:
        """The custody log, newest first."""
        return self.store.custody.newest()

    # -- for others

    def carry(self, places: Iterable[Path], party: str = "") -> list[Carried]:
        """Take volumes for somebody else into custody. party: who handed them over.

        Each file is checked for being whole; nobody here can open it. All of them are, before the
        first is taken. Problems: bundle.*, usb.*, disk.full for what would take the room that this
        laptop's own work needs.
        """
        given = list(places)
        need = LEFT_BYTES
        for _, data in usb.volumes_in(given):
            bundle.parse(data)
            need += len(data)
        if shutil.disk_usage(self.folder).free < need:
            raise Problem("disk.full", path=str(self.folder))
        return self.keep((data for _, data in usb.volumes_in(given)), party)

    def keep(self, files: Iterable[bytes], party: str) -> list[Carried]:
        """The same, of bytes that came by another road. Volumes for this laptop are passed over."""
        folder = private_folder(self.folder / CARRIED_FOLDER)
        own = inbox.own_keys(self.store)
        names: set[bytes] = set()
        for volume in map(bundle.parse, files):
            header = volume.header
            if header.recipient in own:
                continue
            path = folder / f"{header.name.hex()}-{header.k}{bundle.SUFFIX}"
            if not path.exists():
                write_atomically(path, volume.plain + volume.body + volume.digest)
            names.add(header.name)
        carried = [one for one in self.carried() if one.name in names]
        for one in carried:
            self._note(CARRIED, one.name, _slip(one, party))
        return carried

    def carried(self) -> list[Carried]:
        """What is in custody here, by bundle."""
        folder = self.folder / CARRIED_FOLDER
        sets: dict[bytes, list[tuple[Header, bytes, int]]] = {}
        for path in sorted(folder.glob(f"*{bundle.SUFFIX}")) if folder.is_dir() else ():
            data = usb.read_volume(path)
            volume = bundle.parse(data, path.name)
            sets.setdefault(volume.header.name, []).append(
                (volume.header, volume.digest, len(data))
            )
        return [_carried(name, sorted(found)) for name, found in sorted(sets.items())]

    def hand_over(
        self, folder: Path, labels: Sequence[str] = (), party: str = "", *, keep: bool = False
    ) -> list[Carried]:
        """Write what is carried (all, or the named bundles) to a stick, and note who got it.

        keep: leave it in custody here as well. Problems: bundle.unknown, usb.*.
        """
        found = self.carried()
        unknown = set(labels) - {one.bundle for one in found}
        if unknown or not found:
            raise Problem("bundle.unknown", bundle=", ".join(sorted(unknown)) or "-")
        chosen = [one for one in found if not labels or one.bundle in labels]
        pieces = [piece for one in chosen for piece in self._pieces(one)]
        usb.write_set(folder, pieces, self.progress)
        for one in chosen:
            self._note(HANDED, one.name, _slip(one, party))
            if not keep:
                self.drop(one)
        return chosen

    def _pieces(self, one: Carried) -> list[Piece]:
        pieces: list[Piece] = []
        for k in one.volumes:
            data = self.volume_of(one, k)
            name = bundle.file_name(one.name, k, one.n)
            pieces.append(Piece(name, len(data), lambda data=data: data))  # type: ignore[misc]
        return pieces

    def volume_of(self, one: Carried, k: int) -> bytes:
        """The bytes of a carried volume."""
        return usb.read_volume(self._path(one, k))

    def relayed(self, one: Carried, party: str) -> None:
        """Central has it: note that, and end the custody."""
        self._note(RELAYED, one.name, _slip(one, party))
        self.drop(one)

    def drop(self, one: Carried) -> None:
        """Custody ends: somebody else has it now."""
        for k in one.volumes:
            self._path(one, k).unlink(missing_ok=True)

    def _path(self, one: Carried, k: int) -> Path:
        return self.folder / CARRIED_FOLDER / f"{one.name.hex()}-{k}{bundle.SUFFIX}"


def _size(frames: Sequence[bytes]) -> int:
    return sum(len(frame) + loading.FRAME_LENGTH for frame in frames)


def _carried(name: bytes, found: list[tuple[Header, bytes, int]]) -> Carried:
    header = found[0][0]
    here = tuple(head.k for head, _, _ in found)
    whole = len(here) == header.n
    words = bundle.words(name, [digest for _, digest, _ in found]) if whole else ()
    size = sum(size for _, _, size in found)
    return Carried(bundle.label(name), name, header.purpose, here, header.n, size, words)


def _slip(one: Carried, party: str) -> Slip:
    return Slip(one.purpose, one.volumes, one.n, one.size, one.words, party[:100])
