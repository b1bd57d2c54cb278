"""The workbook parser's own process: bytes on standard input, rows as msgpack on standard output.

Started by `sheets` and never imported. It says nothing else: no file names, no content on
standard error, so that nothing of the list can end up in a log.
"""

import contextlib
import io
import os
import sys
from datetime import date, datetime
from typing import Any

import msgspec
import python_calamine

from models.roster.sheets import Limits, Parsed


def main() -> int:
    """Exit code 0 with an answer; anything else, an abort too, means a broken file."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    _bind(limits)
    answer = parse(sys.stdin.buffer.read(), limits)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    sys.stdout.buffer.flush()
    return 0


def parse(data: bytes, limits: Limits) -> Parsed:
    """The visible sheets of a workbook, or the code of the problem."""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        if len(shown) > limits.sheets:
            return Parsed(problem="roster.too_large")
        sheets = []
        for name in shown:
            rows = _rows(book.get_sheet_by_name(name), limits)
            if rows is None:
                return Parsed(problem="roster.too_large")
            sheets.append((name, rows))
    except python_calamine.PasswordError:
        return Parsed(problem="roster.password")
    except (python_calamine.CalamineError, OSError, ValueError):
        return Parsed(problem="roster.broken")
    return Parsed(sheets=sheets)


def _rows(
    sheet: python_calamine.CalamineSheet, limits: Limits
) -> list[tuple[int, list[Any]]] | None:
    """Filled rows with their numbers; None when there are more of them than anybody lives there."""
    found: list[tuple[int, list[Any]]] = []
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        kept = [_cell(cell, limits.text) for cell in cells]
        while kept and kept[-1] is None:
            kept.pop()
        if not kept:
            continue
        if len(found) >= limits.rows or len(kept) > limits.columns:
            return None
        found.append((number, kept))
    return found


def _cell(cell: Any, longest: int) -> Any:
    if isinstance(cell, datetime | date):
        return [cell.year, cell.month, cell.day]
    if isinstance(cell, bool | int | float):
        return cell
    return str(cell).strip()[:longest] or None


def _bind(limits: Limits) -> None:
    """Bounds this process' memory where the system can, and keeps its dying words to itself."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if sys.platform != "win32":
        import resource  # not on Windows, where the time limit alone protects

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
