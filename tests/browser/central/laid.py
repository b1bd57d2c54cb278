"""Laid out once for pages that need something to show: a pair, an incident, a batch."""

from __future__ import annotations

from functools import cache

from tests.desks import Desks
from tests.integration.test_central_batches import verified
from tests.integration.test_central_duplicates import Town
from tests.integration.test_central_incidents import noticed


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
