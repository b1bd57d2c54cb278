"""The door of the pages, the lock, and what nobody should get through."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from field_client.folder import open_folder
from field_client.pages import app as pages_app
from field_client.pages.door import COOKIE, INVITE_HEADER, INVITE_PATH
from field_client.pages.drawing import keep_compiled, templates
from tests.architecture.source import ROOT
from tests.field import Hands
from tests.pages import ORIGIN, PORT, Browser, Sent, pages, served
from tests.vaults import PASSPHRASE

OURS = {"Origin": ORIGIN}


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with pages(tmp_path_factory.mktemp("laptop")) as found:
        yield found


@pytest.fixture
def browser(laptop: Browser) -> Browser:
    """Unlocked, at home."""
    laptop.client.cookies.clear()
    laptop.unlock()
    return laptop


def begin(browser: Browser, *services: str) -> str:
    """Open a folder; gives the path of its task list."""
    browser.go("/serve/all")
    form = browser.form("/drafts")
    form.put("service", *services)
    browser.send(form)
    return browser.path


# -- the door


@pytest.mark.parametrize("host", ["jemput.example", f"127.0.0.1:{PORT + 1}", "127.0.0.1", ""])
def test_another_name_that_points_here_is_not_answered(browser: Browser, host: str) -> None:
    answer = browser.client.get("/", headers={"Host": host})
    assert (answer.status_code, answer.content) == (403, b"")


def test_a_browser_that_was_not_let_in_sees_nothing(browser: Browser) -> None:
    browser.client.cookies.clear()
    answer = browser.client.get("/requests")
    assert answer.status_code == 403
    assert "sari" not in answer.text
    assert "Si Jola" not in answer.text
    browser.client.cookies.set(COOKIE.format(port=PORT), "guessed")
    assert browser.client.get("/requests").status_code == 403


def test_a_key_lets_in_once(browser: Browser) -> None:
    key = browser.own.invite()
    assert browser.client.get(f"/enter?key={key}", follow_redirects=False).status_code == 303
    assert browser.client.get(f"/enter?key={key}", follow_redirects=False).status_code == 403
    assert browser.client.get("/enter", follow_redirects=False).status_code == 403
    assert browser.client.get("/enter?key=%E9", follow_redirects=False).status_code == 403


def test_who_was_quicker_than_the_browser_is_shut_out_when_it_comes(browser: Browser) -> None:
    """Another person of this machine saw the address in its list of programs."""
    key, thief = browser.own.invite(), browser.client
    assert thief.get(f"/enter?key={key}", follow_redirects=False).status_code == 303
    assert thief.get("/unlock").status_code == 200
    kept = dict(thief.cookies)
    thief.get(f"/enter?key={key}", follow_redirects=False)  # the browser itself
    assert dict(thief.cookies) == kept
    assert thief.get("/unlock").status_code == 403
    browser.go(f"/enter?key={browser.own.invite()}")
    assert thief.get("/unlock").status_code == 200


def test_another_start_is_let_in_by_a_word_in_a_private_file(browser: Browser) -> None:
    wrong = browser.client.post(INVITE_PATH, headers=OURS | {INVITE_HEADER: "guessed"})
    right = browser.client.post(INVITE_PATH, headers=OURS | {INVITE_HEADER: browser.own.word})
    assert (wrong.status_code, wrong.content) == (403, b"")
    assert browser.own.admits(right.text)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1"},
     OURS | {"Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_a_foreign_page_changes_nothing(browser: Browser, headers: dict[str, str]) -> None:
    browser.go("/")
    data = {"token": browser.own.token}
    answer = browser.client.post("/lock", data=data, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert not browser.counter.locked


def test_a_form_without_our_token_changes_nothing(browser: Browser) -> None:
    for data in ({}, {"token": "guessed"}):
        assert browser.client.post("/lock", data=data, headers=OURS).status_code == 403
    assert not browser.counter.locked


@pytest.mark.skipif(os.name == "nt", reason="folders have no mode there")
@pytest.mark.parametrize(("mode", "kept"), [(0o700, True), (0o755, True), (0o777, False)])
def test_compiled_pages_are_kept_where_nobody_else_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, kept: bool
) -> None:
    """They are code: another person of this machine must not be able to put them there."""
    monkeypatch.setattr(templates(), "bytecode_cache", None)
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(mode)
    keep_compiled(tmp_path / "data" / "templates")
    assert (templates().bytecode_cache is not None) is kept


def test_every_change_asks_for_our_token() -> None:
    """A handler that forgot to take `form` would not check it."""
    for handler in pages_app.HANDLERS:
        if "POST" in handler.http_methods:
            assert "form" in handler.fn.__annotations__, handler.fn.__name__


def test_nothing_is_kept_by_the_browser_and_nothing_foreign_is_loaded(browser: Browser) -> None:
    for path in ("/", "/requests", "/nothing", "/bar"):
        answer = browser.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"(src|href|action)=\"(https?:)?//", answer.text)
        assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", answer.text)


def test_a_built_file_may_be_kept_for_ever_and_no_other_file_is_given(browser: Browser) -> None:
    (style,) = re.findall(r'href="(/static/[^"]+\.css)"', browser.go("/").text)
    assert "immutable" in browser.client.get(style).headers["cache-control"]
    for path in ("/static/manifest.json", "/static/..%2f..%2fapp.py", "/static/x.css"):
        assert browser.client.get(path).status_code == 404


def test_without_built_files_the_pages_are_plain_and_work(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.pages.drawing.manifest", lambda package: {})
    assert "/static/" not in browser.go("/").text
    tasks = begin(browser, "village-domicile-letter")
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    form.put("0|applicant.name", "Salma Kader")
    browser.send(form, do="later")
    browser.go(f"{tasks}/0/applicant/0")
    assert ("0|applicant.name", "Salma Kader") in browser.form().fields


def test_the_lock_of_the_look_records_no_address_to_fetch_from() -> None:
    lock = json.loads((ROOT / "assets" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in one and one["integrity"] for one in packages.values())


# -- the lock


def test_a_wrong_pin_says_how_many_are_left(browser: Browser) -> None:
    browser.counter.lock()
    browser.go("/unlock?who=sari")
    form = browser.form("/unlock")
    form.put("pin", "not the right one")
    browser.send(form, 401)
    assert "Sisa 2 kali" in browser.text
    assert "bawa laptop ini ke kantor" in browser.text, "what to do where nobody else is"
    form.put("pin", PASSPHRASE)
    browser.send(form)
    assert browser.path == "/"


def test_while_it_is_locked_every_page_leads_to_the_pin_and_back(browser: Browser) -> None:
    browser.counter.lock()
    browser.go("/requests?status=submitted")
    assert browser.path == "/unlock"
    form = browser.form("/unlock")
    form.put("pin", PASSPHRASE)
    browser.send(form)
    assert str(browser.page.url).endswith("/requests?status=submitted")


def test_the_pin_leads_to_no_address_of_somebody_else(browser: Browser) -> None:
    for wanted in ("//evil.example/", "https://evil.example", "/\\evil.example", "javascript:1"):
        browser.counter.lock()
        browser.go("/unlock?who=sari")
        form = browser.form("/unlock")
        form.put("next", wanted)
        form.put("pin", PASSPHRASE)
        browser.send(form)
        assert browser.path == "/"


def test_a_form_sent_behind_the_curtain_is_kept_for_its_author(browser: Browser) -> None:
    tasks = begin(browser, "village-domicile-letter")
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    form.put("0|applicant.name", "Salma Kader")
    browser.counter.lock()
    browser.send(form)
    assert browser.path == "/unlock"
    pin = browser.form("/unlock")
    pin.put("pin", PASSPHRASE)
    browser.send(pin)
    assert browser.path == "/unlock/again"
    browser.send(browser.form())
    browser.go(f"{tasks}/0/applicant/0")
    assert ("0|applicant.name", "Salma Kader") in browser.form().fields


def test_after_idle_minutes_the_pages_lock(tmp_path) -> None:
    with pages(tmp_path / "idle", idle_seconds=1) as browser:
        browser.unlock()
        browser.counter._touched -= 2
        browser.go("/")
        assert browser.path == "/unlock"
        assert browser.counter.house is not None  # a curtain, not a sign-out


# -- what nobody should get through


def test_marks_in_names_are_words(browser: Browser) -> None:
    tasks = begin(browser, "village-domicile-letter")
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    nasty = "<script>alert(1)</script> \"'&"
    form.put("0|applicant.name", nasty)
    browser.send(form, do="later")
    for path in ("0/applicant/0", "check"):
        browser.go(f"{tasks}/{path}")
        assert "<script>alert" not in browser.page.text
    browser.go(f"{tasks}/0/applicant/0")
    assert ("0|applicant.name", nasty) in browser.form().fields


def test_a_nik_may_be_typed_with_blanks_and_a_month_by_name(browser: Browser) -> None:
    tasks = begin(browser, "birth")
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    form.put("0|applicant.nik", " 8272 0345 0390 0021 ")
    browser.send(form, do="later")
    browser.go(f"{tasks}/0/subject/0")
    form = browser.form()
    for part, text in (("day", "2"), ("month", "nov"), ("year", "2026")):
        form.put(f"0|subject.birth_date|{part}", text)
    browser.send(form, do="later")
    folder = open_folder(browser.counter.desk, bytes.fromhex(tasks.rpartition("/")[2]))
    checked = folder.prepare()[0].checked
    assert checked.answers["applicant.nik"] == "8272034503900021"
    assert checked.answers["subject.birth_date"] == "2026-11-02"


def test_a_day_that_does_not_exist_is_shown_again_as_it_was_typed(browser: Browser) -> None:
    tasks = begin(browser, "birth")
    browser.go(f"{tasks}/0/subject/0")
    form = browser.form()
    for part, text in (("day", "31"), ("month", "2"), ("year", "2026")):
        form.put(f"0|subject.birth_date|{part}", text)
    browser.send(form)
    again = dict(browser.form().fields)
    assert [again[f"0|subject.birth_date|{p}"] for p in ("day", "month", "year")] == [
        "31", "02", "2026",
    ]  # fmt: skip
    assert "Tersimpan, tetapi belum lengkap" in browser.text


def test_a_second_click_on_submit_makes_no_second_request(browser: Browser) -> None:
    before = len(browser.counter.desk.store.requests.newest())
    tasks = begin(browser, "village-domicile-letter")
    form = filled_to_the_end(browser, tasks)
    browser.send(form)
    first = browser.path
    browser.send(form)
    assert browser.path == first
    assert first.endswith("/receipt")
    assert len(browser.counter.desk.store.requests.newest()) == before + 1


def filled_to_the_end(browser: Browser, tasks: str) -> Sent:
    """The declaration's form of a folder filled from the example of its service."""
    from field_client.folder import open_folder

    desk = browser.counter.desk
    folder = open_folder(desk, bytes.fromhex(tasks.rpartition("/")[2]))
    from tests.integration.test_pages_services import flat

    service = folder.sheets[0].service
    folder.put({0: flat(service)}, {0: service.example.documents})
    browser.go(f"{tasks}/check")
    form = browser.form()
    for name in [one for one in form.names() if one.startswith("why|")]:
        form.put(name, "sudah diperiksa")
    form.put("declared", "yes")
    return form


def test_nothing_is_taken_in_before_the_applicant_declared_it(browser: Browser) -> None:
    tasks = begin(browser, "village-domicile-letter")
    form = filled_to_the_end(browser, tasks)
    form.fields = [pair for pair in form.fields if pair[0] != "declared"]
    browser.send(form, 422)
    assert "belum menyatakan" in browser.text


def test_a_form_that_is_too_large_is_refused_in_words(browser: Browser) -> None:
    tasks = begin(browser, "village-domicile-letter")
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    form.put("0|applicant.name", "x" * 300_000)
    browser.send(form, 413)
    assert "terlalu besar" in browser.text


@pytest.mark.parametrize(
    "path",
    ["/requests/zz", "/requests/" + "0" * 32, "/drafts/00", "/drafts/" + "0" * 32, "/serve/zz",
     "/drafts/zz/check", "/requests?before=x&status=zz"],
)  # fmt: skip
def test_an_address_that_was_made_up_is_answered_in_words(browser: Browser, path: str) -> None:
    answer = browser.client.get(path)
    assert answer.status_code in (200, 404, 422), answer.text
    assert "Traceback" not in answer.text
    assert "<h1" in answer.text


def test_a_bar_that_did_not_change_is_not_read_out_again(browser: Browser) -> None:
    (address,) = re.findall(r'hx-get="(/bar[^"]*)"', browser.go("/").text)
    assert browser.client.get(address).status_code == 204
    taken(browser)
    assert browser.client.get(address).status_code == 200


def test_another_language_is_one_click(browser: Browser) -> None:
    browser.go("/")
    browser.send(browser.form("/language"))
    assert "Serve a citizen" in browser.text
    browser.send(browser.form("/language"))
    assert "Layani warga" in browser.text


def test_what_was_begun_is_listed_by_pages_and_found_by_name(browser: Browser) -> None:
    desk, store = browser.counter.desk, browser.counter.desk.store
    tasks = begin(browser, "birth", "kia-new-under5")
    mine = open_folder(desk, bytes.fromhex(tasks.rpartition("/")[2]))
    mine.put({0: {"applicant.name": "Rukmini Albaar"}})
    wanted = desk.resume(mine.name)[0]
    alone = msgspec.structs.replace(wanted, answers={}, folder=b"")
    others = [desk.keep(alone) for _ in range(205)]  # more than are read at once
    assert len(open_folder(desk, mine.name).sheets) == 2, "its forms stay together"
    lines, address = set[str](), "/drafts"
    while address:
        browser.go(address)
        lines |= {*re.findall(r'task-list__link" href="/drafts/(\w+)"', browser.page.text)}
        address = next(iter(re.findall(r'href="(/drafts\?skip=\d+)"', browser.page.text)), "")
    assert lines >= {mine.name.hex(), *(one.hex() for one in others)}
    browser.go("/drafts")
    form = browser.form("/drafts/find")
    form.put("q", "rukmini")
    browser.send(form)
    assert f'href="{tasks}"' in browser.page.text
    assert "Rukmini A." in browser.text
    assert "Albaar" not in browser.text, "masked, as on the first page"
    for one in others:
        store.drafts.drop(one)


# -- a family


def test_what_a_family_shares_is_typed_once_and_taken_in_by_one_transaction(
    browser: Browser,
) -> None:
    desk = browser.counter.desk
    for other in desk.store.drafts.of(desk.operator.name):  # home lists five, all of one second
        desk.store.drafts.drop(other.id)
    tasks = begin(browser, "birth", "kk-change", "kia-new-under5")
    assert "Data bersama" in browser.text
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    form.put("0|applicant.name", "Salma Kader")
    form.put("0|applicant.relation", "parent")
    form.put("1|applicant.relation", "self")
    browser.send(form, do="later")
    folder = open_folder(desk, bytes.fromhex(tasks.rpartition("/")[2]))
    answers = [sheet.wanted.answers for sheet in folder.sheets]
    assert [one["applicant.name"] for one in answers] == ["Salma Kader"] * 3
    assert [one.get("applicant.relation") for one in answers] == ["parent", "self", None]
    shown = {(sheet.draft.seen, sheet.draft.own) for sheet in folder.sheets}
    assert len(shown) == 1
    page = browser.go("/").text
    line = f'href="{tasks}"><strong>Salma K.</strong> · Akta kelahiran (0-60 hari) + KK perubahan'
    assert line in page, "one line, with whom it is for"
    assert all(sheet.draft.id.hex() not in page for sheet in folder.sheets[1:])
    browser.go(f"{tasks}/0/applicant/0?look=1")
    assert browser.text.count("KIA baru anak 0-5 tahun (tanpa foto): Isi Hubungan") == 2
    browser.go(tasks)
    assert "Lanjut: Pemohon" in browser.text, "the next page is the main button"
    browser.go(f"{tasks}/check")
    assert "Pemohon: " in browser.text
    assert "KIA baru anak 0-5 tahun (tanpa foto) · Permohonan (F-1.02): " in browser.text


def test_the_pages_open_where_they_were_left(tmp_path) -> None:
    hands = Hands()
    with pages(tmp_path / "again", hands) as browser:
        browser.unlock()
        tasks = begin(browser, "village-domicile-letter")
        browser.go(f"{tasks}/0/applicant/0")
        form = browser.form()
        form.put("0|applicant.name", "Salma Kader")
        browser.send(form, do="later")
    with served(tmp_path / "again", hands) as browser:
        browser.unlock()
        assert "Lanjutkan isian terakhir?" in browser.text
        browser.go(f"{tasks}/0/applicant/0")
        assert ("0|applicant.name", "Salma Kader") in browser.form().fields


# -- corrections


def taken(browser: Browser) -> bytes:
    """A request that was taken in through the pages."""
    tasks = begin(browser, "village-domicile-letter")
    browser.send(filled_to_the_end(browser, tasks))
    return bytes.fromhex(browser.path.split("/")[2])


def correct(browser: Browser, record: bytes) -> str:
    """Begin a correction; gives the path of its task list."""
    browser.go(f"/requests/{record.hex()}")
    browser.send(browser.form(f"/requests/{record.hex()}/correct"))
    return browser.path


def test_a_correction_writes_what_differs_and_undoes_nothing(browser: Browser) -> None:
    desk, record = browser.counter.desk, taken(browser)
    tasks = correct(browser, record)
    browser.go(f"{tasks}/0/applicant/0")
    form = browser.form()
    form.put("0|applicant.phone", "081240009999")
    browser.send(form)
    # Meanwhile somebody else corrects another answer of the same request.
    desk.edit(desk.open(record), {"address.rt": "009"})
    browser.go(f"{tasks}/check")
    assert "081240009999" in browser.text.replace("+62", "0") or "081240009999" in browser.text
    form = browser.form()
    form.put("reason", "nomor baru")
    browser.send(form)
    assert browser.path == f"/requests/{record.hex()}"
    page = desk.open(record)
    assert page.answers["applicant.phone"] == "+6281240009999"
    assert page.answers["address.rt"] == "009"
    body = page.picture.own[-1].body
    assert body is not None
    assert (set(body.set), body.reason) == ({"applicant.phone"}, "nomor baru")
    written = len(page.picture.own)
    browser.send(form)  # a second click
    assert browser.path == f"/requests/{record.hex()}"
    assert len(desk.open(record).picture.own) == written


def test_a_correction_of_what_changed_meanwhile_says_that_it_will_be_reviewed(
    browser: Browser,
) -> None:
    desk, record = browser.counter.desk, taken(browser)
    tasks = correct(browser, record)
    shown = desk.store.log().seq
    browser.go(f"{tasks}/0/address/0")
    form = browser.form()
    form.put("0|address.rt", "7")
    browser.send(form)
    desk.edit(desk.open(record), {"address.rt": "009"})
    browser.go(f"{tasks}/check")
    assert "akan ditinjau" in browser.text
    browser.send(browser.form())
    change = desk.open(record).picture.own[-1].change
    assert change.own == shown  # what was on the screen, not what came after


def test_a_correction_that_changes_nothing_is_told(browser: Browser) -> None:
    record = taken(browser)
    tasks = correct(browser, record)
    assert correct(browser, record) == tasks  # goes on with the one that was begun
    browser.go(f"{tasks}/check")
    assert "Belum ada yang berubah" in browser.text
    browser.send(browser.form(), 422)
    assert "Tidak ada isian yang berubah" in browser.text


def test_a_question_drawn_for_one_citizen_says_nothing_of_another(browser: Browser) -> None:
    path = f"{begin(browser, 'village-domicile-letter')}/0/applicant/0"
    browser.go(path)
    form = browser.form()
    form.put("0|applicant.name", "Hafsah Kader")
    browser.send(form, do="later")
    assert "Hafsah Kader" in browser.go(path).text
    other = f"{begin(browser, 'village-domicile-letter')}/0/applicant/0"
    assert "Hafsah Kader" not in browser.go(other).text
    once, again = (browser.go(other).text for _ in range(2))
    fresh = re.compile(r'name="window" value="\w+"')
    assert fresh.sub("", once) == fresh.sub("", again)
    assert "(boleh kosong)" in browser.text
    browser.send(browser.form("/language"))
    browser.go(other)
    assert "(boleh kosong)" not in browser.text, "in another language it is drawn anew"
    browser.send(browser.form("/language"))


def test_a_whole_database_is_believed_for_ten_minutes(browser: Browser, monkeypatch) -> None:
    house, asked = browser.counter.house, []
    assert house is not None
    monkeypatch.setattr(house, "found_whole", None)
    real = house.store.engine.check

    def check(quick: bool) -> list[str]:
        asked.append(quick)
        return real(quick)

    monkeypatch.setattr(house.store.engine, "check", check)
    browser.go("/readiness")
    browser.go("/readiness")
    assert "Utuh, diperiksa" in browser.text
    assert len(asked) == 1
    monkeypatch.setattr(house.store.engine, "check", lambda quick: ["page 7"])
    assert house.found_whole is not None
    house.found_whole -= 601
    browser.go("/readiness")
    assert "Rusak. Jangan hapus apa pun." in browser.text
    assert "Mulai melayani" not in browser.text


def test_that_people_were_looked_up_is_noted(browser: Browser) -> None:
    desk = browser.counter.desk
    taken(browser)
    browser.go("/requests")
    form = browser.form("/requests")
    for text, noted in (("tidak ada orang begini", False), ("Salma", True)):
        before = desk.store.reveals.newest(1)
        form.put("q", text)
        browser.send(form)
        newest = desk.store.reveals.newest(1)[0]
        assert (newest.action == "page search" and [newest] != before) == noted
        assert "Salma" not in str(browser.page.url)
