"""Reconciling: what people disagree about, side by side; the choice, what it would do, the second
person, and undoing. What somebody asks a supervisor has its short page here too."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.codes import code_list
from models.pages.forms import Form
from models.people import Act
from models.problems import Problem
from server.database.registry import Confirmation
from server.disputes import Dispute, Preview
from server.pages import telling, viewing
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import seen_of, whole_of
from server.sheets import RequestLine

REASONS = "alasan_putusan"
"""Code list of the grounds of a decision."""

STATES = ("open", "proposed", "closed")
LINES = 50
AGREED = "setuju"
"""What the authors read where the second person added nothing."""

TYPED_REASON = 10
"""Characters that somebody has to say about a value that they typed anew."""

_STALE = ("case.stale", "case.closed")


@show("/disputes")
def listed(here: Here) -> Response[str]:
    """Disputes, and what supervisors are asked, oldest first."""
    wanted, after = here.asked("state", "open"), here.asked("after")
    kind = "escalated" if here.asked("kind") == "escalated" else "dispute"
    state = wanted if wanted in STATES else "open"
    found = here.central.casework.cases(
        here.me, state=state, kind=kind, after=after, limit=LINES + 1
    )
    lines = found[:LINES]
    return here.page(
        "disputes/list.html",
        lines=[(line, here.central.disputes.line(here.me, line, here.lang)) for line in lines],
        state=state,
        kind=kind,
        after=after,
        more=lines[-1].id if len(found) > LINES else "",
        second=_second(here) if state == "proposed" else [],
    )


def _second(here: Here) -> list[tuple[RequestLine, Confirmation]]:
    """Steps of requests that wait for somebody like who asks."""
    return here.central.verification.second(here.me) if here.may(Act.APPROVE_CASE) else []


@show("/disputes/{case:str}")
def dispute(here: Here, case: str) -> Response[str]:
    """One dispute."""
    return _draw(here, case)


def _draw(
    here: Here,
    name: str,
    form: Form | None = None,
    problem: Problem | None = None,
    preview: Preview | None = None,
) -> Response[str]:
    before = whole_of(form.get("seen")) if form is not None else 0
    found = here.central.disputes.open(here.me, name, here.lang, since=before)
    request = found.case.requests[0] if found.case.requests else None
    sheet = here.central.casework.request(here.me, request.id, here.lang) if request else None
    codes = code_list(REASONS)
    return here.page(
        "disputes/one.html",
        status=200 if problem is None else problem.status,
        found=found,
        case=found.case,
        columns=_columns(here, found),
        suggested=_suggested(found),
        proposed=_proposed(here, found)[0],
        proposal=_proposed(here, found)[1],
        request=request,
        problem=problem,
        preview=preview,
        typed=form,
        take=_taken(form, found),
        since=[telling.event_words(here, sheet, one) for one in found.since] if sheet else [],
        stale=problem is not None and problem.code in _STALE,
        fresh=before,
        reasons=[(code, codes.label(code, here.lang)) for code in codes.codes],
        decides=here.may(Act.RESOLVE_CASE) and found.case.state != "closed",
        second=here.may(Act.APPROVE_CASE) and found.case.state == "proposed",
        viewer=viewing.viewer(here, sheet, f"/disputes/{found.case.id}") if sheet else None,
    )


def _columns(here: Here, found: Dispute) -> list[str]:
    """What each side is called."""
    return [
        here.say("Usulan {n}", n=side.number) if side.number else here.say("Yang berlaku sekarang")
        for side in found.case.sides
    ]


def _proposed(here: Here, found: Dispute) -> tuple[str, list[tuple[str, str]]]:
    """What the first person proposes: which side, and its answers; a value typed anew as it is."""
    proposal = found.case.proposal
    if proposal is None:
        return "", []
    if proposal.take == "value":
        given = proposal.value if isinstance(proposal.value, dict) else {"": proposal.value}
        labels = {part.name: part.label for part in found.parts}
        return "", [(labels.get(name, name), str(text)) for name, text in given.items()]
    numbers = [side.number for side in found.case.sides]
    if proposal.offer not in numbers:
        return here.say("data yang berlaku"), []
    place = numbers.index(proposal.offer)
    answers = [(part.label, part.values[place]) for part in found.parts]
    return _columns(here, found)[place], answers


def _suggested(found: Dispute) -> int:
    """Place of the suggested side among them; 0 where there is none."""
    wanted = found.suggestion.side if found.suggestion is not None else 0
    return next((n for n, side in enumerate(found.case.sides) if side.number == wanted), 0)


def _taken(form: Form | None, found: Dispute) -> str:
    """Which choice is marked: what was typed; else what is suggested, never of a protected unit."""
    if form is not None:
        return form.get("take")
    if found.case.protected or found.suggestion is None:
        return ""
    number = found.suggestion.side
    return f"offer:{number}" if number else "current"


@act("/disputes/{case:str}/decide")
def decide(here: Here, form: Form, case: str) -> Response[Any]:
    """Look at what a choice would do; decide, or propose where a second person is needed."""
    if form.get("step") != "decide":
        return _look(here, form, case)
    try:
        take, offer, value = _choice(here, form, case)
        reason = _reason(form, take)
        done = here.central.casework.resolve(
            here.me, case, take, reason, seen_of(form), offer=offer, value=value
        )
    except Problem as problem:
        return _draw(here, case, form, problem)
    if done.state == "waiting":
        return here.go(f"/disputes/{case}", here.say("Menunggu persetujuan kedua."))
    return here.go(
        f"/disputes/{case}", here.say("Diputuskan. Kedua petugas membacanya saat sinkron.")
    )


def _look(here: Here, form: Form, case: str) -> Response[Any]:
    try:
        take, offer, value = _choice(here, form, case)
        found = here.central.disputes.preview(
            here.me, case, take, offer=offer, value=value, reason=_reason(form, take),
            lang=here.lang,
        )  # fmt: skip
    except Problem as problem:
        return _draw(here, case, form, problem)
    return _draw(here, case, form, preview=found)


def _choice(here: Here, form: Form, case: str) -> tuple[str, int, Any]:
    """(take, number of the offer, value typed anew)."""
    take, _, number = form.get("take").partition(":")
    if take == "offer":
        return "offer", whole_of(number), None
    if take == "base":
        return "value", 0, here.central.disputes.base(here.me, case)
    if take == "value":
        parts = {name: texts[0].strip() for name, texts in form.starting("value:").items()}
        return "value", 0, here.central.disputes.typed(here.me, case, parts)
    return take or "-", 0, None


def _reason(form: Form, take: str) -> str:
    """The ground of the list with what was added. Authors read it, so it is in their language.
    Problems reason.required, reason.short."""
    code, text = form.get("code"), " ".join(form.get("reason").split())
    codes = code_list(REASONS)
    if code not in codes:
        raise Problem("reason.required")
    short = take == "value" and form.get("take") != "base" and len(text) < TYPED_REASON
    if short or (code == "OTHER" and not text):
        raise Problem("reason.short", least=TYPED_REASON)
    return f"{codes.label(code)}: {text}" if text else codes.label(code)


@act("/disputes/{case:str}/approve")
def approve(here: Here, form: Form, case: str) -> Response[Any]:
    """The second person agrees, or does not and says why."""
    seen, reason = seen_of(form), form.get("second")
    try:
        if form.get("agree") == "yes":
            here.central.casework.approve(here.me, case, reason or AGREED, seen)
        else:
            here.central.disputes.decline(here.me, case, reason, seen)
    except Problem as problem:
        return _draw(here, case, form, problem)
    agreed = form.get("agree") == "yes"
    told = (
        here.say("Disetujui. Kedua petugas membacanya saat sinkron.")
        if agreed
        else here.say("Dikembalikan ke pemutus pertama.")
    )
    return here.go(f"/disputes/{case}", told)


@act("/disputes/{case:str}/undo")
def undo(here: Here, form: Form, case: str) -> Response[Any]:
    """Decide anew: the decision stays in the history."""
    try:
        done = here.central.disputes.undo(here.me, case, form.get("why"), seen_of(form))
    except Problem as problem:
        return _draw(here, case, form, problem)
    told = here.say("Putusan dibatalkan dan perkara dibuka lagi. Putusan lama tetap di riwayat.")
    return here.go(f"/disputes/{done.id}", told)


# -- what a supervisor is asked


@show("/escalations/{case:str}")
def escalation(here: Here, case: str) -> Response[str]:
    """The question of a colleague."""
    return _draw_escalation(here, case)


@act("/escalations/{case:str}/answer")
def answered(here: Here, form: Form, case: str) -> Response[Any]:
    """The answer; the request goes on."""
    try:
        here.central.casework.resolve(here.me, case, "noted", form.get("reason"), seen_of(form))
    except Problem as problem:
        return _draw_escalation(here, case, form, problem)
    return here.go(f"/escalations/{case}", here.say("Jawaban tersimpan. Berkas dapat diteruskan."))


def _draw_escalation(
    here: Here, case: str, form: Form | None = None, problem: Problem | None = None
) -> Response[str]:
    sheet = here.central.casework.case(here.me, case)
    return here.page(
        "disputes/escalation.html",
        status=200 if problem is None else problem.status,
        case=sheet,
        request=sheet.requests[0] if sheet.requests else None,
        problem=problem,
        typed=form,
        answers=here.may(Act.APPROVE_CASE) and sheet.state != "closed",
    )


HANDLERS = [listed, dispute, decide, approve, undo, escalation, answered]
