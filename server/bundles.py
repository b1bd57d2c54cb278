"""Bundles at central: what laptops send by USB stick is read here, and what goes back is made.

Reading is the same intake as over the network: each signed request is opened, verified and stored
by itself, so volumes may come in any order, from several sticks, twice, or after the radio. What is
missing is named by the volume it is in. A log that central does not know is let in only by what it
brings with it, an invitation or the word of the log it follows; without that nothing is stored.

A return bundle tells a laptop everything from the cursor central last heard of it, bound to its log
and a number of its own. A voyage pack is the same from the very beginning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from models.people import Act, require
from models.problems import Problem
from server.arrivals import ASKED_MAX
from server.auth import roles
from server.cargo import Cargo
from server.database.custody import Bundle, VolumeHere
from server.database.people import Person
from server.database.registry import Door, Registry
from server.enrolment import Devices
from server.keys import Entropy, Keys
from server.ledger import Door as LedgerDoor
from server.ledger import Ledger
from server.reception import Reception, not_ahead
from sync import bundle, messages, seal
from sync.bundle import NAME_BYTES, RETURN, VOLUME_BYTES_MAX, VOYAGE, WORK, Volume
from sync.known import LogState, Result
from sync.messages import BlobState, Contents, Cursor, Page, Reply, Request, Return
from sync.pull import runs

RELAY = "relay"
"""Who brought it, where nobody signed in: a laptop that carries for others."""

WAITING_TOLD_MAX = 5000
"""Entries of a log, newest first, of which a return bundle says that they wait."""


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


class Given(msgspec.Struct, frozen=True):
    """A bundle for a laptop. files: name and bytes of each volume."""

    bundle: str
    number: int
    device: str
    log: str
    start: int
    upper: int
    decisions: int
    words: tuple[str, ...]
    files: list[tuple[str, bytes]]


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
        entropy: Entropy,
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.reception = reception
        self.devices = devices
        self.cargo = cargo
        self.identity = keys.identity
        self.clock = clock
        self.entropy = entropy

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

    def _retry(self, device: bytes) -> None:
        for path, data in self.cargo.volumes(device):
            try:
                frames = bundle.frames_of(bundle.parse(data), self.identity)
                pieces = [f for f in frames if bundle.purpose_of(f) in ("manifest", "chunk")]
                _, placed = self.cargo.take(device, pieces, self.clock())
            except Problem:
                placed = True  # damaged on this disk: the laptop sends it again
            if placed:
                path.unlink(missing_ok=True)

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
            kept = msgspec.structs.replace(kept, spans=contents.volumes, number=reader.number)
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

    def waiting(self, me: Person) -> list[Waiting]:
        """What came and waits for what has not, with the volume that holds it."""
        require(roles(me), Act.IMPORT_BUNDLE)
        with self.registry.write() as door:
            came = [(one, door.volumes(one.name)) for one in door.bundles(WORK)]
            found = [
                waiting
                for log, first in door.gaps().items()
                for waiting in _waiting(door, log, first, came)
            ]
            door.audit(me.login, "bundle.waiting", "", {"n": len(found)}, self.clock())
        return found

    # -- making

    def give(
        self,
        me: Person | None,
        *,
        device: str = "",
        log: bytes = b"",
        whole: bool = False,
        most: int = VOLUME_BYTES_MAX,
    ) -> Given:
        """Make the bundle for a laptop, named, or for one of its logs.

        whole: a voyage pack, from the very beginning. most: bytes of a volume. Asked again before
        anything happened, it is the same bundle with the same number. Problems: device.unknown,
        bundle.no_log, sync.unknown_device.
        """
        if me is not None:
            require(roles(me), Act.IMPORT_BUNDLE)
        with self.registry.read() as door:
            state = _log_of(door, device, log)
            owner = door.device(state.device)
            standing = door.standing()
            heard = 0 if whole else min(door.heard_cursor(state.id), standing.server_seq)
            before = door.newest_return(state.id)
        start = Cursor(standing.incarnation, heard) if heard else Cursor()
        purpose = VOYAGE if whole else RETURN
        by = me.login if me is not None else RELAY
        number = before.number + 1 if before is not None else 1
        made = Bundle(
            self.entropy(NAME_BYTES), purpose, state.id, state.device, 0, number, heard,
            standing.server_seq, [], self.clock(), by,
        )  # fmt: skip
        if before is not None and _same(before, made):
            made = before
        parts = self._parts(state, start, made)
        upper = parts[-1][0].upper
        head = Return(made.name, state.id, made.number, made.at, start, upper, len(parts))
        files = self._volumes(state, purpose, head, parts, most)
        made = msgspec.structs.replace(made, n=len(files), upper=upper.server_seq)
        self._note_made(me, made, files, owner.name if owner is not None else "")
        digests = [bundle.parse(data).digest for _, data in files]
        return Given(
            bundle=bundle.label(made.name),
            number=made.number,
            device=owner.name if owner is not None else "",
            log=state.id.hex(),
            start=heard,
            upper=upper.server_seq,
            decisions=sum(len(page.decisions) for _, pages in parts for page in pages),
            words=bundle.words(made.name, digests),
            files=files,
        )

    def _parts(self, log: LogState, start: Cursor, made: Bundle) -> list[tuple[Reply, list[Page]]]:
        """The replies with their pages, as many as it takes to tell everything."""
        parts: list[tuple[Reply, list[Page]]] = []
        cursor = start
        while True:
            name = bundle.answer_name(log.id, made.name, made.number, len(parts))
            reply, pages = self.reception.tell(log.id, cursor, name)
            if not parts:
                files = self._files(log, start.server_seq)
                with self.registry.read() as door:
                    lineage = list(door.lineage())
                reply = msgspec.structs.replace(
                    reply, outcomes=self._told(log), blobs=files, lineage=lineage
                )
            parts.append((reply, pages))
            if not reply.more:
                return parts
            cursor = reply.upper

    def _files(self, log: LogState, since: int) -> list[BlobState]:
        """How the laptop's files stand, as far as that is news."""
        arrivals = self.reception.arrivals
        if arrivals is None:
            return []
        with self.registry.read() as door:
            names = door.news_of_files(log.id, since)
        at = self.clock()
        pieces = (names[i : i + ASKED_MAX] for i in range(0, len(names), ASKED_MAX))
        return [state for piece in pieces for state in arrivals.states(log, piece, at)]

    def _told(self, log: LogState) -> list[messages.Told]:
        """Entries that wait: no decision, and so no page, tells of them."""
        with self.registry.read() as door:
            results = door.results(log.id, max(1, log.seq - WAITING_TOLD_MAX), log.seq)
        waiting: list[tuple[int, Result]] = [(s, r) for s, r in results if r.state == "waiting"]
        return runs(waiting)

    def _volumes(
        self,
        log: LogState,
        purpose: str,
        head: Return,
        parts: Sequence[tuple[Reply, list[Page]]],
        most: int,
    ) -> list[tuple[str, bytes]]:
        me, to = self.identity, log.seal_key
        with self.registry.read() as door:
            certificate = self.devices.certificate(door, log, head.at)
        lead = [bundle.frame(messages.encode(head), "return", me, to), certificate]
        frames: list[bytes] = []
        for reply, pages in parts:
            frames.append(bundle.frame(messages.encode(reply), "reply", me, to))
            frames += [bundle.frame(messages.encode(page), "page", me, to) for page in pages]
        cuts = bundle.cut([len(f) for f in frames], sum(len(f) + 4 for f in lead), most)
        name, n = head.bundle, len(cuts)
        files: list[tuple[str, bytes]] = []
        for k, cut in enumerate(cuts, 1):
            inside = [*lead, *(frames[i] for i in cut)]
            data = bundle.close(inside, purpose, name, k, n, to)
            files.append((bundle.file_name(name, k, n), data))
        return files

    def _note_made(
        self, me: Person | None, made: Bundle, files: list[tuple[str, bytes]], device: str
    ) -> None:
        by, at = (me.login if me is not None else RELAY), self.clock()
        with self.registry.write() as door:
            fresh = door.bundle(made.name) is None
            door.keep_bundle(made)
            for k, (_, data) in enumerate(files, 1):
                here = VolumeHere(k, bundle.parse(data).digest, len(data), at, by)
                door.keep_volume(made.name, here)
            if me is not None or fresh:
                detail = {"device": device, "number": made.number, "volumes": len(files)}
                detail |= {"from": made.start, "to": made.upper}
                door.audit(by, f"bundle.{made.purpose}", made.name.hex(), detail, at)


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
        self.room.reception.ready()
        try:
            token = seal.unseal(frame, self.room.identity, "request")
            log, payload = self.room.reception.open(token)
            self._store(log, messages.decode(payload, Request))
        except Problem as problem:
            self.refused.append(problem)

    def _store(self, log: LogState, request: Request) -> None:
        at = self.room.clock()

        self.number = max(self.number, request.number)

        def note(door: LedgerDoor) -> None:
            """How far the laptop has read. A stick comes late: what it says counts if it says more
            than is known, or comes after every other stick of this log (a laptop that was put back
            has read less than before)."""
            assert isinstance(door, Door)
            cursor, standing = request.cursor, door.standing()
            not_ahead(cursor, standing)
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


def _same(before: Bundle, now: Bundle) -> bool:
    """Has nothing happened since the bundle before?"""
    then = (before.purpose, before.start, before.upper)
    return then == (now.purpose, now.start, now.upper)


def _log_of(door: Door, device: str, log: bytes) -> LogState:
    """The newest log of the named laptop, or the log itself."""
    if log:
        state = door.log(log)
        if state is None or state.central:
            raise Problem("sync.unknown_device")
        return state
    found = door.device_named(device.strip())
    if found is None:
        raise Problem("device.unknown", device=device[:40])
    logs = door.logs(found.id)
    if not logs:
        raise Problem("bundle.no_log", device=found.name)
    return logs[-1]


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
