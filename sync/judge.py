"""Judging one transaction: from its changes and what central knows to the effects it has.

A transaction is judged on a copy of the requests it touches. Whatever is malformed or without
authority refuses the transaction whole, and the copy is dropped; a disagreement between people is
held unit by unit while the rest of the transaction goes on. A create is never refused for what the
citizen's form says.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from models import lifecycle, questions
from models.changes import Attached, Body, Change, decode_body, own_of, record_of
from models.problems import Problem
from models.services import Service, catalogue
from sync.files import FILES_MAX, about_file, element_of, files
from sync.known import Known, LogState, Result, code_of, facts, is_code, record_keys
from sync.lineage import clamp
from sync.logs import Entry
from sync.merge import (
    Agree,
    Apply,
    Author,
    Guard,
    Hold,
    Ignore,
    Override,
    Verdict,
    merge_element,
    merge_unit,
)
from sync.state import (
    ELEMENT,
    REASON_PREFIX,
    STATUS_UNIT,
    Agreed,
    Case,
    Created,
    Decision,
    Effect,
    Held,
    Ignored,
    Linked,
    Moved,
    Opened,
    Outcome,
    Parked,
    Placed,
    Record,
    State,
    Wrote,
    copy_record,
    reasons,
)
from sync.transfer import BLOB_BYTES_MAX, HASH_BYTES

RULES_EDITION = 1
"""Edition of the rules below, written into every decision (law: determinism)."""


class Refusal(Exception):
    """The transaction can never be valid; `code` is from the catalogue of problems."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Wait(Exception):
    """The transaction cannot be judged yet; it waits for `record` (or a newer central)."""

    def __init__(self, record: bytes = b"") -> None:
        super().__init__(record.hex())
        self.record = record


class Judge:
    """Collects the effects of one transaction on a scratch copy of the state.

    `finish` folds them into `known` for good; dropping the judge forgets them.
    """

    def __init__(self, known: Known, log: LogState, first: int, n: int, at: int, actor: str = ""):
        self.known = known
        self.log = log
        self.at = at
        self.effects: list[Effect] = []
        self.results: dict[tuple[bytes, int], Result] = {}
        self.scratch = State()
        self.keyed: dict[str, list[bytes]] = {}
        self.codes: dict[tuple[int, int], bytes] = {}
        self.villages: dict[bytes, str] = {}
        number = known.server_seq + 1
        self.shell = Decision(number, log.id, first, n, at, RULES_EDITION, actor, ())

    # -- what the judge sees

    def record(self, name: bytes) -> Record | None:
        """The request as it stands after the effects so far."""
        if name not in self.scratch.records:
            found = self.known.state.records.get(name)
            if found is None:
                return None
            self.scratch.records[name] = copy_record(found)
        return self.scratch.records[name]

    def case(self, name: bytes) -> Case | None:
        """The case as it stands after the effects so far."""
        if name not in self.scratch.cases:
            found = self.known.state.cases.get(name)
            if found is None:
                return None
            self.scratch.cases[name] = msgspec.structs.replace(found)
        return self.scratch.cases[name]

    def result(self, key: tuple[bytes, int]) -> Result | None:
        """Outcome of an entry, counting the effects so far."""
        return self.results.get(key) or self.known.results.get(key)

    # -- what the judge says

    def say(self, effect: Effect) -> None:
        """Add an effect and fold it into the scratch copy."""
        self.effects.append(effect)
        case = self.case(getattr(effect, "case", b""))
        touched = [getattr(effect, "record", b""), getattr(effect, "kept", b"")]
        touched += getattr(effect, "others", ()) if case is None else case.others
        for name in touched:
            self.record(name)
        self.scratch.apply(effect, self.shell)

    def settle(self, log: bytes, seq: int, result: Result) -> None:
        """The outcome of an entry, spoken as an effect so that its author hears of it."""
        self.results[log, seq] = result
        problem = result.problem or result.part
        self.say(Outcome(log, seq, result.state, result.case, problem))

    def open(self, kind: str, record: bytes = b"", **about: Any) -> bytes:
        """Open a case and give its id, which derives from the decision's number."""
        count = sum(isinstance(e, Opened) for e in self.effects)
        seed = b"jb1-case" + self.log.id + self.shell.first.to_bytes(8, "big")
        seed += self.shell.server_seq.to_bytes(8, "big") + count.to_bytes(4, "big")
        case = hashlib.sha256(seed).digest()[:16]
        self.say(Opened(case, kind, record, **about))
        return case

    def finish(self) -> Decision:
        """Fold everything into `known` and give the decision to be stored."""
        self._place()
        decision = msgspec.structs.replace(self.shell, effects=tuple(self.effects))
        state = self.known.state
        state.records.update(self.scratch.records)
        state.cases.update(self.scratch.cases)
        self.known.results.update(self.results)
        self.known.codes.update(self.codes)
        self.known.villages.update(self.villages)
        for record in self.scratch.records.values():
            _index(self.known, record)
        self.known.server_seq = decision.server_seq
        return decision

    def _place(self) -> None:
        """A request whose address is in another village now belongs to that one."""
        wrote = {e.record for e in self.effects if isinstance(e, Wrote)}
        for name in sorted(wrote & self.known.state.records.keys()):
            before = facts(self.known.state.records[name]).village
            village = facts(self.scratch.records[name]).village
            if village != before:
                self.say(Placed(name, village, before))
                self.villages[name] = village


def _index(known: Known, record: Record) -> None:
    """Keep the duplicate keys of requests that are not over."""
    over = is_over(record)
    for key in record_keys(record):
        holders = [r for r in known.keys.get(key, []) if r != record.id]
        known.keys[key] = holders if over else [*holders, record.id]


def is_over(record: Record) -> bool:
    """Has the request ended, so that nothing is written to it without a person?"""
    return lifecycle.ended(record.status)


# -- one change


def judge_change(judge: Judge, entry: Entry, change: Change, author: Author) -> None:
    """Add the effects of one create or edit, or raise Refusal or Wait."""
    body = _body(change)
    if change.kind == "create":
        _create(judge, entry, change, body, author)
    else:
        _edit(judge, change, body, author)


def author_of(
    known: Known, log: LogState, first: int, seq: int, change: Change, most: int = 1 << 63
) -> Author:
    """The author of an entry, as merging sees them. What they saw of decisions that a restore of
    central lost counts up to where the backup ends; nobody has seen what is not decided yet. most:
    number of the newest decision there was when a change came that is only judged now."""
    seen = clamp(change.seen, known.branches)
    seen = min(seen, most) if seen <= known.server_seq else 0
    own, before = own_of(seq, change), log.before
    if own < 0:  # the page was drawn in the log before this one
        before = tuple((name, min(upto, -own - 1)) for name, upto in before[:1])
    return Author(log.id, seq, seen, own, first, log.central, before)


def _body(change: Change) -> Body:
    try:
        return decode_body(change.body)
    except msgspec.DecodeError:
        raise Refusal("change.malformed") from None


def form_of(service: str, edition: int) -> Service:
    """The service in that edition; a form that central does not have yet makes the change wait."""
    try:
        return catalogue().service(service, edition)
    except Problem:
        raise Wait from None


def _create(judge: Judge, entry: Entry, change: Change, body: Body, author: Author) -> None:
    form = form_of(change.service, change.edition)
    name = record_of(author.log, author.seq, change, entry.data)
    if change.record and change.origin is None:
        raise Refusal("change.malformed")
    _own_origin(judge, change, name)
    if judge.record(name) is not None:
        judge.settle(author.log, author.seq, Result("merged", name))
        return
    mine = (author.log, author.seq)
    code = _code(judge, name, code_of(judge.log, change, body))
    judge.say(Created(name, change.service, change.edition, judge.log.device, code, mine))
    _fill(judge, form, name, body, mine)
    judge.villages[name] = facts(judge.scratch.records[name]).village
    judge.say(Moved(name, "submit", "draft", "submitted", "", mine))
    judge.say(Moved(name, "receive", "submitted", "received", "", mine))
    if code is None:
        judge.open("code", name)
    case = find_duplicates(judge, name)
    judge.settle(author.log, author.seq, Result("applied", name, case))


def _own_origin(judge: Judge, change: Change, name: bytes) -> None:
    """Only the laptop itself makes again what it once made: nobody else's request or log."""
    device = judge.log.device
    record = judge.record(name)
    log = judge.known.logs.get(change.origin[0]) if change.origin is not None else None
    if (record is not None and record.device != device) or (log and log.device != device):
        raise Refusal("change.unauthorised")


def _code(judge: Judge, name: bytes, code: tuple[int, int]) -> tuple[int, int] | None:
    """The code, or None if it is another's, or none."""
    taken = judge.codes.get(code, judge.known.codes.get(code, name)) != name
    if taken or not is_code(code):
        return None
    judge.codes[code] = name
    return code


def _fill(judge: Judge, form: Service, name: bytes, body: Body, mine: tuple[bytes, int]) -> None:
    """First values of a request: there is nothing to merge with."""
    for unit, value in body.set.items():
        if why := _unsettable(form, unit) or _closed(form, unit):
            judge.say(Ignored(name, unit, why))
        else:
            judge.say(Wrote(name, unit, value, None, mine))
    for unit, elements in body.add.items():
        if why := _no_set(form, unit) or _closed(form, unit):
            judge.say(Ignored(name, unit, why))
            continue
        for element in elements:
            judge.say(Wrote(name, unit + ELEMENT + element, True, None, mine))
    for file in body.attach:
        why = _unfit(judge, form, name, file)
        if why:
            judge.say(Ignored(name, file.unit, why))
        else:
            judge.say(Wrote(name, element_of(file), about_file(file), None, mine))
    for key, text in body.reasons.items():
        if why := _not_theirs(judge, name, key):
            judge.say(Ignored(name, REASON_PREFIX + key, why))
        else:
            judge.say(Wrote(name, REASON_PREFIX + key, text, None, mine))


def _guard(form: Service, unit: str) -> Guard:
    """A unit this edition does not name is kept, and treated like the strictest."""
    try:
        return form.unit(unit).guard
    except Problem:
        return "protected"


def _closed(form: Service, unit: str) -> str:
    return "central" if _guard(form, unit) == "central" else ""


def _unsettable(form: Service, unit: str) -> str:
    """Why no value may be put into a unit of that name, or empty. The status moves by actions, and
    a set by its elements: a value of the same name would stand in their place."""
    if unit == STATUS_UNIT or ELEMENT in unit or unit.startswith(REASON_PREFIX):
        return "reserved"
    return "" if _no_set(form, unit) else "a_set"


def _no_set(form: Service, unit: str) -> str:
    """Why a unit has no elements, or empty where it has."""
    try:
        return "" if form.unit(unit).shape == "set" else "not_a_set"
    except Problem:
        return "not_a_set"


def _not_theirs(judge: Judge, name: bytes, key: str) -> str:
    """Why a reason of that key is not this author's to write, or empty. Only the office asks and
    takes a question back, and an answer needs its question."""
    if key.startswith(questions.ASK):
        return "" if judge.log.central else "reserved"
    if not key.startswith(questions.REPLY):
        return ""
    record = judge.record(name)
    known = questions.questions(reasons(record)) if record is not None else []
    return "" if any(key == one.reply for one in known) else "reserved"


def find_duplicates(judge: Judge, name: bytes) -> bytes:
    """Open a case when another open request has the same key; give the case, or empty."""
    record = judge.record(name)
    assert record is not None
    others: list[bytes] = []
    for key in record_keys(record):
        holders = [*judge.known.keys.get(key, []), *judge.keyed.get(key, [])]
        others += [r for r in holders if r not in (name, *others) and _holds(judge, r, key)]
        judge.keyed.setdefault(key, []).append(name)
    known_pairs = _paired(judge, record)
    fresh = tuple(o for o in sorted(others) if o not in known_pairs and not _gone(judge, o))
    return judge.open("duplicate", name, others=fresh) if fresh else b""


def suspect(judge: Judge, names: tuple[bytes, ...], note: str, kind: str = "duplicate") -> bytes:
    """Open a case about requests that look like one person's, or (identity) of which one speaks of
    somebody by what is another's, for central's own reasons (`note`). Refused where one of them is
    over or gone, or an open case of that kind compares them already."""
    known = [judge.record(name) for name in dict.fromkeys(names)]
    records = [record for record in known if record is not None and not is_over(record)]
    if len(records) < 2 or len(records) < len(names):
        raise Refusal("request.closed")
    first, *others = sorted(records, key=lambda record: (record.created, record.id))
    compared = _paired(judge, first, kind)
    if all(other.id in compared for other in others):
        raise Refusal("request.duplicate")
    return judge.open(kind, first.id, others=tuple(o.id for o in others), note=note)


def escalate(judge: Judge, names: tuple[bytes, ...]) -> bytes:
    """Open a case about one request that somebody asks a supervisor about. Refused for one that is
    over or gone, and while such a case is open already."""
    record = judge.record(names[0]) if len(names) == 1 else None
    if record is None or is_over(record):
        raise Refusal("request.closed")
    if any(case is not None and case.kind == "escalated" for case in map(judge.case, record.cases)):
        raise Refusal("request.escalated")
    return judge.open("escalated", record.id)


def _holds(judge: Judge, name: bytes, key: str) -> bool:
    """Has the request this key still? Its NIK may have been corrected meanwhile."""
    record = judge.record(name)
    return record is not None and key in record_keys(record)


def _gone(judge: Judge, name: bytes) -> bool:
    record = judge.record(name)
    return record is None or is_over(record)


def _paired(judge: Judge, record: Record, kind: str = "duplicate") -> set[bytes]:
    """Requests that an open case of that kind compares with this one already."""
    found: set[bytes] = set()
    for case in map(judge.case, record.cases):
        if case is not None and case.kind == kind:
            found.update((case.record, *case.others))
    return found


def _edit(judge: Judge, change: Change, body: Body, author: Author) -> None:
    name = change.record
    record = judge.record(name)
    if record is None:
        raise Wait(name)
    form = form_of(record.service, record.edition)
    _may_move(body, author)
    before = record_keys(record)
    verdicts = [_set_unit(judge, form, record, u, v, author) for u, v in body.set.items()]
    for present, units in ((True, body.add), (False, body.remove)):
        for unit, elements in units.items():
            verdicts += [
                _set_element(judge, form, record, unit, e, present, author) for e in elements
            ]
    verdicts += [_attach(judge, form, record, file, author) for file in body.attach]
    verdicts += [_give_reason(judge, record, k, text, author) for k, text in body.reasons.items()]
    if body.move is not None:
        verdicts.append(_move(judge, record, body, author))
    case = find_duplicates(judge, name) if set(record_keys(record)) - set(before) else b""
    judge.settle(author.log, author.seq, _result(name, verdicts, case, judge))


def _shut(judge: Judge, record: Record) -> bool:
    """Is nothing written to the request without a person? It is over, or it is neither this
    laptop's nor of a village it has or had; what was offered is held, so nothing is stranded."""
    log = judge.log
    if is_over(record):
        return True
    if log.central or log.villages is None or record.device == log.device:
        return False
    return judge.villages.get(record.id, judge.known.villages.get(record.id)) not in log.villages


def _result(name: bytes, verdicts: list[Verdict], case: bytes, judge: Judge) -> Result:
    held = [v for v in verdicts if isinstance(v, Hold)]
    if held:
        last = next(e for e in reversed(judge.effects) if isinstance(e, Held))
        return Result("held", name, last.case)
    merged = any(isinstance(v, (Agree, Override, Ignore)) for v in verdicts)
    return Result("merged" if merged else "applied", name, case)


def _set_unit(
    judge: Judge, form: Service, record: Record, unit: str, value: Any, author: Author
) -> Verdict:
    if why := _unsettable(form, unit):
        judge.say(Ignored(record.id, unit, why))
        return Ignore(why)
    guard = _guard(form, unit)
    verdict = merge_unit(record, unit, guard, value, author, over=_shut(judge, record))
    carry_out(judge, record, unit, value, verdict, author, protected=guard == "protected")
    return verdict


def _set_element(
    judge: Judge,
    form: Service,
    record: Record,
    unit: str,
    element: str,
    present: bool,
    author: Author,
) -> Verdict:
    if why := _no_set(form, unit):
        judge.say(Ignored(record.id, unit, why))
        return Ignore(why)
    key, guard = unit + ELEMENT + element, _guard(form, unit)
    verdict = merge_element(record, key, present, author, over=_shut(judge, record), guard=guard)
    carry_out(judge, record, key, present, verdict, author, protected=guard == "protected")
    return verdict


def _give_reason(judge: Judge, record: Record, key: str, text: str, author: Author) -> Verdict:
    """Why a warning may pass: a free unit of its own: nobody has to decide it."""
    unit = REASON_PREFIX + key
    if why := _not_theirs(judge, record.id, key):
        judge.say(Ignored(record.id, unit, why))
        return Ignore(why)
    if _shut(judge, record):
        judge.say(Ignored(record.id, unit, "over"))
        return Ignore("over")
    verdict = merge_unit(record, unit, "free", text, author, over=False)
    carry_out(judge, record, unit, text, verdict, author, protected=False)
    return verdict


def _attach(judge: Judge, form: Service, record: Record, file: Attached, author: Author) -> Verdict:
    """Put a file to its unit. The file itself comes by its own way."""
    unit = element_of(file)
    why = _unfit(judge, form, record.id, file)
    if why:
        judge.say(Ignored(record.id, file.unit, why))
        return Ignore(why)
    guard = _guard(form, file.unit)
    verdict = merge_element(record, unit, True, author, over=_shut(judge, record), guard=guard)
    value = about_file(file)
    carry_out(judge, record, unit, value, verdict, author, protected=guard == "protected")
    return verdict


def _unfit(judge: Judge, form: Service, name: bytes, file: Attached) -> str:
    """Why a file is left out, or empty. A request is never refused for its files."""
    record = judge.record(name)
    if not form.takes_files(file.unit):
        return "not_a_file_field"
    sound = len(file.blob) == HASH_BYTES and len(file.preview) in (0, HASH_BYTES)
    if not sound or not 0 < file.size <= BLOB_BYTES_MAX:
        return "file_size"
    if record is not None and len(files(record)) >= FILES_MAX:
        return "too_many_files"
    return ""


def carry_out(
    judge: Judge,
    record: Record,
    unit: str,
    value: Any,
    verdict: Verdict,
    author: Author,
    *,
    protected: bool,
) -> None:
    """Turn one verdict into effects."""
    name, mine = record.id, (author.log, author.seq)
    match verdict:
        case Apply():
            judge.say(Wrote(name, unit, value, None, mine))
        case Override(lost):
            judge.say(Wrote(name, unit, value, lost, mine))
        case Agree():
            judge.say(Agreed(name, unit, mine))
        case Ignore(why):
            judge.say(Ignored(name, unit, why))
        case Hold(joined, current):
            case_id = joined or judge.open(
                "dispute", name, unit=unit, current=current, protected=protected
            )
            judge.say(Held(name, unit, value, case_id, mine))


def _may_move(body: Body, author: Author) -> None:
    """Asked before anything of the change is written: a release that fails leaves nothing."""
    if body.move is None:
        return
    if not lifecycle.allowed(body.action, *body.move, central=author.central):
        raise Refusal("lifecycle.no_such_move")


def _move(judge: Judge, record: Record, body: Body, author: Author) -> Verdict:
    """A step of the lifecycle: `from` is where the request is -> apply; `to` was passed on the way
    already -> agreed; anything else is held. A second handover is always a case."""
    assert body.move is not None
    source, target = body.move
    name, mine = record.id, (author.log, author.seq)
    value = {"action": body.action, "from": source, "to": target, "reason": body.reason}
    disputed = record.disputes.get(STATUS_UNIT, b"")
    here = lifecycle.same_standing(record.status, source)
    verdict: Verdict
    if disputed or (_shut(judge, record) and not (here and author.central)):
        verdict = Hold(disputed, record.units.get(STATUS_UNIT))
    elif here:
        judge.say(Moved(name, body.action, record.status, target, body.reason, mine))
        if body.action == "unlink" and record.kept:
            judge.say(Linked(name, record.kept, False))
        if target == "submitted":
            judge.say(Moved(name, "receive", "submitted", "received", "", mine))
        return Apply()
    elif lifecycle.passed(record.status, target):
        verdict = Agree()
    else:
        verdict = Hold(b"", record.units.get(STATUS_UNIT))
    carry_out(judge, record, STATUS_UNIT, value, verdict, author, protected=False)
    return verdict


# -- a change that waits for a person as a whole


def park(judge: Judge, kind: str, case: bytes, entry: Entry, record: bytes, note: str) -> bytes:
    """Keep a whole change under a case; nothing of it is written. Gives the case."""
    if not case:
        case = judge.open(kind, record if judge.record(record) is not None else b"", note=note)
    judge.say(Parked(case, judge.log.id, entry.seq, record))
    judge.settle(judge.log.id, entry.seq, Result("held", record, case))
    return case
