"""Dispatch: printed documents go to a place on a manifest and are counted there."""

from __future__ import annotations

from typing import Any

import segno
from litestar import Response

from models.pages.forms import Form
from models.problems import Problem
from server import papers
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import whole_of

LINES = 20
PRINTED_SHOWN = 200


@show("/manifests")
def listed(here: Here) -> Response[str]:
    """Manifests, newest first, and what lies printed."""
    state = here.asked("state")
    state = state if state in ("sent", "received") else ""
    before = whole_of(here.asked("before") or "0")
    stock, me = here.central.stock, here.me
    found = stock.manifests(me, state=state, before=before, limit=LINES)
    return here.page(
        "manifests.html",
        found=found,
        state=state,
        older=found[-1].number if len(found) == LINES else 0,
        piles=stock.pile(me, "printed"),
    )


@show("/manifests/new")
def new(here: Here) -> Response[str]:
    """Printed documents, of one village or all, to be put on a manifest."""
    return _new(here, here.asked("village"))


def _new(
    here: Here, village: str, problem: Problem | None = None, form: Form | None = None
) -> Response[str]:
    lines = here.central.stock.waiting(here.me, "printed", village=village, limit=PRINTED_SHOWN)
    return here.page(
        "manifest_new.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        chosen=set(form.all("request")) if form else {line.id for line in lines if village},
        village=village,
        lines=lines,
    )


@act("/manifests")
def send(here: Here, form: Form) -> Response[Any]:
    """They go."""
    try:
        sheet = here.central.stock.send(
            here.me, form.all("request"), form.get("place"), form.get("carrier")
        )
    except Problem as problem:
        return _new(here, form.get("village"), problem, form)
    number = sheet.manifest.number
    told = here.say("Manifes {n} dibuat. Cetak daftarnya untuk pembawa.", n=number)
    return here.go(f"/manifests/{number}", told)


@show("/manifests/{number:int}")
def manifest(here: Here, number: int) -> Response[str]:
    """One manifest."""
    return _draw(here, number)


def _draw(
    here: Here, number: int, problem: Problem | None = None, form: Form | None = None
) -> Response[str]:
    sheet = here.central.stock.show(here.me, number)
    return here.page(
        "manifest.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        missing=set(form.all("missing")) if form else set(),
        sheet=sheet,
        manifest=sheet.manifest,
        qr=segno.make(sheet.qr, error="m", micro=False).svg_data_uri(border=4),
        states={
            "sent": here.say("Di jalan"),
            "received": here.say("Diterima"),
            "missing": here.say("Tidak ada"),
        },
    )


@show("/manifests/{number:int}/paper")
def paper(here: Here, number: int) -> Response[bytes]:
    """The list for the carrier, A4."""
    sheet = here.central.stock.show(here.me, number)
    data = papers.manifest(sheet, here.central.settings.office_name, here.lang)
    return here.file(data, f"manifes-{number}.pdf")


@show("/manifests/{number:int}/csv")
def table(here: Here, number: int) -> Response[bytes]:
    """The list for a spreadsheet."""
    return here.file(here.central.stock.export(here.me, number), f"manifes-{number}.csv")


@act("/manifests/{number:int}/arrived")
def arrived(here: Here, number: int, form: Form) -> Response[Any]:
    """It was counted where it went."""
    receiver = form.get("receiver")
    try:
        if not receiver.strip():
            raise Problem("manifest.receiver")
        here.central.stock.arrived(here.me, number, form.all("missing"), receiver)
    except Problem as problem:
        return _draw(here, number, problem, form)
    return here.go(f"/manifests/{number}", here.say("Serah terima tercatat."))


HANDLERS = [listed, new, send, manifest, paper, table, arrived]
