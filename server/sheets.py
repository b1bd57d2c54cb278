"""What staff are shown of a request and of a case: everything needed to decide, and nothing twice.

A sheet says with `seen` which number of the register it shows. Whoever decides gives that number
back; if the request or the case has moved since, the decision is not applied and the sheet is shown
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from models import lifecycle, questions, remarks
from models.calendar import Calendar
from models.changes import (
    Attached,
    Body,
    Change,
    Choice,
    Incident,
    decode,
    decode_body,
    decode_change,
    own_of,
)
from models.codes import code_list
from models.ids import Code
from models.problems import Problem
from models.remarks import Remark
from models.services import Service, catalogue
from server.database.recents import OFFICE
from server.database.registry import Confirmation, Door
from server.database.registry import RequestLine as Row
from server.promise import promise
from sync.files import file_of
from sync.known import LogState
from sync.state import (
    STATUS_UNIT,
    Case,
    Closed,
    Created,
    Decision,
    Effect,
    Held,
    Linked,
    Moved,
    Opened,
    Record,
    Write,
    Wrote,
    author,
    reasons,
    values,
)

RETURN_REASONS = "alasan_perbaikan"
"""Code list of the reasons for which a request goes back or is refused."""


class Author(msgspec.Struct, frozen=True):
    """Who wrote something, where, and within which bounds of time (Unix seconds, central's clock).

    wrote_at: what the laptop's own clock said, a label. not_before: when central had decided what
    the author had on the screen (None: they had seen nothing of central). not_after: when it came.
    """

    who: str
    device: str
    office: str
    log: str
    seq: int
    wrote_at: int
    not_before: int | None
    not_after: int | None


class Side(msgspec.Struct, frozen=True):
    """One value for a disputed unit. number: 0 for the one that stands, offers from 1 on.

    shown: what its author had on the screen for this unit. reason: as its author wrote it.
    server_seq: number of the decision by which it came.
    """

    number: int
    value: Any
    author: Author
    shown: Any
    reason: str
    server_seq: int = 0


class CaseSheet(msgspec.Struct, frozen=True):
    """A case as it is decided. choices: what may be taken. choosing needs a second person where
    `protected`. proposal: what the first person proposes, while it waits for the second; declined:
    why a second person did not agree. owner, due, due_estimated: see `server.promise`. by: who
    opened it at the office, "" for what came with somebody's work."""

    id: str
    kind: str
    state: str
    unit: str
    protected: bool
    opened: int
    opened_at: int
    note: str
    requests: list[RequestLine]
    sides: list[Side]
    parked: list[ParkedLine]
    choices: list[str]
    proposal: ChoiceLine | None
    closing: ChoiceLine | None
    seen: int
    owner: str
    due: str
    due_estimated: bool
    declined: ChoiceLine | None = None
    by: str = ""


class ChoiceLine(msgspec.Struct, frozen=True):
    """What was chosen or proposed, and why. offer: number of the side that was taken, 0 for none of
    them."""

    take: str
    value: Any
    reason: str
    by: str
    offer: int = 0


class ParkedLine(msgspec.Struct, frozen=True):
    """A whole change that waits under a case. problem: why it cannot be shown, and who acts."""

    author: Author
    record: str
    kind: str
    set: dict[str, Any]
    problem: dict[str, Any] | None = None


class CaseLine(msgspec.Struct, frozen=True):
    """A case in a list. owner, due, due_estimated: see `server.promise`."""

    id: str
    kind: str
    state: str
    unit: str
    protected: bool
    requests: list[str]
    opened: int
    offers: int
    owner: str
    due: str
    due_estimated: bool


class RequestLine(msgspec.Struct, frozen=True):
    """A request in a list. cases: how many are open. created, changed: numbers of decisions, with
    their times (Unix seconds)."""

    id: str
    code: str
    service: str
    status: str
    name: str
    nik: str
    village: str
    cases: int
    created: int
    created_at: int
    changed: int
    changed_at: int


class Event(msgspec.Struct, frozen=True):
    """One thing that happened to a request."""

    server_seq: int
    at: int
    who: str
    what: str
    unit: str = ""
    value: Any = None
    reason: str = ""


class FileLine(msgspec.Struct, frozen=True):
    """A file of a request. unit: the field or document it was put to. percent: how much of it is
    here, 100 when it is whole and proved. preview: the id of its small picture."""

    id: str
    unit: str
    kind: str
    page: int
    pages: int
    bytes: int
    percent: int
    preview: str


class RequestSheet(msgspec.Struct, frozen=True):
    """A request as it is checked. answers: every answer under its full key. actions: what the
    reader may do now. waiting: the step that waits for a second person. files: papers and
    portraits."""

    id: str
    code: str
    service: str
    title: str
    edition: int
    status: str
    device: str
    office: str
    answers: dict[str, Any]
    documents: list[str]
    reasons: dict[str, str]
    disputes: dict[str, str]
    cases: list[str]
    kept: str
    links: list[str]
    actions: list[str]
    waiting: Confirmation | None
    history: list[Event]
    seen: int
    files: list[FileLine] = []


class Reader:
    """Draws sheets from an open door of the register; `seen` is the same for all it draws."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.seen = door.standing().server_seq
        self._logs: dict[bytes, LogState | None] = {}
        self._names: dict[bytes, dict[bytes, str]] = {}
        self._authors: dict[tuple[bytes, int, str], Author] = {}

    # -- requests

    def request(
        self, record: Record, roles: tuple[str, ...], waiting: Confirmation | None, lang: str
    ) -> RequestSheet:
        """The whole request, for a reader with these roles."""
        form = form_of(record)
        answers, documents = _answers(form, record)
        device = self.door.device(record.device)
        return RequestSheet(
            record.id.hex(),
            code_of(record),
            record.service,
            form.title.say(lang) if form is not None else record.service,
            record.edition,
            record.status,
            device.name if device is not None else "",
            device.office_name if device is not None else OFFICE,
            answers,
            documents,
            questions.plain(reasons(record)),
            {unit: case.hex() for unit, case in record.disputes.items()},
            [case.hex() for case in record.cases],
            record.kept.hex(),
            [link.hex() for link in record.links],
            actions(record, roles, form),
            waiting,
            [event for d in self.door.history(record.id) for event in self.events(d, record.id)],
            self.seen,
        )

    def events(self, decision: Decision, record: bytes) -> list[Event]:
        """What a decision did to one request, in words of the code."""
        found: list[Event] = []
        for e in decision.effects:
            if getattr(e, "record", b"") != record:
                continue
            told = _told(e)
            if told is not None:
                who = self._who_did(e, decision)
                found.append(Event(decision.server_seq, decision.at, who, *told))
        return found

    def _who_did(self, effect: Effect, decision: Decision) -> str:
        if decision.actor:
            return decision.actor
        log, seq = (decision.log, decision.first)
        if isinstance(effect, Created | Wrote | Moved | Held):
            log, seq = author(effect, decision)
        return self.author(log, seq, decision).who

    # -- cases

    def case(self, case: Case, choices: tuple[str, ...], calendar: Calendar) -> CaseSheet:
        """The case with every side of it."""
        sides = self.sides(case)
        names = [name for name in (case.record, *case.others) if name]
        opened_at = self.door.moment(case.opened) or 0
        promised = promise(case, opened_at, calendar)
        return CaseSheet(
            case.id.hex(),
            case.kind,
            case.state,
            case.unit,
            case.protected,
            case.opened,
            opened_at,
            self._note(case),
            [line for name in names if (line := self.line(name)) is not None],
            sides,
            [self._parked(*parked) for parked in case.parked],
            list(choices),
            _choice(case.proposal, case) if case.state == "proposed" else None,
            self._closing(case),
            self.seen,
            promised.owner,
            promised.due,
            promised.due_estimated,
            _choice(case.proposal) if case.state == "open" else None,
            self._opener(case),
        )

    def _opener(self, case: Case) -> str:
        if case.kind == "dispute":  # laptops disagree; nobody opens it
            return ""
        decision = self.door.decision(case.opened)
        return decision.actor if decision is not None else ""

    def _note(self, case: Case) -> str:
        """What was noticed; the words to a supervisor stand only in central's own entry."""
        if case.kind != "escalated":
            return case.note
        change = self._entry_of(case.opened)
        try:
            return decode(change.body, Incident).note if change is not None else ""
        except msgspec.DecodeError:
            return ""

    def _closing(self, case: Case) -> ChoiceLine | None:
        """How it was decided; what a supervisor answered stands only in central's own entry."""
        closing = _choice(case.closing)
        if closing is None or case.kind != "escalated":
            return closing
        change = self._entry_of(case.changed)
        try:
            reason = decode(change.body, Choice).reason if change is not None else ""
        except msgspec.DecodeError:
            reason = ""
        return msgspec.structs.replace(closing, reason=reason)

    def _entry_of(self, server_seq: int) -> Change | None:
        """The change that a decision judged."""
        decision = self.door.decision(server_seq)
        return self._change(decision.log, decision.first) if decision is not None else None

    def sides(self, case: Case) -> list[Side]:
        """The values of a dispute, the one that stands first."""
        if case.kind != "dispute":
            return []
        return [self._side(case, n, w) for n, w in enumerate(_offers(case)) if w is not None]

    def line(self, name: bytes) -> RequestLine | None:
        """A request in short, also as one of those a case is about."""
        row = self.door.request_line(name)
        return line(row) if row is not None else None

    def _side(self, case: Case, number: int, write: Write) -> Side:
        decision = self.door.decision(write.server_seq)
        who = self.author(write.log, write.seq, decision)
        change = self._change(write.log, write.seq)
        shown = self._shown(case.record, case.unit, write, change)
        return Side(number, write.value, who, shown, _reason_of(change), write.server_seq)

    def _shown(self, record: bytes, unit: str, write: Write, change: Change | None) -> Any:
        """The unit's value on the author's screen: the last write they had seen."""
        if change is None:
            return None
        own, value = own_of(write.seq, change), None
        for decision in self.door.history(record):
            for e in decision.effects:
                if not isinstance(e, Wrote) or (e.record, e.unit) != (record, unit):
                    continue
                log, seq = author(e, decision)
                if decision.server_seq <= change.seen or (log == write.log and seq <= own):
                    value = e.value
        return value

    def _parked(self, log: bytes, seq: int, record: bytes) -> ParkedLine:
        change = self._change(log, seq)
        kind = change.kind if change is not None else "?"
        body = _body(change)
        who = self.author(log, seq, None)
        if body is None:
            problem = Problem("change.unreadable", seq=seq, device=who.device or log.hex()[:8])
            return ParkedLine(who, record.hex(), kind, {}, problem.as_dict())
        return ParkedLine(who, record.hex(), kind, body.set)

    # -- authors

    def author(self, log: bytes, seq: int, decision: Decision | None) -> Author:
        """Who wrote entry (log, seq), which `decision` judged (None: it waits). A page names the
        same few again and again."""
        known = (log, seq, decision.actor if decision is not None else "")
        if known not in self._authors:
            self._authors[known] = self._author(*known)
        return self._authors[known]

    def _author(self, log: bytes, seq: int, actor: str) -> Author:
        state = self._log(log)
        stored = self.door.entry(log, seq)
        change = self._change(log, seq)
        if state is None or stored is None or change is None:
            return Author("", "", "", log.hex(), seq, 0, None, None)
        seen = min(change.seen, self.seen)  # a laptop may say anything
        before = self.door.moment(seen) if seen > 0 else None
        at = stored.received_at
        if state.central:
            return Author(actor, "", "", log.hex(), seq, change.at, before, at)
        device = self.door.device(state.device)
        operator = state.sessions.get(change.session, b"")
        return Author(
            self._operators(log).get(operator, operator.hex()),
            device.name if device is not None else "",
            device.office_name if device is not None else "",
            log.hex(),
            seq,
            change.at,
            before,
            at,
        )

    def _log(self, name: bytes) -> LogState | None:
        if name not in self._logs:
            self._logs[name] = self.door.log(name)
        return self._logs[name]

    def _operators(self, log: bytes) -> dict[bytes, str]:
        if log not in self._names:
            people = self.door.operators(log)
            self._names[log] = {name: entry.name for name, entry in people.items()}
        return self._names[log]

    def _change(self, log: bytes, seq: int) -> Change | None:
        entry = self.door.entries(log, seq, seq).get(seq)
        try:
            return decode_change(entry.data) if entry is not None else None
        except msgspec.DecodeError:
            return None


# -- pieces


def _told(e: Effect) -> tuple[str, str, Any, str] | None:
    """What an effect is called in a history: (what, unit, value, reason); None for one that says
    nothing about the request itself."""
    match e:
        case Created():
            return "created", "", None, ""
        case Wrote() if (file := file_of(e.unit, e.value)) is not None:
            return "attached", file.unit, file.blob.hex()[:8], ""
        case Wrote():
            return "wrote", e.unit, e.value, ""
        case Moved():
            return e.action, STATUS_UNIT, e.target, e.reason
        case Held():
            return "held", e.unit, e.value, ""
        case Opened():
            return "case", e.unit, e.kind, ""
        case Closed():
            return f"decided: {e.take}", e.unit, e.value, e.reason
        case Linked():
            return "linked" if e.linked else "separated", "", e.kept.hex(), ""
    return None


def line(row: Row) -> RequestLine:
    """A row of the register as it is shown."""
    has_code = row.block is not None and row.number is not None
    return RequestLine(
        row.id.hex(),
        str(Code(row.block or 0, row.number or 0)) if has_code else "",
        row.service,
        row.status,
        row.name,
        row.nik,
        row.village,
        row.cases,
        row.created,
        row.created_at,
        row.changed,
        row.changed_at,
    )


def file_line(file: Attached, percent: int) -> FileLine:
    """A file as it is shown."""
    place = (file.unit, file.kind, file.page, file.pages, file.size)
    return FileLine(file.blob.hex(), *place, percent, file.preview.hex())


def form_of(record: Record) -> Service | None:
    """The form the request was filled in on, if this central has it."""
    return form_named(record.service, record.edition)


def form_named(service: str, edition: int) -> Service | None:
    """A form by its name, if this central has it."""
    try:
        return catalogue().service(service, edition)
    except Problem:
        return None


def code_of(record: Record) -> str:
    """The tracking code as it is printed; empty after a collision."""
    return str(Code(*record.code)) if record.code is not None else ""


def actions(record: Record, roles: tuple[str, ...], form: Service | None) -> list[str]:
    """What somebody with these roles may do to the request now, at the office."""
    group = form.group if form is not None else None
    found = [lifecycle.actions_for(record.status, role, "office", group) for role in roles]
    return list(dict.fromkeys(action for some in found for action in some))


def open_matters(record: Record) -> int:
    """How many cases have to be decided before the request can be approved."""
    return len(set(record.disputes.values()) | set(record.cases))


def reason_text(code: str, text: str) -> str:
    """A reason as it is stored and told: the code of the list, then what the person added."""
    if code not in code_list(RETURN_REASONS):
        raise Problem("reason.unknown", code=code[:40])
    return f"{code}: {text.strip()}" if text.strip() else code


def return_reason(form: Service | None, code: str, text: str, about: Sequence[Remark]) -> str:
    """The reasons of a return as they are stored and told; see `models.remarks`."""
    whole = [Remark("", code, text)] if code or text or not about else []
    if not about and len(text) > remarks.TEXT_MAX:
        return reason_text(code, text)  # a long word about the whole, as it ever was
    return remarks.written(remarks.checked(form, [*whole, *about]))


def _answers(form: Service | None, record: Record) -> tuple[dict[str, Any], list[str]]:
    units = values(record)
    if form is None:
        return units, []
    try:
        answers, documents = form.answers(units)
        return form.shown(answers, documents), list(documents)
    except Problem:  # a unit of another edition: shown as it is stored
        return units, list(units.get("documents", []))


def _offers(case: Case) -> list[Write | None]:
    """The standing value first, then the offers in the order they came."""
    offers = [Write(o.value, o.log, o.seq, o.server_seq) for o in case.offers]
    return [case.current, *offers]


def _choice(chosen: Any, case: Case | None = None) -> ChoiceLine | None:
    """case: of a proposal, which names the side that it would take."""
    if chosen is None:
        return None
    offer = 0
    if case is not None and chosen.take == "offer":
        places, taken = [(one.log, one.seq) for one in case.offers], (chosen.log, chosen.seq)
        offer = places.index(taken) + 1 if taken in places else 0
    return ChoiceLine(chosen.take, chosen.value, chosen.reason, chosen.by, offer)


def _reason_of(change: Change | None) -> str:
    body = _body(change)
    return body.reason if body is not None else ""


def _body(change: Change | None) -> Body | None:
    """What a change asks for; None where that cannot be read, or is no edit's."""
    try:
        return decode_body(change.body) if change is not None else None
    except msgspec.DecodeError:
        return None
