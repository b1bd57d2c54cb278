"""Pictures by a telephone and from a scanner's folder: let in narrowly, attached by hand."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from field_client import phone, scans
from field_client.phone import PhoneDoor
from sync.attaching import Photo
from tests.field import Hands
from tests.pages import Browser, pages
from tests.pictures import jpeg, page
from tests.requests_pages import submitted
from tests.vaults import CHEAP, PASSPHRASE

SERVICE = "village-domicile-letter"
PICTURE = jpeg(page(1, (1240, 1754)))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("laptop")
    (folder / "scans").mkdir()
    with pages(folder / "data", Hands(), scan_folder=str(folder / "scans")) as found:
        found.unlock()
        yield found


@pytest.fixture
def record(browser: Browser) -> str:
    return submitted(browser.counter.desk, SERVICE).hex()


def open_door(browser: Browser, home: str) -> PhoneDoor:
    browser.go(f"{home}/files")
    browser.send(browser.form(f"{home}/phone"), do="open")
    door = browser.counter.phone
    assert door is not None
    return door


def send(client: httpx.Client, door: PhoneDoor, data: bytes = PICTURE) -> httpx.Response:
    return client.post(door.address, files=[("file", ("x.jpg", data))])


def attached(browser: Browser, record: str) -> int:
    desk = browser.counter.desk
    return len(desk.files(desk.open(bytes.fromhex(record))))


def test_a_telephone_sends_a_picture_of_one_request(
    browser: Browser, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "addresses", list)
    browser.go(f"/requests/{record}/files")
    assert browser.counter.phone is None, "off by default"
    browser.send(browser.form(f"/requests/{record}/phone"), 409, do="open")
    assert "Nyalakan hotspot laptop" in browser.text

    monkeypatch.setattr(phone, "addresses", lambda: ["127.0.0.1"])
    door = open_door(browser, f"/requests/{record}")
    assert browser.page.text.count("<svg") == 1
    assert door.address in browser.text
    with httpx.Client() as first, httpx.Client() as second:
        for wrong in ("/", "/guessed", f"/{door.code}/requests", "/requests"):
            assert first.get(f"http://{door.host}{wrong}").status_code == 404
        assert first.get(door.address, headers={"Host": "jemput.example"}).status_code == 404
        shown = first.get(door.address)
        assert shown.status_code == 200
        page_of = browser.counter.desk.open(bytes.fromhex(record))
        for told in (page_of.code, page_of.line.name, "sari", "<script"):
            assert told not in shown.text, "it shows nothing of anybody"
        assert second.get(door.address).status_code == 403, "the first telephone keeps it"
        assert send(second, door).status_code == 403
        assert "1 foto sampai di laptop" in send(first, door).text
        assert "foto dulu" in first.post(door.address, data={"x": "y"}).text
        assert first.post(door.address, content=b"").status_code == 413
        monkeypatch.setattr(phone, "WAITING_BYTES_MAX", 3 * len(PICTURE))
        assert "1 foto" in send(first, door).text
        assert "1 foto" in send(first, door).text
        assert "Laptop belum bisa menerima lagi" in send(first, door).text

    browser.go(f"/requests/{record}/files")
    assert "1 HP tersambung." in browser.text
    assert attached(browser, record) == 0, "nothing is attached before somebody looked at it"
    assert browser.client.get(f"/requests/{record}/tray/0").content == PICTURE
    assert browser.client.get(f"/requests/{record}/tray/99").status_code == 404
    form = browser.form(f"/requests/{record}/files")
    form.put("place", "KK")
    form.put("tray", "phone-0")
    browser.send(form)
    assert attached(browser, record) == 1

    browser.counter.lock()
    assert not door.is_open
    with pytest.raises(httpx.TransportError):
        httpx.get(door.address)
    browser.unlock()
    other = submitted(browser.counter.desk, SERVICE).hex()
    browser.go(f"/requests/{other}/files")
    assert "Foto dari HP" not in browser.text, "they wait at their own request"
    browser.send(browser.form(f"/requests/{other}/phone"), 409, do="open")
    assert "Lampirkan atau buang dulu" in browser.text
    browser.go(f"/requests/{record}/files")
    assert "Foto dari HP" in browser.text
    browser.send(browser.form(f"/requests/{record}/phone"), do="drop")
    assert "Foto dari HP" not in browser.text


def test_a_door_for_a_telephone_shuts_by_itself() -> None:
    door = PhoneDoor("127.0.0.1", b"r" * 16, seconds=0.0)
    door._timer.join(60)
    door._thread.join(60)
    assert not door.is_open
    with pytest.raises(httpx.TransportError):
        httpx.get(door.address)


def test_a_length_of_another_sign_is_no_number() -> None:
    door = PhoneDoor("127.0.0.1", b"r" * 16)
    head = f"POST /{door.code} HTTP/1.0\r\nHost: {door.host}\r\nContent-Length: ²\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(door.host.partition(":")[2])), 60) as line:
        line.sendall(head.encode("latin-1"))
        answer = line.makefile("rb").read()
    door.close()
    assert b" 413 " in answer.splitlines()[0]


@pytest.mark.parametrize("shut", ["curtain", "minutes"])
def test_a_picture_that_ends_after_the_door_was_shut_is_not_taken(shut: str) -> None:
    door = PhoneDoor("127.0.0.1", b"r" * 16)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n'
    body = head + PICTURE + b"\r\n--x--\r\n"
    with socket.create_connection(("127.0.0.1", int(door.host.partition(":")[2])), 60) as line:
        line.sendall(
            f"POST /{door.code} HTTP/1.0\r\nHost: {door.host}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body[:-1]
        )
        until = time.monotonic() + 60
        while not door.guest and time.monotonic() < until:
            time.sleep(0.001)
        assert door.guest, "it was let in while the door was open"
        if shut == "curtain":
            door.close()
        else:
            door.ends = time.monotonic()
        line.sendall(body[-1:])
        answer = line.makefile("rb").read()
    door.close()
    assert door.waiting == []
    assert b" 404 " in answer.splitlines()[0]
    assert not door.keep([Photo("hp-1", PICTURE)])


def test_a_colleague_who_takes_over_shuts_the_door_for_the_telephone(
    browser: Browser, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "addresses", lambda: ["127.0.0.1"])
    counter, house = browser.counter, browser.counter.house
    assert house is not None
    house.keys.add(house.unlocked.database_key, "jul", PASSPHRASE, CHEAP)
    door = open_door(browser, f"/requests/{record}")
    with browser.client.portal() as portal:
        portal.call(counter.run, lambda: counter.unlock("jul", PASSPHRASE))
        assert counter.phone is None
        assert not door.is_open
        portal.call(counter.run, lambda: counter.unlock("sari", PASSPHRASE))


@pytest.mark.parametrize(
    ("address", "good"),
    [("192.168.137.1", True), ("10.42.0.1", True), ("127.0.0.1", False), ("0.0.0.0", False),
     ("8.8.8.8", False), ("laptop", False)],
)  # fmt: skip
def test_only_an_address_of_a_network_beside_it_is_bound(address: str, good: bool) -> None:
    assert phone.is_private(address) == good


def test_what_a_scanner_saved_is_offered_and_removed_once_attached(
    browser: Browser, record: str, tmp_path: Path
) -> None:
    folder = Path(browser.counter.place.settings.scan_folder)
    (folder / "kk.jpg").write_bytes(PICTURE)
    (folder / "notes.txt").write_text("not a paper")
    (tmp_path / "secret.jpg").write_bytes(PICTURE)
    (folder / "linked.jpg").symlink_to(tmp_path / "secret.jpg")
    mark = browser.client.get(f"/requests/{record}/tray").text.split("was=")[1][:12]
    assert browser.client.get(f"/requests/{record}/tray?was={mark}").status_code == 204
    browser.go(f"/requests/{record}/files")
    form = browser.form(f"/requests/{record}/files")
    assert form.boxes["tray"] == ["scan-kk.jpg"]
    form.put("place", "KK")
    browser.send(form, 422, tray="scan-../secret.jpg")
    assert attached(browser, record) == 0
    browser.go(f"/requests/{record}/files")
    form.put("tray", "scan-kk.jpg")
    browser.send(form)
    assert attached(browser, record) == 1
    assert not (folder / "kk.jpg").exists()
    (folder / "kk.jpg").write_bytes(b"the next citizen's")
    scans.remove(str(folder), [Photo("kk.jpg", PICTURE)])
    assert (folder / "kk.jpg").read_bytes() == b"the next citizen's"
    assert (folder / "notes.txt").exists()
