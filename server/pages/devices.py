"""Devices: how the laptops are, invitations, and what is done when one is missing."""

from __future__ import annotations

import base64
import io
from datetime import date, datetime, time
from typing import Any

import msgspec
import segno
from litestar import Response

from models import regions
from models.audit import AuditEntry
from models.pages.forms import Form, whole
from models.people import DEVICE_MOVES, DEVICE_STATES, Act, DeviceMove, DeviceState, OfficeKind
from models.printing import document as doc
from models.problems import Problem
from models.words import WIT, moment, number, phone
from server import waits
from server.database.devices import Device
from server.enrolment import DAY_SECONDS
from server.fleet import ALARMS, Dossier, Late
from server.pages import shown
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.spreadsheets import xlsx_file

HOME = "/devices"
QR_BYTES_MAX = 1200
"""Of the invitation, as base64 in a code that a telephone still reads."""

Villages = list[tuple[str, list[tuple[str, str]]]]
"""Districts with their villages: (code, name)."""


@show("/devices")
def listing(here: Here) -> Response[str]:
    """Every laptop, those that need somebody first."""
    rows = here.central.fleet.overview(here.me)
    return here.page("devices/list.html", rows=rows, alarms=alarms(here), states=_states(here))


@show("/devices/{name:str}")
def device(here: Here, name: str) -> Response[str]:
    """One laptop, and what may be done to it."""
    return _draw(here, here.central.fleet.dossier(here.me, name))


def _draw(here: Here, found: Dossier, problem: Problem | None = None) -> Response[str]:
    state = DeviceState(found.seen.device.state)
    moves = [move for move in DEVICE_MOVES[state] if move != DeviceMove.ENROL]
    return here.page(
        "devices/device.html",
        status=200 if problem is None else problem.status,
        one=found,
        moves=[move for move in moves if here.may(ACTS[move])],
        alarms=alarms(here),
        states=_states(here),
        waiting=[waits.sentence(one, here.lang) for one in found.waits],
        trail=_trail(here, found.trail),
        problem=problem,
    )


def _trail(here: Here, entries: list[AuditEntry]) -> list[tuple[AuditEntry, str, str]]:
    """What was done to it, in words, with the reason; who only looked is in the audit trail."""
    words = {
        "device.invite": here.say("diundang"),
        "device.renew": here.say("undangan diperpanjang"),
        "device.enrol": here.say("terdaftar"),
        "device.scope": here.say("desa diubah"),
        "device.suspend": here.say("ditangguhkan"),
        "device.resume": here.say("aktif lagi"),
        "device.lose": here.say("dilaporkan hilang"),
        "device.retire": here.say("tidak dipakai lagi"),
        "device.retry": here.say("dinilai lagi"),
        "device.shred": here.say("diperintahkan mengunci diri"),
    }
    found = []
    for entry in entries:
        if entry.action in words:
            detail = msgspec.json.decode(entry.detail)
            reason = str(detail.get("reason", "")) if isinstance(detail, dict) else ""
            found.append((entry, words[entry.action], reason))
    return found


ACTS = {
    DeviceMove.SUSPEND: Act.SUSPEND_DEVICE,
    DeviceMove.RESUME: Act.SUSPEND_DEVICE,
    DeviceMove.LOSE: Act.LOSE_DEVICE,
    DeviceMove.RETIRE: Act.RETIRE_DEVICE,
}


# -- inviting


@show("/devices/new/invite")
def asked_to_invite(here: Here) -> Response[str]:
    """Name, office and villages of a new laptop."""
    _allowed(here, Act.INVITE_DEVICE)
    return _draw_invite(here, Form([]))


@act("/devices/new/invite")
def invite(here: Here, form: Form) -> Response[str]:
    """The invitation, shown once: its secret is kept nowhere."""
    try:
        made = here.central.devices.invite(
            here.me,
            form.get("name"),
            form.get("kind"),
            form.get("office"),
            form.all("village"),
            form.get("operator"),
        )
    except Problem as problem:
        if problem.code == "auth.forbidden":
            raise
        return _draw_invite(here, form, problem)
    text = base64.b64encode(made.file).decode()
    return here.page(
        "devices/invited.html",
        device=made.device,
        qr=_qr(text) if len(made.file) <= QR_BYTES_MAX else "",
        text=text,
        file=f"{made.device.name.replace(' ', '-')}.jbi",
    )


def _draw_invite(here: Here, form: Form, problem: Problem | None = None) -> Response[str]:
    return here.page(
        "devices/invite.html",
        status=200 if problem is None else problem.status,
        form=form,
        kinds=_kinds(here),
        villages=villages(),
        chosen=form.all("village"),
        problem=problem,
    )


@act("/devices/{name:str}/renew")
def renew(here: Here, form: Form, name: str) -> Response[Any]:
    """An invitation that ran out may be used once more."""
    del form
    device = here.central.devices.renew(here.me, _one(here, name).name)
    return here.go(_at(device), here.say("Undangan {name} berlaku lagi.", name=device.name))


# -- withdrawing


@act("/devices/{name:str}/suspend")
def suspend(here: Here, form: Form, name: str) -> Response[Any]:
    """What it still brings waits for a person."""
    one = _one(here, name)
    device = here.central.devices.suspend(here.me, one.name, form.get("reason"))
    return here.go(_at(device), here.say("{name} ditangguhkan.", name=device.name))


@act("/devices/{name:str}/resume")
def resume(here: Here, form: Form, name: str) -> Response[Any]:
    """It is trusted again."""
    one = _one(here, name)
    device = here.central.devices.resume(here.me, one.name, form.get("reason"))
    return here.go(_at(device), here.say("{name} aktif lagi.", name=device.name))


@act("/devices/{name:str}/retire")
def retire(here: Here, form: Form, name: str) -> Response[Any]:
    """It is out of service."""
    one = _one(here, name)
    device = here.central.devices.retire(here.me, one.name, form.get("reason"))
    return here.go(_at(device), here.say("{name} tidak dipakai lagi.", name=device.name))


@show("/devices/{name:str}/lost")
def ask_lost(here: Here, name: str) -> Response[str]:
    """What is known before somebody says that it is gone."""
    _allowed(here, Act.LOSE_DEVICE)
    return _draw_lost(here, here.central.fleet.dossier(here.me, name))


@act("/devices/{name:str}/lost")
def lost(here: Here, form: Form, name: str) -> Response[Any]:
    """It is out of our hands since an entry. The list of what did not come is read next."""
    one, upto = _one(here, name), form.get("from").strip()
    try:
        seq = None if not upto else _number(upto)
        device = here.central.devices.lose(here.me, one.name, form.get("reason"), seq)
    except Problem as problem:
        if problem.code not in ("reason.required", "device.checkpoint"):
            raise
        return _draw_lost(here, here.central.fleet.dossier(here.me, name), form, problem)
    return here.go(_at(device), here.say("{name} dilaporkan hilang.", name=device.name))


@act("/devices/{name:str}/shred")
def shred(here: Here, form: Form, name: str) -> Response[Any]:
    """Lost, it is to let nobody in any more but the office."""
    one = _one(here, name)
    device = here.central.devices.shred(here.me, one.name, form.get("reason"))
    return here.go(
        _at(device), here.say("{name} mengunci diri saat terhubung lagi.", name=device.name)
    )


def _number(text: str) -> int:
    number = whole(text)
    if number is None:
        raise Problem("device.checkpoint", seq=text[:20], stored="-")
    return number


def _draw_lost(
    here: Here, found: Dossier, form: Form | None = None, problem: Problem | None = None
) -> Response[str]:
    newest = found.seen.logs[-1] if found.seen.logs else None
    return here.page(
        "devices/lost.html",
        status=200 if problem is None else problem.status,
        one=found,
        stored=newest.seq if newest is not None else 0,
        arrivals=[a for a in found.arrivals if newest is not None and a.log == newest.id.hex()],
        waiting=[waits.sentence(w, here.lang) for w in found.waits],
        reason=form.get("reason") if form is not None else "",
        chosen=form.get("from") if form is not None else "",
        problem=problem,
    )


# -- its villages


@show("/devices/{name:str}/villages")
def asked_scope(here: Here, name: str) -> Response[str]:
    """Of which villages it sees the requests."""
    _allowed(here, Act.SCOPE_DEVICE)
    return _draw_scope(here, _one(here, name))


@act("/devices/{name:str}/villages")
def scope(here: Here, form: Form, name: str) -> Response[Any]:
    """Other villages from now on, or lent until a day."""
    one = _one(here, name)
    try:
        until = _end_of(form.get("until").strip())
        device = here.central.devices.scope(here.me, one.name, form.all("village"), until)
    except Problem as problem:
        if problem.code == "auth.forbidden":
            raise
        return _draw_scope(here, one, problem)
    words = here.say("Desa {name} tersimpan. Laptop mendengarnya saat sinkron berikutnya.",
                     name=device.name)  # fmt: skip
    return here.go(_at(device), words)


def _draw_scope(here: Here, one: Device, problem: Problem | None = None) -> Response[str]:
    return here.page(
        "devices/villages.html",
        status=200 if problem is None else problem.status,
        device=one,
        villages=villages(),
        chosen=one.villages,
        problem=problem,
    )


def _end_of(day: str) -> int | None:
    """The Unix second in which that day (YYYY-MM-DD, eastern Indonesia) ends; None for no day."""
    if not day:
        return None
    try:
        begin = datetime.combine(date.fromisoformat(day), time(), WIT)
    except ValueError:
        raise Problem("device.until") from None
    return int(begin.timestamp()) + DAY_SECONDS


# -- what it holds, and what did not come


@show("/devices/{name:str}/held")
def held(here: Here, name: str) -> Response[str]:
    """Whose data it holds."""
    page = here.central.fleet.held(here.me, name, here.asked("after"))
    return here.page("devices/held.html", page=page, after=here.asked("after"))


@show("/devices/{name:str}/held.xlsx")
def held_file(here: Here, name: str) -> Response[bytes]:
    """The same, all of it, for the notice of UU 27/2022 art. 46."""
    fleet, rows, after = here.central.fleet, [], ""
    while True:
        page = fleet.held(here.me, name, after)
        rows += page.rows
        after = page.next
        if not after:
            break
    heads = [here.say("Nomor bukti"), here.say("Nama")]
    heads += [here.say("Layanan"), here.say("Desa"), here.say("Diterima pusat")]
    cells = (
        (r.code, r.name, shown.service(r.service, here.lang), shown.village(r.village),
         shown.moment(r.created_at))
        for r in rows
    )  # fmt: skip
    data = xlsx_file([(page.device.name, heads, cells)])
    return here.file(data, f"data-di-{page.device.name.replace(' ', '-')}.xlsx")


@show("/devices/{name:str}/calls.pdf")
def calls(here: Here, name: str) -> Response[bytes]:
    """The list of people to be called, by village."""
    from models.printing import pdf  # half a second, and only to print

    found = here.central.fleet.dossier(here.me, name)
    made = call_list(here, found.seen.device, found.late)
    return here.file(pdf.pdf(made), f"telepon-{found.seen.device.name.replace(' ', '-')}.pdf",
                     inline=True)  # fmt: skip


def call_list(here: Here, device: Device, late: list[Late]) -> doc.Document:
    """As a paper; phone numbers whole, for somebody has to dial them."""
    title = here.say("DAFTAR TELEPON")
    heads = (
        here.say("Desa"),
        here.say("Nama"),
        here.say("Telepon"),
        here.say("Nomor bukti"),
        here.say("Belum datang"),
    )
    rows = tuple(
        (shown.village(one.village), one.name, phone(one.phone) or "–", one.code,
         here.say("{n} dokumen", n=number(one.files, here.lang)))
        for one in late
    )  # fmt: skip
    when = moment(datetime.fromtimestamp(here.central.clock(), WIT))
    words = here.say("Dokumen warga ini tidak sampai dari {name}. Telepon, minta membawa dokumen "
                     "lagi; pengurusan tetap GRATIS.", name=device.name)  # fmt: skip
    blocks: list[doc.Block] = [
        doc.Title(title, device.name),
        doc.Words(words),
        doc.Table(heads, rows, (3, 3, 2.4, 2.2, 1.8)),
    ]  # fmt: skip
    return doc.Document(title, tuple(blocks), f"{title} · {when} WIT", lang=here.lang)


# -- words


def alarms(here: Here) -> dict[str, str]:
    """What each alarm is called."""
    return {alarm: label.words(here.lang) for alarm, label in ALARMS.items()}


def _states(here: Here) -> dict[str, str]:
    return {str(state): label.words(here.lang) for state, label in DEVICE_STATES.items()}


def _kinds(here: Here) -> list[tuple[str, str]]:
    return [
        (OfficeKind.VAN, here.say("mobil keliling")),
        (OfficeKind.VILLAGE, here.say("kantor desa/kelurahan")),
        (OfficeKind.CENTRAL, here.say("kantor Dukcapil")),
    ]


def villages() -> Villages:
    """The 89 villages under their districts."""
    return [
        (one.name, [(v.code, v.name) for v in regions.villages_of(one.code)])
        for one in regions.districts()
    ]


def _one(here: Here, name: str) -> Device:
    return here.central.fleet.device(here.me, name)


def _at(device: Device) -> str:
    return f"{HOME}/{device.id.hex()}"


def _allowed(here: Here, act: Act) -> None:
    """A form is not shown to who may not send it; the room asks again."""
    if not here.may(act):
        raise Problem("auth.forbidden", act=act.value)


def _qr(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, error="l").save(drawn, kind="svg", xmldecl=False, svgns=True, border=4)
    return drawn.getvalue().decode()


HANDLERS = [
    listing, asked_to_invite, invite, device, renew, suspend, resume, retire, ask_lost, lost,
    shred, asked_scope, scope, held, held_file, calls,
]  # fmt: skip
