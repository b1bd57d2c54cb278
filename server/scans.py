"""Scans: papers that people bring to the counter, put to their request there.

    scans.open(me, name)              what is attached, and where more may be put
    scans.attach(me, name, "KK", …)   copies made, sealed on the shelf, spoken of in a change
    scans.detach(me, name, file, why) taken out again, while nobody has approved

The copies are those that a laptop makes: turned upright, small, nothing in them but pixels. They
lie on the shelf before the register speaks of them, and leave it when it does not (what a crash
between both leaves there, sealed, stays). A request that was returned goes back to the verifiers
with what it lacked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from models import lifecycle
from models.changes import Attached, Body, Change, raw
from models.ids import Code
from models.people import Act, require
from models.problems import Problem
from models.services import Service
from models.words import WIT
from server.arrivals import Arrivals
from server.auth import require_request, roles, who
from server.authorship import CORRECT
from server.database.people import Person
from server.database.registry import Door, Registry
from server.decoding import copies
from server.finding import find_record
from server.ledger import Ledger
from server.sheets import form_of
from sync.attaching import (
    Copying,
    Fresh,
    Photo,
    Put,
    answer_of,
    brought,
    check_room,
    file_named,
    new_ones,
    next_place,
    open_places,
    place_words,
    put,
    taken,
    unit_named,
)
from sync.files import files
from sync.state import Record, values

REASON_MAX = 500


class Scanned(msgspec.Struct, frozen=True):
    """A request's files. files: each with what its place is called and how much of it is here, in
    percent. places: where more may be put, (unit, words); next: the one that lacks a picture.
    ended: nothing is put to it any more. decided: nothing is taken out either."""

    id: str
    code: str
    title: str
    files: list[tuple[Attached, str, int]]
    places: list[tuple[str, str]]
    next: str
    ended: bool
    decided: bool


class Scans:
    """`clock` gives Unix seconds. copying: makes the working copies."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        arrivals: Arrivals,
        clock: Callable[[], int],
        copying: Copying = copies,
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.arrivals = arrivals
        self.clock = clock
        self.copying = copying

    def open(self, me: Person, name: str, lang: str = "id") -> Scanned:
        """The files of a request, opened. Problems request.unknown, auth.area, service.edition."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.write() as door:
            record, form = _theirs(door, me, name)
            door.audit(me.login, Act.READ_REQUEST, record.id.hex(), {}, self.clock())
            found = files(record)
            known = door.blobs([file.blob for file in found])
        percents = {name: self.arrivals.percent(blob) for name, blob in known.items()}
        answers, documents = form.answers(values(record))
        offered = open_places(form, form.read(answers, documents), lang)
        return Scanned(
            record.id.hex(),
            _code(record),
            form.title.say(lang),
            [(f, place_words(form, f.unit, lang), percents.get(f.blob, 0)) for f in found],
            offered,
            next_place(offered, documents, found),
            lifecycle.ended(record.status),
            _decided(record),
        )

    def attach(
        self, me: Person, name: str, field: str, photos: Sequence[Photo], reason: str = ""
    ) -> list[Put]:
        """Put files to a field or document of a request; all of them or none. reason: why they are
        kept although a hint says they may not be readable. Problems attachment.*, request.closed,
        request.invalid, blob.request_full, disk.*."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.read() as door:
            record, form = _theirs(door, me, name)
        _still_open(record)
        unit, there = unit_named(form, field), files(record)
        fresh = new_ones(there, unit, taken(photos, unit, self.copying))
        data = [half for one in fresh for half in (one.copy.preview, one.copy.data)]
        with self.arrivals.lay(data) as laid, self.registry.write() as door:
            record, _ = _theirs(door, me, name)
            self.arrivals.expect(door, laid, record.id)
            self._speak(door, me, record, form, unit, fresh, reason.strip()[:REASON_MAX])
            self.arrivals.arrived(door, laid, self.clock())
        return [put(one) for one in fresh]

    def detach(self, me: Person, name: str, file: str, reason: str) -> None:
        """Take a file out of a request again: another person's, or one that was scanned anew. file:
        the beginning of its id. Once a verifier approved, it is what they decided on, and stays.
        Problems attachment.none, attachment.decided, request.closed, reason.required."""
        require(roles(me), Act.TAKE_IN)
        if not reason.strip():
            raise Problem("reason.required")
        with self.registry.write() as door:
            record, _ = _theirs(door, me, name)
            _still_open(record)
            if _decided(record):
                raise Problem("attachment.decided", code=_code(record))
            one = file_named(files(record), file)
            body = Body(remove={one.unit: [one.blob.hex()]}, reason=reason.strip()[:REASON_MAX])
            self._write(door, me, record, body)
            details = {"blob": one.blob.hex()}
            door.audit(me.login, "attachment.remove", record.id.hex(), details, self.clock())

    def _speak(
        self,
        door: Door,
        me: Person,
        record: Record,
        form: Service,
        unit: str,
        fresh: Sequence[Fresh],
        reason: str,
    ) -> None:
        """The change that names the files."""
        _still_open(record)
        there = files(record)
        check_room(there, unit, len(fresh))
        answers, documents = form.answers(values(record))
        answer = answer_of(there, unit, fresh)
        today = datetime.fromtimestamp(self.clock(), WIT).date()
        found = form.check(answers | answer, documents, today=today).problems if answer else ()
        stops = [one for one in found if one.key == unit and one.stops]
        if stops:
            raise Problem("request.invalid", n=len(stops), findings=stops)
        move = _handed_back(me, record, form)
        body = Body(
            attach=[one.file for one in fresh], add=brought(unit, documents),
            reasons={unit: reason} if reason else {}, action=CORRECT if move else "", move=move,
        )  # fmt: skip
        self._write(door, me, record, body)
        details = {"blobs": [one.file.blob.hex() for one in fresh]}
        door.audit(me.login, "attachment.add", record.id.hex(), details, self.clock())

    def _write(self, door: Door, me: Person, record: Record, body: Body) -> None:
        at, seen = self.clock(), door.standing().server_seq
        change = Change("edit", record.id, 0, 1, "", 0, 0, at, at, 0, 0, seen, None, raw(body))
        result, _ = self.ledger.write_in(door, change, at, who(me))
        if result.state == "held":
            raise Problem("request.changed", code=record.id.hex()[:8])


def _theirs(door: Door, me: Person, name: str) -> tuple[Record, Service]:
    """The request of that name, if it is of the person's area, and its form. Problem
    service.edition where this program does not know it."""
    record = find_record(door, name)
    require_request(door, me, record.id)
    form = form_of(record)
    if form is None:
        raise Problem("service.edition", service=record.service, edition=record.edition)
    return record, form


def _still_open(record: Record) -> None:
    if lifecycle.ended(record.status):
        raise Problem("request.closed", code=_code(record))


def _decided(record: Record) -> bool:
    """Has a verifier approved it, by what is attached?"""
    return lifecycle.passed(record.status, lifecycle.Status.VERIFIED)


def _code(record: Record) -> str:
    return str(Code(*record.code)) if record.code else record.id.hex()[:8]


def _handed_back(me: Person, record: Record, form: Service) -> tuple[str, str] | None:
    """A returned request is corrected by what is put to it: from where to where it goes."""
    row = lifecycle.move_of(record.status, CORRECT)
    if row is None:
        return None
    role = lifecycle.acting_role(record.status, CORRECT, roles(me), "office", form.group)
    if isinstance(role, Problem):
        raise role
    return str(record.status), str(row.target)
