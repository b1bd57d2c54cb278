"""Lines that name their values: "No. KK : 8272...  Alamat : Jl. Pala RT/RW : 001/002 Dusun : Goto".

Found over whole rows (the label, the colon and the value often stand in cells of their own) and
inside the address of a family's line.
"""

import re
from collections.abc import Sequence

from models.roster import cells, lexicon
from models.roster.sheets import Cell

_LABELS = {
    "kk": r"NO(?:MOR|MER)?\s*\.?\s*(?:KK|K\.K\.?|KARTU\s+KELUARGA)|NKK",
    "head_name": r"(?:NAMA\s+)?(?:KEPALA\s+KELUARGA|KEP\.?\s*KEL(?:UARGA)?\.?)",
    "rt_rw": r"RT\.?\s*/\s*RW\.?",
    "rt": r"RT\.?",
    "rw": r"RW\.?",
    "dusun": r"(?:NAMA\s+)?(?:DUSUN(?:\s*/\s*LINGKUNGAN)?|LINGKUNGAN)",
    "postcode": r"KODE\s*POS",
    "province": r"(?:KODE\s*-?\s*)?(?:NAMA\s+)?PROVINSI|PROPINSI",
    "city": r"(?:KABUPATEN|KAB\.?)\s*/?\s*(?:KOTA)?|KOTA",
    "district": r"KECAMATAN|KEC\.?",
    "village": r"(?:DESA|KELURAHAN|KEL\.?)(?:\s*/\s*(?:DESA|KELURAHAN|KEL\.?))?",
    "address": r"ALAMAT(?:\s+KELUARGA)?",
}
_ANY = re.compile(
    r"(?<![A-Z0-9])(?:"
    + "|".join(f"(?P<{field}>{pattern})" for field, pattern in _LABELS.items())
    + r")(?:\s*:|\s{2,}:?|(?=\s*\d))\s*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d[\d .\-]{8,28}\d")


def said(row: Sequence[Cell]) -> dict[str, str]:
    """Label -> what follows it, up to the next label; "" holds what stands before the first."""
    line = "  ".join(cells.text_of(cell) for cell in row if cell is not None)
    return _said(line)


def family(row: Sequence[Cell]) -> dict[str, str]:
    """The family's line as kk, address, rt, rw, dusun; empty when the row names no family card."""
    found = said(row)
    number = _NUMBER.match(found.get("kk", ""))
    if not number:
        return {}
    line = {"kk": re.sub(r"\D", "", number.group())}
    return line | _places(found)


def place(address: str) -> dict[str, str]:
    """An address cell -> address, rt, rw, dusun, whatever it names."""
    found = _said(address)
    rest = found.pop("", "").strip(" ,.-")
    if "village" in found and not rest:
        rest = f"DESA {found['village']}"
    if rest:
        found.setdefault("address", rest)
    return _places(found)


def has_place(text: str) -> bool:
    """Whether a text reads like an address."""
    return bool({"rt_rw", "rt", "rw", "dusun", "address"} & _said(text).keys())


def hamlet(address: str) -> str:
    """The hamlet that an address begins with ("Dusun Tongowai", "DSN. PRAPAT"), or nothing."""
    found = re.match(r"(?:DUSUN|DSN)\.?\s+([^,]+)", address, re.IGNORECASE)
    return found.group(1).strip() if found else ""


def region(row: Sequence[Cell]) -> dict[str, str]:
    """What a line above the table says about the place: province, city, district, village, rt, rw,
    dusun.
    """
    found = said(row)
    wanted = ("province", "city", "district", "village", "dusun", "rt", "rw")
    return {field: found[field] for field in wanted if found.get(field)}


def _said(line: str) -> dict[str, str]:
    marks = list(_ANY.finditer(line))
    first = marks[0].start() if marks else len(line)
    found = {"": line[:first].strip()} if line[:first].strip() else {}
    ends = [mark.start() for mark in marks[1:]] + [len(line)]
    for mark, end in zip(marks, ends, strict=bool(marks)):
        field = mark.lastgroup
        value = line[mark.end() : end]
        if field:
            found.setdefault(field, " ".join(value.strip(" ,:|-").split()))
    return found


def _places(found: dict[str, str]) -> dict[str, str]:
    """address, rt, rw, dusun out of what was said; dashes say nothing."""
    line: dict[str, str] = {}
    for field in ("address", "dusun"):
        if not lexicon.is_blank(found.get(field, "")):
            line[field] = found[field]
    rt, _, rw = found.get("rt_rw", "").partition("/")
    for field, value in (("rt", found.get("rt") or rt), ("rw", found.get("rw") or rw)):
        digits = re.match(r"\d{1,3}", value.strip())
        if digits:
            line[field] = digits.group().zfill(3)
    return line
