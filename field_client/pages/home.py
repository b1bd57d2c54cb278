"""Home: the first page after the PIN, and the sync bar that every page asks for now and then."""

from __future__ import annotations

from litestar import Response

from field_client import asked, folder, readiness, shortcuts, visit
from field_client.pages.drawing import Here
from field_client.pages.routes import show
from field_client.pages.settling import actions
from field_client.printing.lists import day_of
from field_client.shown import title
from models.regions import full_name

BEGUN_SHOWN, DAY_MAX = 5, 200


@show("/")
def home(here: Here) -> Response[str]:
    """Three big tiles, what was begun and not finished, how today stands."""
    standing, begun = here.store.standing(), folder.begun(here.desk, BEGUN_SHOWN)
    return here.page(
        "home.html",
        standing=standing,
        returned=standing.requests.get("needs_correction", 0),
        asked=len(asked.waiting(here.desk, here.lang)),
        files=here.store.attached.left(),
        begun=[(one, titles(here, one)) for one in begun],
        begun_left=max(0, here.store.drafts.count(here.desk.operator.name) - BEGUN_SHOWN),
        today=_today(here),
        visit=_visit(here),
        backup=readiness.backup(here.house, here.lang),
    )


def titles(here: Here, one: folder.Begun) -> str:
    """The services of a line."""
    return " + ".join(title(service, None, here.lang) for _, service in one.forms)


def _today(here: Here) -> str:
    """How many requests were taken in today: of the newest, which is all that a day holds."""
    newest, today = here.store.requests.newest(own=True, limit=DAY_MAX), here.desk.today()
    count = sum(day_of(line.at) == today for line in newest)
    return f"{count}+" if count == DAY_MAX else str(count)


def _visit(here: Here) -> str:
    """Where the open visit is, "" for none."""
    now = visit.current(here.store)
    return full_name(now.plan.village) if now is not None else ""


@show("/help")
def help_(here: Here) -> Response[str]:
    """How a citizen is served, what to do when something is wrong, and the keys."""
    mine = shortcuts.chosen(here.store, here.counter.operator)
    keys = [one for one in actions(here) if mine.get(one[0]) != shortcuts.OFF]
    return here.page("help.html", keys=keys)  # the operator's own ones are put in on the way out


@show("/bar")
def bar(here: Here) -> Response[str]:
    """The sync bar alone; nothing (204) while it is as it was."""
    if here.bar is not None and here.bar.mark == here.asked("was"):
        return Response("", status_code=204)
    return here.page("parts/bar.html")


HANDLERS = [home, help_, bar]
