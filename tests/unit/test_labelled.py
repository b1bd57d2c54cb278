"""The labelled set: frozen tables, seeds that never meet, and the mixture it promises."""

from __future__ import annotations

from labelled import JUDGED, TUNING, labelled, tables_hash

FROZEN = "ca55f049f02c4a89a849e534c725fa8845ebb7c1134dd95c7818e9fec680f789"


def test_the_tables_are_those_that_were_frozen_before_the_matcher_was_tuned():
    assert tables_hash() == FROZEN


def test_seeds_for_tuning_are_never_judged():
    assert not {*TUNING} & {*JUDGED}


def test_a_seed_gives_the_same_set_again_and_another_seed_another():
    one, again, other = labelled(1, 300), labelled(1, 300), labelled(2, 300)
    assert one == again
    assert one.rows != other.rows


def test_five_in_a_hundred_are_second_records_and_every_trouble_is_among_them():
    found = labelled(1, 4000)
    seconds = len(found.rows) - len({row.person for row in found.rows})
    assert seconds == 200
    pairs = [(found.rows[a], found.rows[b]) for a, b in found.pairs]
    assert any(x.name.upper() != y.name.upper() for x, y in pairs)
    assert any(x.birth_date and not y.birth_date for x, y in pairs)
    assert any(not x.nik and not y.nik for x, y in pairs)
    days = [row.birth_date for row in found.rows if row.birth_date]
    assert sum((day.month, day.day) == (1, 1) for day in days) > len(days) / 25
    assert sum(len(row.name.split()) == 1 for row in found.rows) > len(found.rows) / 10
    twins = [row for row in found.rows if row.twins]
    assert len(twins) > len({row.twins for row in twins})
