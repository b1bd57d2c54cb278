"""Finished documents leave the office's hands once, to somebody who was looked at; and practice,
which reaches nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client import handover, receipts, training
from field_client.bundles import Bundles
from field_client.courier import Courier
from field_client.printing import lists, prints
from field_client.settings import FieldSettings
from field_client.settings import Place as FieldPlace
from field_client.vault.keys import Keys
from models.handover import Given
from models.problems import Problem
from tests import pictures
from tests.requests import row
from tests.town import Lane, Laptop, Town
from tests.vaults import CHEAP, PASSPHRASE, refused

LISTED = Given("self", seen="KTP", listed=True)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def letter(town: Town, clerk: Laptop, ref: str = "v1") -> bytes:
    """A letter of domicile that the office has accepted."""
    person = next(one for one in town.village.people if one.here and one.age > 30)
    (taken,) = clerk.take(row(town.village, "village-domicile-letter", person, ref=ref))
    clerk.sync()
    town.accept(taken.record)
    clerk.sync()
    return taken.record


def sign(clerk: Laptop, record: bytes) -> None:
    page = clerk.open_sheet(record)
    handover.sign_letter(clerk.house.desk, page, "470/12/2026", "2026-11-21", "Hasan Kasim")


def give(
    laptop: Laptop, record: bytes, given: Given = LISTED, signature: Path | None = None
) -> Any:
    page = laptop.open_sheet(record)
    return handover.hand_over(laptop.house.desk, page, given, signature)


def test_a_letter_is_signed_in_the_village_and_given_to_who_asked_for_it(town, tmp_path):
    clerk = town.laptop("rusli")
    record = letter(town, clerk)
    refused("lifecycle.no_such_move", give, clerk, record)
    sign(clerk, record)
    assert [one.line.record for one in lists.to_collect(clerk.house.desk)] == [record]
    page = clerk.open_sheet(record)
    token = receipts.slip(clerk.house.desk, record, "id").token
    assert handover.scanned(clerk.house.desk, token) == record
    assert handover.scanned(clerk.house.desk, page.code) == record
    signature = pictures.put(tmp_path, "ttd.jpg", pictures.jpeg(pictures.page(3)))
    give(clerk, record, Given("self", seen="KTP"), signature)
    clerk.sync()
    assert town.stored()[record.hex()] == "handed_over"
    answers = town.sheet(record).answers
    assert answers["handover.document"] == "LETTER"
    assert answers["handover.receiver_relation"] == "self"
    assert answers["village_letter.number"] == "470/12/2026"
    (file,) = clerk.open_sheet(record).picture.view.attached()
    assert answers["handover.signature"] == file.blob.hex(), "signed in the same change"
    assert not lists.to_collect(clerk.house.desk)
    printed = prints.letters_for(clerk.house.desk, record)
    assert "470/12/2026" in str(printed), "the letter bears its number when printed again"
    assert town.is_whole()


def test_what_two_laptops_hand_over_is_a_case_for_a_person(town):
    clerk, van = town.laptop("rusli"), town.laptop("sari")
    record = letter(town, clerk)
    sign(clerk, record)
    clerk.sync()
    van.sync()
    give(clerk, record)
    give(van, record, Given("family", seen="KNOWN", listed=True))
    clerk.sync()
    van.sync()
    assert town.stored()[record.hex()] == "handed_over"
    assert town.cases("dispute"), "handed over twice: somebody looks into it"


def test_nobody_gets_a_document_who_was_not_looked_at(town):
    clerk = town.laptop("rusli")
    record = letter(town, clerk)
    sign(clerk, record)
    before = clerk.open_sheet(record).picture.view
    page = clerk.open_sheet(record)
    refused("reason.required", handover.bring_back, clerk.house.desk, page, " ")
    stranger = "8272032201750015"
    for code, given in {
        "handover.identity": Given("self", listed=True),
        "handover.unsigned": Given("self", seen="KTP"),
        "handover.other_person": Given("self", stranger, seen="KTP", listed=True),
        "handover.receiver": Given("self", document="KTP", seen="KNOWN", listed=True),
        "request.invalid": Given("neighbour-of-nobody", seen="KTP", listed=True),
    }.items():
        refused(code, give, clerk, record, given)
    assert clerk.open_sheet(record).picture.view == before, "nothing half done"
    body = give(
        clerk, record, Given("self", stranger, seen="KTP", listed=True, reason="salah ketik")
    )
    assert body.set["handover.receiver"]["receiver_nik"] == stranger
    assert "salah ketik" in body.reason
    refused("lifecycle.no_such_move", give, clerk, record)


def test_practice_reaches_nobody_even_if_the_program_tried(town, tmp_path, monkeypatch):
    folder = training.folder_of(tmp_path / "van")
    place = FieldPlace(folder, FieldSettings())
    clock = town.laptop("sari").clock
    house = training.begin(place, "latihan", PASSPHRASE, clock, Keys(folder, None), CHEAP)
    with house:
        taken = training.practise(house)
        assert len(taken) >= 5
        assert all(str(one.code).startswith("0000-") for one in taken)
        paper = prints.receipt_for(house.desk, taken[0].record, "id")
        assert "DATA LATIHAN" in str(paper.blocks[0])
        assert paper.foot.startswith("DATA LATIHAN")
        lane = Lane(town)
        courier = Courier(house.desk, lane, place, sleep=lambda seconds: None)
        refused("training.never_sent", courier.sync)
        stick = tmp_path / "stick"
        stick.mkdir()
        refused("training.never_sent", Bundles(house.desk, place).export, stick)
        assert lane.posts == 0
        assert not list(stick.iterdir())
        monkeypatch.setattr(training, "refuse", lambda store: None)
        with pytest.raises(Problem) as met:
            courier.sync()
        assert lane.posts, "it was sent, and nobody could open it"
        assert met.value.code.startswith(("seal.", "sync.", "device.", "invitation.", "wire."))
        assert town.stored() == {}
        refused(
            "training.exists", training.begin, place, "latihan", PASSPHRASE, clock,
            Keys(folder, None), CHEAP,
        )  # fmt: skip


def test_what_nobody_collects_goes_back_to_the_office(town):
    clerk = town.laptop("rusli")
    record = letter(town, clerk)
    sign(clerk, record)
    page = clerk.open_sheet(record)
    handover.bring_back(clerk.house.desk, page, "tiga bulan tidak diambil")
    clerk.sync()
    assert town.stored()[record.hex()] == "printed"
