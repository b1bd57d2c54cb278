"""Files that are broken, locked, hostile or no lists: a clear problem, and nothing taken."""

import struct
import zipfile

import pytest
import xlsxwriter  # type: ignore[import-untyped]
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from models.problems import Problem
from models.roster import Limits, read_roster, read_sheets
from models.roster.sheets import kind_of
from tests import sheets
from tests.grids import Grid, save
from tests.village import LIST_DATE, village

PLACE = village(12, 3)


def refused(path, code, **limits):
    with pytest.raises(Problem) as caught:
        read_roster(path, as_of=LIST_DATE, limits=Limits(**limits))
    assert caught.value.code == code
    words = caught.value.words("en")
    assert "?" not in words
    assert caught.value.words("id") != words
    return words


def small(path):
    return sheets.write_opensid(path, PLACE.people)


def test_a_missing_file_is_named(tmp_path):
    assert "gone.xlsx" in refused(tmp_path / "gone.xlsx", "file.unreadable")
    refused(tmp_path, "file.unreadable")


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\0\0\0"])
def test_an_empty_file(tmp_path, content):
    path = tmp_path / "list.xlsx"
    path.write_bytes(content)
    refused(path, "roster.empty")


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods", ".csv"])
def test_a_workbook_without_a_word_in_it(tmp_path, suffix):
    refused(save(tmp_path / f"a{suffix}", Grid(rows=[[], [None, ""]])), "roster.empty")


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods", ".csv"])
def test_a_list_of_something_else(tmp_path, suffix):
    grid = Grid(rows=[["Tanggal", "Uraian", "Jumlah"], ["01-02-2026", "Semen", 4]])
    words = refused(save(tmp_path / f"a{suffix}", grid), "roster.columns")
    assert "NIK" in words


def test_headings_without_anybody_below(tmp_path):
    grid = Grid(rows=[["NIK", "NAMA", "TGL LHR"], ["Mengetahui"], ["Kepala Desa"]])
    refused(save(tmp_path / "a.xlsx", grid), "roster.empty")


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n\0\0\0", b"GIF89a\0\0", b"MZ\x90\0\x03"],
)
def test_a_file_that_is_no_sheet(tmp_path, content):
    path = tmp_path / "list.xls"
    path.write_bytes(content)
    assert "list.xls" in refused(path, "roster.format")


def test_a_program_beside_the_list_is_never_run(tmp_path, monkeypatch):
    """Somebody stands in the stick's own folder and names the list."""
    planted = tmp_path / "models" / "roster"
    planted.mkdir(parents=True)
    for folder in (planted.parent, planted):
        (folder / "__init__.py").touch()
    (planted / "__main__.py").write_text("open('was-here', 'w')")
    monkeypatch.chdir(tmp_path)
    assert read_sheets(small(tmp_path / "list.xlsx"))
    assert not (tmp_path / "was-here").exists()


def test_another_kind_of_zip(tmp_path):
    path = tmp_path / "letter.xlsx"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("word/document.xml", "<w/>")
    refused(path, "roster.format")


@pytest.mark.parametrize("head", ["<html><table><tr><td>NIK", "<?xml version='1.0'?><Workbook>"])
def test_a_web_page_that_calls_itself_a_sheet(tmp_path, head):
    path = tmp_path / "export.xls"
    path.write_text(head, "utf-8")
    assert "LibreOffice" in refused(path, "roster.web_page")


@pytest.mark.parametrize("suffix", [".xlsx", ".ods"])
def test_a_zip_that_stops_in_the_middle(tmp_path, suffix):
    path = small(tmp_path / f"list{suffix}")
    path.write_bytes(path.read_bytes()[:-200])
    refused(path, "roster.broken")


def test_a_zip_with_a_changed_byte(tmp_path):
    path = small(tmp_path / "list.xlsx")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    refused(path, "roster.broken")


def test_an_old_workbook_that_stops_in_the_middle(tmp_path):
    path = small(tmp_path / "list.xls")
    path.write_bytes(path.read_bytes()[:1500])
    refused(path, "roster.broken")


def test_a_locked_workbook_of_today(tmp_path):
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
    refused(path, "roster.password")


def test_a_locked_old_workbook(tmp_path):
    path = small(tmp_path / "list.xls")
    data = path.read_bytes()
    at = data.index(struct.pack("<HH", 0x0809, 16)) + 20  # behind the first record of the book
    filepass = struct.pack("<HHHHH", 0x2F, 6, 1, 0x1234, 0x5678)  # how an encrypted book goes on
    path.write_bytes(data[:at] + filepass + data[at + len(filepass) :])
    refused(path, "roster.password")


def test_a_locked_open_document(tmp_path):
    path = small(tmp_path / "list.ods")
    with zipfile.ZipFile(path) as parts:
        content = {name: parts.read(name) for name in parts.namelist()}
    content["META-INF/manifest.xml"] += b"<manifest:encryption-data/>"
    with zipfile.ZipFile(path, "w") as parts:
        for name, data in content.items():
            parts.writestr(name, data)
    refused(path, "roster.password")


def test_a_file_over_the_limit(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"NIK;NAMA;JK\n" * 100_000)
    assert "1 MB" in refused(path, "roster.file_too_large", file_bytes=1024 * 1024)


def test_a_zip_that_unpacks_to_too_much(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", "<w/>")
        parts.writestr("xl/worksheets/sheet1.xml", b" " * 30_000_000)
    assert path.stat().st_size < 100_000
    refused(path, "roster.file_too_large", unpacked_bytes=20_000_000)


def test_a_cell_at_the_far_corner_ends_the_parser_and_not_the_desk(tmp_path):
    """The parser asks for the whole rectangle at once and aborts: only its own process may die."""
    path = tmp_path / "corner.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "NIK")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    refused(path, "roster.broken")


def test_a_cell_at_the_far_corner_of_an_old_workbook(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    sheet.write(0, 0, "NIK")
    sheet.write(65_535, 255, "x")
    path = tmp_path / "corner.xls"
    book.save(str(path))
    refused(path, "roster.broken", memory_bytes=400 * 1024 * 1024)


def test_a_parser_that_does_not_end_is_stopped(tmp_path):
    refused(small(tmp_path / "list.xlsx"), "roster.file_too_large", seconds=0.01)


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".csv", ".ods"])
def test_more_rows_or_columns_than_people_have(tmp_path, suffix):
    path = small(tmp_path / f"list{suffix}")
    assert "10 rows" in refused(path, "roster.too_large", rows=10)
    refused(path, "roster.too_large", columns=20)


def test_formulas_are_read_as_their_last_value(tmp_path):
    path = tmp_path / "list.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["NIK", "NAMA", "JK"])
    sheet.write_string(1, 0, "8272030902848685")
    sheet.write_formula(1, 1, '=CONCATENATE("Sa","kir")', None, "Sakir")
    sheet.write_formula(1, 2, '=WEBSERVICE("http://example.invalid")', None, "L")
    book.close()
    (one,) = read_roster(path, as_of=LIST_DATE).residents
    assert (one.name, one.sex) == ("Sakir", "1")


def test_hidden_sheets_are_left_alone(tmp_path):
    path = tmp_path / "list.xlsx"
    book = xlsxwriter.Workbook(str(path))
    for name, hidden in (("Daftar", False), ("Lama", True)):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["NIK", "NAMA", "JK"])
        sheet.write_row(1, 0, ["8272030902848685", name, "L"])
        if hidden:
            sheet.hide()
    book.close()
    assert [sheet.name for sheet in read_sheets(path)] == ["Daftar"]


def test_a_long_text_is_cut_and_said(tmp_path):
    grid = Grid(rows=[["NIK", "NAMA", "JK", "ALAMAT", "NAMA IBU"]])
    grid.add("8272030902848685", "Sakir", "L", "J" * 5000, "I" * 150)
    roster = read_roster(save(tmp_path / "a.xlsx", grid), as_of=LIST_DATE)
    (one,) = roster.residents
    assert (len(one.address), len(one.mother_name)) == (200, 100)
    assert roster.report.counts == {"roster.row_cut": 2}


def test_the_content_leaves_no_trace_beside_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    small(tmp_path / "list.xlsx")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    read_roster(tmp_path / "list.xlsx", as_of=LIST_DATE)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def outcome(work):
    """What came out, or the code of the problem: anything else is an error of ours."""
    try:
        return work()
    except Problem as problem:
        return problem.code


@given(st.binary(max_size=400))
def test_any_content_has_a_kind_or_a_problem(data):
    kinds = {"xlsx", "xls", "ods", "csv"}
    found = outcome(lambda: kind_of(data))
    assert found in kinds or found.startswith("roster.")


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text, "utf-8", newline="", errors="ignore")
    found = outcome(lambda: read_roster(path, as_of=LIST_DATE))
    if not isinstance(found, str):
        assert found.report.taken == len(found.residents) > 0
    else:
        assert found.startswith("roster.")
