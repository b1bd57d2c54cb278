"""Verifying: one request with its papers beside its data; what is decided about it, and what is
said to the field, to the citizen, to a supervisor."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models import handover, lifecycle
from models.codes import code_list
from models.pages.forms import Form, whole
from models.people import Act
from models.problems import Problem
from models.remarks import REASONS, REMARKS_MAX, TEXT_MAX, Remark
from server.casework import ELSEWHERE
from server.pages import telling, viewing
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import seen_of
from server.sheets import Event
from server.verification import Check

GROUNDS = "alasan_putusan"
OTHER = "OTHER"
WHY_LEAST = 10
"""Letters of a reason that is none of the list."""

AT_HAND = frozenset({"take", "approve", "release", *ELSEWHERE})
"""Steps that have a button of their own here, or belong to another room."""


@show("/requests/{name:str}")
def request(here: Here, name: str) -> Response[str]:
    """The request as it is checked. Whoever may verify takes it for ten minutes by opening it,
    unless a colleague has it."""
    return _draw(here, name)


def _draw(here: Here, name: str, problem: Problem | None = None) -> Response[str]:
    held = None
    if here.may(Act.RESOLVE_CASE) and problem is None:
        try:
            here.central.worklist.claim(here.me, name)
        except Problem as taken:
            if taken.code != "claim.taken":
                raise
            held = taken
    check = here.central.verification.open(here.me, name, here.lang)
    sheet = check.sheet
    decides = here.may(Act.RESOLVE_CASE)
    return here.page(
        "verify/request.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        check=check,
        sheet=sheet,
        held=held,
        decides=decides,
        can={one: decides and one in _open_steps(check) for one in ("approve", "return", "reject")},
        steps=[one for one in sheet.actions if one not in AT_HAND],
        gives=handover.ACTION in sheet.actions,
        passed=_passed(check),
        history=[telling.event_words(here, sheet, one) for one in reversed(sheet.history)],
        viewer=viewing.viewer(here, sheet, f"/requests/{sheet.id}"),
        cases=_cases(here, check),
    )


def _passed(check: Check) -> Event | None:
    """How it was approved last, where that took a reason."""
    found = [one for one in check.sheet.history if one.what == "approve"]
    return found[-1] if found and found[-1].reason else None


def _open_steps(check: Check) -> set[str]:
    """The verifier's steps from where it stands; one that nobody has taken is taken on the way."""
    taken = lifecycle.Status.IN_VERIFICATION
    status = check.sheet.status
    here = taken if status == lifecycle.Status.RECEIVED else status
    return set(lifecycle.TRANSITIONS.get(here, {})) if here == taken else set()


def _cases(here: Here, check: Check) -> list[tuple[str, str, str]]:
    """(address, words, id) of what is open about the request."""
    found = []
    for unit, case in check.sheet.disputes.items():
        words = telling.unit(here, check.sheet, unit)
        found.append((f"/disputes/{case}", here.say("Beda data: {unit}", unit=words), case))
    named = telling.kinds(here)
    rooms = {"duplicate": "duplicates", "identity": "duplicates", "escalated": "escalations"}
    for case in check.sheet.cases:
        kind, others = here.central.disputes.beside(here.me, case, check.sheet.id)
        address = f"/{rooms.get(kind, 'incidents')}/{case}"
        words = named.get(kind, here.say("Kejadian"))
        found.append((address, f"{words}: {', '.join(others)}" if others else words, case))
    return found


# -- the papers


@show("/requests/{name:str}/files/{file:str}")
def picture(here: Here, name: str, file: str) -> Response[bytes]:
    """A paper or portrait, or (preview=1) its small picture. That it was opened is noted."""
    _, data = here.central.verification.picture(
        here.me, name, file, preview=here.asked("preview") == "1"
    )
    return here.file(data, f"{file[:8]}.webp", inline=True)


# -- deciding


@act("/requests/{name:str}/accept")
def accept(here: Here, form: Form, name: str) -> Response[Any]:
    """Data and papers are right; or a rule says they are not, and the verifier why they are."""
    asked = bool(form.all("code"))
    try:
        why = _why(form) if asked else ""
        here.central.casework.accept(here.me, name, seen_of(form), why)
    except Problem as problem:
        if asked or problem.code == "accept.reason":
            return _draw_accept(here, name, form, problem)
        return _draw(here, name, problem)
    return here.go("/", here.say("Berkas disetujui."))


@show("/requests/{name:str}/accept")
def ask_why(here: Here, name: str) -> Response[str]:
    """What the rules find wrong, and why it is accepted all the same."""
    return _draw_accept(here, name)


def _draw_accept(
    here: Here, name: str, form: Form | None = None, problem: Problem | None = None
) -> Response[str]:
    check = here.central.verification.open(here.me, name, here.lang)
    codes = code_list(GROUNDS)
    return here.page(
        "verify/accept.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        sheet=check.sheet,
        wrong=check.drawn.errors if check.drawn is not None else [],
        typed=form,
        grounds=[(code, codes.label(code, here.lang)) for code in codes.codes],
    )


def _why(form: Form) -> str:
    """The ground of the list with what was added, as the register keeps it. Problem
    accept.reason_short."""
    code, text = form.get("code"), " ".join(form.get("text").split())
    codes = code_list(GROUNDS)
    if code not in codes or (code == OTHER and len(text) < WHY_LEAST):
        raise Problem("accept.reason_short", least=WHY_LEAST)
    return f"{codes.label(code)}: {text}" if text else codes.label(code)


@show("/requests/{name:str}/return")
def ask_return(here: Here, name: str) -> Response[str]:
    """Why it goes back, answer by answer."""
    return _draw_return(here, name, None)


@act("/requests/{name:str}/return")
def send_back(here: Here, form: Form, name: str) -> Response[Any]:
    """Look at what clerk and citizen will read, then send it back."""
    code, text, about = form.get("code"), form.get("text"), _remarks(form)
    if form.get("step") != "send":
        return _draw_return(here, name, form)
    try:
        here.central.casework.send_back(here.me, name, code, text, seen_of(form), about)
    except Problem as problem:
        return _draw_return(here, name, form, problem)
    return here.go("/", here.say("Berkas dikembalikan. Laptop pengirim membacanya saat sinkron."))


def _draw_return(
    here: Here, name: str, form: Form | None, problem: Problem | None = None
) -> Response[str]:
    check = here.central.verification.open(here.me, name, here.lang)
    preview = None
    if form is not None and problem is None:
        try:
            preview = here.central.verification.preview(
                here.me, name, form.get("code"), form.get("text"), _remarks(form), here.lang
            )
        except Problem as found:
            problem = found
    codes = code_list(REASONS)
    return here.page(
        "verify/return.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        check=check,
        sheet=check.sheet,
        typed=form,
        preview=preview,
        reasons=[(code, codes.label(code, here.lang)) for code in codes.codes],
        text_max=TEXT_MAX,
    )


def _remarks(form: Form) -> list[Remark]:
    """The reasons that were picked for single answers and documents."""
    texts = form.starting("text:")
    return [
        Remark(key, codes[0], (texts.get(key) or [""])[0])
        for key, codes in form.starting("code:").items()
        if codes[0]
    ][: REMARKS_MAX + 1]


@act("/requests/{name:str}/reject")
def reject(here: Here, form: Form, name: str) -> Response[Any]:
    """Refuse, once a supervisor confirms."""
    try:
        here.central.casework.reject(
            here.me, name, form.get("code"), form.get("text"), seen_of(form)
        )
    except Problem as problem:
        return _draw_return(here, name, form, problem)
    return here.go(f"/requests/{name}", here.say("Tersimpan; menunggu persetujuan orang kedua."))


@act("/requests/{name:str}/confirm")
def confirm(here: Here, form: Form, name: str) -> Response[Any]:
    """Agree, as the second person, to the step that waits, or let it drop."""
    agree = form.get("agree") == "yes"
    try:
        here.central.casework.confirm(here.me, name, seen_of(form), agree=agree)
    except Problem as problem:
        return _draw(here, name, problem)
    told = here.say("Disetujui.") if agree else here.say("Langkah itu tidak jadi dilakukan.")
    return here.go(f"/requests/{name}", told)


@act("/requests/{name:str}/step")
def step(here: Here, form: Form, name: str) -> Response[Any]:
    """Any other step that this person may take from here."""
    try:
        done = here.central.casework.advance(
            here.me, name, form.get("action"), form.get("reason"), seen_of(form)
        )
    except Problem as problem:
        return _draw(here, name, problem)
    waits = done.state == "waiting"
    told = (
        here.say("Tersimpan; menunggu persetujuan orang kedua.")
        if waits
        else here.say("Tersimpan.")
    )
    return here.go(f"/requests/{name}", told)


# -- words to others


@show("/requests/{name:str}/ask")
def ask_field(here: Here, name: str) -> Response[str]:
    """What the field is to be asked."""
    return _draw_ask(here, name, None)


@act("/requests/{name:str}/ask")
def asked(here: Here, form: Form, name: str) -> Response[Any]:
    """Send the question."""
    try:
        here.central.verification.ask(
            here.me, name, form.get("kind"), form.get("about"), form.get("text"), seen_of(form)
        )
    except Problem as problem:
        return _draw_ask(here, name, form, problem)
    told = here.say("Pertanyaan dikirim saat laptop sinkron. Jam layanan berhenti sampai dijawab.")
    return here.go(f"/requests/{name}", told)


def _draw_ask(
    here: Here, name: str, form: Form | None, problem: Problem | None = None
) -> Response[str]:
    check = here.central.verification.open(here.me, name, here.lang)
    kinds = [
        ("yes_no", here.say("Ya atau tidak")),
        ("text", here.say("Keterangan")),
        ("photo", here.say("Foto ulang")),
    ]
    return here.page(
        "verify/ask.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        check=check,
        sheet=check.sheet,
        kinds=kinds,
        typed=form,
        kind=form.get("kind") if form else here.asked("kind", "yes_no"),
        about=form.get("about") if form else here.asked("about"),
    )


@act("/requests/{name:str}/ask/back")
def take_back(here: Here, form: Form, name: str) -> Response[Any]:
    """The question needs no answer any more."""
    try:
        here.central.verification.take_back(here.me, name, whole(form.get("n")) or 0, seen_of(form))
    except Problem as problem:
        return _draw(here, name, problem)
    return here.go(f"/requests/{name}", here.say("Pertanyaan ditarik. Jam layanan berjalan lagi."))


@show("/requests/{name:str}/escalate")
def ask_supervisor(here: Here, name: str) -> Response[str]:
    """What a supervisor is to be asked."""
    return _draw_escalate(here, name)


@act("/requests/{name:str}/escalate")
def escalate(here: Here, form: Form, name: str) -> Response[Any]:
    """Send it to the supervisors."""
    try:
        here.central.verification.escalate(here.me, name, form.get("text"), seen_of(form))
    except Problem as problem:
        return _draw_escalate(here, name, form, problem)
    return here.go(f"/requests/{name}", here.say("Diteruskan ke penyelia."))


def _draw_escalate(
    here: Here, name: str, form: Form | None = None, problem: Problem | None = None
) -> Response[str]:
    sheet = here.central.verification.open(here.me, name, here.lang).sheet
    return here.page(
        "verify/escalate.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        sheet=sheet,
        typed=form,
    )


HANDLERS = [
    request, picture, accept, ask_why, ask_return, send_back, reject, confirm, step, ask_field,
    asked, take_back, ask_supervisor, escalate,
]  # fmt: skip
