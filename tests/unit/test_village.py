"""The invented village: the same for the same seed, valid numbers, and words the wire never saw."""

import re
from collections import Counter

import pytest

from models import nik
from models.regions import region
from models.services import catalogue
from tests import requests, village, vocabulary
from tests.village import HEAD, TODAY, WOMAN

PLACE = village.village(400, 1)


def words_of(one, *fields):
    texts = (text for field in fields for text in getattr(one, field))
    return {word for text in texts for word in re.findall(r"[\w']+", text.lower())}


def test_the_vocabularies_share_no_name_and_no_place():
    names, places = ("men", "women", "clans"), ("streets", "hamlets", "birth_places")
    train, fresh = vocabulary.train(), vocabulary.fresh()
    assert not words_of(train, *names, *places) & words_of(fresh, *names, *places)
    assert not set(train.notes) & set(fresh.notes)
    for one in (train, fresh):
        assert len(words_of(one, *names)) >= 300
        assert len(one.men) == len(set(one.men))


def test_the_same_seed_is_the_same_village_and_another_is_another():
    assert village.village(60, 4) == village.village(60, 4)
    assert village.village(60, 4) != village.village(60, 5)
    assert len(village.village(60, 4).people) >= 60


def test_the_place_is_one_of_the_villages_and_the_named_people_are_always_there():
    place = region(PLACE.code)
    assert place
    assert place.is_village
    for size in (8, 400):
        cast = village.village(size, 9).cast
        assert cast["first_timer"].name == "Fikri Gamlamo"
        assert cast["first_timer"].age == 17
        assert cast["first_timer"].enrolment == "BELUM REKAM"
        assert cast["small_child"].mother_nik == cast["mother"].nik


def test_every_number_is_valid_carries_its_holder_and_is_given_once():
    people = PLACE.people
    assert len({one.nik for one in people}) == len(people)
    for one in people:
        found = nik.check_nik(one.nik, birth_date=one.birth_date, sex=one.sex, today=TODAY)
        assert found == []
        assert nik.check_kk(one.kk, today=TODAY) == []
    serials = {one.nik[12:] for one in people}
    assert len(serials) > 0.9 * len(people)  # real entropy


def test_families_have_one_head_and_live_in_one_place():
    for family in PLACE.families:
        assert [one.shdk for one in family.members].count(HEAD) == 1
        assert family.head.shdk == HEAD
        assert len({(one.kk, one.address, one.rt) for one in family.members}) == 1


def test_names_are_as_people_have_them():
    names = [one.name for one in PLACE.people]
    assert any(" " not in name for name in names)
    assert any("'" in name for name in names)
    shares = Counter(len(name.split()) for name in names)
    assert shares[2] > shares[1] > len(names) * 0.05


def test_every_request_is_one_that_can_be_submitted():
    rows = requests.request_rows(PLACE, 150, 7)
    assert len(rows) == 150
    for row in rows:
        found = (
            catalogue()
            .service(row["service"])
            .check(row["answers"], row["documents"], row["reasons"], today=TODAY)
        )
        assert found.ok, (row["ref"], found.problems)
    assert len(requests.services_of(rows)) >= 12


def test_no_citizen_asks_twice_and_references_differ():
    rows = requests.request_rows(PLACE, 150, 7)
    assert len({(row["service"], row["nik"]) for row in rows}) == 150
    assert len({row["ref"] for row in rows}) == 150
    keys = [
        key
        for row in rows
        for key in catalogue()
        .service(row["service"])
        .keys(
            catalogue()
            .service(row["service"])
            .check(row["answers"], row["documents"], row["reasons"], today=TODAY)
            .answers
        )
    ]
    assert len(keys) == len(set(keys))


def test_rows_of_one_family_follow_one_another():
    rows = requests.request_rows(PLACE, 200, 3)
    together = [row.get("family") for row in rows]
    groups = {name: together.count(name) for name in together if name}
    assert groups
    assert all(2 <= size <= 4 for size in groups.values())
    for name, size in groups.items():
        first = together.index(name)
        assert together[first : first + size] == [name] * size
        assert len({row["nik"] for row in rows[first : first + size]}) >= size - 1


def test_requests_follow_the_seed_and_the_mix():
    assert requests.request_rows(PLACE, 20, 3) == requests.request_rows(PLACE, 20, 3)
    assert requests.request_rows(PLACE, 20, 3) != requests.request_rows(PLACE, 20, 4)
    only = requests.request_rows(PLACE, 5, 3, mix={"birth": 1})
    assert requests.services_of(only) == {"birth": 5}
    mothers = [row["answers"]["parents"]["mother_nik"] for row in only]
    assert len(set(mothers)) == 5


def test_a_village_of_unrecorded_people_feeds_a_bench():
    rows = requests.request_rows(
        village.village(120, 2, recorded=False), 40, 1, mix={"ktp-new-enrolment": 1}
    )
    assert requests.services_of(rows) == {"ktp-new-enrolment": 40}


def test_too_small_a_village_says_so():
    with pytest.raises(ValueError, match="too small"):
        requests.request_rows(village.village(8, 1), 400, 1)


def test_a_story_asks_for_one_person():
    row = requests.row(PLACE, "ktp-new-enrolment", PLACE.cast["first_timer"], ref="a")
    assert row["nik"] == PLACE.cast["first_timer"].nik
    with pytest.raises(ValueError, match="does not fit"):
        requests.row(PLACE, "ktp-new-enrolment", PLACE.cast["small_child"], ref="b")


def test_women_and_men_differ_in_their_numbers():
    woman = next(one for one in PLACE.people if one.sex == WOMAN)
    assert int(woman.nik[6:8]) > 40
