"""Writing a table of cells as a real spreadsheet file, the way other people's programs do."""

from __future__ import annotations

import csv
import zipfile
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec
import xlsxwriter  # type: ignore[import-untyped]
import xlwt

Cell = str | int | float | date | None

_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{path}:1.0"'
    for name, path in (("office", "office"), ("table", "table"), ("text", "text"))
)


class Grid(msgspec.Struct):
    """Rows of cells from A1 on. merges: (first row, first column, last row, last column) from 0."""

    rows: list[list[Cell]] = []
    merges: list[tuple[int, int, int, int]] = []
    sheet: str = "Sheet1"

    def add(self, *cells: Cell) -> int:
        """Appends a row and gives its number as the spreadsheet program shows it."""
        self.rows.append(list(cells))
        return len(self.rows)


def save(path: Path, *grids: Grid, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Writes the grids, one a sheet; the suffix of `path` says as what. CSV takes the first."""
    match path.suffix:
        case ".xlsx":
            _save_xlsx(path, grids)
        case ".xls":
            _save_xls(path, grids)
        case ".ods":
            _save_ods(path, grids)
        case _:
            _save_csv(path, grids[0], delimiter, encoding)
    return path


def _save_xlsx(path: Path, grids: tuple[Grid, ...]) -> None:
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for grid in grids:
        sheet = book.add_worksheet(grid.sheet)
        for top, left, bottom, right in grid.merges:
            sheet.merge_range(top, left, bottom, right, "")
        for row, cells in enumerate(grid.rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, cell, day)
                elif isinstance(cell, int | float):
                    sheet.write_number(row, column, cell)
                elif cell:
                    sheet.write_string(row, column, cell)
    book.close()


def _save_xls(path: Path, grids: tuple[Grid, ...]) -> None:
    book = xlwt.Workbook()
    day = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for grid in grids:
        sheet = book.add_sheet(grid.sheet)
        hidden = {
            (row, column)
            for top, left, bottom, right in grid.merges
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
        }
        for top, left, bottom, right in grid.merges:
            sheet.write_merge(top, bottom, left, right, grid.rows[top][left])
        for row, cells in enumerate(grid.rows):
            for column, cell in enumerate(cells):
                if cell is None or (row, column) in hidden:
                    continue
                if isinstance(cell, date):
                    sheet.write(row, column, cell, day)
                else:
                    sheet.write(row, column, cell)
    book.save(str(path))


def _save_csv(path: Path, grid: Grid, delimiter: str, encoding: str) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        for cells in grid.rows:
            writer.writerow(
                f"{cell:%d/%m/%Y}" if isinstance(cell, date) else cell for cell in cells
            )


def _save_ods(path: Path, grids: tuple[Grid, ...]) -> None:
    """The least an OpenDocument spreadsheet needs."""
    sheets = "".join(
        f'<table:table table:name="{escape(grid.sheet)}">'
        + "".join(f"<table:table-row>{_ods_cells(cells)}</table:table-row>" for cells in grid.rows)
        + "</table:table>"
        for grid in grids
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS_NAMES} '
        f'office:version="1.2"><office:body><office:spreadsheet>{sheets}</office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("mimetype", _ODS, zipfile.ZIP_STORED)
        parts.writestr("content.xml", content)
        parts.writestr("META-INF/manifest.xml", manifest)


def _ods_cells(cells: list[Cell]) -> str:
    found = []
    for cell in cells:
        if cell is None or cell == "":
            found.append("<table:table-cell/>")
        elif isinstance(cell, date):
            found.append(_ods_cell("date", f'office:date-value="{cell}"', f"{cell:%d/%m/%Y}"))
        elif isinstance(cell, int | float):
            found.append(_ods_cell("float", f'office:value="{cell}"', str(cell)))
        else:
            found.append(_ods_cell("string", "", cell))
    return "".join(found)


def _ods_cell(kind: str, value: str, text: str) -> str:
    return (
        f'<table:table-cell office:value-type="{kind}" {value}>'
        f"<text:p>{escape(text)}</text:p></table:table-cell>"
    )
