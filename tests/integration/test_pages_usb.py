"""The USB road by pages: written, told with its words, slip printed; and a request put first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field_client.desk import Wanted
from field_client.transports import usb
from field_client.vault.attached import add_file
from sync.messages import Manifest
from sync.transfer import PAPERS, in_order
from tests.field import Hands, example
from tests.pages import Browser, pages, served
from tests.sticks import bring, export, give, rows, stick
from tests.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def take(browser: Browser, service: str = "birth") -> str:
    desk, row = browser.counter.desk, example(service)
    wanted = Wanted(service, row["answers"], row["documents"], row["reasons"])
    (taken,) = desk.submit(desk.prepare(wanted))
    return taken.record.hex()


def begin(browser: Browser, do: str, folder: Path) -> None:
    """Start at the stick in `folder` and look once it has ended."""
    browser.go("/usb")
    form = browser.form("/usb")
    form.put("folder", str(folder))
    browser.send(form, do=do)
    assert browser.path == "/usb/work"
    work = browser.counter.stick
    assert work is not None
    work.wait(60)
    browser.go("/usb/work")


def test_work_goes_out_by_stick_with_words_and_a_slip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    monkeypatch.setattr("field_client.pages.sticks.drives", lambda: [stick])
    with pages(tmp_path / "laptop", Hands()) as browser:
        browser.unlock()
        browser.go("/usb/work")
        assert browser.path == "/usb", "nothing runs"
        take(browser)
        browser.go("/sending")
        assert "antre kirim" in browser.text
        assert 'href="/usb"' in browser.page.text
        browser.go("/usb")
        assert browser.form("/usb").fields_as_dict()["drive"] == [str(stick)], "the only one"
        assert "belum dikirim" in browser.text
        form = browser.form("/usb")
        form.put("drive")
        browser.send(form, 422, do="export")
        assert "Pilih USB dulu" in browser.text

        begin(browser, "export", tmp_path / "absent")
        assert "tidak ditemukan" in browser.text
        monkeypatch.setattr(usb, "SLACK_BYTES", 1 << 60)
        begin(browser, "export", stick)
        assert "Kirim yang tertua dulu" in browser.text
        monkeypatch.undo()

        begin(browser, "export", stick)
        made = browser.counter.stick.made if browser.counter.stick else None
        assert made is not None
        assert "USB boleh dicabut" in browser.text
        assert " – ".join(made.words) in browser.text
        assert list(stick.iterdir())
        slip = browser.send(browser.form("/usb/slip"))
        assert slip.headers["content-type"] == "application/pdf"
        browser.go("/usb")
        browser.send(browser.form("/usb/slip"), 404, bundle="K-none")
        browser.go("/sending")
        assert "dibawa kurir" in browser.text
        browser.go("/usb")
        assert made.bundle in browser.text
        assert "menunggu bukti; USB terakhir" in browser.text
        begin(browser, "import", stick)
        assert "Tidak ada paket balasan" in browser.text


def test_an_answer_of_the_office_is_read_from_a_stick(town: Town) -> None:
    van, folder = town.laptop("sari"), stick(town)
    (taken,) = van.take(rows(town, 1)[0])
    export(van, folder)
    bring(town, folder)
    town.send_back(taken.record, "DOC_UNREADABLE", "foto buram")
    give(town, van, folder)
    van.house.close()
    town.laptops.remove(van)
    with served(van.folder, Hands(town.time.at + 60)) as browser:
        browser.unlock()
        begin(browser, "import", folder)
        assert "Tidak ada paket balasan" not in browser.text
        browser.go("/returned")
        assert "foto buram" in browser.text
        browser.go("/sending")
        assert "sampai nomor" in browser.text, "what central holds is proved"
        begin(browser, "import", folder)  # the same stick once more changes nothing
        assert browser.counter.stick is not None
        assert browser.counter.stick.problem is None


def test_papers_of_one_request_are_put_before_the_others(tmp_path: Path) -> None:
    with pages(tmp_path / "laptop", Hands()) as browser:
        browser.unlock()
        early, late = take(browser), take(browser, "ktp-reprint-lost")
        store = browser.counter.desk.store
        log, seq = store.log().id, store.log().seq
        with store.engine.writing() as connection:
            for record, due in ((early, "2026-11-25"), (late, "")):
                name = bytes.fromhex(record) * 2
                add_file(connection, Manifest(name, 900, b"h" * 32), PAPERS, name[:16], due)
                connection.execute(
                    "insert into announced values (?, ?, ?, ?)", (name, log, seq, name[:16])
                )

        def order() -> list[str]:
            return [one.person.hex() for one in in_order(store.attached.parcels(log, seq))]

        assert order() == [early, late]
        browser.go("/sending")
        assert browser.text.count("Dahulukan") == 2
        browser.send(browser.form("/sending/first"), record=late)
        assert "1 lampiran" in browser.text
        assert order() == [late, early]
        browser.go("/sending")
        browser.send(browser.form("/sending"), do="pause")
        assert "‖ Dijeda · " in browser.text
        browser.send(browser.form("/sending"), do="now")
        assert "Dijeda" not in browser.text
