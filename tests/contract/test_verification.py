"""What a verifier's desk and the desk for disputes promise, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from models import handover, questions, remarks
from models.changes import Body
from models.handover import Given
from models.problems import Problem
from models.remarks import Remark
from server.casework import Done
from server.database.people import Person
from sync.attaching import Photo
from sync.files import element_of
from sync.state import reasons
from tests.pictures import jpeg, page
from tests.pusat import FREE, ON_PAPER, OTHER_VILLAGE, PASSWORD, PROTECTED, Pusat, Van, pusat
from tests.verifying import bring, disputed, identity, status_of, taken_in

HOUR = 3600


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pusat]:
    url = request.getfixturevalue("postgres_module_url") if "post" in request.param else ""
    with pusat(tmp_path_factory.mktemp("office"), url) as opened:
        yield opened


@pytest.fixture(scope="module")
def vans(office: Pusat) -> tuple[Van, Van]:
    return office.van("Si Jola 1"), office.van("Kantor Desa")


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Problem) as refused:
        call()
    return refused.value.code


# -- a request on the desk


def test_each_answer_stands_beside_what_the_rules_say_of_it(office, vans):
    number = identity(77, "Salma") | {"nik": "8272037003090077"}  # a woman's, of a man
    record = taken_in(office, vans[0], {PROTECTED: number})
    check = office.central.verification.open(office.people["rina"], record.hex())
    assert check.drawn is not None
    rows = {row.key: row for section in check.drawn.sections for row in section.rows}
    assert rows["applicant.name"].words == "Salma"
    assert rows["applicant.nik"].found, "the sex in the number is not the one that was typed"
    assert rows["applicant.nik"].protected
    author = rows["applicant.name"].author
    assert author is not None
    assert (author.who, author.device) == ("Sari", "Si Jola 1")
    assert check.drawn.papers[0].key == "doc.KK"
    assert check.taken_in.not_after == check.clock.since
    assert check.clock.state == "runs"
    assert office.trail()[-1] == ("rina", "request.read")


def test_a_return_says_answer_by_answer_what_the_clerk_reads(office, vans):
    record = taken_in(office, vans[0])
    rina, room = office.people["rina"], office.central.verification
    about = [
        Remark("applicant.nik", "NIK_NOT_FOUND", "cek KTP"),
        Remark("doc.KK", "DOC_UNREADABLE"),
    ]
    preview = room.preview(rina, record.hex(), "", "", about)
    assert "Pemohon, NIK pemohon: NIK tidak ditemukan: cek KTP" in preview.clerk
    assert preview.citizen.startswith("Diperiksa. Perlu dilengkapi")
    assert status_of(office, record) == "received", "looking changes nothing"
    seen = room.open(rina, record.hex()).sheet.seen
    assert refusal(
        lambda: office.central.casework.send_back(rina, record.hex(), "", "", seen)
    ) == "reason.unknown"  # fmt: skip
    office.central.casework.send_back(rina, record.hex(), "", "", seen, about)
    office.sync(vans[0])
    (notice,) = [n for n in vans[0].notices if n.record == record and n.take == "return"]
    assert remarks.read(notice.reason) == about
    assert preview.clerk == remarks.returned_words(notice.reason, None).replace(
        "applicant.nik", "Pemohon, NIK pemohon"
    )


def test_the_clock_stands_still_while_the_field_is_asked(office, vans):
    record = taken_in(office, vans[0])
    rina, room = office.people["rina"], office.central.verification
    check = room.open(rina, record.hex())
    asked = room.ask(rina, record.hex(), "yes_no", "applicant.phone", "Milik pemohon?",
                     check.sheet.seen)  # fmt: skip
    check = room.open(rina, record.hex())
    assert (check.clock.state, check.clock.why) == ("paused", "asked")
    assert [(q.text, q.answer, q.by) for q in check.asked] == [
        ("Milik pemohon?", "", "Rina (rina)")
    ]
    assert check.sheet.seen == asked.seen
    office.sync(vans[0])
    (one,) = [q for q in _open_questions(vans[0], record) if q.waits]
    vans[0].edit(record, Body(reasons={one.reply: "ya, nomornya sendiri"}))
    office.clock.at += 60
    office.sync(vans[0])
    check = room.open(rina, record.hex())
    assert check.clock.state == "runs"
    assert [(q.answer, q.answered_by) for q in check.asked] == [
        ("ya, nomornya sendiri", "Sari · Si Jola 1")
    ]
    assert check.sheet.reasons == {}, "questions are no reasons for warnings"
    (clock,) = room.clocks(rina, [record.hex()]).values()
    assert clock == check.clock, "a list tells the same"


def _open_questions(van: Van, record: bytes) -> list[questions.Question]:
    return questions.questions(reasons(van.snapshot.records[record]))


def test_a_question_that_fits_nothing_is_refused_and_one_can_be_taken_back(office, vans):
    record = taken_in(office, vans[0])
    rina, room = office.people["rina"], office.central.verification
    seen = room.open(rina, record.hex()).sheet.seen

    def ask(kind: str = "text", about: str = "", text: str = "Apa?", at: int = seen) -> Done:
        return room.ask(rina, record.hex(), kind, about, text, at)

    assert refusal(lambda: ask("dance")) == "question.kind"
    assert refusal(lambda: ask(about="applicant.nothing")) == "field.unknown"
    assert refusal(lambda: ask(text="  ")) == "question.empty"
    assert refusal(lambda: ask(text="x" * 301)) == "reason.too_long"
    done = ask()
    assert refusal(ask) == "request.changed", "asked once already, after what was seen"
    assert refusal(lambda: room.take_back(rina, record.hex(), 7, done.seen)) == "question.unknown"
    room.take_back(rina, record.hex(), 1, done.seen)
    check = room.open(rina, record.hex())
    assert check.clock.state == "runs"
    assert [q.taken_back for q in check.asked] == [True]


def test_a_supervisor_is_asked_and_answers_within_the_office(office, vans):
    record = taken_in(office, vans[0])
    rina, tono = office.people["rina"], office.people["tono"]
    room, casework = office.central.verification, office.central.casework
    seen = room.open(rina, record.hex()).sheet.seen
    assert refusal(lambda: room.escalate(rina, record.hex(), " ", seen)) == "reason.required"
    case = room.escalate(rina, record.hex(), "satu nomor HP di lima berkas", seen).id
    seen = room.open(rina, record.hex()).sheet.seen
    assert (
        refusal(lambda: casework.accept(rina, record.hex(), seen, ON_PAPER)) == "request.case_open"
    )
    seen = casework.advance(rina, record.hex(), "take", "", seen).seen
    approve = "approve", "", seen
    assert refusal(lambda: casework.advance(rina, record.hex(), *approve)) == "request.case_open"
    sheet = casework.case(tono, case)
    assert (sheet.kind, sheet.owner) == ("escalated", "supervisor")
    asked = office.central.disputes.matters(tono).asked
    assert asked == len(casework.cases(tono, kind="escalated", limit=200)) > 0
    assert sheet.note == "satu nomor HP di lima berkas"

    def answer(me: Any) -> Done:
        return casework.resolve(me, case, "noted", "keluarga besar, tidak apa", sheet.seen)

    assert refusal(lambda: answer(rina)) == "auth.forbidden"
    answer(tono)
    closing = casework.case(tono, case).closing
    assert closing is not None
    assert closing.reason == "keluarga besar, tidak apa"
    office.sync(vans[0])
    told = [n for n in vans[0].notices if n.record == record]
    assert not [n for n in told if "keluarga" in n.reason or "HP" in n.reason]
    casework.accept(rina, record.hex(), room.open(rina, record.hex()).sheet.seen, ON_PAPER)


# -- accepting against the rules


def test_what_the_rules_find_wrong_is_accepted_only_with_a_reason(office, vans):
    record = taken_in(office, vans[0])
    rina, siak, tono = (office.people[login] for login in ("rina", "siak", "tono"))
    casework, name = office.central.casework, record.hex()
    check = office.central.verification.open(rina, name)
    assert check.drawn is not None
    (wrong,) = check.drawn.errors
    assert "Tanda tangan pemohon" in wrong, "a signature may follow, but nothing is verified before"
    seen = check.sheet.seen
    assert refusal(lambda: casework.accept(rina, name, seen)) == "accept.reason"
    assert refusal(lambda: casework.accept(rina, name, seen, "  ")) == "accept.reason"
    assert status_of(office, record) == "received", "nothing half done"
    taken = casework.advance(rina, name, "take", "", seen)
    step = "approve", "", taken.seen
    assert refusal(lambda: casework.advance(rina, name, *step)) == "accept.reason"
    casework.accept(rina, name, taken.seen, ON_PAPER)
    history = casework.request(tono, name).history
    assert [(e.who, e.reason) for e in history if e.what == "approve"] == [
        ("Rina (rina)", ON_PAPER)
    ]
    with office.central.registry.read() as door:
        (entry,) = [e for e in door.trail(target=name) if e.action == "request.approve"]
    assert msgspec.json.decode(entry.detail)["against"] == ["card.signature field.required"]
    number = office.central.batches.freeze(siak, [name]).batch.number
    (row,) = office.central.batches.show(tono, number).rows
    assert row.frozen.passed == ON_PAPER, "who closes the batch sees it"


# -- handing over at the office


@pytest.fixture(scope="module")
def desks(office: Pusat) -> dict[str, Person]:
    """Who prints, who carries, and who sits at the counter."""
    staff, admin = office.central.staff, office.people["admin"]
    named = {"cetak": "printer", "kurir": "courier", "loket": "operator"}
    return {
        one: staff.add(admin, one, one.title(), [role], PASSWORD) for one, role in named.items()
    }


def lying_ready(office: Pusat, van: Van, desks: dict[str, Person], serial: str) -> bytes:
    """A card that waits for its owner at the counter, on that blank."""
    record = taken_in(office, van)
    casework, stock, name = office.central.casework, office.central.stock, record.hex()
    rina, siak = office.people["rina"], office.people["siak"]
    seen = casework.accept(rina, name, casework.request(rina, name).seen, ON_PAPER).seen
    for step in ("enrol", "centre_ok"):
        seen = casework.advance(siak, name, step, "", seen).seen
    stock.receive(desks["cetak"], "ktp", serial, serial)
    stock.print(desks["cetak"], name, serial, seen)
    stock.send(desks["kurir"], [name], "Loket Dukcapil", "Ali")
    return record


def test_a_document_is_given_at_the_office_by_the_rules_of_a_laptop(office, vans, desks):
    record = lying_ready(office, vans[0], desks, "HA0001")
    loket, handing, name = desks["loket"], office.central.handing, record.hex()
    casework = office.central.casework
    seen = casework.request(loket, name).seen
    alone = refusal(lambda: casework.advance(loket, name, "hand_over", "pemohon sendiri", seen))
    assert alone == "lifecycle.wrong_place", "not with a sentence alone"
    code = casework.request(loket, name).code
    assert handing.found(loket, code) == name
    ready = handing.open(loket, name)
    assert (ready.serial, ready.card, ready.name) == ("HA0001", True, "Salma Hamid")
    own = casework.request(loket, name).answers["applicant.nik"]
    shown = Given("self", own, seen="KTP", serial="HA0001")
    again = msgspec.structs.replace
    for problem, given in {
        "handover.identity": again(shown, seen="", listed=True),
        "handover.unsigned": shown,
        "handover.receiver": again(shown, receiver_nik="", listed=True),
        "handover.other_person": again(shown, receiver_nik="8272032201750015", listed=True),
        "handover.other_blank": again(shown, serial="HA0009", listed=True),
        "request.invalid": again(shown, relation="tetangga", listed=True),
    }.items():
        with pytest.raises(Problem) as met:
            handing.give(loket, name, given, ready.seen)
        assert met.value.code == problem
    listed = again(shown, listed=True)
    before = ready.seen - 100
    assert refusal(lambda: handing.give(loket, name, listed, before)) == "request.changed"
    rina = office.people["rina"]
    other = refusal(lambda: handing.give(rina, name, listed, ready.seen))
    assert other == "lifecycle.not_your_role"
    assert status_of(office, record) == "ready_for_handover", "nothing half done"
    signature = Photo("ttd.png", jpeg(page(3, (900, 300))))
    handing.give(loket, name, shown, ready.seen, [signature])
    sheet = casework.request(office.people["mata"], name)
    assert sheet.status == "handed_over"
    assert sheet.answers["handover.document"] == "KTP"
    assert sheet.answers["handover.receiver_nik"] == own
    (file,) = [one for one in sheet.files if one.unit == "handover.signature"]
    assert file.percent == 100
    assert sheet.answers["handover.signature"] == file.id, "signed in the same change"
    told = handover.said(sheet.history[-1].reason)
    assert told == "dikenali dengan: KTP-el; blangko HA0001"
    with office.central.registry.read() as door:
        (entry,) = [e for e in door.trail(target=name) if e.action == "request.hand_over"]
    proof = msgspec.json.decode(entry.detail)
    assert (proof["way"], proof["relation"], proof["blobs"]) == ("KTP", "self", [file.id])
    assert own not in entry.detail, "never who it was"
    assert refusal(lambda: handing.open(loket, name)) == "lifecycle.no_such_move", "once"
    check = office.central.verification.open(office.people["mata"], name)
    assert check.drawn is not None
    assert "handover" in [section.name for section in check.drawn.sections]
    assert len(check.drawn.errors) == 1, "what was written then is no fault of the request"


def test_who_waits_longest_is_listed_for_the_counter(office, vans, desks):
    record = lying_ready(office, vans[0], desks, "HB0001")
    stock, loket = office.central.stock, desks["loket"]
    office.clock.at += 60
    assert record.hex() in [line.id for line in stock.uncollected(loket, 0, 200)]
    assert record.hex() not in [line.id for line in stock.uncollected(loket, 30, 200)]
    assert sum(one.n for one in stock.pile(loket, "ready_for_handover")) >= 1
    assert refusal(lambda: stock.pile(loket, "printed")) == "auth.forbidden"
    given = Given("family", seen="KNOWN", listed=True, reason="titipan, dikenal lurah")
    handing = office.central.handing
    handing.give(loket, record.hex(), given, handing.open(loket, record.hex()).seen)
    assert record.hex() not in [line.id for line in stock.uncollected(loket, 0, 200)]


# -- pictures


def test_a_scan_that_cannot_be_opened_is_said_to_be_so(office, vans):
    record = taken_in(office, vans[0])
    rina, room = office.people["rina"], office.central.verification
    noise = bring(office, vans[0], record, bytes(40_000))
    good = b"RIFF" + (39_992).to_bytes(4, "little") + b"WEBPVP8 " + bytes(39_984)
    whole = bring(office, vans[0], record, good)
    short = bring(office, vans[0], record, good[:4] + (50_000).to_bytes(4, "little") + good[8:])
    assert refusal(lambda: room.picture(rina, record.hex(), short.blob.hex())) == "blob.broken"
    line, data = room.picture(rina, record.hex(), whole.blob.hex())
    assert (line.unit, data) == ("document.KK", good)
    assert refusal(lambda: room.picture(rina, record.hex(), noise.blob.hex())) == "blob.broken"
    shelf = office.central.arrivals.shelf
    for path in sorted(shelf.folder.rglob("*")):
        if path.is_file() and path.stat().st_size > 30_000:
            path.write_bytes(path.read_bytes()[:-20] + bytes(20))
    assert refusal(lambda: room.picture(rina, record.hex(), whole.blob.hex())) == "blob.lost"
    assert office.trail()[-1][1] == "attachment.read", "that it was asked for is in the trail"
    with office.central.registry.read() as door:
        assert element_of(whole) in door.record(record).units


# -- disputes


def test_a_dispute_shows_what_differs_and_what_was_on_the_screen(office, vans):
    _, case = disputed(office, *vans)
    sheet = office.central.disputes.open(office.people["rina"], case)
    parts = {part.name: part for part in sheet.parts}
    assert parts["name"].values == ["Salma Hamid A", "Salmah Hamid"]
    assert (parts["name"].base, parts["name"].differs) == ("Salma Hamid", True)
    assert not parts["nik"].differs
    assert sheet.suggestion is None, "two laptops, no fault, nothing fuller: no ground"
    waiting = office.central.casework.cases(office.people["tono"], kind="dispute", limit=200)
    assert office.central.disputes.matters(office.people["tono"]).disputes == len(waiting) > 0
    assert sheet.case.protected


def test_what_the_rules_find_fault_with_is_not_suggested(office, vans):
    record, case = disputed(office, *vans)
    view = vans[1].look(record)
    assert view is not None
    wrong = dict(view.units[PROTECTED]) | {"nik": "8272037003090011"}
    vans[1].edit(record, Body(set={PROTECTED: wrong}))
    office.sync(vans[1])
    sheet = office.central.disputes.open(office.people["rina"], case)
    assert len(sheet.case.sides) == 3
    assert sheet.suggestion is None, "two sides are without a fault"
    preview = office.central.disputes.preview(office.people["rina"], case, "offer", offer=2)
    assert len(preview.after) > len(preview.before)
    assert "NIK" in " ".join(label for label, _, _ in preview.changed)
    assert any("ganda" in one or "berkas lain" in one for one in preview.follows)


def test_a_preview_says_what_both_will_read_and_changes_nothing(office, vans):
    record, case = disputed(office, *vans)
    rina, room = office.people["rina"], office.central.disputes
    before = office.trail()
    preview = room.preview(rina, case, "offer", offer=1, reason="cocok dengan KK")
    assert office.trail() == before
    assert [row[1:] for row in preview.changed] == [("Salma Hamid A", "Salmah Hamid")]
    assert preview.second
    assert {one.who for one in preview.told} == {"Sari · Si Jola 1", "Sari · Kantor Desa"}
    assert refusal(lambda: room.preview(rina, case, "offer", offer=9)) == "case.choice"
    seen = room.open(rina, case).case.seen
    office.central.casework.resolve(rina, case, "offer", "cocok dengan KK", seen)
    tono = office.people["tono"]
    office.central.casework.approve(tono, case, "ya", room.open(tono, case).case.seen)
    office.sync(vans[1])
    (notice,) = [n for n in vans[1].notices if n.record == record and n.kind == "decided"]
    assert notice.value["name"] == "Salmah Hamid"
    read = {one.who: one.words for one in preview.told}["Sari · Si Jola 1"]
    assert "Nama lengkap pemohon memakai Salmah Hamid. Usulan Anda: Salma Hamid A." in read
    assert "8272" not in read, "what is the same in both is not told again"
    assert refusal(lambda: room.preview(rina, case, "current")) == "case.closed"


def decided(office: Pusat, vans: tuple[Van, Van]) -> tuple[bytes, str]:
    record, case = disputed(office, *vans)
    casework, rina, tono = office.central.casework, office.people["rina"], office.people["tono"]
    casework.resolve(rina, case, "offer", "cocok dengan KK", casework.case(rina, case).seen)
    casework.approve(tono, case, "ya", casework.case(tono, case).seen)
    return record, case


def test_a_decision_is_undone_by_a_new_case_and_nothing_is_lost(office, vans):
    record, case = decided(office, vans)
    rina, room = office.people["rina"], office.central.disputes
    before = room.open(rina, case)
    assert before.undo
    assert not room.open(office.people["yusuf"], case).undo
    late = refusal(lambda: room.undo(office.people["yusuf"], case, "salah", before.case.seen))
    assert late == "case.undo_late", "who did not decide asks a supervisor"
    again = room.undo(rina, case, "salah baca akta", before.case.seen)
    fresh = room.open(rina, again.id)
    assert (fresh.case.state, fresh.case.note) == ("open", case)
    assert [side.value["name"] for side in fresh.case.sides] == ["Salmah Hamid", "Salma Hamid A"]
    assert room.open(rina, case).case.state == "closed", "the first decision stays to be read"
    stale = refusal(lambda: room.undo(rina, case, "lagi", before.case.seen))
    assert stale == "case.stale"
    assert not room.open(rina, case).undo
    whats = [e.what for e in office.central.casework.request(rina, record.hex()).history]
    assert "decided: offer" in whats
    assert whats.count("case") == 2


def test_a_free_answer_is_undone_within_half_an_hour_or_by_a_supervisor(office, vans):
    """Work on a request that is over is held, free units too; then it is opened again."""
    record = taken_in(office, vans[0])
    casework, room = office.central.casework, office.central.disputes
    rina, tono, wati = (office.people[login] for login in ("rina", "tono", "wati"))

    def seen(me: Any) -> int:
        return casework.request(me, record.hex()).seen

    casework.reject(rina, record.hex(), "OTHER", "", seen(rina))
    casework.confirm(tono, record.hex(), seen(tono))
    vans[0].edit(record, Body(set={FREE: "+6281340000002"}))
    office.sync(vans[0])
    with office.central.registry.read() as door:
        (case,) = [name.hex() for name in door.record(record).disputes.values()]
    casework.resolve(rina, case, "current", "tetap", room.open(rina, case).case.seen)
    assert not room.open(rina, case).undo, "nothing is undone on a request that is over"
    casework.advance(tono, record.hex(), "reopen", "salah tolak", seen(tono))
    casework.confirm(wati, record.hex(), seen(wati))
    assert room.open(rina, case).undo
    office.clock.at += 1801
    late = room.open(rina, case)
    assert not late.undo
    assert refusal(lambda: room.undo(rina, case, "x", late.case.seen)) == "case.undo_late"
    again = room.undo(tono, case, "nomornya benar", room.open(tono, case).case.seen)
    sides = room.open(tono, again.id).case.sides
    assert sides[1].value == "+6281340000002"


def test_what_went_into_a_batch_is_not_undone(office, vans):
    record, case = decided(office, vans)
    rina, casework = office.people["rina"], office.central.casework
    casework.accept(rina, record.hex(), casework.request(rina, record.hex()).seen, ON_PAPER)
    assert office.central.disputes.open(rina, case).undo
    office.central.batches.freeze(office.people["siak"], [record.hex()])
    sheet = office.central.disputes.open(office.people["tono"], case)
    assert not sheet.undo
    assert refusal(
        lambda: office.central.disputes.undo(office.people["tono"], case, "x", sheet.case.seen)
    ) == "case.cannot_undo"  # fmt: skip


def test_a_proposal_that_is_declined_comes_back_with_the_reason(office, vans):
    _, case = disputed(office, *vans)
    rina, tono = office.people["rina"], office.people["tono"]
    casework, room = office.central.casework, office.central.disputes
    casework.resolve(rina, case, "current", "sama", casework.case(rina, case).seen)
    seen = casework.case(tono, case).seen
    assert (
        refusal(lambda: room.decline(office.people["yusuf"], case, "x", seen)) == "auth.forbidden"
    )
    assert refusal(lambda: room.decline(tono, case, " ", seen)) == "reason.required"
    room.decline(tono, case, "lihat akta nikah dulu", seen)
    sheet = casework.case(rina, case)
    assert (sheet.state, sheet.proposal) == ("open", None)
    assert sheet.declined is not None
    assert (sheet.declined.reason, sheet.declined.by) == ("lihat akta nikah dulu", "Tono (tono)")


def test_two_people_decide_at_one_moment_and_one_of_them_is_shown_it_again(office, vans):
    """On a free unit one person is enough, so both could."""
    first = vans[0]
    record = taken_in(office, first)
    casework, rina = office.central.casework, office.people["rina"]
    casework.reject(rina, record.hex(), "OTHER", "", casework.request(rina, record.hex()).seen)
    tono = office.people["tono"]
    casework.confirm(tono, record.hex(), casework.request(tono, record.hex()).seen)
    first.edit(record, Body(set={FREE: "+6281340000001"}))
    office.sync(first)
    with office.central.registry.read() as door:
        (case,) = [name.hex() for name in door.record(record).disputes.values()]
    seen = {login: casework.case(office.people[login], case).seen for login in ("rina", "yusuf")}
    told: dict[str, str] = {}
    start = threading.Barrier(2)

    def decide(login: str, take: str) -> None:
        start.wait()
        try:
            told[login] = casework.resolve(office.people[login], case, take, "x", seen[login]).state
        except Problem as problem:
            told[login] = problem.code

    people = [threading.Thread(target=decide, args=pair)
              for pair in (("rina", "offer"), ("yusuf", "current"))]  # fmt: skip
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(told.values()) == ["case.closed", "done"]
    winner = next(login for login, state in told.items() if state == "done")
    sheet = office.central.disputes.open(office.people["wati"], case, since=seen["rina"])
    assert sheet.case.closing is not None
    assert sheet.case.closing.by == f"{office.people[winner].name} ({winner})"
    assert [e.what for e in sheet.since][-1].startswith("decided"), "what changed since is told"


@pytest.mark.parametrize("login", ["siak", "admin", "mata"])
def test_who_may_not_decide_writes_nothing(office, vans, login):
    record, case = disputed(office, *vans)
    me, name = office.people[login], record.hex()
    room, disputes = office.central.verification, office.central.disputes
    before = office.trail()
    for call in (
        lambda: room.ask(me, name, "text", "", "Apa?", 1 << 40),
        lambda: room.escalate(me, name, "x", 1 << 40),
        lambda: room.preview(me, name, "OTHER", "", []),
        lambda: disputes.preview(me, case, "current"),
        lambda: disputes.undo(me, case, "x", 1 << 40),
        lambda: disputes.decline(me, case, "x", 1 << 40),
    ):
        assert refusal(call) == "auth.forbidden"
    assert office.trail() == before


def test_a_request_of_an_area_that_is_not_theirs_stays_shut(office, vans):
    record, case = disputed(office, *vans)
    staff, casework = office.central.staff, office.central.casework
    me = staff.add(office.people["admin"], "lina", "Lina", ["verifier", "supervisor"], PASSWORD)
    me = msgspec.structs.replace(me, villages=OTHER_VILLAGE)
    name, seen = record.hex(), casework.case(office.people["rina"], case).seen
    room, disputes = office.central.verification, office.central.disputes
    before = office.trail()
    for call in (
        lambda: room.open(me, name),
        lambda: room.picture(me, name, "00"),
        lambda: room.ask(me, name, "text", "", "Apa?", seen),
        lambda: room.escalate(me, name, "x", seen),
        lambda: room.preview(me, name, "OTHER", "", []),
        lambda: casework.accept(me, name, seen, ON_PAPER),
        lambda: casework.send_back(me, name, "OTHER", "", seen),
        lambda: casework.resolve(me, case, "current", "x", seen),
        lambda: disputes.open(me, case),
        lambda: disputes.preview(me, case, "current"),
        lambda: disputes.base(me, case),
        lambda: disputes.typed(me, case, {"name": "Lain"}),
        lambda: disputes.decline(me, case, "x", seen),
    ):
        assert refusal(call) == "auth.area"
    assert office.trail() == before
    assert room.clocks(me, [name]) == {}
    _, other = decided(office, vans)
    closed = disputes.open(office.people["rina"], other).case.seen
    assert refusal(lambda: disputes.undo(me, other, "x", closed)) == "auth.area"
