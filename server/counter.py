"""Counter: what may be done at the office's own counter, where people come with their papers.

    counter.begin(me, ["birth-record"])   forms begun together, kept as they are typed
    counter.put(me, folder, …)            every page saves, right or wrong
    counter.submit(me, folder)            one transaction in central's own log, codes given
    counter.receipt(me, record)           the citizen's proof, signed by central

The forms are those of the vans and villages: same files, same checks, same units. What is taken in
here is a change like any other. It is judged by the same rules, meets a request of the same matter
as theirs would, and goes to the laptops of its village. Central's log gives codes of block 0, which
no laptop ever gets. A request that was returned is corrected here (`correct`): at the counter there
is no laptop that could.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from models import lifecycle, names
from models.changes import Body, Change, raw
from models.checks import Checked
from models.fields import split_row
from models.ids import NUMBERS, Code
from models.pages.together import FORMS_MAX, laid, owners
from models.people import Act, require
from models.printing.receipt import Slip
from models.problems import Problem, finding
from models.services import Service, catalogue
from models.words import WIT
from models.writing import changed_units, first_units
from server.auth import require_area, roles, who
from server.authorship import CORRECT
from server.database.outreach import KeptDraft
from server.database.people import Person
from server.database.registry import Door, Registry
from server.finding import find_record
from server.keys import Entropy, Keys
from server.ledger import Ledger
from sync import base45
from sync.known import Needs, facts
from sync.receipt import Receipt, issue
from sync.state import Record, reasons, values

BLOCK = 0
"""Of central's own tracking codes: laptops are given blocks from 1 on."""

DRAWS_MAX = 100
DRAFT_BYTES_MAX = 256 * 1024
DRAFTS_MAX = 200
"""Forms that one person may have begun at once."""

DRAFT_DAYS = 30
"""As at a laptop: after so many days without a save a draft is gone (`lifecycle`)."""

WINDOW_MAX = 40
DAY_SECONDS = 86_400
DUPLICATE = "duplicate"


class Written(msgspec.Struct, frozen=True):
    """One form as it was typed. answers: flat, by their full key. edition: of the request that is
    corrected; 0 for today's."""

    service: str
    answers: dict[str, Any] = {}
    documents: tuple[str, ...] = ()
    reasons: dict[str, str] = {}
    edition: int = 0


class Forms(msgspec.Struct, frozen=True):
    """What a draft holds. seen: number of the register when it was begun (law: display). record: of
    the request it corrects, with its answers and documents as they were then. window: that saved
    last; its own saves, one while typing and one by the button, overtake each other."""

    forms: tuple[Written, ...]
    seen: int
    record: bytes = b""
    before: dict[str, Any] = {}
    papers: tuple[str, ...] = ()
    window: str = ""


class Sheet(msgspec.Struct, frozen=True):
    """A form with its service."""

    wanted: Written
    service: Service


class Folder(msgspec.Struct, frozen=True):
    """Forms begun together, as last saved. name: 16 bytes. at: when they were saved, Unix seconds.
    day: by which ages count. became: the requests they are now; empty while they are a draft."""

    name: bytes
    version: int
    at: int
    day: date
    kept: Forms
    sheets: tuple[Sheet, ...]
    became: tuple[bytes, ...] = ()

    @property
    def record(self) -> bytes:
        """The request that it corrects, empty for new ones."""
        return self.kept.record

    def owners(self, section: str, number: int) -> list[int]:
        """The forms a section's answers lie in."""
        return owners([sheet.service for sheet in self.sheets], section, number)


class Taken(msgspec.Struct, frozen=True):
    """A request that was taken in."""

    record: bytes
    code: Code
    service: str


class Counter:
    """`clock` gives Unix seconds. office: its name, as it is printed."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        keys: Keys,
        office: str,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.keys = keys
        self.office = office
        self.clock = clock
        self.entropy = entropy

    # -- forms that are being filled in

    def drafts(self, me: Person) -> list[Folder]:
        """What this person began and did not submit, newest first."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.read() as door:
            return [self._folder(kept) for kept in door.counter_drafts(me.login)]

    def begin(self, me: Person, services: Sequence[str], nik: str = "") -> Folder:
        """Begin forms for one citizen or family. nik: of the person they are about. Problems:
        request.forms, service.unknown, draft.many."""
        require(roles(me), Act.TAKE_IN)
        if not 0 < len(services) <= FORMS_MAX:
            raise Problem("request.forms", limit=FORMS_MAX)
        found = tuple(_begun(catalogue().service(slug), nik.strip()) for slug in services)
        with self.registry.write() as door:
            return self._keep(door, me, Forms(found, door.standing().server_seq))

    def correct(self, me: Person, name: str) -> Folder:
        """Begin to correct a request that was returned and waits for correction; go on with it if
        that was begun. Problems: request.unknown, service.edition, lifecycle.*."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.write() as door:
            record = _theirs(door, me, name)
            form = _form_of(record)
            role = lifecycle.acting_role(record.status, CORRECT, roles(me), "office", form.group)
            if isinstance(role, Problem):
                raise role
            for kept in door.counter_drafts(me.login):
                folder = self._folder(kept)
                if folder.record == record.id:
                    return folder
            answers, documents = form.answers(values(record))
            answers = {key: value for key, value in answers.items() if _typed_here(form, key)}
            written = Written(form.slug, answers, documents, reasons(record), form.edition)
            seen = door.standing().server_seq
            forms = Forms((written,), seen, record.id, answers, documents)
            door.audit(me.login, Act.READ_REQUEST, record.id.hex(), {}, self.clock())
            return self._keep(door, me, forms)

    def open(self, me: Person, name: bytes) -> Folder:
        """Forms as they were last saved, or what became of them. Problem draft.unknown for those of
        somebody else too."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.read() as door:
            return self._folder(_mine(door, me, name))

    def put(
        self,
        me: Person,
        folder: Folder,
        answers: Mapping[int, Mapping[str, Any]],
        documents: Mapping[int, Sequence[str]] | None = None,
        reasons: Mapping[int, Mapping[str, str]] | None = None,
        window: str = "",
    ) -> Folder:
        """Save what was typed, form by form (by its number); None takes a key away. window: the
        name of the page that saves. Problems draft.moved where they were saved elsewhere meanwhile,
        draft.large."""
        require(roles(me), Act.TAKE_IN)
        forms = []
        for number, sheet in enumerate(folder.sheets):
            wanted = sheet.wanted
            why = {**wanted.reasons, **(reasons or {}).get(number, {})}
            forms.append(
                msgspec.structs.replace(
                    wanted,
                    answers=laid(wanted.answers, answers.get(number, {})),
                    documents=tuple((documents or {}).get(number, wanted.documents)),
                    reasons={key: text for key, text in why.items() if text},
                )
            )
        with self.registry.write() as door:
            kept = _mine(door, me, folder.name)
            if kept.became or kept.version != folder.version:
                raise Problem("draft.moved")
            if tuple(forms) == folder.kept.forms:
                return folder
            changed = msgspec.structs.replace(
                folder.kept, forms=tuple(forms), window=window[:WINDOW_MAX]
            )
            return self._keep(door, me, changed, kept)

    def drop(self, me: Person, name: bytes) -> None:
        """Throw forms away."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.write() as door:
            if not _mine(door, me, name).became:
                door.drop_counter_draft(name)

    def forget(self) -> int:
        """Drop what nobody has touched for so long."""
        with self.registry.write() as door:
            return door.forget_counter_drafts(self.clock() - DRAFT_DAYS * DAY_SECONDS)

    # -- checking

    def check(self, me: Person, folder: Folder) -> list[Checked]:
        """Every form checked as it stands; a matter that is open already is a doubt."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.read() as door:
            return self._checked(door, folder)

    def _checked(self, door: Door, folder: Folder) -> list[Checked]:
        found = []
        for sheet in folder.sheets:
            wanted = sheet.wanted
            one = sheet.service.check(
                wanted.answers, wanted.documents, wanted.reasons, today=folder.day
            )
            if folder.record:
                one = self._only_new(folder, sheet, one)
            elif one.ok:
                one = _compared(door, sheet, one)
            found.append(one)
        return found

    def _only_new(self, folder: Folder, sheet: Sheet, checked: Checked) -> Checked:
        """What was wrong with a request before is no reason to refuse its correction."""
        kept, service = folder.kept, sheet.service
        was = service.check(kept.before, kept.papers, sheet.wanted.reasons, today=folder.day)
        already = {(one.key, one.code) for one in was.problems if one.stops}
        left = tuple(one for one in checked.problems if (one.key, one.code) not in already)
        return msgspec.structs.replace(checked, problems=left)

    # -- taking in

    def submit(self, me: Person, folder: Folder, why: str = "") -> list[bytes]:
        """Take all forms in, or none; gives the requests. A second click finds the first one's.
        why: of a correction. Problems: request.invalid, request.nothing_changed, draft.moved."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.write() as door:
            kept = _mine(door, me, folder.name)
            if kept.became:
                return kept.records
            if kept.version != folder.version:
                raise Problem("draft.moved")
            checked = self._checked(door, folder)
            stops = sum(one.stops for form in checked for one in form.problems)
            if stops:
                raise Problem("request.invalid", n=stops)
            if folder.record:
                became = [self._corrected(door, me, folder, checked[0], why)]
            else:
                became = self._created(door, me, folder, checked)
            done = msgspec.structs.replace(
                kept, data=b"", became=b"".join(became), at=self.clock(), version=kept.version + 1
            )
            door.keep_counter_draft(done)
        return became

    def _created(
        self, door: Door, me: Person, folder: Folder, checked: Sequence[Checked]
    ) -> list[bytes]:
        at, n = self.clock(), len(checked)
        changes, given = [], set[int]()
        for i, (sheet, form) in enumerate(zip(folder.sheets, checked, strict=True)):
            village = sheet.service.village(form.answers)
            if village:  # people of elsewhere may come to any counter
                require_area(me, village)
            number = self._draw(door, given)
            plain, sets = first_units(sheet.service, form)
            why = {k: text for k, text in sheet.wanted.reasons.items() if _passes(form, k)}
            body = Body(number=number, set=plain, add=sets, reasons=why)
            form_name = sheet.service.slug, sheet.service.edition
            times = at, at, 0
            change = Change(
                "create", b"", i, n, *form_name, 0, *times, 0, folder.kept.seen, None, raw(body)
            )
            changes.append(change)
        written, _ = self.ledger.write_together(door, changes, at, who(me))
        for sheet, (_, result) in zip(folder.sheets, written, strict=True):
            detail = {"service": sheet.service.slug}
            door.audit(me.login, Act.TAKE_IN, result.record.hex(), detail, at)
        return [result.record for _, result in written]

    def _corrected(
        self, door: Door, me: Person, folder: Folder, checked: Checked, why: str
    ) -> bytes:
        """A correction writes what differs from what was shown, and hands the request back."""
        kept, service = folder.kept, folder.sheets[0].service
        record = _theirs(door, me, kept.record.hex())
        village = service.village(checked.answers)
        if village:  # where it moves to, if it moves
            require_area(me, village)
        role = lifecycle.acting_role(record.status, CORRECT, roles(me), "office", service.group)
        if isinstance(role, Problem):
            raise role
        old = service.units(kept.before, kept.papers)
        plain, add, remove = changed_units(
            service, old, service.units(checked.answers, checked.documents)
        )
        if not (plain or add or remove):
            raise Problem("request.nothing_changed")
        row = lifecycle.move_of(record.status, CORRECT)
        assert row is not None
        given = {k: t for k, t in folder.sheets[0].wanted.reasons.items() if _passes(checked, k)}
        fresh = {k: text for k, text in given.items() if reasons(record).get(k) != text}
        move = (str(record.status), str(row.target))
        body = Body(set=plain, add=add, remove=remove, reasons=fresh, reason=why[:500],
                    action=CORRECT, move=move)  # fmt: skip
        at = self.clock()
        change = Change("edit", record.id, 0, 1, "", 0, 0, at, at, 0, 0, kept.seen, None, raw(body))
        self.ledger.write_in(door, change, at, who(me))
        door.audit(me.login, f"request.{CORRECT}", record.id.hex(), {"units": len(plain)}, at)
        return record.id

    def _draw(self, door: Door, given: set[int]) -> int:
        """An unused random number of central's block."""
        for _ in range(DRAWS_MAX):
            number: int = int.from_bytes(self.entropy(8), "big") % NUMBERS
            if number not in given and door.record_by_code(BLOCK, number) is None:
                given.add(number)
                return number
        raise Problem("blocks.exhausted")

    # -- the receipt

    def receipt(self, me: Person, name: str, lang: str = "id") -> Slip:
        """What is printed for the citizen, the name masked. Problem receipt.elsewhere for a request
        that was not taken in here."""
        require(roles(me), Act.TAKE_IN)
        with self.registry.write() as door:
            record = _theirs(door, me, name)
            log, seq = record.log, record.seq
            entry = door.entry(log, seq)
            if log != self.ledger.central or entry is None or record.code is None:
                code = str(Code(*record.code)) if record.code else record.id.hex()
                raise Problem("receipt.elsewhere", code=code)
            door.audit(me.login, "receipt.print", record.id.hex(), {}, self.clock())
            row = door.request_line(record.id)
        form = _form_of(record)
        told = Receipt(record.id, record.code, record.service, record.edition, seq, entry.head)
        token = base45.encode(issue(told, self.keys.identity))
        return Slip(
            record.id.hex(), str(Code(*record.code)), record.service, form.title.say(lang),
            names.masked(row.name if row is not None else ""), self.office,
            row.created_at if row is not None else self.clock(), token,
        )  # fmt: skip

    # -- keeping

    def _keep(self, door: Door, me: Person, forms: Forms, kept: KeptDraft | None = None) -> Folder:
        data = msgspec.msgpack.encode(forms)
        if len(data) > DRAFT_BYTES_MAX:
            raise Problem("draft.large", limit=DRAFT_BYTES_MAX)
        at = self.clock()
        if kept is None:
            if len(door.counter_drafts(me.login)) >= DRAFTS_MAX:
                raise Problem("draft.many", limit=DRAFTS_MAX)
            fresh = KeptDraft(self.entropy(16), me.login, at, 1, data)
        else:
            fresh = msgspec.structs.replace(kept, at=at, version=kept.version + 1, data=data)
        door.keep_counter_draft(fresh)
        return self._folder(fresh)

    def _folder(self, kept: KeptDraft) -> Folder:
        today = datetime.fromtimestamp(self.clock(), WIT).date()
        if kept.became:
            return Folder(
                kept.id, kept.version, kept.at, today, Forms((), 0), (), tuple(kept.records)
            )
        forms = msgspec.msgpack.decode(kept.data, type=Forms)
        sheets = tuple(
            Sheet(one, catalogue().service(one.service, one.edition or None)) for one in forms.forms
        )
        return Folder(kept.id, kept.version, kept.at, today, forms, sheets)


def _begun(service: Service, nik: str) -> Written:
    """A form with what is known from the start: who applies where only one may, and the NIK."""
    answers: dict[str, Any] = {}
    if service.applicants == ("self",):
        answers["applicant.relation"] = "self"
    if nik and "applicant.nik" in service.plan.slots:
        answers["applicant.nik"] = nik[:16]
    return Written(service.slug, answers)


def _mine(door: Door, me: Person, name: bytes) -> KeptDraft:
    kept = door.counter_draft(name)
    if kept is None or kept.login != me.login:
        raise Problem("draft.unknown", draft=name.hex()[:32])
    return kept


def _theirs(door: Door, me: Person, name: str) -> Record:
    """The request of that name, if its village is of the person's area. Problem auth.area."""
    record = find_record(door, name)
    village = facts(record).village
    if village:
        require_area(me, village)
    return record


def _compared(door: Door, sheet: Sheet, checked: Checked) -> Checked:
    """Is the same matter open already? A doubt that passes with a reason, as at a laptop."""
    keys = set(sheet.service.keys(checked.answers))
    known = door.load(Needs())
    door.load_keys(known, keys)
    for name in sorted({holder for key in keys for holder in known.keys.get(key, ())}):
        other = known.state.records.get(name)
        code = str(Code(*other.code)) if other is not None and other.code else name.hex()[:8]
        words = {"service": sheet.service.title.both(), "code": code}
        doubt = finding(DUPLICATE, "request.duplicate", **words)
        passed = bool(sheet.wanted.reasons.get(DUPLICATE))
        doubt = msgspec.structs.replace(doubt, passed=passed)
        return msgspec.structs.replace(checked, problems=(*checked.problems, doubt))
    return checked


def _passes(checked: Checked, key: str) -> bool:
    """Whether a reason was asked for: others are not written."""
    return any(one.key == key and one.passed for one in checked.problems)


def _form_of(record: Record) -> Service:
    """The form of a request. Problem service.edition where this program does not know it."""
    return catalogue().service(record.service, record.edition)


def _typed_here(service: Service, key: str) -> bool:
    slot = service.plan.slots.get(split_row(key)[0])
    return slot is not None and slot.field.guard != "central" and slot.field.stage != "handover"
