"""Draw the pictures of docs/papers.md: papers of the invented village, as they leave the printer.

    .venv/bin/python scripts/papers.py [FOLDER]

Everything is made by the program itself on a throwaway laptop; nothing is retouched.
"""

from __future__ import annotations

import home

home.enter()

import argparse
import io
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pypdfium2
from PIL import Image

from field_client import stock
from field_client.app import House
from field_client.desk import Wanted
from field_client.printing import lists, prints, thermal
from models.printing import pdf
from models.printing.document import Document
from tests.field import NOW, Hands, laptop
from tests.requests import request_rows
from tests.village import TODAY, village

ROOT = Path(__file__).resolve().parent.parent
GREYS = 8
BYTES_MAX = 60_000


def main() -> int:
    """Write the pictures; their sizes on standard output."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "papers")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        hands = Hands(NOW - int(timedelta(hours=1).total_seconds()))
        house = laptop(Path(place) / "van", hands, office_name="Kantor Desa Gita")
        try:
            pictures = _pictures(house, hands)
        finally:
            house.close()
    for name, picture in pictures.items():
        data = _small(picture)
        (folder / f"{name}.png").write_bytes(data)
        print(f"{name}.png: {len(data):,} bytes")
        assert len(data) <= BYTES_MAX, "a picture of the docs is small"
    return 0


def _pictures(house: House, hands: Hands) -> dict[str, Image.Image]:
    desk = house.desk
    records: dict[str, bytes] = {}
    for row in request_rows(village(), 24, seed=4):
        hands.goes_on(240)
        wanted = Wanted(row["service"], row["answers"], row["documents"], row["reasons"])
        (taken,) = desk.submit(desk.prepare(wanted))
        records.setdefault(taken.service, taken.record)
    for act, kind, count in (("receive", "KTP", 50), ("use", "KTP", 7), ("spoil", "KTP", 1)):
        stock.note(house.store, stock.moved(hands.at, "sari", kind, act, count))
    receipt = prints.receipt_for(desk, records["birth"], "id")
    recap = lists.recap(lists.recap_of(desk, TODAY, stock.balances(house.store)))
    return {
        "f-2.01": _page(prints.forms_for(desk, records["birth"], "F-2.01")[0]),
        "f-1.02": _page(prints.forms_for(desk, records["ktp-new-enrolment"])[0]),
        "surat-domisili": _page(prints.letters_for(desk, records["village-domicile-letter"])[0]),
        "bukti-a4": _page(receipt),
        "bukti-58": thermal.picture(receipt, "58"),
        "rekap": _page(recap),
    }


def _page(document: Document) -> Image.Image:
    page = pypdfium2.PdfDocument(pdf.pdf(document))[0]
    picture: Image.Image = page.render(scale=1.25, grayscale=True).to_pil()
    return picture


def _small(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    if picture.mode != "1":
        picture = picture.convert("L").quantize(GREYS)
    picture.save(file, "png", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
