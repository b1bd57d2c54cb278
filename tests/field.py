"""A laptop for tests of the field house: enrolled from an invented office, with cheap keys, and the
command line run in this process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner, Result

from field_client.app import House, open_house
from field_client.clock import Clock, Reading
from field_client.enrolment import enrol
from field_client.settings import FieldSettings, Place
from field_client.vault.keys import Keys
from models.services import catalogue
from sync.enrolment import invite
from sync.identity import Identity
from sync.messages import Invitation
from tests.vaults import CHEAP, PASSPHRASE
from tests.village import PLACE

NOW = 1_795_222_800
"""21 November 2026, 10:00 WIT."""

CENTRAL = Identity(hashlib.sha256(b"sign").digest(), hashlib.sha256(b"seal").digest())
RECOVERY = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"recovery").digest())
NOWHERE = "http://127.0.0.1:9"
"""A port at which nobody answers."""


class Hands:
    """The clocks of a laptop in the hands of a test."""

    def __init__(self, at: int = NOW) -> None:
        self.at = at
        self.uptime = 3600
        self.boot: int | None = 7

    def clock(self) -> Clock:
        return Clock(lambda: Reading(self.at, self.uptime), lambda: self.boot)

    def goes_on(self, seconds: int) -> None:
        """Time passes, by both clocks."""
        self.at += seconds
        self.uptime += seconds


def invitation(**changed: Any) -> bytes:
    """A signed invitation of the invented office."""
    plain = Invitation(
        url=NOWHERE,
        sign_key=CENTRAL.sign_key,
        seal_key=CENTRAL.seal_key,
        recovery_key=RECOVERY.public_key().public_bytes_raw(),
        incarnation=b"",
        device=hashlib.sha256(b"device").digest()[:16],
        office_kind="van",
        office_name="Si Jola 1",
        block=7,
        grant=1,
        villages=[PLACE],
        operator="Sari",
        secret=b"s" * 32,
        expires=NOW + 14 * 86400,
    )
    return invite(msgspec.structs.replace(plain, **changed), CENTRAL)


def keys(folder: Path) -> Keys:
    """Without a key store, as on a machine that has none."""
    return Keys(folder, None)


def laptop(folder: Path, hands: Hands | None = None, **changed: Any) -> House:
    """A freshly enrolled laptop, unlocked by `sari`."""
    place = Place(folder, FieldSettings())
    clock = (hands or Hands()).clock()
    token = invitation(**changed)
    return enrol(place, token, "sari", PASSPHRASE, clock, keys(folder), CHEAP)


def again(folder: Path, hands: Hands | None = None, operator: str = "sari") -> House:
    """The same laptop, opened another time."""
    place = Place(folder, FieldSettings())
    house = open_house(place, operator, PASSPHRASE, (hands or Hands()).clock(), keys(folder))
    house.begin()
    return house


def example(service: str, **answers: Any) -> dict[str, Any]:
    """A queue row from the example of a service. answers: `applicant__phone=…` over it; None takes
    an answer away."""
    form = catalogue().service(service)
    nested = msgspec.to_builtins(form.example.answers)
    for key, value in answers.items():
        section, _, name = key.partition("__")
        if value is None:
            nested[section].pop(name, None)
        else:
            nested.setdefault(section, {})[name] = value
    return {
        "service": service,
        "answers": nested,
        "documents": list(form.example.documents),
        "reasons": dict(form.example.reasons),
    }


class Jemput:
    """`jemput` run in this process on one data folder."""

    def __init__(self, folder: Path, pin: str = PASSPHRASE) -> None:
        self.folder = folder
        self.pin_file = folder.with_name(f"{folder.name}.pin")
        self.pin_file.write_text(pin + "\n", encoding="utf-8")

    def environment(self) -> dict[str, str]:
        return {"JEMPUT_DATA": str(self.folder), "JEMPUT_PIN_FILE": str(self.pin_file)}

    def run(self, *words: str, given: str | bytes | None = None, code: int = 0) -> Result:
        """Run a command; its exit code must be `code`."""
        from field_client.cli import app

        result = CliRunner().invoke(app, words, input=given, env=self.environment())
        assert result.exit_code == code, (words, result.stdout, result.stderr, result.exception)
        return result

    def lines(self, *words: str, given: str | bytes | None = None, code: int = 0) -> list[Any]:
        """The JSON lines a command gives."""
        result = self.run(*words, "--json", given=given, code=code)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def one(self, *words: str, given: str | bytes | None = None, code: int = 0) -> Any:
        """The only JSON line a command gives."""
        (line,) = self.lines(*words, given=given, code=code)
        return line


def rows(*found: dict[str, Any]) -> str:
    """Queue rows as a file holds them."""
    return "".join(json.dumps(row) + "\n" for row in found)


Change = Callable[[dict[str, Any]], None]
