"""Onward: what still has to leave the laptop, request by request, and where each is."""

from __future__ import annotations

import msgspec

from field_client import shown
from field_client.vault.custody import EXPORTED
from field_client.vault.requests import LIST_MAX, Line
from field_client.vault.store import Store
from models.words import say, size


class Onward(msgspec.Struct, frozen=True):
    """A request of which something is on this laptop alone. stage: in words. files, bytes: of its
    papers and photographs that central lacks."""

    line: Line
    title: str
    stage: str
    files: int
    bytes: int

    def files_words(self, lang: str) -> str:
        """`3 (410 kB)`."""
        return f"{self.files} ({size(self.bytes, lang)})" if self.files else "–"


def onward(store: Store, lang: str, limit: int) -> tuple[list[Onward], int]:
    """Newest first: entries that central has not proved to hold, then those of which only files
    are missing there; of the newest requests of this laptop. At most `limit`, and how many more."""
    files = store.attached.left_by_request()
    lines = store.requests.newest(own=True, limit=LIST_MAX)
    waiting = [line for line in lines if line.unsent or line.record in files]
    waiting.sort(key=lambda line: not line.unsent)
    carried = _carried(store)
    found = []
    for line in waiting[:limit]:
        n, bytes_ = files.get(line.record, (0, 0))
        stage = _stage(store, line, carried, lang)
        title = shown.title(line.service, None, lang)
        found.append(Onward(line, title, stage, n, bytes_))
    return found, max(0, len(waiting) - limit)


def _carried(store: Store) -> dict[bytes, int]:
    """Log -> the last of its entries that went out by stick."""
    found: dict[bytes, int] = {}
    for one in store.custody.of(EXPORTED):
        found[one.slip.log] = max(found.get(one.slip.log, 0), one.slip.last)
    return found


def _stage(store: Store, line: Line, carried: dict[bytes, int], lang: str) -> str:
    if not line.unsent:
        return say("data sampai di pusat, lampiran belum", lang)
    picture = store.requests.picture(line.record) if carried else None
    mine = [one for one in picture.own if not one.sent] if picture is not None else []
    if mine and all(one.seq <= carried.get(one.log, 0) for one in mine):
        return say("dibawa kurir", lang)
    return say("antre kirim", lang)
