"""`jemput-pusat`: every command, in this process, on a central with a laptop's work in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server import verify_audit
from server.cli import app
from server.voyages import Member, Plan, Stop
from sync import base45, enrolment, intake, receipt
from sync.receipt import Receipt
from tests.pusat import FREE, PASSWORD, PROTECTED, VILLAGE, Pusat, Van, pusat

RUN = CliRunner()


class Command:
    """Runs commands on one data folder as one person."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n")

    def __call__(self, *words: str, login: str = "", ok: int = 0) -> dict[str, Any]:
        """The JSON line of a command that ends with exit code `ok`."""
        given = [*words, "--json", "--data", str(self.folder)]
        if login:
            given += ["--as", login, "--password-file", str(self.password)]
        done = RUN.invoke(app, given)
        assert done.exit_code == ok, (done.output, done.exception)
        (line,) = done.stdout.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found

    def by(self, login: str) -> list[str]:
        """The options that say where, and as whom."""
        return ["--data", str(self.folder), "--as", login, "--password-file", str(self.password)]

    def words(self, *words: str, login: str = "", lang: str = "id") -> str:
        """What a person reads."""
        given = [*words, "--data", str(self.folder), "--lang", lang]
        if login:
            given += ["--as", login, "--password-file", str(self.password)]
        done = RUN.invoke(app, given)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


@pytest.fixture
def run(office) -> Command:
    return Command(office.central.place.folder)


@pytest.fixture
def van(office) -> Van:
    van = office.van("Si Jola 1")
    van.take_in(1)
    office.sync(van)
    return van


def problem(found: dict[str, Any]) -> str:
    code: str = found["problem"]["code"]
    return code


def test_init_makes_a_central_and_replaces_nothing(tmp_path):
    run = Command(tmp_path)
    made = run("init", "--port", "8999", "--city", "82.72")
    assert made["recovery_file"] == str(tmp_path / "recovery-key.json")
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "recovery-key.json").stat().st_mode & 0o077 == 0
    before = (tmp_path / "keys.json").read_bytes()
    assert problem(run("init", ok=1)) == "office.exists"
    assert (tmp_path / "keys.json").read_bytes() == before
    assert "8999" in (tmp_path / "pusat.toml").read_text()
    status = run("status")
    assert (status["people"], status["recovery_key_here"]) == (0, True)
    (tmp_path / "recovery-key.json").unlink()
    assert run("status")["recovery_key_here"] is False


def test_the_private_recovery_key_is_nowhere_but_in_its_file(tmp_path):
    RUN.invoke(app, ["init", "--data", str(tmp_path / "a"), "--recovery-file", str(tmp_path / "r")])
    secret = json.loads((tmp_path / "r").read_text())["private_key"]
    for file in (tmp_path / "a").iterdir():
        data = file.read_bytes()
        assert secret.encode() not in data
        assert bytes.fromhex(secret) not in data
    again = RUN.invoke(
        app, ["init", "--data", str(tmp_path / "b"), "--recovery-file", str(tmp_path / "r")]
    )
    assert again.exit_code == 1
    assert json.loads((tmp_path / "r").read_text())["private_key"] == secret


def test_init_that_was_cut_short_goes_on_with_its_keys(tmp_path):
    assert RUN.invoke(app, ["init", "--data", str(tmp_path)]).exit_code == 0
    keys = (tmp_path / "keys.json").read_bytes()
    for file in tmp_path.glob("central.db*"):
        file.unlink()
    assert RUN.invoke(app, ["init", "--data", str(tmp_path)]).exit_code == 0
    assert (tmp_path / "keys.json").read_bytes() == keys


def test_commands_before_init_say_what_to_do(tmp_path):
    run = Command(tmp_path)
    for words in (["status"], ["migrate"], ["person", "list"], ["serve"]):
        assert problem(run(*words, login="x" if words[0] == "person" else "", ok=1)) == (
            "office.empty"
        )


def test_the_first_person_is_an_admin_and_later_ones_need_one(tmp_path):
    run = Command(tmp_path)
    assert RUN.invoke(app, ["init", "--data", str(tmp_path)]).exit_code == 0

    def add(login, role, ok=0, by=""):
        words = ["person", "add", login, "--name", login.title(), "--role", role]
        return run(*words, "--new-password-file", str(run.password), login=by, ok=ok)

    assert problem(add("rina", "verifier", 1)) == "person.first"
    assert add("admin", "admin")["roles"] == ["admin"]
    assert problem(add("rina", "verifier", 1)) == "auth.required"
    assert add("rina", "verifier", by="admin")["login"] == "rina"
    assert problem(add("rina", "verifier", 1, "admin")) == "person.exists"
    assert problem(add("tono", "king", 1, "admin")) == "person.role"
    assert problem(add("To No", "verifier", 1, "admin")) == "person.login"
    assert problem(add("yusuf", "verifier", 1, "rina")) == "auth.forbidden"
    run.password.write_text("short\n")
    assert problem(add("yusuf", "verifier", 1)) == "person.password"
    run.password.write_text(PASSWORD)
    assert [p["login"] for p in run("person", "list", login="admin")["people"]] == ["admin", "rina"]
    assert run("person", "close", "rina", login="admin")["active"] is False
    assert problem(run("requests", "list", login="rina", ok=1)) == "person.inactive"
    again = ["person", "reopen", "rina", "--reason", "kembali bekerja"]
    opened = run(*again, "--new-password-file", str(run.password), login="admin")
    assert (opened["active"], opened["roles"]) == (True, ["verifier"])


def test_a_password_can_only_come_by_prompt_or_file(office, run):
    given = ["requests", "list", "--as", "rina", "--data", str(run.folder), "--json"]
    assert RUN.invoke(app, given).exit_code == 1
    assert problem(run("requests", "list", ok=1)) == "auth.required"


def test_a_device_is_invited_listed_and_withdrawn(office, run, tmp_path):
    file = tmp_path / "van.jbi"
    words = ["device", "invite", "Si Jola 2", "--village", VILLAGE, "--operator", "Siti Aminah"]
    made = run(*words, "--out", str(file), login="admin")
    assert (made["state"], made["villages"]) == ("invited", [VILLAGE])
    invitation = enrolment.read_invitation(file.read_bytes(), office.central.keys.identity.sign_key)
    assert invitation.device.hex() == made["id"]
    assert file.stat().st_mode & 0o077 == 0
    again = ["device", "invite", "Si Jola 3", "--out", str(file)]
    assert problem(run(*again, login="admin", ok=1)) == "file.exists"
    assert run("device", "invite", "Si Jola 2", "--renew", login="admin")["id"] == made["id"]
    why = ["--reason", "diperiksa"]
    van = office.van("Si Jola 4")
    van.take_in(1)
    office.sync(van)
    (said,) = run("device", "health", "--alarms", login="tono")["devices"]
    assert (said["name"], said["stored"], said["unsent"]) == ("Si Jola 4", 3, None)
    assert "version" in said["alarms"]
    assert "versi lain" in run.words("device", "health", login="tono")
    assert run("device", "suspend", "Si Jola 4", *why, login="tono")["state"] == "suspended"
    assert run("device", "resume", "Si Jola 4", *why, login="tono")["state"] == "active"
    lost = run("device", "lost", "Si Jola 4", *why, "--from", "2", login="tono")
    assert lost["state"] == "lost"
    assert run("device", "shred", "Si Jola 4", *why, login="admin")["state"] == "lost"
    assert run("device", "retire", "Si Jola 4", *why, login="admin")["state"] == "retired"
    devices = {d["name"]: d for d in run("device", "list", login="admin")["devices"]}
    assert set(devices) == {"Si Jola 2", "Si Jola 4"}
    assert devices["Si Jola 4"]["logs"] == [
        {"log": van.log.hex(), "stored": 3, "limit": 2, "state": "retired"}
    ]


def test_where_the_vans_go_is_listed_without_who_goes_along(office, run):
    stops = (Stop("2026-11-24", VILLAGE, "Balai desa"), Stop("2026-11-25", VILLAGE))
    plan = Plan("Jemput bola", stops, (Member("Ratna Ahmad"),))
    office.central.voyages.keep(office.people["tono"], plan)
    days = ["voyage", "list", "--from", "2026-11-25", "--to", "2026-11-30"]
    found = run(*days, login="siak")["stops"]
    assert [one["day"] for one in found] == ["2026-11-24", "2026-11-25"], "whole voyages"
    said = run.words(*days, login="siak")
    assert "Woda" in said
    assert "Ratna" not in said + str(found)
    wrong = run("voyage", "list", "--from", "besok", login="siak", ok=1)
    assert problem(wrong) == "voyage.day"


def test_requests_are_listed_shown_accepted_returned_and_advanced(office, run, van):
    (line,) = run("requests", "list", login="rina")["requests"]
    sheet = run("requests", "show", line["code"], login="rina")
    seen = ["--seen", str(sheet["seen"])]
    assert problem(run("requests", "accept", line["code"], login="rina", ok=1)) == "request.seen"
    refused = run("requests", "accept", line["code"], *seen, login="rina", ok=1)
    assert problem(refused) == "accept.reason"
    why = ["--reason", "formulir bertanda tangan di map"]
    done = run("requests", "accept", line["code"], *seen, *why, login="rina")
    assert (done["state"], done["status"]) == ("done", "verified")
    stale = run("requests", "accept", line["code"], *seen, login="rina", ok=1)
    assert problem(stale) == "request.changed"
    seen = ["--seen", str(done["seen"])]
    step = run("requests", "advance", line["code"], "enrol", *seen, login="siak")
    assert step["status"] == "waiting_centre"


def test_a_rejection_waits_for_the_second_person(office, run, van):
    (line,) = run("requests", "list", login="rina")["requests"]

    def seen():
        return ["--seen", str(run("requests", "show", line["id"], login="mata")["seen"])]

    words = ["requests", "reject", line["id"], "--reason", "NOT_ELIGIBLE", "--text", "umur 15"]
    assert run(*words, *seen(), login="rina")["state"] == "waiting"
    again = run("requests", "confirm", line["id"], *seen(), login="rina", ok=1)
    assert problem(again) == "lifecycle.same_person"
    assert run("requests", "confirm", line["id"], *seen(), login="tono")["status"] == "rejected"


def test_a_return_carries_its_reason(office, run, van):
    (line,) = run("requests", "list", login="rina")["requests"]
    sheet = run("requests", "show", line["id"], login="rina")
    words = ["requests", "return", line["id"], "--reason", "DOC_MISSING", "--text", "akta lahir"]
    run(*words, "--seen", str(sheet["seen"]), login="rina")
    history = run("requests", "show", line["id"], login="rina")["history"]
    assert history[-1]["reason"] == "DOC_MISSING: akta lahir"


def test_reasons_for_single_answers_a_question_and_a_word_to_a_supervisor(office, run, van):
    (line,) = run("requests", "list", login="rina")["requests"]

    def seen():
        return ["--seen", str(run("requests", "show", line["id"], login="rina")["seen"])]

    ask = ["requests", "ask", line["id"], "--kind", "photo", "--about", "doc.KK", "--text", "Foto?"]
    assert run(*ask, *seen(), login="rina")["state"] == "done"
    word = ["requests", "escalate", line["id"], "--text", "lihat dulu"]
    case = run(*word, *seen(), login="rina")["id"]
    assert run("cases", "show", case, login="tono")["note"] == "lihat dulu"
    answer = ["cases", "resolve", case, "--take", "noted", "--reason", "boleh"]
    run(*answer, "--seen", str(run("cases", "show", case, login="tono")["seen"]), login="tono")
    words = ["requests", "return", line["id"], "--about", "applicant.nik=NIK_NOT_FOUND:cek KTP"]
    preview = run(*words, "--preview", login="rina")
    assert "NIK tidak ditemukan: cek KTP" in preview["clerk"]
    run(*words, *seen(), login="rina")
    history = run("requests", "show", line["id"], login="rina")["history"]
    assert history[-1]["reason"] == "NIK_NOT_FOUND\n@applicant.nik NIK_NOT_FOUND: cek KTP"


def dispute(office: Pusat, van: Van) -> None:
    from models.changes import Body

    other = office.van("Kantor Desa")
    office.sync(other)
    record = van.own_work_record(3)
    office.sync(van)
    screens = {laptop: laptop.display(record) for laptop in (van, other)}
    for laptop, name in ((van, "SALMA HAMID"), (other, "SALMAH HAMID")):
        screen = screens[laptop]
        assert screen is not None
        value = dict(screen.units[PROTECTED]) | {"name": name}
        laptop.edit(record, Body(set={PROTECTED: value, FREE: "0812000000" + name[-1:]}), screen)
        office.sync(laptop)


def test_a_case_is_listed_shown_resolved_and_approved(office, run, van):
    dispute(office, van)
    (line,) = run("cases", "list", login="rina")["cases"]
    sheet = run("cases", "show", line["id"], login="rina")
    words = ["cases", "resolve", line["id"][:10], "--take", "offer", "--reason", "cocok KK"]
    assert problem(run(*words, login="rina", ok=1)) == "request.seen"
    assert run(*words, "--seen", str(sheet["seen"]), login="rina")["state"] == "waiting"
    assert run("cases", "list", login="rina")["cases"] == []
    (waiting,) = run("cases", "list", "--state", "proposed", login="tono")["cases"]
    seen = str(run("cases", "show", waiting["id"], login="tono")["seen"])
    approve = ["cases", "approve", waiting["id"], "--reason", "ya", "--seen", seen]
    assert problem(run(*approve, login="yusuf", ok=1)) == "auth.forbidden"
    assert run(*approve, login="tono")["state"] == "done"
    counted = run("report", "rebuild", login="tono")
    assert counted["done"]
    assert counted["decisions"] == counted["upto"] == run("status")["server_seq"]
    sheet = run("cases", "show", line["id"], login="tono")
    assert sheet["closing"]["take"] == "offer"
    undo = ["cases", "undo", line["id"], "--reason", "salah baca", "--seen", str(sheet["seen"])]
    again = run(*undo, login="tono")
    assert (again["state"], again["id"] != line["id"]) == ("open", True)
    seen = str(run("cases", "show", again["id"], login="rina")["seen"])
    run("cases", "resolve", again["id"], "--take", "current", "--reason", "x", "--seen", seen,
        login="rina")  # fmt: skip
    seen = str(run("cases", "show", again["id"], login="tono")["seen"])
    declined = run("cases", "decline", again["id"], "--reason", "lihat akta", "--seen", seen,
                   login="tono")  # fmt: skip
    assert declined["state"] == "open"
    assert run("cases", "show", again["id"], login="rina")["declined"]["reason"] == "lihat akta"


def test_everything_can_be_read_by_people_in_two_languages(office, run, van):
    dispute(office, van)
    (case,) = run("cases", "list", login="rina")["cases"]
    (line,) = run("requests", "list", login="rina")["requests"]
    told = run.words("cases", "show", case["id"], login="rina")
    assert "SALMA HAMID" in told
    assert "Yang dilihat" in told
    assert "On the author's screen" in run.words(
        "cases", "show", case["id"], login="rina", lang="en"
    )
    assert "Riwayat" in run.words("requests", "show", line["id"], login="rina")
    assert line["code"] in run.words("requests", "list", login="rina")
    assert "Si Jola 1" in run.words("device", "list", login="admin", lang="en")
    assert "verifikator" in run.words("person", "list", login="admin")
    assert "Perkara terbuka" in run.words("status")
    assert "Semua rantai utuh" in run.words("audit", "verify", login="mata")
    assert "request.read" in run.words("audit", "list", login="mata")


def test_a_receipt_is_verified_from_text_and_from_a_file(office, run, van, tmp_path):
    entry = van.entries[2]
    told = Receipt(van.own_work_record(3), (van.invitation.block, 1), "x", 1, 3, entry.head)
    token = receipt.issue(told, van.identity)
    assert run("receipt", "verify", base45.encode(token))["fits"] is True
    (tmp_path / "bukti").write_bytes(token)
    assert run("receipt", "verify", str(tmp_path / "bukti"))["arrived"] is True
    bent = bytearray(token)
    bent[-1] ^= 1
    assert problem(run("receipt", "verify", base45.encode(bytes(bent)), ok=3)) == "receipt.forged"
    assert problem(run("receipt", "verify", "~", ok=3)) == "receipt.malformed"


def test_the_trail_leaves_with_the_program_that_verifies_it(office, run, van, tmp_path):
    out = tmp_path / "trail.jsonl"
    told = run("audit", "export", "--out", str(out), login="mata")
    said, whole = verify_audit.check(told["file"], office.central.keys.identity.sign_key.hex())
    assert whole, said
    assert any(told["fingerprint"] in line for line in said)
    assert Path(told["verifier"]).read_bytes() == Path(verify_audit.__file__).read_bytes()


def test_audit_verify_names_the_changed_entry(office, run, van):
    assert run("audit", "verify", login="mata")["ok"] is True
    with sqlite3.connect(run.folder / "central.db") as behind:
        behind.execute("update audit set at = at + 1 where n = 4")
    found = run("audit", "verify", login="mata", ok=3)
    assert found["broken"] == [{"chain": "audit", "number": 4, "log": ""}]
    done = RUN.invoke(
        app,
        ["audit", "verify", "--data", str(run.folder), "--as", "mata"]
        + ["--password-file", str(run.password)],
    )
    assert done.exit_code == 3
    assert "nomor 4" in done.output


def test_migrate_twice_is_harmless(office, run):
    assert run("migrate")["migrated"] is True
    assert run("migrate")["migrated"] is True


def test_what_ended_central_is_set_aside_and_tried_again_when_asked(office, run, monkeypatch):
    bad = "+6281200300002"
    taken, retried = intake.take, intake.retry

    def take_(known, log, fresh, *more):
        for entry in fresh:
            if bad.encode() in entry.data and (log.id, entry.seq) not in known.poisoned:
                raise RuntimeError("a fault")
        return taken(known, log, fresh, *more)

    def retry_(known, *more):
        if known.poisoned:
            return retried(known, *more)
        raise RuntimeError("a fault")

    van = office.van("Si Jola 1")
    monkeypatch.setattr("server.ledger.take", take_)
    monkeypatch.setattr("server.ledger.retry", retry_)
    van.take_in(1, **{FREE: bad})
    van.take_in(2)
    office.sync(van)
    assert run("status")["waiting"] == 1
    why = ("--reason", "diperbaiki")
    run("device", "retry", "Si Jola 1", *why, login="rina", ok=1)
    again = run("device", "retry", "Si Jola 1", *why, login="tono")
    assert (again["tried"], again["waiting"]) == (1, 1), "the fault is still there"
    assert run("status")["waiting"] == 1
    monkeypatch.undo()
    done = run("device", "retry", "Si Jola 1", *why, login="tono")
    assert (done["tried"], done["waiting"]) == (1, 0)
    assert run("status")["requests"] == {"received": 2}
    assert run("device", "retry", "Si Jola 1", *why, login="tono")["tried"] == 0
    assert office.trail().count(("tono", "device.retry")) == 3
