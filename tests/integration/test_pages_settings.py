"""A forgotten PIN, a colleague's unfinished form, and other keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field_client.attachments import drafting
from field_client.folder import begun, open_folder, take_over
from field_client.printing.prints import Printing
from models.pages import topics
from models.problems import Problem
from sync.attaching import Photo
from tests.field import Hands, invitation
from tests.pages import ORIGIN, Browser, pages, served
from tests.pictures import jpeg, page
from tests.vaults import CHEAP, PASSPHRASE

NEW = "laut biru tenang"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, pages(tmp_path_factory.mktemp("laptop")) as found:
        patch.setattr("field_client.vault.keys.Cost", lambda: CHEAP)
        found.unlock()
        house = found.counter.house
        assert house is not None
        house.keys.add(house.unlocked.database_key, "jul", PASSPHRASE, CHEAP)
        yield found


def enter(browser: Browser, operator: str, pin: str, status: int = 200) -> None:
    browser.counter.lock()
    browser.go(f"/unlock?who={operator}")
    form = browser.form("/unlock")
    form.put("operator", operator)
    form.put("pin", pin)
    browser.send(form, status)


def settle(browser: Browser, action: str, status: int = 200, **typed: str) -> None:
    browser.go("/settings")
    form = browser.form(f"/settings/{action}")
    for name, text in typed.items():
        form.put(name, text)
    browser.send(form, status)


def begin(browser: Browser) -> str:
    browser.go("/serve/all")
    form = browser.form("/drafts")
    form.put("service", "birth", "kk-change")
    browser.send(form)
    return browser.path


def test_a_colleague_gives_a_new_pin_to_who_forgot_theirs(browser: Browser) -> None:
    enter(browser, "sari", PASSPHRASE)
    draft, entries = begin(browser), browser.counter.desk.store.log().seq
    enter(browser, "sari", "lupa sama sekali", 401)
    assert "dapat memberi Anda PIN baru" in browser.text
    enter(browser, "jul", PASSPHRASE)
    settle(browser, "colleague", 422, name="sari", new=NEW, again="lain lagi sekali")
    assert "tidak sama" in browser.text
    settle(browser, "colleague", 422, name="sari", new="123456", again="123456")
    enter(browser, "sari", PASSPHRASE)  # what was refused changed nothing
    enter(browser, "jul", PASSPHRASE)
    settle(browser, "colleague", name="sari", new=NEW, again=NEW)
    assert "PIN sari diganti" in browser.text
    enter(browser, "sari", PASSPHRASE, 401)
    enter(browser, "sari", NEW)
    browser.go(draft)
    assert browser.path == draft, "the draft is still theirs"
    told = browser.counter.desk.store.pending(entries)
    assert len(told) >= 2, "that an operator went and came is in the log, under who did it"
    settle(browser, "pin", 401, old="bukan ini", new=PASSPHRASE, again=PASSPHRASE)
    settle(browser, "pin", old=NEW, new=PASSPHRASE, again=PASSPHRASE)
    enter(browser, "sari", PASSPHRASE)
    settle(browser, "colleague", 409, name="sari", new=NEW, again=NEW)
    assert "di bagian PIN saya" in browser.text


def test_a_colleagues_form_is_taken_over_with_a_reason(browser: Browser) -> None:
    enter(browser, "sari", PASSPHRASE)
    draft = begin(browser)
    found = open_folder(browser.counter.desk, bytes.fromhex(draft.rpartition("/")[2]))
    place = drafting.places(topics.look(found), "id")[-1]
    drafting.attach(found, place, [Photo("kk.jpg", jpeg(page(1, (1240, 1754))))])
    forms = [sheet.draft.id for sheet in found.sheets]
    there = browser.counter.desk.store.draft_files.of(*forms)[0]
    small = f"{draft}/files/{there.file.blob.hex()}?small=1"
    assert browser.client.get(small).status_code == 200
    enter(browser, "jul", PASSPHRASE)
    browser.go(draft, 404)
    assert browser.client.get(small).status_code == 404, "who began it sees its photographs"
    mine = len(begun(browser.counter.desk))
    name = draft.rpartition("/")[2]
    settle(browser, "takeover", 422, draft=name)
    assert "Tulis alasan" in browser.text
    settle(browser, "takeover", draft=name, reason="sari pulang, warganya kembali")
    assert browser.path == draft
    assert len(begun(browser.counter.desk)) == mine + 1
    assert len(begun(browser.counter.desk)[0].forms) == 2, "with all its forms"
    assert browser.client.get(small).status_code == 200, "and its photographs"
    action = browser.counter.desk.store.reveals.newest()[0].action
    assert action == "takeover from sari: sari pulang, warganya kembali"
    assert browser.counter.desk.store.reveals.broken_at() is None
    enter(browser, "sari", PASSPHRASE)
    browser.go(draft, 404)


def test_what_a_removed_colleague_left_is_taken_over_with_all_its_forms(browser: Browser) -> None:
    enter(browser, "sari", PASSPHRASE)
    house = browser.counter.house
    assert house is not None
    house.keys.add(house.unlocked.database_key, "wati", PASSPHRASE, CHEAP)
    enter(browser, "wati", PASSPHRASE)
    name = bytes.fromhex(begin(browser).rpartition("/")[2])
    forms = [one.id for one in browser.counter.desk.store.drafts.of("wati")]
    enter(browser, "sari", PASSPHRASE)
    house.keys.remove(house.unlocked, "wati")
    desk, (part,) = browser.counter.desk, {*forms} - {name}
    with pytest.raises(Problem, match=r"draft\.unknown"):
        take_over(desk, part, "bagian dari isian")
    assert f'"{name.hex()}"' in browser.go("/settings").text, "it is among what is offered"
    settle(browser, "takeover", draft=name.hex(), reason="wati tidak bekerja di sini lagi")
    assert {one.id for one in desk.store.drafts.of("sari")} >= {*forms}
    assert "wati" not in desk.store.standing().drafts


def test_keys_are_chosen_or_switched_off_by_each_operator(browser: Browser) -> None:
    enter(browser, "sari", PASSPHRASE)
    settle(browser, "keys", 422, F2="F3")
    assert "dipilih dua kali" in browser.text
    settle(browser, "keys", F2="F1", F1="F2", F7="off")
    page = browser.go("/").text
    assert 'href="/serve" data-key="F1"' in page
    assert "<kbd>F1</kbd>" in page
    assert 'data-key="F7"' not in page
    assert "<kbd>F7</kbd>" not in page
    told = browser.go("/help").text
    assert '<kbd>F1</kbd></dt><dd class="govuk-summary-list__value">Layani warga' in told
    assert "Antre kirim</dd>" not in told
    enter(browser, "jul", PASSPHRASE)
    assert 'href="/serve" data-key="F2"' in browser.go("/").text, "each has their own"
    enter(browser, "sari", PASSPHRASE)
    browser.go("/settings")
    browser.send(browser.form("/settings/keys"), do="off")
    assert "data-key=" not in browser.go("/sending").text
    browser.go("/settings")
    browser.send(browser.form("/settings/keys"), do="usual")
    assert 'data-key="F10"' in browser.go("/").text


def test_pages_are_drawn_for_work_in_the_sun(browser: Browser) -> None:
    enter(browser, "sari", PASSPHRASE)
    browser.go("/settings")
    browser.send(browser.form("/settings/look"), look="outdoor")
    assert 'class="govuk-template jb-outdoor"' in browser.go("/").text
    browser.go("/settings")
    browser.send(browser.form("/settings/look"), look="")
    assert "jb-outdoor" not in browser.go("/").text


def test_a_printer_is_chosen_and_tried(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    known, sent = ["kantor", "struk"], list[tuple[str, bool]]()
    for place in ("printing.printers", "pages.settling", "readiness"):
        monkeypatch.setattr(f"field_client.{place}.printers", lambda: known)
    monkeypatch.setattr(
        "field_client.printing.printers.send",
        lambda printer, data, title, *, dots: sent.append((printer, dots)),
    )
    enter(browser, "sari", PASSPHRASE)
    settle(browser, "printers", printer="kantor", receipt_printer="struk", receipt_paper="58")
    browser.go("/settings")
    browser.send(browser.form("/settings/printers"), do="try")
    assert "dikirim ke kantor. Utuh?" in browser.text
    browser.send(browser.form("/settings/printers"), do="try-receipt")
    assert sent == [("kantor", False), ("struk", True)]
    browser.go("/readiness")
    assert "Printer : baik kantor" in browser.text
    known.remove("kantor")
    browser.go("/readiness")
    assert "kantor tidak ditemukan. Nyalakan dan sambungkan." in browser.text
    assert 'href="/settings#printers"' in browser.page.text
    known.clear()
    browser.counter.desk.store.remember(Printing())
    browser.go("/readiness")
    assert "Nomor bukti ditulis di kertas" in browser.text
    assert "Kamera" in browser.text


def test_a_new_laptop_is_enrolled_by_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("field_client.vault.keys.Cost", lambda: CHEAP)
    with served(tmp_path / "new", Hands()) as browser:
        browser.go(f"/enter?key={browser.own.invite()}")
        assert "Laptop ini belum didaftarkan" in browser.text

        def send(file: bytes, status: int, **typed: str) -> None:
            form = browser.form("/unlock/enrol")
            browser.page = browser.client.post(
                form.action, data=form.fields_as_dict() | typed,
                files={"invitation": ("van.jbi", file)},
                headers={"Origin": ORIGIN}, follow_redirects=True,
            )  # fmt: skip
            assert browser.page.status_code == status, browser.text

        send(b"no invitation", 422, new=PASSPHRASE, again=PASSPHRASE)
        send(invitation(), 422, new=PASSPHRASE, again="something else")
        send(invitation(), 422, new="short", again="short")
        assert "sepuluh" in browser.text
        assert not browser.counter.keys.exists, "what was refused left nothing"

        def full(*_: object) -> None:
            raise Problem("disk.full")

        with monkeypatch.context() as cut:
            cut.setattr("field_client.enrolment.open_log", full)
            send(invitation(), 507, new=PASSPHRASE, again=PASSPHRASE)
            send(invitation(), 507, new=PASSPHRASE)
    with served(tmp_path / "new", Hands()) as browser:  # stopped there, begun again
        browser.go(f"/enter?key={browser.own.invite()}")
        browser.send(browser.form("/unlock"), 409, pin=PASSPHRASE)
        assert "belum selesai" in browser.text
        send(invitation(), 401, new="not the PIN")
        send(invitation(), 200, new=PASSPHRASE)
        assert browser.path == "/readiness"
        assert "siap dipakai" in browser.text
        assert browser.counter.operator == "sari"
        browser.counter.lock()
        browser.go("/")
        assert browser.path == "/unlock"
        browser.send(browser.form("/unlock"), pin=PASSPHRASE)
        browser.counter.keys.shred()  # by order of the office, in another process
        browser.go("/")
        assert browser.path == "/unlock"
        assert "atas perintah Dukcapil" in browser.text
        assert "belum didaftarkan" not in browser.text
