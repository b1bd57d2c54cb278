"""Choosing: from what people come for, in their own words, to the services and a new folder."""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import folder, reserve
from field_client.pages.drawing import Here
from field_client.pages.routes import act, show
from models.events import events
from models.pages.forms import Form
from models.pages.walk import to_bring
from models.problems import Problem
from models.services import catalogue


@show("/serve")
def serve(here: Here) -> Response[str]:
    """What happened? One tile a life event; all services behind the last one."""
    return here.page("serve.html", events=events(), chosen=here.counter.chosen)


@show("/serve/{name:str}")
def event(here: Here, name: str) -> Response[str]:
    """The services that go with an event, what each needs; usual ones are ticked. `all`: every
    service there is."""
    known = catalogue()
    ticked: tuple[str, ...]
    if name == "all":
        found, ticked, title = known.services(), (), here.say("Semua layanan")
    elif name in events():
        one = events()[name]
        found = [known.service(slug) for slug in one.services]
        ticked, title = one.first, one.title.say(here.lang)
    else:
        raise Problem("api.not_found")
    papers = {service.slug: to_bring(service, here.lang) for service in found}
    return here.page(
        "event.html",
        title=title,
        services=found,
        ticked=ticked,
        papers=papers,
        chosen=here.counter.chosen,
    )


@act("/serve/person")
def person(here: Here, form: Form) -> Response[Any]:
    """Somebody who was found: their NIK goes into the next folder. Kept in memory, not in an
    address; no name forgets them."""
    here.counter.chosen = (form.get("nik")[:16], form.get("name")[:100])
    return here.go("/serve")


@act("/drafts")
def begin(here: Here, form: Form) -> Response[Any]:
    """Open a folder for the services that were ticked."""
    reserve.room_for_more(here.counter.place.folder)
    nik = "".join(form.get("nik").split())
    begun = folder.begin(here.desk, form.all("service"), nik[:16])
    here.counter.chosen = ("", "")
    return here.go(f"/drafts/{begun.name.hex()}")


HANDLERS = [serve, event, person, begin]
