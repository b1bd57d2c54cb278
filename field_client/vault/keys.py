"""Who can open the vault: `keys.json`, beside the database and useless without a PIN.

    PIN + machine secret ──Argon2id──► key-encryption key ──RFC 3394──► database key (SQLCipher)
                                                          └─RFC 3394──► the operator's Ed25519 key
    office recovery key ──HPKE──► database key            (escrow, opened at the office only)

The random 32-byte database key never changes, so adding an operator or changing a PIN rewrites
40 bytes and no data. Each operator has an own Ed25519 key which signs the session entries of the
log: who worked is shown by a signature, not by a name typed. Operator names stand in the clear,
because the unlock screen has to offer them before anything is open.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from field_client.vault.attempts import FREE_MISSES, Attempts
from field_client.vault.escrow import open_sealed, recipient, seal
from field_client.vault.files import FileLock, private_folder
from field_client.vault.keyfile import Cost, Escrow, KeyFile, Wrap, read_keys, write_keys
from field_client.vault.machine import KeyStore
from models.problems import Problem

PIN_DIGITS_MIN = 6
PASSPHRASE_MIN = 10
SECRET_MAX = 256
"""Characters. A PIN of six digits needs a machine secret beside it; without one it could be found
by trying all of them on the copied file, so ten characters are the least (protocol, §10)."""

NAME_MAX = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Unlocked:
    """What a right PIN gives. Kept in memory only; its repr shows no secret.

    operator: 16 random bytes that name the person in the log. vault: 16 bytes, also the salt at the
    head of the database file. database_key: 32 bytes.
    """

    operator: bytes
    name: str
    vault: bytes
    database_key: bytes = field(repr=False)
    signing_key: Ed25519PrivateKey = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """The raw Ed25519 public key (32 bytes) that the log's operator entry announces."""
        return self.signing_key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature (64 bytes), as a session entry needs it."""
        return self.signing_key.sign(message)


class Keys:
    """The key file of one data folder. Every change is atomic and excludes other processes."""

    def __init__(self, folder: Path, key_store: KeyStore | None) -> None:
        """key_store: `machine.system_key_store()`, or None where there is none."""
        self.folder = folder
        self.key_store = key_store
        self._attempts = Attempts(folder / "attempts.json")

    @property
    def exists(self) -> bool:
        """A vault was made in this folder."""
        return any(path.exists() for path in self._paths)

    @property
    def needs_passphrase(self) -> bool:
        """This machine has no key store: short PINs are refused."""
        return self.key_store is None

    def create(self, name: str, secret: str, cost: Cost | None = None) -> Unlocked:
        """Make a new vault key with its first operator. Refuses where a vault already is."""
        private_folder(self.folder)
        with self._lock:
            if self.exists:
                raise Problem("vault.exists", path=str(self.folder))
            vault, database_key = secrets.token_bytes(16), secrets.token_bytes(32)
            keys = KeyFile(vault, _check_value(vault, database_key), [], None)
            wrap, signing_key = self._wrap(keys, database_key, name, secret, cost)
            self._write(msgspec.structs.replace(keys, operators=[wrap]))
        return Unlocked(wrap.operator, wrap.name, vault, database_key, signing_key)

    def names(self) -> list[str]:
        """Operators who can open this vault, in the order they were added."""
        return [wrap.name for wrap in self._read().operators]

    def unlock(self, name: str, secret: str, now: int) -> Unlocked:
        """Open the vault. now: Unix seconds, for the wait after wrong PINs.

        Problems: operator.unknown, pin.wait (seconds), pin.wrong (left: tries before a wait begins;
        seconds until the next try), vault.machine_secret, vault.keys_corrupt, vault.shredded.
        """
        keys = self._read()
        wrap = _find(keys, name)
        self._attempts.check(wrap.name, now)
        kek = self._key_encryption_key(keys.vault, wrap, secret)
        try:
            database_key = aes_key_unwrap(kek, wrap.database_key)
            signing_key = aes_key_unwrap(kek, wrap.signing_key)
        except InvalidUnwrap as error:
            count, wait = self._attempts.missed(wrap.name, now)
            left = max(0, FREE_MISSES + 1 - count)
            raise Problem("pin.wrong", left=left, seconds=wait) from error
        self._attempts.clear(wrap.name)
        _verify(keys, database_key)
        private_key = Ed25519PrivateKey.from_private_bytes(signing_key)
        return Unlocked(wrap.operator, wrap.name, keys.vault, database_key, private_key)

    def add(
        self, database_key: bytes, name: str, secret: str, cost: Cost | None = None
    ) -> Unlocked:
        """Let one more operator in. Holding the database key (an unlocked vault, or the office
        that opened the escrow) is the authority to do so."""
        with self._lock:
            keys = self._read()
            _verify(keys, database_key)
            if any(wrap.name == _clean(name) for wrap in keys.operators):
                raise Problem("operator.exists", operator=name)
            wrap, signing_key = self._wrap(keys, database_key, name, secret, cost)
            self._write(msgspec.structs.replace(keys, operators=[*keys.operators, wrap]))
        return Unlocked(wrap.operator, wrap.name, keys.vault, database_key, signing_key)

    def change_pin(self, unlocked: Unlocked, secret: str, cost: Cost | None = None) -> None:
        """A new PIN for the operator who is unlocked; the person and the signing key stay."""
        with self._lock:
            keys = self._read()
            _verify(keys, unlocked.database_key)
            old = _find(keys, unlocked.name)
            new = self._seal_wrap(
                keys.vault, unlocked.database_key, old.operator, old.name, unlocked.signing_key,
                secret, cost,
            )  # fmt: skip
            kept = [new if wrap.name == old.name else wrap for wrap in keys.operators]
            self._write(msgspec.structs.replace(keys, operators=kept))

    def renew(
        self, unlocked: Unlocked, name: str, secret: str, cost: Cost | None = None
    ) -> tuple[bytes, Unlocked]:
        """A new PIN for a colleague who forgot theirs, by somebody who is unlocked. Nobody else can
        open the old signing key, so the colleague gets a new one and a new id: gives the old id and
        the new operator. Problems: operator.own_pin for one's own, those of `add`."""
        with self._lock:
            keys = self._read()
            _verify(keys, unlocked.database_key)
            old = _find(keys, name)
            if old.operator == unlocked.operator:
                raise Problem("operator.own_pin")
            return self._renewed(keys, unlocked.database_key, old.name, secret, cost)

    def recover(
        self, office_private_key: bytes, name: str, secret: str, cost: Cost | None = None
    ) -> tuple[bytes, Unlocked]:
        """At the office, where nobody remembers a PIN: its recovery key (X25519, 32 bytes) opens
        the escrow, and `name` gets a new PIN as in `renew`. Gives the old id, empty for somebody
        new, and the operator. Problems: escrow.none, escrow.wrong_key, those of `add`."""
        database_key = self.open_escrow(office_private_key)
        with self._lock:
            keys = self._read()
            _verify(keys, database_key)
            return self._renewed(keys, database_key, _clean(name), secret, cost)

    def _renewed(
        self, keys: KeyFile, database_key: bytes, name: str, secret: str, cost: Cost | None
    ) -> tuple[bytes, Unlocked]:
        """A new wrap for `name` in the place of the old one, and no wait after wrong PINs."""
        wrap, signing_key = self._wrap(keys, database_key, name, secret, cost)
        operators = {one.name: one for one in keys.operators}
        gone = operators[name].operator if name in operators else b""
        operators[name] = wrap
        self._write(msgspec.structs.replace(keys, operators=list(operators.values())))
        self._attempts.clear(name)
        return gone, Unlocked(wrap.operator, wrap.name, keys.vault, database_key, signing_key)

    def remove(self, unlocked: Unlocked, name: str) -> bytes:
        """Take an operator's wrap away; returns the operator's id. Never the last one."""
        with self._lock:
            keys = self._read()
            _verify(keys, unlocked.database_key)
            gone = _find(keys, name)
            if len(keys.operators) == 1:
                raise Problem("operator.last", operator=gone.name)
            kept = [wrap for wrap in keys.operators if wrap.name != gone.name]
            self._write(msgspec.structs.replace(keys, operators=kept))
        return gone.operator

    def seal_to_office(self, unlocked: Unlocked, office_public_key: bytes) -> None:
        """Make the escrow wrap (at enrolment), for the office's X25519 recovery key (32 bytes)."""
        with self._lock:
            keys = self._read()
            _verify(keys, unlocked.database_key)
            sealed = seal(unlocked.database_key, keys.vault, office_public_key)
            made = Escrow(recipient(office_public_key), sealed)
            self._write(msgspec.structs.replace(keys, escrow=made))

    @property
    def has_escrow(self) -> bool:
        """The office could open this vault."""
        return self._read().escrow is not None

    def escrow(self) -> bytes:
        """The escrow wrap, for the office to keep a copy; empty before it was made."""
        escrow = self._read().escrow
        return escrow.sealed if escrow is not None else b""

    def open_escrow(self, office_private_key: bytes) -> bytes:
        """At the office: the database key, out of the escrow wrap. `add` then lets people in."""
        keys = self._read()
        if keys.escrow is None:
            raise Problem("escrow.none")
        return open_sealed(keys.escrow.sealed, keys.vault, office_private_key)

    def shred(self) -> None:
        """By order of the office: no PIN opens this vault any more, the escrow still does."""
        with self._lock:
            keys = self._read()
            if keys.escrow is None:
                raise Problem("escrow.none")
            # The copy first: whatever is whole last still says truly whether a PIN opens the vault.
            write_keys(msgspec.structs.replace(keys, operators=[]), *reversed(self._paths))

    @property
    def is_shredded(self) -> bool:
        """By order of the office nobody gets in any more but the office itself."""
        return self.exists and not self.names()

    def vault(self) -> bytes:
        """16 bytes naming this vault; the database file begins with them."""
        return self._read().vault

    @property
    def _paths(self) -> tuple[Path, Path]:
        return self.folder / "keys.json", self.folder / "keys.copy.json"

    @property
    def _lock(self) -> FileLock:
        return FileLock(self.folder / "keys.lock")

    def _read(self) -> KeyFile:
        return read_keys(*self._paths)

    def _write(self, keys: KeyFile) -> None:
        write_keys(keys, *self._paths)

    def _wrap(
        self, keys: KeyFile, database_key: bytes, name: str, secret: str, cost: Cost | None
    ) -> tuple[Wrap, Ed25519PrivateKey]:
        """A new operator with a new id and a new signing key."""
        operator, signing_key = secrets.token_bytes(16), Ed25519PrivateKey.generate()
        name = _clean(name)
        wrap = self._seal_wrap(keys.vault, database_key, operator, name, signing_key, secret, cost)
        return wrap, signing_key

    def _seal_wrap(
        self,
        vault: bytes,
        database_key: bytes,
        operator: bytes,
        name: str,
        signing_key: Ed25519PrivateKey,
        secret: str,
        cost: Cost | None,
    ) -> Wrap:
        self._check_secret(secret)
        machine = self._make_machine_secret(vault)
        wrap = Wrap(
            operator=operator,
            name=name,
            cost=cost or Cost(),
            salt=secrets.token_bytes(16),
            machine=machine,
            database_key=b"",
            signing_key=b"",
            public_key=signing_key.public_key().public_bytes_raw(),
        )
        kek = self._key_encryption_key(vault, wrap, secret)
        return msgspec.structs.replace(
            wrap,
            database_key=aes_key_wrap(kek, database_key),
            signing_key=aes_key_wrap(kek, signing_key.private_bytes_raw()),
        )

    def _check_secret(self, secret: str) -> None:
        """A PIN (digits) where a key store stands behind it, else a passphrase."""
        if len(secret) > SECRET_MAX:
            raise Problem("pin.too_long", limit=SECRET_MAX)
        if self.needs_passphrase and len(secret) < PASSPHRASE_MIN:
            raise Problem("pin.passphrase_needed", least=PASSPHRASE_MIN)
        if len(secret) < PIN_DIGITS_MIN:
            raise Problem("pin.weak", least=PIN_DIGITS_MIN)
        if _is_counted(secret):
            raise Problem("pin.weak", least=PIN_DIGITS_MIN)

    def _make_machine_secret(self, vault: bytes) -> bool:
        """Whether a machine secret stands behind the new wrap; made on first use."""
        if self.key_store is None:
            return False
        if self.key_store.get(vault.hex()) is None:
            self.key_store.put(vault.hex(), secrets.token_bytes(32))
        return True

    def _key_encryption_key(self, vault: bytes, wrap: Wrap, secret: str) -> bytes:
        """Argon2id (RFC 9106) of the PIN; the machine secret is its secret value K, the vault and
        the operator are its associated data X."""
        machine: bytes | None = None
        if wrap.machine:
            machine = self.key_store.get(vault.hex()) if self.key_store else None
            if machine is None:
                raise Problem("vault.machine_secret")
        argon = Argon2id(
            salt=wrap.salt,
            length=32,
            iterations=wrap.cost.passes,
            lanes=wrap.cost.lanes,
            memory_cost=wrap.cost.memory_kib,
            ad=vault + wrap.operator,
            secret=machine,
        )
        try:
            return argon.derive(unicodedata.normalize("NFC", secret).encode())
        except (MemoryError, UnsupportedAlgorithm) as error:
            raise Problem("vault.memory", mib=wrap.cost.memory_kib // 1024) from error


def _clean(name: str) -> str:
    """An operator's short name as stored: lower case, safe in a file and on a command line."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise Problem("operator.name", limit=NAME_MAX)
    return name


def _is_counted(secret: str) -> bool:
    """One character repeated, or digits counted up or down: what everybody tries first."""
    steps = {ord(b) - ord(a) for a, b in pairwise(secret)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


def _find(keys: KeyFile, name: str) -> Wrap:
    wanted = name.strip().lower()
    for wrap in keys.operators:
        if wrap.name == wanted:
            return wrap
    if not keys.operators:
        raise Problem("vault.shredded")
    known = [wrap.name for wrap in keys.operators]
    raise Problem("operator.unknown", operator=name[:40], known=known)


def _check_value(vault: bytes, database_key: bytes) -> bytes:
    """Tells a right database key from a wrong one, without a database; reveals nothing of it."""
    return hmac.digest(database_key, b"jb1-check" + vault, hashlib.sha256)[:16]


def _verify(keys: KeyFile, database_key: bytes) -> None:
    if not hmac.compare_digest(_check_value(keys.vault, database_key), keys.check):
        raise Problem("vault.other_key", path="keys.json")
