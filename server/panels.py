"""Panels of the dashboard about requests: what is counted, in words, as a table, and as a chart."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import date, timedelta

from models import lifecycle, regions, words
from models.clock import started_before
from models.codes import code_list
from server.auth import sees
from server.charts import AGES, Chart, Datum
from server.figures import LEGS, hour_of, quantile
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
    title_of,
    weeks_of,
)
from server.turns import promised

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
    figures = ("arrived", "issued", "handed_over")
    for figure, line in scene.counted(figures, places=scene.villages):
        code = line.village if by_village else line.village[:8]
        found[code][f"{figure}:{line.value}"] += line.n
        found[code][figure] += line.n
    people = {one.codes: one.total for one in reversed(regions.population())}
    rows, data = [], list[Datum]()
    for code, counts in found.items():
        told = [
            scene.records(counts[f"arrived:{c}"], "arrived", place=code, value=c) for c in CHANNELS
        ]
        rows.append(
            [
                Cell(names[code], place_link(scene.view, code)),
                scene.records(counts["arrived"], "arrived", place=code),
                *told,
                scene.records(counts["issued"], "issued", place=code),
                scene.records(counts["handed_over"], "handed_over", place=code),
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
    said = scene.say("{n} berkas masuk.", n=scene.n(total))
    if total:
        said += " " + scene.say(
            "Terbanyak dari {place}: {n}.", place=names[most], n=scene.n(found[most]["arrived"])
        )
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
    said = scene.say(
        "{n} dari {all} desa mengajukan berkas.", n=len(every) - len(none), all=len(every)
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


PARTS = (1.0, 0.75, 0.25)
"""Of the promised time: where one column of the ages ends and the next begins, the oldest first."""


def ages(scene: Scene) -> Panel:
    """How much of the promised time is used of what is open, by the one clock of the office
    (models.clock), to the hour."""
    every: Counter[str] = Counter()
    for _, line in scene.standing(("open",), each_service=True):
        every[line.service] += line.n
    promises = {service: promised(service, None) for service in every}
    cuts = {seconds: _cuts(scene, seconds) for seconds in promises.values()}
    found: dict[str, Counter[int]] = {service: Counter() for service in every}
    for _, line in scene.standing(("running",), each_service=True, hours=True):
        edges = [hour_of(at) for at in cuts[promises[line.service]]]
        found[line.service][bisect_right(edges, line.period)] += line.n
    labels = (scene.say("Lewat janji"), "75–100 %", "25–75 %", "< 25 %")
    rows, data = [], list[Datum]()
    for service in sorted(found, key=lambda s: (-found[s][0], -every[s], s)):
        counts, name, seconds = found[service], title_of(service, scene.lang), promises[service]
        cells = []
        for column, (first, last) in enumerate(_spans(cuts[seconds])):
            n = counts[column]
            cells.append(scene.records(n, "running", service=service, first=first, last=last))
            row: Datum = {"name": name, "part": labels[column], "n": n, "rank": -column}
            data.append(row)
        stopped = Cell(scene.n(every[service] - counts.total()))
        hours = seconds / 3600
        promise = scene.say("{n} jam kerja", n=scene.n(int(hours) if hours.is_integer() else hours))
        rows.append([Cell(name), Cell(promise), *reversed(cells), stopped])
    said = scene.say(
        "{n} berkas terbuka; {over} sudah lewat dari yang dijanjikan.",
        n=scene.n(every.total()),
        over=scene.n(sum(counts[0] for counts in found.values())),
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


def _cuts(scene: Scene, seconds: int) -> list[int]:
    """When what has used so much of its promise by now came, if its clock never stood still."""
    return [started_before(scene.calendar, scene.now, round(part * seconds)) for part in PARTS]


def _spans(cuts: list[int]) -> list[tuple[str, str]]:
    """First and last hour of every column, the oldest first."""
    firsts = ["", *(hour_of(at) for at in cuts)]
    lasts = [*(hour_of(at - 3600) for at in cuts), ""]
    return list(zip(firsts, lasts, strict=True))


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
                Cell(scene.n(backlog)),
            ]
        )
        for part, n in zip(parts, (came, went, backlog), strict=True):
            data.insert(0, {"day": day, "part": part, "n": n})
        backlog += went - came
    said = scene.say(
        "{came} masuk, {went} selesai, {left} masih terbuka sekarang.",
        came=scene.n(scene.monthly["arrived"].total()),
        went=scene.n(scene.monthly["closed"].total()),
        left=scene.n(left),
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
    said = scene.say("{n} berkas terbuka sekarang.", n=scene.n(found.total()))
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
    ends = {"road": "arrived", "desk": "issued", "handover": "handed_over"}
    rows, data, parts = [], list[Datum](), []
    for leg in LEGS:
        bins, members = scene.monthly[leg], scene.monthly[ends[leg]].total()
        n = bins.total()
        counted = scene.records(n, ends[leg]) if n == members else Cell(scene.n(n))
        half, most = quantile(bins, 0.5), quantile(bins, 0.9)
        rows.append([Cell(names[leg]), counted, scene.hours(half), scene.hours(most)])
        if half is not None and most is not None:
            days = (round(half / 24, 2), round(most / 24, 2))
            data.append({"name": names[leg], "median": days[0], "most": days[1]})
            parts.append(f"{names[leg]}: {scene.hours(half).words}")
    said = scene.say("Belum ada yang bisa dihitung.")
    if parts:
        said = scene.say("Separuh berkas paling lama: {parts}.", parts="; ".join(parts))
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
    said = scene.say(
        "{n} pengembalian. {right} dari berkas yang disetujui benar sejak pertama.",
        n=scene.n(total),
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
            Cell(case_kind(kind, scene.lang), links[kind]),
            *(Cell(scene.n(found[kind][figure])) for figure in ("case_opened", "case_closed")),
            # The lists are of everything that is somebody's, of no place by itself.
            Cell(scene.n(found[kind]["case_open"]), "" if scene.within else links[kind]),
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
    said = scene.say("{n} perkara menunggu putusan.", n=scene.n(waiting))
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
            scene.records(found[v], "uncollected", place=v, first="", last="") if v
            else Cell(scene.n(found[v])),
            Cell(words.day(date.fromisoformat(oldest[v]))),
            Cell(scene.n((scene.today - date.fromisoformat(oldest[v])).days)),
        ]
        for v in order
    ]  # fmt: skip
    data: list[Datum] = [
        {"name": name_of(v), "part": "", "n": found[v], "rank": 0} for v in order[:20]
    ]
    said = scene.say("{n} dokumen siap tetapi belum diambil.", n=scene.n(found.total()))
    heads = [
        scene.say("Desa atau kelurahan"),
        scene.say("Dokumen"),
        scene.say("Tertua sejak"),
        scene.say("Hari"),
    ]
    names = [str(row["name"]) for row in data]
    chart = Chart("bars", data, scene.say("Dokumen"), order=names) if data else None
    return Panel("uncollected", scene.say("Dokumen belum diambil"), said, heads, rows, chart)
