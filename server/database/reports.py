"""What the figures are made of and kept in: journeys, milestones, counts, how far they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Select, delete, func, select, tuple_, union_all

from models.changes import decode_change
from server.database.report_tables import JourneyRow, MilestoneRow, ReportMarkRow, TallyRow
from server.database.tables import DecisionRow, DeviceRow, EntryRow, LogRow
from server.database.work import Work, pieces, table_of
from server.figures import ALL, Journey, Origin, Tally, captured_at, milestones
from sync.state import Created, Decision, author

_journeys = table_of(JourneyRow)
_milestones = table_of(MilestoneRow)
_tallies = table_of(TallyRow)
_marks = table_of(ReportMarkRow)
_decisions = table_of(DecisionRow)
_entries = table_of(EntryRow)
_devices = table_of(DeviceRow)
_logs = table_of(LogRow)
_TALLY = ("figure", "village", "service", "period", "value")
AT_ONCE = 50
"""Villages asked for in one statement."""
DAY_LETTERS = len("2026-11-30")
_read_journey = msgspec.msgpack.Decoder(Journey)


class ReportMark(msgspec.Struct, frozen=True):
    """The figures are of all decisions up to number `upto`, the last of which was made `at`."""

    upto: int = 0
    at: int = 0


class Line(msgspec.Struct, frozen=True):
    """One count. See TallyRow."""

    village: str
    service: str
    period: str
    value: str
    n: int


class Place(msgspec.Struct, frozen=True):
    """Where a list of members stands: after this one."""

    day: str = ""
    record: bytes = b""
    value: str = ""


BACKLOG = "backlog"
"""What had arrived by the day `last` and was not over at its end."""
ALWAYS = "9999"
"""Behind every day: digits, for a PostgreSQL that sorts by a language has all other signs first."""
NEVER = "0000-00-00"
"""Before every day."""


class Chosen(msgspec.Struct, frozen=True):
    """Of which requests or cases a list is. villages: none for all. value: several are separated by
    commas, None for any. first, last: as the milestones of the figure have them."""

    figure: str
    villages: Collection[str] = ()
    service: str = ""
    value: str | None = None
    first: str = ""
    last: str = ALWAYS


class Figures(Work):
    """Reading and writing the figures."""

    # -- how far they are

    def report_mark(self) -> ReportMark:
        """How far the figures are."""
        row = self.one(select(_marks.c.upto, _marks.c.at).where(_marks.c.city == self.city))
        return ReportMark(row.upto, row.at) if row is not None else ReportMark()

    def keep_report_mark(self, mark: ReportMark) -> None:
        """They are so far now."""
        row = {"upto": mark.upto, "at": mark.at}
        if self.value(select(_marks.c.city).where(_marks.c.city == self.city)) is None:
            self.insert(_marks, [row])
        else:
            self.update(_marks, [], [row])

    def forget_figures(self) -> None:
        """Begin anew: nothing is counted."""
        for table in (_journeys, _milestones, _tallies, _marks):
            self.run(delete(table).where(table.c.city == self.city))

    # -- journeys

    def journeys(self, names: Collection[bytes]) -> dict[bytes, Journey]:
        """Those of the requests and cases that were met already."""
        found = select(_journeys.c.data).where(_journeys.c.city == self.city)
        rows = self.each(found, _journeys.c.record, sorted(names))
        read = (_read_journey.decode(row.data) for row in rows)
        return {journey.id: journey for journey in read}

    def keep_journeys(self, found: Collection[Journey], known: Collection[bytes]) -> None:
        """They stand so now, with their milestones. known: those that were here before."""
        rows = [{"record": one.id, "data": msgspec.msgpack.encode(one)} for one in found]
        self.insert(_journeys, [row for row in rows if row["record"] not in known])
        self.update(_journeys, ["record"], [row for row in rows if row["record"] in known])
        self.delete(_milestones, ["record"], [{"record": one} for one in known])
        self.insert(_milestones, [row for one in found for row in _rows(one)])

    def origins(self, decisions: Collection[Decision]) -> dict[bytes, Origin]:
        """What the decisions that create requests do not say themselves."""
        made = [(d, e) for d in decisions for e in d.effects if isinstance(e, Created)]
        if not made:
            return {}
        kinds = self._kinds({e.device for _, e in made})
        central = select(_logs.c.device).where(_logs.c.city == self.city, _logs.c.central)
        offices = {row.device for row in self.rows(central)}
        changes = self._changes({author(e, d) for d, e in made})
        times = self._times({change[1] for change in changes.values() if change[1]})
        found = {}
        for d, e in made:
            said, seen = changes.get(author(e, d), (0, 0))
            channel = "central" if e.device in offices else kinds.get(e.device, "")
            at = captured_at(said, times.get(seen, 0), d.at) if said else 0
            found[e.record] = Origin(channel, at)
        return found

    def _kinds(self, devices: Collection[bytes]) -> dict[bytes, str]:
        here = select(_devices.c.id, _devices.c.office_kind).where(_devices.c.city == self.city)
        return {row.id: row.office_kind for row in self.each(here, _devices.c.id, sorted(devices))}

    def _changes(
        self, places: Collection[tuple[bytes, int]]
    ) -> dict[tuple[bytes, int], tuple[int, int]]:
        """What entries say of their time, and which decision their author had seen."""
        found = {}
        for log in sorted({log for log, _ in places}):
            numbers = sorted(seq for of, seq in places if of == log)
            here = select(_entries.c.seq, _entries.c.data).where(
                _entries.c.city == self.city, _entries.c.log == log
            )
            for row in self.each(here, _entries.c.seq, numbers):
                change = decode_change(row.data)
                found[log, row.seq] = (change.at, change.seen)
        return found

    def _times(self, numbers: Collection[int]) -> dict[int, int]:
        here = select(_decisions.c.server_seq, _decisions.c.at).where(
            _decisions.c.city == self.city
        )
        rows = self.each(here, _decisions.c.server_seq, sorted(numbers))
        return {row.server_seq: row.at for row in rows}

    # -- counts

    def add_tallies(self, more: Mapping[Tally, int]) -> None:
        """The counts change by so much; what is none is not kept."""
        keys = {key: dict(zip(_TALLY, key, strict=True)) for key in sorted(more)}
        self.add(_tallies, _TALLY, "n", [row | {"n": more[key]} for key, row in keys.items()])
        none = [row | {"n": 0} for key, row in keys.items() if more[key] < 0]
        self.delete(_tallies, (*_TALLY, "n"), none)

    def tallies(
        self,
        figures: Collection[str],
        *,
        first: str,
        last: str,
        villages: Collection[str] = (ALL,),
        services: Collection[str] | None = (ALL,),
        least: int = 0,
    ) -> Iterator[tuple[str, Line]]:
        """(figure, count) of places for days or months from `first` to `last`. services: None
        for each of them. least: only counts of so many or more."""
        found = select(_tallies).where(
            _tallies.c.city == self.city,
            _tallies.c.village.in_(sorted(villages)),
            _tallies.c.period.between(first, last),
        )
        if services is not None:
            found = found.where(_tallies.c.service.in_(sorted(services)))
        else:
            found = found.where(_tallies.c.service != ALL)
        # Days and months of one figure stand beside each other; they are told apart by length.
        found = found.where(func.length(_tallies.c.period) == len(first))
        if least:
            found = found.where(_tallies.c.n >= least)
        # One figure at a time: of two lists SQLite would rather look through every count.
        for figure in sorted(figures):
            for row in self.rows(found.where(_tallies.c.figure == figure)):
                yield figure, Line(row.village, row.service, row.period, row.value, row.n)

    def all_tallies(self) -> Counter[Tally]:
        """Every count there is."""
        rows = self.rows(select(_tallies).where(_tallies.c.city == self.city))
        return Counter({tuple(getattr(row, name) for name in _TALLY): row.n for row in rows})

    def last_days(self, figure: str, value: str, villages: Collection[str]) -> dict[str, str]:
        """Village -> newest day on which something of a figure that is kept by days was counted
        there. Asked for one village after the other: each is the end of a short range."""
        found: dict[str, str] = {}
        for piece in pieces(sorted(villages), AT_ONCE):
            parts = (
                select(_tallies.c.village, _tallies.c.period)
                .where(_tallies.c.city == self.city, _tallies.c.figure == figure)
                .where(_tallies.c.village == village, _tallies.c.service == ALL)
                .where(_tallies.c.value == value, func.length(_tallies.c.period) == DAY_LETTERS)
                .order_by(_tallies.c.period.desc())
                .limit(1)
                .subquery()
                for village in piece
            )
            rows = self.rows(union_all(*(select(part) for part in parts)))
            found |= {row.village: row.period for row in rows}
        return found

    # -- members of a number

    def members(
        self, chosen: Chosen, *, after: Place | None = None, limit: int = 50
    ) -> list[tuple[bytes, str, str]]:
        """(id, day, value) of the requests or cases that a number counts, by day. after: the last
        one of the page before."""
        found = self._members(chosen).subquery()
        order = (found.c.day, found.c.record, found.c.value)
        page = select(found)
        if after is not None and after.record:
            page = page.where(tuple_(*order) > (after.day, after.record, after.value))
        rows = self.rows(page.order_by(*order).limit(limit))
        return [(row.record, row.day, row.value) for row in rows]

    def how_many(self, chosen: Chosen, most: int) -> int:
        """How many `members` there are, counted up to `most`."""
        found = self._members(chosen).limit(most).subquery()
        n: int = self.value(select(func.count()).select_from(found))
        return n

    def _members(self, chosen: Chosen) -> Select[Any]:
        c = _milestones.c
        if chosen.figure != BACKLOG:
            found = self._narrowed(select(c.record, c.day, c.value), chosen)
            return found.where(c.figure == chosen.figure, c.day.between(chosen.first, chosen.last))
        still = select(c.record, c.day, c.value).where(c.figure == "open", c.day <= chosen.last)
        gone = select(c.record, c.since.label("day"), c.value).where(c.figure == "closed")
        gone = gone.where(c.day > chosen.last, c.since <= chosen.last)
        both = union_all(self._narrowed(still, chosen), self._narrowed(gone, chosen)).subquery()
        return select(both)

    def _narrowed(self, found: Select[Any], chosen: Chosen) -> Select[Any]:
        """Of the places, the service and the value that are asked for."""
        c = _milestones.c
        found = found.where(c.city == self.city)
        if chosen.villages:
            found = found.where(c.village.in_(sorted(chosen.villages)))
        if chosen.service:
            found = found.where(c.service == chosen.service)
        if chosen.value is not None:
            found = found.where(c.value.in_(chosen.value.split(",")))
        return found

    def due_within(self, hour: str, villages: Collection[str]) -> Counter[tuple[str, str, str]]:
        """(service, promise, moment) -> how many clocks run that are due at that moment of the
        hour. villages: none for all."""
        c = _milestones.c
        found = select(c.service, c.value, c.day, func.count().label("n"))
        found = self._narrowed(found, Chosen("running", villages)).where(c.figure == "running")
        found = found.where(c.day.between(f"{hour}:00:00", f"{hour}:59:59"))
        rows = self.rows(found.group_by(c.service, c.value, c.day))
        return Counter({(row.service, row.value, row.day): row.n for row in rows})


def _rows(journey: Journey) -> Iterable[dict[str, object]]:
    where = {"record": journey.id, "village": journey.village, "service": journey.service}
    return ({**msgspec.structs.asdict(one), **where} for one in milestones(journey))
