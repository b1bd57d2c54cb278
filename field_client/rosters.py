"""Rosters at the desk: a sheet is read and kept, searched, and told whom to look for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from field_client.desk import Desk
from field_client.vault.roster import Kept
from models import regions
from models.roster.reading import RosterReport, read_roster, roster_of
from models.roster.residents import Resident
from models.roster.sheets import sheets_in
from models.roster.source import RosterSource, check_source
from models.roster.targets import Targets, target_list


class Imported(msgspec.Struct, frozen=True):
    """changed: False where this very list was here already, or for a trial. about_village: the list
    names the village it was imported for; None where it names none."""

    report: RosterReport
    changed: bool
    about_village: bool | None


def import_file(desk: Desk, file: Path, terms: RosterSource, *, dry_run: bool = False) -> Imported:
    """Read a sheet and keep it: whole, or nothing of it. Problems: roster.*, disk.*."""
    wrong = check_source(terms, desk.today())
    if wrong:
        raise wrong[0]
    roster = read_roster(file, as_of=terms.list_date)
    changed = not dry_run and desk.store.roster.take_in(terms, roster.residents)
    village = regions.region(terms.village)
    names = [village.name] if village is not None else []
    names += [village.former] if village is not None and village.former else []
    return Imported(roster.report, changed, roster.report.is_about(names))


def import_bytes(desk: Desk, data: bytes, terms: RosterSource) -> Imported:
    """The same of a sheet that came by stick, which never touches the disk unsealed."""
    wrong = check_source(terms, desk.today())
    if wrong:
        raise wrong[0]
    roster = roster_of(sheets_in(lambda _: data, terms.source), as_of=terms.list_date)
    changed = desk.store.roster.take_in(terms, roster.residents)
    return Imported(roster.report, changed, None)


def search(desk: Desk, text: str, limit: int) -> list[tuple[Resident, str]]:
    """Residents with the code of their village: by NIK, by family card, or by name."""
    roster, today = desk.store.roster, desk.today()
    digits = "".join(sign for sign in text if sign.isascii() and sign.isdigit())
    if len(digits) == 16:
        found = roster.by_nik(digits, today) or roster.by_kk(digits, today)
    else:
        found = roster.search(text, today, limit)
    villages = {kept.number: kept.source.village for kept in roster.lists()}
    return [(one.resident, villages.get(one.roster, "")) for one in found[:limit]]


def targets(desk: Desk, village: str) -> Iterator[tuple[Kept, Targets]]:
    """The target list of every roster held, or of one village's."""
    today = desk.today()
    for kept in desk.store.roster.lists():
        if not village or kept.source.village == village:
            yield kept, target_list(desk.store.roster.residents(kept.number, today), today)
