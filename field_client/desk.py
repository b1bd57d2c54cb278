"""Desk: what may be done at the laptop. Its verbs are the verbs on the buttons.

    desk.prepare(wanted)     a form checked as it stands, with what the lists know filled in
    desk.submit(prepared…)   taken in: one durable transaction of the log, tracking codes given
    desk.open(record)        a request as it is shown; edit, withdraw go by what was shown then
    desk.receipt(record)     the citizen's proof

Each change carries what was on the screen when its page was first drawn (law: display), the clock
facts of this machine, and the session that an operator's own key opened.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from field_client import clock as clocks
from field_client.attachments import attaching
from field_client.clock import Clock, ClockFacts
from field_client.prefill import laid_over, prefilled
from field_client.sheet import CORRECTION, Sheet, changed_units, sheet
from field_client.vault.attached import StoredFile
from field_client.vault.blobs import Blobs
from field_client.vault.draft_files import Held
from field_client.vault.drafts import Draft
from field_client.vault.keys import Unlocked
from field_client.vault.recents import Recently
from field_client.vault.refs import Ref
from field_client.vault.requests import Line
from field_client.vault.saving import Saving
from field_client.vault.store import Shown, Store
from models import lifecycle
from models.changes import Attached, Body, Change, Hole, OperatorEntry, RecordId, Session, raw
from models.checks import Checked
from models.ids import NUMBERS, Code
from models.problems import Finding, Problem, finding
from models.roster.residents import Resident
from models.services import Service, catalogue
from models.writing import first_units
from sync.attaching import Photo, Put, file_named
from sync.logs import Open, session_message
from sync.messages import Certificate, Checkpoint, Invitation
from sync.transfer import PAPERS, PREVIEWS

DRAWS_MAX = 100
"""Random numbers tried before a block counts as used up: with 2^25 in it, never before that."""

DUPLICATE = "duplicate"
"""Key of the reason for taking in a matter that is already open on this laptop."""


class Wanted(msgspec.Struct, frozen=True):
    """A request as it was typed. answers: nested or flat. nik: of the person it is about, to fill
    in what the lists know. taken_at: Unix seconds, when it was written down elsewhere before.
    folder, place: of forms begun together (`field_client.folder`). version: grows by each save.
    before, papers: answers and documents as first shown, of a correction."""

    service: str
    answers: Any = {}
    documents: Any = ()
    reasons: Any = {}
    nik: str = ""
    taken_at: int | None = None
    folder: bytes = b""
    place: int = 0
    version: int = 0
    before: dict[str, Any] = {}
    papers: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """A checked form. shown: what was on the screen when it was first drawn."""

    service: Service
    checked: Checked
    reasons: dict[str, str]
    taken_at: int | None
    shown: Shown

    @property
    def ok(self) -> bool:
        """Nothing stops it."""
        return self.checked.ok


class Taken(msgspec.Struct, frozen=True):
    """A request that is now in the log. at: Unix seconds. seq: number of its entry."""

    record: RecordId
    code: Code
    service: str
    edition: int
    seq: int
    at: int


class Announced(msgspec.Struct, frozen=True):
    """Operators whose keys stand in a log."""

    log: bytes
    operators: tuple[bytes, ...]


class Desk:
    """One operator's desk. Not for several threads at once."""

    def __init__(
        self,
        store: Store,
        operator: Unlocked,
        clock: Clock,
        chance: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self.store = store
        self.operator = operator
        self.clock = clock
        self.chance = chance
        self._session: tuple[bytes, int] | None = None
        self._facts = store.recall(ClockFacts)

    # -- where it stands

    def invitation(self) -> Invitation:
        """What this laptop was enrolled with. Problem vault.absent before that."""
        found = self.store.recall(Invitation)
        if found is None:
            raise Problem("vault.absent", path="-")
        return found

    def grant(self) -> int:
        """Number of the newest authority this laptop was given."""
        certificate = self.store.recall(Certificate)
        return certificate.grant if certificate is not None else self.invitation().grant

    def facts(self) -> ClockFacts:
        """The clocks now, as they go into a change."""
        return self.clock.facts(self._facts)

    def clock_doubt(self) -> Problem | None:
        """Why the operator should look at the laptop's clock, or None."""
        return self.clock.doubt(self.facts(), self._known())

    def today(self) -> date:
        """The day, never before the last day that is known for certain."""
        return clocks.today(self.facts(), self._known())

    def _known(self) -> clocks.Known:
        checkpoint = self.store.recall(Checkpoint)
        return clocks.Known(self._facts, checkpoint.at if checkpoint is not None else 0)

    # -- a new request

    def prepare(self, wanted: Wanted, shown: Shown | None = None) -> Prepared:
        """Fill in what the lists know and check everything. Nothing is written.

        shown: of the draft it comes from; by default, what is known now. Problem service.unknown.
        """
        shown = shown or self.store.shown()
        today = self.today()
        service = catalogue().service(wanted.service)
        answers = prefilled(service, wanted.answers, wanted.nik, lambda nik: self.find(nik, today))
        checked = service.check(answers, wanted.documents, wanted.reasons, today=today)
        if checked.ok:
            checked = self._compare(service, checked, wanted.reasons)
        reasons = _given(wanted.reasons, checked)
        return Prepared(service, checked, reasons, wanted.taken_at, shown)

    def find(self, nik: str, today: date | None = None) -> tuple[Resident, str] | None:
        """The resident with this NIK and the village of their list, if exactly one is known."""
        found = self.store.roster.by_nik(nik, today or self.today())
        if len({one.resident.key for one in found}) != 1:
            return None
        villages = {kept.number: kept.source.village for kept in self.store.roster.lists()}
        return found[0].resident, villages[found[0].roster]

    def _compare(self, service: Service, checked: Checked, reasons: Any) -> Checked:
        """Is the same matter open on this laptop already? A warning that passes with a reason."""
        keys = set(service.keys(checked.answers))
        for line in self._same_people(keys):
            picture = self.store.requests.picture(line.record)
            if picture is None or lifecycle.ended(line.status) or line.code is None:
                continue
            other = sheet(picture, line)
            if other.service is not None and keys & set(other.service.keys(other.answers)):
                words = {"service": service.title.both(), "code": str(Code(*line.code))}
                doubt = finding(DUPLICATE, "request.duplicate", **words)
                passed = isinstance(reasons, dict) and bool(reasons.get(DUPLICATE))
                doubt = msgspec.structs.replace(doubt, passed=passed)
                return msgspec.structs.replace(checked, problems=(*checked.problems, doubt))
        return self._warned(service, checked)

    def find_recent(self, service: Service, answers: Mapping[str, Any]) -> Recently | None:
        """Was the same asked on another laptop in the last weeks, as far as was heard here?"""
        return self.store.find_recent(service.traces(service.subjects(answers)))

    def _warned(self, service: Service, checked: Checked) -> Checked:
        """Somebody else took in the same lately: this is told, and stops nobody. The laptop knows
        neither whose request that is nor how it ended; the office compares the two."""
        found = self.find_recent(service, checked.answers)
        if found is None:
            return checked
        day = date(1970, 1, 1) + timedelta(days=found.day)
        words = {"service": service.title.both(), "office": found.office, "day": day}
        doubt = msgspec.structs.replace(finding(DUPLICATE, "request.recent", **words), passed=True)
        return msgspec.structs.replace(checked, problems=(*checked.problems, doubt))

    def _same_people(self, keys: set[str]) -> Iterator[Line]:
        for number in {part for key in keys for part in key.split("|") if _is_number(part)}:
            yield from self.store.requests.by_number(number)

    def submit(
        self,
        *prepared: Prepared,
        refs: Callable[[Sequence[Taken]], Sequence[Ref]] | None = None,
        drafts: Sequence[bytes] = (),
    ) -> list[Taken]:
        """Take requests in, all of them or none: one transaction, durable when this returns.

        refs: gives what to remember of queued rows in the same commit. drafts: have become the
        requests, one each in the same order; their files go with them. Problems: request.invalid,
        vault.too_large, blocks.exhausted, disk.*.
        """
        stops = sum(one.stops for form in prepared for one in form.checked.problems)
        if stops or not prepared:
            raise Problem("request.invalid", n=stops)
        with self.saving() as (saving, session, facts):
            taken: list[Taken] = []
            for i, form in enumerate(prepared):
                files = saving.draft_files(drafts[i]) if drafts else []
                taken.append(self._create(saving, session, facts, form, (i, len(prepared)), files))
            for one in taken:
                saving.note_visit(one.record)
            for ref in refs(taken) if refs is not None else ():
                saving.keep_ref(ref)
            for draft in drafts:
                saving.drop_draft(draft)
        return taken

    def _create(
        self,
        saving: Saving,
        session: int,
        facts: ClockFacts,
        form: Prepared,
        place: tuple[int, int],
        files: Sequence[Held],
    ) -> Taken:
        block, service = saving.own.block, form.service
        number = self._draw(saving)
        plain, sets = first_units(service, form.checked)
        body = attaching.with_files(
            Body(number=number, set=plain, add=sets, reasons=form.reasons), files
        )
        facts = _taken(facts, form.taken_at)
        change = Change(
            "create", b"", *place, service.slug, service.edition, session, facts.at, facts.booted,
            facts.boot, self.grant(), form.shown.seen, None, raw(body),
        )  # fmt: skip
        entry = saving.append(change)
        record = saving.record_of(entry, change)
        due = attaching.due_by(service, form.checked.answers, facts.at)
        for one in files:
            saving.add_file(one.preview, PREVIEWS, record, due)
            saving.add_file(one.paper, PAPERS, record, due)
        code = Code(block, number)
        return Taken(record, code, service.slug, service.edition, entry.seq, facts.at)

    def _draw(self, saving: Saving) -> int:
        """An unused random number of the block: the tails of two clones hardly ever meet."""
        for _ in range(DRAWS_MAX):
            number = self.chance(NUMBERS)
            if not saving.code_taken(saving.own.block, number):
                return number
        raise Problem("blocks.exhausted")

    # -- drafts

    def keep(
        self, wanted: Wanted, begun: Draft | None = None, name: bytes = b"", record: RecordId = b""
    ) -> bytes:
        """Keep a form as a draft, new (by that name) or again; gives its id. What was on the screen
        when it was first drawn stays with it, whatever is pulled meanwhile. record: the request it
        corrects."""
        shown = self.store.shown()
        name = begun.id if begun is not None else name or secrets.token_bytes(16)
        catalogue().service(wanted.service)
        self.store.drafts.save(
            Draft(
                name, self.operator.name, record, wanted.service, shown.seen, shown.own,
                self.facts().at, msgspec.msgpack.encode(wanted), shown.log, wanted.folder or name,
            )
        )  # fmt: skip
        return name

    def resume(self, draft: bytes) -> tuple[Wanted, Draft]:
        """A draft of this operator, to go on with. Problem draft.unknown."""
        found = self.store.drafts.get(draft)
        if found is None or found.operator != self.operator.name:
            raise Problem("draft.unknown", draft=draft.hex())
        return msgspec.msgpack.decode(found.data, type=Wanted), found

    def more(
        self, before: Wanted, answers: Any, documents: Any, reasons: dict[str, str], nik: str
    ) -> Wanted:
        """A draft's form with what was typed now over it."""
        service = catalogue().service(before.service)
        return msgspec.structs.replace(
            before,
            answers=laid_over(service, before.answers, answers),
            documents=documents if documents is not None else before.documents,
            reasons={**before.reasons, **reasons},
            nik=nik or before.nik,
        )

    def shown_of(self, draft: Draft | None) -> Shown | None:
        """What was on the screen when a draft was first drawn."""
        return Shown(draft.seen, draft.own, draft.log) if draft is not None else None

    # -- a request that exists

    def open(self, record: RecordId) -> Sheet:
        """A request as it is now shown. Problem request.unknown."""
        shown = self.store.shown()
        picture = self.store.requests.picture(record)
        line = self.store.requests.line(record)
        if picture is None or line is None:
            raise Problem("request.unknown", code=record.hex())
        return msgspec.structs.replace(sheet(picture, line), shown=shown)

    def as_shown(self, page: Sheet, based_on: str) -> Sheet:
        """The same page as it was shown earlier: a correction then goes by what was seen then, not
        by what a sync has brought behind the screen. Problem id.malformed."""
        seen, own, *name = based_on.split(".") if "." in based_on else ("", "")
        if len(name) > 1 or not (seen.isdigit() and own.isdigit()):
            raise Problem("id.malformed", what="--based-on", digits="n.n.log")
        log = self._log_named(name[0]) if name else page.shown.log
        upto = self.store.log(log).seq if log else page.shown.own
        then = Shown(min(int(seen), page.shown.seen), min(int(own), upto), log)
        return msgspec.structs.replace(page, shown=then)

    def _log_named(self, name: str) -> bytes:
        """The own log whose id begins so. Problem id.malformed."""
        found = [log.id for log in self.store.logs() if name and log.id.hex().startswith(name)]
        if len(found) != 1:
            raise Problem("id.malformed", what="--based-on", digits="n.n.log")
        return found[0]

    def _own(self, shown: Shown, saving: Saving) -> int | None:
        """`own` of a change that was begun on that page. A page that was drawn in an earlier log
        knew nothing of this one; of the one before it, it says up to where."""
        if shown.log in (b"", saving.own.id):
            return shown.own if shown.own < saving.seq else None
        parent = msgspec.msgpack.decode(saving.own.opening, type=Open).parent
        return -shown.own - 1 if shown.log == parent else -1

    def find_sheet(self, record: RecordId) -> Sheet | None:
        """The same, None for a request that is not known here."""
        try:
            return self.open(record)
        except Problem:
            return None

    def named(self, text: str) -> RecordId:
        """The request of a tracking code, or of an id of 32 hex digits. Problems: code.*,
        request.unknown, request.ambiguous."""
        if len(text) == 32 and all(sign in "0123456789abcdefABCDEF" for sign in text):
            return bytes.fromhex(text)
        code = Code.parse(text)
        found = self.store.requests.by_code(code.block, code.number)
        if len(found) != 1:
            raise Problem("request.ambiguous" if found else "request.unknown", code=str(code))
        return found[0].record

    def note_reveal(self, action: str, record: RecordId = b"") -> None:
        """Note that personal data is shown unmasked, before it is."""
        self.store.reveals.add(self.facts().at, self.operator.name, action, record)

    def edit(
        self,
        page: Sheet,
        answers: Any,
        documents: Sequence[str] | None = None,
        reasons: Any = None,
        reason: str = "",
    ) -> tuple[Checked, Body]:
        """Correct a request; `page` is what was shown. answers: only what changes, None empties.

        Gives the checked form and what was written. A request that central returned goes back to
        it. Problems: request.invalid (details: findings), request.nothing_changed, request.closed.
        """
        service = page.form()
        if lifecycle.ended(page.status):
            raise Problem("request.closed", code=page.code)
        checked = self.check_edit(page, answers, documents, reasons)
        already = page.stops_already(self.today())
        stops = [p for p in checked.problems if p.stops and (p.key, p.code) not in already]
        if stops:
            raise Problem("request.invalid", n=len(stops), findings=stops)
        plain, add, remove = changed_units(service, page, checked)
        fresh = {k: v for k, v in _given(reasons, checked).items() if page.reasons.get(k) != v}
        move = CORRECTION if page.status == CORRECTION[0] else None
        if not (plain or add or remove or fresh):
            raise Problem("request.nothing_changed")
        body = Body(
            set=plain, add=add, remove=remove, reasons=fresh, reason=reason,
            action="correct" if move else "", move=move,
        )  # fmt: skip
        self.append(page, body)
        return checked, body

    def over(self, page: Sheet, *answers: dict[str, Any]) -> dict[str, Any]:
        """Several layers of answers as one, flat; later ones stand over earlier ones."""
        found: dict[str, Any] = {}
        for layer in answers:
            found = laid_over(page.form(), found, layer)
        return found

    def check_edit(
        self, page: Sheet, answers: Any, documents: Sequence[str] | None, reasons: Any
    ) -> Checked:
        """What the request would be after the correction. Nothing is written."""
        merged, unknown = page.merged(answers)
        papers = page.documents if documents is None else documents
        known = {**page.reasons, **(reasons if isinstance(reasons, dict) else {})}
        checked = page.form().check(merged, papers, known, today=self.today())
        return msgspec.structs.replace(checked, problems=(*unknown, *checked.problems))

    def withdraw(self, page: Sheet, reason: str) -> Body:
        """The applicant gives the request up. Problems: reason.required, lifecycle.*."""
        if not reason.strip():
            raise Problem("reason.required")
        target = lifecycle.step(page.status, "withdraw", "applicant", "field")
        if isinstance(target, Problem):
            raise target
        body = Body(action="withdraw", move=(page.status, str(target)), reason=reason.strip())
        self.append(page, body)
        return body

    def append(self, page: Sheet, body: Body, also: Callable[[Saving], None] | None = None) -> None:
        """Append what was done to a request as one change. also: what to keep in the same commit.
        Only for what has been checked: `edit`, `withdraw` and attaching come through here."""
        self.append_each([(page, body)], also)

    def append_each(
        self, done: Sequence[tuple[Sheet, Body]], also: Callable[[Saving], None] | None = None
    ) -> None:
        """The same for several requests: each its own change to be decided, all in one commit."""
        with self.saving() as (saving, session, facts):
            for page, body in done:
                own = self._own(page.shown, saving)
                saving.append(
                    Change(
                        "edit", page.record, 0, 1, "", 0, session, facts.at, facts.booted,
                        facts.boot, self.grant(), page.shown.seen, own, raw(body),
                    )
                )  # fmt: skip
            if also is not None:
                also(saving)

    # -- papers and portraits

    @cached_property
    def blobs(self) -> Blobs:
        """The sealed files beside the database."""
        return Blobs(self.store.engine.path.parent, self.operator.database_key)

    def attach(
        self,
        page: Sheet,
        field: str,
        paths: Sequence[Path | Photo],
        kind: str = "",
        reason: str = "",
    ) -> list[Put]:
        """Put photographs or scans to a request; see `field_client.attachments.attaching`."""
        return attaching.attach(self, page, field, paths, kind, reason)

    def detach(self, page: Sheet, named: str, reason: str = "") -> Attached:
        """Take one out again. named: the beginning of its name."""
        return attaching.detach(self, page, named, reason)

    def files(self, page: Sheet) -> list[tuple[Attached, StoredFile | None]]:
        """The files of a request and how far each is; None for one that is not of this laptop."""
        files = page.picture.view.attached()
        stored = self.store.attached.find(file.blob for file in files)
        return [(file, stored.get(file.blob)) for file in files]

    def picture(self, page: Sheet, named: str) -> bytes:
        """The bytes of a file (WebP) that is still on this laptop. Problems attachment.none,
        attachment.elsewhere, blob.damaged."""
        file = file_named(page.picture.view.attached(), named)
        stored = self.store.attached.find([file.blob]).get(file.blob)
        if stored is None or stored.state == "gone":
            raise Problem("attachment.elsewhere", blob=named[:16])
        return self.blobs.whole(file.blob, file.size)

    # -- operators

    def announce(self, operator: bytes, name: str, key: bytes) -> None:
        """Write into the log that a person may open sessions; an empty key takes that back."""
        with self.saving() as (saving, _, facts):
            saving.append(_about(facts, "operator", OperatorEntry(operator, name, key)))
        known = _announced(self.store, saving.own.id)
        others = tuple(one for one in known.operators if one != operator)
        mine = (operator,) if key else ()
        self.store.remember(Announced(known.log, (*others, *mine)))

    # -- saving

    @contextlib.contextmanager
    def saving(self, hole: Hole | None = None) -> Iterator[tuple[Saving, int, ClockFacts]]:
        """An open save with the number of this operator's session and the clock facts. The first
        save of an unlocked desk opens the session. hole: to be declared before anything else."""
        facts = self.facts()
        with self.store.saving() as saving:
            log = saving.own.id
            if hole is not None:
                saving.append(_about(facts, "hole", hole))
                self._session = None
            session = self._session[1] if self._session and self._session[0] == log else 0
            opened = not session
            if opened:
                session = self._open_session(saving, facts)
            yield saving, session, facts
        self._session = (log, session)
        self._facts = facts
        if opened:
            announced = _announced(self.store, log)
            operators = (*announced.operators, self.operator.operator)
            self.store.remember(facts, Announced(log, tuple(dict.fromkeys(operators))))

    def _open_session(self, saving: Saving, facts: ClockFacts) -> int:
        """Append this operator's key if the log does not have it yet, and the signed session."""
        me = self.operator
        if me.operator not in _announced(self.store, saving.own.id).operators:
            entry = OperatorEntry(me.operator, me.name, me.public_key)
            saving.append(_about(facts, "operator", entry))
        message = session_message(saving.own.id, saving.seq + 1, saving.head, me.operator)
        session = Session(me.operator, me.sign(message))
        return saving.append(_about(facts, "session", session)).seq


def _announced(store: Store, log: bytes) -> Announced:
    found = store.recall(Announced)
    return found if found is not None and found.log == log else Announced(log, ())


def _about(facts: ClockFacts, kind: str, body: Any) -> Change:
    """An entry about the log itself."""
    return Change(
        kind, b"", 0, 1, "", 0, 0, facts.at, facts.booted, facts.boot, 0, 0, None, raw(body)
    )


def _taken(facts: ClockFacts, taken_at: int | None) -> ClockFacts:
    return facts if taken_at is None else msgspec.structs.replace(facts, at=taken_at)


def _given(reasons: Any, checked: Checked) -> dict[str, str]:
    """The reasons that let something pass; others are not worth bytes."""
    if not isinstance(reasons, dict):
        return {}
    used = {one.key for one in checked.problems if one.passed}
    return {k: str(v).strip() for k, v in reasons.items() if k in used}


def _is_number(text: str) -> bool:
    return len(text) == 16 and text.isascii() and text.isdigit()


__all__ = ["Desk", "Finding", "Prepared", "Taken", "Wanted"]
