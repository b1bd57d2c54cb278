"""A whole central for tests: the real application in this process, named people, and laptops that
enrol and sync over its HTTP door with everything signed and sealed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from litestar.testing import TestClient

from models.changes import Body, decode_change, encode, record_of
from models.services import catalogue
from server.central import Central, found, open_central
from server.database.people import Person
from server.settings import Place, load
from sync import enrolment, seal, wire
from sync.logs import Open, log_id
from sync.messages import Enrolment, Invitation, Order, Page, Reply, Told, decode, name_of
from sync.messages import encode as encode_message
from tests.applications import for_central
from tests.blank import lay
from tests.simulation.books import Screen
from tests.simulation.laptop import Laptop
from tests.simulation.people import example_answers

VILLAGE, OTHER_VILLAGE = "82.72.03.2001", "82.72.03.2002"
NOW = 1_795_000_000
DAY = 86400
SLUG = "ktp-new-enrolment"
PROTECTED, FREE, GROUP = "applicant.identity", "applicant.phone", "address.address"
PASSWORD = "kata-sandi-uji"
ON_PAPER = "formulir bertanda tangan di kertas"
"""Why a verifier accepts a request of which no signature was photographed."""
PEOPLE = {
    "admin": ("Ibu Admin", "admin"),
    "rina": ("Rina", "verifier"),
    "yusuf": ("Yusuf", "verifier"),
    "tono": ("Tono", "supervisor"),
    "wati": ("Wati", "supervisor"),
    "siak": ("Salma", "siak_operator"),
    "mata": ("Mata", "auditor"),
}
OCTETS = {"Content-Type": "application/octet-stream"}


class Clock:
    """Central's clock in the hands of a test."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> int:
        return self.at


class Van(Laptop):
    """A laptop with its invitation, on the road to central's HTTP door."""

    def __init__(self, number: int, invitation: Invitation, token: bytes) -> None:
        seed = hashlib.shake_256(f"pusat-{number}".encode()).digest(96) + invitation.device
        super().__init__(number, seed, tuple(invitation.villages), number)
        self.invitation = invitation
        self.token = token
        self.clock = NOW - 100
        self.open_session()

    def opening(self) -> bytes:
        """The encoded first entry of its log."""
        me = self.identity
        return encode(Open(me.sign_key, me.seal_key, self.device, b"", 0, b"", "enrolled"))

    def asking(self, opening: bytes | None = None) -> bytes:
        """The body for /v1/enrol."""
        opening = opening or self.opening()
        proof = enrolment.proof(self.invitation.secret, opening)
        ask = Enrolment(self.token, opening, proof, b"escrow")
        return enrolment.ask(ask, self.identity, self.invitation.seal_key)

    # -- taking in

    def take_in(self, number: int = 1, **units: Any) -> bytes:
        """Take in one card enrolment (not sent yet); gives the record."""
        form = catalogue().service(SLUG)
        filled = dict(form.units(example_answers(form), ()))
        filled = {u: v for u, v in filled.items() if form.unit(u).shape != "set"} | units
        body = Body(number=number, set=filled, add={"documents": ["KK"]})
        (entry,) = self.append([self.change("create", body, form=(SLUG, form.edition))])
        return record_of(self.log, entry.seq, decode_change(entry.data), entry.data)

    def edit(self, record: bytes, body: Body, screen: Screen | None = None) -> None:
        """Save an edit (not sent yet)."""
        self.append([self.change("edit", body, record, screen=screen or self.display(record))])

    def own_work_record(self, seq: int) -> bytes:
        """The record that entry `seq` created."""
        entry = self.entries[seq - 1]
        return record_of(self.log, seq, decode_change(entry.data), entry.data)

    @property
    def proved(self) -> int:
        """Newest entry that central proved to hold."""
        return int(self.exchange().position.stored)

    def outcome(self, seq: int) -> Told:
        """What became of an entry of its log, as it was told."""
        names: tuple[Any, ...] = (seq, (self.log, seq))
        (found,) = [told for name, told in self.told.items() if name in names]
        return found

    # -- the road

    def request_body(self, exchange: Any) -> bytes:
        """One sealed request."""
        payload = exchange.request(self.pending(exchange.next_entry, 500), self.clock)
        return self.sealed(payload)

    def sealed(self, payload: bytes, dictionary: int = 0) -> bytes:
        """A payload as it goes over the wire."""
        to = seal.audience(self.invitation.seal_key)
        header = seal.Header(log_id(self.identity.sign_key), "request", to, dictionary)
        token = seal.sign(wire.pack(payload, dictionary), self.identity, header)
        return wire.join_frames([seal.seal(token, self.invitation.seal_key, "request")])

    def opened(self, frame: bytes, purpose: str) -> tuple[bytes, bytes]:
        """(signed token, payload) of one frame of a reply."""
        token = seal.unseal(frame, self.identity, purpose)
        to = seal.audience(self.identity.seal_key)
        header, packed = seal.verify(token, self.invitation.sign_key, purpose, to)
        return token, wire.unpack(packed, header.dictionary)

    def receive(self, exchange: Any, body: bytes) -> Reply:
        """Verify a reply and write what it says."""
        frames = wire.split_frames(body)
        proof, payload = self.opened(frames[0], "reply")
        reply = decode(payload, Reply)
        pages = [decode(self.opened(frame, "page")[1], Page) for frame in frames[1:]]
        to = seal.audience(self.identity.seal_key)
        verified = [seal.verify(o, self.invitation.sign_key, "order", to) for o in reply.orders]
        orders = [decode(order, Order) for _, order in verified]
        for step in exchange.receive(reply, proof, pages, orders):
            self.apply(step)
        return reply


class Pusat:
    """The application, its people signed in, and its laptops. client: a test client, or a real one
    that knows its `app`."""

    def __init__(self, client: Any, clock: Clock, people: dict[str, Person]) -> None:
        self.client = client
        self.clock = clock
        self.people = people
        self.central: Central = client.app.state.central
        self.tokens: dict[str, str] = {}
        self.vans = 0

    # -- people over JSON

    def token(self, login: str) -> str:
        if login not in self.tokens:
            answer = self.client.post("/v1/sign-in", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            self.tokens[login] = answer.json()["token"]
        return self.tokens[login]

    def get(self, login: str, path: str, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(login)}"}
        return self.client.get(path, params=query, headers=headers)

    def post(self, login: str, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(login)}"}
        return self.client.post(path, json=body, headers=headers)

    def seen(self, login: str, path: str) -> int:
        """Open a sheet; gives the number it shows."""
        answer = self.get(login, path)
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["seen"]
        return number

    def trail(self) -> list[tuple[str, str]]:
        """(actor, action) of every entry of the audit trail."""
        with self.central.registry.read() as door:
            return [(e.actor, e.action) for e in door.trail(limit=1000)]

    # -- laptops

    def invited(self, name: str, *villages: str) -> Van:
        """A laptop with an invitation, unknown to central yet."""
        self.vans += 1
        made = self.central.devices.invite(
            self.people["admin"], name, "van", "", villages or (VILLAGE,), "Sari"
        )
        invitation = enrolment.read_invitation(made.file)
        return Van(self.vans, invitation, made.file)

    def van(self, name: str, *villages: str) -> Van:
        """A laptop that has enrolled."""
        van = self.invited(name, *villages)
        answer = self.enrol(van.asking())
        assert answer.status_code == 200, answer.text
        return van

    def enrol(self, body: bytes) -> httpx.Response:
        return self.client.post("/v1/enrol", content=body, headers=OCTETS)

    def push(self, body: bytes) -> httpx.Response:
        return self.client.post("/v1/sync", content=body, headers=OCTETS)

    def sync(self, van: Van) -> Reply:
        """As many round trips as it takes; gives the last reply."""
        exchange = van.exchange()
        while True:
            answer = self.push(van.request_body(exchange))
            assert answer.status_code == 200, answer.text
            reply = van.receive(exchange, answer.content)
            if exchange.finished:
                return reply

    def cases(self, **query: Any) -> list[dict[str, Any]]:
        """Cases as the supervisor sees them in the list."""
        found: list[dict[str, Any]] = self.get("tono", "/v1/cases", **query).json()["cases"]
        return found


@contextmanager
def pusat(folder: Path, database_url: str = "", **settings: Any) -> Iterator[Pusat]:
    """A new central with everybody in it, serving."""
    clock = Clock()
    place: Place = load(folder, {}, database_url=database_url or None, **settings)
    if not database_url:
        lay(folder)
    found(place, folder / "recovery-key.json", clock)
    cheap = patch.multiple("server.auth", MEMORY_KIB=64, PASSES=1)  # the real cost is 0.1 s a hash
    with cheap, for_central(place.settings) as app:
        app.state.central = open_central(place, clock, secrets.token_bytes)
        with TestClient(app) as client:
            yield Pusat(client, clock, hired(app.state.central))


def hired(central: Central) -> dict[str, Person]:
    """Everybody of PEOPLE, by login."""
    people: dict[str, Person] = {}
    for login, (name, role) in PEOPLE.items():
        by = people.get("admin")
        people[login] = central.staff.add(by, login, name, [role], PASSWORD)
    return people


__all__ = [
    "FREE",
    "GROUP",
    "NOW",
    "PROTECTED",
    "VILLAGE",
    "Pusat",
    "encode_message",
    "name_of",
    "pusat",
]
