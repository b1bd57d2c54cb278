"""What the office asks of a laptop: read there, answered there, and on its way back."""

from __future__ import annotations

from pathlib import Path

import msgspec

from field_client.asked import waiting
from field_client.desk import Desk
from models.changes import decode_body, decode_change
from models.questions import Question
from sync.exchange import Absorbed
from sync.messages import Cursor
from sync.state import REASON_PREFIX, Decision, Wrote
from tests.field import NOW, Hands, Jemput
from tests.pages import pages
from tests.requests_pages import RETURNED, led


def questioned(desk: Desk) -> str:
    """A request that came back, with a question about it; its record."""
    record = led(desk, "ktp-new-enrolment", RETURNED, "OTHER: lihat pertanyaan")
    ask = Question(1, "yes_no", "applicant.phone", "Apakah nomor ini milik pemohon?")
    wrote = Wrote(record, REASON_PREFIX + ask.key, ask.text)
    seq = desk.store.standing().cursor.server_seq + 1
    decision = Decision(seq, b"central-log-0001", seq, 1, NOW, 1, "rina", (wrote,))
    desk.store.apply(Absorbed((decision,), Cursor(b"incarnat", seq, b"h" * 8)))
    return record.hex()


def test_a_question_is_read_and_answered(tmp_path: Path) -> None:
    with pages(tmp_path / "laptop", Hands()) as browser:
        browser.unlock()
        browser.go("/asked")
        assert "Tidak ada pertanyaan yang menunggu jawaban." in browser.text
        desk = browser.counter.desk
        questioned(desk)
        old = desk.store.notices.asked()[0].notice
        with desk.store.engine.writing() as connection:  # many more, of requests that went by since
            for n in range(1, 251):
                each = msgspec.structs.replace(old, record=n.to_bytes(16, "big"))
                connection.execute(
                    "insert into notices (server_seq, place, record, kind, data)"
                    " values (?, 0, ?, 'asked', ?)",
                    (n + 1000, each.record, msgspec.msgpack.encode(each)),
                )
        browser.go("/")
        assert "Pertanyaan dari pusat (1)" in browser.text
        browser.go("/asked")
        assert "Apakah nomor ini milik pemohon?" in browser.text
        form = browser.form("/asked")
        browser.send(form, 422)
        assert "Isi jawabannya lebih dulu." in browser.text
        browser.send(browser.form("/asked"), yes_no="ya", text="nomor sendiri")
        assert browser.path == "/asked"
        assert "Tidak ada pertanyaan yang menunggu jawaban." in browser.text
        assert waiting(desk) == []
        changes = [decode_change(entry.data) for entry in desk.store.pending(0)]
        edits = [decode_body(one.body) for one in changes if one.kind == "edit"]
        assert [one.reasons for one in edits] == [{"reply/1": "ya: nomor sendiri"}]
        browser.send(form, 404, n="9" * 5000, text="x")
        browser.go("/")
        assert "Pertanyaan dari pusat" not in browser.text
    assert Jemput(tmp_path / "laptop").lines("request", "asked") == []
