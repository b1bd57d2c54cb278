"""Checking a whole form: what is asked, what is said, and that nothing makes it fall over."""

from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.problems import Problem
from models.services import catalogue

TODAY = date(2026, 11, 21)
NIK, OTHER, KK = "8272034503900021", "8272031711880013", "8272031201150007"


def example(slug, **changes):
    """Flat answers and documents of a service's example, changed by key ("." written as "__")."""
    service = catalogue().service(slug)
    checked = service.check(service.example.answers, service.example.documents, today=TODAY)
    answers = dict(checked.answers)
    for key, value in changes.items():
        name = key.replace("__", ".")
        if value is None:
            answers.pop(name, None)
        else:
            answers[name] = value
    return service, answers, checked.documents


def said(slug, documents=None, reasons=None, stage="intake", role="operator", **changes):
    """(key, code) of every finding that stops the changed example."""
    service, answers, papers = example(slug, **changes)
    papers = papers if documents is None else documents
    found = service.check(answers, papers, reasons, today=TODAY, stage=stage, role=role)
    return [(one.key, one.code) for one in found.problems if one.stops]


# --- a whole form ------------------------------------------------------------------------------


def test_nested_and_flat_answers_are_the_same():
    service = catalogue().service("birth")
    nested = service.check(service.example.answers, service.example.documents, today=TODAY)
    flat = service.check(nested.answers, service.example.documents, today=TODAY)
    assert flat == nested
    assert nested.answers["witness.2.nik"] == "8272032201750015"


def test_every_unknown_key_is_named_and_nothing_else_is_lost():
    service, answers, papers = example("birth")
    wrong = {"birth.colour": "x", "witness.0.nik": NIK, "witness.nik": NIK, "nik": NIK}
    wrong |= {"witness.100.nik": NIK, "witness.01.nik": NIK, "applicant.1.name": "x", "move.kk": KK}
    found = service.check(answers | wrong, papers, today=TODAY)
    assert {one.key for one in found.problems if one.code == "field.unknown"} == set(wrong)
    assert found.answers == answers
    assert "birth.colour" in found.problems[0].words()


def test_all_errors_are_said_at_once():
    found = said(
        "birth", birth__sex="7", birth__order=99, parents__mother_nik="82", birth__place=None
    )
    assert set(found) == {
        ("birth.sex", "field.code"),
        ("birth.order", "field.range"),
        ("parents.mother_nik", "nik.length"),
        ("birth.place", "field.required"),
    }


def test_an_alias_is_typed_once_and_shown_everywhere():
    service, answers, papers = example("ktp-new-enrolment")
    assert "card.nik" not in answers
    assert "ktp_enrolment_queue.nik" not in answers
    shown = service.shown(answers, papers)
    assert shown["card.nik"] == shown["ktp_enrolment_queue.nik"] == answers["applicant.nik"]
    assert shown["card.request"] == ["II.A"]
    assert shown["card.attachments"] == ["KK"]
    assert next(iter(shown)) == "applicant.name"


def test_an_answer_given_at_its_alias_moves_to_its_place():
    service, answers, papers = example("ikd-activation", applicant__email=None)
    checked = service.check(answers | {"ikd_activation.email": "a@b.id"}, papers, today=TODAY)
    assert checked.ok
    assert checked.answers["applicant.email"] == "a@b.id"
    assert "ikd_activation.email" not in checked.answers
    # a whole address too
    service, answers, papers = example("data-element-change")
    parts = {key: answers.pop(key) for key in list(answers) if key.startswith("address.")}
    whole = {key.removeprefix("address."): value for key, value in parts.items()}
    checked = service.check(answers | {"data_change.address": whole}, papers, today=TODAY)
    assert checked.ok
    assert checked.answers == answers | parts


def test_an_alias_that_contradicts_its_target_is_an_error():
    assert said("ktp-new-enrolment", card__name="Orang Lain") == [("card.name", "field.differs")]
    assert said("ktp-new-enrolment", card__request=["II.B"]) == [("card.request", "field.code")]
    assert said("ktp-new-enrolment", card__attachments=["KK"]) == []
    papers = said("ktp-new-enrolment", card__attachments=["KK", "KTP"])
    assert papers == [("card.attachments", "field.derived")]
    assert said("birth", event__event="birth") == []
    assert said("birth", event__event="death") == [("event.event", "field.code")]


def test_the_applicant_is_the_subject_only_when_he_says_so():
    found = said("ktp-print-first", applicant__relation="self", card__name=None, card__nik=None)
    assert found == [("card.kk", "field.differs")]
    other = said("ktp-reprint-damaged", applicant__relation="proxy")
    assert ("card.nik", "field.required") in other
    assert ("proxy.giver_nik", "field.required") in other


def test_in_rows_only_the_first_is_the_applicant():
    service, answers, papers = example("marriage")
    shown = service.shown(answers, papers)
    assert shown["subject.1.name"] == shown["applicant.name"]
    assert shown["subject.2.name"] != shown["applicant.name"]
    first, second = service.subjects(answers)
    assert (first.nik, second.nik) == (shown["applicant.nik"], shown["subject.2.nik"])


def test_the_head_of_the_family_is_the_row_that_says_so():
    service, answers, papers = example("biodata-wni")
    assert service.shown(answers, papers)["head.head_name"] == answers["member.1.name"]
    swapped = answers | {"member.1.shdk": "4", "member.2.shdk": "1"}
    assert service.shown(swapped, papers)["head.head_name"] == answers["member.2.name"]


def test_wanted_rows_are_named_one_by_one():
    gone = {f"witness__2__{name}": None for name in ("name", "nik", "citizenship")}
    assert said("death", **gone) == [
        ("witness.2.name", "field.required"),
        ("witness.2.nik", "field.required"),
        ("witness.2.citizenship", "field.required"),
    ]
    third = {"witness__3__name": "Ani", "witness__3__nik": OTHER, "witness__3__citizenship": "1"}
    assert said("death", **third) == [("witness", "field.too_many")]


def test_a_block_that_is_not_asked_any_more_is_kept_and_does_not_count():
    service, answers, papers = example("ktp-reprint-lost")
    mine = answers | {"applicant.relation": "self"}
    for key in ("card.name", "card.nik", "card.kk"):
        del mine[key]
    checked = service.check(mine, papers, today=TODAY)
    assert checked.ok
    assert checked.answers["proxy.giver_nik"] == answers["proxy.giver_nik"]
    assert "proxy.giver_nik" not in service.shown(checked.answers, papers)
    quiet = {one.key for one in checked.problems if one.code == "field.closed"}
    assert "proxy.giver_nik" in quiet


def test_stages_ask_in_turn():
    assert said("village-poverty-letter") == []
    office = said("village-poverty-letter", stage="office")
    keys = {key for key, code in office if code == "field.required"}
    assert keys == {"village_letter.number", "village_letter.date", "village_letter.signer"}
    early = said("village-poverty-letter", handover__document="LETTER")
    assert early == [("handover.document", "field.not_asked")]
    late = said("village-poverty-letter", stage="handover")
    assert ("handover.request_id", "field.required") in late


def test_what_only_the_office_fills_is_dropped_with_a_quiet_note():
    service, answers, papers = example("ktp-new-enrolment")
    given = answers | {"ktp_enrolment_queue.enrol_status": "PRINT_READY_RECORD"}
    checked = service.check(given, papers, today=TODAY)
    assert checked.ok
    assert checked.answers == answers
    assert [one.code for one in checked.problems] == ["field.central_only"]
    office = service.check(given, papers, today=TODAY, stage="office")
    assert "ktp_enrolment_queue.enrol_status" in office.answers


# --- documents and reasons -----------------------------------------------------------------------


def test_a_missing_document_passes_with_a_reason():
    missing = [("doc.KK", "document.missing")]
    assert said("ktp-new-enrolment", documents=[]) == missing
    assert said("ktp-new-enrolment", documents=[], reasons={"doc.KK": "hanyut saat banjir"}) == []
    assert said("ktp-new-enrolment", documents=[], reasons={"doc.KK": "  "}) == missing
    found = example("ktp-new-enrolment")[0].check({}, [], today=TODAY).problems
    words = next(one for one in found if one.key == "doc.KK").words("en")
    assert "Copy of family card" in words


def test_of_alternatives_one_is_enough_and_a_form_counts_when_it_is_filled():
    service, answers, papers = example("birth-late")
    without = {key: value for key, value in answers.items() if "birth_statement" not in key}
    alone = [paper for paper in papers if paper != "F-2.03"]
    assert service.check(answers, alone, today=TODAY).ok, "the form is filled, so it is there"
    found = service.check(without, alone, today=TODAY)
    assert [(one.key, one.code) for one in found.problems] == [
        ("doc.birth_proof", "document.missing")
    ]
    assert found.problems[0].details["documents"] == ["BIRTH_LETTER", "F-2.03"]
    reason = {"doc.birth_proof": "bidan sudah pindah"}
    assert service.check(without, alone, reason, today=TODAY).ok
    begun = without | {"birth_statement.witness1": {"name": "Fatma", "nik": OTHER}}
    assert not service.check(begun, alone, reason, today=TODAY).ok, "begun means finished"


def test_a_condition_nobody_can_tell_asks_nothing_and_tells_the_verifier():
    service, answers, papers = example("ktp-print-first", card__nik=None)
    found = service.check(answers, papers, today=TODAY).problems
    assert [one.code for one in found] == ["field.required"]
    name, answers, papers = example("name-change", subject__birth_date=None, applicant__nik=None)
    answers |= {"applicant.no_nik_reason": "not_known", "subject.travel_doc": "A123"}
    found = name.check(answers, [*papers, "KTP"], today=TODAY).problems
    unsure = {one.key for one in found if one.code == "age.unknown"}
    assert unsure == {"name_change.guardian_name", "name_change.guardian_nik"}
    assert all(not one.stops for one in found if one.code == "age.unknown")


def test_unknown_documents_and_odd_reasons_are_said():
    assert said("ktp-new-enrolment", documents=["KK", "KARTU"]) == [
        ("documents", "document.unknown")
    ]
    assert said("ktp-new-enrolment", documents={"KK": 1}) != []
    assert said("ktp-new-enrolment", reasons=["x"]) == [("reasons", "field.type")]
    assert said("ktp-new-enrolment", reasons={"a": "x" * 501}) == [("a", "reason.too_long")]


def test_an_error_passes_only_for_the_role_the_catalogue_names():
    odd = {"applicant__nik": "8272033513900021"}  # month 13
    reason = {"applicant.nik": "tercetak begitu"}
    assert ("applicant.nik", "nik.date_parts") in said("ktp-new-enrolment", reasons=reason, **odd)
    assert said("ktp-new-enrolment", reasons=reason, role="verifier", **odd) == []


# --- answers read together -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "changes", "expected"),
    [
        (
            "ktp-new-enrolment",
            {"applicant__kk": "8272033003090005"},
            [("applicant.nik", "nik.equals_kk")],
        ),
        (
            "kk-new-family",
            {"family_member__2__nik": OTHER},
            [("family_member.2.nik", "nik.twice_in_family")],
        ),
        (
            "death",
            {"witness__2__nik": "8272035206790008"},
            [("witness.2.nik", "nik.twice_in_family")],
        ),
        (
            "ktp-reprint-lost",
            {"proxy__giver_nik": OTHER},
            [("applicant.nik", "nik.proxy_is_giver")],
        ),
        (
            "child-adoption",
            {"adoption__mother_nik": "8272026203240002"},
            [("adoption.mother_nik", "nik.mother_is_child")],
        ),
        (
            "child-legitimation",
            {
                "legitimation__father_nik": "8272021203880002",
                "legitimation__mother_nik": "8272021203880002",
            },
            [
                ("legitimation.mother_nik", "nik.sex_differs"),
                ("legitimation.father_nik", "field.same"),
            ],
        ),
        (
            "ktp-new-enrolment",
            {"ktp_enrolment_queue__sex": "2"},
            [("applicant.nik", "nik.sex_differs")],
        ),
        (
            "ktp-new-enrolment",
            {"ktp_enrolment_queue__birth_date": "2009-03-29"},
            [("applicant.nik", "nik.birth_differs")],
        ),
        (
            "ktp-new-enrolment",
            {"applicant__no_nik_reason": "not_known"},
            [("applicant.no_nik_reason", "field.must_match")],
        ),
        (
            "ktp-new-enrolment",
            {
                "applicant__relation": "proxy",
                "card__name": "A B",
                "card__nik": "8272033003090005",
                "card__kk": KK,
            },
            [("applicant.relation", "service.proxy_refused")],
        ),
        (
            "kia-new-under5",
            {"applicant__relation": "head"},
            [("applicant.relation", "applicant.unusual")],
        ),
        ("death", {"death__date": "1949-01-01"}, [("death.date", "date.order")]),
        (
            "name-change",
            {"name_change__new_name": "Salma Kader"},
            [("name_change.new_name", "field.same")],
        ),
        (
            "kk-new-family",
            {"family_member__2__shdk": "1"},
            [("family_member.2.shdk", "family.heads")],
        ),
        (
            "kk-new-family",
            {"family_member__1__shdk": "4"},
            [("family_member.1.shdk", "family.heads")],
        ),
        (
            "kk-new-head-change",
            {"head_change__new_head_nik": OTHER},
            [("head_change.new_head_nik", "family.head_not_member")],
        ),
        ("biodata-wni", {"head__member_count": 5}, [("head.member_count", "family.count")]),
        (
            "biodata-wni",
            {"member__2__shdk": "3", "member__2__marital": "1"},
            [("member.2.marital", "family.unmarried_spouse")],
        ),
        (
            "biodata-wni",
            {"member__2__marital": "3", "member__2__has_marriage_deed": "1"},
            [("member.2.marital", "family.married_child")],
        ),
        (
            "biodata-wni",
            {
                "member__2__shdk": "3",
                "member__2__sex": "1",
                "member__2__birth_date": "1999-01-01",
                "member__2__marital": "3",
                "member__2__has_marriage_deed": "1",
            },
            [("member.2.shdk", "family.spouse_sex")],
        ),
        (
            "biodata-wni",
            {"member__2__education": "8"},
            [("member.2.education", "family.young_degree")],
        ),
        ("biodata-wni", {"member__1__job": "3"}, [("member.1.job", "family.old_pupil")]),
        (
            "biodata-wni",
            {"member__1__birth_date": "1850-05-01", "member__1__marriage_date": "1900-01-01"},
            [("member.1.birth_date", "field.should_match")],
        ),
        (
            "birth",
            {"parents__mother_birth_date": "2018-03-05", "parents__mother_nik": "8272034503180021"},
            [("parents.mother_birth_date", "family.young_mother")],
        ),
        ("birth", {"parents__mother_nik": None}, [("parents.mother_nik", "field.should_match")]),
        ("birth", {"subject__name": "Fahri Nur'ain"}, [("subject.name", "name.new_signs")]),
        ("birth", {"birth__weight_g": 900}, [("birth.weight_g", "field.unusual")]),
        ("marriage", {"marriage__religion": "1"}, [("marriage.religion", "field.must_match")]),
        (
            "marriage",
            {"subject__2__birth_date": "2009-10-25", "subject__2__nik": "8272026510090010"},
            [("doc.DISPENSATION", "document.missing"), ("subject.2.birth_date", "age.marriage")],
        ),
        (
            "legalisation",
            {"legalisation__document": "KTP"},
            [("legalisation.document", "field.must_match")],
        ),
        (
            "deed-second-extract",
            {"reissue__reason": "expired"},
            [("reissue.reason", "field.must_match")],
        ),
        ("move-within", {"move__class": "5"}, [("move.class", "field.class_differs")]),
        (
            "village-cover-letter",
            {"applicant__no_nik_reason": None},
            [("applicant.nik", "field.required"), ("applicant.kk", "field.required")],
        ),
        (
            "ktp-new-enrolment",
            {"ktp_enrolment_queue__birth_date": "2012-03-30", "applicant__nik": "8272033003120005"},
            [
                ("doc.MARRIAGE", "document.missing"),
                ("ktp_enrolment_queue.birth_date", "age.too_young"),
            ],
        ),
        ("kia-new-under5", {"card__nik": "8272035408160004"}, [("card.nik", "age.old_by_nik")]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_together_is_said_where_it_was_typed(slug, changes, expected):
    assert said(slug, **changes) == expected


def test_under_seventeen_and_married_may_be_enrolled():
    young = {
        "ktp_enrolment_queue__birth_date": "2012-03-30",
        "applicant__nik": "8272033003120005",
    }
    assert said("ktp-new-enrolment", documents=["KK", "MARRIAGE"], **young) == []


# --- units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "name", "shape", "guard"),
    [
        ("birth", "applicant.phone", "field", "free"),
        ("birth", "applicant.identity", "group", "protected"),
        ("birth", "address.address", "group", "free"),
        ("birth", "witness.2.row", "group", "protected"),
        ("birth", "birth.birth", "group", "protected"),
        ("birth", "event.event", "field", "central"),
        ("birth", "documents", "set", "free"),
        ("kia-reissue", "card.request", "set", "free"),
        ("biodata-wni", "member.2.blood", "field", "free"),
        ("biodata-wni", "member.2.membership", "group", "free"),
        ("biodata-wni", "member.membership", "group", "free"),
        ("birth", "handover.document", "group", "free"),
        ("birth", "handover.serial", "field", "central"),
    ],
)
def test_a_unit_has_its_shape_and_its_strictest_guard(slug, name, shape, guard):
    unit = catalogue().service(slug).unit(name)
    assert (unit.name, unit.shape, unit.guard) == (name, shape, guard)


@pytest.mark.parametrize("name", ["", "colour", "applicant.name", "witness.row", "witness.0.row"])
def test_an_unknown_unit_is_a_problem(name):
    with pytest.raises(Problem, match=r"unit\.unknown"):
        catalogue().service("birth").unit(name)


def test_a_group_holds_its_filled_members_and_names_strangers_in_full():
    service, answers, papers = example("biodata-wni")
    units = service.units(answers, papers)
    assert units["applicant.identity"] == {"name": "Idris Mahmud", "nik": OTHER, "kk": KK}
    assert units["member.membership"] == {"head.member_count": 2}
    assert units["member.2.membership"] == {"shdk": "4"}
    assert units["documents"] == ["EDU", "EVENT", "RTRW"]
    with pytest.raises(Problem, match=r"unit\.unknown"):
        service.answers({"member.2.membership": {"colour": "x"}})
    with pytest.raises(Problem, match=r"field\.unknown"):
        service.units({"member.2.colour": "x"})


@pytest.mark.parametrize("digests", ["ab" * 32, ["ab" * 32, "cd" * 32]])
def test_signatures_are_elements_of_a_set(digests):
    service, answers, papers = example("ktp-new-enrolment", card__signature=digests)
    checked = service.check(answers, papers, today=TODAY)
    units = service.units(checked.answers, papers)
    assert units["card.signature"] == ([digests] if isinstance(digests, str) else digests)
    assert service.answers(units) == (checked.answers, papers)


# --- who, where, when ----------------------------------------------------------------------------


def test_a_newborn_of_two_places_shares_a_key_and_twins_do_not():
    birth, answers, _ = example("birth")
    late = catalogue().service("birth-late")
    key = ("birth|8272034503900021|2026-11-02",)
    assert birth.keys(answers) == late.keys(answers) == key
    assert birth.keys(answers | {"birth.plurality": "2"}) == ()
    nameless = {k: v for k, v in answers.items() if k != "parents.mother_nik"}
    assert birth.keys(nameless) == ("birth|SALMA KADER/1990-03-05|2026-11-02",)
    grown = answers | {"subject.nik": OTHER}
    assert birth.keys(grown) == (f"nik|birth|{OTHER}", *key)


def test_a_person_has_one_key_for_each_service():
    service, answers, _ = example("ktp-reprint-lost")
    assert service.keys(answers) == ("nik|ktp-reprint-lost|8272034503900021",)
    assert catalogue().service("kk-new-vulnerable").keys({"applicant.name": "Abdullah"}) == ()
    marriage, answers, _ = example("marriage")
    assert len(marriage.keys(answers)) == 2


def test_the_subject_is_told_from_the_form():
    service, answers, _ = example("kia-new-5to17")
    subject = service.subject(answers)
    assert (subject.name, subject.nik, subject.kk) == ("Rizky Idris", "8272030205150009", KK)
    birth, answers, _ = example("birth")
    child = birth.subject(answers)
    assert (child.name, child.nik, child.birth_date) == ("Fahri Idris", None, date(2026, 11, 2))
    assert (child.mother_nik, child.plurality, child.sex) == (NIK, "1", "1")
    assert birth.village(answers) == "82.72.03.2001"
    away, answers, _ = example("ktp-out-of-domicile")
    assert away.village(answers) is None


def test_lateness_is_said_and_stops_nothing():
    service, answers, papers = example("birth")
    in_time = service.deadline(answers, date(2027, 1, 1))
    assert (in_time.days, in_time.limit, in_time.late) == (60, 60, False)
    assert in_time.last_day == date(2027, 1, 1)
    late = service.deadline(answers, date(2027, 1, 2))
    assert (late.days, late.late) == (61, True)
    assert service.check(answers, papers, today=date(2028, 1, 1)).ok
    assert service.deadline({}, TODAY) is None
    assert catalogue().service("legalisation").deadline({}, TODAY) is None


# --- nothing makes it fall over ------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
SLUGS = st.sampled_from(catalogue().slugs)


@given(slug=SLUGS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_json_in_any_field_gives_findings_and_never_an_exception(slug, data):
    service, answers, papers = example(slug)
    keys = st.sampled_from(sorted(service.plan.slots))
    paths = data.draw(st.lists(keys, min_size=1, max_size=4))
    for path in paths:
        section, _, name = path.partition(".")
        repeated = service.plan.blocks[section].repeated
        answers[f"{section}.1.{name}" if repeated else path] = data.draw(JSON)
    stage = data.draw(st.sampled_from(("intake", "office", "handover")))
    checked = service.check(answers, data.draw(JSON | st.just(papers)), today=TODAY, stage=stage)
    assert msgspec.json.encode([one.details for one in checked.problems if one.details]) is not None
    for one in checked.problems:
        assert one.words("id")
        assert one.words("en")
    again = service.check(checked.answers, checked.documents, today=TODAY, stage=stage)
    assert again.answers == checked.answers, "a normal form is its own normal form"
    units = service.units(checked.answers, checked.documents)
    assert service.answers(units) == (checked.answers, checked.documents)
    assert isinstance(service.keys(checked.answers), tuple)


@given(slug=SLUGS, data=st.data())
@settings(max_examples=100, deadline=None)
def test_what_a_strange_laptop_sent_can_still_be_listed_and_shown(slug, data):
    """Central never refuses a request for its content, so anything may stand in a unit."""
    service, answers, papers = example(slug)
    units = service.units(answers, papers)
    for name in data.draw(st.lists(st.sampled_from(sorted(units)), max_size=4)):
        whole = isinstance(units[name], dict)
        units[name] = {k: data.draw(JSON) for k in units[name]} if whole else data.draw(JSON)
    strange, brought = service.answers(units)
    assert isinstance(service.shown(strange, brought), dict)
    assert service.subjects(strange)
    assert isinstance(service.keys(strange), tuple)
    service.deadline(strange, TODAY)
    service.village(strange)


@given(slug=SLUGS, answers=JSON, documents=JSON, reasons=JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_as_a_whole_gives_findings_and_never_an_exception(
    slug, answers, documents, reasons
):
    checked = catalogue().service(slug).check(answers, documents, reasons, today=TODAY)
    assert not checked.ok
