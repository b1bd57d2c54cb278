"""Who works for one district, whatever their roles, comes nowhere near what belongs to another:
every address of central, asked with the ids of elsewhere. A new address is asked without a line
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from httpx import Response
from litestar.routes import HTTPRoute

from models.people import STAFF, Role
from models.problems import Problem
from server.voyages import Plan, Stop
from tests.integration.test_central_batches import verified
from tests.integration.test_central_pages_stock import ready_to_print, seen
from tests.pictures import page, written
from tests.pusat import PASSWORD, VILLAGE, Pusat
from tests.verifying import bring, disputed, taken_in
from tests.windows import OURS, Window, windows

AREA = "82.72.01"
CODES = ("auth.area", "case.area")
REFUSED = (*CODES, *(Problem(code).words("id") for code in CODES))
OWN = ("/sign-in", "/sign-out", "/me/", "/v1/sign-", "/v1/sync", "/v1/enrol", "/v1/bundles")
"""Addresses about the asker's own sign-in, and those of laptops."""


FIGURES = ("/schema", "/static", "/dashboard/board.")
"""Addresses that speak of nobody; a board as a file takes seconds to draw."""


class There(msgspec.Struct):
    """What there is in the other district. marks: what no answer may say."""

    ids: dict[str, str]
    marks: list[str]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("areas")) as found:
        staff, admin = found.central.staff, found.people["admin"]
        for login, role in (("cetak", "printer"), ("kurir", "courier"), ("loket", "operator")):
            found.people[login] = staff.add(admin, login, login.title(), [role], PASSWORD)
        everything = sorted(STAFF - {Role.ADMIN})
        for login in ("jauh", "dekat"):
            found.people[login] = staff.add(admin, login, login.title(), everything, PASSWORD)
        staff.place(admin, "jauh", [AREA])
        yield found


@pytest.fixture(scope="module")
def there(office: Pusat) -> There:
    """One of everything."""
    people, central = office.people, office.central
    vans = office.van("Si Jola 1"), office.van("Si Jola 2")
    record, case = disputed(office, *vans)
    file = bring(office, vans[0], record, written(page(3, (310, 438)), "WEBP"))
    one, other, asked = (taken_in(office, vans[0]).hex() for _ in range(3))
    pair = central.duplicates.put(people["tono"], one, other)
    shown = central.verification.open(people["rina"], asked).sheet.seen
    escalated = central.verification.escalate(people["rina"], asked, "Boleh?", shown).id
    batch = central.batches.freeze(people["siak"], verified(office, vans[0], 1, 300)).batch
    printed, ready = ready_to_print(office, vans[1], 2)
    central.stock.receive(people["cetak"], "ktp", "AB0001", "AB0009")
    central.stock.print(people["cetak"], printed, "AB0001", seen(office))
    manifest = central.stock.send(people["kurir"], [printed], "Kantor Desa Woda", "Ali").manifest
    voyage = central.voyages.keep(
        people["tono"], Plan("Pelayanan", (Stop("2026-11-24", VILLAGE),)), "Si Jola 1"
    )
    draft = central.counter.begin(people["loket"], ["birth"])
    ids = {
        "record": record.hex(), "file": file.blob.hex(), "disputes": case, "duplicates": pair,
        "escalations": escalated, "incidents": escalated, "cases": case, "one": one,
        "other": other, "batches": str(batch.number), "manifests": str(manifest.number),
        "devices": vans[0].device.hex(), "visits": voyage.id, "drafts": draft.name.hex(),
        "ready": ready, "printed": printed, "log": vans[0].log.hex(), "serial": "AB0001",
    }  # fmt: skip
    with central.registry.read() as door:
        lines = [door.request_line(bytes.fromhex(ids[k])) for k in ("record", "one", "printed")]
    marks = [mark for line in lines if line is not None for mark in (line.name, line.nik)]
    return There(ids, sorted({mark for mark in marks if mark}))


class Visitor(Window):
    """Somebody's browser, signed in."""

    def __init__(self, office: Pusat, login: str) -> None:
        super().__init__(office)
        self.sign_in(login)
        self.token = dict(self.form("/sign-out").fields)["token"]

    def ask(self, address: str) -> Response:
        return self._send("GET", address)

    def give(self, address: str, given: dict[str, Any]) -> Response:
        """A form of ours, drawn or not."""
        plain = {name: v if isinstance(v, list) else str(v) for name, v in given.items()}
        return self._send("POST", address, data=plain | {"token": self.token}, headers=OURS)


@cache
def visitor(office: Pusat, login: str) -> Visitor:
    return Visitor(office, login)


def routes(office: Pusat, method: str) -> list[str]:
    """Every address that answers to a method, `{name}` for its parts."""
    found = [route for route in office.client.app.routes if isinstance(route, HTTPRoute)]
    here = sorted(route.path_format for route in found if method in route.methods)
    return [path for path in here if not path.startswith(FIGURES)]


def filled(path: str, there: There) -> str:
    """The address with ids of the other district in it."""
    ids = there.ids
    first = path.removeprefix("/v1").split("/")[1]
    own = ids["drafts"] if "/drafts/" in path else ids.get(first, ids["record"])
    named = {"name": own, "case": own, "record": ids["record"], "file": ids["file"],
             "number": ids.get(first, "1"), "n": "1", "row": "0", "section": "child",
             "kind": "csv", "login": "rina", "slug": "birth", "panel": "arrived",
             "log": ids["log"]}  # fmt: skip
    if "/drafts/" in path or "/ask/" in path:
        named["number"] = "0" if "/drafts/" in path else "1"
    return re.sub(r"\{(\w+)\}", lambda part: named[part[1]], path)


def fields(office: Pusat, there: There) -> dict[str, Any]:
    """What any form may ask for, filled in as somebody would who knew all ids."""
    ids = there.ids
    why = "alasan yang cukup panjang"
    return {
        "seen": seen(office), "reason": why, "text": why, "why": why, "second": why,
        "code": "OTHER", "take": "current", "kind": "text", "about": "", "action": "take",
        "step": "decide", "agree": "yes", "login": "jauh", "take_over": "yes", "file": ids["file"],
        "request": ids["ready"], "requests": [ids["record"]], "pick": [ids["record"]],
        "one": ids["one"], "other": ids["other"], "keep": "", "place": "Kantor", "carrier": "Ali",
        "receiver": "Ali", "missing": [], "serial": ids["serial"], "device": "Si Jola 1",
        "name": "uji", "q": there.marks[0], "row": 1, "reference": "x", "failed": "", "offer": 0,
        "village": VILLAGE, "village|0": VILLAGE, "day|0": "2026-11-25", "purpose": "uji",
        "first": "AB0100", "last": "AB0101", "service": "", "n": "1", "until": "2027-01-01",
    }  # fmt: skip


def standing(office: Pusat, there: There) -> Any:
    """All of the other district that somebody could move."""
    ids = there.ids
    with office.central.registry.read() as door:
        records = [bytes.fromhex(ids[k]) for k in ("record", "one", "other", "ready", "printed")]
        batch = door.batch(int(ids["batches"]))
        assert batch is not None
        return (
            door.standing().server_seq, door.claims(records, office.clock()), door.confirmations(),
            batch, door.batch_rows(batch.id), door.manifest(int(ids["manifests"])),
            door.blank(ids["serial"]), door.devices(),
            [(one.login, one.role, one.villages, one.active) for one in door.people()],
            door.voyages("2020-01-01", "2030-01-01"),
            door.counter_draft(bytes.fromhex(ids["drafts"])),
        )  # fmt: skip


@cache
def described(office: Pusat) -> Any:
    return office.client.get("/schema/openapi.json").json()


def body(office: Pusat, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the API asks for at an address."""
    told = described(office)
    content = told["paths"][path]["post"].get("requestBody", {}).get("content", {})
    asked = content.get("application/json", {}).get("schema", {})
    shape = told["components"]["schemas"].get(asked.get("$ref", "").rpartition("/")[2], {})
    found = {name: given[name] for name in shape.get("properties", {}) if name in given}
    kinds = {name: shape["properties"][name].get("type") for name in found}
    plain = {"boolean": True, "array": []}
    return {
        name: plain[kind] if kind in plain and not isinstance(found[name], list) else found[name]
        for name, kind in kinds.items()
    }


def test_nothing_of_another_area_is_shown(office: Pusat, there: There) -> None:
    """To show that there is something to hide, a colleague without an area asks the same."""
    shown = []
    for path in routes(office, "GET"):
        address = filled(path, there)
        for login in ("dekat", "jauh"):
            api = path.startswith("/v1/")
            answer = office.get(login, address) if api else visitor(office, login).ask(address)
            told = [mark for mark in there.marks if mark.encode() in answer.content]
            if login == "dekat" and told:
                shown.append(path)
            elif login == "jauh":
                assert not told, path
                if path in shown and "{" in path:
                    assert any(text in answer.text for text in REFUSED), path
    assert len(shown) > 20


def test_nothing_of_another_area_is_done(office: Pusat, there: There) -> None:
    before, refused = standing(office, there), []
    for path in routes(office, "POST"):
        if path.startswith(OWN):
            continue
        address, given = filled(path, there), fields(office, there)
        if path.startswith("/v1/"):
            answer = office.post("jauh", address, body(office, path, given))
        else:
            answer = visitor(office, "jauh").give(address, given)
        assert standing(office, there) == before, path
        assert not [mark for mark in there.marks[1:] if mark in answer.text], path
        if any(text in answer.text for text in REFUSED):
            refused.append(path)
    assert len(refused) > 50
