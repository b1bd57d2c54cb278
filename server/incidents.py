"""Incidents: what happened to a laptop or to central that no rule can put right, told shortly.

A fork, a hole, work after a laptop was lost, a restore, a change that was refused, a number that
two requests bear: each is a case that a person closes with a reason. This room says what happened,
what is known, what to do, and whose turn it is. It decides nothing; `Casework` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from models.people import ROLES, Act, Role, require
from models.problems import Problem, problems, told
from models.words import moment_at, say
from server import recovery
from server.auth import of_area, roles
from server.casework import Casework
from server.database.people import Person
from server.database.registry import Door, Registry
from server.sheets import CaseLine, CaseSheet, Reader, RequestLine, line
from sync.known import LogState
from sync.state import Decision

KINDS = ("fork", "after-lost", "hole", "restore", "refused", "code")
REQUESTS_MAX = 50
"""Requests that are named of those that a doubtful stretch of a log touched."""

_FORK = re.compile(r"log ([0-9a-f]{32}) entry (\d+)")
_HOLE = re.compile(r"log ([0-9a-f]{32}) entries (\d+)-(\d+): (.*)", re.DOTALL)
_AFTER = re.compile(r"([0-9a-f]{32}) (\d+)-(\d+): (.*)", re.DOTALL)

Fact = tuple[str, str]


class Told(msgspec.Struct):
    """An incident in words. what: happened; known: (what, how it stands); todo: by people, in that
    order; turn: whose it is now; requests: that it concerns, some of them."""

    what: str
    known: list[Fact]
    todo: list[str]
    turn: str
    requests: list[RequestLine]


class Incident(msgspec.Struct, frozen=True):
    """A case of an incident, opened. device, office: of the laptop it is about, "" for none."""

    case: CaseSheet
    device: str
    office: str
    told: Told


class Incidents:
    """Tells incidents to who has to close them."""

    def __init__(self, registry: Registry, casework: Casework, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.casework = casework
        self.clock = clock

    def lines(
        self, me: Person, *, kind: str = "", state: str = "open", after: str = "", limit: int = 50
    ) -> list[CaseLine]:
        """Cases of one kind of incident, oldest first; of every kind without one, first page."""
        if kind and kind not in KINDS:
            raise Problem("incident.kind", kinds=list(KINDS))
        found: list[CaseLine] = []
        for one in [kind] if kind else KINDS:
            found += self.casework.cases(me, state=state, kind=one, after=after, limit=limit)
        return sorted(found, key=lambda line: (line.opened, line.id))[:limit]

    def about(self, me: Person, lines: Sequence[CaseLine]) -> list[tuple[CaseLine, str, int]]:
        """Lines of a list with the laptop that each is about ("" for none) and when it was opened,
        Unix seconds."""
        require(roles(me), Act.READ_CASE)
        found = []
        with self.registry.read() as door:
            for one in lines:
                case = door.case(bytes.fromhex(one.id))
                log = _stretch(door, case.note, one.opened)[0] if case is not None else None
                device = door.device(log.device) if log is not None else None
                name = device.name if device is not None else ""
                found.append((one, name, door.moment(one.opened) or 0))
        return found

    def show(self, me: Person, name: str, lang: str = "id") -> Incident:
        """One incident, opened. Problem incident.kind for a case about something else."""
        sheet = self.casework.case(me, name)
        if sheet.kind not in KINDS:
            raise Problem("incident.kind", kinds=list(KINDS))
        with self.registry.read() as door:
            story = _Story(door, me, sheet, lang)
            words = story.told()
            device = door.device(story.log.device) if story.log is not None else None
        if sheet.kind == "restore":
            words.known += self._of_restore(me, sheet, lang)
        names = (device.name, device.office_name) if device is not None else ("", "")
        return Incident(sheet, *names, words)

    def _of_restore(self, me: Person, sheet: CaseSheet, lang: str) -> list[Fact]:
        """The report, where it is still about this restore."""
        try:
            found = recovery.report(self.registry, me, self.clock())
        except Problem:
            return []
        if found.case != sheet.id:
            return []
        return [("", text) for text in recovery.sentences(found, lang)]


class _Story:
    """One incident put into words. log: of the laptop it is about; first, last: its entries."""

    def __init__(self, door: Door, me: Person, sheet: CaseSheet, lang: str) -> None:
        self.door, self.me, self.sheet, self.lang = door, me, sheet, lang
        self.decision: Decision | None = door.decision(sheet.opened)
        stretch = _stretch(door, sheet.note, sheet.opened)
        self.log, self.first, self.last, self.reason = stretch

    def told(self) -> Told:
        """The whole of it."""
        tell = {
            "fork": self._fork,
            "hole": self._hole,
            "after-lost": self._after_lost,
            "restore": self._restore,
            "refused": self._refused,
            "code": self._code,
        }[self.sheet.kind]
        words = tell()
        if self.sheet.state == "closed":
            words.turn = self.say("Sudah ditutup; tidak ada lagi yang harus dikerjakan.")
        return words

    def say(self, text: str, **values: object) -> str:
        """In the language of who asks."""
        return say(text, self.lang, **values)

    # -- the kinds

    def _fork(self) -> Told:
        name, facts = self._laptop()
        log, moved = self.log, False
        if log is not None:
            branch = self.door.forks(log.id)
            moved = self.door.logs(log.device)[-1].id != log.id
            facts += [
                (self.say("Cabang lain"), self.say("{n} catatan, tersimpan utuh", n=len(branch))),
                (
                    self.say("Buku catatan baru"),
                    self.say("sudah dibuka laptop") if moved else self.say("belum dibuka laptop"),
                ),
            ]
        return Told(
            self.say("Dua salinan {device} menulis mulai nomor {n} dengan isi berbeda. Biasanya "
                     "karena laptop dikembalikan dari cadangan, atau disknya disalin.",
                     device=name, n=self.first),
            facts,
            [
                self.say("Telepon tempat laptop itu: apakah dikembalikan dari cadangan, atau ada "
                         "dua laptop dengan isi sama?"),
                self.say("Bila ada dua: hanya satu yang boleh dipakai. Tangguhkan yang lain di "
                         "Perangkat."),
                self.say("Minta laptop menyinkronkan sekali lagi. Ia membuka buku catatan baru dan "
                         "mengirim sendiri yang belum sampai; tidak ada yang diketik ulang."),
                self.say("Tutup perkara ini dengan alasan setelah tahu sebabnya."),
            ],
            self._turn() if moved else self.say("Laptop: harus menyinkronkan sekali lagi."),
            [],
        )  # fmt: skip

    def _hole(self) -> Told:
        name, facts = self._laptop()
        n = self.last - self.first + 1
        here = len(self.door.entries(self.log.id, self.first, self.last)) if self.log else 0
        facts += [
            (self.say("Nomor yang hilang"), _numbers(self.first, self.last)),
            (self.say("Sudah ditemukan lagi"), self.say("{here} dari {n}", here=here, n=n)),
            (self.say("Alasan dari petugas"), self.reason),
        ]
        return Told(
            self.say("{device} kehilangan {n} catatan, nomor {numbers}, sebelum sempat dikirim. "
                     "Petugasnya menyatakan catatan itu hilang supaya yang sesudahnya dapat "
                     "diterima.", device=name, n=n, numbers=_numbers(self.first, self.last)),
            facts,
            [
                self.say("Minta rekap kertas hari itu dari desa atau mobil: di sana tertulis siapa "
                         "yang dilayani."),
                self.say("Cocokkan dengan yang sudah sampai; hubungi warga yang permohonannya "
                         "hilang. Nomor bukti mereka tetap sah: ketik permohonannya lagi."),
                self.say("Jangan hapus disk lama: bila catatan itu ditemukan, laptop mengirimnya "
                         "dan pusat menerimanya."),
                self.say("Tutup perkara ini dengan alasan setelah semua warga tercatat lagi."),
            ],
            self._turn() if here < n else self.say("Semuanya sudah ditemukan; perkara dapat "
                                                   "ditutup. {turn}", turn=self._turn()),
            [],
        )  # fmt: skip

    def _after_lost(self) -> Told:
        name, facts = self._laptop()
        waiting, requests = len(self.sheet.parked), self._touched()
        facts += [(self.say("Menunggu putusan"), self.say("{n} catatan", n=waiting))]
        if requests:
            judged = self.say("nomor {numbers}, {n} permohonan",
                              numbers=_numbers(self.first, self.last), n=len(requests))  # fmt: skip
            facts.append((self.say("Sudah terlanjur diproses"), judged))
        if self.reason:
            facts.append((self.say("Alasan dari petugas"), self.reason))
        return Told(
            self.say("{device} dinyatakan tidak lagi di tangan kita. Yang ditulisnya sesudah batas "
                     "itu disimpan, tetapi tidak berlaku sebelum diperiksa orang.", device=name),
            facts,
            [
                self.say("Telepon petugas laptop itu: sampai kapan laptop masih dipegangnya?"),
                self.say("Cocokkan yang menunggu dengan bukti kertas warga."),
                self.say("Bila memang tulisan petugas, terima semuanya; bila meragukan, tolak. "
                         "Yang ditolak tetap tersimpan sebagai bukti."),
                self.say("Buka permohonan yang sudah terlanjur diproses satu per satu."),
            ][: 4 if requests else 3],
            self._turn(),
            requests,
        )  # fmt: skip

    def _restore(self) -> Told:
        return Told(
            self.say("Pusat dipulihkan dari cadangan. Yang diputus sesudah cadangan dibuat mungkin "
                     "hilang; yang dikirim laptop dikirimnya lagi dengan sendirinya."),
            [],
            [
                self.say("Tunggu sampai setiap laptop melapor; yang lama diam, ditelepon."),
                self.say("Ulangi putusan yang hilang: yang diketahui tercantum di bawah."),
                self.say("Tutup perkara ini dengan alasan setelah semua laptop melapor dan semua "
                         "putusan diulang."),
            ],
            self._turn(),
            [],
        )  # fmt: skip

    def _refused(self) -> Told:
        name, facts = self._laptop()
        code = self.sheet.note
        if code in problems():
            facts.append((self.say("Sebab"), told(code, {}, self.lang)))
        if code:
            facts.append((self.say("Kode"), code))
        if self.log is not None:
            n = self.door.refused_under(bytes.fromhex(self.sheet.id), self.log.id)
            facts.append((self.say("Ditolak karena sebab ini"), self.say("{n} catatan", n=n)))
        facts.append((self.say("Ikut menunggu"), self.say("{n} catatan", n=len(self.sheet.parked))))
        return Told(
            self.say("Pusat menolak catatan nomor {numbers} dari {device}: isinya tidak mungkin "
                     "sah. Catatan itu tersimpan sebagai bukti dan petugasnya sudah diberi tahu.",
                     device=name, numbers=_numbers(self.first, self.last)),
            facts,
            [
                self.say("Telepon petugasnya: apa yang sedang dikerjakan waktu itu?"),
                self.say("Minta ia membuat permohonan atau perbaikannya lagi; bila laptopnya belum "
                         "versi terbaru, diperbarui dulu."),
                self.say("Bila berulang dari laptop yang sama, tangguhkan laptop itu dan panggil "
                         "teknisi."),
                self.say("Tutup perkara ini dengan alasan."),
            ],
            self._turn(),
            self._touched(),
        )  # fmt: skip

    def _code(self) -> Told:
        name, facts = self._laptop()
        return Told(
            self.say("Permohonan ini datang dari {device} dengan nomor bukti yang tidak sah atau "
                     "sudah dipakai permohonan lain. Datanya diterima, tetapi tanpa nomor.",
                     device=name),
            facts,
            [
                self.say("Hubungi pemohon atau desanya: nomor di buktinya akan menunjuk permohonan "
                         "orang lain. Catat cara menghubunginya."),
                self.say("Cari permohonan ini memakai nama atau NIK, bukan nomor bukti."),
                self.say("Tanyakan apakah laptop itu disalin; lihat perkara cabang ganda, bila "
                         "ada."),
                self.say("Tutup perkara ini dengan alasan."),
            ],
            self._turn(),
            list(self.sheet.requests),
        )  # fmt: skip

    # -- pieces

    def _laptop(self) -> tuple[str, list[Fact]]:
        """What the laptop is called, and what is known of it in every case."""
        opened = (self.say("Dibuka"), moment_at(self.sheet.opened_at))
        log = self.log
        device = self.door.device(log.device) if log is not None else None
        if log is None or device is None:
            return self.say("laptop yang tidak dikenal"), [opened]
        reader = Reader(self.door)
        facts = [(self.say("Laptop"), device.name), (self.say("Tempat"), device.office_name)]
        who = reader.author(log.id, self.first, self.decision)
        if who.who:
            facts.append((self.say("Petugas"), who.who))
        people = [one.name for one in self.door.operators(log.id).values() if one.key]
        facts.append((self.say("Petugas laptop itu"), ", ".join(people) or "–"))
        heard = [call.at for call in self.door.calls() if call.device == log.device]
        if heard:
            facts.append((self.say("Terakhir menghubungi pusat"), moment_at(max(heard))))
        return device.name, [*facts, opened]

    def _touched(self) -> list[RequestLine]:
        """Requests of the reader's area that these entries made or changed, as far as they are
        here."""
        if self.log is None or not self.first:
            return []
        results = self.door.results(self.log.id, self.first, self.last)
        touched = (result.record for _, result in results if result.record)
        names = of_area(self.door, self.me, touched)[:REQUESTS_MAX]
        known = self.door.request_lines(names)
        return [line(known[name]) for name in names if name in known]

    def _turn(self) -> str:
        """Who at the office closes it, and by when."""
        owner = ROLES[Role(self.sheet.owner)].words(self.lang)
        return self.say("Kantor: {owner} menutup perkara ini paling lambat {due}.", owner=owner,
                        due=_day(self.sheet.due))  # fmt: skip


def _stretch(door: Door, note: str, opened: int) -> tuple[LogState | None, int, int, str]:
    """Which log an incident is about, from which of its entries to which, and a reason: the note
    says it where central opened the case, else the decision that did."""
    for pattern in (_HOLE, _AFTER, _FORK):
        found = pattern.fullmatch(note)
        if found is not None:
            log, first = door.log(bytes.fromhex(found[1])), int(found[2])
            return (
                (log, first, first, "")
                if pattern is _FORK
                else (log, first, int(found[3]), found[4])
            )
    decision = door.decision(opened)
    log = door.log(decision.log) if decision is not None else None
    if decision is None or log is None or log.central:
        return None, 0, 0, ""
    return log, decision.first, decision.first + decision.n - 1, ""


def _numbers(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}-{month}-{year}"
