"""Returning: what central sent back, why, the page to mend it on, and who was called."""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import folder as folders
from field_client import returned
from field_client.pages.drawing import Here
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from models.fields import split_row
from models.pages import topics
from models.pages.forms import Form


@show("/returned")
def listing(here: Here) -> Response[str]:
    """Everything that waits for correction; names and numbers in full, and that is noted."""
    rows = returned.returned(here.desk, here.lang)
    if rows:
        here.desk.note_reveal("page returned")
    results = [(code, returned.result_words(code, here.lang)) for code in returned.RESULTS]
    return here.page("returned.html", rows=rows, results=results, words_of=dict(results))


@act("/returned/fix")
def fix(here: Here, form: Form) -> Response[Any]:
    """Begin the correction, or go on with it, on the page that the reason is about."""
    begun = folders.begin_correction(here.desk, record_id(form.get("record")))
    name, key = begun.name.hex(), form.get("key")
    path, row = split_row(key)
    section = form.get("section") or path.partition(".")[0]
    if section in (returned.DOCUMENTS, "doc"):
        return here.go(f"/drafts/{name}/documents")
    listed = topics.topics_of(begun, topics.look(begun), here.lang)
    fitting = [one for one in listed if one.section == section and row in (0, one.row)]
    if not fitting:
        return here.go(f"/drafts/{name}")
    place = f"#{topics.id_of(fitting[0], path)}" if key else ""
    return here.go(f"/drafts/{name}/{fitting[0].address}{place}")


@act("/returned/call")
def called(here: Here, form: Form) -> Response[Any]:
    """Write down who was called, and what came of it."""
    page = here.desk.open(record_id(form.get("record")))
    returned.note_call(here.desk, page, form.get("who"), form.get("result"), form.get("note"))
    return here.go("/returned", here.say("Catatan panggilan {code} tersimpan.", code=page.code))


HANDLERS = [listing, fix, called]
