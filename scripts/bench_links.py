"""Bench `links`: a sync over shaped links, beside the best that could be done and what is usual.

Three ways of bringing the same requests to central are run in turns over the same link, each with
real processes at both ends and real TCP between them (scripts/linklab.py):

- **ours**: the real laptop against the real central;
- the **bound**: the same answers (and photos) as one msgpack stream, compressed by zstd -19 before
  the clock starts, over one TCP connection that goes on at the acknowledged offset and connects
  anew after 3.5 s without progress; it knows nothing of authors, conflicts or pages;
- **REST**: one JSON POST for each record, on a part of the records, told for all of them.

The clock runs from the first connect to the last commit at the far end that was synced to disk.
Bytes are IP packets put on the link, both ways, to the end of the sync.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec

import home
from bench_parts import Row, median, new_laptop, rows_of, take
from bench_vault import change
from bench_wire import plain_bytes
from field_client.attachments import attaching
from linklab import PROFILES, SERVER, Lab, before_others, check
from models.changes import Attached, decode_change
from models.pictures import Copy
from sync.attaching import Fresh, places
from sync.transfer import manifest_of
from tests.town import Laptop, Town

PORT = 8272
Figures = dict[str, Any]
ENDS = home.ROOT / "scripts" / "bench_ends.py"


class Work(NamedTuple):
    """What is to be brought to central: folders of a laptop and its central as they are before,
    the bound's file, the records for REST. last, first: numbers of the last entry and of the first
    request that is not sent yet. requests: that central has in the end. photos, previews: names of
    files, in hex."""

    laptop: Path
    central: Path
    log: str
    first: int
    last: int
    requests: int
    bound: Path | None = None
    records: Path | None = None
    photos: frozenset[str] = frozenset()
    previews: frozenset[str] = frozenset()


class Run(NamedTuple):
    """What one run showed. first, seconds: from connect until the first and the last commit."""

    seconds: float
    first: float
    up: int
    down: int
    stream: int
    facts: dict[str, Any]

    @property
    def bytes(self) -> int:
        return self.up + self.down


class Case(NamedTuple):
    """One key of the report. runs: by default."""

    profile: str
    work: str
    runs: int
    bound: bool = True
    rest: int = 0


CASES = {
    "edge2g_200": Case("edge2g", "requests_200", 15, rest=20),
    "edge2g_2000": Case("edge2g", "requests_2000", 5),
    "flaky_2000": Case("flaky", "requests_2000", 5),
    "nothing_new": Case("edge2g", "quiet_20000", 15, bound=False),
    "ten_edits": Case("edge2g", "edits_20000", 15, bound=False),
    "vsat_photos": Case("vsat", "photos_50", 5),
    "g3_photos": Case("3g", "photos_50", 5),
    "edge2g_photos": Case("edge2g", "photos_5", 5),
}
PHOTO_BYTES = 60_000
PREVIEW_BYTES = 2_500
"""Of a working copy of 60 kB (models.pictures.copies)."""

LINKS = ("4g", "3g", "vsat", "edge2g", "flaky")
"""Links of the plot, on which 200 requests are sent."""


# -- what is sent


class Stock:
    """Makes each kind of work once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Work] = {}

    def work(self, name: str) -> Work:
        """`requests_200`, `quiet_20000`, `edits_200`, …"""
        if name not in self._made:
            kind, _, count = name.partition("_")
            makers: dict[str, Callable[[Path, int], Work]] = {
                "requests": _requests,
                "quiet": _quiet,
                "edits": _edits,
                "photos": _photos,
            }
            home.say(f"links: making {name.replace('_', ' ')}")
            self._made[name] = makers[kind](self.folder / name, int(count))
        return self._made[name]


def _requests(folder: Path, count: int) -> Work:
    rows = rows_of(count, 11)
    with _town(folder) as (here, laptop):
        take(laptop, rows)
        work = _ready(here, laptop)
    bound, records = folder / "bound", folder / "records.json"
    bound.write_bytes(plain_bytes(rows))
    records.write_text(json.dumps([_plain(row) for row in rows]))
    return work._replace(bound=bound, records=records)


def _photos(folder: Path, count: int) -> Work:
    """So many requests with two photographs each, of random bytes as compressed ones are."""
    rows = rows_of(count, 13)
    chance = Random(count)
    photos: list[bytes] = []
    previews: list[bytes] = []
    with _town(folder) as (here, laptop):
        take(laptop, rows)
        for line in laptop.house.store.requests.newest(limit=count):
            copies = [
                Copy(chance.randbytes(PHOTO_BYTES), chance.randbytes(PREVIEW_BYTES), "page", 1, 1,
                     1240, 1754, ())
                for _ in range(2)
            ]  # fmt: skip
            _attach(laptop, line.record, copies)
            photos += [copy.data for copy in copies]
            previews += [copy.preview for copy in copies]
        work = _ready(here, laptop)
    bound = folder / "bound"
    bound.write_bytes(plain_bytes(rows) + b"".join(photos))
    return work._replace(bound=bound, photos=_names(photos), previews=_names(previews))


def _attach(laptop: Laptop, record: bytes, copies: list[Copy]) -> None:
    """As the desk attaches files, but for the making of the copies."""

    def made(paths: object, unit: str, kind: str) -> list[Fresh]:
        del paths, kind
        return [
            Fresh("foto", copy, Attached(
                unit, manifest_of(copy.data).blob, len(copy.data), "page",
                manifest_of(copy.preview).blob,
            ))
            for copy in copies
        ]  # fmt: skip

    page = laptop.open_sheet(record)
    with patch.object(attaching, "_copied", made):
        laptop.house.desk.attach(page, places(page.form())[-1], [])


def _names(files: list[bytes]) -> frozenset[str]:
    return frozenset(manifest_of(data).blob.hex() for data in files)


def _quiet(folder: Path, count: int) -> Work:
    with _town(folder) as (here, laptop):
        _history(laptop, count)
        return _ready(here, laptop)


def _edits(folder: Path, count: int) -> Work:
    with _town(folder) as (here, laptop):
        _history(laptop, count)
        chance = Random(count)
        for record in _with_phone(laptop, 10):
            laptop.edit(record, applicant__phone=f"+62812{chance.randrange(10**8):08}")
        return _ready(here, laptop)


def _with_phone(laptop: Laptop, count: int) -> list[bytes]:
    """Newest requests in which somebody left a telephone number."""
    lines = laptop.house.store.requests.newest(limit=50 * count)
    found = (line.record for line in lines if laptop.answer(line.record, "applicant.phone"))
    return list(islice(found, count))


@contextmanager
def _town(folder: Path) -> Iterator[tuple[Town, Laptop]]:
    folder.mkdir(parents=True)
    here = Town(folder)
    try:
        yield here, new_laptop(here)
    finally:
        here.close()


def _history(laptop: Laptop, count: int) -> None:
    rows = rows_of(count, 12)
    for start in range(0, len(rows), 500):
        with laptop.house.desk.saving() as (saving, session, _):
            for row in rows[start : start + 500]:
                saving.append(msgspec.structs.replace(change(row), session=session))
    laptop.sync()


def _ready(here: Town, laptop: Laptop) -> Work:
    """Both folders as they are, closed."""
    store = laptop.house.store
    log = store.log()
    pending = store.pending(log.stored, 1 << 40)
    creates = [e.seq for e in pending if decode_change(e.data).kind == "create"]
    first = creates[0] if creates else log.seq
    made = [e for e in store.pending(0, 1 << 40) if decode_change(e.data).kind == "create"]
    place = here.folder / "central"
    return Work(laptop.folder, place, log.id.hex(), first, log.seq, len(made))


def _plain(row: Row) -> Row:
    kept = ("service", "taken_at", "nik", "answers", "documents")
    return {"id": row["ref"], "device": "van", **{k: row[k] for k in kept}}


# -- running


class Bench:
    """A lab with its stock. tls: everything once more inside TLS."""

    def __init__(self, lab: Lab, folder: Path, *, tls: bool) -> None:
        self.lab = lab
        self.folder = folder
        self.tls = tls
        self.stock = Stock(folder / "stock")
        self.environment = home.environment()
        if tls:
            self.environment |= certificate(folder)

    def ours(self, case: Case, seed: int) -> Run:
        """One sync of the product."""
        work = self.stock.work(case.work)
        with self._folder() as place:
            shutil.copytree(work.laptop, place / "laptop")
            shutil.copytree(work.central, place / "central")
            url = f"{'https' if self.tls else 'http'}://{SERVER}:{PORT}"
            far = ("central", place / "central", f"{SERVER}:{PORT}")
            run = self._run(case, seed, far, ("laptop", place / "laptop", url))
            run.facts["duplicates"] = _duplicates(place / "central", work)
        seen, near = run.facts["seen"], run.facts["near"]
        mine = [(at, upto) for at, kind, log, upto in seen if kind == "log" and log == work.log]
        if near["problem"] or (mine and mine[-1][1] < work.last):
            raise RuntimeError(f"{case}: the sync did not end well: {near}")
        first = min((at for at, upto in mine if upto >= work.first), default=near["ended"])
        last = min((at for at, upto in mine if upto >= work.last), default=near["ended"])
        if work.photos:
            there = {name: at for at, kind, _, names in reversed(seen) if kind == "files"
                     for name in names}  # fmt: skip
            run.facts["previews_first"] = (
                max(last, *(there[name] for name in work.previews))
                < min(there[name] for name in work.photos)
            )  # fmt: skip
            last = max(last, *(there[name] for name in work.photos | work.previews))
        return run._replace(first=first - near["began"], seconds=last - near["began"])

    def bound(self, case: Case, seed: int) -> Run:
        """The same as one stream."""
        work = self.stock.work(case.work)
        assert work.bound is not None
        size = work.bound.stat().st_size
        with self._folder() as place:
            address = f"{SERVER}:{PORT}"
            far = ("bound-far", place / "bound", address)
            run = self._run(case, seed, far, ("bound-near", work.bound, address))
        last = min(at for at, upto in run.facts["seen"] if upto >= size)
        return run._replace(seconds=last - run.facts["near"]["began"])

    def rest(self, case: Case, seed: int, count: int) -> Run:
        """A part of the records, one by one."""
        work = self.stock.work(case.work)
        assert work.records is not None
        with self._folder() as place:
            part = place / "records.json"
            part.write_text(json.dumps(json.loads(work.records.read_text())[:count]))
            address = f"{SERVER}:{PORT}"
            run = self._run(case, seed, ("rest-far", place / "rest.db", address),
                            ("rest-near", part, address))  # fmt: skip
        near = run.facts["near"]
        return run._replace(
            seconds=run.facts["seen"][-1][0] - near["began"],
            facts=run.facts | {"stored": len(run.facts["seen"])},
        )

    def _run(
        self, case: Case, seed: int, far: tuple[str, Path, str], near: tuple[str, Path, str]
    ) -> Run:
        """Far end and near end over the case's link."""
        self.lab.shape("direct")
        server = self._start("server", far)
        client = self._start("client", near)
        try:
            for process in (client, server):
                before_others(process.pid)
            phase = Random(seed).random() * PROFILES[case.profile].period
            self.lab.shape(case.profile, seed, phase)
            said = _ask(client)
            counts = self.lab.counts()
            seen = _ask(server)
        finally:
            for process in (client, server):
                process.kill()
                process.communicate()
        facts = {"near": said, "seen": seen, "counts": counts}
        up, down = counts["up"], counts["down"]
        return Run(0.0, 0.0, up["bytes"], down["bytes"], up["stream"], facts)

    def _start(self, side: str, end: tuple[str, Path, str]) -> subprocess.Popen[str]:
        words = [sys.executable, str(ENDS), end[0], str(end[1]), end[2]]
        process: subprocess.Popen[str] = self.lab.start(
            side, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self.environment,
        )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if line != "ready":
            raise RuntimeError(f"{end[0]} did not start: {line!r}")
        return process

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as name:
            yield Path(name)


def _ask(process: subprocess.Popen[str]) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("an end of the link died")
    return json.loads(line)


def certificate(folder: Path) -> dict[str, str]:
    """A certificate of its own for the far end, as environment of both ends."""
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += [
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=bench",
        "-addext",
        f"subjectAltName=IP:{SERVER}",
    ]
    key, file = folder / "tls.key", folder / "tls.crt"
    subprocess.run(
        [*words, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True
    )
    return {"BENCH_CERT": str(file), "BENCH_KEY": str(key), "SSL_CERT_FILE": str(file)}


# -- figures


def run(only: str = "", runs: int = 0, *, tls: bool = False) -> Figures:
    """only: one key, or "plot". runs: of each case, 0 for as many as the case says."""
    check()
    names = [only] if only else [*CASES, "plot"]
    with (
        tempfile.TemporaryDirectory(prefix="jb-links-", ignore_cleanup_errors=True) as folder,
        Lab() as lab,
    ):
        bench = Bench(lab, Path(folder), tls=tls)
        found: Figures = {"machine": machine(lab), "tls": tls}
        for name in names:
            if name == "plot":
                found |= {f"plot_{link}": plotted(bench, link, runs or 3) for link in LINKS}
            else:
                found[name] = measure(bench, name, CASES[name], runs or CASES[name].runs)
    return found


def plotted(bench: Bench, link: str, runs: int) -> Figures:
    """200 requests over one link of the plot."""
    figures = measure(bench, f"plot {link}", Case(link, "requests_200", runs, rest=20), runs)
    return {key: figures[key] for key in ("seconds", "bound_s", "rest_s", "first_s")}


def measure(bench: Bench, name: str, case: Case, runs: int) -> Figures:
    """Ours, the bound and REST in turns."""
    ours: list[Run] = []
    bounds: list[Run] = []
    rests: list[Run] = []
    for n in range(runs):
        sides: list[Callable[[], None]] = [lambda: ours.append(bench.ours(case, n))]  # noqa: B023
        if case.bound:
            sides.append(lambda: bounds.append(bench.bound(case, n)))  # noqa: B023
        for side in sides if n % 2 else reversed(sides):
            side()
        if case.rest and n < 3:
            rests.append(bench.rest(case, n, case.rest))
        home.say(f"links: {name} {n + 1} of {runs}: {ours[-1].seconds:.2f} s"
                 + (f", bound {bounds[-1].seconds:.2f} s" if bounds else ""))  # fmt: skip
    found = _summary(ours, bounds)
    if PROFILES[case.profile].period:
        clean = bench.ours(case._replace(profile="calm"), 0).stream
        found |= _sent_again([run.stream for run in ours], clean)
    if name == "ten_edits":
        few = [bench.ours(case._replace(work="edits_200"), n) for n in range(min(runs, 5))]
        found["up_ratio_to_small_history"] = round(
            median([r.up for r in ours]) / median([r.up for r in few]), 3
        )
    if rests:
        count = bench.stock.work(case.work).requests
        each = median([r.seconds for r in rests]) / case.rest
        found["rest_s"] = round(each * count, 1)
        found["rest_runs_of"] = case.rest
        found["rest_time_ratio"] = round(each * count / found["bound_s"][1], 1)
    return found


def _summary(ours: list[Run], bounds: list[Run]) -> Figures:
    """Medians, with least and most beside them."""
    reports = [r.facts["near"]["report"] for r in ours]
    found: Figures = {
        "runs": len(ours),
        "seconds": _spread([r.seconds for r in ours]),
        "first_s": round(median([r.first for r in ours]), 3),
        "first_s_spread": _spread([r.first for r in ours]),
        "median_s": round(median([r.seconds for r in ours]), 3),
        "most_up": max(r.up for r in ours),
        "most_down": max(r.down for r in ours),
        "bytes_up": _spread([r.up for r in ours]),
        "bytes_down": _spread([r.down for r in ours]),
        "round_trips": max(report["round_trips"] for report in reports),
        "connections": _spread([r.facts["counts"]["up"]["connections"] for r in ours]),
        "resent_ratio": round(median([_resent(r) for r in ours]), 4),
        "resent_ratio_spread": _spread([_resent(r) for r in ours]),
        "duplicates": sum(abs(r.facts["duplicates"]) for r in ours),
    }
    if "previews_first" in ours[0].facts:
        found["photos_before_previews"] = sum(not r.facts["previews_first"] for r in ours)
    if bounds:
        found["bound_s"] = _spread([r.seconds for r in bounds])
        found["bound_bytes"] = _spread([r.bytes for r in bounds])
        found["bytes_ratio"] = round(
            median([r.bytes for r in ours]) / median([r.bytes for r in bounds]), 3
        )
        found["time_ratio"] = round(found["seconds"][1] / found["bound_s"][1], 3)
        pairs = [a.seconds / b.seconds for a, b in zip(ours, bounds, strict=True)]
        found["time_ratio_of_pairs"] = _spread(pairs)
    return found


def _resent(one: Run) -> float:
    """Share of the application's bytes that TCP streams carried more than once, by the link's own
    count: all that was put on any connection, over what had an answer there."""
    needed = one.facts["near"]["report"]["bytes_kept"]
    return max(0.0, (one.stream - needed) / needed) if needed else 0.0


def _sent_again(streams: list[int], clean: int) -> Figures:
    """The same where connections break: some frames arrive without being answered there, and are
    not sent again. So it is compared with what the same work takes where nothing breaks (`clean`);
    all that a new connection costs counts as sent again."""
    shares = [max(0.0, (size - clean) / clean) for size in streams]
    return {"resent_ratio": round(median(shares), 4), "resent_ratio_spread": _spread(shares)}


def _duplicates(folder: Path, work: Work) -> int:
    """Requests at central beyond those that were taken in."""
    with closing(sqlite3.connect(folder / "central.db")) as database:
        (stored,) = database.execute("select count(*) from records").fetchone()
    return int(stored) - work.requests


def _spread(values: list[Any]) -> list[float]:
    return [round(v, 3) for v in (min(values), median(values), max(values))]


def machine(lab: Lab) -> str:
    """Where this was measured."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    system = os.uname()
    version = sys.version.split()[0]
    return (
        f"{os.cpu_count()} × {cpu}, {system.sysname} {system.release}, "
        f"Python {version}, TCP {lab.control}"
    )
