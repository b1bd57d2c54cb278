"""Disputes: one unit of a request, two or more values, and everything that helps to decide.

Each value stands beside what its author had on the screen, who they are and within which bounds of
time they wrote. One may be suggested, with its ground; never so that it is chosen already where the
unit is protected. A decision can be looked at before it is made, and undone by another one. All of
it is done by `Casework`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from models import lifecycle
from models.changes import Choice
from models.codes import code_list
from models.fields import split_row
from models.forms import Slot
from models.people import Act, Role, require
from models.problems import Problem
from models.regions import full_name
from models.remarks import decided_words
from models.services import Service
from models.units import DOCUMENTS, member
from models.words import WIT, say
from server import sheets, suggesting
from server.auth import areas, of_area, require_case, require_request, roles, who
from server.casework import LIST_MAX, Casework, Done
from server.database.matching import COMPARING
from server.database.people import Person
from server.database.registry import Door
from server.finding import find_case
from server.sections import Remarked, answer, findings
from server.sheets import (
    CaseLine,
    CaseSheet,
    Event,
    Reader,
    RequestLine,
    Side,
    form_named,
    form_of,
)
from server.suggesting import Suggestion
from sync.attaching import DOCUMENT
from sync.known import facts_of, record_keys
from sync.state import ELEMENT, STATUS_UNIT, Case, Record, reasons, values

UNDO_SECONDS = 1800
"""How long who decided about a free unit may undo it; later a supervisor may."""

_S = lifecycle.Status
UNDOABLE = (_S.SUBMITTED, _S.RECEIVED, _S.IN_VERIFICATION, _S.NEEDS_CORRECTION, _S.VERIFIED)
"""Where a request may stand: in a batch for SIAK, and behind it, a decision has been used."""


class Part(msgspec.Struct, frozen=True):
    """One question of the unit. base: what its authors had on the screen; values: in the order of
    the sides; differs: whether they do. raw: what stands, as it is typed; codes: the list it is
    chosen from, "" for none."""

    name: str
    label: str
    base: str
    values: list[str]
    differs: bool
    raw: str = ""
    codes: str = ""


class Dispute(msgspec.Struct, frozen=True):
    """A dispute as it is decided. title: what it is about. since: what happened to the request
    after the number that was asked for. undo: whether who reads may undo the decision now."""

    case: CaseSheet
    service: str
    title: str
    parts: list[Part]
    suggestion: Suggestion | None
    since: list[Event]
    undo: bool


class Told(msgspec.Struct, frozen=True):
    """What an author will read. who: their name and laptop."""

    who: str
    words: str


class Preview(msgspec.Struct, frozen=True):
    """What a choice would do. changed: (question, before, after). before, after: what the rules say
    now and then. follows: what else happens; told: to whom what is said. second: a second person
    has to agree."""

    changed: list[tuple[str, str, str]]
    before: list[Remarked]
    after: list[Remarked]
    follows: list[str]
    told: list[Told]
    second: bool


class Matters(msgspec.Struct, frozen=True):
    """How many matters wait: open disputes, pairs, questions to a supervisor; and decisions and
    steps that wait for their second person."""

    disputes: int
    duplicates: int
    asked: int
    second: int


class Disputes:
    """The desk for what people disagree about."""

    def __init__(self, casework: Casework) -> None:
        self.casework = casework
        self.registry = casework.registry

    def matters(self, me: Person) -> Matters:
        """How many matters wait in this person's area; nothing of them is shown."""
        require(roles(me), Act.READ_CASE)
        with self.registry.read() as door:
            counts = door.case_counts(areas=areas(me))
            steps = len(door.confirmations(LIST_MAX, areas=areas(me)))
        return Matters(
            counts.get(("dispute", "open"), 0),
            sum(n for (kind, _), n in counts.items() if kind in COMPARING),
            counts.get(("escalated", "open"), 0),
            sum(n for (_, state), n in counts.items() if state == "proposed") + steps,
        )

    def open(self, me: Person, name: str, lang: str = "id", since: int = 0) -> Dispute:
        """A dispute with every side of it, noted. since: number of the register that was shown
        before; what happened after it is told. Problem case.unknown."""
        with self.registry.write() as door:
            sheet = self.casework.case(me, name)
            case = find_case(door, name)
            record = door.record(case.record)
            if case.kind != "dispute" or record is None:
                raise Problem("case.unknown", case=name[:40])
            form = form_of(record)
            reader = Reader(door)
            after = [d for d in door.history(record.id) if 0 < since < d.server_seq]
            events = [event for d in after for event in reader.events(d, record.id)]
            suggestion = None
            if form is not None and case.state != "closed":
                suggestion = suggesting.suggest(
                    form, record, sheet, datetime.fromtimestamp(self.casework.clock(), WIT).date(),
                    lang,
                )  # fmt: skip
            refused = self._may_undo(door, me, case, record)
            title = form.title.say(lang) if form is not None else record.service
            return Dispute(
                sheet, title, unit_words(form, case.unit, lang),
                _parts(form, case.unit, sheet.sides, lang), suggestion, events, refused is None,
            )  # fmt: skip

    def line(self, me: Person, line: CaseLine, lang: str) -> tuple[str, RequestLine | None]:
        """What a case of a list is about in words, and its request in short."""
        require(roles(me), Act.READ_CASE)
        with self.registry.read() as door:
            row = door.request_line(bytes.fromhex(line.requests[0])) if line.requests else None
        form = form_named(row.service, row.edition) if row is not None else None
        words = unit_words(form, line.unit, lang) if line.unit else ""
        return words, sheets.line(row) if row is not None else None

    def base(self, me: Person, name: str) -> Any:
        """What the authors had on the screen, to be taken again."""
        require(roles(me), Act.READ_CASE)
        with self.registry.read() as door:
            case = find_case(door, name)
            require_case(door, me, case)
            sides = Reader(door).sides(case)
        return base_of(sides)

    def typed(self, me: Person, name: str, parts: dict[str, str]) -> Any:
        """A value typed question by question, as the unit holds it: over what stands, where that
        has answers that cannot be typed here. None where nothing was typed."""
        require(roles(me), Act.READ_CASE)
        with self.registry.read() as door:
            case = find_case(door, name)
            require_case(door, me, case)
            record = door.record(case.record)
        if record is None or not any(parts.values()):
            return None
        slots = _slots(form_of(record), case.unit)
        if not slots or slots[0].unit.shape != "group":
            return next(iter(parts.values()))
        standing = _standing(case, record)
        whole = dict(standing) if isinstance(standing, dict) else {}
        known = {member(slot) for slot in slots}
        whole |= {name: text for name, text in parts.items() if name in known}
        return {name: value for name, value in whole.items() if value not in ("", None)}

    def beside(self, me: Person, name: str, record: str) -> tuple[str, list[str]]:
        """Of which kind a case is, and the numbers of the other requests of the reader's area that
        it is about."""
        require(roles(me), Act.READ_REQUEST)
        with self.registry.read() as door:
            case = find_case(door, name)
            others = {case.record, *case.others} - {bytes.fromhex(record)}
            lines = door.request_lines(of_area(door, me, sorted(others))).values()
        return case.kind, [line.code or line.id[:8] for line in map(sheets.line, lines)]

    def preview(
        self,
        me: Person,
        name: str,
        take: str,
        *,
        offer: int = 0,
        value: Any = None,
        reason: str = "",
        lang: str = "id",
    ) -> Preview:
        """What this choice would make of the request. Nothing is written. Problems as `resolve`."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.write() as door:
            case = find_case(door, name)
            if case.state == "closed":
                raise Problem("case.closed", case=case.id.hex()[:8])
            require_request(door, me, case.record)
            record = door.record(case.record)
            assert record is not None
            chosen = self.casework.chosen(door, case, take, offer, value)
            today = datetime.fromtimestamp(self.casework.clock(), WIT).date()
            form = form_of(record)
            said = _told(Reader(door), form, case, chosen, reason, who(me), lang)
        before, after = values(record), _with(record, case.unit, chosen)
        checks: list[list[Remarked]] = [[], []]
        if form is not None:
            for n, units in enumerate((before, after)):
                answers, documents = form.answers(units)
                checks[n] = findings(form, answers, tuple(documents), reasons(record), today, lang)
        old = _standing(case, record)
        slots = _slots(form, case.unit)
        changed = [
            (label, then, now)
            for label, then, now in zip(
                _labels(form, case.unit, slots, lang),
                _words(slots, case.unit, old, lang),
                _words(slots, case.unit, chosen, lang),
                strict=True,
            )
            if then != now
        ]
        follows = _follows(form, case, record, before, after, lang)
        return Preview(changed, checks[0], checks[1], follows, said, case.protected)

    def decline(self, me: Person, name: str, reason: str, seen: int) -> Done:
        """The second person does not agree to what the first proposes; the case is open again."""
        require(roles(me), Act.APPROVE_CASE)
        with self.registry.write() as door:
            case = self.casework.fresh_case(door, name, seen)
            require_request(door, me, case.record)
            if case.state != "proposed":
                raise Problem("case.not_waiting", case=name)
            choice = Choice(case.id, "", reason.strip(), "decline", None, b"", 0, who(me))
            return self.casework.choose(door, me, case, choice, seen)

    def undo(self, me: Person, name: str, reason: str, seen: int) -> Done:
        """Open a decided dispute anew; gives the new case. What was decided stays in the history,
        and written, until people decide again. Problems case.stale, case.undo_late,
        case.cannot_undo, auth.forbidden."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.write() as door:
            case = find_case(door, name)
            require_request(door, me, case.record)
            record = door.record(case.record)
            if case.state != "closed" or record is None:
                raise Problem("case.cannot_undo")
            if max(case.changed, record.changed) > seen or seen > door.standing().server_seq:
                raise Problem("case.stale", n=1)
            refused = self._may_undo(door, me, case, record)
            if refused is not None:
                raise refused
            choice = Choice(case.id, "", reason.strip(), "reopen", None, b"", 0, who(me))
            self.casework.choose(door, me, case, choice, seen)
            again = door.record(case.record)
            assert again is not None
            opened = again.disputes[case.unit]
            number = door.standing().server_seq
            return Done(opened.hex(), "open", case.kind, number)

    def _may_undo(self, door: Door, me: Person, case: Case, record: Record) -> Problem | None:
        """Why somebody may not undo a decision now."""
        if case.closing is None or case.unit == STATUS_UNIT or case.unit in record.disputes:
            return Problem("case.cannot_undo")
        if record.status not in UNDOABLE:
            return Problem("case.cannot_undo")
        held = roles(me)
        if Role.SUPERVISOR in held:
            return None
        if Role.VERIFIER not in held or who(me) not in case.closing.by.split(" + "):
            return Problem("case.undo_late", minutes=UNDO_SECONDS // 60)
        decided = door.moment(case.changed) or 0
        if not case.protected and self.casework.clock() - decided > UNDO_SECONDS:
            return Problem("case.undo_late", minutes=UNDO_SECONDS // 60)
        return None


# -- words for units and values


def base_of(sides: list[Side]) -> Any:
    """What was on the screen before anybody disagreed: of the first who offered something else."""
    ordered = sorted(sides, key=lambda side: (side.number == 0, side.number))
    return next((side.shown for side in ordered if side.shown is not None), None)


def unit_words(form: Service | None, unit: str, lang: str) -> str:
    """What a unit is called: by its questions, the first three of them."""
    if unit == STATUS_UNIT:
        return say("Status", lang)
    name, plus, element = unit.partition(ELEMENT)
    if name == DOCUMENTS.name:
        return (
            f"{say('Dokumen', lang)}: {_document(element, lang)}" if plus else say("Dokumen", lang)
        )
    if name.startswith(DOCUMENT):
        return _document(name.removeprefix(DOCUMENT), lang)
    slots = _slots(form, name)
    words = " / ".join(slot.field.label.say(lang) for slot in slots[:3]) or name
    return f"{words}: {element}" if plus else words


def _document(code: str, lang: str) -> str:
    kinds = code_list("jenis_dokumen")
    return kinds.label(code, lang) if code in kinds else code


def _slots(form: Service | None, unit: str) -> list[Slot]:
    if form is None or unit == STATUS_UNIT:
        return []
    pattern, row = split_row(unit.partition(ELEMENT)[0])
    return form.plan.units.get(f"{pattern}#" if row else pattern, [])


def _labels(form: Service | None, unit: str, slots: list[Slot], lang: str) -> list[str]:
    if not slots or ELEMENT in unit or slots[0].unit.shape != "group":
        return [unit_words(form, unit, lang)]
    return [slot.field.label.say(lang) for slot in slots]


def _words(slots: list[Slot], unit: str, value: Any, lang: str) -> list[str]:
    """A value in words, question by question."""
    if not slots or ELEMENT in unit:
        return [_plain(unit, value, lang)]
    if slots[0].unit.shape != "group":
        return [answer(slots[0], value, lang)]
    parts = value if isinstance(value, dict) else {}
    return [answer(slot, parts.get(member(slot)), lang) for slot in slots]


def _plain(unit: str, value: Any, lang: str) -> str:
    """A step of the lifecycle, an element of a set, or what no form here knows."""
    if isinstance(value, dict) and "to" in value:
        value = value["to"]
    if unit == STATUS_UNIT and isinstance(value, str) and lifecycle.known_status(value):
        return lifecycle.standing(value).office.words(lang)
    if ELEMENT in unit:
        return say("ada", lang) if value else say("tidak ada", lang)
    return "" if value is None else str(value)


def _parts(form: Service | None, unit: str, sides: list[Side], lang: str) -> list[Part]:
    """The sides question by question; those that nobody filled are left out."""
    slots = _slots(form, unit)
    labels = _labels(form, unit, slots, lang)
    columns = [_words(slots, unit, side.value, lang) for side in sides]
    shown = base_of(sides)
    base = _words(slots, unit, shown, lang)
    names = [member(slot) for slot in slots] if len(labels) == len(slots) else [unit]
    found = []
    for n, label in enumerate(labels):
        row = [column[n] for column in columns]
        if any(row) or base[n]:
            raw, codes = _raw(slots, n, sides)
            found.append(Part(names[n], label, base[n], row, len(set(row)) > 1, raw, codes))
    return found


def _raw(slots: list[Slot], n: int, sides: list[Side]) -> tuple[str, str]:
    """What stands for one question, as it would be typed, and the list it is chosen from."""
    if n >= len(slots):
        return "", ""
    value = sides[0].value if sides else None
    if isinstance(value, dict):
        value = value.get(member(slots[n]))
    codes = slots[n].field.codes
    listed = codes if codes and not codes.startswith("ref:") else ""
    return value if isinstance(value, str) else "", listed


# -- what a choice would do


def _standing(case: Case, record: Record) -> Any:
    if case.unit == STATUS_UNIT:
        return record.status
    write = record.units.get(case.unit)
    return write.value if write is not None else None


def _with(record: Record, unit: str, value: Any) -> dict[str, Any]:
    """The request's values with another one for this unit."""
    found = values(record)
    name, plus, element = unit.partition(ELEMENT)
    if plus:
        elements = set(found.get(name, ()))
        found[name] = sorted(elements | {element} if value else elements - {element})
    elif unit != STATUS_UNIT:
        found[unit] = value
    return {name: one for name, one in found.items() if one is not None}


def _told(
    reader: Reader, form: Service | None, case: Case, chosen: Any, reason: str, by: str, lang: str
) -> list[Told]:
    """What each author at a laptop will read, once each."""
    slots, found = _slots(form, case.unit), {}
    for side in reader.sides(case):
        if side.author.device:
            name = f"{side.author.who} · {side.author.device}"
            apart = _apart(slots, side.value, chosen)
            value, mine = (
                ", ".join(one or "-" for one in _words(apart, case.unit, given, lang))
                for given in (chosen, side.value)
            )
            unit = " / ".join(slot.field.label.say(lang) for slot in apart)
            unit = unit or unit_words(form, case.unit, lang)
            found[side.author.log] = Told(name, decided_words(unit, value, mine, reason, by, lang))
    return list(found.values())


def _apart(slots: list[Slot], mine: Any, chosen: Any) -> list[Slot]:
    """Of a group the questions that the two answer differently: those an author is told of."""
    if not (isinstance(mine, dict) and isinstance(chosen, dict)):
        return slots
    apart = [s for s in slots if mine.get(member(s)) != chosen.get(member(s))]
    return apart or [s for s in slots if member(s) in chosen] or slots


def _follows(
    form: Service | None, case: Case, record: Record, before: dict[str, Any],
    after: dict[str, Any], lang: str,
) -> list[str]:  # fmt: skip
    """What else happens by a choice, in words."""
    found = []
    if case.protected:
        found.append(say("Isian dilindungi: berlaku setelah disetujui orang kedua.", lang))
    then = facts_of(record.service, record.edition, after)
    village = facts_of(record.service, record.edition, before).village
    if then.village != village:
        place = full_name(then.village) if then.village else say("luar kota", lang)
        found.append(say("Berkas pindah ke {place}.", lang, place=place))
    if set(then.keys) != set(record_keys(record)):
        found.append(say("Dicocokkan lagi dengan berkas lain: NIK atau kelahiran berubah.", lang))
    if record.status == _S.VERIFIED:
        found.append(say("Berkas sudah diverifikasi: batch SIAK memakai data yang baru.", lang))
    others = len(set(record.disputes.values()) - {case.id})
    if others:
        found.append(say("{n} perkara lain pada berkas ini masih terbuka.", lang, n=others))
    if form is not None and before != after:
        output = form.output.say(lang)
        found.append(say("Dokumen yang terbit memakai data ini: {output}.", lang, output=output))
    return found
