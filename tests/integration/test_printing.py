"""Receipts, lists and printers: printed by the real program, read back by another one."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from field_client import handover, receipts, stock
from field_client.app import House
from field_client.desk import Taken, Wanted
from field_client.printing import lists, printers, prints, thermal
from field_client.vault.custody import Handled, Slip
from models.changes import decode_body, decode_change
from models.handover import Given
from models.printing import pdf
from models.problems import Problem
from sync.exchange import Absorbed
from sync.messages import Cursor
from sync.state import Created, Decision, Moved, Outcome, Wrote
from tests import pictures
from tests.field import NOW, Jemput, example, laptop
from tests.vaults import CHEAP, refused

DAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def van(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A laptop with three requests: one sent back, one whose card lies ready, one not sent."""
    house = laptop(tmp_path_factory.mktemp("printing") / "van")
    card = take(house, "ktp-new-enrolment", applicant__phone="+6281240001122")
    birth = take(house, "birth")
    take(house, "village-domicile-letter")
    at = absorb(house, 1, birth, "received", "in_verification", "needs_correction")
    absorb(house, at, card, "received", "in_verification", "verified", "ready_for_handover")
    yield house
    house.close()


def take(house: House, service: str, **answers: Any) -> Taken:
    row = example(service, **answers)
    wanted = Wanted(service, row["answers"], row["documents"], row["reasons"])
    (taken,) = house.desk.submit(house.desk.prepare(wanted))
    return taken


def absorb(house: House, number: int, taken: Taken, *statuses: str) -> int:
    """Central took a request in and led it through these statuses; gives the next number."""
    log = house.store.log().id
    entry = next(e for e in house.store.pending(taken.seq - 1, 1))
    body = decode_body(decode_change(entry.data).body)
    mine = (log, taken.seq)
    effects: list[Any] = [
        Created(taken.record, taken.service, taken.edition, b"d" * 16, (7, body.number), mine),
        *(Wrote(taken.record, unit, value, None, mine) for unit, value in body.set.items()),
        *(
            Wrote(taken.record, f"{unit}+{element}", True, None, mine)
            for unit, elements in body.add.items()
            for element in elements
        ),
        Outcome(log, taken.seq, "applied"),
    ]
    before = "submitted"
    for status in statuses:
        back = status == "needs_correction"
        effects.append(
            Moved(taken.record, "return" if back else "move", before, status,
                  "UNREADABLE: surat lahir buram" if back else "")
        )  # fmt: skip
        before = status
    decision = Decision(number, b"central-log-0001", number, 1, NOW, 1, "rina", tuple(effects))
    house.store.apply(Absorbed((decision,), Cursor(b"incarnat", number, b"h" * 8)))
    return number + 1


def text_of(data: bytes) -> str:
    file = pypdfium2.PdfDocument(data)
    return re.sub(r"\s+", " ", " ".join(p.get_textpage().get_text_bounded() for p in file))


def codes_in(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


def burnt(data: bytes) -> Image.Image:
    """What a thermal printer puts on paper from ESC/POS bytes, told from its manual alone."""
    assert data.startswith(b"\x1b@")
    rows, at, across = b"", 2, 0
    while data[at : at + 4] == b"\x1dv0\x00":
        across, high = (int.from_bytes(data[at + i : at + i + 2], "little") for i in (4, 6))
        rows += data[at + 8 : at + 8 + across * high]
        at += 8 + across * high
    assert data[at:] == b"\x1bd\x03\x1dV\x42\x00", "fed and cut"
    paper = Image.new("1", (across * 8, len(rows) // across), 1)
    paper.frombytes(bytes(byte ^ 0xFF for byte in rows))
    return paper


# -- receipts


def test_a_receipt_proves_itself_from_paper_of_any_width(van):
    line = van.store.requests.newest()[-1]
    made = prints.receipt_for(van.desk, line.record, "id")
    sheet = pypdfium2.PdfDocument(pdf.pdf(made))
    on_a4 = codes_in(sheet[0].render(scale=2).to_pil())
    assert len(on_a4) == 2, "one for the citizen, one for the file"
    strips = {width: burnt(thermal.escpos(made, width)) for width in ("58", "80")}
    assert {width: paper.width for width, paper in strips.items()} == {"58": 384, "80": 576}
    read = {*on_a4, *(code for paper in strips.values() for code in codes_in(paper.convert("L")))}
    (token,) = read
    assert receipts.verify(van.store, token).id == line.record.hex()
    broken = token[:-3] + ("ABC" if token[-3:] != "ABC" else "CBA")
    with pytest.raises(Problem):
        receipts.verify(van.store, broken)


def test_a_receipt_says_what_people_need_and_hides_who_it_is(van):
    line = van.store.requests.newest()[-1]
    made = prints.receipt_for(van.desk, line.record, "id")
    for data in (pdf.pdf(made), thermal.strip(made, "58")):
        text = text_of(data)
        assert prints.case(van.desk, van.desk.open(line.record)).code in text
        assert "GRATIS" in text
        assert "79A" in text
        assert "SMS 1708" in text
        assert "F-1.02" in text, "what is to be signed"
        assert "···122" in text
        assert "0812" not in text
        assert line.name not in text
        assert line.nik not in text
    english = text_of(pdf.pdf(prints.receipt_for(van.desk, line.record, "en")))
    assert "Applicant" in english
    assert "Pemohon" not in english


# -- lists


def test_the_recap_counts_the_day_and_masks_names(van):
    before = [one.left for one in stock.balances(van.store) if one.kind != "KTP"]
    stock.note(van.store, stock.moved(NOW, "sari", "KTP", "receive", 50))
    stock.note(van.store, stock.moved(NOW, "sari", "KTP", "spoil", 2, "tergores"))
    told = lists.recap_of(van.desk, DAY, stock.balances(van.store))
    assert (len(told.lines), told.returned) == (3, 1)
    assert [one.left for one in told.stock] == [48, *before]
    text = text_of(pdf.pdf(lists.recap(told)))
    for line in told.lines:
        assert line.name not in text
        assert prints.case(van.desk, van.desk.open(line.record)).code in text
    assert "Sabtu, 21 November 2026" in text
    assert "Kepala desa/lurah" in text
    assert "KTP 50 0 2 0 48" in text
    shown = text_of(pdf.pdf(lists.recap(told, reveal=True)))
    assert all(line.name in shown for line in told.lines)
    assert not lists.recap_of(van.desk, date(2026, 11, 20)).lines


def test_the_call_list_says_whom_to_call_and_why(van):
    (waiting,) = lists.to_call(van.desk)
    text = text_of(pdf.pdf(lists.call_list([waiting], DAY)))
    assert waiting.line.name in text
    assert "0812-4000-1122" in text
    assert "surat lahir buram" in text
    assert "Desa Woda" in text


def test_what_lies_ready_stands_on_the_list_of_what_was_not_collected(van):
    found = lists.to_collect(van.desk)
    assert [one.line.service for one in found] == ["ktp-new-enrolment"]
    assert found[0].line.name in text_of(pdf.pdf(lists.uncollected(found, DAY)))
    refused("print.nothing", lists.uncollected, [], DAY)


def test_the_slip_of_a_stick_bears_its_four_words_and_no_name(van):
    slip = Slip("work", (1,), 1, 40_000, ("pala", "sagu", "kora", "laut"), entries=3)
    one = Handled(1, NOW, "sari", "export", bytes(range(8)), slip)
    made = lists.hand_over(one)
    for data in (pdf.pdf(made), thermal.strip(made, "80")):
        assert "pala sagu kora laut" in text_of(data)


# -- printers


@pytest.fixture
def jemput(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jemput:
    """A fresh laptop with one birth, on the command line."""
    monkeypatch.setattr("field_client.app.system_key_store", lambda: None)
    monkeypatch.setattr("field_client.vault.keys.Cost", lambda: CHEAP)
    house = laptop(tmp_path / "data")
    take(house, "birth")
    take(house, "village-domicile-letter")
    house.close()
    return Jemput(tmp_path / "data")


@pytest.fixture
def printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A printing system of one printer, `struk`: keeps what it was given and with which words."""
    folder = tmp_path / "cups"
    folder.mkdir()
    out = folder / "printed"
    _program(folder / "lpstat", 'if sys.argv[1] == "-e": print("struk")\n'
             'else: print("system default destination: struk")')  # fmt: skip
    _program(
        folder / "lp",
        f"open({str(out)!r}, 'wb').write(sys.stdin.buffer.read())\n"
        f"open({str(out) + '.words'!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        f"import os\nif os.path.exists({str(folder / 'jam')!r}): sys.exit('out of paper')",
    )
    monkeypatch.setenv("PATH", str(folder))
    return out


def _program(path: Path, code: str) -> None:
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def codes_of(jemput: Jemput) -> dict[str, str]:
    return {line["service"]: line["code"] for line in jemput.lines("request", "list")}


def test_without_a_printer_nothing_is_lost_and_the_way_out_is_said(jemput, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    code = codes_of(jemput)["birth"]
    refusal = jemput.one("print", "receipt", code, code=1)["problem"]
    assert refusal["code"] == "print.no_printer"
    saved = tmp_path / "bukti.pdf"
    jemput.run("print", "receipt", code, "--out", str(saved))
    assert "SALINAN" not in text_of(saved.read_bytes()), "what never came out was no first print"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_paper_goes_to_the_printer_through_its_input_and_a_reprint_says_copy(
    jemput, printer, tmp_path
):
    code = codes_of(jemput)["birth"]
    before = {path for path in tmp_path.rglob("*") if "data" not in path.parts}
    jemput.run("print", "receipt", code)
    assert "SALINAN" not in text_of(printer.read_bytes())
    words = printer.with_name("printed.words").read_text(encoding="utf-8")
    assert words == f"-d struk -t BUKTI PENGAJUAN {code} -"
    jam = printer.with_name("jam")
    jam.touch()
    refusal = jemput.one("print", "receipt", code, code=1)["problem"]
    assert (refusal["code"], refusal["details"]["why"]) == ("print.failed", "out of paper")
    jam.unlink()
    jemput.run("print", "choose", "--receipt-paper", "58", "--receipt-printer", "struk")
    jemput.run("print", "receipt", code)
    assert "-o raw" in printer.with_name("printed.words").read_text(encoding="utf-8")
    assert codes_in(burnt(printer.read_bytes()).convert("L"))
    saved = tmp_path / "salinan.pdf"
    jemput.run("print", "receipt", code, "--paper", "58", "--out", str(saved))
    assert "SALINAN 3" in text_of(saved.read_bytes()), "a paper jam was no print"
    left = {path for path in tmp_path.rglob("*") if "data" not in path.parts} - before
    assert left == {printer, printer.with_name("printed.words"), saved}
    refusal = jemput.one("print", "receipt", code, "--printer", "lain", code=1)["problem"]
    assert refusal["details"]["known"] == "struk"


def test_forms_letters_and_lists_are_saved_as_files(jemput, tmp_path):
    codes = codes_of(jemput)
    out = tmp_path / "kertas.pdf"
    jemput.run("print", "form", codes["birth"], "--out", str(out))
    assert "FORMULIR PELAPORAN PENCATATAN SIPIL" in text_of(out.read_bytes())
    jemput.run("print", "form", codes["birth"], "--form", "f-2.03", "--out", str(out))
    assert "KEBENARAN DATA KELAHIRAN" in text_of(out.read_bytes())
    jemput.run("print", "letters", codes["village-domicile-letter"], "--out", str(out))
    assert "DESA WODA" in text_of(out.read_bytes())
    assert jemput.one("print", "letters", codes["birth"], code=1)["problem"]["code"] == (
        "print.nothing"
    )
    jemput.run("print", "blank", "birth", "F-2.01", "--out", str(out))
    assert "Salma" not in text_of(out.read_bytes())
    jemput.run("print", "recap", "--out", str(out))
    assert "REKAP KEGIATAN" in text_of(out.read_bytes())
    for name in ("calls", "uncollected", "slip"):
        answer = jemput.one("print", name, "--out", str(out), code=1)
        assert answer["problem"]["code"] == "print.nothing"
    jemput.run("stock", "note", "receive", "ktp", "20", "--note", "KT-001..020")
    jemput.run("stock", "note", "use", "KTP", "3")
    short = jemput.one("stock", "note", "spoil", "KTP", "18", code=1)["problem"]
    assert (short["code"], short["details"]["left"]) == ("stock.short", 17)
    assert jemput.one("stock", "show")[0]["left"] == 17
    assert jemput.one("stock", "note", "eat", "KTP", "1", code=1)["problem"]["code"] == (
        "stock.unknown"
    )


def test_several_forms_are_one_file_and_the_same_bytes(van):
    (line,) = [one for one in van.store.requests.newest() if one.service == "birth"]
    made = [prints.forms_for(van.desk, line.record, form)[0] for form in ("F-2.01", "F-2.04")]
    first = prints.drawn(made, "a4")
    assert len(pypdfium2.PdfDocument(first)) == 3
    assert first == prints.drawn(made, "a4")
    actions = [one.action for one in van.store.reveals.newest(2)]
    assert actions == ["print F-2.04", "print F-2.01"], "who put citizens on paper is noted"


def test_the_stock_book_stays_short_and_keeps_its_sums(van, monkeypatch):
    monkeypatch.setattr(stock, "LINES_MAX", 10)
    start = stock.balance(stock.book(van.store), "KIA").left
    for _ in range(15):
        stock.note(van.store, stock.moved(NOW, "sari", "KIA", "receive", 3))
        stock.note(van.store, stock.moved(NOW, "sari", "KIA", "use", 2))
    book = stock.book(van.store)
    assert len(book.lines) <= 11
    assert stock.balance(book, "KIA").left == start + 15
    refused("stock.count", stock.moved, NOW, "sari", "KIA", "use", 0)


def test_a_printing_system_that_is_not_there_has_no_printers(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert printers.printers() == []


def test_who_goes_home_first_gets_a_slip_of_what_to_bring(jemput, tmp_path):
    out = tmp_path / "syarat.pdf"
    jemput.run("print", "requirements", "birth", "--paper", "58", "--out", str(out))
    text = text_of(out.read_bytes())
    assert "Surat keterangan kelahiran" in text
    assert "GRATIS" in text
    draft = jemput.one("request", "new", "birth", "--draft", "--set", "applicant.name=Salma")
    jemput.run("print", "lacking", draft["draft"], "--out", str(out))
    text = text_of(out.read_bytes())
    assert "Fotokopi KK" in text, "what is to be brought"
    assert "NIK pemohon" in text, "what is still to be asked"
    assert "Salma" not in text
    jemput.run("print", "test", "--paper", "58", "--out", str(out.with_suffix(".png")))
    assert codes_in(Image.open(out.with_suffix(".png")).convert("L")) == ["JEMPUT BOLA"]


# -- what the commands of the counter say


def test_practice_and_the_counter_on_the_command_line(jemput, tmp_path):
    """The laptop's own work is nowhere near: practice has a folder, and every call says what it
    is."""
    pin = tmp_path / "new.pin"
    pin.write_text("latihan latihan\n", encoding="utf-8")
    made = jemput.one("train", "--new-pin-file", str(pin))
    assert made["requests"] >= 5
    again = jemput.one("train", "--new-pin-file", str(pin), code=1)["problem"]
    assert again["code"] == "training.exists"
    school = Jemput(Path(made["folder"]), "latihan latihan")
    told = school.run("sync", code=1)
    assert "DATA LATIHAN" in told.stderr
    assert "[training.never_sent]" in told.stderr
    codes = {line["service"]: line["code"] for line in school.lines("request", "list")}
    out = tmp_path / "latihan.pdf"
    school.run("print", "form", codes["birth"], "--out", str(out))
    assert text_of(out.read_bytes()).count("DATA LATIHAN") == 3, (
        "on top, and at the foot of each page"
    )
    assert jemput.run("handover", "list").stdout.strip().endswith("menunggu diambil.")
    letter = codes_of(jemput)["village-domicile-letter"]
    words = ("--number", "1/2026", "--date", "2026-11-21", "--signer", "Hasan Kasim")
    early = jemput.one("handover", "sign", letter, *words, code=1)["problem"]
    assert early["code"] == "lifecycle.no_such_move"
    early = jemput.one("handover", "give", letter, "--relation", "self", code=1)["problem"]
    assert early["code"] == "lifecycle.no_such_move"


def test_a_card_is_given_for_the_old_one_with_a_signature(tmp_path):
    house = laptop(tmp_path / "van")
    card = take(house, "ktp-reprint-damaged")
    absorb(house, 1, card, "received", "in_verification", "verified", "ready_for_handover")
    picture = pictures.put(tmp_path, "ttd.jpg", pictures.jpeg(pictures.page(3)))
    page = house.desk.open(card.record)
    form = page.form()
    assert any(paper.hold.startswith("take") for paper in form.documents)
    nik = form.subject(page.answers).nik
    given = Given("self", nik or "", seen="KNOWN", serial="KT-0042")
    refused("handover.old_card", handover.hand_over, house.desk, page, given, picture)
    given = msgspec.structs.replace(given, old_taken=True)
    body = handover.hand_over(house.desk, page, given, picture)
    assert body.move == ("ready_for_handover", "handed_over")
    assert body.set["handover.document"] == {"document": "KTP"}
    assert body.set["handover.old_taken"] == "yes"
    assert "handover.serial" not in body.set, "the office's own to write"
    assert "KT-0042" in body.reason
    after = house.desk.open(card.record)
    assert after.status == "handed_over"
    assert [file.unit for file, _ in house.desk.files(after)] == ["handover.signature"]
    house.close()
