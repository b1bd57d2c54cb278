"""Settling: PINs, what a colleague left unfinished, the keys of each operator, the printers."""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import folder, shortcuts, shown
from field_client.pages.drawing import LOOK_COOKIE, OUTDOOR, Here
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from field_client.pages.unlock import twice
from field_client.printing import prints, slips
from field_client.printing.printers import printers
from field_client.printing.prints import Printing
from models.pages.forms import Form
from models.problems import Problem


@show("/settings")
def settings(here: Here) -> Response[str]:
    """What an operator may settle."""
    return _draw(here)


@act("/settings/pin")
def own_pin(here: Here, form: Form) -> Response[Any]:
    """One's own PIN, by the old one."""
    house = here.house
    try:
        house.keys.unlock(here.counter.operator, form.get("old"), here.desk.facts().at)
        house.keys.change_pin(house.unlocked, twice(form))
    except Problem as problem:
        return _draw(here, problem, "pin")
    return here.go("/settings", here.say("PIN Anda diganti."))


@act("/settings/colleague")
def colleague(here: Here, form: Form) -> Response[Any]:
    """A new PIN for somebody who forgot theirs. Their work and drafts stay theirs."""
    house, name = here.house, form.get("name")
    try:
        gone, made = house.keys.renew(house.unlocked, name, twice(form))
    except Problem as problem:
        return _draw(here, problem, "colleague")
    here.desk.announce(gone, made.name, b"")
    here.desk.announce(made.operator, made.name, made.public_key)
    told = here.say("PIN {name} diganti. Minta {name} menggantinya lagi sendiri.", name=made.name)
    return here.go("/settings", told)


@act("/settings/takeover")
def takeover(here: Here, form: Form) -> Response[Any]:
    """Go on with a colleague's form; the reason is kept."""
    name = form.get("draft")
    try:
        folder.take_over(here.desk, record_id(name), form.get("reason"))
    except Problem as problem:
        return _draw(here, problem, "takeover")
    return here.go(f"/drafts/{name}", here.say("Isian ini sekarang milik Anda."))


@act("/settings/keys")
def keys(here: Here, form: Form) -> Response[Any]:
    """Other keys, or none."""
    wanted = {key: form.get(key, key) for key in shortcuts.USUAL}
    if form.get("do") == "usual":
        wanted = {}
    if form.get("do") == "off":
        wanted = dict.fromkeys(shortcuts.USUAL, shortcuts.OFF)
    try:
        shortcuts.choose(here.store, here.counter.operator, wanted)
    except Problem as problem:
        return _draw(here, problem, "keys")
    return here.go("/settings", here.say("Tombol tersimpan."))


@act("/settings/look")
def look(here: Here, form: Form) -> Response[Any]:
    """Black on white and larger letters, for work in the sun; remembered by this browser."""
    answer = here.go("/settings", here.say("Tampilan diganti."))
    wanted = OUTDOOR if form.get("look") == OUTDOOR else ""
    answer.set_cookie(LOOK_COOKIE, wanted, httponly=True, samesite="strict", path="/")
    return answer


@act("/settings/printers")
def choose_printers(here: Here, form: Form) -> Response[Any]:
    """What this laptop prints on; `try` prints a page to see it. Problems print.*."""
    known, paper = printers(), form.get("receipt_paper")
    page, receipt = form.get("printer"), form.get("receipt_printer")
    chosen = Printing(
        page if page in known else "",
        receipt if receipt in known else "",
        paper if paper in prints.PAPERS else prints.PAPERS[0],
    )
    here.store.remember(chosen)
    told = here.say("Pilihan printer disimpan.")
    try:
        if form.get("do") == "try":
            done = prints.to_printer([slips.trial(here.lang)], chosen.printer)
            told = here.say("Halaman percobaan dikirim ke {to}. Utuh?", to=done.to)
        if form.get("do") == "try-receipt":
            made, to = [slips.trial(here.lang)], chosen.receipt_printer
            done = prints.to_printer(made, to, chosen.receipt_paper)
            told = here.say("Halaman percobaan dikirim ke {to}. Utuh?", to=done.to)
    except Problem as problem:
        return _draw(here, problem, "printers")
    return here.go("/settings", told)


def _draw(here: Here, problem: Problem | None = None, where: str = "") -> Response[str]:
    names = here.house.keys.names()
    left = folder.left_by_others(here.desk)
    return here.page(
        "settings.html",
        problem.status if problem is not None else 200,
        problem=problem,
        where=where,
        colleagues=[name for name in names if name != here.counter.operator],
        left=[(one, shown.title(one.service, None, here.lang)) for one in left],
        actions=actions(here),
        allowed=shortcuts.USUAL,
        mine=shortcuts.chosen(here.store, here.counter.operator),
        printers=printers(),
        papers=prints.PAPERS,
        usual=here.store.recall(Printing) or Printing(),
    )


def actions(here: Here) -> list[tuple[str, str]]:
    """Usual key -> what it does."""
    return [
        ("F1", here.say("Bantuan")),
        ("F2", here.say("Layani warga")),
        ("F3", here.say("Cari berkas")),
        ("F4", here.say("Panggil berikutnya")),
        ("F6", here.say("Pemberitahuan")),
        ("F7", here.say("Antre kirim")),
        ("F8", here.say("Kirim sekarang")),
        ("F9", here.say("Cetak")),
        ("F10", here.say("Ganti petugas")),
    ]


HANDLERS = [settings, own_pin, colleague, takeover, keys, look, choose_printers]
