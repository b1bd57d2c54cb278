"""`jemput` as a person or a script uses it: words, JSON, exit codes, masks, and bad input."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from field_client.app import keys_of, open_house
from field_client.settings import load
from models.ids import Code
from sync import base45
from tests.field import RECOVERY, Jemput, example, invitation, keys, rows
from tests.vaults import CHEAP, PASSPHRASE

CARD = "ktp-new-enrolment"
NIK = "8272033003090005"
SOON = int(time.time()) + 86400
DAY = 86400


@pytest.fixture(autouse=True)
def no_key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on every machine: passphrases, and cheap ones."""
    monkeypatch.setattr("field_client.app.system_key_store", lambda: None)
    monkeypatch.setattr("field_client.vault.keys.Cost", lambda: CHEAP)
    for name in ("JEMPUT_OPERATOR", "JEMPUT_LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def van(tmp_path: Path) -> Jemput:
    """An enrolled laptop."""
    made = Jemput(tmp_path / "van")
    file = tmp_path / "van.jbi"
    file.write_bytes(invitation(expires=SOON))
    made.run("enrol", str(file), "--offline")
    return made


def queued(van: Jemput, *found: dict[str, Any], code: int = 0) -> list[Any]:
    return van.lines("queue", "--from", "-", given=rows(*found), code=code)


def take(van: Jemput, service: str = CARD, **answers: Any) -> str:
    """Queue one example; gives its tracking code."""
    (answer,) = queued(van, example(service, **answers) | {"reasons": {"duplicate": "uji"}})
    return str(answer["code"])


# -- enrol


def test_an_invitation_is_enough_to_start_without_a_network(tmp_path):
    van = Jemput(tmp_path / "van")
    file = tmp_path / "van.jbi"
    file.write_bytes(invitation(expires=SOON))
    told = van.one("enrol", str(file))
    assert told["known"] is False
    assert told["why_not"] == "sync.unreachable"
    assert told["operator"] == "sari"
    assert van.one("status")["unsent"] == 0
    take(van)
    assert van.one("status")["requests"] == {"submitted": 1}


def test_an_invitation_may_come_as_text(tmp_path):
    import base64

    text = base64.encodebytes(invitation(expires=SOON)).decode()
    file = tmp_path / "van.txt"
    file.write_text(f"--- undangan ---\n{text}", encoding="utf-8")
    Jemput(tmp_path / "van").run("enrol", str(file), "--offline")


def test_enrolling_twice_overwrites_nothing(van, tmp_path):
    code = take(van)
    told = van.one("enrol", str(tmp_path / "van.jbi"), "--offline", code=1)
    assert told["problem"]["code"] == "vault.exists"
    assert van.one("request", "show", code)["code"] == code


def test_an_enrolment_that_was_cut_short_is_finished(tmp_path):
    van = Jemput(tmp_path / "van")
    unlocked = keys(van.folder).create("sari", PASSPHRASE, CHEAP)
    assert unlocked.name == "sari"
    file = tmp_path / "van.jbi"
    file.write_bytes(invitation(expires=SOON))
    van.run("enrol", str(file), "--offline")
    take(van)
    assert keys(van.folder).has_escrow


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "invitation.malformed"),
        (b"hello", "invitation.malformed"),
        (invitation(expires=SOON)[:-1] + b"?", "invitation.malformed"),
        (invitation(expires=5), "invitation.expired"),
    ],
)
def test_a_bad_invitation_makes_nothing(tmp_path, content, problem):
    van = Jemput(tmp_path / "van")
    file = tmp_path / "van.jbi"
    file.write_bytes(content)
    assert van.one("enrol", str(file), code=1)["problem"]["code"] == problem
    assert not van.folder.exists()


def test_an_invitation_that_central_refuses_leaves_nothing_behind(tmp_path, monkeypatch):
    from field_client.courier import Courier
    from models.problems import Problem

    def no(self: Courier) -> None:
        raise Problem("invitation.used")

    monkeypatch.setattr(Courier, "enrol", no)
    van = Jemput(tmp_path / "van")
    file = tmp_path / "van.jbi"
    file.write_bytes(invitation(expires=SOON))
    assert van.one("enrol", str(file), code=1)["problem"]["code"] == "invitation.used"
    assert not van.folder.exists()


def test_a_weak_pin_is_refused_and_can_be_tried_again(tmp_path):
    van = Jemput(tmp_path / "van", pin="123456")
    file = tmp_path / "van.jbi"
    file.write_bytes(invitation(expires=SOON))
    told = van.one("enrol", str(file), "--offline", code=4)
    assert told["problem"]["code"] == "pin.passphrase_needed"
    van.pin_file.write_text(PASSPHRASE, encoding="utf-8")
    van.run("enrol", str(file), "--offline")


# -- PINs


def test_a_wrong_pin_ends_with_code_4_and_says_so(van):
    van.pin_file.write_text("salah sekali\n", encoding="utf-8")
    result = van.run("status", code=4)
    assert "PIN belum cocok" in result.stderr
    assert result.stdout == ""


def test_without_a_pin_and_without_a_person_the_pin_is_asked_for_by_name(van, monkeypatch):
    monkeypatch.setattr(Jemput, "environment", lambda self: {"JEMPUT_DATA": str(self.folder)})
    assert van.one("status", code=4)["problem"]["code"] == "pin.missing"


def test_operators_come_change_their_pin_and_go(van, tmp_path):
    new = tmp_path / "umar.pin"
    new.write_text("kora kora berlayar\n", encoding="utf-8")
    van.run("operator", "add", "umar", "--new-pin-file", str(new))
    assert van.one("operator", "list") == {"operators": ["sari", "umar"]}
    assert van.one("status", code=4)["problem"]["code"] == "operator.which"
    umar = ("--operator", "umar", "--pin-file", str(new))
    assert van.one("status", *umar)["operator"] == "umar"
    newer = tmp_path / "newer.pin"
    newer.write_text("sagu pala cengkih\n", encoding="utf-8")
    van.run("operator", "pin", "--new-pin-file", str(newer), *umar)
    assert van.one("status", *umar, code=4)["problem"]["code"] == "pin.wrong"
    van.run("operator", "remove", "umar", "--operator", "sari")
    assert van.one("operator", "list") == {"operators": ["sari"]}
    assert van.one("operator", "remove", "sari", code=1)["problem"]["code"] == "operator.last"
    unknown = van.one("status", "--operator", "budi", code=4)
    assert unknown["problem"]["code"] == "operator.unknown"


# -- one request


def test_new_prints_a_code_and_the_request_can_be_read_back(van):
    row = example(CARD)
    typed = [("--set", f"{s}.{k}={v}") for s, one in row["answers"].items() for k, v in one.items()]
    words = [word for pair in typed for word in pair]
    made = van.one("request", "new", CARD, *words, "--document", "KK")
    assert made["outcome"] == "queued"
    shown = van.one("request", "show", made["code"], "--reveal")
    assert shown["answers"]["applicant.nik"] == NIK
    assert shown["documents"] == ["KK"]
    assert shown["stage"] == "Antre kirim"


def test_what_is_missing_is_listed_and_nothing_is_stored(van):
    result = van.run("request", "new", CARD, "--set", "applicant.nik=12A", "--lang", "en", code=1)
    assert "applicant.nik: A NIK holds digits only" in result.stderr
    assert "applicant.name" in result.stderr
    assert van.one("status")["entries"] == 0


def test_a_draft_is_kept_and_finished_later(van, tmp_path):
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(example(CARD, applicant__name=None)["answers"]), encoding="utf-8")
    kept = van.one("request", "new", CARD, "--answers", str(file), "--document", "KK", "--draft")
    (listed,) = van.lines("request", "list", "--drafts")
    assert listed["draft"] == kept["draft"]
    van.one("request", "new", "--resume", kept["draft"], code=1)
    name = ("--set", "applicant.name=Bahar Soleman")
    made = van.one("request", "new", "--resume", kept["draft"], *name)
    assert made["code"]
    assert van.lines("request", "list", "--drafts") == []


def test_edit_says_which_units_changed(van):
    code = take(van)
    edited = van.one("request", "edit", code, "--set", "address.rt=4", "--clear", "applicant.phone")
    assert edited["units"] == ["address.address", "applicant.phone"]
    shown = van.one("request", "show", code, "--reveal")
    assert shown["answers"]["address.rt"] == "004"
    assert "applicant.phone" not in shown["answers"]
    papers = ("--add-document", "KTP", "--remove-document", "KK")
    van.one("request", "edit", code, *papers, code=1)  # the family card is asked for
    why = ("--reason", "doc.KK=KK hilang terbakar")
    assert van.one("request", "edit", code, *papers, *why)["units"] == ["documents"]
    assert van.one("request", "show", code)["reasons"] == {"doc.KK": "KK hilang terbakar"}
    nothing = van.one("request", "edit", code, "--set", "address.rt=004", code=1)
    assert nothing["problem"]["code"] == "request.nothing_changed"


def test_edit_refuses_what_is_wrong_by_field(van):
    code = take(van)
    told = van.one("request", "edit", code, "--set", "applicant.nik=82x", code=1)
    assert [p["key"] for p in told["problem"]["problems"]] == ["applicant.nik"]
    based = van.one("request", "edit", code, "--set", "address.rt=4", "--based-on", "x", code=1)
    assert based["problem"]["code"] == "id.malformed"


def test_withdraw_needs_a_reason(van):
    code = take(van)
    van.run("request", "withdraw", code, code=2)
    assert van.one("request", "withdraw", code, "--why", " ", code=1)
    van.run("request", "withdraw", code, "--why", "Sudah diurus di Tidore")
    assert van.one("request", "show", code)["status"] == "cancelled"


def test_lists_are_by_status_service_name_and_number(van):
    card, birth = take(van), take(van, "birth")
    assert [one["code"] for one in van.lines("request", "list")] == [birth, card]
    assert [one["code"] for one in van.lines("request", "list", "--service", "birth")] == [birth]
    assert [one["code"] for one in van.lines("request", "list", "--search", "bahar")] == [card]
    assert [one["code"] for one in van.lines("request", "list", "--nik", NIK)] == [card]
    assert [one["code"] for one in van.lines("request", "list", "--before", birth)] == [card]
    assert van.lines("request", "list", "--status", "verified") == []


def test_a_mistyped_code_is_told_from_one_that_is_not_here(van):
    code = take(van)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert van.one("request", "show", wrong, code=1)["problem"]["code"] == "code.mistyped"
    assert van.one("request", "show", "zzz", code=1)["problem"]["code"] == "code.length"


# -- personal data


def test_names_and_numbers_are_masked_unless_revealed_and_each_reveal_is_noted(van):
    code = take(van)
    spoken = "".join(
        van.run(*words, *json_).stdout
        for words in (
            ("request", "show", code), ("request", "list"), ("receipt", "show", code, "--no-qr"),
            ("status",), ("notices",), ("doctor",),
        )
        for json_ in ((), ("--json",))
    )  # fmt: skip
    for secret in (NIK, "Soleman", "8272032009110004", "+6281240003344", "2009-03-30"):
        assert secret not in spoken, secret
    assert NIK in van.run("request", "show", code, "--reveal").stdout
    van.run("request", "list", "--reveal")
    with open_house(load(van.folder, {}), "sari", PASSPHRASE, keys=keys_of(van.folder)) as house:
        noted = [(one.action, one.operator) for one in house.store.reveals.newest()]
    assert noted == [("request list", "sari"), ("request show", "sari")]


# -- receipts


def test_a_receipt_verifies_and_one_changed_sign_breaks_it(van):
    code = take(van)
    slip = van.one("receipt", "show", code)
    assert slip["code"] == code
    told = van.one("receipt", "verify", slip["token"])
    assert (told["code"], told["own"]) == (code, True)
    assert van.one("receipt", "verify", "-", given=slip["token"])["code"] == code
    token = slip["token"]
    for place in range(0, len(token), 29):
        other = "0" if token[place] != "0" else "1"
        broken = token[:place] + other + token[place + 1 :]
        told = van.one("receipt", "verify", broken, code=3)
        assert told["problem"]["code"].startswith("receipt.")


def test_a_receipt_of_another_laptop_verifies_with_the_office_key_list_alone(van, tmp_path):
    from sync.identity import Identity
    from sync.keylist import Key, KeyList, issue
    from tests.field import CENTRAL

    code = take(van)
    token = van.one("receipt", "show", code)["token"]
    with open_house(load(van.folder, {}), "sari", PASSPHRASE, keys=keys_of(van.folder)) as house:
        key = house.store.log().identity.sign_key
    other = Jemput(tmp_path / "desa")
    file = tmp_path / "keys.jbk"
    file.write_bytes(issue(KeyList(SOON, [Key(key)]), CENTRAL))
    with_keys = ("--keys", str(file), "--office-key", CENTRAL.sign_key.hex())
    assert other.one("receipt", "verify", token, *with_keys)["code"] == code
    file.write_bytes(issue(KeyList(SOON, [Key(key)]), Identity(b"x" * 32, b"y" * 32)))
    other.one("receipt", "verify", token, *with_keys, code=1)
    file.write_bytes(issue(KeyList(SOON, [Key(key, 1)]), CENTRAL))
    lost = other.one("receipt", "verify", token, *with_keys, code=3)
    assert lost["problem"]["code"] == "receipt.ask_office"


def test_the_office_key_list_is_fetched_once_it_is_shown_to_be_genuine(van, monkeypatch):
    from field_client.transports.http import HttpRoad
    from sync.identity import Identity
    from sync.keylist import Key, KeyList, issue
    from sync.receipt import Receipt
    from sync.receipt import issue as receipt
    from tests.field import CENTRAL

    other = Identity(b"o" * 32, b"p" * 32)
    token = base45.encode(receipt(Receipt(b"r" * 16, (9, 5), "birth", 1, 3, b"h" * 8), other))
    assert van.one("receipt", "verify", token, code=3)["problem"]["code"] == "receipt.unknown_key"
    given = [issue(KeyList(SOON, [Key(other.sign_key)]), other)]
    monkeypatch.setattr(HttpRoad, "get", lambda self, path: given[-1])
    van.one("receipt", "keys", code=1)
    given.append(issue(KeyList(SOON, [Key(other.sign_key)]), CENTRAL))
    assert van.one("receipt", "keys") == {"keys": 1}
    told = van.one("receipt", "verify", token)
    assert (told["code"], told["own"]) == (str(Code(9, 5)), False)


def test_the_qr_code_is_drawn_for_people(van):
    code = take(van)
    assert "█" in van.run("receipt", "show", code).stdout
    assert "█" not in van.run("receipt", "show", code, "--no-qr").stdout


# -- queue


def test_a_refused_row_ends_with_code_3_and_the_others_stand(van):
    good, bad = queued(van, example(CARD) | {"ref": "a"}, {"service": "x", "ref": "b"}, code=3)
    assert (good["outcome"], bad["outcome"]) == ("queued", "refused")
    assert bad["problems"][0]["code"] == "service.unknown"
    assert set(good) == set(bad) == {"line", "ref", "id", "code", "outcome", "problems"}


def test_a_file_that_is_not_there_is_named(van):
    told = van.one("queue", "--from", str(van.folder / "none.jsonl"), code=1)
    assert told["problem"]["code"] == "file.unreadable"
    assert "none.jsonl" in told["problem"]["detail"]


# -- a PIN that nobody remembers


def test_the_office_lets_somebody_in_where_every_pin_is_forgotten(van, tmp_path):
    take(van)
    draft = van.one("request", "new", CARD, "--draft")
    forgotten, entries = van.one("operator", "list"), van.one("status")["unsent"]
    new, office = tmp_path / "new.pin", tmp_path / "recovery-key.json"
    new.write_text("kora kora laut\n", encoding="utf-8")
    office.write_text(json.dumps({"note": "-", "private_key": b"x".hex() * 32}), encoding="utf-8")
    recover = ("operator", "recover", "sari", "--recovery-file", str(office),
               "--new-pin-file", str(new), "--reason")  # fmt: skip
    assert van.one(*recover, "lupa", code=1)["problem"]["code"] == "escrow.wrong_key"
    key = RECOVERY.private_bytes_raw().hex()
    office.write_text(json.dumps({"note": "-", "private_key": key}), encoding="utf-8")
    assert van.one(*recover, " ", code=1)["problem"]["code"] == "reason.required"
    van.run("status")  # what was refused changed nothing
    van.run(*recover, "lupa; Rina dan Tono hadir")
    van.run("status", code=4)
    van.pin_file.write_text("kora kora laut\n", encoding="utf-8")
    assert van.one("operator", "list") == forgotten
    assert van.one("status")["unsent"] > entries, "who went and who came is in the log"
    assert [one["draft"] for one in van.lines("request", "list", "--drafts")] == [draft["draft"]]
    place = load(van.folder)
    with open_house(place, "sari", "kora kora laut", None, keys(van.folder)) as house:
        (noted,) = house.store.reveals.newest()
        assert noted.action == "recovered by the office: lupa; Rina dan Tono hadir"


# -- rosters

HEADINGS = "NIK,NO_KK,NAMA_LGKP,JENIS_KELAMIN,TGL_LHR,STAT_KWN,SHDK,ALAMAT,NO_RT,NO_RW,KTPEL"
FAMILY = "8272032009110004"
SHEET = f"""{HEADINGS}
{NIK},{FAMILY},BAHAR SOLEMAN,LAKI-LAKI,30-03-2009,BELUM KAWIN,ANAK,TENGAH,2,1,BELUM REKAM
8272034503900021,{FAMILY},SALMA KADER,PEREMPUAN,05-03-1990,KAWIN,ISTRI,TENGAH,2,1,BELUM REKAM
8272030101800001,{FAMILY},,LAKI-LAKI,01-01-1980,KAWIN,KEPALA KELUARGA,TENGAH,2,1,CARD SHIPPED
"""
TERMS = ("--village", "82.72.03.2001", "--source", "Kantor desa", "--date", "2026-11-01",
         "--basis", "PKS Dukcapil dan desa 2026", "--expires", "2027-01-31")  # fmt: skip


def test_a_roster_is_imported_searched_and_told_whom_to_look_for(van, tmp_path):
    file = tmp_path / "daftar.csv"
    file.write_text(SHEET, encoding="utf-8")
    told = van.one("roster", "import", str(file), *TERMS, code=3)
    assert (told["read"], told["taken"], len(told["refused"])) == (3, 2, 1)
    assert told["changed"] is True
    assert van.one("roster", "import", str(file), *TERMS, code=3)["changed"] is False
    (found,) = van.lines("roster", "search", "salma", "--reveal")
    assert found["nik"] == "8272034503900021"
    assert [one["name"] for one in van.lines("roster", "search", NIK)] == ["BAHAR S."]
    (target,) = van.lines("roster", "targets", "--names", "--reveal")
    assert target["not_enrolled"] == len(target["people"]) == 2
    made = van.one("request", "new", CARD, "--nik", NIK, "--document", "KK")
    shown = van.one("request", "show", made["code"], "--reveal")
    assert shown["answers"]["applicant.name"] == "BAHAR SOLEMAN"
    (kept,) = van.lines("roster", "list")
    van.run("roster", "remove", str(kept["number"]))
    assert van.lines("roster", "search", "salma") == []
    assert van.one("roster", "remove", "99", code=1)["problem"]["code"] == "roster.unknown"


def test_a_broken_sheet_and_bad_terms_change_nothing(van, tmp_path):
    broken = tmp_path / "daftar.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    told = van.one("roster", "import", str(broken), *TERMS, code=1)
    assert told["problem"]["code"].startswith("roster.")
    file = tmp_path / "daftar.csv"
    file.write_text(SHEET, encoding="utf-8")
    for option, value in (("--village", "82.72.99.0000"), ("--expires", "2040-01-01")):
        told = van.one("roster", "import", str(file), *TERMS, option, value, code=1)
        assert told["problem"]["code"].startswith(("roster.", "region."))
    van.run("roster", "import", str(file), *TERMS, "--date", "kemarin", code=2)
    assert van.lines("roster", "list") == []


# -- the rest


def test_status_doctor_and_notices_speak_both_languages(van):
    take(van)
    assert "antre" in van.run("status").stdout
    assert "to send" in van.run("status", "--lang", "en").stdout
    checks = van.lines("doctor")
    assert {one["check"] for one in checks} >= {"database", "log", "escrow", "disk", "clock"}
    assert all(one["ok"] for one in checks)
    assert "Tidak ada pemberitahuan" in van.run("notices").stdout


def test_options_may_stand_before_or_after_the_command(van):
    before = van.run("--json", "--lang", "en", "status").stdout
    assert json.loads(before)["operator"] == "sari"


def test_wrong_usage_ends_with_code_2(van):
    van.run("request", "list", "--limit", "0", code=2)
    van.run("request", "new", CARD, "--set", "nothing", code=2)
    van.run("no-such-command", code=2)


def test_a_wrong_setting_is_named(van):
    file = van.folder / "jemput.toml"
    file.write_text("tries = 0\n", encoding="utf-8")
    assert "tries" in van.run("status", code=1).stderr
    file.write_text("trys = 3\n", encoding="utf-8")
    assert "trys" in van.run("status", code=1).stderr
    file.write_text("tries = 1\nlang = 'en'\n", encoding="utf-8")
    assert "to send" in van.run("status").stdout or "nothing" in van.run("status").stdout


def test_without_a_road_sync_ends_with_code_5_and_everything_is_safe(van):
    take(van)
    (van.folder / "jemput.toml").write_text("tries = 1\n", encoding="utf-8")
    told = van.one("sync", code=5)
    assert told["problem"]["code"] == "sync.unreachable"
    assert told["sync"]["pushed"] == 0
    assert van.one("status")["unsent"] == 3


def test_a_damaged_database_is_not_opened_and_nothing_is_made_worse(van):
    take(van)
    file = van.folder / "vault.db"
    damaged = bytearray(file.read_bytes())
    damaged[100:200] = b"\0" * 100
    file.write_bytes(damaged)
    for side in ("vault.db-wal", "vault.db-shm"):
        (van.folder / side).unlink(missing_ok=True)
    assert van.one("status", code=1)["problem"]["code"] == "vault.corrupt"
    assert file.read_bytes() == bytes(damaged)


def test_a_folder_that_was_never_enrolled_is_said(tmp_path):
    nobody = Jemput(tmp_path / "nobody")
    assert nobody.one("status", code=1)["problem"]["code"] == "vault.absent"
    assert not (tmp_path / "nobody").exists()


def test_an_unforeseen_error_shows_its_place_and_no_data(van, monkeypatch):
    def fail(*_: Any) -> None:
        raise RuntimeError("Bahar Soleman 8272033003090005")

    monkeypatch.setattr("field_client.desk.Desk.named", fail)
    result = van.run("request", "show", "x", "--json", code=1)
    assert "internal" in result.stdout
    assert "RuntimeError" in result.stdout
    assert "Bahar" not in result.stdout + result.stderr
