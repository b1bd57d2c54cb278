"""Returns: bundles for laptops, to be carried to them by anybody.

A return bundle tells a laptop everything from the cursor central last heard of it, bound to its log
and a number of its own. A voyage pack fills a new laptop, or one that is lent villages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from models.people import Act, require
from models.problems import Problem
from server.arrivals import ASKED_MAX
from server.auth import roles
from server.bundles import RELAY
from server.database.custody import Bundle, VolumeHere
from server.database.people import Person
from server.database.registry import Door, Registry
from server.enrolment import Devices
from server.keys import Entropy, Keys
from server.reception import OUT_OF_HAND, Reception
from server.rosters import Rosters
from sync import bundle, messages
from sync.bundle import NAME_BYTES, RETURN, VOLUME_BYTES_MAX, VOYAGE
from sync.known import LogState, Result
from sync.messages import BlobState, Cursor, Page, Reply, Return, RosterPage
from sync.pull import runs

WAITING_TOLD_MAX = 5000
"""Entries of a log, newest first, of which a return bundle says that they wait."""


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


class Returns:
    """What goes back by stick. `clock` gives Unix seconds."""

    def __init__(
        self,
        registry: Registry,
        reception: Reception,
        devices: Devices,
        keys: Keys,
        clock: Callable[[], int],
        entropy: Entropy,
        rosters: Rosters | None = None,
    ) -> None:
        self.registry = registry
        self.reception = reception
        self.devices = devices
        self.identity = keys.identity
        self.clock = clock
        self.entropy = entropy
        self.rosters = rosters

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
            heard = min(door.heard_cursor(state.id), standing.server_seq)
            before = door.newest_return(state.id)
            fills = self._fills(door, state, whole=whole)
            sight = door.newest_sight(state.id)
        start = Cursor(standing.incarnation, heard) if heard else Cursor()
        purpose = VOYAGE if whole else RETURN
        by = me.login if me is not None else RELAY
        number = before.number + 1 if before is not None else 1
        made = Bundle(
            self.entropy(NAME_BYTES), purpose, state.id, state.device, 0, number, heard,
            standing.server_seq, at=self.clock(), by=by,
        )  # fmt: skip
        if before is not None and _same(before, made) and before.at >= self._published():
            made = before
        recent = sight.recent if sight is not None and not whole else None
        package = sight.reference if sight is not None and not whole else None
        also = (recent or (0, 0), package or (0, 0, 0))
        parts = self._parts(state, start, made, fills, also)
        upper = parts[-1][0].upper
        held = sight.rosters if sight is not None and not whole else []
        lists = self._lists(state, held, made)
        head = Return(made.name, state.id, made.number, made.at, start, upper, len(parts))
        files = self._volumes(state, purpose, head, parts, lists, most)
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

    def _fills(self, door: Door, log: LogState, *, whole: bool) -> list[tuple[str, int]]:
        """Villages to tell from their beginning, or from where the laptop said by stick that it
        is. Of a scope it has not heard of yet nobody knows which are new to it: all are told, and
        the laptop passes over those it has."""
        scope, _ = self.reception.reach(door, log, self.clock())
        everything = [(village, 0) for village in scope.villages]
        if whole:
            return everything
        sight = door.newest_sight(log.id)
        if sight is None or sight.scope == 0:
            return []
        return list(sight.fills) if sight.scope == scope.number else everything

    def _published(self) -> int:
        """When anything was last given out that is no decision: lists, or reference data."""
        with self.registry.read() as door:
            times = [one.at for one in door.packages()[:1]]
            times += [one.at for one in door.kept_rosters(None, "")]
        return max(times, default=0)

    def _lists(self, log: LogState, held: Sequence[bytes], made: Bundle) -> list[RosterPage]:
        """Lists of residents of the laptop's villages that it does not hold; none for a laptop that
        may be in anybody's hands."""
        if self.rosters is None or log.state in OUT_OF_HAND:
            return []
        with self.registry.read() as door:
            scope, _ = self.reception.reach(door, log, self.clock())
        name = bundle.answer_name(log.id, made.name, made.number, 0)
        return self.rosters.pages(scope.villages, held, name)

    def _parts(
        self,
        log: LogState,
        start: Cursor,
        made: Bundle,
        fills: list[tuple[str, int]],
        also: tuple[tuple[int, int], tuple[int, int, int]],
    ) -> list[tuple[Reply, list[Page]]]:
        """The replies with their pages, as many as it takes to tell everything."""
        parts: list[tuple[Reply, list[Page]]] = []
        cursor = start
        while True:
            name = bundle.answer_name(log.id, made.name, made.number, len(parts))
            reply, pages = self.reception.tell(log.id, cursor, name, fills, *also)
            if not parts:
                reply = self._opening(log, start.server_seq, reply)
            parts.append((reply, pages))
            if not reply.more:
                return parts
            cursor, fills = reply.upper, _left(fills, pages)
            also = _told(also, pages)

    def _opening(self, log: LogState, since: int, reply: Reply) -> Reply:
        """What stands once in a bundle: entries that wait, news of files, restores."""
        with self.registry.read() as door:
            lineage = list(door.lineage())
        outcomes, files = self._told(log), self._files(log, since)
        return msgspec.structs.replace(reply, outcomes=outcomes, blobs=files, lineage=lineage)

    def _files(self, log: LogState, since: int) -> list[BlobState]:
        """How the laptop's files stand, as far as that is news."""
        arrivals = self.reception.arrivals
        if arrivals is None:
            return []
        with self.registry.read() as door:
            names = door.news_of_files(log.id, since)
        at = self.clock()
        pieces = (names[i : i + ASKED_MAX] for i in range(0, max(1, len(names)), ASKED_MAX))
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
        lists: Sequence[RosterPage],
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
        frames += [bundle.frame(messages.encode(page), "roster", me, to) for page in lists]
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


def _left(fills: list[tuple[str, int]], pages: Sequence[Page]) -> list[tuple[str, int]]:
    """What is still to be filled after these pages."""
    marks = dict(fills)
    for page in pages:
        if page.fill is not None:
            marks[page.fill.cell] = page.fill.mark
            if page.fill.done:
                del marks[page.fill.cell]
    return list(marks.items())


def _told(
    also: tuple[tuple[int, int], tuple[int, int, int]], pages: Sequence[Page]
) -> tuple[tuple[int, int], tuple[int, int, int]]:
    """How far the index and the reference data are after these pages."""
    recent, (have, coming, held) = also
    for page in pages:
        if page.recent is not None:
            recent = (page.recent.epoch, page.recent.number)
        if page.piece is not None:
            coming, held = page.piece.number, page.piece.offset + len(page.piece.data)
            if held == page.piece.size:
                have = coming
    return recent, (have, coming, held)


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
