"""Lists in every layout and kind of file give the people who were written into them."""

import os
from datetime import date
from pathlib import Path

import pytest

from models.names import key as name_key
from models.roster import RosterSource, other_village, read_roster, target_list
from models.roster.headings import recognise
from models.roster.sheets import Row, Sheet
from tests import sheets
from tests.grids import Grid, save
from tests.village import LIST_DATE, TODAY, village

PLACE = village(70, 11)
TRUTH = {one.nik: one for one in PLACE.people}

BOOKS = [
    ("labelled", "book.xlsx"), ("labelled", "book.csv"), ("blocks", "book.xls"),
    ("blocks", "book.ods"), ("bare", "book.xls"), ("bare", "book.xlsx"), ("merged", "book.xlsx"),
    ("merged", "book.xls"), ("merged", "book.ods"), ("carried", "book.ods"),
    ("carried", "book.xlsx"), ("plain", "book.csv"), ("plain", "book.xls"),
]  # fmt: skip
FLAT = ["list.xlsx", "list.xls", "list.ods", "list.csv"]


def read(path):
    roster = read_roster(path, as_of=LIST_DATE)
    assert roster.report.read == roster.report.taken == len(TRUTH)
    assert not roster.report.refused
    return roster


def assert_same(resident, *fields):
    truth = TRUTH[resident.nik]
    assert name_key(resident.name) == name_key(truth.name)
    assert resident.birth_date == truth.birth_date
    assert resident.marital_card == sheets.FACE[truth.marital]
    for field in ("kk", "sex", "shdk", *fields):
        assert getattr(resident, field) == getattr(truth, field), field


@pytest.mark.parametrize("name", FLAT)
def test_the_layout_of_village_software_is_read_whole(tmp_path, name):
    roster = read(sheets.write_opensid(tmp_path / name, PLACE.people))
    assert roster.report.styles == ("opensid",)
    assert roster.report.missing == ()
    for one in roster.residents:
        assert_same(
            one, "religion", "education", "job", "blood", "citizenship", "birth_place", "rt", "rw",
            "dusun", "address", "father_name", "father_nik", "mother_nik", "residence",
        )  # fmt: skip
        # "Kawin" beside a deed is registered; a divorce without one may be either
        truth = TRUTH[one.nik].marital
        assert one.marital == (truth if truth in "126" else "")


@pytest.mark.parametrize("name", FLAT)
def test_the_layout_of_siak_is_read_whole(tmp_path, name):
    roster = read(sheets.write_siak(tmp_path / name, PLACE.people))
    assert roster.report.styles == ("siak",)
    assert roster.report.missing == ("enrolment",)
    assert roster.report.places == ("GITA",)
    for one in roster.residents:
        assert_same(one, "religion", "education", "job", "blood", "rt", "rw", "residence")


@pytest.mark.parametrize(("variant", "name"), BOOKS)
def test_a_register_book_is_read_whole(tmp_path, variant, name):
    roster = read(sheets.write_buku_induk(tmp_path / name, PLACE, variant=variant))
    assert roster.report.families == len(PLACE.families)
    for one in roster.residents:
        assert_same(one, "rt")
        if variant != "plain":
            assert one.rw == TRUTH[one.nik].rw
            assert one.address.upper().startswith(TRUTH[one.nik].address.upper())
            assert roster.report.is_about([PLACE.name])
            assert roster.report.is_about(["Woda"]) is False
        else:
            assert roster.report.is_about([PLACE.name]) is None


@pytest.mark.parametrize("variant", ["labelled", "bare", "merged", "carried", "plain"])
def test_who_is_recorded_is_read_from_a_book(tmp_path, variant):
    roster = read(sheets.write_buku_induk(tmp_path / "book.xlsx", PLACE, variant=variant))
    for one in roster.residents:
        word = TRUTH[one.nik].enrolment
        wanted = {"": "unknown", "BELUM REKAM": "not_enrolled", "BELUM WAJIB": "not_enrolled"}
        assert one.enrolment == wanted.get(word, "enrolled"), word


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_text_tables_are_read_in_any_dress(tmp_path, delimiter, encoding):
    path = tmp_path / "list.csv"
    sheets.write_siak(path, PLACE.people, delimiter=delimiter, encoding=encoding)
    for one in read(path).residents:
        assert_same(one, "religion", "rt")


def test_a_text_table_may_name_its_delimiter(tmp_path):
    path = tmp_path / "list.csv"
    sheets.write_opensid(path, PLACE.people, delimiter="|")
    path.write_text("sep=|\n" + path.read_text("utf-8"), "utf-8")
    assert len(read(path).residents) == len(TRUTH)


def test_an_accent_in_the_code_page_of_windows_survives(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("NAMA;NIK;JK\nRené;8272030902848685;L\n".encode("cp1252"))
    (one,) = read_roster(path, as_of=LIST_DATE).residents
    assert one.name == "René"


def test_the_order_of_columns_does_not_matter(tmp_path):
    path = sheets.write_opensid(tmp_path / "list.csv", PLACE.people)
    lines = [line.split(",") for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(",".join(reversed(line)) for line in lines), "utf-8")
    for one in read(path).residents:
        assert_same(one, "job", "father_name")


def test_a_workbook_may_hold_a_sheet_for_each_neighbourhood(tmp_path):
    first, second = Grid(sheet="RT 01"), Grid(sheet="RT 02")
    notes = Grid(rows=[["Petunjuk pengisian"], ["Isi kolom NIK"]], sheet="Petunjuk")
    for grid, people in ((first, PLACE.people[:10]), (second, PLACE.people[10:])):
        grid.add("NIK", "NAMA", "NO KK", "L/P", "TGL LHR", "SHDK", "KAWIN", "RT")
        for one in people:
            sex = "L" if one.sex == "1" else "P"
            face = sheets.label("status_perkawinan_lama", sheets.FACE[one.marital])
            relation = sheets.label("shdk", one.shdk)
            grid.add(one.nik, one.name, one.kk, sex, one.birth_date, relation, face, one.rt)
    roster = read(save(tmp_path / "list.xlsx", notes, first, second))
    assert roster.report.sheets == ("RT 01", "RT 02")
    assert roster.report.ignored_sheets == ("Petunjuk",)
    for one in roster.residents:
        assert_same(one, "rt")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("STATUS|Hidup|Mati|Hidup", "residence"),
        ("STATUS|Kawin|Belum Kawin|CM", "marital"),
        ("STATUS|KEPALA KELUARGA|ISTRI|ANAK", "shdk"),
        ("STATUS|BELUM REKAM|PRR|CARD ISSUED", "enrolment"),
        ("STATUS|SDH DPT|BLM DPT|SDH DPT", None),
    ],
)
def test_a_vague_heading_means_what_its_cells_say(words, field):
    head, *cells = words.split("|")
    rows = [Row(1, ("NAMA", "NIK", "L/P", head))]
    rows += [Row(at, ("Sakir", None, "L", cell)) for at, cell in enumerate(cells, start=2)]
    layout = recognise(Sheet("a", "xls", tuple(rows)))
    assert layout
    assert [name for name, column in layout.columns.items() if column == 3] == (
        [field] if field else []
    )


def test_rows_are_numbered_as_the_spreadsheet_program_shows_them(tmp_path):
    grid = Grid(rows=[[], ["DAFTAR PENDUDUK"], [], ["NIK", "NAMA", "L/P"]])
    grid.add("8272030902848685", "Sakir", "L")
    grid.add()
    wrong = grid.add("8272030902848686", None, "L")
    for suffix in (".xlsx", ".xls", ".csv", ".ods"):
        report = read_roster(save(tmp_path / f"a{suffix}", grid), as_of=LIST_DATE).report
        assert [(note.row, note.code) for note in report.refused] == [(wrong, "roster.row_name")]


def test_a_list_of_another_village_is_said_to_be_one(tmp_path):
    report = read(sheets.write_siak(tmp_path / "a.xlsx", PLACE.people)).report
    here = RosterSource("82.72.03.2002", "Kantor desa", LIST_DATE, "Surat 1", TODAY)
    assert other_village(here, report) is None
    there = RosterSource("82.72.03.2001", "Kantor desa", LIST_DATE, "Surat 1", TODAY)
    doubt = other_village(there, report)
    assert doubt
    assert doubt.words("en").startswith("This list speaks of GITA, not of Woda.")
    renamed = sheets.write_siak(tmp_path / "b.xlsx", PLACE.people, village="Todopa")
    today = RosterSource("82.72.03.2012", "Kantor desa", LIST_DATE, "Surat 1", TODAY)
    assert other_village(today, read(renamed).report) is None  # Todapa, by its former spelling


def samples():
    """Generated lists, and any real ones a developer has: a folder in JEMPUT_TEST_ROSTERS."""
    folder = os.environ.get("JEMPUT_TEST_ROSTERS")
    real = sorted(Path(folder).iterdir()) if folder else []
    return ["list.xlsx", *(path for path in real if path.suffix in (".xlsx", ".xls", ".ods"))]


@pytest.mark.parametrize("sample", samples())
def test_a_sample_list_is_taken_whole(tmp_path, sample):
    path = sample if isinstance(sample, Path) else tmp_path / sample
    if not isinstance(sample, Path):
        sheets.write_opensid(path, PLACE.people)
    roster = read_roster(path, as_of=TODAY)
    report = roster.report
    assert report.read == report.taken == len(roster.residents) > 0
    assert len({one.key for one in roster.residents}) == report.taken
    assert not report.other_lines
    groups = target_list(roster.residents, date(2026, 11, 21))
    listed = len(groups.enrolled) + len(groups.not_enrolled) + len(groups.unknown)
    assert listed + sum(groups.left_out.values()) == report.taken
