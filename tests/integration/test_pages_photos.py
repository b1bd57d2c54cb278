"""Photographs taken while a form is filled in: they lie with the draft, and go with the request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from field_client import folder as folders
from field_client import phone
from field_client.attachments import drafting
from field_client.doctor import examine
from field_client.folder import Folder
from field_client.vault.blobs import Blobs
from models.changes import decode_body, decode_change
from models.pages import topics
from models.problems import Problem
from models.services import catalogue
from sync.attaching import Photo
from sync.transfer import PAPERS, PREVIEWS
from tests.field import Hands, again
from tests.integration.test_pages_files import kept
from tests.integration.test_pages_services import flat
from tests.integration.test_pages_tray import PICTURE, open_door
from tests.integration.test_pages_tray import send as send_by_phone
from tests.pages import ORIGIN, Browser, pages
from tests.pictures import jpeg, page
from tests.requests import row
from tests.town import Town

LETTER, POOR = "village-domicile-letter", "village-poverty-letter"
KTP = "document.KTP"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("laptop")
    (folder / "scans").mkdir()
    with pages(folder / "data", Hands(), scan_folder=str(folder / "scans")) as found:
        found.unlock()
        yield found


def begun(browser: Browser, *services: str) -> Folder:
    """A folder with the answers of its services' examples."""
    made = folders.begin(browser.counter.desk, services)
    made.put({n: flat(catalogue().service(slug)) for n, slug in enumerate(services)})
    return made


def home(folder: Folder) -> str:
    return f"/drafts/{folder.name.hex()}"


def send(browser: Browser, folder: Folder, data: bytes, place: str = KTP, **more: str) -> Response:
    return browser.client.post(
        f"{home(folder)}/files",
        data={"token": browser.own.token, "place": place, **more},
        files=[("file", ("kk.jpg", data))],
        headers={"Origin": ORIGIN},
        follow_redirects=True,
    )


def sealed(browser: Browser) -> set[str]:
    """Names of the sealed files beside the database."""
    place = browser.counter.desk.blobs.folder
    return {one.name for one in place.iterdir()} if place.is_dir() else set()


def submit(browser: Browser, folder: Folder, status: int = 200) -> Response:
    browser.go(f"{home(folder)}/check")
    form = browser.form(f"{home(folder)}/submit")
    form.put("declared", "yes")
    for name in [name for name in form.names() if name.startswith("why|")]:
        form.put(name, "diminta lagi")
    return browser.send(form, status)


def test_a_photo_lies_with_the_form_and_goes_with_the_request(browser: Browser) -> None:
    desk, before = browser.counter.desk, sealed(browser)
    one, entries = begun(browser, LETTER), desk.store.log().seq
    browser.go(home(one))
    assert f'href="{home(one)}/files"' in browser.page.text
    browser.go(f"{home(one)}/files")
    browser.send(browser.form(f"{home(one)}/files"), 422)
    assert "Pilih berkas foto atau PDF dulu" in browser.text
    answer = send(browser, one, kept())
    assert answer.status_code == 200, answer.text
    assert "1 foto tersimpan bersama draf ini." in answer.text
    assert desk.store.log().seq == entries, "nothing is in the log before it is submitted"
    assert desk.store.attached.left().files == 0, "and nothing waits to be sent"
    assert len(sealed(browser) - before) == 2, "the paper and its preview"
    browser.go(f"{home(one)}/documents")
    assert "✓ sudah difoto" in browser.text
    assert browser.form().fields_as_dict()["paper"] == ["KTP"]
    browser.send(browser.form(), do="photos")
    assert browser.path == f"{home(one)}/files"
    browser.go(f"{home(one)}/check")
    small = browser.page.text.split('class="jb-thumb"')[1].split('src="')[1].partition('"')[0]
    preview = browser.client.get(small)
    assert preview.content[8:12] == b"WEBP"
    assert len(preview.content) < 15_000 < len(browser.client.get(small.partition("?")[0]).content)
    submit(browser, one)
    assert browser.path.endswith("/receipt")
    (record,) = folders.taken_from(desk, one.name)
    ((file, stored),) = desk.files(desk.open(record))
    assert stored is not None
    assert (file.unit, file.kind, stored.state, stored.lane) == (KTP, "page", "waiting", PAPERS)
    left = desk.store.attached.find([file.preview])[file.preview]
    assert left.lane == PREVIEWS
    assert desk.store.draft_files.kept() == []
    made = decode_change(desk.store.pending(desk.store.log().seq - 1, 1)[0].data)
    assert (made.kind, decode_body(made.body).attach) == ("create", [file]), "in one change"
    assert browser.client.get(f"{home(one)}/files/{file.blob.hex()}").status_code == 404


def test_what_may_be_unreadable_is_said_on_every_page_until_somebody_says_why(
    browser: Browser,
) -> None:
    one, faint = begun(browser, LETTER), jpeg(page(2).resize((420, 594)))
    assert "⚠ kk.jpg: Gambar terlalu kecil" in send(browser, one, faint).text
    for address in ("files", "check"):
        assert "⚠ Gambar terlalu kecil" in browser.go(f"{home(one)}/{address}").text
    (lying,) = there(one)
    browser.go(f"{home(one)}/files")
    browser.send(browser.form(f"{home(one)}/files/{lying.file.blob.hex()}/remove"))
    assert there(one) == []
    assert "⚠" in send(browser, one, faint, reason="aslinya memang kecil").text
    assert "⚠ Gambar" not in browser.go(f"{home(one)}/check").text
    submit(browser, one)
    (record,) = folders.taken_from(browser.counter.desk, one.name)
    assert browser.counter.desk.open(record).reasons[KTP] == "aslinya memang kecil"


def there(folder: Folder) -> list[Any]:
    looked = topics.look(folder)
    return drafting.lying(folder, drafting.places(looked, "id"), "id")


def test_a_family_s_paper_is_photographed_once_and_goes_with_each(browser: Browser) -> None:
    desk, before = browser.counter.desk, sealed(browser)
    family = begun(browser, LETTER, POOR)
    send(browser, family, jpeg(page(3, (1240, 1754))))
    assert len(there(family)) == 1, "shown once"
    submit(browser, family)
    files = [desk.files(desk.open(record)) for record in folders.taken_from(desk, family.name)]
    assert [[file.unit for file, _ in found] for found in files] == [[KTP], [KTP]]
    assert files[0][0][0].blob == files[1][0][0].blob
    assert len(sealed(browser) - before) == 2, "its bytes lie there once"


def test_a_form_that_is_thrown_away_takes_its_photos_along(browser: Browser) -> None:
    one, other = begun(browser, LETTER), begun(browser, LETTER)
    before, picture = sealed(browser), jpeg(page(4, (1240, 1754)))
    send(browser, one, picture)
    send(browser, other, picture)
    for folder, files in ((one, 2), (other, 0)):
        browser.go(f"{home(folder)}/drop")
        browser.send(browser.form(f"{home(folder)}/drop"))
        assert len(sealed(browser) - before) == files, "as long as another form has the same"
    assert browser.counter.desk.store.draft_files.kept() == []


def test_a_telephone_and_the_scanner_serve_a_form_too(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    monkeypatch.setattr(phone, "addresses", lambda: ["127.0.0.1"])
    one = begun(browser, LETTER)
    (Path(browser.counter.place.settings.scan_folder) / "pindai.jpg").write_bytes(PICTURE)
    door = open_door(browser, home(one))
    with httpx.Client() as telephone:
        telephone.get(door.address)
        for _ in range(2):
            assert "1 foto sampai" in send_by_phone(telephone, door).text
    browser.go(f"{home(one)}/files")
    assert browser.client.get(f"{home(one)}/tray/0").content == PICTURE
    form = browser.form(f"{home(one)}/files")
    form.put("place", KTP)
    form.put("tray", "scan-pindai.jpg", "phone-0")
    browser.send(form)
    assert [lying.place for lying in there(one)] == [KTP], "both show the same sheet"
    submit(browser, one)
    (record,) = folders.taken_from(browser.counter.desk, one.name)
    browser.go(f"/requests/{record.hex()}/files")
    assert "Foto dari HP 1" in browser.text, "what was not attached yet waits at the request"
    browser.send(browser.form(f"/requests/{record.hex()}/phone"), do="drop")
    assert browser.counter.phone is not None
    assert not browser.counter.phone.waiting


def test_a_photo_of_what_is_not_asked_any_more_stops_the_form(browser: Browser) -> None:
    one = begun(browser, "birth")
    before = one.sheets[0].wanted.answers["applicant.relation"]
    one.put({0: {"applicant.relation": "proxy"}})
    place = drafting.place_named(drafting.places(topics.look(one), "id"), "proxy.signature")
    drafting.attach(one, place, [Photo("ttd.jpg", jpeg(page(5, (1240, 1754))))])
    one.put({0: {"applicant.relation": before}})
    answer = submit(browser, one, 422)
    assert "tidak diminta lagi" in answer.text
    assert folders.taken_from(browser.counter.desk, one.name) == []
    one.drop()


@pytest.mark.parametrize("cut", ["before", "between", "after"])
def test_whatever_is_cut_off_no_sealed_file_is_left_over(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """A power cut while a photograph is kept: none of it, or all of it, and nothing beside."""
    from tests.field import laptop

    class Cut(BaseException):
        """Nobody comes after this to tidy up."""

    laptop(tmp_path / "data", Hands()).close()
    house = again(tmp_path / "data")
    one = folders.begin(house.desk, [LETTER])
    place = drafting.place_named(drafting.places(topics.look(one), "id"), KTP)
    real, done = Blobs.put, 0

    def put(self: Blobs, data: bytes) -> bytes:
        nonlocal done
        if done == ("before", "between", "after").index(cut):
            raise Cut
        done += 1
        return real(self, data)

    with monkeypatch.context() as power:
        power.setattr(Blobs, "put", put)
        power.setattr(type(house.store.draft_files), "sweep", lambda *_: None)
        try:
            drafting.attach(one, place, [Photo("kk.jpg", kept())])
        except Cut:
            assert cut != "after"
    house.close()
    house = again(tmp_path / "data")
    house.begin()
    one = folders.open_folder(house.desk, one.name)
    blobs = house.desk.blobs.folder
    sealed_now = list(blobs.iterdir()) if blobs.is_dir() else []
    assert (len(there(one)), len(sealed_now)) == ((1, 2) if cut == "after" else (0, 0))
    (check,) = (check for check in examine(house) if check.name == "files")
    assert check.ok
    one.drop()
    assert not blobs.is_dir() or not list(blobs.iterdir())
    house.close()


def test_a_photo_taken_before_arrives_at_the_office_with_its_request(tmp_path: Path) -> None:
    town = Town(tmp_path)
    van = town.laptop("sari")
    desk = van.house.desk
    asked = row(town.village, LETTER, town.village.people[0], ref="r1")
    one = folders.begin(desk, [LETTER])
    one.put({0: asked["answers"]}, {0: asked["documents"]})
    place = drafting.place_named(drafting.places(topics.look(one), "id"), KTP)
    drafting.attach(one, place, [Photo("kk.jpg", kept())])
    with pytest.raises(Problem, match=r"attachment\.twice"):
        drafting.attach(one, place, [Photo("kk.jpg", kept())])
    (taken,) = one.submit()
    van.sync()
    ((file, stored),) = desk.files(desk.open(taken.record))
    assert stored is not None
    assert stored.state == "verified"
    assert town.central.arrivals.read(file.blob) == desk.picture(
        desk.open(taken.record), file.blob.hex()
    )
    town.close()
