"""Handing over: what lies ready, a receipt scanned, who gets the document; a letter signed."""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import handover, shown
from field_client.pages.drawing import Here
from field_client.pages.requests import QR_MAX, record_id
from field_client.pages.routes import act, show
from field_client.printing.lists import to_collect
from field_client.sheet import Sheet
from models.codes import code_list
from models.handover import Given, ways
from models.pages import fields
from models.pages.forms import Form
from models.pages.handover import given_in
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.problems import Problem
from models.regions import full_name
from sync.attaching import Photo

LISTED = 200
READY = "ready_for_handover"


@show("/handover")
def waiting(here: Here) -> Response[str]:
    """Finished documents nobody has collected, by village; names in full, and that is noted."""
    found = to_collect(here.desk)
    here.desk.note_reveal("page handover")
    villages: dict[str, list[Any]] = {}
    for one in found[:LISTED]:
        place = full_name(one.line.village) if one.line.village else here.say("Tanpa desa")
        villages.setdefault(place, []).append(
            (one, shown.title(one.line.service, None, here.lang), one.line.status == READY)
        )
    return here.page("handover.html", villages=villages, more=max(0, len(found) - LISTED))


@act("/handover")
def scanned(here: Here, form: Form) -> Response[Any]:
    """A receipt held to the reader, or its number typed. Problems receipt.*, code.*."""
    record = handover.scanned(here.desk, form.get("q")[:QR_MAX])
    return here.go(f"/requests/{record.hex()}/handover")


@show("/requests/{record:str}/handover")
def giving(here: Here, record: str) -> Response[str]:
    """Who gets it. Problem lifecycle.* where it does not lie ready."""
    page = here.desk.open(record_id(record))
    handover.ready(page)
    here.desk.note_reveal("page handover", page.record)
    return _draw_giving(here, page)


@act("/requests/{record:str}/handover", finishes=True, request_max_body_size=UPLOAD_BYTES_MAX)
def give(here: Here, form: Form, record: str) -> Response[Any]:
    """Hand it over. What is refused is said above what was typed."""
    page = here.desk.open(record_id(record))
    signed = [Photo(one.name, one.data) for one in form.files("signature")]
    given = given_in(form)
    try:
        handover.hand_over(here.desk, page, given, signed[0] if signed else None)
    except Problem as problem:
        if problem.code == "disk.full":  # the room kept for this is given back, and it is done anew
            raise
        return _draw_giving(here, page, problem, given)
    told = here.say("Dokumen {code} sudah diserahkan.", code=page.code)
    return here.go("/handover", told)


@show("/requests/{record:str}/letter")
def signing(here: Here, record: str) -> Response[str]:
    """A letter the office has accepted, to be signed by the village head."""
    page = here.desk.open(record_id(record))
    return _draw_signing(here, page, here.desk.today().isoformat())


@act("/requests/{record:str}/letter", finishes=True)
def sign(here: Here, form: Form, record: str) -> Response[Any]:
    """Write down that it was signed."""
    page = here.desk.open(record_id(record))
    number, day, signer = form.get("number"), fields.day_typed(form, "day"), form.get("signer")
    try:
        handover.sign_letter(here.desk, page, number, day, signer)
    except Problem as problem:
        if problem.code == "disk.full":
            raise
        return _draw_signing(here, page, day, problem, number, signer)
    return here.go(f"/requests/{record}", here.say("Surat {code} siap diserahkan.", code=page.code))


def _draw_giving(
    here: Here, page: Sheet, problem: Problem | None = None, given: Given | None = None
) -> Response[str]:
    relations = code_list("hubungan_pemohon").codes
    return here.page(
        "give.html",
        422 if problem is not None else 200,
        page=page,
        title=shown.title(page.picture.view.service, page.picture.view.edition, here.lang),
        relations=[(code, text.say(here.lang)) for code, text in relations.items()],
        ways=ways(here.lang),
        old=handover.old_due(page),
        card=page.form().group in ("ktp", "kia"),
        given=given or Given("self"),
        told_problem=_words(here, problem),
    )


def _draw_signing(
    here: Here, page: Sheet, day: str, problem: Problem | None = None,
    number: str = "", signer: str = "",
) -> Response[str]:  # fmt: skip
    return here.page(
        "sign.html",
        422 if problem is not None else 200,
        page=page,
        title=shown.title(page.picture.view.service, page.picture.view.edition, here.lang),
        day=fields.parts_of_day(day),
        number=number,
        signer=signer,
        told_problem=_words(here, problem),
    )


def _words(here: Here, problem: Problem | None) -> list[str]:
    if problem is None:
        return []
    findings = problem.details.get("findings", ())
    return [one.words(here.lang) for one in findings] or [problem.words(here.lang)]


HANDLERS = [waiting, scanned, giving, give, signing, sign]
