"""Laid out once for pages that need something to show: a pair, an incident, a batch."""

from __future__ import annotations

from functools import cache

from models.services import catalogue
from server.voyages import Member, Plan, Stop
from tests.desks import Desks
from tests.integration.test_central_batches import verified
from tests.integration.test_central_counter import flat
from tests.integration.test_central_duplicates import Town
from tests.integration.test_central_incidents import noticed
from tests.integration.test_central_pages_stock import ready_to_print, seen
from tests.pictures import page, written
from tests.pusat import PASSWORD
from tests.verifying import bring, disputed, taken_in


@cache
def a_pair(central: Desks) -> str:
    """Address of a pair that waits."""
    town = Town(central.office, "Si Jola Pasangan")
    one = town.comes("HALIMAH DUWILA", "8272035203090091", "2009-03-12", "8272031703090092")
    two = town.comes("HALIMA DUWILA", "8272035203099091", "2009-03-12", "8272031703090092")
    town.scan()
    (line,) = town.cases(one, two)
    return f"/duplicates/{line.case.id}"


@cache
def an_incident(central: Desks) -> str:
    """Address of a fork."""
    van = central.office.van("Si Jola Cabang")
    noticed(central.office, "fork", f"log {van.log.hex()} entry 2")
    found = central.central.incidents.lines(central.office.people["tono"], kind="fork")
    return f"/incidents/{found[-1].id}"


@cache
def a_batch(central: Desks) -> str:
    """Address of a batch of one request, not typed yet."""
    names = verified(central.office, central.office.van("Si Jola Siak"), 1)
    siak = central.office.people["siak"]
    return f"/batches/{central.central.batches.freeze(siak, names).batch.number}"


@cache
def a_manifest(central: Desks) -> str:
    """Address of a manifest of one card that is on its way."""
    staff, people = central.central.staff, central.office.people
    for login, role in (("cetak", "printer"), ("kurir", "courier")):
        people[login] = staff.add(people["admin"], login, login.title(), [role], PASSWORD)
    (name,) = ready_to_print(central.office, central.office.van("Si Jola Cetak"), 1)
    stock = central.central.stock
    stock.receive(people["cetak"], "ktp", "AB0001", "AB0060")
    stock.print(people["cetak"], name, "AB0001", seen(central.office))
    sheet = stock.send(people["kurir"], [name], "Kantor Desa Woda", "Ali")
    return f"/manifests/{sheet.manifest.number}"


@cache
def a_document(central: Desks, number: int = 2) -> str:
    """Address of a card that waits for its owner at the counter. number: of citizen and blank."""
    a_manifest(central)  # whoever prints and carries, and the blanks
    van = central.office.van(f"Si Jola Ambil {number}")
    (name,) = ready_to_print(central.office, van, 1, number)
    stock, people = central.central.stock, central.office.people
    stock.print(people["cetak"], name, f"AB{number:04}", seen(central.office))
    stock.send(people["kurir"], [name], "Loket Dukcapil", "Ali")
    return f"/requests/{name}"


@cache
def a_form(central: Desks) -> str:
    """Address of a form that was begun at the counter, everything typed."""
    counter, lia = central.central.counter, central.office.people["loket"]
    folder = counter.begin(lia, ["birth"])
    answers = flat(catalogue().service("birth"))
    counter.put(lia, folder, {0: answers}, {0: ["BIRTH_LETTER", "KK"]})
    return f"/counter/drafts/{folder.name.hex()}"


@cache
def a_receipt(central: Desks) -> str:
    """Address of what became of a form that was taken in at the counter."""
    counter, lia = central.central.counter, central.office.people["loket"]
    service = catalogue().service("village-cover-letter")
    begun = counter.begin(lia, [service.slug])
    counter.submit(lia, counter.put(lia, begun, {0: flat(service)}, {0: service.example.documents}))
    return f"/counter/drafts/{begun.name.hex()}/done"


@cache
def a_laptop(central: Desks) -> str:
    """Address of the van that brought what is here."""
    with central.central.registry.read() as door:
        device = door.device_named("Si Jola 1")
    assert device is not None
    return f"/devices/{device.id.hex()}"


@cache
def a_voyage(central: Desks) -> str:
    """Address of a voyage to two villages."""
    stops = (
        Stop("2026-11-24", "82.72.05.2013", "Balai desa, 09.00-14.00 WIT"),
        Stop("2026-11-25", "82.72.05.2012", "Kantor desa, 08.00-12.00 WIT"),
    )
    team = (Member("Ratna Ahmad", "", "Ketua tim"), Member("Iswan Muhammad", "", "Perekaman"))
    plan = Plan("Pelayanan jemput bola kepulauan", stops, team)
    tono = central.office.people["tono"]
    return f"/visits/{central.central.voyages.keep(tono, plan, 'Si Jola 1').id}"


@cache
def a_request(central: Desks) -> str:
    """Address of a request with a scan, on the desk of a verifier."""
    office = central.office
    van = office.van("Si Jola Periksa")
    record = taken_in(office, van)
    bring(office, van, record, written(page(3, (310, 438)), "WEBP"))
    return f"/requests/{record.hex()}"


@cache
def a_dispute(central: Desks) -> str:
    """Address of a dispute about a name."""
    vans = [central.office.van(f"{name} Beda") for name in ("Si Jola", "Kantor Desa")]
    return f"/disputes/{disputed(central.office, vans[0], vans[1])[1]}"


@cache
def a_word(central: Desks) -> str:
    """Address of what a supervisor is asked."""
    people, room = central.office.people, central.central.verification
    name = taken_in(central.office, central.office.van("Si Jola Tanya")).hex()
    seen = room.open(people["rina"], name).sheet.seen
    return (
        f"/escalations/{room.escalate(people['rina'], name, 'Satu nomor di lima berkas.', seen).id}"
    )
