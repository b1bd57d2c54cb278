"""Which column holds what, told from the headings and never from the position.

A heading may take up to three rows ("ORANG TUA" over "AYAH" and "IBU"), may come again on every
printed page, and in books of families the line of a family may have headings of its own.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from models.roster import cells, labels, lexicon
from models.roster.sheets import Row, Sheet

HEADING_ROWS = 3
HEADING_SEARCH = 80
"""The first heading must appear within so many filled rows."""

_SAMPLE = 60
"""Filled cells looked at to decide what a vague heading such as "STATUS" means."""

_TELLS_WHO = frozenset({"nik", "birth_date", "birth_place_date", "sex", "sex_male", "shdk"})

Found = Mapping[int, tuple[str, ...]]
"""Column (0 = A) -> fields its heading may mean."""


class Layout(msgspec.Struct, frozen=True):
    """columns: field -> column of the lines of people. start: row number of the first heading.

    style: "opensid", "siak", "families" or "columns"; for people to read, nothing hangs on it.
    family: field -> column where the line of a family has headings of its own.
    ignored: headings nobody knows.
    """

    columns: dict[str, int]
    start: int
    style: str
    family: dict[str, int] = {}
    ignored: tuple[str, ...] = ()


class Block(msgspec.Struct, frozen=True):
    """Rows that are headings together."""

    rows: tuple[Row, ...]
    found: dict[int, tuple[str, ...]]
    ignored: tuple[str, ...]

    @property
    def names_people(self) -> bool:
        """Whether lines of people follow: a name, something telling who, three columns in all."""
        fields = {field for fields in self.found.values() for field in fields}
        return "name" in fields and bool(fields & _TELLS_WHO) and len(self.found) >= 3

    @property
    def names_family(self) -> bool:
        """Whether the line of a family follows: the card's number, but nobody's data."""
        fields = {field for fields in self.found.values() for field in fields}
        return "kk" in fields and not fields & (_TELLS_WHO | {"name"}) and len(self.found) >= 2

    @property
    def family(self) -> dict[str, int]:
        """field -> column of the family's line."""
        return {fields[0]: column for column, fields in self.found.items()}


def recognise(sheet: Sheet) -> Layout | None:
    """The layout of the sheet, or None when no row reads like headings of a resident list."""
    family: dict[str, int] = {}
    start = 0
    rows = sheet.rows[:HEADING_SEARCH]
    index = 0
    while index < len(rows):
        block = block_at(rows, index)
        if block is None:
            index += 1
            continue
        index += len(block.rows)
        if block.names_people:
            columns = settle(block.found, sheet.rows[index:])
            start = start or block.rows[0].number
            return Layout(columns, start, _style(block, family, sheet), family, block.ignored)
        if block.names_family:
            family, start = block.family, start or block.rows[0].number
    return None


def block_at(rows: tuple[Row, ...], index: int) -> Block | None:
    """The heading that begins at `rows[index]`, or None when that row is none."""
    if not _is_heading(rows[index]):
        return None
    first = _block(rows[index : index + 1])
    if first.names_family:
        return first  # what stands below are the headings of its members
    size = 1
    while (
        size < HEADING_ROWS
        and index + size < len(rows)
        and rows[index + size].number == rows[index].number + size
        and _continues(rows[index : index + size], rows[index + size])
    ):
        size += 1
    return _block(rows[index : index + size])


def settle(found: Found, rows: tuple[Row, ...]) -> dict[str, int]:
    """field -> one column. A vague heading takes the meaning that fits the cells of `rows` best."""
    settled: dict[str, int] = {}
    for column, fields in found.items():
        if len(fields) == 1:
            settled.setdefault(fields[0], column)
    for column, fields in found.items():
        if len(fields) > 1:
            fits = {f: _fit(f, column, rows) for f in fields if f not in settled}
            best = max(fits, key=lambda field: fits[field], default="")
            if best and fits[best] > 0.5:
                settled[best] = column
    return settled


def _is_heading(row: Row) -> bool:
    """Whether at least two cells, and a third of all, are headings we know."""
    texts = _words(row)
    known = sum(bool(lexicon.heading_fields(text)) for text in texts.values())
    return known >= 2 and known * 3 >= len(texts)


def _continues(above: tuple[Row, ...], row: Row) -> bool:
    """Whether half of the cells are headings, alone or together with the words above them."""
    texts = _words(row)
    known = 0
    for column, text in texts.items():
        parts = [*_heading_words((*above, row), column)]
        spellings = (" ".join(parts[start:]) for start in range(len(parts)))
        known += text in parts and any(map(lexicon.heading_fields, spellings))
    return known >= 1 and known * 2 >= len(texts)


def _words(row: Row) -> dict[int, str]:
    """Column -> text; empty when a cell is a number, a day or a label, as no heading is."""
    texts: dict[int, str] = {}
    for column, cell in enumerate(row.cells):
        if cell is None:
            continue
        if not isinstance(cell, str) or len(cell) > 60 or cell.rstrip().endswith(":"):
            return {}
        if len(re.sub(r"\D", "", cell)) > 4:
            return {}
        texts[column] = cells.text_of(cell)
    return texts


def _block(rows: tuple[Row, ...]) -> Block:
    found: dict[int, tuple[str, ...]] = {}
    ignored: list[str] = []
    for column in range(max(len(row.cells) for row in rows)):
        parts = _heading_words(rows, column)
        fields = next(filter(None, map(lexicon.heading_fields, _spellings(parts))), ())
        if fields:
            found[column] = fields
        elif parts:
            ignored.append(" ".join(parts))
    return Block(rows, found, tuple(ignored))


def _heading_words(rows: tuple[Row, ...], column: int) -> list[str]:
    """The words over a column from the top; an upper one also spans the blanks to its right."""
    parts: list[str] = []
    for level, row in enumerate(rows):
        text = _text(row, column)
        left = column
        while not text and left > 0 and any(_text(lower, column) for lower in rows[level + 1 :]):
            left -= 1
            text = _text(row, left)
        if text:
            parts.append(text)
    return parts


def _text(row: Row, column: int) -> str:
    return cells.text_of(row.cells[column]) if column < len(row.cells) else ""


def _spellings(parts: list[str]) -> Iterator[str]:
    """Longest first, the lower first: "ORANG TUA AYAH", "AYAH", "ORANG TUA"."""
    for size in range(len(parts), 0, -1):
        for start in range(len(parts) - size, -1, -1):
            yield " ".join(parts[start : start + size])


def _fit(field: str, column: int, rows: tuple[Row, ...]) -> float:
    """The share of the column's words that mean something in `field`."""
    texts = [_text(row, column) for row in rows[: _SAMPLE * 3]]
    texts = [text for text in texts if not lexicon.is_blank(text)][:_SAMPLE]
    known = sum(lexicon.meaning(field, text) is not None for text in texts)
    return known / len(texts) if texts else 0.0


def _style(block: Block, family: Mapping[str, int], sheet: Sheet) -> str:
    heads = {lexicon.key(cells.text_of(cell), {}) for row in block.rows for cell in row.cells}
    if {"nokk", "kklevel", "tanggallahir"} <= heads:
        return "opensid"
    if {"nomorkk", "shdk", "petugasregistrasi"} <= heads:
        return "siak"
    if family or any(labels.family(row.cells) for row in sheet.rows):
        return "families"
    return "columns"
