"""Services: what is offered, in which edition and since when, and each form as a clerk sees it."""

from __future__ import annotations

import msgspec
from litestar import Response

from models import typed
from models.pages import topics, walk
from models.pages.fields import Drawn
from models.pages.forms import whole
from models.pages.topics import Looked
from models.problems import Problem
from models.services import Service, catalogue
from server.counter import Folder, Forms, Sheet, Written
from server.database.packages import Published
from server.pages.drawing import Here
from server.pages.routes import show

Pages = list[tuple[str, list[Drawn], list[Drawn]]]
"""Title, the questions asked now, those that only some people need."""


@show("/services")
def listing(here: Here) -> Response[str]:
    """Every service with its edition and since when it holds."""
    since = here.central.reference.since()
    known = {one.service: one for one in catalogue().editions()}
    rows = [(service, known[service.slug], _since(since, service)) for service in _all()]
    return here.page("services/list.html", rows=rows)


@show("/services/{slug:str}")
def service(here: Here, slug: str) -> Response[str]:
    """One service: what is promised, what is brought, and its form. `filled`: with the example of
    its file; `edition`: an earlier one."""
    form = catalogue().service(slug[:60], whole(here.asked("edition")))
    filled = here.asked("filled") == "1"
    (looked,) = topics.look(_folder(form, filled))
    known = {one.service: one for one in catalogue().editions()}
    return here.page(
        "services/service.html",
        service=form,
        known=known[form.slug],
        since=_since(here.central.reference.since(), form),
        pages=_pages(here, form, looked, filled),
        papers=walk.to_bring(form, here.lang),
        filled=filled,
        problems=[one.words(here.lang) for one in looked.checked.problems if one.stops and filled],
    )


def _all() -> list[Service]:
    return sorted(catalogue().services(), key=lambda one: (one.group, one.slug))


def _since(since: dict[str, Published], form: Service) -> Published | None:
    """The package that brought this edition; None for one that came with the program."""
    now = catalogue().service(form.slug)
    return since.get(f"services/{form.slug}.toml") if now.edition == form.edition else None


def _folder(form: Service, filled: bool) -> Folder:
    """Forms of nobody, to be looked at. They are kept nowhere."""
    answers = {}
    if filled:
        example = msgspec.to_builtins(form.example.answers)
        answers = typed.flatten(form.plan, example, lambda *_, **__: None)
    papers = form.example.documents if filled else ()
    written = Written(form.slug, answers, papers, form.example.reasons if filled else {})
    day = form.example.day
    return Folder(bytes(16), 1, 0, day, Forms((written,), 0), (Sheet(written, form),))


def _pages(here: Here, form: Service, looked: Looked, filled: bool) -> Pages:
    """Every page of the form."""
    folder = _folder(form, filled)
    found: Pages = []
    for topic in topics.topics_of(folder, [looked], here.lang):
        now, rare = topics.questions(folder, [looked], topic, here.lang, checked=False)
        found.append((topic.title, now, rare))
    if not found:
        raise Problem("api.not_found")
    return found


HANDLERS = [listing, service]
