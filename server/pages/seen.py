"""Seen: the number of the register that a page showed, as its form gives it back."""

from __future__ import annotations

from models.pages.forms import Form, whole
from models.problems import Problem


def seen_of(form: Form) -> int:
    """Of the hidden field of that name. Problem page.malformed where there is none."""
    return whole_of(form.get("seen"))


def whole_of(text: str) -> int:
    """A whole number, 0 or more. Problem page.malformed for anything else."""
    number = whole(text.strip())
    if number is None:
        raise Problem("page.malformed")
    return number
