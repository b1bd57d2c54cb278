"""A USB day as it is typed: both programs, real files, and the office's door for carriers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli import app
from sync import bundle, wire
from tests.field import Jemput, example, rows
from tests.pusat import OCTETS, PASSWORD, VILLAGE, Pusat, pusat
from tests.vaults import CHEAP

CARD = "ktp-new-enrolment"
NO_KEY_STORE = "keyring.backends.null.Keyring"

DYING = """
import os, signal, sys
from field_client.cli import main
from field_client.transports import usb

setattr(usb, sys.argv.pop(1), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
main()
"""
"""The laptop's command line, killed at one step of writing to a stick."""


@pytest.fixture(autouse=True)
def no_key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on every machine: passphrases, and cheap ones."""
    monkeypatch.setattr("field_client.app.system_key_store", lambda: None)
    monkeypatch.setattr("field_client.vault.keys.Cost", lambda: CHEAP)
    for name in ("JEMPUT_OPERATOR", "JEMPUT_LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        opened.clock.at = int(time.time())
        yield opened


def laptop(office: Pusat, folder: Path, name: str) -> Jemput:
    """Enrolled from a file; there is no network in this test."""
    made = office.central.devices.invite(office.people["admin"], name, "van", "", [VILLAGE], "Sari")
    file = folder.with_name(f"{folder.name}.jbi")
    file.write_bytes(made.file)
    van = Jemput(folder)
    van.run("enrol", str(file), "--offline")
    return van


@pytest.fixture
def van(office: Pusat, tmp_path: Path) -> Jemput:
    return laptop(office, tmp_path / "van", "Si Jola 1")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


class Command:
    """`jemput-pusat bundle …` by the verifier."""

    def __init__(self, office: Pusat) -> None:
        self.folder = office.central.place.folder
        (self.folder / "password").write_text(PASSWORD + "\n")

    def run(self, *words: str, code: int = 0, json_: bool = True) -> Any:
        given = ["bundle", *words, "--data", str(self.folder), "--as", "rina"]
        given += ["--password-file", str(self.folder / "password"), *(["--json"] * json_)]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == code, (done.output, done.exception)
        return json.loads(done.stdout) if json_ else done.stdout + done.stderr


def take(van: Jemput, **answers: Any) -> str:
    """Queue one example; gives its tracking code."""
    row = example(CARD, **answers) | {"reasons": {"duplicate": "uji"}}
    (answer,) = van.lines("queue", "--from", "-", given=rows(row))
    return str(answer["code"])


def test_a_usb_day(office: Pusat, van: Jemput, stick: Path) -> None:
    code = take(van)
    made = van.one("usb", "export", str(stick))
    assert (made["entries"], made["left"], made["known"], len(made["words"])) == (3, 0, False, 4)
    (away,) = van.one("usb", "status")["on_the_way"]
    assert (away["bundle"], away["words"]) == (made["bundle"], made["words"])

    pusat_ = Command(office)
    (came,) = pusat_.run("import", str(stick))["volumes"]
    assert (came["device"], came["fresh"], came["words"]) == ("Si Jola 1", 3, made["words"])
    assert pusat_.run("list") == {"waiting": []}
    (again,) = pusat_.run("import", str(stick))["volumes"]
    assert (again["again"], again["fresh"]) == (True, 0)

    given = pusat_.run("return", "Si Jola 1", str(stick))
    assert given["number"] == 1
    (taken,) = van.lines("usb", "import", str(stick))
    assert (taken["state"], taken["number"], taken["enrolled"]) == ("fresh", 1, True)
    assert van.one("request", "show", code)["status"] == "received"
    assert van.one("status")["unsent"] == 0
    assert van.one("usb", "status")["on_the_way"] == []
    (late,) = van.lines("usb", "import", str(stick))
    assert late["decisions"] == 0


def test_what_people_read(office: Pusat, van: Jemput, stick: Path) -> None:
    take(van)
    out = van.run("usb", "export", str(stick)).stdout
    name = next(stick.iterdir()).name[:8]
    assert f"Paket {name}: 3 catatan, 1 jilid" in out
    assert "USB boleh dicabut." in out
    assert "SERAH TERIMA USB" in out
    words = next(line for line in out.splitlines() if line.startswith("Kata kunci: "))
    assert "✈" in van.run("usb", "status").stdout
    pusat_ = Command(office)
    said = pusat_.run("import", str(stick), json_=False)
    assert f"Paket {name} jilid 1 dari 1, Si Jola 1: 3 catatan baru" in said
    assert words.removeprefix("Kata kunci: ") in said
    assert "sudah pernah diterima; 0 catatan baru" in pusat_.run("import", str(stick), json_=False)
    assert "USB boleh dicabut" in pusat_.run("return", "Si Jola 1", str(stick), json_=False)
    assert "putusan baru" in van.run("usb", "import", str(stick)).stdout
    told = van.run("usb", "status", "--lang", "en").stdout
    assert "No bundle is on its way." in told
    assert "return read" in told


def test_refusals_are_told_and_stop_nothing_else(
    office: Pusat, van: Jemput, stick: Path, tmp_path: Path
) -> None:
    take(van)
    van.one("usb", "export", str(stick))
    good = next(stick.iterdir())
    data = bytearray(good.read_bytes())
    data[200] ^= 1
    (stick / "a-flipped.jbb").write_bytes(data)
    (stick / "b-cut.jbb").write_bytes(data[:-5])
    (stick / "c-zip.jbb").write_bytes(b"PK\x03\x04")
    found = Command(office).run("import", str(stick), code=3)
    assert [one["problem"]["code"] for one in found["refused"]] == [
        "bundle.altered", "bundle.truncated", "bundle.foreign",
    ]  # fmt: skip
    assert [one["fresh"] for one in found["volumes"]] == [3]

    van.run("usb", "import", str(good), code=3)
    told = van.lines("usb", "import", str(stick), code=3)
    assert [one["problem"]["code"] for one in told] == [
        "bundle.altered", "bundle.truncated", "bundle.foreign",
    ]  # fmt: skip
    nowhere = van.one("usb", "export", str(tmp_path / "E"), code=1)
    assert nowhere["problem"]["code"] == "usb.absent"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert van.one("usb", "import", str(empty), code=1)["problem"]["code"] == "bundle.none"


def test_only_as_much_as_there_is_room_for(
    office: Pusat, van: Jemput, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("field_client.loading.BATCH_BYTES", 600)
    for i in range(20):
        take(van, applicant__phone=f"+62812000000{i:02}")
    first = van.one("usb", "export", str(stick), "--max-mb", "0.01")
    whole = van.one("status")["unsent"]
    assert 0 < first["entries"] < whole
    assert first["left"] == whole - first["entries"]
    assert first["size"] <= 10_000
    pusat_ = Command(office)
    pusat_.run("import", str(stick))
    pusat_.run("return", "Si Jola 1", str(stick))
    van.lines("usb", "import", str(stick))
    second = van.one("usb", "export", str(stick))
    assert (second["entries"], second["left"]) == (whole - first["entries"], 0)
    pusat_.run("import", str(stick))
    assert office.central.status().server_seq == whole


def test_carried_by_others_and_delivered_through_the_door(
    office: Pusat, van: Jemput, stick: Path, tmp_path: Path
) -> None:
    take(van)
    made = van.one("usb", "export", str(stick))
    boat = laptop(office, tmp_path / "boat", "Perahu")
    (held,) = boat.lines("usb", "carry", str(stick), "--from", "Sari")
    assert (held["bundle"], held["words"]) == (made["bundle"], made["words"])
    nothing = boat.run("usb", "handover", str(tmp_path), "--bundle", "K-000000", code=1)
    assert "[bundle.unknown]" in nothing.stderr
    assert "Riwayat USB" in nothing.stderr, "where it is on the pages"
    assert "Perintah: jemput usb status" in nothing.stderr, "and what helps at a terminal"
    assert boat.one("usb", "relay", "--url", "http://127.0.0.1:9", code=5)
    on = tmp_path / "next"
    on.mkdir()
    (handed,) = boat.lines("usb", "handover", str(on), "--to", "Bu Nur")
    assert handed == held
    assert boat.one("usb", "status")["carried"] == []
    lines = boat.one("usb", "status")["custody"]
    assert [(one["act"], one["party"]) for one in lines] == [
        ("handed", "Bu Nur"),
        ("carried", "Sari"),
    ]

    (file,) = on.iterdir()
    answer = office.client.post("/v1/bundles", content=file.read_bytes(), headers=OCTETS)
    assert answer.status_code == 200, answer.text
    came = answer.json()
    assert (came["device"], came["fresh"], came["missing"]) == ("Si Jola 1", 3, [])
    back = office.client.get(f"/v1/bundles/{came['log']}/return")
    assert back.status_code == 200
    for i, volume in enumerate(wire.split_frames(back.content)):
        (on / f"back-{i}.jbb").write_bytes(volume)
    (taken,) = van.lines("usb", "import", str(on))
    assert taken["state"] == "fresh"
    trail = [entry for entry in office.trail() if entry[1].startswith("bundle.")]
    assert trail == [("relay", "bundle.import"), ("relay", "bundle.return")]


def test_the_door_for_carriers_refuses_what_is_not_for_it(
    office: Pusat, van: Jemput, stick: Path
) -> None:
    take(van)
    van.one("usb", "export", str(stick))
    (file,) = stick.iterdir()
    data = file.read_bytes()
    frames = bundle.frames_of(bundle.parse(data), office.central.keys.identity)
    stranger = [f for f in frames if bundle.purpose_of(f) != "enrol"]
    header = bundle.parse(data).header
    key = office.central.keys.identity.seal_key
    bad = {
        "bundle.foreign": b"hello", "bundle.altered": data[:-1] + b"?",
        "bundle.unknown_device": bundle.close(stranger, "work", header.name, 1, 1, key),
        "bundle.wrong_way": bundle.close([b"x"], "return", header.name, 1, 1, key),
    }  # fmt: skip
    for code, body in bad.items():
        answer = office.client.post("/v1/bundles", content=body, headers=OCTETS)
        assert answer.json()["code"] == code
    assert office.central.status().server_seq == 0
    for log, status in (("00" * 16, 401), ("xyz", 422)):
        assert office.client.get(f"/v1/bundles/{log}/return").status_code == status
    token = {"Authorization": "Bearer nobody"}
    answer = office.client.post("/v1/bundles", content=data, headers=OCTETS | token)
    assert answer.status_code == 401
    named = {"Authorization": f"Bearer {office.token('rina')}"}
    assert (
        office.client.post("/v1/bundles", content=data, headers=OCTETS | named).status_code == 200
    )
    assert ("rina", "bundle.import") in office.trail()


def test_backup_and_restore(office: Pusat, van: Jemput, stick: Path, tmp_path: Path) -> None:
    code = take(van)
    made = van.one("backup", str(stick))
    assert (made["verified"], made["counts"]["requests"]) == (True, 1)
    assert Path(made["folder"]).parent == stick
    refused = van.one("restore", made["folder"], code=1)
    assert refused["problem"]["code"] == "vault.exists"

    new = Jemput(tmp_path / "new")
    back = new.one("restore", made["folder"])
    assert (back["restored"], back["opened"], back["entries"]) == (True, True, 3)
    assert back["log"] != made["log"]
    assert new.one("request", "show", code)["code"] == code
    other = Jemput(tmp_path / "other", "salah sama sekali")
    wrong = other.one("restore", made["folder"], code=4)
    assert (wrong["problem"]["code"], wrong["restored"]) == ("pin.wrong", True)
    third = Jemput(tmp_path / "third")
    assert third.one("restore", str(tmp_path), code=1)["problem"]["code"] == "backup.absent"
    assert "Cadangan" in van.run("backup", str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("dies_at", "left"), [("write_all", "*.jbb.tmp"), ("sync_folder", "*.jbb")]
)
def test_a_laptop_killed_while_exporting_loses_nothing(
    office: Pusat, van: Jemput, stick: Path, dies_at: str, left: str
) -> None:
    """A real process, killed before the file is written, and once it bears its name but nobody was
    told; the next export brings everything."""
    take(van)
    words = [sys.executable, "-c", DYING, dies_at, "usb", "export", str(stick)]
    died = subprocess.run(
        words,
        env=os.environ | van.environment() | {"PYTHON_KEYRING_BACKEND": NO_KEY_STORE},
        capture_output=True,
        timeout=120,
    )
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, b""), died.stderr
    assert [path.match(left) for path in stick.iterdir()] == [True]
    for file in stick.glob("*.jbb"):
        bundle.parse(file.read_bytes())  # whole, or not there
    made = van.one("usb", "export", str(stick))
    assert made["entries"] == 3
    assert not list(stick.glob("*.tmp"))
    found = Command(office).run("import", str(stick))
    assert {one["upto"] for one in found["volumes"]} == {3}
    assert office.central.status().server_seq == 3
