"""Training: a laptop of its own with invented people, whose work can never be sent.

Not by a switch that could be forgotten: the training laptop is invited by an office that does not
exist. Its keys are drawn and thrown away at once, so there is nobody who could open what it seals,
and the real office has never heard of its log and refuses it. That the program also refuses to try
is only courtesy. Tracking codes begin with 0000, which no office gives out.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from field_client.app import House
from field_client.clock import Clock
from field_client.desk import Taken, Wanted
from field_client.enrolment import enrol
from field_client.settings import Place
from field_client.vault.files import disk_problems
from field_client.vault.keyfile import Cost
from field_client.vault.keys import Keys
from field_client.vault.store import Store
from models.problems import Problem
from models.regions import villages
from models.services import catalogue
from sync.enrolment import invite
from sync.identity import Identity
from sync.messages import Invitation

ENDING = "-latihan"
"""Of the training folder, which lies beside the real one."""

NOWHERE = "http://127.0.0.1:9"
BLOCK = 0
YEARS_SECONDS = 10 * 366 * 86400
PRACTICE = (
    "ktp-new-enrolment", "kia-new-under5", "birth", "death", "kk-change", "move-within",
    "village-domicile-letter", "data-element-change",
)  # fmt: skip
"""Services that are practised first; each gives its own example."""


class Training(msgspec.Struct, frozen=True):
    """Kept in a training vault. since: Unix seconds."""

    since: int


def folder_of(real: Path) -> Path:
    """Where the training laptop of a data folder lies."""
    return real.with_name(real.name + ENDING)


def clear(real: Path) -> None:
    """Throw the training laptop of a data folder away; none is no error. Problem disk.*."""
    folder = folder_of(real)
    with disk_problems(folder):
        if folder.exists():
            shutil.rmtree(folder)


def is_training(store: Store) -> bool:
    """Whether this laptop is one for practice."""
    return store.recall(Training) is not None


def refuse(store: Store) -> None:
    """Before anything would leave this laptop. Problem training.never_sent."""
    if is_training(store):
        raise Problem("training.never_sent")


def begin(
    place: Place,
    operator: str,
    pin: str,
    clock: Clock,
    keys: Keys | None = None,
    cost: Cost | None = None,
) -> House:
    """Make a training laptop in the folder of `place`; gives it unlocked. Problems
    training.exists, pin.*, operator.name."""
    if place.folder.exists() and any(place.folder.iterdir()):
        raise Problem("training.exists", path=str(place.folder))
    now = clock.read().at
    nobody = Identity(secrets.token_bytes(32), secrets.token_bytes(32))
    invitation = Invitation(
        url=NOWHERE,
        sign_key=nobody.sign_key,
        seal_key=nobody.seal_key,
        recovery_key=X25519PrivateKey.generate().public_key().public_bytes_raw(),
        incarnation=b"",
        device=secrets.token_bytes(16),
        office_kind="village",
        office_name="LATIHAN",
        block=BLOCK,
        grant=1,
        villages=[villages()[0].code],
        operator=operator,
        secret=secrets.token_bytes(32),
        expires=now + YEARS_SECONDS,
    )
    house = enrol(place, invite(invitation, nobody), operator, pin, clock, keys, cost)
    house.store.remember(Training(now))
    return house


def practise(house: House) -> list[Taken]:
    """Take in the examples of a few services, as invented people would ask."""
    taken: list[Taken] = []
    for slug in PRACTICE:
        example = catalogue().service(slug).example
        wanted = Wanted(slug, example.answers, example.documents, dict(example.reasons))
        form = house.desk.prepare(wanted)
        if form.ok:  # an example of years ago may be late by now; the others do
            taken += house.desk.submit(form)
    return taken
