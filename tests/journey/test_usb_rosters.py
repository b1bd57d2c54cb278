"""The office gives a village's list of residents to the laptops of that village, by stick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from field_client.inbox import Listed
from models.problems import Problem
from sync.messages import Terms
from tests.journey.test_villages import OTHER
from tests.sheets import write_opensid
from tests.sticks import SMALL, bring, export, give, read, stick
from tests.town import Laptop, Town
from tests.village import PLACE

TERMS = Terms(PLACE, "Kantor Desa", "2026-11-01", "Perjanjian 12/2026", "2027-01-31")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


@pytest.fixture
def sheet(town: Town) -> Path:
    return write_opensid(town.folder / "warga.xlsx", town.village.people[:60])


def keep(town: Town, file: Path, terms: Terms = TERMS) -> None:
    town.central.rosters.keep(town.staff["ratna"], file, terms)


def names(laptop: Laptop) -> int:
    return laptop.house.store.standing().residents


def to_and_fro(town: Town, van: Laptop, name: str) -> list[Listed]:
    there, back = stick(town, f"{name} there"), stick(town, f"{name} back")
    export(van, there)
    bring(town, there)
    give(town, van, back)
    return read(van, back)[0].rosters


def test_a_list_comes_to_laptops_of_its_village_once(town: Town, sheet: Path) -> None:
    van = town.laptop("sari")
    far = town.laptop("rusli", villages=(OTHER,))
    keep(town, sheet)
    (listed,) = to_and_fro(town, van, "first")
    assert (listed.village, listed.problem) == (PLACE, "")
    assert listed.people == names(van) > 50
    found = van.house.desk.find(town.person("father").nik)
    assert found is not None
    assert found[0].name == town.person("father").name
    (kept,) = van.house.store.roster.lists()
    assert kept.source.legal_basis == TERMS.legal_basis
    assert to_and_fro(town, van, "second") == [], "the laptop said that it has it"
    assert to_and_fro(town, far, "far") == []
    assert names(far) == 0
    keep(town, sheet, msgspec.structs.replace(TERMS, source="Dukcapil"))
    assert town.is_whole()


def test_a_voyage_pack_fills_a_new_laptop_wholly(
    town: Town, sheet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests of its villages, the index, and the lists; in small volumes, in any order."""
    monkeypatch.setattr("server.rosters.PAGE_BYTES", 1000)
    first = town.laptop("rusli")
    from tests.journey.test_repair import letter, snapshots

    taken = {letter(town, first, part, PLACE) for part in ("father", "mother", "son")}
    keep(town, sheet)
    new = town.laptop("sari", "laptop baru")
    folder = stick(town)
    made = give(town, new, folder, whole=True, most=SMALL)
    assert len(made.files) > 5
    late = folder / made.files[2][0]
    kept_back = late.read_bytes()
    late.unlink()
    (half,) = read(new, folder)
    assert half.state == "incomplete"
    assert names(new) == 0
    late.write_bytes(kept_back)
    (done,) = read(new, late)
    assert done.state in ("fresh", "known")
    assert [one.people > 50 for one in done.rosters] == [True]
    assert set(snapshots(new)) == taken
    assert new.house.store.sight().fills == []
    (again,) = read(new, folder)
    assert again.rosters == []


def test_a_list_that_cannot_be_read_is_said_and_stops_nothing(town: Town) -> None:
    van = town.laptop("sari")
    broken = town.folder / "warga.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    keep(town, broken)
    (listed,) = to_and_fro(town, van, "first")
    assert (listed.people, listed.problem[:7]) == (0, "roster.")
    assert names(van) == 0


def test_lists_are_kept_sealed_by_keepers_only_and_until_their_day(town: Town, sheet: Path) -> None:
    rosters, ratna = town.central.rosters, town.staff["ratna"]
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        rosters.keep(town.staff["nurlaila"], sheet, TERMS)
    for wrong, code in (
        ({"village": "82.72"}, "roster.village"),
        ({"source": ""}, "roster.terms"),
        ({"expires": "soon"}, "roster.terms"),
        ({"expires": "2029-01-01"}, "roster.expiry"),
        ({"list_date": "2027-01-01"}, "roster.list_date"),
    ):
        with pytest.raises(Problem, match=code.replace(".", r"\.")):
            rosters.keep(ratna, sheet, msgspec.structs.replace(TERMS, **wrong))
    keep(town, sheet)
    database = b"".join(path.read_bytes() for path in (town.folder / "central").glob("central.db*"))
    assert town.person("father").nik.encode() not in database
    assert sheet.read_bytes()[:200] not in database
    (kept,) = rosters.kept(ratna)
    with pytest.raises(Problem, match=r"roster\.unkept"):
        rosters.remove(ratna, "zz")
    town.time.at += 80 * 86400
    assert rosters.forget() == 1
    assert rosters.kept(ratna) == []
    with pytest.raises(Problem, match=r"roster\.unkept"):
        rosters.remove(ratna, kept.digest.hex())
