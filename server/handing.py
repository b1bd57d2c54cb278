"""Handing: finished documents are given to their owners at the office.

    handing.found(me, text)             the request of a receipt's QR code, or of a number typed
    handing.open(me, name)              what there is to be asked, beside what the office knows
    handing.give(me, name, given, …)    who got it, with the signature, in one change

What is asked and what is refused are `models.handover`'s, as on a laptop. Here the book of blanks
is at hand: a card of another number than the book has is not given without a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from models import handover, lifecycle
from models.changes import Body
from models.handover import Given
from models.people import Act, require
from models.problems import Problem
from models.services import Service
from models.words import WIT
from server.arrivals import Arrivals
from server.auth import require_request, roles
from server.casework import Casework, Done
from server.database.people import Person
from server.database.registry import Door
from server.decoding import copies
from server.evidence import Evidence
from server.finding import find_record
from server.sheets import code_of, form_of
from server.stock import card_of
from sync import base45
from sync.attaching import Copying, Fresh, Photo, check_room, new_ones, taken
from sync.files import files
from sync.known import facts
from sync.state import Record, values

NUMBER_MAX = 40
"""Characters of a number or id; what is longer is the text of a receipt's QR code."""


class Ready(msgspec.Struct, frozen=True):
    """A document that may be handed over. card: it is on a blank; serial: of that blank by the
    book, "" for none. old: an old document is taken back. seen: number of the register shown."""

    id: str
    code: str
    title: str
    name: str
    card: bool
    serial: str
    old: bool
    seen: int


class Handing:
    """The desk where documents are collected. copying: makes the working copies of a signature."""

    def __init__(
        self,
        casework: Casework,
        evidence: Evidence,
        arrivals: Arrivals,
        clock: Callable[[], int],
        copying: Copying = copies,
    ) -> None:
        self.casework = casework
        self.registry = casework.registry
        self.evidence = evidence
        self.arrivals = arrivals
        self.clock = clock
        self.copying = copying

    def found(self, me: Person, text: str) -> str:
        """Id of the request a receipt belongs to. Problems receipt.*, code.*, request.unknown."""
        require(roles(me), Act.READ_WAITING)
        text = text.strip()
        if len(text) > NUMBER_MAX:
            text = self.evidence.receipt(base45.decode(text)).record
        with self.registry.read() as door:
            record = find_record(door, text)
            require_request(door, me, record.id)
        return record.id.hex()

    def open(self, me: Person, name: str, lang: str = "id") -> Ready:
        """A document and what is to be asked before it is given. Problems lifecycle.* why it may
        not be given now, or not by this person; handover.nothing, service.edition."""
        with self.registry.write() as door:
            record = find_record(door, name)
            form = _may_give(door, me, record)
            self.casework.note(door, me, Act.READ_REQUEST, record.id.hex(), {})
            _, documents = form.answers(values(record))
            return Ready(
                record.id.hex(),
                code_of(record) or record.id.hex()[:8],
                form.title.say(lang),
                facts(record).name,
                bool(card_of(record.service, record.edition)),
                _serial(door, record),
                handover.old_due(form, documents),
                door.standing().server_seq,
            )

    def give(
        self, me: Person, name: str, given: Given, seen: int, signature: Sequence[Photo] = ()
    ) -> Done:
        """Write down that the document was given. signature: pictures of it, drawn, photographed or
        scanned. Problems lifecycle.*, handover.*, request.*, attachment.*, blob.*."""
        with self.registry.read() as door:
            record = find_record(door, name)
            _may_give(door, me, record)
            there = files(record)
        made = taken(signature, handover.SIGNATURE, self.copying)
        fresh = new_ones(there, handover.SIGNATURE, made) if made else []
        data = [half for one in fresh for half in (one.copy.preview, one.copy.data)]
        with self.arrivals.lay(data) as laid, self.registry.write() as door:
            record = self.casework.fresh(door, name, seen)
            done = self._give(door, me, record, given, fresh, seen)
            self.arrivals.expect(door, laid, record.id)
            self.arrivals.arrived(door, laid, self.clock())
        return done

    def _give(
        self,
        door: Door,
        me: Person,
        record: Record,
        given: Given,
        fresh: Sequence[Fresh],
        seen: int,
    ) -> Done:
        form = _may_give(door, me, record)
        check_room(files(record), handover.SIGNATURE, len(fresh))
        _same_blank(_serial(door, record), given)
        answers, documents = form.answers(values(record))
        today = datetime.fromtimestamp(self.clock(), WIT).date()
        written = handover.written(form, answers, documents, given, today, signed=bool(fresh))
        body = Body(set=written.units, attach=[one.file for one in fresh])
        return self.casework.step_within(
            door, me, record, handover.ACTION, written.note, seen,
            body=body, details=_proof(given, fresh),
        )  # fmt: skip


def _may_give(door: Door, me: Person, record: Record) -> Service:
    """The form of a document that this person may give now; else the Problem why not."""
    require(roles(me), Act.READ_REQUEST)
    require_request(door, me, record.id)
    form = form_of(record)
    if form is None:
        raise Problem("service.edition", service=record.service, edition=record.edition)
    role = lifecycle.acting_role(record.status, handover.ACTION, roles(me), "office", form.group)
    if isinstance(role, Problem):
        raise role
    return form


def _serial(door: Door, record: Record) -> str:
    """Of the blank that became this card, by the book."""
    blank = door.blank_of(record.id)
    return blank.serial if blank is not None else ""


def _same_blank(booked: str, given: Given) -> None:
    typed = given.serial.strip().upper()
    if booked and typed and typed != booked and not given.reason.strip():
        raise Problem("handover.other_blank", booked=booked)


def _proof(given: Given, fresh: Sequence[Fresh]) -> dict[str, Any]:
    """What the trail says of the proof; never who it was."""
    proof = {"relation": given.relation, "way": given.seen, "old_taken": given.old_taken}
    signed = [one.file.blob.hex() for one in fresh]
    return proof | ({"blobs": signed} if signed else {"listed": given.listed})
