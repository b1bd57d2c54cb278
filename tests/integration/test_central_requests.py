"""Staff and requests at central, through the real application: HTTP in, database, HTTP out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.changes import Body
from tests.pusat import FREE, NOW, PROTECTED, Pusat, pusat


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


def one_request(office: Pusat) -> str:
    van = office.van("Si Jola 1")
    record = van.take_in()
    office.sync(van)
    return record.hex()


def test_a_request_taken_in_by_a_van_is_listed_opened_and_accepted(office):
    name = one_request(office)
    (line,) = office.get("rina", "/v1/requests").json()["requests"]
    assert (line["id"], line["status"], line["cases"]) == (name, "received", 0)
    sheet = office.get("rina", f"/v1/requests/{line['code']}").json()
    assert sheet["id"] == name
    assert sheet["office"] == "Si Jola 1"
    assert "take" in sheet["actions"]
    assert sheet["history"][0]["who"] == "Sari"
    done = office.post("rina", f"/v1/requests/{name}/accept", {"seen": sheet["seen"]})
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "verified"
