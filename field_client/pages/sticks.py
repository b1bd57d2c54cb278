"""Sticks: work goes out by USB and answers come in, with what to read out over the telephone.

Writing takes its time, so it runs beside the desk (`stickwork.py`); the page asks again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Response

from field_client.bundles import Bundles
from field_client.drives import drives
from field_client.pages.drawing import Here
from field_client.pages.papers import pdf_page
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from field_client.printing import lists, prints
from field_client.stickwork import StickWork
from field_client.transports import usb
from field_client.vault.custody import Handled
from field_client.waits import sentence, waits
from models.pages.forms import Form
from models.problems import Problem
from models.words import number, size
from sync.bundle import label

LINES_SHOWN = 20


@show("/usb")
def choose(here: Here) -> Response[str]:
    """Which stick, what would go, what is on its way."""
    return _draw(here)


@act("/usb")
def begin(here: Here, form: Form) -> Response[Any]:
    """Start writing or reading. What runs is not started twice."""
    house, counter = here.house, here.counter
    folder = form.get("folder").strip() or form.get("drive")
    if not folder:
        return _draw(here, here.say("Pilih USB dulu."))
    if counter.stick is not None and counter.stick.running:
        return here.go("/usb/work")
    limit = None
    if form.get("fit") == "yes":
        try:
            limit = usb.room(Path(folder))
        except Problem as problem:
            return _draw(here, problem.words(here.lang))
    doing = "import" if form.get("do") == "import" else "export"
    work = StickWork(house, doing, Path(folder), limit)  # type: ignore[arg-type]
    counter.stick = work
    syncing = counter.syncing

    def after() -> None:
        if not syncing.paused and not counter.closing:
            syncing.start(house)

    work.start(syncing.stop, after)
    return here.go("/usb/work")


@show("/usb/work")
def work(here: Here) -> Response[Any]:
    """How far it is; once it ended, whether the stick may be pulled out."""
    going = here.counter.stick
    if going is None:
        return here.go("/usb")
    return here.page("stick.html", work=going, said=_said(here, going), doing=_phase(here, going))


@act("/usb/slip")
def slip(here: Here, form: Form) -> Response[bytes]:
    """The hand-over slip of a bundle, to be printed. Problem bundle.unknown."""
    name = form.get("bundle")
    found = [one for one in here.store.custody.newest() if label(one.bundle) == name]
    if not found:
        raise Problem("bundle.unknown", bundle=name[:20])
    made = prints.practised(here.desk, lists.hand_over(found[0], here.lang))
    return pdf_page(made.name, prints.drawn([made], "a4"))


@act("/sending/first")
def first(here: Here, form: Form) -> Response[Any]:
    """What belongs to this request goes before all others of its kind."""
    page = here.desk.open(record_id(form.get("record")))
    moved = here.store.attached.put_first(page.record)
    if moved:
        told = here.say("{n} lampiran {code} dikirim lebih dulu.", n=moved, code=page.code)
    else:
        told = here.say("Data {code} sudah di depan: lampirannya tidak ada yang menunggu.",
                        code=page.code)  # fmt: skip
    return here.go("/sending", told)


def _draw(here: Here, wrong: str = "") -> Response[str]:
    house = here.house
    bundles = Bundles(here.desk, house.place)
    away = bundles.on_the_way()
    return here.page(
        "usb.html",
        422 if wrong else 200,
        wrong=wrong,
        drives=[(str(path), _room(here, path)) for path in drives()],
        standing=here.store.standing(),
        files=here.store.attached.left(),
        away=[_line(here, one) for one in away],
        lines=[_line(here, one) for one in bundles.history()[:LINES_SHOWN]],
        waits=[sentence(one, here.lang) for one in waits(here.store, bundles, house.place.folder)],
        running=here.counter.stick is not None and here.counter.stick.running,
    )


def _room(here: Here, path: Path) -> str:
    try:
        return here.say("sisa {size}", size=size(usb.room(path), here.lang))
    except Problem as problem:
        return problem.words(here.lang)


def _line(here: Here, one: Handled) -> dict[str, Any]:
    """A step of the custody log in words."""
    acts = {
        "exported": here.say("dibuat untuk Dukcapil"),
        "returned": here.say("balasan dibaca"),
        "carried": here.say("dititipkan ke sini"),
        "handed": here.say("diserahkan"),
        "relayed": here.say("disampaikan lewat jaringan"),
    }
    return {
        "at": one.at,
        "bundle": label(one.bundle),
        "act": acts.get(one.act, one.act),
        "operator": one.operator,
        "words": one.slip.words,
        "entries": number(one.slip.entries, here.lang),
        "size": size(one.slip.size, here.lang),
    }


def _phase(here: Here, going: StickWork) -> str:
    return {
        "wait": here.say("Menyiapkan… jangan cabut USB"),
        "write": here.say("Menulis… jangan cabut USB"),
        "verify": here.say("Memeriksa… jangan cabut USB"),
        "read": here.say("Membaca…"),
    }[going.step.phase]


def _said(here: Here, going: StickWork) -> list[str]:
    """What came of an import, a sentence each."""
    found: list[str] = []
    for one in going.taken:
        facts: dict[str, Any] = {"bundle": one.bundle, "number": one.number}
        match one.state:
            case "fresh":
                found.append(
                    here.say("Paket {bundle} (nomor {number}) dibaca: {n} putusan baru."
                             " USB boleh dicabut.", n=number(one.decisions, here.lang), **facts)
                )  # fmt: skip
            case "known":
                found.append(here.say("Paket {bundle} (nomor {number}) sudah pernah dibaca;"
                                      " tidak ada yang diubah.", **facts))  # fmt: skip
            case "gap" | "parted":
                found.append(Problem(f"bundle.{one.state}", **facts).words(here.lang))
            case _:
                volumes = ", ".join(map(str, one.missing))
                missing = Problem("bundle.missing", bundle=one.bundle, volumes=volumes, n=one.n)
                found.append(missing.words(here.lang))
        if one.notices:
            found.append(here.say("{n} pemberitahuan baru dari pusat.", n=one.notices))
    found += [bad.problem.words(here.lang) for bad in going.refused]
    if going.doing == "import" and not found and not going.running and going.problem is None:
        found.append(here.say("Tidak ada paket balasan untuk laptop ini."))
    return found


HANDLERS = [choose, begin, work, slip, first]
