"""Reasons for a return, by answer: written as one text and read back; misfits are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import remarks
from models.codes import code_list
from models.problems import Problem
from models.remarks import Remark
from models.services import catalogue

FORM = catalogue().service("ktp-new-enrolment")
CODES = sorted(code_list("alasan_perbaikan").codes)
KEYS = ["applicant.nik", "applicant.name", "doc.KK", "address.village"]
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(
    lambda text: " ".join(text.split())
)


@given(
    st.builds(Remark, st.just(""), st.sampled_from(CODES), texts.filter(bool)),
    st.lists(st.builds(Remark, st.sampled_from(KEYS), st.sampled_from(CODES), texts), max_size=4),
)
def test_what_was_written_is_read(whole, about):
    assert remarks.read(remarks.written([whole, *about])) == [whole, *about]


def test_without_a_remark_about_the_whole_the_first_code_stands_in_front():
    found = [Remark("doc.KK", "DOC_UNREADABLE", "bagian bawah"), Remark("applicant.nik", "OTHER")]
    text = remarks.written(found)
    assert text.splitlines()[0] == "DOC_UNREADABLE", "a reader of first lines has something true"
    assert remarks.read(text) == found
    assert remarks.codes(text) == ["DOC_UNREADABLE", "OTHER"]


def test_they_are_said_by_the_names_of_the_questions():
    text = "OTHER: lengkapi\n@applicant.nik NIK_NOT_FOUND: cek KTP\n@doc.KK DOC_UNREADABLE"
    said = remarks.said(text, FORM)
    assert [one.key for one in said] == ["", "applicant.nik", "doc.KK"]
    assert said[0].words == "Lainnya: lengkapi"
    assert said[1].about == "Pemohon, NIK pemohon"
    assert said[1].words == "NIK tidak ditemukan: cek KTP"
    assert "kartu keluarga" in said[2].about.lower() or "KK" in said[2].about
    whole = remarks.returned_words(text, FORM)
    assert all(one.words in whole for one in said)
    assert "@" not in whole


@pytest.mark.parametrize("text", ["ditulis bebas", "NO_SUCH: x\n@a.b OTHER", ""])
def test_a_text_of_another_kind_is_shown_as_it_is(text):
    assert remarks.sentence(text) == text


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], "reason.required"),
        ([Remark("", "NO_SUCH")], "reason.unknown"),
        ([Remark("applicant.no_such", "OTHER")], "field.unknown"),
        ([Remark("applicant.2.nik", "OTHER")], "field.unknown"),
        ([Remark("doc.NO_SUCH", "OTHER")], "field.unknown"),
        ([Remark("", "OTHER", "x" * 201)], "reason.too_long"),
        ([Remark("", "OTHER"), Remark("", "DOC_UNREADABLE", "foto ulang")], "field.unknown"),
        ([Remark("doc.KK", "OTHER")] * 21, "work.too_many"),
    ],
)
def test_what_fits_nothing_is_refused(found, code):
    with pytest.raises(Problem) as refused:
        remarks.checked(FORM, found)
    assert refused.value.code == code


def test_lines_cannot_be_smuggled_into_a_text():
    (one,) = remarks.checked(FORM, [Remark("", "OTHER", "a\n@applicant.nik NIK_NOT_FOUND: b")])
    assert remarks.read(remarks.written([one])) == [one]
