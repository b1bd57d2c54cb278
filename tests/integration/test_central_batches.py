"""Batches for SIAK: frozen, exported so that nothing is a formula, marked, closed by two people; on
SQLite and on PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from models.changes import Body
from models.problems import Problem
from server.cli import app
from server.spreadsheets import csv_file, safe
from tests.pusat import ON_PAPER, PASSWORD, PROTECTED, Pusat, Van, pusat


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    """One office for all of them: each test has requests of its own."""
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        yield opened


def seen(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def verified(office: Pusat, van: Van, n: int, first: int = 1, **identity: Any) -> list[str]:
    """Ids of n verified requests of different people."""
    found = []
    for number in range(first, first + n):
        nik = f"82720330030{van.number:02}{number:03}"
        who = {"name": f"WARGA {van.number} {number}", "nik": nik} | identity
        record = van.take_in(number, **{PROTECTED: who}).hex()
        office.sync(van)
        office.central.casework.accept(office.people["rina"], record, seen(office), ON_PAPER)
        found.append(record)
    return found


def statuses(office: Pusat, records: list[str]) -> list[str]:
    return [office.get("rina", f"/v1/requests/{name}").json()["status"] for name in records]


def problem(answer: Any) -> str:
    return answer.json().get("code", answer.text)


def test_a_batch_is_frozen_typed_and_closed_by_two_and_what_failed_is_queued_again(office):
    van = office.van("Si Jola 1")
    names = verified(office, van, 3)

    def ready() -> list[str]:
        lines = office.get("siak", "/v1/batches/eligible", limit=200).json()["requests"]
        return [line["id"] for line in lines if line["id"] in names]

    assert ready() == names
    batch = office.post("siak", "/v1/batches", {"requests": names}).json()
    number = batch["batch"]["number"]
    assert statuses(office, names) == ["in_batch"] * 3
    assert ready() == []
    path = f"/v1/batches/{number}"
    for row, facts in ((1, {"reference": "SIAK-1"}), (2, {"failed": "NIK tidak ditemukan"})):
        assert office.post("siak", f"{path}/rows", {"row": row, **facts}).status_code == 200
    assert problem(office.post("siak", f"{path}/propose", {})) == "batch.unfinished"
    office.post("siak", f"{path}/rows", {"row": 3, "reference": "SIAK-3"})
    assert problem(office.post("tono", f"{path}/close", {})) == "batch.state"
    assert office.post("siak", f"{path}/propose", {}).status_code == 200
    assert problem(office.post("siak", f"{path}/rows", {"row": 1, "failed": "x"})) == "batch.state"
    assert problem(office.post("siak", f"{path}/close", {})) == "lifecycle.same_person"
    assert problem(office.post("rina", f"{path}/close", {})) == "auth.forbidden"
    back = office.post("tono", f"{path}/close", {"agree": False})
    assert back.json()["batch"]["state"] == "frozen"
    office.post("siak", f"{path}/propose", {})
    closed = office.post("tono", f"{path}/close", {})
    assert closed.json()["batch"]["rows"] == {"entered": 2, "failed": 1}
    assert statuses(office, names) == ["in_siak", "verified", "in_siak"]
    assert ready() == [names[1]], "into the next batch"
    history = office.get("rina", f"/v1/requests/{names[0]}").json()["history"]
    assert "Salma (siak) + Tono (tono)" in str(history)
    assert {"batch.freeze", "batch.row", "batch.close"} <= {act for _, act in office.trail()}


def test_what_changed_since_it_was_frozen_is_not_entered(office):
    van = office.van("Si Jola 2")
    names = verified(office, van, 2)
    batch = office.central.batches.freeze(office.people["siak"], names)
    number, rina = batch.batch.number, office.people["rina"]
    office.central.verification.escalate(rina, names[1], "nama di KK lain?", seen(office))
    record = bytes.fromhex(names[0])
    office.sync(van)
    van.edit(record, Body(set={PROTECTED: {"name": "NAMA LAIN", "nik": "8272033003099999"}}))
    office.sync(van)
    sheet = office.central.batches.show(office.people["siak"], number)
    assert [row.changed for row in sheet.rows] == [["data"], ["case"]], "what it is"
    assert sheet.rows[0].frozen.name == f"WARGA {van.number} 1", "as it was verified"
    with pytest.raises(Problem) as refused:
        office.central.batches.entered(office.people["siak"], number, 1, "SIAK-9")
    assert refused.value.code == "batch.row_changed"
    assert "datanya berubah" in refused.value.words()
    for row in (1, 2):
        office.central.batches.failed(office.people["siak"], number, row, "berubah")
    office.central.batches.propose(office.people["siak"], number)
    office.central.batches.close(office.people["tono"], number)
    assert statuses(office, names) == ["verified"] * 2


def test_a_number_that_nothing_has_is_told_however_large_it_is(office):
    office.people["kurir"] = office.central.staff.add(
        office.people["admin"], "kurir", "Kurir", ["courier"], PASSWORD
    )
    for number in (4711, 1 << 63, 10**60):
        assert problem(office.get("siak", f"/v1/batches/{number}")) == "batch.unknown"
        assert problem(office.get("kurir", f"/v1/manifests/{number}")) == "manifest.unknown"
        for login, path in (("siak", "/v1/batches"), ("kurir", "/v1/manifests")):
            assert office.get(login, path, before=number).status_code == 200


def test_what_waited_longest_goes_into_as_many_batches_as_it_takes(office, monkeypatch):
    van = office.van("Si Jola 7")
    names = verified(office, van, 5)
    monkeypatch.setattr("server.batches.ROWS_MAX", 2)
    refused = office.post("siak", "/v1/batches/oldest", {"n": 1001})
    assert problem(refused) == "batch.size"
    assert problem(office.post("tono", "/v1/batches/oldest", {"n": 1})) == "auth.forbidden"
    before = len(office.get("siak", "/v1/batches/eligible", limit=200).json()["requests"])
    made = office.post("siak", "/v1/batches/oldest", {"n": before}).json()["batches"]
    assert len(made) == -(-before // 2)
    assert set(statuses(office, names)) == {"in_batch"}
    assert problem(office.post("siak", "/v1/batches/oldest", {"n": 9})) == "batch.size"
    monkeypatch.undo()
    newest = office.central.batches.show(office.people["tono"], made[-1])
    assert newest.rows[-1].request == names[-1], "who closes it sees it"
    siak = office.people["siak"]
    batch, row, following = office.central.batches.row(siak, made[0], 1)
    assert (row.n, following, batch.number) == (1, 2, made[0])
    office.central.batches.entered(siak, made[0], 2, "SIAK-22")
    assert office.central.batches.row(siak, made[0], 1)[2] == 0, "nothing else waits"
    with pytest.raises(Problem) as refusal:
        office.central.batches.row(siak, made[0], 99)
    assert refusal.value.code == "batch.row"


def test_who_works_for_one_district_batches_its_requests_alone(office):
    van = office.van("Si Jola 9")
    (name,) = verified(office, van, 1)
    staff, admin = office.central.staff, office.people["admin"]
    login = f"siak{van.number}"
    staff.add(admin, login, "Salma Tidore", ["siak_operator"], PASSWORD)
    here = staff.place(admin, login, ["82.72.01"])
    assert office.central.batches.eligible(here, limit=200) == []
    with pytest.raises(Problem) as refused:
        office.central.batches.freeze(here, [name])
    assert refused.value.code == "auth.area"
    there = staff.place(admin, login, ["82.72.03"])
    found = office.central.batches.eligible(there, limit=200)
    assert name in [line.id for line in found]
    office.central.batches.freeze(there, [name])


def test_a_batch_of_another_district_is_not_opened_typed_or_closed(office):
    van = office.van("Si Jola 10")
    staff, admin, batches = office.central.staff, office.people["admin"], office.central.batches
    login = f"siak{van.number}"
    desk = ["siak_operator", "supervisor"]
    staff.add(admin, login, "Saleh Tidore", desk, PASSWORD)
    here = staff.place(admin, login, ["82.72.01"])
    made = batches.freeze(office.people["siak"], verified(office, van, 1)).batch.number
    assert batches.batches(here, limit=200) == []

    def refused(*doings: Any) -> None:
        for do, *values in doings:
            with pytest.raises(Problem, match=r"auth\.area"):
                do(here, made, *values)

    refused((batches.show,), (batches.row, 1), (batches.export, "csv"))
    refused((batches.entered, 1, "SIAK-1"), (batches.failed, 1, "NIK salah"))
    batches.entered(office.people["siak"], made, 1, "SIAK-1")
    refused((batches.propose,))
    batches.propose(office.people["siak"], made)
    with pytest.raises(Problem, match=r"auth\.area"):
        batches.close(here, made, agree=False)
    there = staff.place(admin, login, ["82.72.03"])
    (newest,) = batches.batches(there, limit=1)
    assert (newest.number, newest.rows) == (made, {"entered": 1})
    assert batches.show(there, made).batch.state == "proposed"
    assert batches.close(there, made, agree=False).batch.state == "frozen"


def test_letters_in_front_hide_nothing_that_goes_into_siak(office, monkeypatch):
    van = office.van("Si Jola 8")
    names = verified(office, van, 2)
    monkeypatch.setattr("server.batches.LIST_MAX", 1)
    entered = {name: name == names[1] for name in names}

    def goes(row: Any) -> bool:
        return bool(entered.get(row.id.hex()))

    monkeypatch.setattr("server.batches._goes_into_siak", goes)
    found = office.central.batches.eligible(office.people["siak"], limit=1)
    assert [line.id for line in found] == [names[1]]


def test_a_batch_is_made_of_all_or_of_nothing(office):
    van = office.van("Si Jola 3")
    (one,) = verified(office, van, 1)
    raw = van.take_in(9, **{PROTECTED: {"name": "BELUM DIPERIKSA", "nik": "8272033003097777"}})
    office.sync(van)
    before = office.central.batches.batches(office.people["siak"])
    for names in ([one, raw.hex()], [one, one, "0" * 32], []):
        answer = office.post("siak", "/v1/batches", {"requests": names})
        assert answer.status_code >= 400, names
    assert problem(office.post("rina", "/v1/batches", {"requests": [one]})) == "auth.forbidden"
    assert office.central.batches.batches(office.people["siak"]) == before
    assert statuses(office, [one]) == ["verified"]


def test_nothing_in_an_exported_batch_is_a_formula(office, tmp_path):
    van = office.van("Si Jola 4")
    bad = '=HYPERLINK("http://x","y")'
    names = verified(office, van, 1, name=bad, nik="0072033003090001")
    number = office.central.batches.freeze(office.people["siak"], names).batch.number
    answer = office.get("siak", f"/v1/batches/{number}/export", kind="xlsx")
    assert "no-store" in answer.headers["cache-control"]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
    heads, row = sheet.to_python()
    assert row[heads.index("NIK")] == "0072033003090001", "zeros stay"
    assert row[heads.index("Nama")] == bad, "text, as it was said"
    assert b"<f>" not in unzipped(answer.content)
    text = office.get("siak", f"/v1/batches/{number}/export", kind="csv").content.decode(
        "utf-8-sig"
    )
    assert f"\"'{bad[:12]}" in text.replace('""', '"')
    out = tmp_path / "batch.xlsx"
    folder = office.central.place.folder
    secret = folder / "siak.txt"
    secret.write_text(PASSWORD + "\n")
    me = ["--data", str(folder), "--as", "siak", "--password-file", str(secret)]
    done = CliRunner().invoke(app, ["batch", "export", str(number), str(out), *me])
    assert done.exit_code == 0, done.output
    assert out.read_bytes()[:2] == b"PK"
    again = CliRunner().invoke(app, ["batch", "export", str(number), str(out), *me])
    assert again.exit_code == 1, "nothing is replaced"
    assert problem(office.get("siak", f"/v1/batches/{number}/export", kind="exe")) == "batch.format"


def unzipped(data: bytes) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return b"".join(book.read(name) for name in book.namelist() if "worksheets" in name)


@pytest.mark.parametrize("cell", ["=1+1", "+62812", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_a_cell_that_would_be_reckoned_gets_an_apostrophe(cell):
    assert safe(cell) == "'" + cell
    assert csv_file(["x"], [[cell]]).decode("utf-8-sig").splitlines()[1].startswith("\"'")
