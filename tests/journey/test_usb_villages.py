"""Villages are lent to a van that has nothing but sticks: they come whole, and they go."""

from __future__ import annotations

from tests.journey.test_villages import OTHER, enrolment, listed, remembered, scope
from tests.sticks import bring, decisions, export, give, read, stick
from tests.town import Laptop, Town
from tests.village import PLACE


def to_and_fro(town: Town, van: Laptop, name: str) -> str:
    """A stick to the office and one back; gives what became of the latter."""
    there, back = stick(town, f"{name} there"), stick(town, f"{name} back")
    export(van, there)
    bring(town, there)
    give(town, van, back)
    return read(van, back)[0].state


def neighbours(town: Town) -> tuple[Laptop, bytes, bytes]:
    """A van with sticks only, a request of its own, and one of another village's laptop."""
    far = town.laptop("rusli", villages=(OTHER,))
    van = town.laptop("sari", enrolled=False)
    there = enrolment(town, far, "a", address__village=OTHER)
    mine = enrolment(town, van, "b")
    far.sync()
    to_and_fro(town, van, "first")
    assert listed(van) == {mine}
    return van, mine, there


def test_a_lent_village_comes_whole_by_one_stick_and_leaves_by_another(town: Town) -> None:
    van, mine, there = neighbours(town)
    scope(town, van, PLACE, OTHER)
    assert to_and_fro(town, van, "lent") == "fresh"
    assert listed(van) == {mine, there}
    assert van.house.store.sight().fills == []
    assert van.answer(there, "address.village") == OTHER
    town.send_back(there, "DOC_UNREADABLE", "Foto ulang KK")
    to_and_fro(town, van, "more")
    assert van.status(there) == "needs_correction"
    scope(town, van, PLACE)
    to_and_fro(town, van, "gone")
    assert listed(van) == {mine}
    assert remembered(van.house.store, there) == []


def test_a_voyage_pack_brings_lent_villages_to_a_laptop_that_knows_its_own(town: Town) -> None:
    van, mine, there = neighbours(town)
    scope(town, van, PLACE, OTHER)
    before = decisions(town)
    give(town, van, stick(town, "voyage"), whole=True)
    (done,) = read(van, stick(town, "voyage"))
    assert (done.purpose, done.state, done.upto) == ("voyage", "fresh", before)
    assert listed(van) == {mine, there}
    assert van.house.store.sight().fills == []
    (again,) = read(van, stick(town, "voyage"))
    assert again.decisions == 0


def test_a_fill_that_radio_has_overtaken_is_passed_over(town: Town) -> None:
    """The stick says how the village stood before the last decision; the laptop is further."""
    van, mine, there = neighbours(town)
    scope(town, van, PLACE, OTHER)
    give(town, van, stick(town, "late"), whole=True)
    town.send_back(there, "DOC_UNREADABLE", "Foto ulang KK")
    van.sync()
    assert van.status(there) == "needs_correction"
    read(van, stick(town, "late"))
    assert van.status(there) == "needs_correction"
    assert listed(van) == {mine, there}


def test_a_lost_laptop_is_told_of_its_own_work_and_of_nobody(town: Town) -> None:
    van, mine, _ = neighbours(town)
    scope(town, van, PLACE, OTHER)
    town.central.devices.lose(town.staff["ratna"], van.name, "jatuh ke laut")
    to_and_fro(town, van, "found")
    assert listed(van) == {mine}
