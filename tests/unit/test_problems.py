"""The catalogue of problems: complete in both languages, drawn in the docs, safe to print."""

import datetime
import pickle
import re
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import docs
from models import problems
from models.problems import Finding, Problem, finding, told

CODES = sorted(problems.problems())


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", CODES)
def test_every_entry_is_whole(code):
    entry = problems.problems()[code]
    assert code == "internal" or re.fullmatch(r"[a-z]+(\.[a-z_]+)+", code)
    assert 400 <= entry.status < 600
    assert placeholders(entry.id) == placeholders(entry.en)
    for words in (entry.id, entry.en):
        assert words.strip() == words
        assert words.endswith((".", "}"))
    assert entry.id != entry.en


@pytest.mark.parametrize("code", [c for c in CODES if problems.problems()[c].severity])
def test_a_warning_says_that_one_may_go_on_and_an_error_does_not(code):
    entry = problems.problems()[code]
    invites = "alasan" in entry.id
    if entry.severity == "error":
        assert not entry.quiet
        assert not invites or entry.override or "mengapa" in entry.id or code == "reason.too_long"
    elif not entry.quiet and not code.startswith("roster."):
        assert invites
        assert "reason" in entry.en or "why" in entry.en


def test_an_unknown_key_in_the_catalogue_is_named():
    broken = b'["a.b"]\nstatus = 400\nwho = "operator"\nid = "x."\nen = "y."\nseverty = "error"\n'
    with pytest.raises(msgspec.ValidationError, match="severty"):
        msgspec.toml.decode(broken, type=dict[str, problems.Entry])


def test_words_are_filled_in_both_languages_and_dates_read_as_on_paper():
    problem = Problem("nik.birth_differs", part="010190", birth=datetime.date(1990, 1, 2))
    assert "02-01-1990" in problem.words("id")
    assert "differs from the birth date 02-01-1990" in problem.words("en")


def test_a_detail_may_come_in_both_languages():
    problem = Problem("field.type", key="a.b", expected={"id": "teks", "en": "text"})
    assert "harus teks" in problem.words()
    assert "text is expected" in problem.words("en")


def test_a_missing_detail_still_reaches_the_person():
    assert "Terisi ? angka" in Problem("nik.length").words()


def test_details_may_be_called_code():
    assert "8299" in Problem("nik.unknown_region", code="8299").words()
    assert finding("a.nik", "nik.unknown_region", code="8299").details == {"code": "8299"}


def test_the_api_body_is_json_and_names_who_acts():
    body = Problem(
        "roster.columns", missing=["NIK", "NAMA"], on=datetime.date(2026, 1, 2)
    ).as_dict()
    assert msgspec.json.decode(msgspec.json.encode(body)) == body
    assert (body["status"], body["who"], body["code"]) == (422, "operator", "roster.columns")
    assert "NIK, NAMA" in body["detail"]
    assert body["details"]["on"] == "2026-01-02"


def test_printing_a_problem_shows_no_detail():
    problem = Problem("request.unknown", code="8272014101900001")
    assert "8272" not in f"{problem} {problem!r}"


def test_a_problem_survives_another_process():
    problem = Problem("kk.length", n=3)
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert problem != Problem("kk.length", n=4)


def test_a_code_out_of_the_air_is_refused_here_but_told_when_it_came_by_wire():
    with pytest.raises(KeyError):
        Problem("no.such_code")
    with pytest.raises(ValueError, match="no severity"):
        finding("a.b", "sync.bomb")
    assert "no.such_code" in told("no.such_code", {}, "en")
    assert told("kk.length", {"n": 3}) == Problem("kk.length", n=3).words()


def test_what_stops_and_who_may_let_it_pass():
    error = finding("a", "nik.length", n=3)
    doubt = finding("a", "nik.sex_differs")
    usual = finding("a", "nik.region_differs", code="1")
    odd = finding("a", "nik.date_parts", part="320190")
    assert error.stops
    assert not error.passable()
    assert not error.passable("verifier")
    assert doubt.stops
    assert doubt.passable()
    assert not msgspec.structs.replace(doubt, passed=True).stops
    assert not usual.stops
    assert odd.stops
    assert not odd.passable("operator")
    assert odd.passable("verifier")
    assert error.problem().details == {"n": 3, "key": "a"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), st.sampled_from(CODES))
def test_no_details_can_keep_the_words_away(details, code):
    assert Finding("k", code, "error", details).words("en")
    assert told(code, details)


def test_the_page_in_the_docs_is_the_catalogue():
    page = (docs.ROOT / "docs" / "problems.md").read_text("utf-8")
    assert docs.redrawn(page) == page, "run scripts/docs.py"
    for code in CODES:
        assert f"`{code}`" in page
