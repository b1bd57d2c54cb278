"""What an author reads of a decision: whole sentences, no codes and no ids."""

from __future__ import annotations

import pytest

from field_client.shown import notice_words
from sync.notices import Notice

CASE = b"\x5f\xa3" * 8


def notice(kind: str, **facts: object) -> Notice:
    plain = {
        "record": b"r" * 16, "unit": "", "mine": None, "value": None, "take": "", "reason": "",
        "by": "", "case": CASE, "server_seq": 9, "at": 1_795_000_000,
    }  # fmt: skip
    return Notice(kind, **{**plain, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("take", "said"),
    [
        ("link", "digabung"),
        ("separate", "berdiri sendiri"),
        ("release", "diterima"),
        ("discard", "tidak dipakai"),
        ("noted", "dicatat"),
    ],
)
def test_a_decision_about_a_whole_request_is_told_in_words(take: str, said: str) -> None:
    told = notice("decided", take=take, reason="Orang yang sama", by="Nurlaila (nurlaila)")
    words = notice_words(told, None, "id", False)
    assert said in words
    assert "Alasan: Orang yang sama (Nurlaila (nurlaila))." in words
    assert " -" not in words
    assert notice_words(told, None, "en", False) != words


def test_the_reason_of_a_return_is_told_by_its_label() -> None:
    told = notice("status", value="needs_correction", take="return", reason="OTHER: nomor HP salah")
    assert "Lainnya: nomor HP salah" in notice_words(told, None, "id", False)
    assert "Other: nomor HP salah" in notice_words(told, None, "en", False)
    told = notice("status", value="needs_correction", take="return", reason="NIK_NOT_FOUND")
    assert "NIK tidak ditemukan." in notice_words(told, None, "id", False)


def test_a_reason_that_only_looks_like_a_code_stays_as_it_is() -> None:
    told = notice("status", value="cancelled", take="withdraw", reason="Pindah: ke Ternate")
    assert "Alasan: Pindah: ke Ternate." in notice_words(told, None, "id", False)


def test_a_joined_request_names_no_case_number() -> None:
    told = notice("status", value="merged", take="join", reason=CASE.hex())
    assert CASE.hex() not in notice_words(told, None, "id", False)
