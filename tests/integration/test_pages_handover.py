"""Handing over through the pages, by who scans a receipt; and practice, which every page tells."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import segno
from httpx import Response
from PIL import Image

from field_client import receipts, training
from field_client.settings import FieldSettings, Place
from models.problems import Problem
from tests.field import Hands, keys
from tests.pages import ORIGIN, Browser, pages, served
from tests.pictures import jpeg, page
from tests.requests_pages import VERIFIED, led, submitted
from tests.vaults import CHEAP, PASSPHRASE


def test_a_letter_is_signed_scanned_and_given(tmp_path):
    with pages(tmp_path / "laptop", Hands()) as browser:
        browser.unlock()
        record = led(browser.counter.desk, "village-domicile-letter", VERIFIED)
        name = record.hex()
        browser.go(f"/requests/{name}/handover", 409)
        browser.go(f"/requests/{name}")
        assert f'href="/requests/{name}/letter"' in browser.page.text
        browser.go(f"/requests/{name}/letter")
        form = browser.form(f"/requests/{name}/letter")
        browser.send(form, 422)
        assert "Belum bisa disimpan" in browser.text
        form = browser.form(f"/requests/{name}/letter")
        form.put("number", "470/12/2026")
        form.put("day|month", "nov")
        form.put("signer", "Hasan Kasim")
        browser.send(form)
        browser.go("/handover")
        assert "siap diserahkan" in browser.text
        token = receipts.slip(browser.counter.desk, record, "id").token
        form = browser.form("/handover")
        form.put("q", token)
        browser.send(form)
        assert browser.path == f"/requests/{name}/handover"
        form = browser.form(browser.path)
        form.put("receiver_nik", "8272 0322 0175 0015")
        browser.send(form, 422)
        form = browser.form(browser.path)
        assert form.fields_as_dict()["receiver_nik"] == ["8272032201750015"], "typed is kept"
        form.put("receiver_nik", "")
        form.put("seen", "KNOWN")
        browser.send(form, 422)
        assert "belum bertanda tangan" in browser.text
        form = browser.form(browser.path)
        signature = {"signature": ("ttd.png", jpeg(page(1, (900, 300))), "image/png")}
        browser.page = browser.client.post(
            form.action, data=form.fields_as_dict(), files=signature,
            headers={"Origin": ORIGIN}, follow_redirects=True,
        )  # fmt: skip
        assert browser.path == "/handover", browser.text
        ((signed, _),) = browser.counter.desk.files(browser.counter.desk.open(record))
        assert signed.unit == "handover.signature"
        assert "sudah diserahkan" in browser.text
        assert browser.counter.desk.open(record).status == "handed_over"
        browser.send(form, 422)
        assert browser.counter.desk.open(record).status == "handed_over", "once"


def test_a_photo_of_a_receipt_leads_to_its_request(tmp_path: Path) -> None:
    with pages(tmp_path / "laptop", Hands()) as browser:
        browser.unlock()
        desk = browser.counter.desk
        record = led(desk, "village-domicile-letter", VERIFIED)
        token = receipts.slip(desk, record, "id").token

        def scan(path: str, data: bytes, **headers: str) -> Response:
            browser.go(path)
            form = browser.form("/scan")
            return browser.client.post(
                form.action, data=form.fields_as_dict(), files={"code": ("bukti.jpg", data)},
                headers={"Origin": ORIGIN, **headers}, follow_redirects=True,
            )  # fmt: skip

        good, frame = code_on_paper(token), {"HX-Request": "true"}
        assert scan("/requests", good).url.path == f"/requests/{record.hex()}"
        assert scan("/handover", good, **frame).text == f"/requests/{record.hex()}/handover"
        assert scan("/requests", jpeg(page(1, (620, 877))), **frame).status_code == 204
        answer = scan("/requests", jpeg(page(1, (620, 877))))
        assert (answer.status_code, "Tidak ada kode QR" in answer.text) == (422, True)
        answer = scan("/requests", code_on_paper("https://palsu.example/" + "x" * 60), **frame)
        assert answer.status_code == 422
        assert answer.text.startswith("Bukti ini tidak dapat dibaca"), "words that the page shows"
        browser.counter.lock()
        assert scan_locked(browser, good) == 204, "nothing is read behind the curtain"


def scan_locked(browser: Browser, data: bytes) -> int:
    """What a frame is answered while nobody is unlocked."""
    answer = browser.client.post(
        "/scan", data={"token": browser.own.token}, files={"code": ("bukti.jpg", data)},
        headers={"Origin": ORIGIN, "HX-Request": "true"},
    )  # fmt: skip
    return answer.status_code


def code_on_paper(text: str) -> bytes:
    """A sheet with the code printed on it, as a telephone sees it."""
    out = io.BytesIO()
    segno.make(text, micro=False).save(out, kind="png", scale=6, border=4)
    sheet = page(7, (1240, 1754)).copy()
    sheet.paste(Image.open(out).convert("RGB"), (320, 420))
    return jpeg(sheet.rotate(4, fillcolor="white"), 80)


def test_every_page_of_a_practice_laptop_says_so(tmp_path: Path):
    hands = Hands()
    folder = tmp_path / "van-latihan"
    place = Place(folder, FieldSettings())
    training.begin(place, "sari", PASSPHRASE, hands.clock(), keys(folder), CHEAP).close()
    with served(folder, hands) as browser:
        browser.unlock()
        for path in ("/", "/requests", "/serve", "/papers"):
            browser.go(path)
            assert "DATA LATIHAN" in browser.text


def test_somebody_practises_by_a_button_and_goes_back_to_work(tmp_path: Path) -> None:
    with pages(tmp_path / "real", Hands()) as browser:
        browser.unlock()
        assert "DATA LATIHAN" not in browser.text
        real = browser.counter
        record = submitted(real.desk, "village-domicile-letter").hex()
        for path in ("/unlock", "/settings"):
            assert 'href="/training"' in browser.go(path).text
        browser.go("/training")
        browser.send(browser.form("/training"), 422, new=PASSPHRASE, again="lain")
        assert not training.folder_of(real.place.folder).exists(), "nothing is half made"
        browser.send(browser.form("/training"), new=PASSPHRASE, again=PASSPHRASE)
        assert "DATA LATIHAN" in browser.text
        assert "jb-practice" in browser.page.text
        assert real.locked, "the real work is behind its PIN meanwhile"
        browser.go(f"/requests/{record}", 404)
        browser.go("/requests")
        assert browser.page.text.count('jb-number"><a') == len(training.PRACTICE)
        browser.go("/sending")
        assert real.training is not None
        assert real.training.house is not None
        with pytest.raises(Problem, match=r"training\.never_sent"):
            real.training.house.courier().sync()
        browser.go("/")
        browser.send(browser.form("/training/leave"))
        assert "DATA LATIHAN" not in browser.text
        assert "Halo, sari" in browser.text, "and asks for its PIN again"
        browser.go("/requests/" + record)
        assert browser.path == "/unlock"
        browser.go("/training")
        browser.send(browser.form("/training"))
        assert "Ini laptop latihan" in browser.text
        browser.send(browser.form("/unlock"), pin=PASSPHRASE)
        assert "DATA LATIHAN" in browser.text
        browser.send(browser.form("/training/leave"))
        browser.go("/training")
        browser.send(browser.form("/training/clear"))
        assert not training.folder_of(real.place.folder).exists()
        browser.unlock()
        browser.go(f"/requests/{record}")
        assert "DATA LATIHAN" not in browser.text
        assert real.desk.store.standing().requests == {"submitted": 1}


@pytest.fixture(autouse=True)
def no_printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
