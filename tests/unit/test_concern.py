"""What may never be joined: one NIK, portrait or paper with two people, and what is no concern."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models.services import Subject
from server.matching.concern import Shown, concern, keys
from server.matching.profile import Profile, profile

TODAY = date(2026, 11, 1)
PAPER, PHOTO = b"p" * 32, b"f" * 32


def person(name: str, nik: str, space: str = "kia", **more: Any) -> Profile:
    return profile(space, "82.72.03.2001", Subject(name=name, nik=nik, **more), TODAY)


def levels(one: Profile, other: Profile, a: Shown, b: Shown) -> list[tuple[str, str]]:
    verdict = concern(([one], [other]), (a, b))
    return [(r.feature, r.level) for r in verdict.reasons] if verdict is not None else []


@pytest.mark.parametrize(
    ("name", "space", "found"),
    [
        ("SITI AMINAH DUWILA", "ktp", [("nik", "same"), ("name", "other"), ("birth", "same")]),
        ("RACHMAT HAMZAH", "ktp", []),
        ("SITI AMINAH DUWILA", "kia", []),
    ],
    ids=["two names", "one name, spelled otherwise", "one matter: the NIK itself makes a case"],
)
def test_one_nik_of_two_people(name, space, found):
    one = person("RAHMAT HAMZAH", "8272032301090101")
    other = person(name, "8272032301090101", space)
    assert levels(one, other, Shown(), Shown()) == found


def test_a_paper_of_two_people_is_a_concern_unless_they_belong_together():
    one = person("RAHMAT HAMZAH", "8272032301090101", kk="8272031703090002")
    two = person("WULAN SARI", "8272036512190112", kk="8272031703090009")
    child = person("WULAN SARI", "8272036512190112", kk="8272031703090002")
    paper = Shown({PAPER: "page"})
    assert levels(one, two, paper, paper) == [("paper", "same")]
    assert levels(one, two, paper, Shown({PHOTO: "page"})) == []
    assert levels(one, child, paper, paper) == [], "a family shares its card"
    clerk = Shown({PAPER: "page"}, "8272030101700001")
    assert levels(one, two, clerk, clerk) == [], "one applicant for both"
    near = person("WULAN SARI", "8272032301090102")
    assert levels(one, near, paper, paper) == [], "a slip in the number may be one person"
    photo = Shown({PHOTO: "portrait"})
    assert levels(one, child, photo, photo) == [("portrait", "same")], "nobody shares a face"


def test_what_requests_of_any_matter_may_share():
    one = person("RAHMAT HAMZAH", "8272032301090101")
    assert keys([one, one], Shown({PAPER: "page"})) == [
        "nik|8272032301090101",
        f"file|{PAPER.hex()}",
    ]
