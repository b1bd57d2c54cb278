"""Fills a central with a year's requests for bench_central.py: rows as the ledger would write them.

Creations are judged by the production judge. What follows them here is never disputed, so its
decisions are known beforehand: one step of the lifecycle, or one answer of the author's own. They
are put together here, chained, folded and summed up by the production functions, and written many
at a time; taking 2,000,000 changes in one by one would take hours. tests/unit/test_bench_load.py
shows that the ledger, given the same entries one by one, leaves the same rows in every table.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from models import audit
from models.audit import AuditEntry
from models.changes import Body, Change, encode, raw
from models.names import search_words
from models.regions import villages
from models.services import Service, catalogue
from server.database.devices import write_log
from server.database.engine import Database
from server.database.registry import Registry
from server.database.saving import promoted
from server.database.tables import CounterRow, LogRow, Table
from server.database.work import table_of
from sync.digest import face, packed, weight
from sync.intake import take
from sync.judge import is_over
from sync.known import Known, LogState, facts, next_server_head
from sync.logs import Entry, next_head
from sync.state import Decision, Effect, Moved, Outcome, Record, State, Wrote
from tests.simulation.people import example_answers

DAY = 86_400
YEAR = 365 * DAY
BATCH = 120
"""Requests a laptop brings at once: a day of a van."""
PHONE = "applicant.phone"
ROAD = (
    ("take", "received", "in_verification"),
    ("approve", "in_verification", "verified"),
    ("add_to_batch", "verified", "in_batch"),
    ("close_batch", "in_batch", "in_siak"),
    ("release_card", "in_siak", "print_ready"),
    ("print", "print_ready", "printed"),
    ("dispatch", "printed", "ready_for_handover"),
    ("hand_over", "ready_for_handover", "handed_over"),
)
"""A card's way. With its creation and one later answer these are ten changes a request."""
SERVICES = (
    "ktp-new-enrolment",
    "ktp-reprint-lost",
    "ktp-print-first",
    "kia-new-5to17",
    "ktp-reprint-damaged",
)
STAFF = ("rina", "yusuf", "siak")
_NAMES = (
    "SALMA BAHAR FATMA RUSLI IDRIS HALIMA JAINUDIN MARYAM ABDULLAH NURHAYATI YUSUF AISYAH HASAN "
    "RAHMAT SITI UMAR KARIM ZAINAB ISMAIL LATIFA FAHRI RAMLA TAUFIK HADIJA MALIK SURYANI ARIF WATI"
)
_FAMILIES = (
    "SOLEMAN KADER MAHMUD HASAN KAICILI GAMLAMO TOMAGOLA SAMIUN ABUBAKAR MARSAOLY DJAFAR TALIB "
    "SANGADJI USMAN ALTING HUSAIN ALBAAR FABANYO KAMALUDDIN LATIF SYAH MALAGAPI TORANO DAENG"
)
NAMES, FAMILIES = _NAMES.split(), _FAMILIES.split()


class Laptop:
    """A log that requests come from. session: entry number of its open session."""

    def __init__(self, log: LogState, session: int, office: tuple[str, ...]) -> None:
        self.log = log
        self.session = session
        self.villages = office
        self.number = 0

    def entry(self, change: Change) -> Entry:
        """The next entry of the log, chained."""
        data = encode(change)
        return Entry(self.log.seq + 1, data, next_head(self.log.id, self.log.head, data))

    def change(
        self, kind: str, body: Body, record: bytes, at: int, form: tuple[str, int]
    ) -> Change:
        """As this laptop would write it."""
        return Change(
            kind, record, 0, 1, *form, self.session, at, at - 3600, 7, 1, 0, None, raw(body)
        )


class Loader:
    """Makes rows of a register that stands at `standing` (number, chain value). central: its own
    log. write: takes rows of a table by its name. trail: (number, link) of the audit trail."""

    def __init__(
        self,
        city: str,
        standing: tuple[int, bytes],
        central: LogState,
        trail: tuple[int, bytes],
        write: Rows,
    ) -> None:
        self.city = city
        self.seq, self.head = standing
        self.central = central
        self.trail = trail
        self.write = write
        self.state = State()
        self.sums: dict[bytes, int] = defaultdict(int)
        self.faces: dict[bytes, tuple[bytes, list[bytes]]] = {}
        self.villages: dict[bytes, str] = {}
        self.born: dict[bytes, int] = {}
        self.touched_at: dict[bytes, int] = {}

    # -- what happens

    def create(self, laptop: Laptop, changes: Iterable[Change], at: int) -> list[bytes]:
        """A laptop brings new requests, in one batch; their ids."""
        log, known = laptop.log, Known(self.seq, self.head)
        known.logs[log.id] = log
        entries, head = [], log.head
        for seq, change in enumerate(changes, log.seq + 1):
            data = encode(change)
            head = next_head(log.id, head, data)
            entries.append(Entry(seq, data, head))
        decisions = take(known, log, entries, at)
        assert len(decisions) == len(entries)
        self.state.records.update(known.state.records)
        self.villages.update(known.villages)
        for decision, entry in zip(decisions, entries, strict=True):
            name = known.results[log.id, entry.seq].record
            result = known.results[log.id, entry.seq]
            assert (result.state, result.case) == ("applied", b""), "nothing is disputed here"
            self.born[name] = at
            self._entry(log, entry, "create", name, decision.server_seq, at)
        self._save(decisions, at)
        return [known.results[log.id, entry.seq].record for entry in entries]

    def answer(self, laptop: Laptop, record: bytes, value: str, at: int) -> None:
        """Whoever took a request in writes a telephone number."""
        change = laptop.change("edit", Body(set={PHONE: value}), record, at, ("", 0))
        entry = laptop.entry(change)
        mine = (laptop.log.id, entry.seq)
        self._decide(laptop.log, entry, record, [Wrote(record, PHONE, value, None, mine)], at, "")

    def step(self, record: bytes, action: str, source: str, target: str, at: int, by: str) -> None:
        """Staff take one step of the lifecycle, which is also in the trail."""
        body = Body(action=action, move=(source, target))
        change = Change("edit", record, 0, 1, "", 0, 0, at, at, 0, 0, self.seq, None, raw(body))
        data, log = encode(change), self.central
        entry = Entry(log.seq + 1, data, next_head(log.id, log.head, data))
        moved = Moved(record, action, source, target, "", (log.id, entry.seq))
        self._decide(log, entry, record, [moved], at, by)
        detail = {"from": source, "to": target, "actor": by}
        self._audit(by, f"request.{action}", record.hex(), detail, at)

    def _decide(
        self, log: LogState, entry: Entry, record: bytes, effects: list[Effect], at: int, by: str
    ) -> None:
        log.seq, log.head = entry.seq, entry.head
        outcome = Outcome(log.id, entry.seq, "applied")
        number = self.seq + 1
        decision = Decision(number, log.id, entry.seq, 1, at, 1, by, (*effects, outcome))
        self.state.fold(decision)
        self._entry(log, entry, "edit", record, number, at)
        self._save([decision], at)

    # -- what is written of it

    def _entry(
        self, log: LogState, entry: Entry, kind: str, record: bytes, decided: int, at: int
    ) -> None:
        row = (log.id, entry.seq, entry.data, entry.head, kind, record, "applied")
        self.write("entries", (self.city, *row, b"", "", "", 0, decided, at))

    def _save(self, decisions: list[Decision], at: int) -> None:
        """What one commit adds: decisions, where they are found, what cells add up to."""
        last: dict[bytes, int] = {}
        found: set[tuple[bytes, int]] = set()
        touched: set[bytes] = set()
        for decision in decisions:
            self.seq = decision.server_seq
            data = encode(decision)
            self.head = next_server_head(self.head, data)
            row = (self.city, self.seq, data, self.head, decision.at, decision.log)
            self.write("decisions", (*row, decision.first, decision.actor))
            for effect in decision.effects:
                if isinstance(effect, Outcome):
                    continue  # its log's device is among the cells of the request
                name = effect.record  # type: ignore[union-attr]
                touched.add(name)
                for cell in (name, *self._cells(self.state.records[name])):
                    found.add((cell, self.seq))
                    last[cell] = self.seq
        for name in touched:
            self._weigh(name)
            self.touched_at[name] = at
        for cell, number in sorted(found):
            here = cell not in touched and last[cell] == number
            total = packed(self.sums[cell]) if here else None
            self.write("decision_cells", (self.city, cell, number, total))

    def _cells(self, record: Record) -> list[bytes]:
        village = self.villages[record.id].encode()
        return [record.device, village] if village else [record.device]

    def _weigh(self, name: bytes) -> None:
        """The cells of a request add up to something else now."""
        record = self.state.records[name]
        before, cells = self.faces.get(name, (b"", []))
        for cell in cells:
            self.sums[cell] -= weight(cell, before)
        now, cells = face(record, {}), self._cells(record)
        for cell in cells:
            self.sums[cell] += weight(cell, now)
        self.faces[name] = (now, cells)

    def _audit(self, by: str, action: str, target: str, detail: dict[str, str], at: int) -> None:
        n, link = self.trail
        text = msgspec.json.encode(detail, order="sorted").decode()
        entry = AuditEntry(n + 1, at, by, action, target, text)
        link = audit.link(link, entry.encoded())
        self.trail = (n + 1, link)
        self.write("audit", (self.city, *msgspec.structs.astuple(entry), link))

    def finish(self, names: Iterable[bytes], recent_since: int = 0) -> None:
        """Requests that nothing more happens to: their own rows. Then they are forgotten here."""
        for name in names:
            record = self.state.records.pop(name)
            about, at = facts(record), self.born.pop(name)
            row = promoted(record, about) | {"id": name, "village": self.villages.pop(name)}
            row |= {"device": record.device, "created": record.created, "created_at": at}
            row |= {"changed_at": self.touched_at.pop(name), "data": encode(record)}
            self.write("records", row)
            self.faces.pop(name)
            for word in search_words(about.name):
                self.write("record_names", (self.city, word.encode(), record.created, name))
            if not is_over(record):
                for key in sorted(set(about.keys)):
                    self.write("record_keys", (self.city, key, name))
            if at >= recent_since:
                for trace in sorted(set(about.traces)):
                    row_ = (self.city, name, trace, record.created, record.device, at)
                    self.write("recents", row_)


# -- writing


class Rows:
    """Collects rows by table and hands them to SQLite, many at a time."""

    AT_ONCE = 20_000

    def __init__(self, connection: sqlite3.Connection, city: str) -> None:
        self.connection = connection
        self.city = city
        self.waiting: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.columns = {t.name: [c.name for c in t.columns] for t in Table.metadata.tables.values()}

    def __call__(self, table: str, row: tuple[Any, ...] | Mapping[str, Any]) -> None:
        """One row; a mapping is put in the order of the columns."""
        if isinstance(row, Mapping):
            whole = {"city": self.city, **row}
            row = tuple(whole[name] for name in self.columns[table])
        self.waiting[table].append(row)
        if len(self.waiting[table]) >= self.AT_ONCE:
            self._put(table)

    def flush(self) -> None:
        """Everything that waits."""
        for table in list(self.waiting):
            self._put(table)

    def _put(self, table: str) -> None:
        rows = self.waiting.pop(table, [])
        if rows:
            names = self.columns[table]
            marks = ", ".join("?" for _ in names)
            columns = ", ".join(f'"{name}"' for name in names)
            statement = f'insert into "{table}" ({columns}) values ({marks})'  # noqa: S608
            self.connection.executemany(statement, rows)


# -- requests


class People:
    """Requests of invented people, each of another one."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.forms = [catalogue().service(slug) for slug in SERVICES]
        self.plain = [self._plain(form) for form in self.forms]
        self.n = seed * 1_000_000  # people of other seeds are others

    @staticmethod
    def _plain(form: Service) -> dict[str, Any]:
        units = form.units(example_answers(form), ())
        return {u: v for u, v in units.items() if form.unit(u).shape != "set"}

    def change(self, laptop: Laptop, at: int) -> Change:
        """Somebody asks for something at this laptop."""
        self.n += 1
        laptop.number += 1
        kind = self.rng.choices(range(len(self.forms)), (9, 4, 3, 2, 1))[0]
        form = self.forms[kind]
        units = {unit: self._other(value) for unit, value in self.plain[kind].items()}
        village = self.rng.choice(laptop.villages)
        units["address.address"] = units["address.address"] | {"village": village}
        units[PHONE] = f"+62812{self.n:08}"
        body = Body(number=laptop.number, set=units, add={"documents": ["KK"]})
        when = at - self.rng.randrange(DAY)
        return laptop.change("create", body, b"", when, (form.slug, form.edition))

    def _nik(self) -> str:
        """Another one for each: the day and the serial number count on."""
        days, serial = divmod(self.n, 10_000)
        month, day = divmod(days, 28)
        return f"827203{day + 1:02}{month % 12 + 1:02}{month // 12 % 100:02}{serial:04}"

    def _other(self, value: Any) -> Any:
        """The same answers about somebody else."""
        if not isinstance(value, dict):
            return value
        found = dict(value)
        for name in value:
            if name.endswith("nik"):
                found[name] = self._nik()
            elif name.endswith("kk"):
                found[name] = f"8272031703{self.n // 3 % 1_000_000:06}"
            elif name.endswith("name"):
                words = (self.rng.choice(NAMES), self.rng.choice(FAMILIES))
                found[name] = " ".join(words)
        return found


# -- a year


def year(loader: Loader, laptops: list[Laptop], count: int, now: int, seed: int = 1) -> int:
    """`count` requests spread over the year before `now`, most of them on their whole way by then;
    gives the number of changes. recents: of the last 90 days, as the office keeps them."""
    people, rng, made = People(seed), Random(seed), 0
    batches = -(-count // BATCH)
    for n in range(batches):
        at = now - YEAR + (n + 1) * (YEAR - DAY) // batches
        laptop = laptops[n % len(laptops)]
        size = min(BATCH, count - n * BATCH)
        names = loader.create(laptop, [people.change(laptop, at) for _ in range(size)], at)
        made += size
        at += rng.randrange(3600, DAY)
        for i, name in enumerate(names):
            loader.answer(laptop, name, f"+62813{rng.randrange(10**8):08}", at + i)
        made += size
        for action, source, target in ROAD:
            at += rng.randrange(3600, 5 * DAY)
            if at > now:
                break
            for name in names:
                loader.step(name, action, source, target, at, rng.choice(STAFF))
            made += size
        loader.finish(names, now - 90 * DAY)
    return made


def offices(count: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name, kind, villages) of laptops: vans that go everywhere, and village offices."""
    every = [one.code for one in villages()]
    for n in range(count):
        if n < 3:
            yield f"Si Jola {n + 1}", "van", tuple(every)
        else:
            yield f"Kantor {n}", "village", tuple(every[n * 7 % 85 :][:4])


def begun(registry: Registry, central: bytes) -> tuple[Loader, sqlite3.Connection]:
    """A loader that goes on from where a register in SQLite stands. `settle` has to follow."""
    with registry.read() as door:
        standing, log, trail = door.standing(), door.log(central), door.trail_end()
    assert log is not None
    registry.close()  # nobody else may have it open meanwhile; it opens itself again
    connection = quick_sqlite(Path(registry.database.url.database or ""))
    connection.execute("begin")
    rows = Rows(connection, registry.city)
    place = (standing.server_seq, standing.head)
    return Loader(registry.city, place, log, trail, rows), connection


def settle(
    registry: Registry, loader: Loader, connection: sqlite3.Connection, laptops: list[Laptop]
) -> None:
    """What was loaded is the register's: logs and counters stand behind it."""
    loader.write.flush()
    connection.execute("commit")
    connection.close()
    with registry.write() as door:
        logs = [one.log for one in laptops] + [loader.central]
        door.update(table_of(LogRow), ["id"], [write_log(log) for log in logs])
        n, link = loader.trail
        counted = {"server_seq": loader.seq, "head": loader.head}
        door.update(table_of(CounterRow), [], [counted | {"audit_n": n, "audit_head": link}])


def quick_sqlite(path: Path) -> sqlite3.Connection:
    """A connection that writes fast and promises nothing: for a file nobody depends on yet."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous = off", "journal_mode = memory", "cache_size = -400000"):
        connection.execute(f"pragma {pragma}")
    return connection


def copied(source: Path, url: str) -> None:
    """Every row of a SQLite register into an empty PostgreSQL one with the same tables."""
    import psycopg

    database = Database(url)
    target = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=False)
    with sqlite3.connect(source) as here, target as there:
        for table in Table.metadata.sorted_tables:
            names = [column.name for column in table.columns]
            flags = [n for n, c in enumerate(table.columns) if c.type.python_type is bool]
            quoted = ", ".join(f'"{name}"' for name in names)
            there.execute(f'delete from "{table.name}"')  # noqa: S608
            copy = f'copy "{table.name}" ({quoted}) from stdin'
            with there.cursor().copy(copy) as out:
                for row in here.execute(f'select {quoted} from "{table.name}"'):  # noqa: S608
                    out.write_row([bool(v) if n in flags else v for n, v in enumerate(row)]
                                  if flags else row)  # fmt: skip
        there.commit()
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as there:
        # A register that grew for years was tidied long ago: else the tidying is measured too.
        there.execute("vacuum (freeze, analyze)")
        there.execute("checkpoint")
    database.close()
