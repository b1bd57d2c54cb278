"""Panels of the dashboard about requests: what is counted, in words, as a table, and as a chart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise

from models import lifecycle, regions, words
from models.clock import left_at
from models.codes import code_list
from models.people import Act
from server.auth import sees
from server.charts import AGES, Chart, Datum
from server.database.reports import BACKLOG
from server.figures import HOUR_LETTERS, LEGS, UNKNOWN, moment_of, quantile
from server.reports import ELSEWHERE
from server.scene import (
    CHANNELS,
    Cell,
    Panel,
    Scene,
    case_kind,
    monday,
    name_of,
    office_kind,
    place_link,
    promised_hours,
    title_of,
    weeks_of,
)

# -- services by place


def services(scene: Scene) -> Panel:
    """How many came, by where people live and by which road."""
    place = scene.view.place
    by_village = len(place) >= 8 or bool(scene.within)
    names = (
        {v: name_of(v) for v in scene.villages}
        if by_village
        else {d.code: d.name for d in regions.districts()}
    )
    found: dict[str, Counter[str]] = {code: Counter() for code in names}
    if not scene.within:  # nobody's area has people of elsewhere
        names[""], found[""] = scene.say("Luar kota"), Counter()
    figures = ("arrived", "issued", "handed_over")
    for figure, line in scene.counted(figures, places=[*scene.villages, *found.keys() & {""}]):
        code = line.village if by_village else line.village[:8]
        found[code][f"{figure}:{line.value}"] += line.n
        found[code][figure] += line.n
    if not found.get("", {"": 1}):
        del names[""], found[""]
    people = {one.codes: one.total for one in reversed(regions.population())}
    rows, data = [], list[Datum]()
    for code, counts in found.items():
        place = code or ELSEWHERE
        told = [
            scene.records(counts[f"arrived:{c}"], "arrived", place=place, value=c) for c in CHANNELS
        ]
        rows.append(
            [
                Cell(names[code], place_link(scene.view, code) if code else ""),
                scene.records(counts["arrived"], "arrived", place=place),
                *told,
                scene.records(counts["issued"], "issued", place=place),
                scene.records(counts["handed_over"], "handed_over", place=place),
                Cell(
                    scene.n(1000 * counts["arrived"] / people[code], 1) if code in people else "–"
                ),
            ]
        )
        for rank, c in enumerate(CHANNELS):
            n = counts[f"arrived:{c}"]
            part = office_kind(c, scene.lang)
            data.append({"name": names[code], "part": part, "n": n, "rank": rank})
    total = sum(c["arrived"] for c in found.values())
    most = max(found, key=lambda code: found[code]["arrived"], default="")
    said = scene.tell(scene.say("{n} berkas masuk."), n=scene.records(total, "arrived"))
    if total:
        came = scene.records(found[most]["arrived"], "arrived", place=most or ELSEWHERE)
        template = scene.say("Terbanyak dari {place}: {n}.")
        said += [Cell(" "), *scene.tell(template, place=names[most], n=came)]
    heads = [
        scene.say("Desa atau kelurahan") if by_village else scene.say("Kecamatan"),
        scene.say("Masuk"),
        *(office_kind(c, scene.lang) for c in CHANNELS),
        scene.say("Terbit"),
        scene.say("Diserahkan"),
        scene.say("Masuk per 1.000 penduduk"),
    ]
    chart = Chart("bars", data, scene.say("Berkas masuk"), "", "", list(names.values()))
    note = scene.say(
        "Menurut desa tempat tinggal pada berkas. Jumlah penduduk dari terbitan resmi, bila ada."
    )
    return Panel("services", scene.say("Layanan per wilayah"), said, heads, rows, chart, note)


def tiles(scene: Scene) -> Panel:
    """The 89 villages as tiles, laid out by hand (models.regions)."""
    every = [one for one in regions.villages() if sees(scene.me, one.code)]
    found: Counter[str] = Counter()
    for _, line in scene.counted(("arrived",), places=[one.code for one in every]):
        found[line.village] += line.n
    data: list[Datum] = [
        {"name": one.name, "column": one.column or 0, "row": one.row or 0, "n": found[one.code]}
        for one in every
    ]
    none = [one for one in every if not found[one.code]]
    said = scene.tell(
        scene.say("{n} dari {all} desa mengajukan berkas."),
        n=len(every) - len(none),
        all=len(every),
    )
    rows = [
        [
            Cell(one.name, place_link(scene.view, one.code)),
            Cell(name_of(one.code[:8])),
            scene.records(found[one.code], "arrived", place=one.code),
        ]
        for one in every
    ]
    heads = [scene.say("Desa atau kelurahan"), scene.say("Kecamatan"), scene.say("Masuk")]
    chart = Chart("tiles", data, colour=scene.say("Berkas masuk"))
    note = scene.say("Petak bukan peta: letaknya menurut kecamatan, jaraknya tidak berarti.")
    return Panel("tiles", scene.say("Peta petak desa"), said, heads, rows, chart, note, 2)


# -- age and flow


QUARTERS = (0, 1, 3)
"""Of the promised time: so much is left where one column of the ages ends and the next begins, the
oldest first."""


def ages(scene: Scene) -> Panel:
    """How much of the promised time is used of what is open, by the one clock of the office
    (models.clock) and to the second."""
    edges = _edges(scene)
    found = _running(scene, edges)
    stopped: Counter[tuple[str, str]] = Counter()
    for _, line in scene.standing(("paused",), each_service=True):
        stopped[line.service, line.value] += line.n
        found.setdefault((line.service, line.value), Counter())
    labels = (scene.say("Lewat janji"), "75–100 %", "25–75 %", "< 25 %")
    rows, data = [], list[Datum]()
    order = sorted(found, key=lambda k: (-found[k][0], -found[k].total() - stopped[k], k))
    for service, promise in order:
        counts, name = found[service, promise], title_of(service, scene.lang)
        which = {"service": service, "value": promise}
        cells = []
        for column, (first, last) in enumerate(_spans(edges(promise))):
            n = counts[column]
            cells.append(scene.records(n, "running", **which, first=first, last=last))
            row: Datum = {"name": name, "part": labels[column], "n": n, "rank": -column}
            data.append(row)
        still = scene.records(stopped[service, promise], "paused", **which, first="", last="")
        hours = scene.say("{n} jam kerja", n=promised_hours(promise, scene.lang))
        rows.append([Cell(name), Cell(hours), *reversed(cells), still])
    late = sum(counts[0] for counts in found.values())
    said = scene.tell(
        scene.say("{n} berkas terbuka; {over} sudah lewat dari yang dijanjikan."),
        n=scene.opened(stopped.total() + sum(counts.total() for counts in found.values())),
        over=scene.records(late, "running", first="", last=_spans(edges("0"))[0][1]),
    )
    heads = [
        scene.say("Layanan"),
        scene.say("Janji"),
        *reversed(labels),
        scene.say("Jam berhenti"),
    ]
    data = [row for n in range(0, min(len(data), 4 * 15), 4) for row in reversed(data[n : n + 4])]
    chart = Chart("bars", data, scene.say("Berkas terbuka"), colours=AGES) if data else None
    note = scene.say(
        "Jam pada hari kerja sejak berkas sampai di kantor, dibanding janji layanan; jam yang sama "
        "dengan di daftar berkas. Selama berkas menunggu warga, lapangan, atau pusat data, jamnya "
        "berhenti."
    )
    title = scene.say("Umur berkas terhadap janji layanan")
    return Panel("ages", title, said, heads, rows, chart, note, 2)


_Edges = Callable[[str], list[str]]


def _edges(scene: Scene) -> _Edges:
    """Of a promise (working seconds): the moments before which is due what belongs to the first
    columns."""

    @cache
    def edges(promise: str) -> list[str]:
        parts = (-(-int(promise) * quarters // 4) for quarters in QUARTERS)
        return [moment_of(left_at(scene.calendar, scene.now, left)) for left in parts]

    return edges


def _running(scene: Scene, edges: _Edges) -> dict[tuple[str, str], Counter[int]]:
    """(service, promise) -> column -> n of the clocks that run. Counts are kept by the hour; in an
    hour with an edge each clock is looked at."""
    found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    hours: set[str] = set()
    for _, line in scene.standing(("running",), each_service=True, hours=True):
        cuts = edges(line.value)
        if line.period in {cut[:HOUR_LETTERS] for cut in cuts}:
            hours.add(line.period)
        else:
            found[line.service, line.value][bisect_right(cuts, line.period)] += line.n
    for hour in hours:
        for (service, promise, at), n in scene.door.due_within(hour, scene.within).items():
            cuts = edges(promise)
            if hour in {cut[:HOUR_LETTERS] for cut in cuts}:
                found[service, promise][bisect_right(cuts, at)] += n
    return found


def _spans(edges: Sequence[str]) -> list[tuple[str, str]]:
    """First and last moment of every column, the oldest first."""
    before = [(datetime.fromisoformat(one) - timedelta(seconds=1)).isoformat() for one in edges]
    return list(zip(["", *edges], [*before, ""], strict=True))


DAYS = (1, 7, 14)
"""Days of the office: where one column of the waits ends and the next begins."""


def waits(scene: Scene) -> Panel:
    """How long people wait for what is open: since they were served, and since it arrived. The one
    more than the other is the road, the other the office."""
    labels = [
        scene.say("Sampai {n} hari", n=DAYS[0]),
        *(scene.say("{a}–{b} hari", a=first + 1, b=last) for first, last in pairwise(DAYS)),
        scene.say("Lebih dari {n} hari", n=DAYS[-1]),
    ]
    names = {
        "served": scene.say("Sejak warga dilayani"),
        "open": scene.say("Sejak sampai di kantor"),
    }
    days: dict[str, Counter[str]] = {figure: Counter() for figure in names}
    unknown = 0
    for figure, line in scene.standing(tuple(names)):
        if line.value == UNKNOWN:
            unknown += line.n
        else:
            days[figure][line.period] += line.n
    rows, data, oldest = [], list[Datum](), []
    for figure, name in names.items():
        asked = {"first": "", "last": ""} | ({"value": ""} if figure == "served" else {})
        found = _by_age(scene, days[figure])
        cells = []
        for column, (first, last) in enumerate(_since(scene)):
            span = asked | {"first": first, "last": last}
            cells.append(scene.records(found[column], figure, **span))
            data.append({"name": name, "part": labels[column], "n": found[column], "rank": column})
        oldest.append(cells[-1])
        since = min(days[figure], default="")
        rows.append(
            [
                Cell(name),
                scene.records(found.total(), figure, **asked),
                *cells,
                Cell(words.day(date.fromisoformat(since)) if since else "–"),
                scene.records(unknown, figure, value=UNKNOWN, first="", last="")
                if figure == "served"
                else Cell("–"),
            ]
        )
    said = scene.tell(
        scene.say(
            "{served} warga menunggu lebih dari {days} hari sejak dilayani; {here} berkas sudah "
            "selama itu di kantor."
        ),
        served=oldest[0],
        here=oldest[1],
        days=DAYS[-1],
    )
    heads = [
        scene.say("Umur"),
        scene.say("Berkas"),
        *labels,
        scene.say("Tertua sejak"),
        scene.say("Waktu dilayani tidak diketahui"),
    ]
    chart = Chart("bars", data, scene.say("Berkas terbuka"), order=[*names.values()], colours=AGES)
    note = scene.say(
        "Semua berkas yang belum berakhir, menurut hari kalender. Selisih kedua umur adalah "
        "perjalanan dari lapangan. Waktu dilayani menurut jam laptop, dalam batas yang pasti."
    )
    title = scene.say("Berapa lama warga menunggu")
    if not unknown and not any(days.values()):
        return Panel("waits", title, said, heads, [], None, note)
    return Panel("waits", title, said, heads, rows, chart, note)


def _since(scene: Scene) -> list[tuple[str, str]]:
    """First and last day of every column of the waits, the youngest first."""
    edges = [(scene.today - timedelta(n)).isoformat() for n in DAYS]
    before = [(scene.today - timedelta(n + 1)).isoformat() for n in DAYS]
    return list(zip([*edges, ""], ["", *before], strict=True))


def _by_age(scene: Scene, days: Mapping[str, int]) -> Counter[int]:
    """Column -> n, of counts by day."""
    found: Counter[int] = Counter()
    for day, n in days.items():
        age = (scene.today - date.fromisoformat(day)).days
        found[bisect_left(DAYS, age)] += n
    return found


def flow(scene: Scene) -> Panel:
    """In, out, and what is left, week by week."""
    weeks = weeks_of(scene.first, min(scene.last, scene.today.isoformat()))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    first = weeks[0] if weeks else scene.first
    for figure, line in scene.door.tallies(
        ("arrived", "closed"), villages=scene.places, first=first, last=scene.today.isoformat()
    ):
        found[figure][monday(line.period)] += line.n
    left = sum(line.n for _, line in scene.standing(("open",)))
    after = {day: n for day, n in found["arrived"].items() if not weeks or day > weeks[-1]}
    gone = {day: n for day, n in found["closed"].items() if not weeks or day > weeks[-1]}
    backlog = left - sum(after.values()) + sum(gone.values())
    rows, data = [], list[Datum]()
    parts = (scene.say("Masuk"), scene.say("Selesai"), scene.say("Masih terbuka"))
    for day in reversed(weeks):
        end = (date.fromisoformat(day) + timedelta(6)).isoformat()
        came, went = found["arrived"][day], found["closed"][day]
        rows.append(
            [
                Cell(words.day(date.fromisoformat(day))),
                scene.records(came, "arrived", first=day, last=end),
                scene.records(went, "closed", first=day, last=end),
                scene.records(backlog, BACKLOG, first="", last=end),
            ]
        )
        for part, n in zip(parts, (came, went, backlog), strict=True):
            data.insert(0, {"day": day, "part": part, "n": n})
        backlog += went - came
    said = scene.tell(
        scene.say("{came} masuk, {went} selesai, {left} masih terbuka sekarang."),
        came=scene.records(scene.monthly["arrived"].total(), "arrived"),
        went=scene.records(scene.monthly["closed"].total(), "closed"),
        left=scene.opened(left),
    )
    data.sort(key=lambda row: (str(row["day"]), parts.index(str(row["part"]))))
    chart = Chart("lines", data, scene.say("Minggu mulai"), scene.say("Berkas")) if data else None
    heads = [scene.say("Minggu mulai"), *parts]
    return Panel("flow", scene.say("Aliran mingguan"), said, heads, rows[::-1], chart)


def stages(scene: Scene) -> Panel:
    """Where what is open stands now."""
    found: Counter[str] = Counter()
    oldest: dict[str, str] = {}
    for _, line in scene.standing(("open",)):
        found[line.value] += line.n
        oldest[line.value] = min(oldest.get(line.value, line.period), line.period)
    order = [s for s in lifecycle.Status if found[s]]
    rows = [
        [
            Cell(lifecycle.standing(s).office.words(scene.lang)),
            scene.records(found[s], "open", value=str(s), first="", last=""),
            Cell(words.day(date.fromisoformat(oldest[s]))),
        ]
        for s in order
    ]
    labels = [lifecycle.standing(s).office.words(scene.lang) for s in order]
    data: list[Datum] = [
        {"name": label, "part": "", "n": found[s], "rank": 0}
        for label, s in zip(labels, order, strict=True)
    ]
    said = scene.tell(scene.say("{n} berkas terbuka sekarang."), n=scene.opened(found.total()))
    heads = [scene.say("Tahap"), scene.say("Berkas"), scene.say("Tertua sejak")]
    chart = Chart("bars", data, scene.say("Berkas"), order=labels) if data else None
    return Panel("stages", scene.say("Tahap berkas terbuka"), said, heads, rows, chart)


def times(scene: Scene) -> Panel:
    """How long each part of the way takes."""
    names = {
        "road": scene.say("Dilayani sampai tiba di kantor"),
        "desk": scene.say("Tiba sampai terbit"),
        "handover": scene.say("Terbit sampai diserahkan"),
    }
    members = {"road": "road", "desk": "issued", "handover": "handed_over"}
    rows, data, parts = [], list[Datum](), []
    for leg in LEGS:
        bins = scene.monthly[leg]
        counted = scene.records(bins.total(), members[leg])
        half, most = quantile(bins, 0.5), quantile(bins, 0.9)
        rows.append([Cell(names[leg]), counted, scene.hours(half), scene.hours(most)])
        if half is not None and most is not None:
            days = (round(half / 24, 2), round(most / 24, 2))
            data.append({"name": names[leg], "median": days[0], "most": days[1]})
            parts.append(f"{names[leg]}: {scene.hours(half).words}")
    said = scene.tell(scene.say("Belum ada yang bisa dihitung."))
    if parts:
        said = scene.tell(scene.say("Separuh berkas paling lama: {parts}."), parts="; ".join(parts))
    heads = [
        scene.say("Bagian perjalanan"),
        scene.say("Berkas"),
        scene.say("Median"),
        scene.say("9 dari 10 paling lama"),
    ]
    chart = Chart("spans", data, scene.say("Hari"), order=list(names.values())) if data else None
    note = scene.say(
        "Waktu dilayani menurut jam laptop, dalam batas yang pasti. Jam penuh sampai tiga hari, "
        "selebihnya hari penuh. Jumlah warga dilayani yang waktunya tidak diketahui tidak ikut."
    )
    return Panel("times", scene.say("Waktu tempuh"), said, heads, rows, chart, note)


# -- quality


def returns(scene: Scene) -> Panel:
    """Why requests go back, the most frequent reason first."""
    found = scene.monthly["returned"]
    total, passed = found.total(), 0
    reasons = code_list("alasan_perbaikan")
    rows, data = [], list[Datum]()
    for code, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
        passed += n
        name = reasons.label(code, scene.lang)
        cells = [scene.records(n, "returned", value=code), Cell(scene.percent(n, total))]
        rows.append([Cell(name), *cells, Cell(scene.percent(passed, total))])
        data.append({"name": name, "n": n, "share": round(100 * passed / total, 1)})
    accepted = scene.monthly["accepted"]
    said = scene.tell(
        scene.say("{n} pengembalian. {right} dari berkas yang disetujui benar sejak pertama."),
        n=scene.records(total, "returned"),
        right=scene.percent(accepted[""], accepted.total()),
    )
    heads = [
        scene.say("Alasan"),
        scene.say("Berkas"),
        scene.say("Bagian"),
        scene.say("Bersama yang di atas"),
    ]
    more = scene.say("Bersama-sama, %")
    chart = Chart("pareto", data, y=scene.say("Berkas"), colour=more) if data else None
    return Panel("returns", scene.say("Pengembalian menurut alasan"), said, heads, rows, chart)


_CASES = {
    "dispute": "disputes",
    "escalated": "disputes",
    "duplicate": "duplicates",
    "identity": "duplicates",
}
"""Where cases of a kind are listed; of any other kind, among the incidents."""


def cases(scene: Scene) -> Panel:
    """Disputes, duplicates and incidents: opened, decided, waiting."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    oldest: dict[str, str] = {}
    for figure, line in scene.door.tallies(
        ("case_opened", "case_closed"), villages=scene.places, first=scene.first, last=scene.last
    ):
        found[line.value][figure] += line.n
    for figure, line in scene.standing(("case_open",)):
        found[line.value][figure] += line.n
        oldest[line.value] = min(oldest.get(line.value, line.period), line.period)
    links = {kind: f"/{_CASES.get(kind, 'incidents')}?kind={kind}" for kind in found}
    rows = [
        [
            scene.led(case_kind(kind, scene.lang), links[kind], Act.READ_CASE),
            *(
                scene.records(found[kind][figure], figure, value=kind)
                for figure in ("case_opened", "case_closed")
            ),
            scene.records(found[kind]["case_open"], "case_open", value=kind, first="", last=""),
            Cell(words.day(date.fromisoformat(oldest[kind])) if kind in oldest else "–"),
        ]
        for kind in sorted(found)
    ]
    data: list[Datum] = [
        {"name": case_kind(kind, scene.lang), "part": part, "n": found[kind][figure], "rank": rank}
        for kind in sorted(found)
        for rank, (figure, part) in enumerate(
            (("case_open", scene.say("Terbuka")), ("case_closed", scene.say("Diputus")))
        )
    ]
    waiting = sum(c["case_open"] for c in found.values())
    said = scene.tell(
        scene.say("{n} perkara menunggu putusan."),
        n=scene.records(waiting, "case_open", first="", last=""),
    )
    heads = [
        scene.say("Jenis perkara"),
        scene.say("Dibuka"),
        scene.say("Diputus"),
        scene.say("Terbuka sekarang"),
        scene.say("Tertua sejak"),
    ]
    chart = Chart("bars", data, scene.say("Perkara")) if data else None
    return Panel("cases", scene.say("Konflik dan ganda"), said, heads, rows, chart)


def uncollected(scene: Scene) -> Panel:
    """What is ready and was not fetched yet, by village."""
    found: Counter[str] = Counter()
    oldest: dict[str, str] = {}
    places = scene.within or [*scene.villages, ""]  # nobody's area has people of elsewhere
    for _, line in scene.standing(("uncollected",), places=places):
        found[line.village] += line.n
        oldest[line.village] = min(oldest.get(line.village, line.period), line.period)
    order = sorted(found, key=lambda v: (oldest[v], v))
    rows = [
        [
            Cell(name_of(v) if v else scene.say("Luar kota")),
            scene.records(found[v], "uncollected", place=v or ELSEWHERE, first="", last=""),
            Cell(words.day(date.fromisoformat(oldest[v]))),
            Cell(scene.n((scene.today - date.fromisoformat(oldest[v])).days)),
        ]
        for v in order
    ]  # fmt: skip
    data: list[Datum] = [
        {"name": name_of(v), "part": "", "n": found[v], "rank": 0} for v in order[:20]
    ]
    said = scene.tell(
        scene.say("{n} dokumen siap tetapi belum diambil."),
        n=scene.records(found.total(), "uncollected", first="", last=""),
    )
    heads = [
        scene.say("Desa atau kelurahan"),
        scene.say("Dokumen"),
        scene.say("Tertua sejak"),
        scene.say("Hari"),
    ]
    names = [str(row["name"]) for row in data]
    chart = Chart("bars", data, scene.say("Dokumen"), order=names) if data else None
    return Panel("uncollected", scene.say("Dokumen belum diambil"), said, heads, rows, chart)
