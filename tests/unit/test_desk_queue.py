"""Requests from a file of JSON lines: whole families, harmless reruns, clear refusals."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client.app import House
from field_client.queue import LINE_BYTES_MAX, Answer, Queue, lines_of
from models.changes import decode_change
from tests.field import NOW, example, laptop, rows

CARD = "ktp-new-enrolment"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = laptop(tmp_path / "van")
    yield made
    made.close()


def row(ref: str | None = None, service: str = CARD, **more: Any) -> dict[str, Any]:
    answers = {k: v for k, v in more.items() if "__" in k}
    rest = {k: v for k, v in more.items() if "__" not in k}
    found = example(service, **answers) | {"reasons": {"duplicate": "sengaja"}} | rest
    return found | ({"ref": ref} if ref is not None else {})


def put(house: House, *found: dict[str, Any] | str | bytes) -> list[Answer]:
    """Queue rows; text and bytes go in as they are."""
    lines = [one if isinstance(one, bytes) else one.encode() if isinstance(one, str)
             else json.dumps(one).encode() for one in found]  # fmt: skip
    return list(Queue(house.desk, "en").answers(lines))


def codes(answer: Answer) -> list[str]:
    return [one.code for one in answer.problems]


def creates(house: House) -> list[Any]:
    found = [decode_change(e.data) for e in house.store.pending(0, 1 << 30)]
    return [change for change in found if change.kind == "create"]


def test_each_row_is_answered_with_its_line_ref_id_and_code(house):
    one, two = put(house, row("a"), "", row("b", "birth"))
    assert (one.line, one.ref, one.outcome) == (1, "a", "queued")
    assert (two.line, two.ref, two.outcome) == (3, "b", "queued")
    assert house.desk.named(str(one.code)).hex() == one.id
    assert len(creates(house)) == 2


def test_a_row_is_durable_before_it_is_answered(house, tmp_path):
    """Nothing is held back: when an answer is given, another process could read its request."""
    queue = Queue(house.desk).answers(json.dumps(row(ref)).encode() for ref in ("a", "b"))
    first = next(queue)
    assert house.store.requests.by_ref("a").record.hex() == first.id
    assert house.store.log().seq == 3


def test_the_same_file_again_gives_the_same_answers_and_stores_nothing(house):
    file = [row("a"), row("b", "birth", family="f"), row("c", "kk-change", family="f")]
    first = put(house, *file)
    seq = house.store.log().seq
    assert put(house, *file) == first
    assert house.store.log().seq == seq
    spaced = json.dumps(dict(reversed(row("a").items())), indent=None, separators=(" , ", " : "))
    assert put(house, spaced) == first[:1]


def test_a_ref_for_other_content_is_refused(house):
    put(house, row("a"))
    (answer,) = put(house, row("a", applicant__phone="081299998888"))
    assert answer.outcome == "refused"
    assert codes(answer) == ["queue.ref_reused"]
    assert len(creates(house)) == 1


def test_rows_without_a_ref_are_taken_each_time(house):
    put(house, row())
    put(house, row())
    assert len(creates(house)) == 2


# -- families


def test_a_family_is_one_transaction(house):
    put(house, row("a", family="f"), row("b", "birth", family="f"), row("c", "kk-change"))
    assert [(c.i, c.n) for c in creates(house)] == [(0, 2), (1, 2), (0, 1)]


def test_one_wrong_row_stores_nothing_of_its_family_and_everything_of_the_others(house):
    answers = put(
        house,
        row("a", family="f"), row("b", family="f", applicant__nik="82AB"), row("c", "birth"),
    )  # fmt: skip
    assert [a.outcome for a in answers] == ["refused", "refused", "queued"]
    assert codes(answers[0]) == ["queue.family_refused"]
    assert "line 2" in answers[0].problems[0].words
    assert "nik.digits" in codes(answers[1])
    assert len(creates(house)) == 1


def test_a_refused_family_may_be_repeated_once_it_is_right(house):
    put(house, row("a", family="f"), row("b", family="f", applicant__nik="82AB"))
    answers = put(house, row("a", family="f"), row("b", "birth", family="f"))
    assert [a.outcome for a in answers] == ["queued", "queued"]


def test_rows_of_a_family_follow_one_another(house):
    answers = put(house, row("a", family="f"), row("b", "birth"), row("c", "kk-change", family="f"))
    assert [a.outcome for a in answers] == ["queued", "queued", "refused"]
    assert codes(answers[2]) == ["queue.family_scattered"]


def test_nobody_joins_a_family_that_is_stored(house):
    put(house, row("a", family="f"))
    answers = put(house, row("a", family="f"), row("b", "birth", family="f"))
    assert codes(answers[1])[0] in ("queue.family_scattered", "queue.family_refused")
    assert len(creates(house)) == 1


def test_a_ref_twice_in_one_family_is_refused(house):
    answers = put(house, row("a", family="f"), row("a", "birth", family="f"))
    assert {a.outcome for a in answers} == {"refused"}
    assert codes(answers[0]) == ["queue.ref_reused"]
    assert creates(house) == []


def test_a_family_larger_than_a_transaction_is_refused(house):
    answers = put(house, *(row(f"r{i}", family="f") for i in range(65)))
    assert {a.outcome for a in answers} == {"refused"}
    assert codes(answers[0]) == ["queue.too_large"]
    assert creates(house) == []


# -- bad input


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{not json", "queue.line"),
        (b"\xff\xfe\x00", "queue.line"),
        ("[]", "queue.shape"),
        ("{}", "queue.shape"),
        ('{"service": 5}', "queue.shape"),
        ('{"service": "birth", "colour": "red"}', "queue.shape"),
        ('{"service": "birth", "ref": ""}', "queue.shape"),
        ('{"service": "no-such-service"}', "service.unknown"),
        ('{"service": "birth", "taken_at": "yesterday"}', "queue.shape"),
        ('{"service": "birth", "taken_at": -5}', "queue.shape"),
        ('{"service": "birth", "answers": "none"}', "field.type"),
        ('{"service": "birth", "documents": "KK"}', "field.type"),
        ('{"service": "birth", "reasons": ["because"]}', "field.type"),
        ("[" * 5000, "queue.line"),
        ('{"service": "birth", "answers": {"a": "' + "x" * LINE_BYTES_MAX + '"}}',
         "queue.line_too_long"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_others_stand(house, line, code):
    bad, good = put(house, line, row("b"))
    assert (bad.line, bad.outcome, bad.id, bad.code) == (1, "refused", None, None)
    assert code in codes(bad)
    assert good.outcome == "queued"
    assert len(creates(house)) == 1


def test_remarks_that_passed_are_told_beside_the_code(house):
    doubtful = row("a", ktp_enrolment_queue__birth_date="2008-03-30")
    (refused,) = put(house, doubtful)
    assert refused.outcome == "refused"
    key = next(p.key for p in refused.problems if p.severity == "warning")
    (answer,) = put(house, doubtful | {"reasons": {key: "Sesuai akta"}})
    assert answer.outcome == "queued"
    assert [p.severity for p in answer.problems if p.key == key] == ["passed"]


def test_the_time_a_form_was_written_is_kept(house):
    stamps = ["2026-11-20T09:30:00+09:00", "2026-11-20T09:30:00", "2026-11-20T00:30:00Z", NOW - 9]
    put(house, *(row(f"r{i}", taken_at=at) for i, at in enumerate(stamps)))
    first = NOW - 86400 - 1800
    assert [c.at for c in creates(house)] == [first, first, first, NOW - 9]


def test_an_endless_line_is_not_held_in_memory():
    file = io.BytesIO(b"x" * (10 * LINE_BYTES_MAX) + b"\n" + b"second\n")
    first, second = lines_of(file)
    assert len(first) <= LINE_BYTES_MAX + 2
    assert second == b"second\n"
    assert list(lines_of(io.BytesIO(rows(row("a")).encode())))
