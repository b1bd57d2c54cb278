"""Verification: one request with everything that is needed to check it, and what comes of that.

Accepting and refusing are steps of the lifecycle and stand in `Casework`; here is what a verifier
looks at, and what they say to others: reasons of a return as the clerk and the citizen will read
them, a question to the field, a word to a supervisor. All of it is written through `Casework`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from models import lifecycle, questions, remarks
from models.changes import Body, Change, Incident, raw
from models.clock import Clock
from models.people import Act, require
from models.pictures import is_picture
from models.problems import Problem
from models.questions import KINDS, Question
from models.remarks import Remark, Said
from models.words import WIT
from server import sections
from server.auth import areas, require_request, roles, sees, who
from server.casework import LIST_MAX, REASON_MAX, Casework, Done
from server.clocks import clock_of, clocks
from server.database.people import Person
from server.database.registry import Confirmation, Door
from server.finding import find_record
from server.sections import Checking, Drawn
from server.sheets import (
    Author,
    FileLine,
    Reader,
    RequestLine,
    RequestSheet,
    form_of,
    line,
    return_reason,
)
from sync.files import files
from sync.judge import is_over
from sync.state import REASON_PREFIX, STATUS_UNIT, Record, reasons, values


class Asked(msgspec.Struct, frozen=True):
    """A question to the field, and what became of it. about: the answer it concerns, in words. at,
    answered_at: central's clock, 0 for not yet."""

    n: int
    kind: str
    about: str
    text: str
    by: str
    at: int
    answer: str = ""
    answered_by: str = ""
    answered_at: int = 0
    taken_back: bool = False


class Check(msgspec.Struct, frozen=True):
    """A request as a verifier has it on the desk. drawn: None where this central does not know its
    form. taken_in: who took it in, and within which bounds of time. due_by_law: last day of the
    legal deadline, ISO, "" for none; late: by how many days it was missed."""

    sheet: RequestSheet
    drawn: Drawn | None
    clock: Clock
    taken_in: Author
    asked: list[Asked]
    due_by_law: str = ""
    late: int = 0


class Preview(msgspec.Struct, frozen=True):
    """What others will read of a return. clerk: in the van or village; citizen: who asks for the
    state of the request; said: reason by reason."""

    clerk: str
    citizen: str
    said: list[Said]


class Verification:
    """The desk of a verifier."""

    def __init__(self, casework: Casework) -> None:
        self.casework = casework
        self.registry = casework.registry
        self.clock = casework.clock

    def open(self, me: Person, name: str, lang: str = "id") -> Check:
        """One request with all there is to check. That it was opened is noted."""
        with self.registry.write() as door:
            sheet = self.casework.request(me, name, lang)
            record = find_record(door, sheet.id)
            return self._check(door, record, sheet, lang)

    def clocks(self, me: Person, names: Sequence[str]) -> dict[str, Clock]:
        """The clocks of the requests of a list, by id."""
        require(roles(me), Act.LIST_REQUESTS)
        with self.registry.read() as door:
            lines = door.request_lines([bytes.fromhex(name) for name in names])
            mine = [line for line in lines.values() if sees(me, line.village)]
            found = clocks(door, mine, self.casework.calendar, self.clock())
        return {name.hex(): clock for name, clock in found.items()}

    def second(self, me: Person) -> list[tuple[RequestLine, Confirmation]]:
        """Steps of requests that wait for a second person, the longest first, in my area."""
        require(roles(me), Act.APPROVE_CASE)
        with self.registry.write() as door:
            waiting = door.confirmations(LIST_MAX, areas=areas(me))
            lines = door.request_lines(list(waiting))
            found = [(line(lines[name]), step) for name, step in waiting.items() if name in lines]
            self.casework.note(door, me, Act.LIST_REQUESTS, "", {"second": len(found)})
        return found

    def picture(
        self, me: Person, name: str, file: str, *, preview: bool = False
    ) -> tuple[FileLine, bytes]:
        """A paper or portrait, opened. Problem blob.broken where it came whole and is no picture
        all the same; blob.lost where it was damaged here."""
        line, data = self.casework.attachment(me, name, file, preview=preview)
        if not is_picture(data):
            raise Problem("blob.broken", blob=line.id[:8])
        return line, data

    def trouble(self, me: Person, name: str, file: str) -> Problem | None:
        """Why a picture cannot be shown, if it cannot; nothing is opened. Problems blob.waiting,
        blob.lost, blob.broken, as values."""
        require(roles(me), Act.READ_REQUEST)
        with self.registry.read() as door:
            record = find_record(door, name)
            require_request(door, me, record.id)
            found = {one.blob.hex(): one.blob for one in files(record)}
        try:
            data = self.casework.arrivals.read(found[file])
        except (Problem, KeyError) as why:
            return why if isinstance(why, Problem) else Problem("blob.unknown", blob=file[:8])
        return None if is_picture(data) else Problem("blob.broken", blob=file[:8])

    # -- what a return says

    def preview(
        self, me: Person, name: str, code: str, text: str, about: Sequence[Remark], lang: str = "id"
    ) -> Preview:
        """What clerk and citizen will read of a return for these reasons. Nothing is written."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.read() as door:
            record = find_record(door, name)
            require_request(door, me, record.id)
            form = form_of(record)
        reason = return_reason(form, code, text, about)
        said = remarks.said(reason, form, lang)
        status = lifecycle.standing(lifecycle.Status.NEEDS_CORRECTION)
        short = "; ".join(f"{one.about}: {one.words}" if one.about else one.words for one in said)
        return Preview(
            remarks.returned_words(reason, form, lang),
            f"{status.word.words(lang)}. {status.label.words(lang)}. {short}.",
            said,
        )

    # -- words to others

    def escalate(self, me: Person, name: str, text: str, seen: int) -> Done:
        """Ask a supervisor: a case about the request, which waits for it. What is written stays at
        central. Problems reason.required, request.escalated."""
        require(roles(me), Act.RESOLVE_CASE)
        text = text.strip()
        if not text:
            raise Problem("reason.required")
        if len(text) > REASON_MAX:
            raise Problem("reason.too_long", limit=REASON_MAX, n=len(text))
        with self.registry.write() as door:
            record = self.casework.fresh(door, name, seen)
            require_request(door, me, record.id)
            at = self.clock()
            body = raw(Incident("escalated", text, (record.id,)))
            change = Change("incident", b"", 0, 1, "", 0, 0, at, at, 0, 0, 0, None, body)
            result, _ = self.casework.ledger.write_in(door, change, at, who(me))
            self.casework.note(door, me, "request.escalate", record.id.hex(), {})
            return Done(result.case.hex(), "done", record.status, door.standing().server_seq)

    def ask(self, me: Person, name: str, kind: str, about: str, text: str, seen: int) -> Done:
        """Ask the field something; the answer comes back with a sync, and the clock stands still
        till then. kind: yes_no, text, photo. about: key of an answer, `doc.<code>`, or "".
        Problems question.kind, question.empty, field.unknown, reason.too_long, work.too_many."""
        require(roles(me), Act.RESOLVE_CASE)
        if kind not in KINDS:
            raise Problem("question.kind", kinds=", ".join(KINDS))
        text = questions.checked(text)
        if not text:
            raise Problem("question.empty")
        with self.registry.write() as door:
            record = self.casework.fresh(door, name, seen)
            require_request(door, me, record.id)
            if about:
                remarks.checked(form_of(record), [Remark(about, "OTHER")])
            self._askable(record)
            said = reasons(record)
            known = questions.questions(said)
            if len(known) >= questions.QUESTIONS_MAX:
                raise Problem("work.too_many", limit=questions.QUESTIONS_MAX, n=len(known) + 1)
            asked = Question(questions.free_number(said), kind, about, text)
            return self._say(door, me, record, asked.key, text, seen, "request.ask")

    def take_back(self, me: Person, name: str, n: int, seen: int) -> Done:
        """The question needs no answer any more."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.write() as door:
            record = self.casework.fresh(door, name, seen)
            require_request(door, me, record.id)
            found = [q for q in questions.questions(reasons(record)) if q.n == n and q.waits]
            if not found:
                raise Problem("question.unknown", n=n)
            return self._say(door, me, record, found[0].key, "", seen, "request.ask.take_back")

    def _askable(self, record: Record) -> None:
        if is_over(record):
            raise Problem("request.closed", code=record.id.hex()[:8])

    def _say(
        self, door: Door, me: Person, record: Record, key: str, text: str, seen: int, act: str
    ) -> Done:
        self.casework.write(door, "edit", record.id, Body(reasons={key: text}), seen, who(me))
        self.casework.note(door, me, act, record.id.hex(), {"key": key})
        return Done(record.id.hex(), "done", record.status, door.standing().server_seq)

    # -- how it is drawn

    def _check(self, door: Door, record: Record, sheet: RequestSheet, lang: str) -> Check:
        form, reader = form_of(record), Reader(door)
        taken_in = reader.author(record.log, record.seq, None)
        clock = clock_of(door, record.id, form, self.casework.calendar, self.clock())
        asked = _asked(door, reader, record, lang)
        if form is None:
            return Check(sheet, None, clock, taken_in, asked)
        try:
            answers, documents = form.answers(values(record))
        except Problem:  # a unit of another edition: shown as it is stored
            return Check(sheet, None, clock, taken_in, asked)
        now = datetime.fromtimestamp(self.clock(), WIT).date()
        drawn = sections.draw(
            Checking(form, record, answers, tuple(documents), sheet.reasons,
                     _authors(door, reader, record), sheet.files, now, lang)
        )  # fmt: skip
        taken = datetime.fromtimestamp(taken_in.not_after or self.clock(), WIT).date()
        law = form.deadline(answers, taken)
        last = law.last_day.isoformat() if law is not None else ""
        late = max(0, law.days - law.limit) if law is not None else 0
        return Check(sheet, drawn, clock, taken_in, asked, last, late)


def _authors(door: Door, reader: Reader, record: Record) -> dict[str, Author]:
    """Who wrote each unit; the entries of one request are few, and each is read once."""
    known: dict[tuple[bytes, int], Author] = {}
    found: dict[str, Author] = {}
    for unit, write in record.units.items():
        if unit == STATUS_UNIT or unit.startswith(REASON_PREFIX):
            continue
        at = (write.log, write.seq)
        if at not in known:
            known[at] = reader.author(*at, door.decision(write.server_seq))
        found[unit] = known[at]
    return found


def _asked(door: Door, reader: Reader, record: Record, lang: str) -> list[Asked]:
    """The questions to the field, newest first."""
    form, found = form_of(record), []
    for one in questions.questions(reasons(record)):
        put = record.units[REASON_PREFIX + one.key]
        back = record.units.get(REASON_PREFIX + one.reply)
        asked = door.decision(put.server_seq)
        by: Any = asked.actor if asked is not None else ""
        answered = door.decision(back.server_seq) if back is not None else None
        author = reader.author(back.log, back.seq, answered) if back is not None else None
        found.append(
            Asked(
                one.n, one.kind, remarks.label(form, one.about, lang) if one.about else "",
                one.text, by, asked.at if asked is not None else 0, one.answer,
                _named(author), answered.at if answered is not None else 0, not one.text,
            )
        )  # fmt: skip
    return found[::-1]


def _named(author: Author | None) -> str:
    if author is None:
        return ""
    return f"{author.who} · {author.device}" if author.device else author.who
