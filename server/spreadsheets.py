"""Tables as files for a spreadsheet, in which nothing is ever a formula.

A citizen's name may begin with "=" and a telephone number does begin with "+": opened in a
spreadsheet such a cell would be reckoned, or worse. In XLSX every cell is written as text; in CSV,
which has no types, a cell that a spreadsheet would take for a formula gets an apostrophe in front,
as the spreadsheets' own sign for text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

CELL_MAX = 32_000
"""Letters of a cell; a spreadsheet takes 32,767."""
SHEET_NAME_MAX = 31
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def csv_file(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as CSV: UTF-8 with its mark, so that spreadsheets read the letters right."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([safe(head) for head in heads])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def safe(cell: str) -> str:
    """The cell as it may stand in a CSV file."""
    text = cell[:CELL_MAX]
    return f"'{text}" if text.startswith(FORMULA) else text


def xlsx_file(sheets: Sequence[tuple[str, Sequence[str], Iterable[Sequence[str]]]]) -> bytes:
    """Sheets (name, heads, rows) as XLSX; every cell is text, numbers keep their zeros."""
    import xlsxwriter  # type: ignore[import-untyped]  # not at every start of central

    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(written, options)
    bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    used: set[str] = set()
    for number, (name, heads, rows) in enumerate(sheets, 1):
        sheet = book.add_worksheet(_sheet_name(name, number, used))
        sheet.freeze_panes(1, 0)
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head[:CELL_MAX], bold)
        for line, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                sheet.write_string(line, column, cell[:CELL_MAX], text)
    book.close()
    return written.getvalue()


def _sheet_name(name: str, number: int, used: set[str]) -> str:
    plain = name.translate(_NOT_IN_NAMES).strip()[:SHEET_NAME_MAX] or str(number)
    if plain.lower() in used:
        plain = f"{plain[: SHEET_NAME_MAX - 4]} {number}"
    used.add(plain.lower())
    return plain
