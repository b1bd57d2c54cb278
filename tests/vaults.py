"""What tests of the vault share: cheap key derivation, a refusal checked down to its words,
a hand that fills in requests."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from field_client.vault.engine import Connection, Engine
from field_client.vault.keyfile import Cost
from field_client.vault.logs import OwnLog
from field_client.vault.store import Store
from models import problems as problem_catalogue
from models.changes import Body, Change, OperatorEntry, Session, encode, raw
from models.problems import Problem
from models.services import catalogue
from sync.identity import Identity
from sync.logs import Entry, Open, log_id, session_message

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PASSPHRASE = "pala sagu kora"
NOW = 1_790_000_000
DATABASE_KEY, VAULT, DEVICE = b"k" * 32, b"v" * 16, b"d" * 16


class MemoryKeyStore:
    """A key store as a desktop has one, without a desktop."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.secrets.get(name)

    def put(self, name: str, secret: bytes) -> None:
        self.secrets[name] = secret


def refused(code: str, call: Callable[..., Any], *values: Any, **more: Any) -> Problem:
    """`call` raises the Problem `code`, and every word of its sentence can be filled in."""
    with pytest.raises(Problem) as caught:
        call(*values, **more)
    assert caught.value.code == code
    entry = problem_catalogue.problems()[code]
    for sentence in (entry.id, entry.en):
        asked = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        assert asked <= set(caught.value.details), f"{code} lacks {asked}"
    return caught.value


def new_store(folder: Path, kind: type[Engine] = Engine) -> Store:
    """A store in `folder` with a first log, as enrolment leaves it."""
    store = Store(kind(folder / "vault.db", DATABASE_KEY, VAULT))
    open_log(store)
    return store


def again(store: Store) -> Store:
    """The same files, opened by a program that was started anew."""
    store.close()
    return Store(type(store.engine)(store.engine.path, DATABASE_KEY, VAULT))


def open_log(store: Store, parent: OwnLog | None = None, reason: str = "enrolled") -> OwnLog:
    """Open a log with fresh keys, after `parent` if one is given."""
    seeds = secrets.token_bytes(32), secrets.token_bytes(32)
    identity = Identity(*seeds)
    after = (parent.id, parent.seq, parent.head) if parent is not None else (b"", 0, b"")
    opening = Open(identity.sign_key, identity.seal_key, DEVICE, *after, reason)
    return store.open_log(*seeds, encode(opening), block=7)


class Hand:
    """Somebody at the keyboard: makes changes as the desk does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.number = 0
        self.session = 0
        self.signer = Identity(secrets.token_bytes(32), bytes(32))
        self.open_session()

    def open_session(self) -> None:
        """First entries of a log: its operator, and a PIN that opened it. Two transactions."""
        person = log_id(self.signer.sign_key)
        with self.store.saving() as saving:
            known = OperatorEntry(person, "Sari", self.signer.sign_key)
            saving.append(self._change("operator", b"", known))
            message = session_message(saving.own.id, saving.seq + 1, saving.head, person)
            session = Session(person, self.signer.sign(message))
            saving.append(self._change("session", b"", session))
            self.session = saving.seq

    def created(self, place: tuple[int, int] = (0, 1), **answers: Any) -> Change:
        """The creation of a card enrolment, with some answers of its example replaced."""
        self.number += 1
        form = catalogue().service("ktp-new-enrolment")
        checked = form.check(form.example.answers, (), {}, today=form.example.day)
        given = {key.replace("__", "."): value for key, value in answers.items()}
        units = form.units(checked.answers | given)
        body = Body(number=self.number, set=units, add={"documents": ["KK"]})
        return self._change("create", b"", body, place, (form.slug, form.edition))

    def create(self, **answers: Any) -> bytes:
        """Save one request; gives its id."""
        with self.store.saving() as saving:
            change = self.created(**answers)
            return saving.record_of(saving.append(change), change)

    def edited(self, record: bytes, place: tuple[int, int] = (0, 1), **units: Any) -> Change:
        """A change of whole units of a request."""
        body = Body(set={name.replace("__", "."): value for name, value in units.items()})
        return self._change("edit", record, body, place, ("", 0))

    def edit(self, record: bytes, **units: Any) -> Entry:
        """Save one edit."""
        with self.store.saving() as saving:
            return saving.append(self.edited(record, **units))

    def _change(
        self,
        kind: str,
        record: bytes,
        body: Any,
        place: tuple[int, int] = (0, 1),
        form: tuple[str, int] = ("", 0),
    ) -> Change:
        shown = self.store.shown()
        grant, boot, session = 1, 1, self.session
        return Change(
            kind, record, *place, *form, session, NOW, NOW - 60, boot, grant, shown.seen, None,
            raw(body),
        )  # fmt: skip


class PlainEngine(Engine):
    """The same engine without encryption: what the encrypted one is measured and checked against.

    It lives with the tests so that no program can open a laptop's data without a key.
    """

    def _give_key(self, connection: Connection) -> None:
        """No key: an ordinary SQLite file of the same library."""
