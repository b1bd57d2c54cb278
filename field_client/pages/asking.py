"""Asking: questions of the office about requests taken in here, and the answers."""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import asked
from field_client.pages.drawing import Here
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from models.pages.forms import Form, whole
from models.problems import Problem


@show("/asked")
def listing(here: Here) -> Response[str]:
    """Everything that waits for an answer; names in full, and that is noted."""
    return _draw(here)


def _draw(here: Here, problem: Problem | None = None, form: Form | None = None) -> Response[str]:
    rows = asked.waiting(here.desk, here.lang)
    if rows:
        here.desk.note_reveal("page asked")
    code = 200 if problem is None else problem.status
    return here.page("asked.html", code, rows=rows, problem=problem, typed=form)


@act("/asked")
def answer(here: Here, form: Form) -> Response[Any]:
    """Answer one."""
    record, number = record_id(form.get("record")), whole(form.get("n")) or 0
    text = form.get("text").strip()
    if form.get("yes_no") in ("ya", "tidak"):
        text = f"{form.get('yes_no')}: {text}" if text else form.get("yes_no")
    try:
        page = here.desk.open(record)
        asked.answer(here.desk, page, number, text)
    except Problem as problem:
        return _draw(here, problem, form)
    return here.go("/asked", here.say("Jawaban aman di laptop ini dan ikut kiriman berikutnya."))


HANDLERS = [listing, answer]
