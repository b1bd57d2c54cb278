"""Regions: 89 villages, their tiles, names that repeat or changed, and codes of elsewhere."""

import pytest

from models import regions


def test_the_counts_of_the_decree():
    levels = [one.level for one in regions.regions().values()]
    counts = {level: levels.count(level) for level in set(levels)}
    assert counts == {"province": 1, "city": 1, "district": 8, "kelurahan": 40, "desa": 49}
    assert len(regions.villages()) == 89
    assert len(regions.islands()) == 14
    assert {one.name for one in regions.islands() if one.inhabited == "yes"} == {
        "Pulau Tidore",
        "Pulau Maitara",
        "Pulau Mare",
        "Pulau Raja",
    }


def test_every_village_has_a_district_and_a_tile_of_its_own():
    tiles = {(one.column, one.row) for one in regions.villages()}
    assert len(tiles) == 89
    assert not any(None in tile for tile in tiles)
    districts = {one.code for one in regions.districts()}
    for one in regions.villages():
        assert one.code[:8] in districts
        assert one.code[9] == ("1" if one.level == "kelurahan" else "2")


def test_mainland_oba_has_47_village_offices():
    assert sum(one.on_mainland for one in regions.villages()) == 47
    assert not regions.regions()["82.72"].on_mainland
    assert len(regions.villages_of("82.72.03")) == 13
    assert len(regions.villages_of("82.72")) == 89
    assert [one.name for one in regions.villages_of("82.72.03.2001")] == ["Woda"]
    assert regions.villages_of("82.7") == ()


def test_islands_lie_on_the_equator_and_north_of_it():
    for one in regions.islands():
        assert 0 < one.latitude < 1
        assert 127 < one.longitude < 128


def test_a_name_may_mean_several_places_and_an_old_spelling_is_found():
    assert {one.code for one in regions.find("OBA")} == {"82.72.03", "82.72.02.2005"}
    assert [one.code for one in regions.find("todopa")] == ["82.72.03.2012"]
    assert [one.name for one in regions.find("Baringin  Jaya")] == ["Beringin Jaya"]
    assert [one.name for one in regions.find("Afa-Afa")] == ["Afa Afa"]
    assert regions.find("Atlantis") == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("8272032001", "82.72.03.2001"),
        (" 82.72.03.2001 ", "82.72.03.2001"),
        ("827203", "82.72.03"),
        ("82", "82"),
        ("82720", None),
        ("82.72.3", None),
        ("٨٢", None),
        ("", None),
        ("Oba", None),
    ],
)
def test_a_code_is_read_with_and_without_dots(text, code):
    assert regions.normal(text) == code


def test_full_names():
    assert regions.full_name("82.72.03.2001") == "Desa Woda, Kec. Oba, Kota Tidore Kepulauan"
    assert regions.full_name("82.72.02.1003").startswith("Kel. Sofifi, Kec. Oba Utara")
    assert regions.full_name("82.71.01") == "Kota Ternate"
    assert regions.full_name("73.71.01") == "Sulawesi Selatan"
    assert regions.full_name("99.71") == "99.71"
    assert regions.region("8272032001") == regions.regions()["82.72.03.2001"]
    assert regions.region("nowhere") is None


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("82.72.01", True),
        ("82.72.09", False),
        ("82.72.00", False),
        ("82.02.01", True),
        ("82.09.01", False),
        ("82.00.01", False),
        ("73.71.01", True),
        ("20.71.01", False),
        ("00.00.00", False),
        ("96.71.14", True),
    ],
)
def test_what_codes_can_exist(code, known):
    assert regions.is_known(code) is known


def test_the_published_counts_are_counts():
    newest = regions.population()[0]
    assert (newest.codes, newest.total) == ("82.72", 121952)
    assert newest.men is not None
    assert newest.women is not None
    assert newest.men + newest.women == newest.total
    for one in regions.population():
        assert set(one.codes.split()) <= set(regions.regions())
