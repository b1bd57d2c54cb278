"""A whole file -> the people it lists and an honest account of every line.

    roster = read_roster(path, as_of=list_date)
    roster.residents, roster.report

A file that cannot be read, or in which nobody can be recognised, raises a `Problem` and gives
nothing. A line that cannot be taken is named with its number and the reason; the others are taken.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec

from models.names import key as name_key
from models.problems import Problem, problems
from models.roster import cells, headings, lexicon, lines, residents
from models.roster.headings import Layout
from models.roster.lines import Entry
from models.roster.residents import Habits, Resident
from models.roster.sheets import Limits, Sheet, read_sheets

NOTES_MAX = 1_000
"""Warnings kept with their line numbers; beyond that they are only counted."""

_WANTED = ("nik", "kk", "sex", "birth_date", "marital", "shdk", "address", "enrolment")
_NUMBERS = ("nik", "kk", "father_nik", "mother_nik")
_ZEROS_BY_CHANCE = 0.3  # of honest numbers, a tenth end in 0


class Note(msgspec.Struct, frozen=True):
    """A remark on one line. row: as the spreadsheet program shows it. code: in `problems.toml`.

    other: for a person listed again, the row where they stand first.
    """

    sheet: str
    row: int
    code: str
    field: str = ""
    other: int = 0

    def words(self, lang: str = "id") -> str:
        """What a person reads; never what stood in the cell."""
        details = {"row": self.row, "what": lexicon.label(self.field), "other": self.other}
        return problems()[self.code].words(lang, details)


class RosterReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every line: `read` = `taken` + len(`refused`).

    sheets, ignored_sheets: names. styles: how the sheets were laid out. families: family cards
    seen. counts: warning code -> how often. warnings: the first of them with their lines.
    other_lines: (sheet, row) of filled lines that speak of nobody: totals, signatures. missing:
    wanted fields that no column holds. unknown_headings: headings nobody knows. places: what the
    list itself says about its village, as written.
    """

    sheets: tuple[str, ...]
    ignored_sheets: tuple[str, ...]
    styles: tuple[str, ...]
    read: int
    taken: int
    families: int
    refused: tuple[Note, ...]
    counts: dict[str, int]
    warnings: tuple[Note, ...]
    other_lines: tuple[tuple[str, int], ...]
    missing: tuple[str, ...]
    unknown_headings: tuple[str, ...]
    places: tuple[str, ...]

    def is_about(self, names: Iterable[str]) -> bool | None:
        """Whether the list names a village among `names`; None when it names none at all."""
        if not self.places:
            return None
        wanted = [key for key in (lexicon.key(name, {}) for name in names) if key]
        said = [lexicon.key(place, {}) for place in self.places]
        return any(name in place for name in wanted for place in said)


class Roster(msgspec.Struct, frozen=True):
    """The people of one file and the account of how it was read."""

    residents: tuple[Resident, ...]
    report: RosterReport


class Line(msgspec.Struct, frozen=True):
    """A line that was read: its resident or, with the code of the reason, none."""

    sheet: str
    row: int
    resident: Resident | None
    warnings: list[tuple[str, str]]
    refusal: str


class Read(msgspec.Struct):
    """Gathered while the sheets are walked."""

    lines: list[Line] = []
    layouts: list[Layout] = []
    sheets: list[str] = []
    ignored: list[str] = []
    other: list[tuple[str, int]] = []
    places: dict[str, None] = {}


def read_roster(path: Path, *, as_of: date, limits: Limits | None = None) -> Roster:
    """Everybody in the file. as_of: the day of the list, which tells 1926 from 2026 in "26"."""
    return roster_of(read_sheets(path, limits), as_of=as_of)


def roster_of(sheets: tuple[Sheet, ...], *, as_of: date) -> Roster:
    """Everybody in sheets already read."""
    read = Read()
    for sheet in sheets:
        _read_sheet(sheet, as_of, read)
    if not read.layouts:
        missing = [lexicon.label(field) for field in ("nik", "name", "birth_date")]
        raise Problem("roster.columns", missing=missing, limit=headings.HEADING_SEARCH)
    taken, refused = _once_each(read.lines)
    if not taken:
        raise Problem("roster.empty")
    return Roster(tuple(taken.values()), _report(read, taken, refused))


def _read_sheet(sheet: Sheet, as_of: date, read: Read) -> None:
    layout = headings.recognise(sheet)
    if layout is None:
        read.ignored.append(sheet.name)
        return
    walk = lines.walk(sheet, layout)
    habits = Habits(as_of, _doubtful(walk.entries, sheet), _says_residence(walk.entries))
    read.layouts.append(layout)
    read.sheets.append(sheet.name)
    read.other += [(sheet.name, row) for row in walk.other]
    read.places |= dict.fromkeys(_places(walk))
    for entry in walk.entries:
        resident, warnings, refusal = residents.read(entry, habits)
        read.lines.append(Line(sheet.name, entry.row, resident, warnings, refusal))


def _doubtful(entries: list[Entry], sheet: Sheet) -> frozenset[str]:
    """Number fields in which too many end in 0: Excel keeps 15 digits and writes 0 for the
    sixteenth.

    Looked at are numbers; in text files all, for they may have been numbers before they were saved.
    """
    doubtful = set()
    for field in _NUMBERS:
        found = [cells.digits(e.cells.get(field, e.family.get(field))) for e in entries]
        numbers = [d.text for d in found if len(d.text) == 16 and (d.number or sheet.kind == "csv")]
        ending = sum(text.endswith("0") for text in numbers)
        few = sheet.kind == "csv" and len(numbers) < 5
        if not few and ending > len(numbers) * _ZEROS_BY_CHANCE:
            doubtful.add(field)
    return frozenset(doubtful)


def _says_residence(entries: list[Entry]) -> bool:
    return any("residence" in entry.cells for entry in entries)


def _places(walk: lines.Walk) -> Iterator[str]:
    if village := walk.region.get("village"):
        yield village
    for entry in walk.entries:
        if "village" in entry.cells:
            yield cells.text_of(entry.cells["village"])


# --- everybody once -------------------------------------------------------------------------------


def _once_each(found: list[Line]) -> tuple[dict[tuple[str, int], Resident], list[Note]]:
    """(sheet, row) -> resident with its key, and the refused lines.

    The same person again is refused. Two people under one NIK are both taken, with a warning: which
    of them it belongs to is not ours to say.
    """
    taken: dict[tuple[str, int], Resident] = {}
    refused: list[Note] = []
    sharing: dict[str, set[str]] = {}
    for line in found:
        if line.resident and line.resident.nik:
            sharing.setdefault(line.resident.nik, set()).add(name_key(line.resident.name))
    keys: dict[str, int] = {}
    for line in found:
        if line.resident is None:
            refused.append(Note(line.sheet, line.row, line.refusal))
            continue
        alone = len(sharing.get(line.resident.nik, ())) <= 1
        person = residents.with_key(line.resident, nik_is_alone=alone)
        if person.key in keys:
            first = keys[person.key]
            refused.append(Note(line.sheet, line.row, "roster.row_twice", other=first))
            continue
        keys[person.key] = line.row
        taken[line.sheet, line.row] = person
        if not alone:
            line.warnings.append(("nik", "roster.row_nik_shared"))
    return taken, refused


def _report(
    read: Read, taken: dict[tuple[str, int], Resident], refused: list[Note]
) -> RosterReport:
    notes = [
        Note(line.sheet, line.row, code, field)
        for line in read.lines
        if (line.sheet, line.row) in taken
        for field, code in line.warnings
    ]
    columns = {field for layout in read.layouts for field in (*layout.columns, *layout.family)}
    said = {
        field
        for person in taken.values()
        for field in _WANTED
        if getattr(person, field) not in ("", None, "unknown")
    }
    return RosterReport(
        sheets=tuple(read.sheets),
        ignored_sheets=tuple(read.ignored),
        styles=tuple(layout.style for layout in read.layouts),
        read=len(read.lines),
        taken=len(taken),
        families=len({person.kk for person in taken.values() if person.kk}),
        refused=tuple(sorted(refused, key=lambda note: (note.sheet, note.row))),
        counts=dict(Counter(note.code for note in notes)),
        warnings=tuple(notes[:NOTES_MAX]),
        other_lines=tuple(read.other[:NOTES_MAX]),
        missing=tuple(field for field in _WANTED if field not in columns | said),
        unknown_headings=tuple(dict.fromkeys(h for x in read.layouts for h in x.ignored)),
        places=tuple(read.places)[:20],
    )
