"""Work for verifiers in tests: citizens with numbers of their own, disputes about their names."""

from __future__ import annotations

import itertools
from typing import Any

from models.changes import Attached, Body
from models.services import catalogue
from sync import seal, wire
from sync.messages import Chunk, encode
from sync.transfer import manifest_of, split
from tests.pusat import PROTECTED, SLUG, Pusat, Van
from tests.simulation.people import example_answers

_numbers = itertools.count(10)


def identity(number: int, name: str) -> dict[str, Any]:
    """Somebody who was born on the day of the example, so that the rules find no fault."""
    form = catalogue().service(SLUG)
    units = dict(form.units(example_answers(form), ()))
    return dict(units[PROTECTED]) | {"name": name, "nik": f"827203300309{number:04}"}


def taken_in(office: Pusat, van: Van, units: dict[str, Any] | None = None) -> bytes:
    """A request of somebody new, at central; gives the record."""
    number = next(_numbers)
    filled = {PROTECTED: identity(number, "Salma Hamid")} | (units or {})
    record = van.take_in(number, **filled)
    office.sync(van)
    return record


def disputed(
    office: Pusat, first: Van, second: Van, wrong: dict[str, Any] | None = None
) -> tuple[bytes, str]:
    """Two laptops give one citizen two names; the record and the case. wrong: what else the first
    of them gives."""
    record = taken_in(office, first)
    office.sync(second)
    screens = {van.log: van.display(record) for van in (first, second)}
    view = first.look(record)
    assert view is not None
    for van, name in ((first, "Salma Hamid A"), (second, "Salmah Hamid")):
        value = dict(view.units[PROTECTED]) | {"name": name}
        value |= (wrong or {}) if van is first else {}
        van.edit(record, Body(set={PROTECTED: value}), screens[van.log])
        office.sync(van)
    with office.central.registry.read() as door:
        found = door.record(record)
    assert found is not None
    return record, found.disputes[PROTECTED].hex()


def status_of(office: Pusat, record: bytes) -> str:
    """Where a request stands."""
    with office.central.registry.read() as door:
        found = door.record(record)
    assert found is not None
    return found.status


def bring(office: Pusat, van: Van, record: bytes, data: bytes) -> Attached:
    """A page of the family card comes whole."""
    manifest = manifest_of(data)
    file = Attached("document.KK", manifest.blob, len(data))
    van.edit(record, Body(attach=[file]))
    office.sync(van)
    frames = wire.split_frames(van.request_body(van.exchange()))
    key = van.invitation.seal_key
    frames.append(seal.seal(encode(manifest), key, "manifest"))
    for index, chunk in enumerate(split(data)):
        piece = Chunk(manifest.blob, index * 16384, chunk)
        frames.append(seal.seal(encode(piece), key, "chunk"))
    assert office.push(wire.join_frames(frames)).status_code == 200
    return file
