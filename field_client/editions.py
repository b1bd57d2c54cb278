"""Editions: the forms this laptop works by, as the office published them."""

from __future__ import annotations

from datetime import date

import msgspec

from field_client.vault.packages import Reference
from field_client.vault.store import Store
from models import services
from models.overlay import VISITS_FILE, Visit, read_visits
from sync.known import forget_facts
from sync.reference import Package


class Adopted(msgspec.Struct, frozen=True):
    """Number of the package by which the lists here were made."""

    number: int = 0


def timetable(package: Package | None, today: date) -> list[Visit]:
    """Visits from today on, in their order."""
    data = package.files.get(VISITS_FILE) if package is not None else None
    found = read_visits(data).visit if data is not None else ()
    return sorted((v for v in found if v.day >= today), key=lambda v: (v.day, v.village))


def adopt(store: Store) -> bool:
    """Work by the newest package that is here; True where that is news to this laptop. What was
    begun with an earlier edition is finished with it."""
    here = store.recall(Reference)
    if here is None:
        return False
    package = store.package()
    services.adopt(package.files if package is not None else {})
    forget_facts()
    before = store.recall(Adopted) or Adopted()
    if package is None or before.number == package.number:
        return False
    store.list_unread(Adopted(package.number))
    return True
