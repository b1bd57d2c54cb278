"""Opening: the folder of forms that an address names."""

from __future__ import annotations

from field_client import folder as folders
from field_client.folder import Folder
from field_client.pages.drawing import Here
from field_client.pages.requests import record_id
from models.problems import Problem


def name_of(text: str) -> bytes:
    """A folder's name from an address. Problem draft.unknown."""
    try:
        return record_id(text)
    except Problem:
        raise Problem("draft.unknown", draft=text[:32]) from None


def opened(here: Here, text: str) -> Folder | None:
    """The folder; None for one that was submitted meanwhile. Problem draft.unknown."""
    name = name_of(text)
    try:
        return folders.open_folder(here.desk, name)
    except Problem as problem:
        was = name in here.request.app.state.corrected or folders.taken_from(here.desk, name)
        if problem.code == "draft.unknown" and was:
            return None
        raise
