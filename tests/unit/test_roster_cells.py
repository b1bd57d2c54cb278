"""One cell of a list: numbers that lost digits, days in every form, words, and nothing breaks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.roster import cells, labels, lexicon

AS_OF = date(2026, 10, 1)
ANY_CELL = st.one_of(
    st.text(max_size=40), st.integers(), st.floats(), st.booleans(), st.none(), st.dates()
)


@pytest.mark.parametrize(
    ("cell", "text", "remark"),
    [
        ("8272030902848685", "8272030902848685", ""),
        ("8272030902848685.0", "8272030902848685", ""),
        ("'8272030902848685", "8272030902848685", "roster.row_spacing"),
        (" 8272 0309 0284 8685 ", "8272030902848685", "roster.row_spacing"),
        ("827203.090284.8685", "8272030902848685", "roster.row_spacing"),
        ("8,27203E+15", "", "roster.lost_digits"),
        ("8.27203e15", "", "roster.lost_digits"),
        (8272030902848685.0, "8272030902848685", ""),
        (9272030902848685.0, "", "roster.lost_digits"),  # beyond what a float holds exactly
        (8.5, "", "roster.lost_digits"),
        (827203090284868, "827203090284868", ""),
        (None, "", ""),
    ],
)
def test_a_long_number_is_read_or_known_to_be_damaged(cell, text, remark):
    found = cells.digits(cell)
    assert (found.text, found.remark) == (text, remark)


@pytest.mark.parametrize(
    "cell",
    [
        date(1980, 5, 12), 29353, 29353.0, "29353", "12-05-1980", "12/05/1980", "12.05.1980",
        "12 05 1980", "12-5-1980", "1980-05-12", "1980/05/12", "12 Mei 1980", "12-MEI-1980",
        "12-May-1980", "May 12, 1980", "12051980", "19800512", "1980-05-12 00:00:00",
        "12/05/1980 0:00", "Senin, 12 Mei 1980", "  12 - 05 - 1980 ", "12 mei1980",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_form(cell):
    assert cells.day(cell, AS_OF) == (date(1980, 5, 12), "")


@pytest.mark.parametrize(
    ("cell", "day", "remark"),
    [
        ("12-05-80", date(1980, 5, 12), "roster.row_short_year"),
        ("12-05-26", date(2026, 5, 12), "roster.row_short_year"),
        ("12-05-27", date(1927, 5, 12), "roster.row_short_year"),
        ("05/25/1980", date(1980, 5, 25), "roster.row_month_first"),
        ("31-02-1980", None, "roster.row_date"),
        ("00-00-1950", None, "roster.row_date"),
        ("1980", None, "roster.row_date"),
        (1980, None, "roster.row_date"),
        (1980.0, None, "roster.row_date"),
        ("sekitar 1950", None, "roster.row_date"),
        ("12 Bulan 1980", None, "roster.row_date"),
        ("01-01-1700", None, "roster.row_date"),
        (date(2026, 10, 2), None, "roster.row_date_future"),
        ("02-10-2026", None, "roster.row_date_future"),
        (99999, None, "roster.row_date_future"),
        ("-", None, ""),
        (None, None, ""),
    ],
)
def test_a_doubtful_day_is_not_repaired(cell, day, remark):
    assert cells.day(cell, AS_OF) == (day, remark)


@pytest.mark.parametrize(
    ("cell", "place", "day"),
    [
        ("Soasio, 12-05-1980", "Soasio", date(1980, 5, 12)),
        ("Soasio/12 Mei 1980", "Soasio", date(1980, 5, 12)),
        ("Raja Ampat 12/05/1980", "Raja Ampat", date(1980, 5, 12)),
        ("Soasio", "Soasio", None),
        (", 12-05-1980", "", date(1980, 5, 12)),
        ("-", "", None),
    ],
)
def test_place_and_day_in_one_cell(cell, place, day):
    where, read = cells.place_and_day(cell, AS_OF)
    assert (where, read.day) == (place, day)


@pytest.mark.parametrize(
    ("cell", "text"),
    [(1.0, "001"), (12, "012"), ("3", "003"), ("003", "003"), ("2.0", "002"), ("-", ""), ("", "")],
)
def test_rt_and_rw_get_their_zeros_back(cell, text):
    assert cells.place(cell) == text


@given(ANY_CELL)
def test_no_cell_breaks_a_reader(cell):
    found = cells.digits(cell)
    assert isinstance(found.text, str)
    read = cells.day(cell, AS_OF)
    assert read.day is None or date(1850, 1, 1) <= read.day <= AS_OF
    where, _ = cells.place_and_day(cell, AS_OF)
    assert isinstance(where, str)
    assert cells.place(cell) == cells.place(cells.place(cell))
    labels.said([cell])
    lexicon.meaning("job", cells.text_of(cell))


@pytest.mark.parametrize(
    ("field", "word", "code"),
    [
        ("sex", "Lk", "1"), ("sex", "PEREMPUAN", "2"), ("sex", "LAKI - LAKI", "1"),
        ("education", "SLTA/Sederajat", "5"), ("education", "SLTA / SEDERAJAT", "5"),
        ("education", "DIPLOMA I/II", "6"), ("education", "AKADEMI/DIPLOMA III/S. MUDA", "7"),
        ("education", "DIPLOMA III", "7"), ("education", "Tdk/Blm Sekolah", "1"),
        ("education", "TAMAT SD/SEDERAJAT", "3"), ("education", "STRATA II", "9"),
        ("marital", "Kawin", "2"), ("marital_full", "Kawin", None),
        ("marital_full", "KAWIN TERCATAT", "2"), ("marital_full", "CERAI MATI", "6"),
        ("marital", "CM", "4"), ("marital", "Blm Kawin", "1"), ("marital", "3", "3"),
        ("blood", "Tdk Th", "13"), ("blood", "A +", "5"), ("blood", "o-", "12"),
        ("blood", "0", "4"),
        ("blood", "belum", None), ("religion", "KATHOLIK", "3"), ("religion", "Budha", "5"),
        ("shdk", "ORANGTUA", "7"), ("shdk", "Kep. Keluarga", "1"), ("shdk", "ISTERI", "3"),
        ("shdk", "FAMILI LAIN", "9"), ("job", "PNS", "5"), ("job", "PETANI/PEKEBUN", "9"),
        ("job", "89", None), ("job", "88", "88"), ("job", "Lainnya", "99"),
        ("residence", "Mati", "dead"), ("residence", "PINDAH DALAM NEGERI", "moved"),
        ("residence", "6", "lost"), ("residence", "Tidak Valid", "unknown"),
        ("enrolment", "BELUM REKAM", "not_enrolled"), ("enrolment", "Blm Rekam", "not_enrolled"),
        ("enrolment", "SENT_FOR_CARD_PRINTING", "enrolled"),
        ("enrolment", "CARD SHIPPED", "enrolled"), ("enrolment", "PRR", "enrolled"),
        ("enrolment", "ENROLL_FAILURE_AT_REGIONAL", "unknown"),
        ("enrolment", "belum tentu", None), ("citizenship", "WNI", "1"),
    ],
)  # fmt: skip
def test_a_word_of_the_office_is_the_code_of_the_form(field, word, code):
    assert lexicon.meaning(field, word) == code


@pytest.mark.parametrize("word", ["", "-", "--", " - ", "NULL", "null", "...", "n/a", "Tidak ada"])
def test_a_cell_that_says_nothing_is_blank(word):
    assert lexicon.is_blank(word)


def test_no_word_for_nothing_is_longer_than_the_quick_look_assumes():
    tables, _ = lexicon._tables()
    assert max(map(len, tables["blank"])) <= lexicon._BLANK_LONGEST


@pytest.mark.parametrize("word", ["√", "0", "A", "Tidak", "-1"])
def test_a_cell_that_says_something_is_not(word):
    assert not lexicon.is_blank(word)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("TGL LHR", "birth_date"), ("Tgl. Lahir", "birth_date"), ("tanggallahir", "birth_date"),
        ("HUB.KEL", "shdk"), ("SHDK", "shdk"), ("Hubungan Dalam Keluarga", "shdk"),
        ("JK L/P/Lk/Pr", "sex"), ("JK (L/P)", "sex"), ("Jns Klmn", "sex"), ("NOMOR KK", "kk"),
        ("no_kk", "kk"), ("No. Kartu Keluarga", "kk"), ("NKK", "kk"), ("KTPEL", "card"),
        ("Stat Rkm", "enrolment"), ("GOL. DRH", "blood"), ("Pddk", "education"),
        ("Nama Lengkap", "name"), ("Tmpt Lhr", "birth_place"), ("Nm Ibu", "mother_name"),
        ("Ayah NIK", "father_nik"), ("Kolom Baru", None),
    ],
)  # fmt: skip
def test_a_heading_is_known_in_its_many_spellings(heading, field):
    found = lexicon.heading_fields(heading)
    assert (found[0] if found else None) == field


def test_a_familys_line_is_read_from_its_words():
    line = ["No. KK : 8272031703094186", None, "Kepala Keluarga : SAKIR", None]
    line += ["Alamat : JL. PALA NO. 4, Nama Dusun : GAM SUNGI, RT/RW : 2/001"]
    assert labels.family(line) == {
        "kk": "8272031703094186", "address": "JL. PALA NO. 4", "dusun": "GAM SUNGI",
        "rt": "002", "rw": "001",
    }  # fmt: skip
    spread = ["NO. KK", ":", "8272031703094186", "ALAMAT", ":", "DUSUN GITA RT 001 RW -"]
    assert labels.family(spread) == {
        "kk": "8272031703094186", "address": "DUSUN GITA", "rt": "001",
    }  # fmt: skip
    assert labels.family(["1", "Sakir", "8272030902848685"]) == {}


def test_the_region_lines_tell_the_village():
    assert labels.region(["KELURAHAN/DESA : 8272032002 GITA"]) == {"village": "8272032002 GITA"}
    assert labels.region(["KECAMATAN", ":", "OBA", "RT", ":", "001"]) == {
        "district": "OBA", "rt": "001",
    }  # fmt: skip
