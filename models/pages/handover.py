"""What is typed where a document is handed over: the form of `parts/handover.html`, in both
houses."""

from __future__ import annotations

from models.handover import Given
from models.pages.forms import Form


def given_in(form: Form) -> Given:
    """What was done, as it was typed; the NIK without its spaces."""
    return Given(
        relation=form.get("relation"),
        receiver_nik="".join(form.get("receiver_nik").split()),
        seen=form.get("seen"),
        old_taken=form.get("old_taken") == "yes",
        serial=form.get("serial"),
        listed=form.get("listed") == "yes",
        reason=form.get("reason"),
    )
