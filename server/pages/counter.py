"""Counter: forms for people who come to the office, drawn from the same service files as in the
van.

Every page saves what was typed, right or wrong, before it says anything about it. It carries the
draft's version: what was drawn before another window saved does not overwrite it.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence
from typing import Any

import segno
from litestar import Response

from models.events import events
from models.ids import from_text
from models.lifecycle import Status
from models.pages import topics, walk
from models.pages.forms import Form
from models.pages.topics import Looked, Topic
from models.people import Act
from models.printing.document import Document
from models.printing.receipt import receipt as receipt_document
from models.printing.receipt import receipt_of
from models.problems import Problem
from models.services import catalogue
from server.counter import Folder
from server.pages.drawing import Here
from server.pages.routes import act, show

HOME = "/counter"


# -- choosing


@show("/counter")
def start(here: Here) -> Response[str]:
    """What happened? One tile a life event; forms that were begun."""
    drafts = [(one, _title(here, one)) for one in here.central.counter.drafts(here.me)]
    returned = here.central.casework.requests(here.me, status=Status.NEEDS_CORRECTION)
    return here.page("counter/start.html", events=events(), drafts=drafts, returned=returned)


@show("/counter/for/{name:str}")
def event(here: Here, name: str) -> Response[str]:
    """The services that go with an event; `all`: every service there is."""
    _allowed(here)
    known = catalogue()
    ticked: tuple[str, ...] = ()
    if name == "all":
        found, title = list(known.services()), here.say("Semua layanan")
    elif name in events():
        one = events()[name]
        found = [known.service(slug) for slug in one.services]
        ticked, title = one.first, one.title.say(here.lang)
    else:
        raise Problem("api.not_found")
    papers = {service.slug: walk.to_bring(service, here.lang) for service in found}
    return here.page(
        "counter/event.html", label=title, services=found, ticked=ticked, papers=papers
    )


@act("/counter/drafts")
def begin(here: Here, form: Form) -> Response[Any]:
    """Begin the forms of the services that were ticked."""
    nik = "".join(form.get("nik").split())
    folder = here.central.counter.begin(here.me, form.all("service"), nik[:16])
    return here.go(_at(folder))


@act("/counter/requests/{record:str}/correct")
def correct(here: Here, form: Form, record: str) -> Response[Any]:
    """Correct a returned request whose citizen came to the office."""
    del form
    return here.go(_at(here.central.counter.correct(here.me, record)))


# -- one folder


@show("/counter/drafts/{name:str}")
def tasks(here: Here, name: str) -> Response[Any]:
    """The task list."""
    folder = _open(here, name)
    if folder.became:
        return here.go(_at(folder, "done"))
    looked = topics.look(folder)
    listed = topics.topics_of(folder, looked, here.lang)
    return here.page(
        "counter/tasks.html",
        folder=folder,
        base=_at(folder),
        label=_title(here, folder),
        groups=walk.grouped(looked, listed, here.lang),
        adds=walk.adds(folder, looked, here.lang),
        documents=walk.papers_state(looked),
        done=sum(one.state == "done" for one in listed),
        count=len(listed),
    )


@show("/counter/drafts/{name:str}/{number:int}/{section:str}/{row:int}")
def topic(here: Here, name: str, number: int, section: str, row: int) -> Response[Any]:
    """One page of questions."""
    folder = _open(here, name)
    if folder.became:
        return here.go(_at(folder, "done"))
    looked = topics.look(folder)
    page = walk.topic_at(folder, looked, number, section, row, here.lang)
    return _draw(here, folder, looked, page, checked=here.asked("look") == "1")


@act("/counter/drafts/{name:str}/{number:int}/{section:str}/{row:int}")
def keep(here: Here, form: Form, name: str, number: int, section: str, row: int) -> Response[Any]:
    """Save a page. Right answers lead to the next page, others back to this one with what is
    wrong; either way everything typed is kept."""
    folder = _open(here, name)
    if folder.became:
        return here.go(_at(folder, "done"))
    looked = topics.look(folder)
    page = walk.topic_at(folder, looked, number, section, row, here.lang)
    wish, counter = form.get("do"), here.central.counter
    if not _is_newest(folder, form):
        return _draw(here, folder, looked, page, checked=False, form=form)
    if wish == walk.REMOVE:
        counter.put(here.me, folder, topics.emptied(folder, page))
        return here.go(_at(folder), here.say("{title} dihapus.", title=page.title))
    folder = _write(here, folder, looked, page, form)
    looked = topics.look(folder)
    if walk.stops_at(looked, page) and wish != walk.LATER:
        return here.go(_at(folder, f"{page.address}?look=1"))
    if wish == walk.ADD:
        more = topics.may_add(looked[page.number], section)
        return here.go(_at(folder, f"{number}/{section}/{more}" if more else ""))
    return here.go(_at(folder, walk.next_page(topics.topics_of(folder, looked, here.lang), page)))


@act("/counter/drafts/{name:str}/{number:int}/{section:str}/{row:int}/save")
def save(here: Here, form: Form, name: str, number: int, section: str, row: int) -> Response[Any]:
    """Save while typing: asked by htmx on leaving each field. Says when, and the new version."""
    folder = _open(here, name)
    if folder.became or not _is_newest(folder, form):
        raise Problem("draft.moved")
    looked = topics.look(folder)
    page = walk.topic_at(folder, looked, number, section, row, here.lang)
    folder = _write(here, folder, looked, page, form)
    return here.page("counter/saved.html", folder=folder)


@show("/counter/drafts/{name:str}/documents")
def documents(here: Here, name: str) -> Response[Any]:
    """The papers the citizen brought."""
    folder = _open(here, name)
    if folder.became:
        return here.go(_at(folder, "done"))
    papers = walk.papers_asked([sheet.service for sheet in folder.sheets], here.lang)
    brought = {code for sheet in folder.sheets for code in sheet.wanted.documents}
    return here.page(
        "counter/documents.html", folder=folder, base=_at(folder), papers=papers, brought=brought
    )


@act("/counter/drafts/{name:str}/documents")
def brought(here: Here, form: Form, name: str) -> Response[Any]:
    """Save which papers were brought."""
    folder = _open(here, name)
    if folder.became:
        return here.go(_at(folder, "done"))
    given = set(form.all("paper"))
    fitting = {
        number: sorted(given & {paper.code for paper in sheet.service.documents})
        for number, sheet in enumerate(folder.sheets)
    }
    return here.go(_at(here.central.counter.put(here.me, folder, {}, fitting)))


@show("/counter/drafts/{name:str}/check")
def check(here: Here, name: str) -> Response[Any]:
    """All answers once more, what is missing or doubtful, the declaration."""
    folder = _open(here, name)
    return here.go(_at(folder, "done")) if folder.became else _draw_check(here, folder)


@act("/counter/drafts/{name:str}/submit")
def submit(here: Here, form: Form, name: str) -> Response[Any]:
    """Take the forms in: one transaction, tracking codes given. A second click finds the first
    one's receipts."""
    folder, counter = _open(here, name), here.central.counter
    if folder.became:
        return here.go(_at(folder, "done"))
    given = {key: texts[0].strip()[:500] for key, texts in form.starting("why|").items()}
    whole = dict.fromkeys(range(len(folder.sheets)), given)
    folder = counter.put(here.me, folder, {}, None, whole)
    if not folder.record and form.get("declared") != "yes":
        return _draw_check(here, folder, Problem("request.undeclared"))
    try:
        records = counter.submit(here.me, folder, form.get("reason").strip())
    except Problem as problem:
        if problem.code not in ("request.invalid", "request.nothing_changed", "auth.area"):
            raise
        return _draw_check(here, folder, problem)
    if folder.record:
        return here.go(HOME, here.say("Perbaikan tersimpan; berkas diperiksa lagi."))
    del records
    return here.go(_at(folder, "done"))


@show("/counter/drafts/{name:str}/done")
def done(here: Here, name: str) -> Response[Any]:
    """The receipts."""
    folder = _open(here, name)
    slips = [here.central.counter.receipt(here.me, r.hex(), here.lang) for r in folder.became]
    if not slips:
        return here.go(_at(folder))
    return here.page("counter/done.html", slips=[(slip, _qr(slip.token)) for slip in slips])


@show("/counter/requests/{record:str}/receipt.pdf")
def printed(here: Here, record: str) -> Response[bytes]:
    """The receipt on A4, twice: for the citizen and for the office's file."""
    from models.printing import pdf  # half a second, and only to print

    slip = here.central.counter.receipt(here.me, record, here.lang)
    told = receipt_of(slip, catalogue().service(slip.service), here.me.name, 0, (), "")
    document: Document = receipt_document(told, here.lang)
    return here.file(pdf.pdf(document), f"bukti-{slip.code}.pdf", inline=True)


@show("/counter/drafts/{name:str}/drop")
def ask_drop(here: Here, name: str) -> Response[Any]:
    """Is it meant?"""
    folder = _open(here, name)
    return here.page("counter/drop.html", base=_at(folder), label=_title(here, folder))


@act("/counter/drafts/{name:str}/drop")
def drop(here: Here, form: Form, name: str) -> Response[Any]:
    """Throw the forms away."""
    del form
    here.central.counter.drop(here.me, from_text(name, "draft"))
    return here.go(HOME, here.say("Draf dihapus."))


# -- how it is done


def _allowed(here: Here) -> None:
    """Problem auth.forbidden for who takes nothing in; the room asks again."""
    if not here.may(Act.TAKE_IN):
        raise Problem("auth.forbidden", act=Act.TAKE_IN.value)


def _open(here: Here, text: str) -> Folder:
    """A draft. Problem draft.unknown."""
    try:
        name = from_text(text, "draft")
    except Problem:
        raise Problem("draft.unknown", draft=text[:32]) from None
    return here.central.counter.open(here.me, name)


def _is_newest(folder: Folder, form: Form) -> bool:
    """Whether no other window saved since this page was drawn."""
    same = bool(folder.kept.window) and form.get("window") == folder.kept.window
    return same or form.get("version") == str(folder.version)


def _write(here: Here, folder: Folder, looked: Sequence[Looked], page: Topic, form: Form) -> Folder:
    answers = topics.answered(folder, looked, page, form)
    why = topics.reasons_in(page, form)
    return here.central.counter.put(here.me, folder, answers, None, why, form.get("window"))


def _at(folder: Folder, part: str = "") -> str:
    return f"{HOME}/drafts/{folder.name.hex()}/{part}".rstrip("/")


def _title(here: Here, folder: Folder) -> str:
    return " + ".join(sheet.service.title.say(here.lang) for sheet in folder.sheets)


def _qr(text: str) -> str:
    """The code of a receipt as SVG without style attributes, for the page."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", xmldecl=False, svgns=True, border=2)
    return drawn.getvalue().decode()


def _draw(
    here: Here,
    folder: Folder,
    looked: Sequence[Looked],
    page: Topic,
    checked: bool,
    form: Form | None = None,
) -> Response[str]:
    """form: what was typed in a window that another one has overtaken; it is shown beside."""
    return here.page(
        "counter/topic.html",
        status=200 if form is None else 409,
        base=_at(folder),
        window=secrets.token_hex(4),
        **walk.page_values(folder, looked, page, here.lang, checked, form),
    )


def _draw_check(here: Here, folder: Folder, problem: Problem | None = None) -> Response[str]:
    looked = topics.look(folder)
    listed = topics.topics_of(folder, looked, here.lang)
    checks = here.central.counter.check(here.me, folder)
    stops, doubts = walk.to_mend(folder, listed, checks, _at(folder), here.lang)
    return here.page(
        "counter/check.html",
        status=422 if problem is not None else 200,
        folder=folder,
        base=_at(folder),
        groups=walk.answers_of(looked, listed, here.lang),
        changed=_changed(here, folder, checks[0].answers),
        stops=stops,
        doubts=doubts,
        problem=problem,
        papers=walk.papers_brought(looked, here.lang),
    )


def _changed(here: Here, folder: Folder, now: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Question, old and new answer of a correction. now: the answers in their normal form."""
    if not folder.record:
        return []
    before = folder.kept.before
    keys = sorted(before.keys() | now.keys())
    differing = {k: now.get(k) for k in keys if (before.get(k) or None) != (now.get(k) or None)}
    return walk.changes_of(folder.sheets[0].service, before, differing, here.lang)


HANDLERS = [
    start, event, begin, correct, tasks, topic, keep, save, documents, brought, check, submit, done,
    printed, ask_drop, drop,
]  # fmt: skip
