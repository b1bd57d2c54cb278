"""Walking a list line by line: who speaks of a person, who of a family, and who of nobody."""

import re
from collections.abc import Mapping
from itertools import pairwise

import msgspec

from models.roster import cells, headings, labels, lexicon
from models.roster.headings import Layout
from models.roster.sheets import Cell, Row, Sheet

_FAMILY_FIELDS = ("kk", "address", "rt", "rw", "rt_rw", "dusun")


class Entry(msgspec.Struct, frozen=True):
    """One line about a person: its cells by field, and what its family's line said.

    carried: the family was taken from the line above, as where one merged cell stands for all
    members. dashes: cells that hold a dash, NULL or the like, which say nothing.
    """

    row: int
    cells: dict[str, Cell]
    family: dict[str, Cell]
    carried: bool = False
    dashes: int = 0


class Walk(msgspec.Struct):
    """Everything found in one sheet. other: row numbers of lines that speak of nobody."""

    entries: list[Entry] = []
    families: int = 0
    other: list[int] = []
    region: dict[str, str] = {}


def walk(sheet: Sheet, layout: Layout) -> Walk:
    """Reads the sheet from its first heading down; what stands above may name the place."""
    found = Walk()
    columns, family_columns = layout.columns, layout.family
    family: dict[str, Cell] = {}
    rows, index = sheet.rows, 0
    while index < len(rows):
        row = rows[index]
        if row.number < layout.start:
            found.region.update(labels.region(row.cells))
            index += 1
            continue
        block = headings.block_at(rows, index)
        index += len(block.rows) if block else 1
        if block and block.names_people:
            if row.number > layout.start:
                columns = headings.settle(block.found, rows[index:])
        elif block:
            family_columns = block.family if block.names_family else family_columns
        elif line := _family_line(row, columns, family_columns):
            family = line
            found.families += 1
        else:
            _take(row, columns, family, found)
    return found


def _take(row: Row, columns: Mapping[str, int], family: dict[str, Cell], found: Walk) -> None:
    entry = _person(row, columns, family, found.entries[-1] if found.entries else None)
    if entry:
        found.entries.append(entry)
    elif any(map(cells.filled, row.cells)) and not (
        _is_numbering(row) or _rest_of_a_word(row, columns, found)
    ):
        found.other.append(row.number)


# --- families -------------------------------------------------------------------------------------


def _family_line(
    row: Row, columns: Mapping[str, int], family_columns: Mapping[str, int]
) -> dict[str, Cell]:
    """What a family's line says (kk, address, rt, rw, dusun); empty when it is no such line.

    Either its words say so ("No. KK : ..."), or it holds one family-card number and nothing that
    only a person has.
    """
    said: dict[str, Cell] = {**labels.family(row.cells)}
    if said:
        return said
    if "kk" in columns:
        return {}  # every line names its own family card
    numbers = [column for column, cell in enumerate(row.cells) if _is_long_number(cell)]
    if len(numbers) != 1 or _has_a_persons_data(row, columns):
        return {}
    if not family_columns and numbers[0] == columns.get("nik"):
        return {}
    return _under_headings(row, numbers[0], family_columns)


def _under_headings(row: Row, kk: int, family_columns: Mapping[str, int]) -> dict[str, Cell]:
    address = cells.text_of(_at(row, family_columns.get("address")))
    if not address:
        texts = (cells.text_of(cell) for cell in row.cells)
        address = next((text for text in texts if labels.has_place(text)), "")
    line: dict[str, Cell] = {"kk": row.cells[kk], **labels.place(address)}
    for field in ("rt", "rw", "dusun"):
        if cells.filled(_at(row, family_columns.get(field))):
            line[field] = _at(row, family_columns[field])
    return line


def _is_long_number(cell: Cell) -> bool:
    """Sixteen digits, or a number that had them once."""
    found = cells.digits(cell)
    return found.remark == "roster.lost_digits" or (found.text.isdigit() and len(found.text) == 16)


def _has_a_persons_data(row: Row, columns: Mapping[str, int]) -> bool:
    for field in ("sex", "shdk", "religion", "marital"):
        cell = _at(row, columns.get(field))
        if cells.filled(cell) and lexicon.meaning(field, cells.text_of(cell)) is not None:
            return True
    return False


# --- people ---------------------------------------------------------------------------------------


def _person(
    row: Row, columns: Mapping[str, int], family: Mapping[str, Cell], last: Entry | None
) -> Entry | None:
    there = {field: _at(row, column) for field, column in columns.items()}
    found = {field: cell for field, cell in there.items() if cells.filled(cell)}
    dashes = sum(cell is not None for cell in there.values()) - len(found)
    if not _speaks_of_a_person(found) or _is_numbering(row):
        return None
    own_family = "kk" in found or "kk" not in columns or bool(family)
    if last is not None and not own_family and _follows_a_family(found, last):
        above = {**last.family, **last.cells}
        carried = {field: above[field] for field in _FAMILY_FIELDS if field in above}
        return Entry(row.number, found, carried, carried=True, dashes=dashes)
    return Entry(row.number, found, dict(family), dashes=dashes)


def _speaks_of_a_person(found: Mapping[str, Cell]) -> bool:
    """A name with anything that tells who, or a running number; or a NIK without a name."""
    numbers = sum(_digits_in(found.get(field)) >= 10 for field in ("nik", "kk"))
    if not re.search(r"[^\W\d_]", cells.text_of(found.get("name"))):
        return "name" not in found and _digits_in(found.get("nik")) >= 10
    if numbers or found.keys() & {"birth_date", "birth_place_date", "sex_male", "sex_female"}:
        return True
    if cells.text_of(found.get("ordinal")).strip(".").isdigit():
        return True
    return any(
        field in found and lexicon.meaning(field, cells.text_of(found[field])) is not None
        for field in ("sex", "shdk")
    )


def _digits_in(cell: Cell) -> int:
    """How many digits a number cell has or had."""
    found = cells.digits(cell)
    return 16 if found.remark == "roster.lost_digits" else sum(map(str.isdigit, found.text))


def _follows_a_family(found: Mapping[str, Cell], last: Entry) -> bool:
    head = lexicon.meaning("shdk", cells.text_of(found.get("shdk"))) == "1"
    return not head and ("kk" in last.cells or "kk" in last.family)


def _is_numbering(row: Row) -> bool:
    """The line 1 2 3 4 ... that many print-outs have under their headings."""
    texts = [cells.text_of(cell).strip("()") for cell in row.cells if cells.filled(cell)]
    if len(texts) < 3 or not all(text.isdigit() and len(text) < 4 for text in texts):
        return False
    return all(int(after) == int(before) + 1 for before, after in pairwise(texts))


def _rest_of_a_word(row: Row, columns: Mapping[str, int], found: Walk) -> bool:
    """A printer breaks SENT_FOR_CARD_ / PRINTING in two lines: the second belongs to the line
    above.
    """
    here = {field for field, column in columns.items() if cells.filled(_at(row, column))}
    if len(here) != 1 or not here <= {"enrolment", "card"} or not found.entries:
        return False
    (field,) = here
    above = found.entries[-1].cells
    word = cells.text_of(above.get(field))
    if not word or lexicon.meaning("enrolment", word) is not None:
        return False
    above[field] = f"{word} {cells.text_of(_at(row, columns[field]))}"
    return True


def _at(row: Row, column: int | None) -> Cell:
    return row.cells[column] if column is not None and column < len(row.cells) else None
