"""Casework: the only place where something may be done by people at central.

Every verb says who asks. It looks whether the person's roles cover it, whether what the person saw
(`seen`) is still how things stand, does it, and puts one entry into the audit trail, all in one
transaction: either all of it is there or nothing. What is decided about requests and cases is a
change in central's own log, judged like any other, and so comes back to the authors as a notice.

Four eyes. A step that needs a second person (a rejection, a closed batch, whatever undoes an
ending) is kept as a confirmation until somebody else agrees; a decision on a protected unit is a
proposal until a supervisor other than its author approves. A verifier's step is confirmed by a
supervisor; any other by a second holder of its own role, or a supervisor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from models import handover, lifecycle
from models.calendar import Calendar
from models.changes import Body, Change, Choice, raw
from models.people import Act, Label, Role, covers, require, second_person
from models.problems import Problem
from models.remarks import Remark
from models.words import WIT
from server import releasing
from server.arrivals import Arrivals
from server.auth import areas, require_case, require_request, roles, who
from server.authorship import typists
from server.database.people import Person
from server.database.registry import Confirmation, Door, Registry
from server.finding import find_case, find_record
from server.ledger import Ledger
from server.promise import promise
from server.sections import errors, in_words
from server.sheets import (
    CaseLine,
    CaseSheet,
    FileLine,
    Reader,
    RequestLine,
    RequestSheet,
    file_line,
    form_of,
    line,
    open_matters,
    reason_text,
    return_reason,
)
from sync.cases import TAKES
from sync.files import files
from sync.state import STATUS_UNIT, Case, Record

LIST_MAX = 200
REASON_MAX = 500
RETURN_MAX = 6000
"""Characters of a reason, and of the reasons of a return, answer by answer."""
CASE_STATES = ("open", "proposed", "closed", "all")
CLEARED = frozenset({"approve", "add_to_batch"})
"""Steps that no request takes while a case about it is open."""

_BATCHES = Label("Batch SIAK", "SIAK batches")
_STOCK = Label("Cetak dan kirim", "Print and dispatch")
_CHECKING = Label("halaman berkas, dengan alasan dari daftar", "the request, by listed reasons")
_HANDING = Label("Serah terima", "Handing over")
ELSEWHERE: Mapping[str, Label] = {
    "add_to_batch": _BATCHES,
    "close_batch": _BATCHES,
    "drop": _BATCHES,
    "print": _STOCK,
    "spoil": _STOCK,
    "dispatch": _STOCK,
    handover.ACTION: _HANDING,
    "join": Label("Berkas ganda", "Duplicates"),
    "return": _CHECKING,
    "reject": _CHECKING,
}
"""Steps that are a part of a larger piece of work, and where that is done: alone they would leave a
request in a batch without its row, a card printed on no blank, a request joined to nothing, one
sent back for what is not in the list of reasons, or a document given to nobody knows whom."""


class Done(msgspec.Struct, frozen=True):
    """What became of a verb. state: "done", "waiting" for a second person, or "open" for a case
    that is to be decided anew. seen: the number of the register after it. id: of the request or
    case."""

    id: str
    state: str
    status: str
    seen: int


class Casework:
    """The verbs on the buttons of the office. `clock` gives Unix seconds. calendar: of its working
    days."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        clock: Callable[[], int],
        arrivals: Arrivals,
        calendar: Calendar | None = None,
    ) -> None:
        self.calendar = calendar or Calendar()
        self.registry = registry
        self.ledger = ledger
        self.clock = clock
        self.arrivals = arrivals

    # -- requests: looking

    def requests(
        self,
        me: Person,
        *,
        status: str = "",
        service: str = "",
        village: str = "",
        text: str = "",
        after: str = "",
        limit: int = 50,
    ) -> list[RequestLine]:
        """Requests by arrival. text: a NIK of 16 digits, or part of a name; `after`: id of the last
        line of the page before."""
        require(roles(me), Act.LIST_REQUESTS)
        with self.registry.write() as door:
            found = door.requests(
                status=status,
                service=service,
                village=village,
                text=text,
                areas=areas(me),
                after=_id(after) if after else None,
                limit=_limited(limit),
            )
            # What was searched for may name a citizen; that something was, is enough.
            asked = {"status": status, "service": service, "village": village}
            details = asked | {"searched": bool(text), "n": len(found)}
            self.note(door, me, Act.LIST_REQUESTS, "", details)
        return [line(row) for row in found]

    def request(self, me: Person, name: str, lang: str = "id") -> RequestSheet:
        """One request, opened: by its id, its tracking code, or the beginning of its id."""
        require(roles(me), Act.READ_REQUEST)
        with self.registry.write() as door:
            record = find_record(door, name)
            require_request(door, me, record.id)
            sheet = Reader(door).request(record, roles(me), door.confirmation(record.id), lang)
            self.note(door, me, Act.READ_REQUEST, record.id.hex(), {})
            found = files(record)
            blobs = door.blobs([file.blob for file in found])
        percents = {name: self.arrivals.percent(blob) for name, blob in blobs.items()}
        lines = [file_line(file, percents.get(file.blob, 0)) for file in found]
        return msgspec.structs.replace(sheet, files=lines)

    def attachment(
        self, me: Person, name: str, file: str, *, preview: bool = False
    ) -> tuple[FileLine, bytes]:
        """A paper or portrait of a request, opened: WebP. file: the beginning of its id. Problems
        blob.unknown, blob.waiting, blob.lost."""
        require(roles(me), Act.READ_REQUEST)
        wanted = file.strip().lower()
        with self.registry.write() as door:
            record = find_record(door, name)
            require_request(door, me, record.id)
            found = {f.blob: f for f in files(record) if f.blob.hex().startswith(wanted)}
            if not wanted or len(found) != 1:
                raise Problem("blob.unknown", blob=file[:16])
            (one,) = found.values()
            picture = one.preview if preview and one.preview else one.blob
            stored = door.blobs([picture]).get(picture)
            if stored is not None and stored.covered is not None:
                details = {"blob": one.blob.hex(), "preview": preview}
                self.note(door, me, "attachment.read", record.id.hex(), details)
        # outside: the disk, or the medium of the backups, may be slow, and nobody else could write
        return file_line(one, 100), self.arrivals.read(picture)

    # -- requests: deciding

    def accept(self, me: Person, name: str, seen: int, reason: str = "") -> Done:
        """Verified: takes it from the pile first where nobody has. Open cases come before. reason:
        why it is right all the same, where the rules find errors; Problem accept.reason."""
        with self.registry.write() as door:
            record = self.fresh(door, name, seen)
            if record.status == lifecycle.Status.RECEIVED:
                self._step(door, me, record, "take", "", seen)
                record = find_record(door, record.id.hex())
            return self._step(door, me, record, "approve", reason.strip(), seen)

    def send_back(
        self,
        me: Person,
        name: str,
        code: str,
        text: str,
        seen: int,
        about: Sequence[Remark] = (),
    ) -> Done:
        """Back to its author for correction, with reasons of the list: for the whole request, and
        (about) for single answers; one of both is needed."""
        with self.registry.write() as door:
            record = self.fresh(door, name, seen)
            reason = return_reason(form_of(record), code, text, about)
            if record.status == lifecycle.Status.RECEIVED:
                self._step(door, me, record, "take", "", seen)
                record = find_record(door, record.id.hex())
            return self._step(door, me, record, "return", reason, seen, RETURN_MAX)

    def reject(self, me: Person, name: str, code: str, text: str, seen: int) -> Done:
        """Refused with a reason of the list, once a supervisor confirms."""
        with self.registry.write() as door:
            record = self.fresh(door, name, seen)
            reason = reason_text(code, text)
            if record.status == lifecycle.Status.RECEIVED:
                self._step(door, me, record, "take", "", seen)
                record = find_record(door, record.id.hex())
            return self._step(door, me, record, "reject", reason, seen)

    def advance(self, me: Person, name: str, action: str, reason: str, seen: int) -> Done:
        """Any other step of the lifecycle that is taken at the office. Problem
        lifecycle.wrong_place for those of `ELSEWHERE`."""
        with self.registry.write() as door:
            record = self.fresh(door, name, seen)
            _not_elsewhere(record, action)
            return self._step(door, me, record, action, reason, seen)

    def confirm(self, me: Person, name: str, seen: int, *, agree: bool = True) -> Done:
        """The second person agrees to the step that waits, or lets it drop."""
        with self.registry.write() as door:
            record = self.fresh(door, name, seen)
            require_request(door, me, record.id)
            waiting = door.confirmation(record.id)
            if waiting is None or waiting.source != record.status:
                raise Problem("request.nothing_waits", code=name)
            _may_confirm(me, waiting)
            door.drop_confirmation(record.id)
            if not agree:
                details = {"action": waiting.action, "by": waiting.by}
                self.note(door, me, "request.decline", record.id.hex(), details)
                return Done(record.id.hex(), "done", record.status, door.standing().server_seq)
            actor = f"{waiting.by} + {who(me)}"
            body = Body(action=waiting.action, reason=waiting.reason)
            return self._move(door, me, record, body, seen, actor)

    def fresh(self, door: Door, name: str, seen: int) -> Record:
        """The request, unless it moved after what the person saw."""
        record = find_record(door, name)
        if record.changed > seen or seen > door.standing().server_seq:
            raise Problem("request.changed", code=name)
        return record

    def _step(
        self,
        door: Door,
        me: Person,
        record: Record,
        action: str,
        reason: str,
        seen: int,
        limit: int = REASON_MAX,
    ) -> Done:
        """Take one step of the lifecycle, or keep it for the second person. limit: characters of
        the reason."""
        require_request(door, me, record.id)
        form = form_of(record)
        group = form.group if form is not None else None
        role = lifecycle.acting_role(record.status, action, roles(me), "office", group)
        if isinstance(role, Problem):
            raise role
        if len(reason) > limit:
            raise Problem("reason.too_long", limit=limit, n=len(reason))
        if lifecycle.reason_required(record.status, action) and not reason.strip():
            raise Problem("reason.required")
        _nothing_open(record, action)
        self._not_own(door, me, record, action)
        against = self._against(record, action, reason)
        if not lifecycle.needs_second_person(record.status, action):
            return self._move(door, me, record, Body(action=action, reason=reason), seen, who(me),
                              against)  # fmt: skip
        waiting = Confirmation(action, record.status, reason, who(me), self.clock())
        door.keep_confirmation(record.id, waiting)
        self.note(door, me, f"request.{action}.propose", record.id.hex(), {})
        return Done(record.id.hex(), "waiting", record.status, seen)

    def _not_own(self, door: Door, me: Person, record: Record, action: str) -> None:
        """Raise lifecycle.same_person where somebody approves what they typed at the counter."""
        if action != "approve":
            return
        typed = typists(door, self.ledger.central, record.id)
        refused = second_person(who(me), *typed)
        if refused is not None:
            raise refused

    def _against(self, record: Record, action: str, reason: str) -> dict[str, Any]:
        """Which rules an approval passes over, for the trail. Problem accept.reason where nobody
        says why: what the rules find is not passed with one press."""
        found = errors(record, _today(self.clock())) if action == "approve" else []
        if found and not reason.strip():
            raise Problem("accept.reason", n=len(found), what=in_words(record, found))
        return {"against": [f"{one.key} {one.code}".strip() for one in found]} if found else {}

    def step_within(
        self,
        door: Door,
        me: Person,
        record: Record,
        action: str,
        reason: str,
        seen: int,
        proposer: str = "",
        body: Body | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Done:
        """One step as a part of a larger piece of work (a batch, a manifest, a handover). proposer:
        who asked for the whole of it and whose role was looked at then; `me` is the second person.
        body: what is written with the step; details: of its entry in the trail."""
        require_request(door, me, record.id)
        form = form_of(record)
        group = form.group if form is not None else None
        if not proposer:
            role = lifecycle.acting_role(record.status, action, roles(me), "office", group)
            if isinstance(role, Problem):
                raise role
            if lifecycle.needs_second_person(record.status, action):
                raise Problem("lifecycle.second_person", action=action)
        if lifecycle.move_of(record.status, action) is None:
            raise Problem("request.changed", code=record.id.hex()[:8])
        _nothing_open(record, action)
        actor = f"{proposer} + {who(me)}" if proposer else who(me)
        body = msgspec.structs.replace(body or Body(), action=action, reason=reason)
        return self._move(door, me, record, body, seen, actor, details)

    def _move(
        self,
        door: Door,
        me: Person,
        record: Record,
        body: Body,
        seen: int,
        actor: str,
        details: Mapping[str, Any] | None = None,
    ) -> Done:
        row = lifecycle.move_of(record.status, body.action)
        assert row is not None
        move = (str(record.status), str(row.target))
        self.write(door, "edit", record.id, msgspec.structs.replace(body, move=move), seen, actor)
        told = {"from": move[0], "to": move[1], "actor": actor, **(details or {})}
        self.note(door, me, f"request.{body.action}", record.id.hex(), told)
        door.drop_confirmation(record.id)
        door.drop_claims([record.id])
        return Done(record.id.hex(), "done", move[1], door.standing().server_seq)

    # -- cases

    def cases(
        self, me: Person, *, state: str = "open", kind: str = "", after: str = "", limit: int = 50
    ) -> list[CaseLine]:
        """Cases by age. state: open, proposed, closed, or all."""
        require(roles(me), Act.READ_CASE)
        if state not in CASE_STATES:
            raise Problem("api.malformed", why="state")
        with self.registry.write() as door:
            found = door.cases(
                state=None if state == "all" else state,
                kind=kind or None,
                areas=areas(me),
                after=_id(after) if after else None,
                limit=_limited(limit),
            )
            asked = {"state": state, "kind": kind, "n": len(found)}
            self.note(door, me, "case.list", "", asked)
            return [
                _case_line(case, door.moment(case.opened) or 0, self.calendar) for case in found
            ]

    def case(self, me: Person, name: str) -> CaseSheet:
        """One case, opened, with every side of it."""
        require(roles(me), Act.READ_CASE)
        with self.registry.write() as door:
            case = find_case(door, name)
            require_case(door, me, case)
            sheet = Reader(door).case(case, TAKES[case.kind], self.calendar)
            self.note(door, me, Act.READ_CASE, case.id.hex(), {})
        return sheet

    def resolve(
        self,
        me: Person,
        name: str,
        take: str,
        reason: str,
        seen: int,
        *,
        offer: int = 0,
        value: Any = None,
    ) -> Done:
        """Decide a case; a protected unit's decision waits for a second person.

        offer: number of the side that is taken (take "offer"; 0 for the only one there is).
        value: what is typed anew (take "value")."""
        require(roles(me), Act.RESOLVE_CASE)
        if take == "release":
            return releasing.decide(self, me, name, reason, seen)
        with self.registry.write() as door:
            case = self.fresh_case(door, name, seen)
            if case.kind == "escalated":  # a verifier asked; a supervisor answers
                require(roles(me), Act.APPROVE_CASE)
            log, seq = _offered(case, take, offer)
            value = self._typed(door, case, value) if take == "value" else value
            step = "propose" if case.protected else "decide"
            choice = Choice(case.id, take, reason.strip(), step, value, log, seq, who(me))
            return self.choose(door, me, case, choice, seen)

    def approve(self, me: Person, name: str, reason: str, seen: int) -> Done:
        """The second person agrees to what the first proposes."""
        require(roles(me), Act.APPROVE_CASE)
        with self.registry.write() as door:
            case = self.fresh_case(door, name, seen)
            if case.state != "proposed":
                raise Problem("case.not_waiting", case=name)
            choice = Choice(case.id, "", reason.strip(), "approve", None, b"", 0, who(me))
            return self.choose(door, me, case, choice, seen)

    def fresh_case(self, door: Door, name: str, seen: int) -> Case:
        """The case, unless it was decided or moved after what the person saw."""
        case = find_case(door, name)
        _not_stale(door, case, seen)
        return case

    def chosen(self, door: Door, case: Case, take: str, offer: int, value: Any) -> Any:
        """The value that a choice would write. Problem case.choice, or what is wrong with it."""
        log, seq = _offered(case, take, offer)
        if take == "value":
            return self._typed(door, case, value)
        if take == "offer":
            return next(o.value for o in case.offers if (o.log, o.seq) == (log, seq))
        record = find_record(door, case.record.hex())
        write = record.units.get(case.unit)
        return write.value if write is not None else None

    def choose(self, door: Door, me: Person, case: Case, choice: Choice, seen: int) -> Done:
        """Write somebody's choice about a case, with its entry in the trail."""
        require_case(door, me, case)
        if not choice.reason:
            raise Problem("reason.required")
        if len(choice.reason) > REASON_MAX:
            raise Problem("reason.too_long", limit=REASON_MAX, n=len(choice.reason))
        self.write(door, "resolve", case.record, choice, seen, who(me))
        details = {"take": choice.take, "step": choice.step}
        self.note(door, me, f"case.{choice.step}", case.id.hex(), details)
        state = {"propose": "waiting", "decline": "open"}.get(choice.step, "done")
        return Done(case.id.hex(), state, case.kind, door.standing().server_seq)

    def _typed(self, door: Door, case: Case, value: Any) -> Any:
        """A value typed at central has to fit its unit like any other."""
        record = find_record(door, case.record.hex())
        form = form_of(record)
        if form is None or case.unit == STATUS_UNIT or value is None:
            raise Problem(
                "case.choice", choice="value", unit=case.unit, choices=["current", "offer"]
            )
        answers, _ = form.answers({case.unit: value})
        checked = form.check(answers, today=_today(self.clock()), role="verifier")
        for finding in checked.problems:
            if finding.key in answers and finding.severity == "error":
                raise finding.problem()
        return value

    # -- writing

    def write(self, door: Door, kind: str, record: bytes, body: Any, seen: int, actor: str) -> None:
        """Append a change to central's own log. One that would be held is not written: the person
        is shown the request again instead."""
        at = self.clock()
        change = Change(kind, record, 0, 1, "", 0, 0, at, at, 0, 0, seen, None, raw(body))
        result, _ = self.ledger.write_in(door, change, at, actor)
        if result.state == "held":
            raise Problem("request.changed", code=record.hex()[:8])

    def note(self, door: Door, me: Person, act: str, target: str, details: dict[str, Any]) -> None:
        door.audit(me.login, str(act), target, details, self.clock())


def _not_elsewhere(record: Record, action: str) -> None:
    """Raise lifecycle.wrong_place for a step that its own room takes."""
    place = ELSEWHERE.get(action)
    if action == "return" and record.status == lifecycle.Status.READY_FOR_HANDOVER:
        place = _STOCK  # a document that a manifest brings back
    if place is not None:
        words = lifecycle.action_label(action).both()
        raise Problem("lifecycle.wrong_place", action=words, place=place.both())


def _nothing_open(record: Record, action: str) -> None:
    """Raise request.case_open where a case has to be decided before this step."""
    n = open_matters(record)
    if STATUS_UNIT in record.disputes or (action in CLEARED and n):
        raise Problem("request.case_open", n=n)


# -- four eyes


def _may_confirm(me: Person, waiting: Confirmation) -> None:
    refused = second_person(who(me), waiting.by)
    if refused is not None:
        raise refused
    row = lifecycle.move_of(waiting.source, waiting.action)
    assert row is not None
    needed = Role.SUPERVISOR if row.role == Role.VERIFIER else row.role
    held = set(roles(me))
    if Role.SUPERVISOR not in held and not any(covers(role, needed) for role in held):
        raise Problem("auth.forbidden", act=lifecycle.action_label(waiting.action).both())


# -- pieces


def _today(at: int) -> date:
    return datetime.fromtimestamp(at, WIT).date()


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Problem("id.malformed", what="id", digits=32) from None


def _limited(limit: int) -> int:
    return max(1, min(limit, LIST_MAX))


def _not_stale(door: Door, case: Case, seen: int) -> None:
    if case.state == "closed":
        raise Problem("case.closed", case=case.id.hex()[:8])
    if case.changed > seen or seen > door.standing().server_seq:
        raise Problem("case.stale", n=1)


def _offered(case: Case, take: str, number: int) -> tuple[bytes, int]:
    """Log and seq of the offer that is taken; nothing for every other choice."""
    if take not in TAKES[case.kind]:
        raise Problem("case.choice", choice=take, unit=case.unit or case.kind,
                      choices=list(TAKES[case.kind]))  # fmt: skip
    if take != "offer":
        return b"", 0
    if number == 0 and len(case.offers) == 1:
        number = 1
    if not 1 <= number <= len(case.offers):
        numbers = [str(n) for n in range(1, len(case.offers) + 1)]
        raise Problem("case.choice", choice=f"offer {number}", unit=case.unit, choices=numbers)
    offer = case.offers[number - 1]
    return offer.log, offer.seq


def _case_line(case: Case, opened_at: int, calendar: Calendar) -> CaseLine:
    promised = promise(case, opened_at, calendar)
    names = [name.hex() for name in (case.record, *case.others) if name]
    return CaseLine(
        case.id.hex(),
        case.kind,
        case.state,
        case.unit,
        case.protected,
        names,
        case.opened,
        len(case.offers),
        promised.owner,
        promised.due,
        promised.due_estimated,
    )
