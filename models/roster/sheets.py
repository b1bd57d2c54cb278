"""Reading a spreadsheet file into plain rows, whatever its kind, without trusting it.

A list comes from strangers' software on a stick. The kind is told from the content, never from the
name; sizes are checked first; and the workbook parser runs in a process of its own (`__main__`),
because a broken or hostile workbook can make it abort, and the desk with its half-typed form must
survive that. Nothing of the content touches the disk: bytes go in and rows come out through pipes.
"""

import csv
import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from models.problems import Problem

Cell = str | int | float | bool | date | None
Kind = Literal["xlsx", "xls", "ods", "csv"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and every workbook that Excel encrypted
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BOF = b"\x09\x08\x10\x00"  # the first record of a book of Excel 97 and later
_FILEPASS = 0x2F
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ";,\t|"


class Limits(msgspec.Struct, frozen=True):
    """What one list may cost. A village has up to some 6,000 people and 50 columns.

    file_bytes: the file. unpacked_bytes: its parts unpacked. rows, columns: filled ones of one
    sheet. text: characters kept of a cell. memory_bytes: of the parser's process, where the system
    can hold it.
    """

    file_bytes: int = 20 * 1024 * 1024
    unpacked_bytes: int = 200 * 1024 * 1024
    sheets: int = 60
    rows: int = 30_000
    columns: int = 256
    text: int = 500
    seconds: float = 60.0
    memory_bytes: int = 1024 * 1024 * 1024


class Row(msgspec.Struct, frozen=True):
    """number: as the spreadsheet program shows it, from 1. cells: from column A, no empty tail."""

    number: int
    cells: tuple[Cell, ...]


class Sheet(msgspec.Struct, frozen=True):
    """One worksheet, its filled rows only. kind: where the cells come from."""

    name: str
    kind: Kind
    rows: tuple[Row, ...]


def read_sheets(path: Path, limits: Limits | None = None) -> tuple[Sheet, ...]:
    """The visible sheets of the file; or a `Problem` saying what to do, and nothing else."""
    return sheets_in(lambda limits: _read_bounded(path, limits), path.name, limits)


def sheets_in(
    read: Callable[[Limits], bytes], name: str, limits: Limits | None = None
) -> tuple[Sheet, ...]:
    """The same of bytes that `read` gives. name: of the file, for the words."""
    limits = limits or Limits()
    try:
        data = read(limits)
        kind = kind_of(data, limits)
        sheets = _read_csv(data, limits) if kind == "csv" else _parse(data, kind, limits)
    except Problem as problem:
        megabytes = limits.file_bytes // 1024 // 1024
        raise Problem(
            problem.code,
            file=name,
            limit=limits.rows,
            columns=limits.columns,
            megabytes=megabytes,
        ) from problem
    if not any(sheet.rows for sheet in sheets):
        raise Problem("roster.empty", file=name)
    return sheets


def kind_of(data: bytes, limits: Limits | None = None) -> Kind:
    """Which kind of file `data` is, or a `Problem` saying why it cannot be read."""
    if not data.strip(b"\0 \r\n\t"):
        raise Problem("roster.empty")
    if data.startswith(b"PK"):
        return _kind_of_zip(data, limits or Limits())
    if data.startswith(_OLE):
        if _ENCRYPTED in data or _is_locked_xls(data):
            raise Problem("roster.password")
        return "xls"
    if _is_web_page(data):
        raise Problem("roster.web_page")
    if data.startswith(b"%PDF") or (b"\0" in data and not data.startswith(_UTF16)):
        raise Problem("roster.format")
    return "csv"


def _read_bounded(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise Problem("file.unreadable") from error
    if len(data) > limits.file_bytes:
        raise Problem("roster.file_too_large")
    return data


def _kind_of_zip(data: bytes, limits: Limits) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            names = set(parts.namelist())
            if sum(part.file_size for part in parts.infolist()) > limits.unpacked_bytes:
                raise Problem("roster.file_too_large")
            if "xl/workbook.xml" in names:
                return "xlsx"
            if "content.xml" in names and _starts(parts, "mimetype", len(_ODS)) == _ODS:
                if b"encryption-data" in _starts(parts, "META-INF/manifest.xml", 100_000):
                    raise Problem("roster.password")
                return "ods"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise Problem("roster.broken") from error
    raise Problem("roster.format")


def _starts(parts: zipfile.ZipFile, name: str, size: int) -> bytes:
    if name not in parts.namelist():
        return b""
    with parts.open(name) as part:
        return part.read(size)


def _is_locked_xls(data: bytes) -> bool:
    """Whether FILEPASS is among the first records of the book ([MS-XLS] 2.4.117).

    The parser itself only says that it does not know such a file.
    """
    at = data.find(_BOF)
    for _ in range(8):
        if at < 0 or at + 4 > len(data):
            break
        kind, size = struct.unpack_from("<HH", data, at)
        if kind == _FILEPASS:
            return True
        at += 4 + size
    return False


def _is_web_page(data: bytes) -> bool:
    """Many programs "export to Excel" by writing a web page and calling it .xls."""
    head = data[:4096].lower()
    return any(mark in head for mark in (b"<html", b"<table", b"<!doctype", b"<?xml"))


# --- workbooks, in a process of their own ---------------------------------------------------------


class Parsed(msgspec.Struct):
    """What the parser's process answers: sheets as (name, [(row number, cells)]), or a problem
    code.
    """

    sheets: list[tuple[str, list[tuple[int, list[Any]]]]] = []
    problem: str = ""


def _parse(data: bytes, kind: Kind, limits: Limits) -> tuple[Sheet, ...]:
    # -P: never from the folder somebody happens to stand in, which may be the stick's own.
    command = [sys.executable, "-P", "-X", "utf8", "-m", "models.roster"]
    command.append(msgspec.json.encode(limits).decode())
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=limits.seconds)
    except subprocess.TimeoutExpired as error:
        raise Problem("roster.file_too_large") from error
    if done.returncode != 0:
        raise Problem("roster.broken")
    parsed = msgspec.msgpack.decode(done.stdout, type=Parsed)
    if parsed.problem:
        raise Problem(parsed.problem)
    return tuple(
        Sheet(name, kind, tuple(Row(number, _cells(cells)) for number, cells in rows))
        for name, rows in parsed.sheets
    )


def _cells(cells: list[Any]) -> tuple[Cell, ...]:
    """Days travel as [year, month, day], since msgpack has no kind of its own for them."""
    return tuple(date(*cell) if isinstance(cell, list) else cell for cell in cells)


# --- text tables ----------------------------------------------------------------------------------


def _read_csv(data: bytes, limits: Limits) -> tuple[Sheet, ...]:
    text = _decode(data)
    lines = text.splitlines(keepends=True)
    skipped = 0
    delimiter = _delimiter(lines[:40])
    if lines and lines[0].strip().lower().startswith("sep=") and len(lines[0].strip()) == 5:
        delimiter, skipped = (
            lines[0].strip()[4],
            1,
        )  # a line that Excel writes to name the delimiter
    try:
        rows = tuple(_csv_rows(lines[skipped:], delimiter, skipped, limits))
    except csv.Error as error:
        raise Problem("roster.broken") from error
    return (Sheet("", "csv", rows),)


def _csv_rows(lines: list[str], delimiter: str, skipped: int, limits: Limits) -> Iterator[Row]:
    count = 0
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=skipped + 1):
        kept = [_csv_cell(cell, limits.text) for cell in cells]
        while kept and not kept[-1]:
            kept.pop()
        if not kept:
            continue
        count += 1
        if count > limits.rows or len(kept) > limits.columns:
            raise Problem("roster.too_large")
        yield Row(number, tuple(cell or None for cell in kept))


def _csv_cell(cell: str, longest: int) -> str:
    """`="0012"` is how some programs keep Excel from eating the digits of a text."""
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    return cell[:longest]


def _decode(data: bytes) -> str:
    if data.startswith(_UTF16):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what an Indonesian Windows writes


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts the first lines into the most columns, most lines agreeing."""

    def agreement(sign: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=sign) if len(row) > 1]
        except csv.Error:
            return (0, 0)
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return (widths.count(usual) * (usual - 1), usual)

    return max(_DELIMITERS, key=agreement)
