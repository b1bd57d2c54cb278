"""The recovery report: what a restore of central lost, who decided it, and who brings it again.

Three witnesses are asked. The register that was put aside, where it can still be read, knows every
decision and every entry that the backup and the journal lack. The journal says where it ends. Each
laptop says with its first call how far it had read the lost history, and sends what central lacks.
The report stands until a person closes the case about the restore.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import lifecycle
from models.ids import Code
from models.people import Act, require
from models.problems import Problem
from models.words import moment_at, say
from server.auth import roles
from server.database.engine import Database
from server.database.people import Person
from server.database.recoveries import Facts, Lost, Returned
from server.database.registry import Door, Registry
from server.database.tables import AuditRow, CounterRow, DecisionRow, LogRow
from server.database.work import table_of
from server.journal import Replayed
from server.settings import Place
from sync.messages import Branch
from sync.state import Closed, Decision, Moved

LOST_MAX = 2000
"""Lost decisions that are kept by name; the rest is only counted."""

ACTS = ("device.", "person.")
"""Acts of the trail that matter after a restore: who was let in, withdrawn, hired or closed."""

_decisions = table_of(DecisionRow)
_logs = table_of(LogRow)
_audit = table_of(AuditRow)
_counters = table_of(CounterRow)


class LogLine(msgspec.Struct, frozen=True):
    """One log. stored: its newest entry that was here after the restore; had: that the lost
    register had, 0 where nobody knows; now: by now. void_from, void_to: numbers whose proofs are
    void until the laptop has sent them again (void_to 0: nobody knows how far). read: newest lost
    decision its laptop had read, 0 for none. called: when it first called, 0 where it has not."""

    device: str
    office: str
    log: str
    stored: int
    had: int
    now: int
    void_from: int
    void_to: int
    read: int
    called: int

    @property
    def whole(self) -> bool:
        """Has the laptop called, and is everything here again that was known to be?"""
        return self.called > 0 and self.now >= self.had


class LostLine(msgspec.Struct, frozen=True):
    """A decision or an act of staff that was lost. about: tracking code of the request, name of the
    laptop, or an id."""

    number: int
    at: int
    by: str
    action: str
    about: str


class Report(msgspec.Struct, frozen=True):
    """A restore, as it stands now. first, last: numbers of the lost decisions; last is 0 where
    nobody knows how far they went. known: the lost register could be read, so `decisions` and
    `acts` are complete."""

    incarnation: str
    at: int
    backup: str
    backup_at: int
    journal: Replayed
    first: int
    last: int
    known: bool
    logs: list[LogLine]
    decisions: list[LostLine]
    acts: list[LostLine]
    case: str
    open: bool
    closed_by: str = ""
    reason: str = ""


# -- what the register that was put aside still knows


def note(copy: Path, place: Place, branch: Branch, facts: Facts) -> None:
    """Write into the restored copy what is known of the restore. The register that is still in its
    place is read, where it can be and goes on from the same history."""
    url = f"sqlite:///{copy.as_posix()}"
    with _opened(url, place.settings.city) as registry, registry.write() as door:
        found = door.recovery(branch.incarnation)
        assert found is not None
        trail = door.value(select(_counters.c.audit_n)) or 0
        lost: list[Lost] = []
        with contextlib.suppress(SQLAlchemyError, Problem, msgspec.DecodeError):
            reached, had, lost = _aside(place, branch, trail)
            facts = msgspec.structs.replace(facts, reached=reached)
            door.await_logs(branch.incarnation, had)
            door.keep_lost(branch.incarnation, lost[:LOST_MAX])
        door.keep_recovery(branch.incarnation, found[0], facts)
        detail = {"backup": facts.backup, "from": facts.number + 1, "to": facts.reached}
        detail |= {"journal": facts.journal.why or "whole", "lost": len(lost)}
        door.audit("restore", "restore.report", branch.incarnation.hex(), detail, facts.at)


def given(place: Place) -> int:
    """Highest number that the register in its place has given; 0 where it cannot be read."""
    with (
        contextlib.suppress(SQLAlchemyError, Problem),
        _opened(place.database_url, place.settings.city) as registry,
        registry.read() as door,
    ):
        here = select(_counters.c.server_seq).where(_counters.c.city == door.city)
        return int(door.value(here) or 0)
    return 0


def _aside(place: Place, branch: Branch, trail: int) -> tuple[int, dict[bytes, int], list[Lost]]:
    """Newest decision of the lost register, how many entries it had of each log, and what staff
    decided there after the branch point. Raises Problem backup.none for another history."""
    with _opened(place.database_url, place.settings.city) as registry, registry.read() as door:
        mine = door.city
        here = door.one(select(_counters).where(_counters.c.city == mine))
        at_branch = select(_decisions.c.head).where(
            _decisions.c.city == mine, _decisions.c.server_seq == branch.number
        )
        head = door.value(at_branch)
        if here is None or here.incarnation != branch.parent:
            raise Problem("backup.none", path=str(place.folder))
        if head is not None and not head.startswith(branch.head):
            raise Problem("backup.none", path=str(place.folder))
        logs = select(_logs.c.id, _logs.c.seq).where(_logs.c.city == mine, ~_logs.c.central)
        had = {row.id: row.seq for row in door.rows(logs)}
        after = _decisions.c.server_seq > branch.number
        by_staff = select(_decisions.c.data).where(_decisions.c.city == mine, after)
        rows = door.rows(by_staff.where(_decisions.c.actor != "").order_by(_decisions.c.server_seq))
        lost = [one for row in rows for one in _decided(row.data)]
        acts = select(_audit).where(_audit.c.city == mine, _audit.c.n > trail)
        lost += [_act(row) for row in door.rows(acts) if _matters(row)]
        return here.server_seq, had, lost


def _decided(data: bytes) -> Iterator[Lost]:
    """What a decision of staff did, a line for each request."""
    decision = msgspec.msgpack.decode(data, type=Decision)
    found: dict[bytes, str] = {}
    for effect in decision.effects:
        record = getattr(effect, "record", b"")
        if isinstance(effect, Moved):
            found[record] = effect.action
        elif isinstance(effect, Closed):
            found[record] = f"case.{effect.take}"
    for record, action in found.items():
        yield Lost(decision.server_seq, record, decision.actor, action, decision.at)


def _matters(row: Any) -> bool:
    action: str = row.action
    return action.startswith(ACTS) and action != "device.list"


def _act(row: Any) -> Lost:
    """An entry of the trail; its number is kept below zero, apart from decisions."""
    try:
        about = bytes.fromhex(row.target)
    except ValueError:
        about = row.target.encode()
    return Lost(-row.n, about, row.actor, row.action, row.at)


def _unreadable(_: str) -> None:
    """The old disk fails: then nobody knows what it held. It ends nothing."""
    raise Problem("backup.none", path="-")


@contextlib.contextmanager
def _opened(url: str, city: str) -> Iterator[Registry]:
    """A register that is there already: opening makes none."""
    database = Database(url, _unreadable)
    if database.sqlite and not Path(database.url.database or "").exists():
        raise Problem("backup.none", path=str(database.url.database))
    registry = Registry(database, city)
    try:
        yield registry
    finally:
        registry.close()


# -- the report


def report(registry: Registry, me: Person, at: int) -> Report:
    """The newest restore as it stands now. Problem restore.never where there never was one."""
    require(roles(me), Act.READ_CASE)
    with registry.write() as door:
        lineage = door.lineage()
        found = door.recovery(lineage[-1].incarnation) if lineage else None
        if found is None:
            raise Problem("restore.never")
        made = _report(door, lineage[-1], *found)
        detail = {"logs": len(made.logs), "open": made.open}
        door.audit(me.login, "restore.report", made.incarnation, detail, at)
    return made


def _report(door: Door, branch: Branch, name: bytes, facts: Facts) -> Report:
    logs = [_line(door, one) for one in door.returned(branch.incarnation)]
    lost = door.lost(branch.incarnation)
    last = max([facts.reached, *(line.read for line in logs)])
    case = door.case(name)
    closing = case.closing if case is not None else None
    return Report(
        branch.incarnation.hex(),
        facts.at,
        facts.backup,
        facts.backup_at,
        facts.journal,
        branch.number + 1,
        last if last > branch.number else 0,
        facts.reached > 0,
        sorted(logs, key=lambda line: (line.whole, line.device, line.log)),
        [_lost(door, one) for one in lost if one.number > 0],
        [_lost(door, one) for one in lost if one.number < 0],
        name.hex(),
        closing is None,
        closing.by if closing is not None else "",
        closing.reason if closing is not None else "",
    )


def _line(door: Door, one: Returned) -> LogLine:
    log = door.log(one.log)
    device = door.device(log.device) if log is not None else None
    now = log.seq if log is not None else 0
    upto = max(one.had, now)
    return LogLine(
        device.name if device is not None else "",
        device.office_name if device is not None else "",
        one.log.hex(),
        one.stored,
        one.had,
        now,
        one.stored + 1,
        upto if upto > one.stored else 0,
        one.read,
        one.at,
    )


def _lost(door: Door, one: Lost) -> LostLine:
    device = door.device(one.record) if one.number < 0 else None
    line = door.request_line(one.record) if one.number > 0 else None
    about = one.record.hex()
    if device is not None:
        about = device.name
    elif line is not None and line.block is not None and line.number is not None:
        about = str(Code(line.block, line.number))
    elif one.number < 0 and one.action.startswith("person."):
        about = one.record.decode(errors="replace")
    return LostLine(abs(one.number), one.at, one.actor, one.action, about)


# -- in words


def sentences(found: Report, lang: str) -> Iterator[str]:
    """The report as somebody reads it who has to act on it."""
    yield say("Dipulihkan {at} dari cadangan {backup}.", lang, at=moment_at(found.at),
              backup=found.backup or "-")  # fmt: skip
    why = journal_words(found.journal, lang)
    if why:
        yield why
    yield _range_words(found, lang)
    for line in found.logs:
        yield _log_words(line, lang)
    for lost in found.decisions:
        yield say("Putusan {number} hilang: {action} oleh {by}, {at}, permohonan {about}. Putuskan "
                  "lagi.", lang, number=lost.number, action=_action_words(lost.action, lang),
                  by=lost.by, at=moment_at(lost.at), about=lost.about)  # fmt: skip
    for lost in found.acts:
        yield say("Tindakan hilang: {action} oleh {by}, {at}, tentang {about}. Periksa, lakukan "
                  "lagi bila perlu.", lang, action=lost.action, by=lost.by, at=moment_at(lost.at),
                  about=lost.about)  # fmt: skip
    if not found.open:
        yield say("Laporan ditutup oleh {by}: {reason}", lang, by=found.closed_by,
                  reason=found.reason)  # fmt: skip
        return
    yield say("Laporan ini terbuka sampai perkara {case} diputus.", lang, case=found.case[:8])


def _action_words(action: str, lang: str) -> str:
    if action.startswith("case."):
        return say("perkara diputus", lang)
    try:
        return lifecycle.action_label(action).words(lang)
    except KeyError:
        return action


def _range_words(found: Report, lang: str) -> str:
    if found.known and not found.last:
        return say("Tidak ada putusan yang hilang.", lang)
    if not found.last:
        return say("Putusan mulai nomor {first} hilang; sampai nomor berapa belum diketahui.", lang,
                   first=found.first)  # fmt: skip
    words = say("Putusan nomor {first}–{last} hilang.", lang, first=found.first, last=found.last)
    if found.known:
        return words
    more = say("Basis data lama tidak terbaca: putusan petugas di antaranya tidak diketahui; "
               "tanyakan kepada mereka.", lang)  # fmt: skip
    return f"{words} {more}"


def _log_words(line: LogLine, lang: str) -> str:
    """What a laptop still owes, or has brought again."""
    who = {"device": line.device or line.log[:8], "stored": line.stored}
    if not line.called:
        if line.void_to:
            return say("{device}: tersimpan sampai nomor {stored}; bukti nomor {first}–{last} batal"
                       " sampai laptop mengirimnya lagi. Belum melapor.", lang,
                       first=line.void_from, last=line.void_to, **who)  # fmt: skip
        return say("{device}: tersimpan sampai nomor {stored}; bukti nomor sesudah itu, bila ada, "
                   "batal sampai laptop mengirimnya lagi. Belum melapor.", lang, **who)  # fmt: skip
    called = moment_at(line.called)
    if line.now < line.had:
        return say("{device}: melapor {called}; nomor {first}–{last} belum dikirim lagi.", lang,
                   called=called, first=line.now + 1, last=line.had, **who)  # fmt: skip
    if line.now > line.stored:
        return say("{device}: melapor {called}; nomor {first}–{last} sudah ada lagi.", lang,
                   called=called, first=line.void_from, last=line.now, **who)  # fmt: skip
    return say("{device}: melapor {called}; tidak ada yang kurang.", lang, called=called, **who)


def journal_words(found: Replayed, lang: str) -> str:
    """What the second journal lacks; empty where it was whole."""
    match found.why:
        case "":
            return ""
        case "off":
            return say("Jurnal kedua tidak ada ketika cadangan dibuat: putusan pusat sesudah "
                       "cadangan hilang.", lang)  # fmt: skip
        case "absent":
            return say("Jurnal kedua tidak ditemukan: putusan pusat sesudah cadangan hilang.", lang)
        case "behind":
            return say("Jurnal kedua berakhir sebelum cadangan: putusan pusat sesudah cadangan "
                       "hilang.", lang)  # fmt: skip
        case "gap":
            return say("Jurnal kedua terputus sesudah catatan nomor {number}: yang ditulis sebelum "
                       "jurnal berikutnya dimulai hilang.", lang, number=found.last)  # fmt: skip
        case "torn":
            return say("Catatan terakhir jurnal kedua terpotong ({n} bita) dan tidak dipakai; "
                       "itu belum pernah dikonfirmasi.", lang, n=found.cut)  # fmt: skip
        case _:
            return say("Jurnal kedua rusak sesudah catatan nomor {number}: yang sesudah itu "
                       "hilang ({n} bita).", lang, number=found.last, n=found.cut)  # fmt: skip
