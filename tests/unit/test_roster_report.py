"""What becomes of the lines of a list: each is taken, refused with a reason, or nobody's."""

import re
from datetime import date
from pathlib import Path

import pytest

from models.problems import problems
from models.roster import Row, Sheet, read_roster, roster_of
from tests.sheets import write_opensid
from tests.village import LIST_DATE, village

HEADS = ("NIK", "NAMA", "NO KK", "L/P", "TGL LHR", "SHDK", "KAWIN", "ALAMAT")


def roster(*lines, heads=HEADS, kind="xls"):
    rows = tuple(Row(at, tuple(line)) for at, line in enumerate((heads, *lines), start=1))
    return roster_of((Sheet("Daftar", kind, rows),), as_of=LIST_DATE)


def line(nik="8272030902848685", name="Sakir", **others):
    known = {
        "kk": "8272031703094186", "sex": "L", "born": "09-02-1984", "shdk": "ANAK",
        "kawin": "BELUM KAWIN", "address": "Jl. Pala",
    }  # fmt: skip
    known |= others
    return (nik, name, *known.values())


def codes(found):
    return {(note.row, note.code) for note in found}


def only(found):
    (one,) = found.residents
    return one


def test_a_clean_line_has_no_remark():
    found = roster(line())
    assert found.report.counts == {}
    assert (found.report.read, found.report.taken, found.report.families) == (1, 1, 1)
    assert only(found).birth_date == date(1984, 2, 9)


def test_a_line_without_a_name_is_refused_with_its_number():
    found = roster(line(), line(nik="8272030902848686", name="-"))
    assert codes(found.report.refused) == {(3, "roster.row_name")}
    assert (found.report.read, found.report.taken) == (2, 1)
    assert "3" in found.report.refused[0].words("id")


def test_a_name_that_is_a_novel_is_refused():
    found = roster(line(), line(nik="8272030902848686", name="A" * 101))
    assert codes(found.report.refused) == {(3, "roster.row_name_long")}


def test_the_same_person_again_is_refused_and_the_first_line_named():
    found = roster(line(), line(nik="8272030902848686"), line(name="SAKIR"))
    assert codes(found.report.refused) == {(4, "roster.row_twice")}
    assert found.report.refused[0].other == 2
    assert "row 2" in found.report.refused[0].words("en")


def test_without_a_nik_name_card_and_birth_tell_the_same_person():
    found = roster(line(nik=""), line(nik="", name="sakir"), line(nik="", born="10-02-1984"))
    assert codes(found.report.refused) == {(3, "roster.row_twice")}
    assert found.report.taken == 2


def test_two_people_under_one_nik_are_both_taken_under_different_keys():
    found = roster(line(), line(name="Naldi"))
    assert found.report.taken == 2
    assert codes(found.report.warnings) == {
        (2, "roster.row_nik_shared"), (3, "roster.row_nik_shared"),
    }  # fmt: skip
    first, second = found.residents
    assert first.nik == second.nik
    assert first.key != second.key


def test_a_number_whose_digits_are_whole_is_taken_with_a_remark():
    found = roster(line(nik=8272030902848685.0))
    assert only(found).nik == "8272030902848685"
    assert found.report.counts == {"roster.row_number_cell": 1}


def test_numbers_that_all_end_in_zero_have_lost_their_last_digit():
    """Excel keeps fifteen digits: the sixteenth of a NIK typed as a number becomes 0."""
    lines = [line(nik=float(8272030902848000 + 10 * at), name=f"Orang {at}") for at in range(1, 6)]
    found = roster(*lines)
    assert found.report.taken == 5
    assert {one.nik for one in found.residents} == {""}
    assert found.report.counts["roster.lost_digits"] == 5
    assert found.residents[0].raw["nik"] == "8272030902848010"


def test_an_honest_zero_among_whole_numbers_is_believed():
    numbers = [8272030902848681 + at for at in range(9)] + [8272030902848690]
    found = roster(*(line(nik=float(n), name=f"Orang {n}") for n in numbers))
    assert [bool(one.nik) for one in found.residents] == [True] * 10


def test_zeros_of_texts_are_believed_except_in_a_text_file():
    lines = [line(nik=f"827203090284{at}0", name=f"Orang {at}") for at in range(100, 106)]
    assert [bool(one.nik) for one in roster(*lines).residents] == [True] * 6
    assert not any(one.nik for one in roster(*lines, kind="csv").residents)


@pytest.mark.parametrize(
    ("nik", "code"),
    [
        ("8,27203E+15", "roster.lost_digits"),
        ("827203090284868", "roster.row_number_length"),
        ("82720309028486855", "roster.row_number_length"),
        ("827203O902848685", "roster.row_number_length"),
        ("８２７２０３０９０２８４８６８５", "roster.row_number_length"),
    ],
)
def test_a_damaged_nik_is_kept_as_written_and_never_used(nik, code):
    found = roster(line(nik=nik))
    assert only(found).nik == ""
    assert only(found).raw == {"nik": nik}
    assert found.report.counts == {code: 1}


def test_doubts_about_a_nik_are_said_and_the_nik_kept():
    cases = {
        "8272030902840000": "roster.row_nik_odd",
        "8272033902848685": "roster.row_nik_odd",
        "8272031002848685": "roster.row_nik_date",
        "8272034902848685": "roster.row_nik_sex",
    }
    for nik, code in cases.items():
        found = roster(line(nik=nik))
        assert only(found).nik == nik
        assert found.report.counts == {code: 1}


def test_a_nik_that_is_the_card_number_is_dropped():
    found = roster(line(nik="8272031703094186"))
    assert only(found).nik == ""
    assert found.report.counts == {"roster.row_nik_is_kk": 1}


def test_dashes_and_odd_spaces_are_tidied_and_counted():
    found = roster(line(name=" La  Sakir ", address="-", shdk="NULL"))
    assert only(found).name == "La Sakir"
    assert (only(found).address, only(found).shdk) == ("", "")
    assert found.report.counts == {"roster.row_spacing": 1, "roster.row_dash": 2}


def test_an_unknown_word_stays_as_it_is_written():
    found = roster(line(shdk="Anak Bungsu Kesayangan", kawin="Entah"))
    one = only(found)
    assert (one.shdk, one.marital, one.marital_card) == ("", "", "")
    assert one.raw == {"shdk": "Anak Bungsu Kesayangan", "marital": "Entah"}
    assert {(note.field, note.code) for note in found.report.warnings} == {
        ("shdk", "roster.row_doubt"), ("marital", "roster.row_doubt"),
    }  # fmt: skip
    assert "SHDK" in found.report.warnings[0].words("id")


def test_kawin_alone_does_not_say_registered():
    bare = only(roster(line(kawin="KAWIN")))
    assert (bare.marital, bare.marital_card) == ("", "2")
    deed = roster((*line(kawin="KAWIN"), "0021/2014"), heads=(*HEADS, "Nomor Akta Kawin"))
    assert only(deed).marital == "2"
    dash = roster((*line(kawin="KAWIN"), "-"), heads=(*HEADS, "Nomor Akta Kawin"))
    assert only(dash).marital == ""


def test_a_cell_merged_over_a_family_is_carried_but_not_past_a_head():
    found = roster(
        line(shdk="KK"),
        line(nik="8272030902848686", name="Naldi", kk=None, address=None),
        line(nik="8272030902848687", name="Udin", kk=None, shdk="KEPALA KELUARGA", address=None),
    )
    assert [one.kk for one in found.residents] == ["8272031703094186"] * 2 + [""]
    assert found.residents[1].address == "Jl. Pala"
    assert found.report.counts == {"roster.row_kk_carried": 1}


def test_living_is_said_by_the_list_or_assumed():
    assert only(roster(line())).residence == "resident"
    lines = [
        (*line(nik=f"827203090284868{at}", name=f"Orang {at}"), word)
        for at, word in enumerate(
            ("Hidup", "Mati", "Pindah", "Hilang", "Tidak Valid", None, "Entah")
        )
    ]
    found = roster(*lines, heads=(*HEADS, "STATUS DASAR"))
    assert [one.residence for one in found.residents] == [
        "resident", "dead", "moved", "lost", "unknown", "unknown", "unknown",
    ]  # fmt: skip
    assert found.report.counts == {"roster.row_doubt": 1}
    empty = roster((*line(), None), heads=(*HEADS, "STATUS DASAR"))
    assert only(empty).residence == "resident"


def test_totals_and_signatures_are_nobody():
    found = roster(line(), (None, "JUMLAH", None, None, None), ("Oba, 1 Oktober 2026",), (12, 31))
    assert found.report.other_lines == (("Daftar", 3), ("Daftar", 4), ("Daftar", 5))
    assert found.report.read == 1


def test_headings_may_come_again_in_another_order():
    other = ("NAMA", "NIK", "L/P", "TGL LHR")
    found = roster(line(), other, ("Naldi", "8272030902848686", "L", "09-02-1984"))
    assert [one.name for one in found.residents] == ["Sakir", "Naldi"]
    assert found.residents[1].nik == "8272030902848686"


def test_unknown_headings_and_missing_columns_are_named():
    found = roster((*line(), "x"), heads=(*HEADS, "Hobi"))
    assert found.report.unknown_headings == ("Hobi",)
    assert found.report.missing == ("enrolment",)


def test_a_key_outlives_a_corrected_name_and_another_order_of_lines():
    first = roster(line(), line(nik="8272030902848686", name="Naldi"))
    second = roster(line(nik="8272030902848686", name="Naldi M."), line())
    assert {one.key for one in first.residents} == {one.key for one in second.residents}


def test_reading_twice_gives_the_same(tmp_path):
    path = write_opensid(tmp_path / "a.csv", village(30, 2).people)
    assert read_roster(path, as_of=LIST_DATE) == read_roster(path, as_of=LIST_DATE)


def test_a_remark_never_repeats_what_stood_in_the_cell():
    found = roster(line(nik="827203O902848685", born="31-02-1984", name="Sakir"))
    assert found.report.warnings
    for note in found.report.warnings:
        for lang in ("id", "en"):
            words = note.words(lang)
            assert "?" not in words
            assert "Sakir" not in words
            assert "8272" not in words


def test_every_remark_has_its_words():
    folder = Path(roster_of.__code__.co_filename).parent
    said = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r'"(roster\.[a-z_0-9]+|file\.[a-z]+)"', path.read_text("utf-8"))
    }
    assert len(said) > 25
    assert said <= set(problems())
