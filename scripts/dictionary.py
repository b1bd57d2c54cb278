"""Trains the wire dictionary: `sync/data/jb-N.dict`, on invented data only.

    python3 scripts/dictionary.py            train the newest number again and compare
    python3 scripts/dictionary.py --write    keep it
    python3 scripts/dictionary.py --sizes    measure several sizes on people never trained on

The samples are messages as the production code encodes them: requests of laptops with changes of
every service, central's replies and its pages of decisions, disputes and resolutions among them.
Names and streets come from the training vocabulary, which no test, bench or demonstration uses.
Runs of digits are cut down to their first six before the dictionary's text is chosen, so no number
of any person is in it; the statistics beside the text are then taken from the uncut messages.

A dictionary that was ever released is never written again: a new one gets the next number, and the
old ones stay readable. One seed gives one file, with one version of zstd.
"""

from __future__ import annotations

import home

home.enter()

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

from backports import zstd

from invented import Maker
from journal import DAY, Journal
from models import lifecycle
from models.changes import Body, Change, Choice, encode, raw
from models.services import catalogue
from sync import messages, wire
from sync.intake import take
from sync.known import Known, LogState, next_server_head
from sync.logs import Entry, next_head
from sync.messages import Checkpoint, Cursor, Page, Reply
from sync.pull import for_laptop, runs
from sync.state import Decision
from tests import vocabulary

NUMBER = wire.DICTIONARY
SEED = 20261121
SIZE = 64 * 1024
WORLDS = 120
LONGEST = 2000
"""Bytes of a message worth learning from: a longer one mostly repeats itself."""

FOLDER = home.ROOT / "sync" / "data"
WIT = timezone(timedelta(hours=9))
FIRST_DAY = date(2026, 9, 1)
BUILDS = ("2026.11.0", "2026.12.0", "2027.1.0", "2027.3.1")

OFTEN = {
    "ktp-new-enrolment": 16, "ktp-print-first": 10, "ktp-reprint-lost": 8, "ktp-reprint-damaged": 8,
    "ktp-reprint-data-change": 5, "kk-change": 10, "kk-new-family": 4, "kk-reissue": 4, "birth": 8,
    "birth-late": 6, "kia-new-under5": 8, "kia-new-5to17": 8, "death": 5, "move-within": 3,
    "move-out": 3, "move-in": 3, "ikd-activation": 4, "marriage": 2,
}  # fmt: skip
"""How many of a service a mixed day brings, guessed; every other service brings one."""

_DIGITS = re.compile(rb"\d{10,}")
_REPEATS = b"\x01\0\0\0\x04\0\0\0\x08\0\0\0"
"""Last part of a dictionary's header: three repeat offsets, at their initial values."""


def mixed(rng: Random, count: int) -> list[str]:
    """Services of `count` requests of mixed days."""
    slugs = catalogue().slugs
    return rng.choices(slugs, [OFTEN.get(slug, 1) for slug in slugs], k=count)


# -- messages


class World:
    """Two laptops, and central which judges what they write."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.maker = Maker(vocabulary.train(), rng, extra=0.05)
        self.day = FIRST_DAY + timedelta(days=rng.randrange(700))
        at = _nine(self.day)
        seq, incarnation = rng.randrange(100_000), rng.randbytes(16)
        self.known = Known(seq, rng.randbytes(32))
        self.central = LogState(rng.randbytes(16), b"", 0, rng.randbytes(32), central=True)
        self.known.logs[self.central.id] = self.central
        cursor = Cursor(incarnation, seq, self.known.head[:8])
        self.laptops = [Journal(rng, rng.choice(BUILDS), at, cursor) for _ in range(2)]
        self.logs = {laptop.id: laptop.log_state() for laptop in self.laptops}
        self.known.logs |= self.logs
        self.decisions: list[Decision] = []
        self.told: dict[bytes, int] = {laptop.id: seq for laptop in self.laptops}

    def messages(self) -> Iterator[bytes]:
        """What is said on one day."""
        people = self.maker.people()
        names = [people.name("2") for _ in self.laptops]
        for laptop, name in zip(self.laptops, names, strict=True):
            laptop.open_session(name)
        for round_ in range(4):
            for laptop in self.laptops:
                self._write(laptop, self.rng.choice((1, 1, 2, 5, 12)))
                if round_:
                    self._edit(laptop)
                yield from self._sync(laptop)
            self._resolve()

    def _write(self, laptop: Journal, count: int) -> None:
        asked = [self.maker.request(slug, self.day) for slug in mixed(self.rng, count)]
        family = count == 2
        for place, one in enumerate(asked):
            laptop.create(one, (place, count) if family else (0, 1))

    def _edit(self, laptop: Journal) -> None:
        """Something is put right: on a request of its own, or of the other one (a dispute)."""
        for record in self.rng.choices(sorted(self.known.state.records), k=2):
            found = self.known.state.records[record]
            again = laptop.body(self.maker.request(found.service, self.day))
            unit = self.rng.choice(sorted(again.set))
            laptop.append("edit", Body(set={unit: again.set[unit]}), record)
        body = self._step(record, "field")
        if body is not None:
            laptop.append("edit", body, record)

    def _step(self, record: bytes, place: str) -> Body | None:
        """A step of the lifecycle that may be taken there now, if there is any."""
        status = self.known.state.records[record].status
        rows = [m for m in lifecycle.TRANSITIONS[status].values() if place in m.places]
        if not rows:
            return None
        row = self.rng.choice(rows)
        why = self.rng.choice(self.maker.words.notes) if row.reason else ""
        return Body(action=row.action, move=(row.source, row.target), reason=why)

    def _sync(self, laptop: Journal) -> Iterator[bytes]:
        yield laptop.request(0) if self.rng.random() < 0.3 else b""
        first = laptop.sent
        payload = laptop.request()
        yield payload
        log = self.logs[laptop.id]
        fresh = laptop.entries[first : laptop.sent]
        self._keep(take(self.known, log, fresh, laptop.at))
        yield from self._reply(laptop, payload, first, log)

    def _keep(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            self.decisions.append(decision)
            self.known.head = next_server_head(self.known.head, encode(decision))

    def _reply(self, laptop: Journal, payload: bytes, first: int, log: LogState) -> Iterator[bytes]:
        name, known = messages.name_of(payload), self.known
        new = [d for d in self.decisions if d.server_seq > self.told[laptop.id]]
        villages = self.rng.random() < 0.5
        mine = {r.id for r in known.state.records.values() if villages or r.log == laptop.id}
        seen = (for_laptop(d, mine.__contains__, (laptop.id,)) for d in new)
        shown = [encode(d) for d in seen if d is not None]
        results = [(s, known.results[laptop.id, s]) for s in range(first + 1, laptop.sent + 1)]
        here = Cursor(laptop.cursor.incarnation, known.server_seq, known.head[:8])
        checkpoint = Checkpoint(
            laptop.id, log.seq, log.head, here.incarnation, here.server_seq, here.head,
            max(0, here.server_seq - self.rng.randrange(3000)), laptop.at + 9,
        )  # fmt: skip
        told = runs(results)
        pages = 1 if shown else 0
        yield messages.encode(Reply(name, checkpoint, told, None, [], pages, here, False))
        if shown:
            yield messages.encode(Page(name, 0, shown, here.server_seq))
        self.told[laptop.id] = known.server_seq
        laptop.cursor = here

    def _resolve(self) -> None:
        """People at central decide some of the cases, and take requests further."""
        waiting = [c for c in self.known.state.cases.values() if c.state != "closed"]
        for case in waiting[:2]:
            take_ = {"dispute": "current", "duplicate": "separate"}.get(case.kind, "noted")
            step = "propose" if case.protected else "decide"
            why = self.rng.choice(self.maker.words.notes)
            self._central("resolve", Choice(case.id, take_, why, step, by="petugas"), b"")
        for record in sorted(self.known.state.records)[:6]:
            body = self._step(record, "office")
            if body is not None:
                self._central("edit", body, record)

    def _central(self, kind: str, body: Any, record: bytes) -> None:
        at, log = self.laptops[0].at, self.central
        change = Change(
            kind, record, 0, 1, "", 0, 0, at, at, 0, 0, self.known.server_seq, None, raw(body)
        )
        data = encode(change)
        entry = Entry(log.seq + 1, data, next_head(log.id, log.head, data))
        self._keep(take(self.known, log, [entry], at, "petugas"))


def _nine(day: date) -> int:
    """Nine in the morning of that day, Unix seconds."""
    return int(datetime(day.year, day.month, day.day, 9, tzinfo=WIT).timestamp())


def samples(seed: int, worlds: int) -> list[bytes]:
    """Messages to learn from; every service occurs in some of them alone."""
    rng = Random(seed)
    found: list[bytes] = []
    for _ in range(worlds):
        found += [message for message in World(rng).messages() if message]
    maker = Maker(vocabulary.train(), rng, extra=0.1)
    alone = [*catalogue().slugs, *mixed(rng, worlds * 10)]
    for slug in alone:
        day = FIRST_DAY + timedelta(days=rng.randrange(700))
        laptop = Journal(rng, rng.choice(BUILDS), _nine(day) + rng.randrange(DAY // 3))
        laptop.create(maker.request(slug, day))
        found.append(laptop.request())
    return [message for message in found if len(message) <= LONGEST]


# -- the dictionary


def train(found: list[bytes], size: int) -> bytes:
    """Text chosen from the samples with their numbers cut, statistics from them as they are."""
    cut = [_DIGITS.sub(lambda m: m[0][:6], message) for message in found]
    learned = zstd.train_dict(cut, size).dict_content
    text = learned[learned.index(_REPEATS) + len(_REPEATS) :]
    text = _DIGITS.sub(lambda m: m[0][:6], text)  # pieces of two samples may meet
    ready = zstd.finalize_dict(zstd.ZstdDict(text, is_raw=True), found, size, 19)
    return bytes(ready.dict_content)


def packed(payload: bytes, dictionary: bytes) -> int:
    """Bytes of a message with this dictionary, as `wire.pack` would make them."""
    return (
        len(zstd.compress(payload, options=wire.OPTIONS, zstd_dict=zstd.ZstdDict(dictionary))) - 4
    )


def unseen(seed: int) -> dict[str, list[bytes]]:
    """Messages of people, names and streets that no dictionary was trained on."""
    rng = Random(seed)
    maker = Maker(vocabulary.fresh(), rng)
    found: dict[str, list[bytes]] = {}
    for name, slugs in {
        "ktp-new-enrolment": ["ktp-new-enrolment"],
        "birth": ["birth"],
        "mixed": [""],
    }.items():
        for _ in range(100):
            laptop = Journal(rng, "2026.11.0", 1_795_300_000 + rng.randrange(200 * DAY))
            slug = slugs[0] or mixed(rng, 1)[0]
            laptop.create(maker.request(slug, date(2027, 1, 10)))
            found.setdefault(name, []).append(laptop.request())
    laptop = Journal(rng, "2026.11.0", 1_795_300_000)
    for slug in mixed(rng, 120):
        laptop.create(maker.request(slug, date(2027, 1, 10)))
    found["day of 120"] = [laptop.request()]
    return found


def measure(dictionary: bytes) -> str:
    """One line: median and worst size of messages never trained on."""
    words = []
    for name, found in unseen(SEED + 1).items():
        sizes = sorted(packed(message, dictionary) for message in found)
        words.append(f"{name} {sizes[len(sizes) // 2]}/{sizes[-1]}")
    return ", ".join(words)


def keep(made: bytes, path: Path) -> None:
    """Write a dictionary that is new. One that is there was released, and messages in logs, on
    sticks and in backups were packed with it: other bytes under its number make them unreadable."""
    if path.exists() and path.read_bytes() != made:
        raise SystemExit(
            f"{path.name} is there and is another one; it is never written again. For a new"
            " dictionary raise DICTIONARY in sync/wire.py by one; the old ones stay."
        )
    path.write_bytes(made)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the file")
    parser.add_argument("--sizes", action="store_true", help="measure several sizes and stop")
    options = parser.parse_args()
    found = samples(SEED, WORLDS)
    total = sum(map(len, found))
    print(f"{len(found)} messages, {total:,} bytes; zstd {zstd.zstd_version}")
    if options.sizes:
        for kib in (8, 16, 32, 48, 64, 80, 96, 110):
            print(f"{kib:4} KiB: {measure(train(found, kib * 1024))}")
        return 0
    made = train(found, SIZE)
    path = FOLDER / f"jb-{NUMBER}.dict"
    print(f"{len(made):,} bytes: {measure(made)}")
    if options.write:
        keep(made, path)
        print(f"written: {path}")
    elif not path.exists() or path.read_bytes() != made:
        print(f"{path} is another one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
