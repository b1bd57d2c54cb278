"""Drafts: a folder from its task list over its pages of questions to the receipt.

Every page saves what was typed, right or wrong, before it says anything about it. A page carries
the folder's version: what was drawn before another window saved does not overwrite it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from litestar import Response

from field_client import folder as folders
from field_client import returned, shown
from field_client.folder import Begun, Folder
from field_client.pages import trays
from field_client.pages.drawing import Here
from field_client.pages.home import titles
from field_client.pages.opening import name_of, opened
from field_client.pages.photos import doubts_of, photos_of
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from models.pages import topics, walk
from models.pages.forms import Form, whole
from models.pages.topics import Looked, Topic
from models.pages.walk import ADD, FILL, LATER, REMOVE
from models.problems import Problem
from models.words import WIT
from sync.attaching import DOCUMENT, SIGNATURE

WINDOWS_KEPT, LINES_SHOWN = 100, 200


@act("/requests/{record:str}/correct")
def correct(here: Here, form: Form, record: str) -> Response[Any]:
    """Begin to correct a request, or go on with it."""
    del form
    begun = folders.begin_correction(here.desk, record_id(record))
    return here.go(f"/drafts/{begun.name.hex()}")


@show("/drafts")
def listed(here: Here) -> Response[str]:
    """What was begun and not submitted, last saved first, fifty a page."""
    skip, count = whole(here.asked("skip")) or 0, here.store.drafts.count(here.desk.operator.name)
    found, after = folders.begun(here.desk, skip=skip), skip + folders.BEGUN_LISTED
    return _draw_list(here, found, more=after if after < count else 0)


@act("/drafts/find")
def find(here: Here, form: Form) -> Response[Any]:
    """The same by a name. It travels in the body, never in an address."""
    text = form.get("q").strip()[:80]
    if not text:
        return here.go("/drafts")
    return _draw_list(here, folders.find_begun(here.desk, text), q=text)


def _draw_list(here: Here, found: list[Begun], q: str = "", more: int = 0) -> Response[str]:
    rows = [(one, titles(here, one)) for one in found[:LINES_SHOWN]]
    return here.page("drafts.html", begun=rows, q=q, more=more)


@show("/drafts/{name:str}")
def tasks(here: Here, name: str) -> Response[Any]:
    """The task list: every page of the folder and how far it is. A folder that was submitted leads
    to its receipts."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    looked = topics.look(folder)
    listed = topics.topics_of(folder, looked, here.lang)
    return here.page(
        "tasks.html",
        folder=folder,
        pictures="" if folder.record else photos_of(here, folder, looked).state,
        titles=[one.service.title.say(here.lang) for one in looked],
        groups=walk.grouped(looked, listed, here.lang),
        adds=walk.adds(folder, looked, here.lang),
        documents=walk.papers_state(looked),
        done=sum(one.state == "done" for one in listed),
        count=len(listed),
        saved=_clock(folder.at),
    )


@show("/drafts/{name:str}/{number:int}/{section:str}/{row:int}")
def topic(here: Here, name: str, number: int, section: str, row: int) -> Response[Any]:
    """One page of questions."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    looked = topics.look(folder)
    page = walk.topic_at(folder, looked, number, section, row, here.lang)
    return _draw(here, folder, looked, page, checked=here.asked("look") == "1")


@act("/drafts/{name:str}/{number:int}/{section:str}/{row:int}", finishes=True)
def keep(here: Here, form: Form, name: str, number: int, section: str, row: int) -> Response[Any]:
    """Save a page. Right answers lead to the next page, others back to this one with what is
    wrong; either way everything typed is kept."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    looked = topics.look(folder)
    page = walk.topic_at(folder, looked, number, section, row, here.lang)
    here_again = f"/drafts/{name}/{page.address}"
    wish = form.get("do")
    if wish == REMOVE:
        folder.put(topics.emptied(folder, page))
        return here.go(f"/drafts/{name}", here.say("{title} dihapus.", title=page.title))
    if not _is_newest(here, folder, form):
        return _draw(here, folder, looked, page, checked=False, form=form)
    _write(folder, looked, page, form)
    filled = folder.fill()
    if filled or wish == FILL:
        told = here.say("Diisi dari daftar penduduk. Periksa, lalu lanjutkan.")
        return here.go(here_again, told if filled else here.say("Tidak ditemukan di daftar."))
    looked = topics.look(folder)
    if walk.stops_at(looked, page) and wish != LATER:
        return here.go(f"{here_again}?look=1")
    if wish == ADD:
        more = topics.may_add(looked[page.number], section)
        return here.go(f"/drafts/{name}/{number}/{section}/{more}" if more else f"/drafts/{name}")
    return here.go(_next(name, topics.topics_of(folder, looked, here.lang), page))


@act("/drafts/{name:str}/{number:int}/{section:str}/{row:int}/save", finishes=True)
def save(here: Here, form: Form, name: str, number: int, section: str, row: int) -> Response[Any]:
    """Save while typing: asked by htmx on leaving each field. Says when, and the new version."""
    folder = opened(here, name)
    if folder is None:
        raise Problem("draft.unknown", draft=name[:32])
    looked = topics.look(folder)
    page = walk.topic_at(folder, looked, number, section, row, here.lang)
    if not _is_newest(here, folder, form):
        raise Problem("draft.moved")
    _write(folder, looked, page, form)
    return here.page("parts/saved.html", at=_clock(folder.at), version=folder.version)


@show("/drafts/{name:str}/documents")
def documents(here: Here, name: str) -> Response[Any]:
    """The papers the citizen brought."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    papers = walk.papers_asked([sheet.service for sheet in folder.sheets], here.lang)
    brought = {code for sheet in folder.sheets for code in sheet.wanted.documents}
    told = _told(here, folder)
    there = photos_of(here, folder, topics.look(folder)).there
    return here.page(
        "documents.html",
        folder=folder,
        papers=papers,
        brought=brought,
        told=told,
        pictured={one.file.unit.removeprefix(DOCUMENT) for one in there},
    )


@act("/drafts/{name:str}/documents", finishes=True)
def brought(here: Here, form: Form, name: str) -> Response[Any]:
    """Save which papers were brought."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    there = photos_of(here, folder, topics.look(folder)).there
    given = {*form.all("paper"), *(one.file.unit.removeprefix(DOCUMENT) for one in there)}
    folder.put(
        {},
        {
            number: sorted(given & {paper.code for paper in sheet.service.documents})
            for number, sheet in enumerate(folder.sheets)
        },
    )
    return here.go(f"/drafts/{name}/files" if form.get("do") == "photos" else f"/drafts/{name}")


@show("/drafts/{name:str}/waiting")
def waiting(here: Here, name: str) -> Response[Any]:
    """The citizen comes back with the rest: what to bring, and that everything is kept."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    looked = topics.look(folder)
    return here.page(
        "waiting.html",
        folder=folder,
        titles=[one.service.title.say(here.lang) for one in looked],
        papers=walk.papers_missing(looked, here.lang),
        parts=[one.title for one in topics.topics_of(folder, looked, here.lang)
               if one.state != "done"],
        day=here.desk.today(),
        office=here.desk.invitation().office_name,
    )  # fmt: skip


@show("/drafts/{name:str}/check")
def check(here: Here, name: str) -> Response[Any]:
    """All answers once more, what is missing or doubtful, the declaration."""
    folder = opened(here, name)
    return here.go(f"/drafts/{name}/done") if folder is None else _draw_check(here, folder)


@act("/drafts/{name:str}/submit", finishes=True)
def submit(here: Here, form: Form, name: str) -> Response[Any]:
    """Take the folder in: one transaction, tracking codes given. A second click finds the first
    one's receipts."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    reasons = {key: texts[0].strip()[:500] for key, texts in form.starting("why|").items()}
    folder.put({}, None, dict.fromkeys(range(len(folder.sheets)), reasons))
    if folder.record:
        return _correct(here, folder, form.get("reason").strip()[:500])
    if form.get("declared") != "yes":
        return _draw_check(here, folder, Problem("request.undeclared"))
    if stray := photos_of(here, folder, topics.look(folder)).not_asked:
        return _draw_check(here, folder, Problem("attachment.not_asked", place=stray[0].words))
    try:
        taken = folder.submit()
    except Problem as problem:
        if problem.code != "request.invalid":
            raise
        return _draw_check(here, folder, problem)
    trays.hand_over(here, folder.name, taken[0].record)
    if len(taken) == 1:
        return here.go(f"/requests/{taken[0].record.hex()}/receipt")
    return here.go(f"/drafts/{name}/done")


def _correct(here: Here, folder: Folder, why: str) -> Response[Any]:
    """Write a correction. One that changes nothing is told, and kept."""
    name = folder.name
    try:
        record = folder.correct(why)
    except Problem as problem:
        if problem.code not in ("request.invalid", "request.nothing_changed"):
            raise
        return _draw_check(here, folder, problem)
    here.request.app.state.corrected[name] = record
    return here.go(f"/requests/{record.hex()}", here.say("Perbaikan tersimpan di laptop ini."))


@show("/drafts/{name:str}/done")
def done(here: Here, name: str) -> Response[Any]:
    """What a folder became. Problem draft.unknown for one that never was."""
    corrected: dict[bytes, bytes] = here.request.app.state.corrected
    if name_of(name) in corrected:
        return here.go(f"/requests/{corrected[name_of(name)].hex()}")
    records = folders.taken_from(here.desk, name_of(name))
    if not records:
        raise Problem("draft.unknown", draft=name[:32])
    if len(records) == 1:
        return here.go(f"/requests/{records[0].hex()}/receipt")
    lines = [here.store.requests.line(record) for record in records]
    rows = [(line, shown.title(line.service, None, here.lang)) for line in lines if line]
    return here.page("done.html", rows=rows)


@act("/drafts/{name:str}/drop")
def drop(here: Here, form: Form, name: str) -> Response[Any]:
    """Throw a folder away, after it was asked whether that is meant."""
    del form
    folder = opened(here, name)
    if folder is not None:
        folder.drop()
        trays.throw_away(here, folder.name)
    return here.go("/", here.say("Draf dihapus."))


@show("/drafts/{name:str}/drop")
def ask_drop(here: Here, name: str) -> Response[Any]:
    """Is it meant?"""
    folder = opened(here, name)
    return here.go("/") if folder is None else here.page("drop.html", folder=folder)


# -- how it is done


def _is_newest(here: Here, folder: Folder, form: Form) -> bool:
    """Whether no other window saved since this page was drawn. A page's own saves overtake each
    other: one while typing, one by the button."""
    window = form.get("window")[:40]
    writers: dict[bytes, str] = here.request.app.state.writers
    if form.get("version") != str(folder.version) and writers.get(folder.name) != window:
        return False
    if len(writers) > WINDOWS_KEPT:
        writers.clear()
    writers[folder.name] = window
    return True


def _write(folder: Folder, looked: Sequence[Looked], page: Topic, form: Form) -> None:
    answers = topics.answered(folder, looked, page, form)
    folder.put(answers, None, topics.reasons_in(page, form))


def _next(name: str, listed: Sequence[Topic], page: Topic) -> str:
    """The page after this one that is not done; the task list after the last."""
    return f"/drafts/{name}/{walk.next_page(listed, page)}".rstrip("/")


def _draw(
    here: Here,
    folder: Folder,
    looked: Sequence[Looked],
    page: Topic,
    checked: bool,
    form: Form | None = None,
) -> Response[str]:
    """form: what was typed in a window that another one has overtaken; it is shown beside."""
    values = walk.page_values(folder, looked, page, here.lang, checked, form, _told(here, folder))
    asks_nik = any(one.key.endswith("nik") for one in (*values["now"], *values["rare"]))
    return here.page(
        "topic.html",
        200 if form is None else 409,
        window=secrets.token_hex(4),
        saved=_clock(folder.at),
        roster=bool(here.store.standing().residents) and asks_nik,
        **values,
    )


def _told(here: Here, folder: Folder) -> dict[str, str]:
    """What the office wrote about single answers of the request that is corrected."""
    page = here.desk.find_sheet(folder.record) if folder.record else None
    return returned.told_of(here.desk, page, here.lang) if page is not None else {}


def _draw_check(here: Here, folder: Folder, problem: Problem | None = None) -> Response[str]:
    looked = topics.look(folder)
    if folder.record:
        checks, moved = [folder.check()], folder.moved()
    else:
        checks, moved = [form.checked for form in folder.prepare()], []
    listed = topics.topics_of(folder, looked, here.lang)
    pictures = photos_of(here, folder, looked)
    base = f"/drafts/{folder.name.hex()}"
    stops, doubts = walk.to_mend(folder, listed, checks, base, here.lang)
    return here.page(
        "check.html",
        422 if problem is not None else 200,
        folder=folder,
        groups=walk.answers_of(looked, listed, here.lang),
        stops=stops,
        doubts=doubts,
        problem=problem,
        papers=walk.papers_brought(looked, here.lang),
        moved=[shown.unit_words(looked[0].service, unit, here.lang) for unit in moved],
        changed=_changed(here, folder),
        pictures=[(one, doubts_of(one, here.lang)) for one in pictures.there],
        sign=not folder.record and any(one.unit.endswith(SIGNATURE) for one in pictures.places),
    )


def _changed(here: Here, folder: Folder) -> list[tuple[str, str, str]]:
    """Question, old and new answer of a correction."""
    if not folder.record:
        return []
    sheet = folder.sheets[0]
    return walk.changes_of(sheet.service, sheet.wanted.before, folder.corrected()[0], here.lang)


def _clock(at: int) -> str:
    """`10.42.15`, local time."""
    return datetime.fromtimestamp(at, UTC).astimezone(WIT).strftime("%H.%M.%S")


HANDLERS = [
    listed, find, waiting,
    correct, tasks, topic, keep, save, documents, brought, check, submit, done, drop, ask_drop,
]  # fmt: skip
