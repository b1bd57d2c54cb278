"""People of the simulated world: who takes requests in and corrects them, and who decides."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from models.changes import Attached, Body, Change, Choice, raw, record_of
from models.problems import Problem
from models.services import Service, catalogue
from server.releasing import release
from sync.cases import TAKES
from sync.logs import Entry
from sync.state import ELEMENT, REASON_PREFIX, STATUS_UNIT, Case, Record
from sync.transfer import PAPERS, PREVIEWS
from tests.simulation.books import Screen, change_of
from tests.simulation.central import Killed
from tests.simulation.laptop import Laptop
from tests.simulation.road import Broken

if TYPE_CHECKING:
    from tests.simulation.world import World

VILLAGES = ("82.72.03.2001", "82.72.01.1001", "82.72.02.2001")
"""Few, so that the laptops of a small world get into each other's way."""

MANY_VANS = 20
MORE_VILLAGES = (*VILLAGES, *(f"82.72.0{n}.200{m}" for n in (3, 4, 5) for m in (2, 3, 4)))
"""Of a world with more vans than that, where no laptop reads half of the city."""

SERVICES = ("ktp-new-enrolment", "birth", "ktp-reprint-lost")


class Operators:
    """At the laptops."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.niks: list[str] = []
        self.numbers: list[int] = []
        self.screens: list[tuple[Laptop, Screen]] = []

    def create(self, laptop: Laptop) -> None:
        """Take a request, or a family's requests, in."""
        world, rng = self.world, self.world.rng
        if world.fires("poison_malformed"):
            return self._poison(laptop, "create", {"set": 5}, ("birth", 1))
        if world.fires("poison_unknown"):
            names = list(laptop.snapshot.records)
            name = rng.choice(names) if names else b""
            return self._poison(laptop, "prophecy", {"x": 1}, ("", 0), name)
        if world.fires("future_edition"):
            return self._poison(laptop, "create", Body(), ("birth", 99))
        rows = [self._units() for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        changes, files = [], []
        for i, (form, units) in enumerate(rows):
            body = Body(number=self._number(), set=units, add={"documents": ["KK"]})
            file = self._file(form) if rng.random() < 0.25 else None
            if file is not None:
                body = msgspec.structs.replace(body, attach=[file[0]])
                files.append((i, *file[1:]))
            place = (i, len(rows))
            changes.append(
                laptop.change("create", body, place=place, form=(form.slug, form.edition))
            )
        first = laptop.last + 1
        if not world.commit(laptop, lambda: laptop.append(changes), "laptop_crash_saving"):
            return None
        entries = laptop.entries[first - 1 :]
        world.made(laptop, entries)
        for i, data, preview in files:
            entry = entries[i]
            name = record_of(laptop.log, entry.seq, change_of(entry.data), entry.data)
            for content, lane in ((data, PAPERS), (preview, PREVIEWS)):
                if content:
                    laptop.papers.add(content, lane, name, laptop.log, entry.seq)
        world.note(f"{laptop.number} creates {first}+{len(entries)}")
        if world.fires("poison_killer"):
            world.central.registry.killers.add(entries[0].data)
        if world.fires("killer_waits"):
            self._forestall(laptop, entries[0])
        return None

    def _forestall(self, laptop: Laptop, entry: Entry) -> None:
        """Another laptop writes to a request that central may not have yet, and what it writes ends
        the process that judges it: whoever brings the request has no part in that."""
        world = self.world
        other = world.rng.choice([one for one in world.laptops if one.device != laptop.device])
        name = record_of(laptop.log, entry.seq, change_of(entry.data), entry.data)
        entries = other.append([other.change("edit", Body(set={"applicant.phone": "1"}), name)])
        world.made(other, entries)
        world.central.registry.killers.add(entries[0].data)
        world.note(f"{other.number} poison for {laptop.number} {entry.seq}: {other.last}")

    def _file(self, form: Service) -> tuple[Attached, bytes, bytes] | None:
        from sync.transfer import manifest_of

        rng = self.world.rng
        if not form.takes_files("document.KK"):
            return None
        data = rng.randbytes(rng.choice((900, 5000, 17_000, 34_000)))
        preview = rng.randbytes(600) if rng.random() < 0.5 else b""
        small = manifest_of(preview).blob if preview else b""
        blob = manifest_of(data).blob
        return Attached("document.KK", blob, len(data), "page", small), data, preview

    def _poison(
        self, laptop: Laptop, kind: str, body: Any, form: tuple[str, int], record: bytes = b""
    ) -> None:
        entries = laptop.append([laptop.change(kind, body, record, form=form)])
        self.world.made(laptop, entries)
        self.world.note(f"{laptop.number} poison {kind} {laptop.last}")

    def _number(self) -> int:
        rng = self.world.rng
        if self.numbers and self.world.fires("code_again"):
            return rng.choice(self.numbers)
        self.numbers.append(rng.getrandbits(25))
        return self.numbers[-1]

    def _units(self) -> tuple[Service, dict[str, Any]]:
        rng = self.world.rng
        form, plain = _example(rng.choice(SERVICES))
        units = dict(plain)
        for unit in units:
            if isinstance(units[unit], dict) and "nik" in units[unit]:
                number = self.world.written
                units[unit] = units[unit] | {"nik": self._nik(), "name": f"WARGA {number}"}
        if "parents.mother" in units:
            units["parents.mother"] = units["parents.mother"] | {"mother_nik": self._nik()}
        if "address.address" in units:
            units["address.address"] = units["address.address"] | {
                "village": rng.choice(self.world.villages)
            }
        return form, units

    def _nik(self) -> str:
        rng = self.world.rng
        if self.niks and self.world.fires("same_citizen"):
            return rng.choice(self.niks)
        nik = f"827203{rng.randrange(1, 29):02}{rng.randrange(1, 13):02}"
        nik += f"{rng.randrange(50, 99)}{rng.randrange(1, 9999):04}"
        self.niks.append(nik)
        return nik

    def show(self, laptop: Laptop) -> None:
        """Draw a request on a screen; it is saved later, or never."""
        names = list(laptop.snapshot.records)
        if laptop.entries and self.world.rng.random() < 0.3:
            names = self._undecided(laptop) or names
        if not names:
            return
        screen = laptop.display(self.world.rng.choice(names))
        if screen is not None and screen.units:
            self.screens.append((laptop, screen))

    def _undecided(self, laptop: Laptop) -> list[bytes]:
        found = []
        for entry in laptop.book.rows():
            if (laptop.log, entry.seq) in laptop.told:
                continue
            change = change_of(entry.data)
            if change.kind == "create":
                found.append(record_of(laptop.log, entry.seq, change, entry.data))
        return found

    def save(self) -> None:
        """Save what was changed on a screen."""
        if not self.screens:
            return
        world = self.world
        at = 0 if world.fires("stale_save") else len(self.screens) - 1
        laptop, screen = self.screens.pop(at)
        if screen.log != laptop.log or screen.incarnation not in (b"", laptop.cursor.incarnation):
            return  # the program was started anew since
        body = self._edit(screen)
        if body is None:
            return
        change = laptop.change("edit", body, screen.record, screen=screen)
        if not world.commit(laptop, lambda: laptop.append([change]), "laptop_crash_saving"):
            return
        world.fired["pull_behind_screen"] += screen.seen < laptop.cursor.server_seq
        world.fired["held_follow_up"] += self._follows_held(laptop, screen, body)
        world.made(laptop, [laptop.entries[-1]])
        entry = laptop.entries[-1].digest
        world.shown[entry] = screen.seen
        where = laptop.cells.get(screen.record)
        record = laptop.snapshot.records.get(screen.record)
        mine = record is None or record.device == laptop.device
        if (mine or where in laptop.villages) and not world.out_of_hand(laptop):
            world.rightful.add(entry)
        world.note(f"{laptop.number} edits {laptop.last} {screen.record.hex()[:6]} {[*body.set]}")
        self._check_reading(laptop, screen.record, body)
        if world.fires("follow_up"):
            again = laptop.display(screen.record)
            if again is not None:
                self.screens.append((laptop, again))

    def _follows_held(self, laptop: Laptop, screen: Screen, body: Body) -> bool:
        record = laptop.snapshot.records.get(screen.record)
        held = {} if record is None else record.disputes
        cases = [laptop.snapshot.cases.get(held[u]) for u in body.set if u in held]
        return any(o.log == laptop.log for c in cases if c for o in c.offers)

    def _edit(self, screen: Screen) -> Body | None:
        rng = self.world.rng
        roll = rng.random()
        if roll < 0.08:
            action = {"submitted": "withdraw", "received": "withdraw"}.get(screen.status)
            if action:
                return Body(action=action, move=(screen.status, "cancelled"), reason="batal")
        if roll < 0.16 and screen.status == "needs_correction":
            return Body(action="correct", move=("needs_correction", "submitted"))
        if roll < 0.26:
            papers = {"documents": [rng.choice(("KK", "KTP", "BIRTH_DEED"))]}
            return Body(add=papers) if rng.random() < 0.6 else Body(remove=papers)
        address = screen.units.get("address.address")
        if isinstance(address, dict) and self.world.fires("moves_away"):
            return Body(
                set={"address.address": address | {"village": rng.choice(self.world.villages)}}
            )
        units = [u for u, v in screen.units.items() if not isinstance(v, list)]
        if not units:
            return None
        chosen = rng.sample(sorted(units), k=min(len(units), rng.choice((1, 1, 2))))
        return Body(set={u: self.other(screen.units[u]) for u in chosen})

    def other(self, value: Any) -> Any:
        """Another value of the same shape; sometimes one that somebody else may pick too. A group
        may lose a member: it is written whole."""
        rng = self.world.rng
        mark = str(rng.randrange(3) if rng.random() < 0.2 else rng.getrandbits(40))
        if isinstance(value, dict):
            first, *rest = sorted(value)
            kept = {k: v for k, v in value.items() if k not in rest[2:3]}
            return (kept if rng.random() < 0.2 else value) | {first: f"nilai {mark}"}
        return f"nilai {mark}"

    def _check_reading(self, laptop: Laptop, record: bytes, body: Body) -> None:
        """Law 14: what was just written is read back."""
        shown = laptop.look(record)
        self.world.laws["14"] += 1
        if shown is None or any(shown.units.get(u) != v for u, v in body.set.items()):
            raise Broken(f"law 14: laptop {laptop.number} does not read its own write")


class Staff:
    """At the office."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.screens: list[tuple[bytes, int]] = []

    def work(self) -> None:
        """Decide a case, or take a step with a request, now and then on what is stale."""
        world, tables = self.world, self.world.central.registry.tables
        records: dict[bytes, Record] = tables["records"]
        cases = open_cases(world)
        if cases and world.rng.random() < 0.5:
            self.decide(world.rng.choice(cases))
            return
        if not records:
            return
        name = world.rng.choice(list(records))
        self.screens.append((name, world.central.registry.position.server_seq))
        at = 0 if world.fires("stale_decision") else len(self.screens) - 1
        name, seen = self.screens.pop(at)
        if name in records:
            self._step(records[name], seen)

    def _step(self, record: Record, seen: int) -> None:
        rng = self.world.rng
        steps = {
            "received": ("take", "in_verification", ""),
            "in_verification": rng.choice(
                (("approve", "verified", ""), ("return", "needs_correction", "foto buram"))
            ),
        }
        step = steps.get(record.status)
        if step is None or rng.random() < 0.3:
            units = [u for u, w in record.units.items() if isinstance(w.value, (str, dict))]
            plain = [
                u for u in sorted(units)
                if u != STATUS_UNIT and ELEMENT not in u and not u.startswith(REASON_PREFIX)
            ]  # fmt: skip
            if plain and not record.disputes:
                unit = rng.choice(plain)
                value = self.world.operators.other(record.units[unit].value)
                self.write("edit", Body(set={unit: value}), seen, record.id)
            return
        action, target, reason = step
        self.write(
            "edit", Body(action=action, move=(record.status, target), reason=reason), seen,
            record.id,
        )  # fmt: skip

    def write(self, kind: str, body: Any, seen: int, record: bytes = b"") -> bool:
        """A decision of staff through central's own log. False when it was refused as stale."""
        world = self.world
        at = world.now
        change = Change(kind, record, 0, 1, "", 0, 0, at, at, 0, 0, seen, None, raw(body))
        try:
            world.central.ledger.write(change, at, "Bu Nur")
        except Killed:
            world.died()
            return False
        except Problem:
            world.fired["refused_decision"] += 1
            return False
        return True

    def decide(self, case: Case) -> None:
        """Close a case as people do: protected ones with four eyes, sometimes on stale data."""
        world = self.world
        rng, registry = world.rng, world.central.registry
        seen = registry.position.server_seq
        if world.fires("stale_decision"):
            seen = max(0, case.changed - 1)
        take = rng.choice(TAKES[case.kind])
        if take == "release":
            return self._release(case, seen)
        more: dict[str, Any] = {}
        if take == "offer":
            offer = rng.choice(case.offers)
            more = {"log": offer.log, "seq": offer.seq}
        if take == "value":
            if case.unit == STATUS_UNIT or ELEMENT in case.unit:
                take = "current"
            else:
                more = {"value": world.operators.other(case.offers[0].value)}
        first = "propose" if case.protected else "decide"
        second = "nur" if world.fires("same_person") else "amir"
        choice = Choice(case.id, take, "diperiksa", first, by="nur", **more)
        if self.write("resolve", choice, seen) and case.protected:
            again = Choice(case.id, take, "setuju", "approve", by=second, **more)
            self.write("resolve", again, registry.position.server_seq)
        return None

    def _release(self, case: Case, seen: int) -> None:
        """Let what is parked be judged, as the production room does it. What ends the process lies
        after three times, until somebody discards it."""
        world, at = self.world, self.world.now

        def choose(door: Any, log: bytes, seq: int) -> None:
            choice = Choice(case.id, "release", "diperiksa", "decide", None, log, seq, "nur")
            change = Change("resolve", b"", 0, 1, "", 0, 0, at, at, 0, 0, seen, None, raw(choice))
            world.central.ledger.write_in(door, change, at, "Bu Nur")

        try:
            release(world.central.ledger, case.id, choose)
        except Killed:
            world.died()
        except Problem as problem:
            world.fired["lies"] += problem.code == "case.set_aside"
            world.fired["refused_decision"] += problem.code != "case.set_aside"


def open_cases(world: World) -> list[Case]:
    """Cases that nobody closed, in an order that no id, and so no clock, takes part in."""
    found = world.central.registry.tables["cases"].values()
    return sorted((c for c in found if c.state != "closed"), key=opening_order)


def opening_order(case: Case) -> tuple[int, str, int]:
    """See `open_cases`."""
    return case.opened, case.unit, len(case.offers)


@lru_cache
def _example(slug: str) -> tuple[Service, dict[str, Any]]:
    """A service and the units of its example, sets left out."""
    form = catalogue().service(slug)
    units = form.units(example_answers(form), form.example.documents)
    units = {u: v for u, v in units.items() if u != "documents" and form.unit(u).shape != "set"}
    return form, units


def example_answers(form: Service) -> dict[str, Any]:
    """The example of a service as flat answers."""
    found: Any = form.example.answers
    flat: dict[str, Any] = {}
    for section, fields in found.items():
        rows = enumerate(fields, 1) if isinstance(fields, list) else [(0, fields)]
        for number, row in rows:
            prefix = f"{section}.{number}" if number else section
            flat.update({f"{prefix}.{name}": value for name, value in row.items()})
    return flat
