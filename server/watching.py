"""Panels of the dashboard about the service itself: laptops, visits, signals, evidence.

The evidence board answers what Stranas PK, MCP and SPBE ask of a city's civil registration. Which
indicator is asked in which words changes by year; each therefore carries the definition by which
it is counted here, and how many records stand behind it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from urllib.parse import urlencode

import msgspec

from models import regions, words
from models.people import Act, Label
from models.services import catalogue
from server.charts import Chart, Datum
from server.database.registry import Call, Device
from server.database.reports import Chosen
from server.enrolment import sees_device
from server.figures import KEPT
from server.fleet import DISK_BYTES_LOW, SILENT_DAYS, SKEW_SECONDS
from server.reports import TARGETS, villages_within
from server.scene import (
    ASSISTED,
    DAY,
    SERVED,
    SIGNAL_LEAST,
    WEEKS,
    Cell,
    Panel,
    Scene,
    monday,
    name_of,
    place_link,
)
from server.voyages import Plan
from sync.messages import Branch

SIGNALS_MAX, BEHIND_MAX = 50, 5000
"""Signals that are looked into, and requests behind one."""
ACTIVE_DAYS = 30
"""An outlet counts as active when it took something in within so many days."""


# -- laptops


def laptops(scene: Scene) -> Panel:
    """When each laptop was last heard, and how it was then."""
    newest: dict[bytes, Call] = {}
    for call in scene.door.calls():
        newest.setdefault(call.device, call)
    devices = [
        one
        for one in scene.door.devices()
        if one.state in ("active", "suspended", "lost") and sees_device(scene.me, one.villages)
    ]
    devices.sort(key=lambda one: newest[one.id].at if one.id in newest else 0)
    upto = scene.door.standing().server_seq
    rows, silent = [], 0
    for device in devices:
        heard = newest.get(device.id)
        quiet = heard is None or scene.now - heard.at > SILENT_DAYS * DAY
        silent += quiet and device.state == "active"
        rows.append(_laptop(scene, device, heard, quiet, upto))
    said = scene.tell(
        scene.say("{n} laptop; {silent} belum terdengar lebih dari {days} hari."),
        n=scene.led(scene.n(len(devices)), "/devices", Act.LIST_DEVICES),
        silent=silent,
        days=SILENT_DAYS,
    )
    heads = [
        scene.say("Laptop"),
        scene.say("Terdengar"),
        scene.say("Belum terkirim"),
        scene.say("Tertua sejak"),
        scene.say("Berkas foto menunggu"),
        scene.say("Selisih jam"),
        scene.say("Putusan belum dibaca"),
        scene.say("Ruang"),
        scene.say("Versi"),
    ]
    data: list[Datum] = [
        {
            "name": device.name,
            "part": scene.say("Hari sejak terdengar"),
            "n": (scene.now - newest[device.id].at) // DAY,
            "rank": 0,
        }
        for device in devices[:30]
        if device.id in newest
    ]
    order = [str(row["name"]) for row in data]
    chart = Chart("bars", data, scene.say("Hari sejak terdengar"), order=order) if data else None
    return Panel("laptops", scene.say("Kesehatan sinkron"), said, heads, rows, chart)


def _laptop(scene: Scene, device: Device, call: Call | None, quiet: bool, upto: int) -> list[Cell]:
    link = f"/devices/{device.id.hex()}"
    name = scene.led(device.name, link, Act.LIST_DEVICES)
    if call is None:
        return [name, Cell(scene.say("belum pernah")), *([Cell("–")] * 7)]
    heard = words.say_n("{n} hari", (scene.now - call.at) // DAY, scene.lang)
    if not quiet:
        heard = words.moment_at(call.at)
    skew = abs(call.clock - call.at)
    health = call.health
    said, disk = ["–"] * 3, "–"
    if health is not None:
        oldest = words.moment_at(health.oldest) if health.oldest else "–"
        files = f"{scene.n(health.files)} ({words.size(health.file_bytes, scene.lang)})"
        said = [scene.n(health.unsent), oldest, files]
        low = " !" if health.disk < DISK_BYTES_LOW else ""
        disk = words.size(health.disk, scene.lang) + low
    told = words.say_n("{n} menit", skew // 60, scene.lang)
    told = f"{told} !" if skew > SKEW_SECONDS else told
    unread = scene.n(unread_of(scene.door.lineage(), call.cursor, upto))
    cells = [heard, *said, told, unread, disk, call.build or "–"]
    return [name, *(scene.led(one, link, Act.LIST_DEVICES) for one in cells)]


def unread_of(lineage: Sequence[Branch], cursor: int, upto: int) -> int:
    """How many decisions up to number `upto` a laptop has not read that stands at `cursor`: without
    the numbers that restores passed over."""
    passed = (one.base - max(one.number, cursor) for one in lineage)
    return max(0, upto - cursor - sum(n for n in passed if n > 0))


# -- visits


def coverage(scene: Scene) -> Panel:
    """Where people were served, week by week, and how long ago a van was there."""
    start = date.fromisoformat(monday(scene.today.isoformat())) - timedelta(7 * (WEEKS - 1))
    weeks = [(start + timedelta(7 * n)).isoformat() for n in range(WEEKS)]
    served: dict[str, Counter[str]] = defaultdict(Counter)
    for _, line in scene.door.tallies(
        ("captured",), villages=scene.villages, first=f"{weeks[0]}w", last=f"{weeks[-1]}w"
    ):
        served[line.village][line.period[:-1]] += line.n
    last = scene.door.last_days("captured", "van", scene.villages)
    planned = _planned(scene)
    islands = _islands()
    order = sorted(scene.villages, key=lambda v: (last.get(v, ""), v))
    rows = []
    for village in order:
        day = date.fromisoformat(last[village]) if village in last else None
        name = f"{name_of(village)} ({scene.say('pulau')})" if village in islands else (
            name_of(village)
        )  # fmt: skip
        gone = scene.n((scene.today - day).days) if day is not None else "–"
        coming = words.day(date.fromisoformat(planned[village])) if village in planned else "–"
        rows.append(
            [
                Cell(name, place_link(scene.view, village)),
                Cell(words.day(day) if day is not None else scene.say("belum pernah")),
                Cell(gone),
                Cell(coming),
                scene.records(
                    served[village].total(),
                    "captured",
                    place=village,
                    first=weeks[0],
                    last=scene.today.isoformat(),
                ),
            ]
        )
    data: list[Datum] = [
        {"name": name_of(v), "day": week, "n": served[v][week]}
        for v in sorted(scene.villages)
        for week in weeks
    ]
    recent = _recent(scene)
    late = [v for v in scene.villages if last.get(v, "") < recent]
    said = scene.tell(
        scene.say(
            "{n} dari {all} desa belum didatangi mobil keliling dalam {days} hari; {next} di "
            "antaranya sudah dijadwalkan."
        ),
        n=len(late),
        all=len(scene.villages),
        days=ACTIVE_DAYS,
        next=len(planned.keys() & late),
    )
    heads = [
        scene.say("Desa atau kelurahan"),
        scene.say("Terakhir didatangi"),
        scene.say("Hari sejak itu"),
        scene.say("Rencana berikutnya"),
        scene.say("Warga dilayani, {n} minggu", n=WEEKS),
    ]
    names = [name_of(v) for v in sorted(scene.villages)]
    colour = scene.say("Warga dilayani")
    chart = Chart("strip", data, scene.say("Minggu mulai"), "", colour, names)
    note = scene.say(
        "Dihitung dari hari warga dilayani oleh mobil keliling, menurut desa tempat tinggalnya."
    )
    return Panel("coverage", scene.say("Cakupan kunjungan"), said, heads, rows, chart, note)


def targets(scene: Scene) -> Panel:
    """How many of those whom villages' lists want recorded have asked since, list by list."""
    lists = scene.door.target_lists(scene.within or None)
    lists.sort(key=lambda one: (one.asked - one.wanted, one.village))
    rows = []
    for one in lists:
        asked = {"place": one.village, "value": one.digest.hex(), "first": "", "last": ""}
        people = [Cell(scene.n(n)) for n in (one.wanted, one.unnamed)]
        people += [scene.records(one.asked, TARGETS, **asked)]
        people += [Cell(scene.percent(one.asked, one.wanted))]
        broken = [Cell(scene.say("tidak terbaca")), *([Cell("–")] * 3)]
        listed = Cell(words.day(date.fromisoformat(one.listed)))
        name = Cell(name_of(one.village), place_link(scene.view, one.village))
        rows.append([name, listed, *(people if one.wanted >= 0 else broken)])
    read = [one for one in lists if one.wanted >= 0]
    said = scene.tell(
        scene.say(
            "{asked} dari {n} orang yang belum perekaman sudah mengajukan, menurut daftar dari "
            "{lists} desa."
        ),
        asked=scene.n(sum(one.asked for one in read)),
        n=scene.n(sum(one.wanted for one in read)),
        lists=scene.n(len({one.village for one in read})),
    )
    heads = [
        scene.say("Desa atau kelurahan"),
        scene.say("Daftar per"),
        scene.say("Belum perekaman"),
        scene.say("Tanpa NIK"),
        scene.say("Sudah mengajukan"),
        scene.say("Bagian"),
    ]
    parts = (scene.say("Sudah mengajukan"), scene.say("Belum"))
    data: list[Datum] = [
        {"name": name_of(one.village), "part": part, "n": n, "rank": rank}
        for one in read[:20]
        for rank, (part, n) in enumerate(
            zip(parts, (one.asked, one.wanted - one.asked), strict=True)
        )
    ]
    order = list(dict.fromkeys(str(row["name"]) for row in data))
    chart = Chart("bars", data, scene.say("Orang"), order=order) if data else None
    note = scene.say(
        "Menurut daftar penduduk yang disimpan pusat untuk laptop desa: yang wajib KTP-el dan "
        "belum perekaman, dan permohonan KTP-el mereka sejak hari daftar itu. Dihitung sekali "
        "sehari. Yang tanpa NIK tidak bisa dicocokkan; daftar yang hanya ada di laptop tidak "
        "terhitung."
    )
    title = scene.say("Cakupan daftar sasaran")
    return Panel("targets", title, said, heads, rows, chart, note, 2)


def _planned(scene: Scene) -> dict[str, str]:
    """Village -> the first day (ISO) from today on that a van is planned to be there."""
    today, found = scene.today.isoformat(), dict[str, str]()
    for voyage in scene.door.voyages(today, "9999-12-31"):
        if voyage.state != "planned":
            continue
        for stop in msgspec.msgpack.decode(voyage.data, type=Plan).stops:
            if stop.day >= today:
                found[stop.village] = min(stop.day, found.get(stop.village, stop.day))
    return found


def _islands() -> frozenset[str]:
    """Villages on small islands: those of Maitara and Mare."""
    return frozenset(v.code for v in regions.villages() if v.name.startswith(("Maitara", "Mare ")))


# -- signals, for supervisors only


def signals(scene: Scene) -> Panel:
    """Who or what stands on unusually many requests of a month. A hint to look, never a verdict."""
    kinds = {
        "phone": scene.say("Nomor HP yang sama"),
        "bringer": scene.say("Pembawa yang sama (kuasa)"),
    }
    found = sorted(
        scene.door.tallies(
            tuple(kinds),
            first=scene.first_month,
            last=scene.last_month,
            least=SIGNAL_LEAST,
        ),
        key=lambda pair: (-pair[1].n, pair[1].period, pair[1].value),
    )
    rows = []
    for figure, line in found[:SIGNALS_MAX]:
        end = (date.fromisoformat(f"{line.period}-01") + timedelta(31)).replace(day=1)
        last = (end - timedelta(1)).isoformat()
        first = f"{line.period}-01"
        n, families = _behind(scene, figure, line.value, first, last)
        if n < SIGNAL_LEAST or families < 2:  # one household asks for all its members
            continue
        asked = {"value": line.value, "place": "", "first": first, "last": last}
        number = scene.records(n, figure, **asked)
        rows.append(
            [
                Cell(kinds[figure]),
                Cell(words.month(line.period, scene.lang)),
                number,
                Cell(scene.n(families), number.link),
            ]
        )
    said = scene.tell(scene.say("{n} tanda perlu ditinjau."), n=len(rows))
    heads = [
        scene.say("Tanda"),
        scene.say("Bulan"),
        scene.say("Berkas"),
        scene.say("Keluarga berbeda"),
    ]
    note = scene.say(
        "Paling sedikit {n} berkas sebulan dari dua keluarga atau lebih. Perlu ditinjau, bukan "
        "bukti: perangkat desa dan kader yang membantu tetangganya juga tampak di sini.",
        n=SIGNAL_LEAST,
    )
    title = scene.say("Sinyal calo (hanya penyelia)")
    return Panel("signals", title, said, heads, rows, None, note, 2)


def _behind(scene: Scene, figure: str, value: str, first: str, last: str) -> tuple[int, int]:
    """How many requests somebody is shown behind a signal, of how many family cards; one without a
    card counts as one."""
    mine = villages_within(scene.me, "")
    chosen = Chosen(figure, mine, value=value, first=first, last=last)
    rows = scene.door.members(chosen, limit=BEHIND_MAX)
    journeys = scene.door.journeys([record for record, _, _ in rows])
    return len(rows), len({one.family or one.id.hex() for one in journeys.values()})


# -- evidence


class Indicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the board. asks: who asks for it. counts: what stands above and below the
    line."""

    key: str
    asks: tuple[str, ...]
    title: Label
    counts: Label


class _Indicators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    indicator: tuple[Indicator, ...]


@cache
def indicators() -> tuple[Indicator, ...]:
    """The board, in its order."""
    text = resources.files("server").joinpath("evidence.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Indicators).indicator


_BEHIND: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "assisted": ({"figure": "arrived", "value": "van,village"}, {"figure": "arrived"}),
    "kept": ({"figure": "issued", "value": KEPT}, {"figure": "issued"}),
    "finished": ({"figure": "closed", "value": "handed_over,completed"}, {"figure": "closed"}),
    "first_right": ({"figure": "accepted", "value": ""}, {"figure": "accepted"}),
    "cases": ({"figure": "case_closed"}, {"figure": "case_opened"}),
}
"""Which requests or cases stand behind the two numbers of an indicator, where it counts them."""
_ABOUT = {
    "outlets": "#coverage",
    "standards": "/services",
    "requirements": "/services",
}
"""Where the others are seen one by one."""


def evidence(scene: Scene) -> Panel:
    """What the city is asked for, each with its definition and the records behind it."""
    rows, met = [], 0
    parts = _parts(scene)
    for one in indicators():
        part, whole = parts[one.key]
        counted, of = _BEHIND.get(one.key, (None, None))
        rows.append(
            [
                Cell(one.title.words(scene.lang), _ABOUT.get(one.key, "")),
                Cell(", ".join(one.asks)),
                scene.records(part, **counted) if counted else _seen(scene, one.key, part),
                scene.records(whole, **of) if of else _seen(scene, one.key, whole),
                Cell(scene.percent(part, whole)),
                Cell(one.counts.words(scene.lang)),
            ]
        )
        met += bool(whole)
    said = scene.tell(scene.say("{n} dari {all} indikator dapat dihitung."), n=met, all=len(rows))
    heads = [
        scene.say("Indikator"),
        scene.say("Diminta oleh"),
        scene.say("Pembilang"),
        scene.say("Penyebut"),
        scene.say("Nilai"),
        scene.say("Yang dihitung"),
    ]
    note = scene.say(
        "Definisi ini milik kita; cocokkan dengan lembar indikator tahun ini bersama Inspektorat "
        "dan Diskominfo sebelum dikirim."
    )
    title = scene.say("Bukti dukung Stranas PK, MCP, SPBE")
    return Panel("evidence", title, said, heads, rows, None, note, 2, 5)


def _seen(scene: Scene, key: str, n: int) -> Cell:
    """A number of an indicator that counts no requests, leading to what it counts."""
    if key == "outlets":
        return Cell(scene.n(n), _outlets(scene))
    return scene.led(scene.n(n), _ABOUT[key], Act.LIST_DEVICES)


def _outlets(scene: Scene) -> str:
    """Where villages are listed by who was served there lately."""
    days = {"first": _recent(scene), "last": scene.today.isoformat()}
    place = {"place": scene.view.place} if scene.view.place else {}
    return f"{SERVED}?{urlencode(place | days)}"


def _recent(scene: Scene) -> str:
    """The day from which on an outlet counts as active."""
    return (scene.today - timedelta(ACTIVE_DAYS)).isoformat()


def _parts(scene: Scene) -> dict[str, tuple[int, int]]:
    """key -> (part, whole) of every indicator."""
    month = scene.monthly
    arrived = month["arrived"]
    today = scene.today.isoformat()
    active = {
        line.village
        for _, line in scene.door.tallies(
            ("captured",), villages=scene.villages, first=_recent(scene), last=today
        )
        if line.value in ASSISTED
    }
    services = catalogue().services()
    issued = month["issued"]
    closed = month["closed"]
    done = closed["handed_over"] + closed["completed"]
    accepted = month["accepted"]
    cases: Counter[str] = Counter()
    for figure, line in scene.door.tallies(
        ("case_opened", "case_closed"), villages=scene.places, first=scene.first, last=scene.last
    ):
        cases[figure] += line.n
    return {
        "assisted": (arrived["van"] + arrived["village"], arrived.total()),
        "outlets": (len(active & {*scene.villages}), len(scene.villages)),
        "standards": (sum(one.standard is not None for one in services), len(services)),
        "requirements": (sum(bool(one.documents) for one in services), len(services)),
        "kept": (issued[KEPT], issued.total()),
        "finished": (done, closed.total()),
        "first_right": (accepted[""], accepted.total()),
        "cases": (cases["case_closed"], cases["case_opened"]),
    }
