"""Practising: from the real laptop to the one for practice beside it, and back, on the same pages.

The real one is locked meanwhile and goes on sending what waits; the one for practice has a vault,
people and a PIN of its own, and can never send (`training.py`). Every page of it says so.
"""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client.pages.drawing import Here
from field_client.pages.routes import act, show
from field_client.pages.unlock import twice
from models.pages.forms import Form
from models.problems import Problem

OPERATOR = "latihan"


@show("/training")
def ask(here: Here) -> Response[str]:
    """What practice is, and the button that begins it."""
    return _draw(here)


@act("/training")
def begin(here: Here, form: Form) -> Response[Any]:
    """Go to the laptop for practice; the first time it is made."""
    real = here.counter.real or here.counter
    there = real.practice()
    if not there.keys.exists:
        try:
            pin = twice(form)
            real.forget_training()  # what a power cut left of an earlier one
            there = real.practice()
            there.train(real.operator or OPERATOR, pin)
        except Problem as problem:
            return _draw(here, problem)
    real.lock()
    here.request.app.state.counter = there
    return Here(here.request).go("/" if not there.locked else "/unlock")


@act("/training/leave")
def leave(here: Here, form: Form) -> Response[Any]:
    """Back to the real work, which asks for its PIN."""
    del form
    here.counter.lock()
    here.request.app.state.counter = here.counter.real or here.counter
    return here.go("/unlock")


@act("/training/clear")
def clear(here: Here, form: Form) -> Response[Any]:
    """Throw everything away that was practised; the next one begins anew. Asked at the real laptop
    alone: nobody saws off the branch they sit on."""
    del form
    if here.counter.real is None:
        here.counter.forget_training()
    return here.go("/training")


def _draw(here: Here, problem: Problem | None = None) -> Response[str]:
    real = here.counter.real or here.counter
    there = real.practice()
    return here.page(
        "training.html",
        problem.status if problem is not None else 200,
        there=there.keys.exists,
        alone=here.counter.real is None and here.counter.house is not None
        and here.counter.house.practice,
        long=there.keys.needs_passphrase,
        problem=problem,
    )  # fmt: skip


HANDLERS = [ask, begin, leave, clear]
