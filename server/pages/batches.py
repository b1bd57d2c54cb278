"""SIAK batches: what is ready, freezing, typing row by row, and closing by a second person."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.pages.forms import Form
from models.people import Act
from models.problems import Problem
from models.services import catalogue
from server.batches import AT_ONCE_MAX, CHANGED, ROWS_MAX, Frozen
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import whole_of

LINES = 100
LISTED = 20
STATES = ("frozen", "proposed", "closed")


def states(here: Here) -> dict[str, str]:
    """How a batch stands, in words."""
    return {
        "frozen": here.say("Sedang diketik"),
        "proposed": here.say("Menunggu orang kedua"),
        "closed": here.say("Ditutup"),
    }


def row_states(here: Here) -> dict[str, str]:
    """How a row stands, in words."""
    return {
        "waiting": here.say("Belum diketik"),
        "entered": here.say("Sudah di SIAK"),
        "failed": here.say("Gagal"),
    }


@show("/batches")
def listed(here: Here) -> Response[str]:
    """What is ready for SIAK, and the batches there are."""
    return _list(here)


def _list(here: Here, problem: Problem | None = None, form: Form | None = None) -> Response[str]:
    state = here.asked("state")
    state = state if state in STATES else ""
    service, after = here.asked("service"), here.asked("after")
    before = whole_of(here.asked("before") or "0")
    rooms, me = here.central.batches, here.me
    ready = (
        rooms.eligible(me, service=service, after=after, limit=LINES) if here.may(Act.BATCH) else []
    )
    batches = rooms.batches(me, state=state, before=before, limit=LISTED)
    return here.page(
        "batches.html",
        status=problem.status if problem else 200,
        problem=problem,
        chosen=set(form.all("request")) if form else set(),
        ready=ready,
        service=service,
        after=after,
        services=sorted({line.service for line in ready} | ({service} if service else set())),
        more=ready[-1].id if len(ready) == LINES else "",
        batches=batches,
        state=state,
        older=batches[-1].number if len(batches) == LISTED else 0,
        states=states(here),
        row_states=row_states(here),
        rows_max=ROWS_MAX,
        at_once_max=AT_ONCE_MAX,
    )


@act("/batches/freeze")
def freeze(here: Here, form: Form) -> Response[Any]:
    """The picked requests become a batch as they stand."""
    try:
        sheet = here.central.batches.freeze(here.me, form.all("request"))
    except Problem as problem:
        return _list(here, problem, form)
    n = len(sheet.rows)
    return here.go(f"/batches/{sheet.batch.number}", here.say("{n} berkas dibekukan.", n=n))


@act("/batches/oldest")
def oldest(here: Here, form: Form) -> Response[Any]:
    """What waited longest becomes as many batches as it takes."""
    try:
        made = here.central.batches.freeze_oldest(
            here.me, whole_of(form.get("n")), service=form.get("service")
        )
    except Problem as problem:
        return _list(here, problem)
    if len(made) == 1:
        return here.go(f"/batches/{made[0]}", here.say("Batch dibuat."))
    numbers = ", ".join(map(str, made))
    return here.go("/batches", here.say("Batch {numbers} dibuat.", numbers=numbers))


@show("/batches/{number:int}")
def batch(here: Here, number: int) -> Response[str]:
    """One batch."""
    return _draw(here, number)


def _draw(here: Here, number: int, problem: Problem | None = None) -> Response[str]:
    sheet = here.central.batches.show(here.me, number)
    waiting = [row.n for row in sheet.rows if row.state == "waiting"]
    return here.page(
        "batch.html",
        status=problem.status if problem else 200,
        problem=problem,
        batch=sheet.batch,
        rows=sheet.rows,
        first=waiting[0] if waiting else 0,
        changed=CHANGED,
        states=states(here),
        row_states=row_states(here),
    )


@show("/batches/{number:int}/export/{kind:str}")
def export(here: Here, number: int, kind: str) -> Response[bytes]:
    """The batch for a spreadsheet."""
    data = here.central.batches.export(here.me, number, kind)
    return here.file(data, f"batch-{number}.{kind}")


@act("/batches/{number:int}/propose")
def propose(here: Here, number: int, form: Form) -> Response[Any]:
    """Everything is typed."""
    del form  # asked for because it shows that the post comes from our own page
    try:
        here.central.batches.propose(here.me, number)
    except Problem as problem:
        return _draw(here, number, problem)
    return here.go(f"/batches/{number}", here.say("Menunggu orang kedua untuk menutup batch ini."))


@act("/batches/{number:int}/close")
def close(here: Here, number: int, form: Form) -> Response[Any]:
    """The second person closes it, or gives it back."""
    agree = form.get("agree") == "yes"
    try:
        here.central.batches.close(here.me, number, agree=agree)
    except Problem as problem:
        return _draw(here, number, problem)
    closed = here.say("Batch ditutup. Yang gagal kembali ke daftar siap batch.")
    back = here.say("Batch dikembalikan untuk diketik lagi.")
    return here.go(f"/batches/{number}", closed if agree else back)


@show("/batches/{number:int}/rows/{n:int}")
def row(here: Here, number: int, n: int) -> Response[str]:
    """One request, a field a line, each to be copied."""
    return _row(here, number, n)


def _row(
    here: Here, number: int, n: int, problem: Problem | None = None, form: Form | None = None
) -> Response[str]:
    line, found, following = here.central.batches.row(here.me, number, n)
    return here.page(
        "batch_row.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        batch=line,
        row=found,
        changed=CHANGED,
        cells=_cells(here, found.frozen),
        following=following,
        total=sum(line.rows.values()),
        row_states=row_states(here),
    )


def _cells(here: Here, one: Frozen) -> list[tuple[str, str]]:
    """(question, answer) to be typed, the two numbers first, each number once; what the form only
    repeats of another place too."""
    found = [(here.say("NIK"), one.nik), (here.say("No. KK"), one.kk)]
    numbers = {value for _, value in found}
    for key, label, value in one.cells:
        told = value in (v for _, v in found) and _repeats(one.service, key)
        if value not in numbers and not told:
            found.append((label, value))
    return [(label, value) for label, value in found if value]


def _repeats(service: str, key: str) -> bool:
    """Does the form of today take this answer from another place?"""
    try:
        slot = catalogue().service(service).plan.slot(key)
    except Problem:
        return False
    return slot is not None and bool(slot[0].field.alias)


@act("/batches/{number:int}/rows/{n:int}")
def mark(here: Here, number: int, n: int, form: Form) -> Response[Any]:
    """What SIAK answered; then the next row."""
    rooms = here.central.batches
    try:
        if form.get("do") == "failed":
            rooms.failed(here.me, number, n, form.get("reason"))
        else:
            rooms.entered(here.me, number, n, form.get("reference"))
    except Problem as problem:
        return _row(here, number, n, problem, form)
    following = rooms.row(here.me, number, n)[2]
    if following:
        return here.go(f"/batches/{number}/rows/{following}")
    return here.go(f"/batches/{number}", here.say("Semua baris sudah diketik."))


HANDLERS = [listed, freeze, oldest, batch, export, propose, close, row, mark]
