"""Bundles at central: what laptops send by USB stick is read here, and what goes back is made.

Reading is the same intake as over the network: each signed request is opened, verified and stored
by itself, so volumes may come in any order, from several sticks, twice, or after the radio. What is
missing is named by the volume it is in. A log that central does not know is let in only by what it
brings with it, an invitation or the word of the log it follows; without that nothing is stored.

What goes back to laptops is made in `server.returns`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog

from models.people import Act, require
from models.problems import Problem
from server.auth import roles
from server.cargo import Cargo
from server.database.custody import Bundle, VolumeHere
from server.database.devices import Device
from server.database.people import Person
from server.database.registry import Door, Registry
from server.enrolment import Devices
from server.keys import Keys
from server.ledger import ATTEMPTS_MAX, NUMBER_MAX, Ledger, places
from server.ledger import Door as LedgerDoor
from server.reception import Reception, not_ahead, not_aside
from sync import bundle, messages, seal
from sync.bundle import RETURN, VOYAGE, WORK, Volume
from sync.known import LogState
from sync.messages import Contents, Request

RELAY = "relay"
"""Who brought it, where nobody signed in: a laptop that carries for others."""


log_lines = structlog.get_logger(__name__)


class Imported(msgspec.Struct, frozen=True):
    """What one volume brought. fresh: entries stored that were not before; ahead: entries kept
    until what lies before them comes; files: whole now; aside: its files wait for the changes that
    speak of them; upto: its log is stored so far without a gap. outcomes:
    outcome -> entries. missing: volumes of this bundle that are still waited for. words: once all
    volumes were here. refused: requests that could not be taken. again: it was read before."""

    bundle: str
    name: str
    volume: int
    n: int
    device: str
    log: str
    fresh: int
    ahead: int
    upto: int
    outcomes: dict[str, int]
    missing: list[int]
    words: tuple[str, ...]
    enrolled: bool
    again: bool
    files: int = 0
    aside: bool = False
    refused: tuple[str, ...] = ()


class Waiting(msgspec.Struct, frozen=True):
    """Work that came and waits for what has not. volumes: the numbers to look for, of n, where a
    bundle is known to hold it; first, last: the missing entries."""

    device: str
    log: str
    first: int
    last: int
    bundle: str = ""
    volumes: tuple[int, ...] = ()
    n: int = 0


class Handled(msgspec.Struct, frozen=True):
    """A bundle that came or was made here. purpose: work (from a laptop), return or voyage (to
    one). volumes: numbers of those that were here, of n. words: once all were. at: Unix seconds;
    by: who brought it or took it."""

    bundle: str
    purpose: str
    device: str
    office: str
    number: int
    n: int
    volumes: tuple[int, ...]
    bytes: int
    words: tuple[str, ...]
    at: int
    by: str


class Bundles:
    """The USB road at central. `clock` gives Unix seconds."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        reception: Reception,
        devices: Devices,
        cargo: Cargo,
        keys: Keys,
        clock: Callable[[], int],
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.reception = reception
        self.devices = devices
        self.cargo = cargo
        self.identity = keys.identity
        self.clock = clock

    # -- reading

    def take(self, me: Person | None, data: bytes, file: str = "") -> Imported:
        """Read one volume. me: who brought it; None for a laptop that relays it by network.

        Problems: bundle.*, auth.forbidden, invitation.*; nothing is stored then.
        """
        if me is not None:
            require(roles(me), Act.IMPORT_BUNDLE)
        self.reception.ready()
        volume = bundle.parse(data, file)
        if volume.header.purpose != WORK:
            raise Problem("bundle.wrong_way", bundle=bundle.label(volume.header.name))
        frames: dict[str, list[bytes]] = {}
        for frame in bundle.frames_of(volume, self.identity):
            frames.setdefault(bundle.purpose_of(frame), []).append(frame)
        introductions = frames.get("enrol", [])
        refusals = self._introduce(introductions)
        introduced = len(refusals) < len(introductions)
        log, contents = self._contents(volume, frames.get("contents", []), refusals)
        reader = _Reader(self, log)
        for frame in frames.get("request", []):
            reader.read(frame)
        reader.read_files([*frames.get("manifest", []), *frames.get("chunk", [])])
        if reader.aside:
            self.cargo.keep(log.device, volume.header.name, volume.header.k, data)
        noted = self._noted(me, volume, len(data), contents, reader, introduced)
        self._retry(log.device)
        return noted

    def retry(self) -> None:
        """Volumes laid aside may find their place now: their changes came by another road."""
        for device in self.cargo.devices():
            self._retry(device)

    def try_again(self, device: bytes) -> int:
        """Read once more the volumes of a laptop that ended the process: an engineer has mended
        that. Gives how many."""
        n = self.cargo.let_try(device)
        self._retry(device)
        return n

    def _retry(self, device: bytes) -> None:
        """Each attempt is counted before it is made, and one volume that fails stands in the way of
        no other; what failed too often lies."""
        for path, data in self.cargo.volumes(device):
            key = (hashlib.sha256(data).digest()[:16], 0, "aside")
            if self.registry.attempt(*key) >= ATTEMPTS_MAX:
                self._let_lie(device, path)
            elif not self._placed(device, path, data):
                continue  # counted: a try that failed
            self.registry.attempted(*key)

    def _placed(self, device: bytes, path: Path, data: bytes) -> bool:
        """Read a volume; once its files have found their place it goes. False where it failed."""
        try:
            frames = bundle.frames_of(bundle.parse(data), self.identity)
            pieces = [f for f in frames if bundle.purpose_of(f) in ("manifest", "chunk")]
            _, placed = self.cargo.take(device, pieces, self.clock())
        except Problem:
            placed = True  # damaged on this disk: the laptop sends it again
        except Exception as error:
            log_lines.error("volume_failed", device=device.hex(), at=places(error))
            return False
        if placed:
            path.unlink(missing_ok=True)
        return True

    def _let_lie(self, device: bytes, path: Path) -> None:
        log_lines.error("volume_lies", device=device.hex())
        self.cargo.let_lie(path)
        with self.registry.write() as door:
            door.audit("system", "bundle.lies", device.hex(), {"n": ATTEMPTS_MAX}, self.clock())

    def _introduce(self, frames: Sequence[bytes]) -> list[Problem]:
        """Let in the logs that bring what lets them in, oldest first; gives the refusals."""
        refusals: list[Problem] = []
        for frame in frames:
            try:
                self.devices.enrol(frame)
            except Problem as problem:
                refusals.append(problem)
        return refusals

    def _contents(
        self, volume: Volume, frames: Sequence[bytes], refusals: list[Problem]
    ) -> tuple[LogState, Contents]:
        """Whose bundle it is, and what its volumes hold, as the laptop signed it."""
        name = bundle.label(volume.header.name)
        if len(frames) != 1:
            raise Problem("bundle.altered", file=name)
        token = seal.unseal(frames[0], self.identity, "contents")
        with self.registry.read() as door:
            log = door.log(seal.peek(token).signer)
        if log is None or log.central:
            raise refusals[-1] if refusals else Problem("bundle.unknown_device", bundle=name)
        payload = bundle.unpacked(token, log.key, "contents", self.identity)
        contents = messages.decode(payload, Contents)
        header = volume.header
        if contents.bundle != header.name or len(contents.volumes) != header.n:
            raise Problem("bundle.altered", file=name)
        return log, contents

    def _noted(
        self,
        me: Person | None,
        volume: Volume,
        size: int,
        contents: Contents,
        reader: _Reader,
        introduced: bool,
    ) -> Imported:
        header, log, at = volume.header, reader.log, self.clock()
        by = me.login if me is not None else RELAY
        with self.registry.write() as door:
            device = door.device(log.device)
            kept = Bundle(header.name, WORK, log.id, log.device, header.n, at=at, by=by)
            kept = msgspec.structs.replace(
                kept, spans=contents.volumes, sight=contents.sight, number=reader.number
            )
            door.keep_bundle(kept)
            here = VolumeHere(header.k, volume.digest, size, at, by)
            again = not door.keep_volume(header.name, here)
            found = door.volumes(header.name)
            detail: dict[str, Any] = {"device": device.name if device is not None else ""}
            detail |= {"volume": header.k, "of": header.n, "fresh": reader.fresh, "again": again}
            if me is not None or not again:
                door.audit(by, Act.IMPORT_BUNDLE, header.name.hex(), detail, at)
            stored = door.log(log.id)
            missing = _missing(door, kept, found)
        whole = len(found) == header.n
        digests = [found[k].digest for k in sorted(found)]
        return Imported(
            bundle=bundle.label(header.name),
            name=header.name.hex(),
            volume=header.k,
            n=header.n,
            device=device.name if device is not None else "",
            log=log.id.hex(),
            fresh=reader.fresh,
            ahead=reader.ahead,
            upto=stored.seq if stored is not None else 0,
            outcomes=dict(sorted(reader.outcomes.items())),
            missing=missing,
            words=bundle.words(header.name, digests) if whole else (),
            enrolled=introduced,
            again=again,
            files=len(reader.files),
            aside=reader.aside,
            refused=tuple(problem.code for problem in reader.refused),
        )

    def custody(self, me: Person, purpose: str = "", limit: int = 50) -> list[Handled]:
        """What came by stick and what was made for laptops, newest first."""
        require(roles(me), Act.IMPORT_BUNDLE)
        wanted = [purpose] if purpose in (WORK, RETURN, VOYAGE) else [WORK, RETURN, VOYAGE]
        with self.registry.read() as door:
            found = [one for some in wanted for one in door.bundles(some, limit)]
            found.sort(key=lambda one: (-one.at, one.name))
            here = door.volumes_of([one.name for one in found[:limit]])
            devices = {device.id: device for device in door.devices()}
        return [_handled(one, here[one.name], devices.get(one.device)) for one in found[:limit]]

    def waiting(self, me: Person) -> list[Waiting]:
        """What came and waits for what has not, with the volume that holds it."""
        require(roles(me), Act.IMPORT_BUNDLE)
        with self.registry.write() as door:
            bundles = door.bundles(WORK)
            here = door.volumes_of([one.name for one in bundles])
            came = [(one, here[one.name]) for one in bundles]
            found = [
                waiting
                for log, first in door.gaps().items()
                for waiting in _waiting(door, log, first, came)
            ]
            door.audit(me.login, "bundle.waiting", "", {"n": len(found)}, self.clock())
        return found


class _Reader:
    """Takes the requests of one volume through intake, one after the other."""

    def __init__(self, room: Bundles, log: LogState) -> None:
        self.room = room
        self.log = log
        self.fresh = self.ahead = 0
        self.outcomes: Counter[str] = Counter()
        self.refused: list[Problem] = []
        self.files: set[bytes] = set()
        self.aside = False
        self.number = 0
        with room.registry.read() as door:
            self._before = door.newest_number(WORK, log.id)

    def read_files(self, frames: Sequence[bytes]) -> None:
        """Keep what a volume brings of files."""
        if not frames:
            return
        try:
            took = self.room.cargo.take(self.log.device, frames, self.room.clock())
        except Problem as problem:
            self.refused.append(problem)
            return
        self.files, placed = took
        self.aside = not placed

    def read(self, frame: bytes) -> None:
        """Store what one request brings. One that cannot be taken does not stop the others."""
        try:
            token = seal.unseal(frame, self.room.identity, "request")
            log, payload = self.room.reception.open(token)
            self._store(log, messages.decode(payload, Request))
        except Problem as problem:
            self.refused.append(problem)

    def _store(self, log: LogState, request: Request) -> None:
        at = self.room.clock()

        self.number = max(self.number, min(request.number, NUMBER_MAX))

        def note(ledger: LedgerDoor) -> None:
            """How far the laptop has read. A stick comes late: what it says counts if it says more
            than is known, or comes after every other stick of this log (a laptop that was put back
            has read less than before)."""
            door = cast(Door, ledger)  # the register's, whatever it stands on
            cursor, standing = request.cursor, door.standing()
            not_ahead(cursor, standing)
            not_aside(door, cursor)
            known = cursor.server_seq >= door.heard_cursor(log.id)
            same = cursor.incarnation in (b"", standing.incarnation)
            if same and (known or request.number > self._before):
                door.heard(log.id, at, request.build, request.at, cursor.server_seq)

        if request.batch is None or not request.batch.entries:
            with self.room.registry.write() as door:
                note(door)
            return
        stored = self.room.ledger.store(log.id, request.batch, at, note)
        self.fresh += stored.log.seq - log.seq
        if stored.missing is not None:
            self.ahead += len(request.batch.entries)
        self.outcomes.update(result.state for _, result in stored.results)


def _handled(one: Bundle, here: dict[int, VolumeHere], device: Device | None) -> Handled:
    whole = len(here) == one.n
    digests = [here[k].digest for k in sorted(here)]
    names = (device.name, device.office_name) if device is not None else ("", "")
    return Handled(
        bundle.label(one.name),
        one.purpose,
        *names,
        one.number,
        one.n,
        tuple(sorted(here)),
        sum(volume.size for volume in here.values()),
        bundle.words(one.name, digests) if whole else (),
        one.at,
        one.by,
    )


def _missing(door: Door, one: Bundle, here: dict[int, VolumeHere]) -> list[int]:
    """Volumes of the bundle that are still to come: not read, and not brought by another road."""
    missing: list[int] = []
    for k in range(1, one.n + 1):
        if k in here:
            continue
        spans = one.spans[k - 1] if k <= len(one.spans) else []
        logs = [(door.log(span.log), span.last) for span in spans]
        stored = all(log is not None and log.seq >= last for log, last in logs)
        if not spans or not stored:
            missing.append(k)
    return missing


def _waiting(
    door: Door, name: bytes, first: int, came: Sequence[tuple[Bundle, dict[int, VolumeHere]]]
) -> list[Waiting]:
    """What a log with a gap waits for, by bundle; one line without a bundle where none is known."""
    log = door.log(name)
    if log is None or first <= log.seq + 1:
        return []
    device = door.device(log.device)
    owner = device.name if device is not None else ""
    gap = (log.seq + 1, first - 1)
    found: list[Waiting] = []
    for one, here in came:
        holding = tuple(
            k
            for k, spans in enumerate(one.spans, 1)
            if k not in here and any(_meets(span, name, gap) for span in spans)
        )
        if holding:
            label = bundle.label(one.name)
            found.append(Waiting(owner, name.hex(), *gap, label, holding, one.n))
    return found or [Waiting(owner, name.hex(), *gap)]


def _meets(span: messages.Span, log: bytes, gap: tuple[int, int]) -> bool:
    return span.log == log and span.first <= gap[1] and span.last >= gap[0]
