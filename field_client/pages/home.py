"""Home: the first page after the PIN, and the sync bar that every page asks for now and then."""

from __future__ import annotations

from litestar import Response

from field_client import asked
from field_client.pages.drawing import Here
from field_client.pages.routes import show
from field_client.shown import title
from field_client.vault.drafts import Draft

DRAFTS_SHOWN = 5


@show("/")
def home(here: Here) -> Response[str]:
    """Three big tiles, what was begun and not finished, how today stands."""
    standing = here.store.standing()
    drafts = here.store.drafts.of(here.counter.operator)
    return here.page(
        "home.html",
        standing=standing,
        returned=standing.requests.get("needs_correction", 0),
        asked=len(asked.waiting(here.desk, here.lang)),
        files=here.store.attached.left(),
        drafts=[(draft, _title(here, draft)) for draft in drafts[:DRAFTS_SHOWN]],
        drafts_left=max(0, len(drafts) - DRAFTS_SHOWN),
    )


@show("/bar")
def bar(here: Here) -> Response[str]:
    """The sync bar alone; nothing (204) while it is as it was."""
    if here.bar is not None and here.bar.mark == here.asked("was"):
        return Response("", status_code=204)
    return here.page("parts/bar.html")


def _title(here: Here, draft: Draft) -> str:
    return title(draft.service, None, here.lang)


HANDLERS = [home, bar]
