"""Enrolment: a laptop starts work from an invitation, with or without a network.

The invitation alone is enough: keys are made, the vault is created with its first operator and its
escrow copy for the office, and the first log is opened. Central hears of it with the first sync.
Doing it again after a crash goes on where it stopped.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import secrets
from pathlib import Path

import msgspec

from field_client.app import DATABASE_FILE, House, keys_of, open_house
from field_client.clock import Clock
from field_client.settings import Place
from field_client.vault.files import disk_problems
from field_client.vault.keyfile import Cost
from field_client.vault.keys import NAME_MAX, Keys
from field_client.vault.store import Store
from models.problems import Problem
from sync.enrolment import INVITATION_BYTES_MAX, read_invitation
from sync.logs import Open
from sync.messages import Invitation, encode

MADE = (
    "keys.json", "keys.copy.json", "keys.lock", "attempts.json", "log.mark", "sync.lock",
    DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", f"{DATABASE_FILE}.lock",
)  # fmt: skip
"""Files of a laptop that was just enrolled."""

_COSE_SIGN1 = 0xD2
"""First byte of a tagged COSE_Sign1 (CBOR tag 18): the file holds the bytes themselves."""


class InvitationToken(msgspec.Struct, frozen=True):
    """The invitation as central signed it, to be shown when central is reached."""

    token: bytes


def read_file(path: Path) -> bytes:
    """The signed invitation in a file: the bytes, or the same as base64 text on any number of
    lines. Problems: file.unreadable, invitation.malformed."""
    with disk_problems(path):
        try:
            with path.open("rb") as file:
                data = file.read(2 * INVITATION_BYTES_MAX)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise Problem("file.unreadable", file=path.name) from error
    return read_text(data)


def read_text(data: bytes) -> bytes:
    """The signed invitation in what was handed over; lines that begin with "-" are comments."""
    if data[:1] == bytes([_COSE_SIGN1]):
        return data
    lines = (line for line in data.splitlines() if not line.startswith(b"-"))
    text = b"".join(b"".join(lines).split()).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Problem("invitation.malformed") from None


def enrol(
    place: Place,
    token: bytes,
    operator: str,
    pin: str,
    clock: Clock | None = None,
    keys: Keys | None = None,
    cost: Cost | None = None,
) -> House:
    """Make this laptop's vault from an invitation; gives it unlocked.

    operator: short name of the first operator, by default made from the invitation's. cost: of the
    PIN's derivation, cheaper in tests. Problems: invitation.*, vault.exists, pin.*, operator.name.
    """
    invitation = read_invitation(token)
    clock = clock or Clock(drift_seconds=place.settings.drift_seconds)
    if clock.read().at > invitation.expires:
        raise Problem("invitation.expired")
    keys = keys or keys_of(place.folder)
    name = operator or short_name(invitation.operator)
    if not keys.exists:
        unlocked = keys.create(name, pin, cost)
        keys.seal_to_office(unlocked, invitation.recovery_key)
    house = open_house(place, name, pin, clock, keys)
    try:
        _begin(house.store, house.keys, house, invitation, token)
    except BaseException:
        house.close()
        raise
    return house


def enrol_again(house: House, token: bytes) -> int:
    """Go on under another invitation, because central let in another laptop by this one's: a new
    log takes over everything that was written, with the tracking codes that were given out. Gives
    how many entries were made again. Doing it again after a crash goes on where it stopped.

    Problems: invitation.malformed, invitation.expired, invitation.other_office, invitation.known
    where central knows this laptop already.
    """
    from field_client.courier import Confirmed
    from field_client.succession import after_used_invitation, opening_of

    store, mine = house.store, house.desk.invitation()
    invitation = read_invitation(token)
    if invitation.sign_key != mine.sign_key:
        raise Problem("invitation.other_office")
    if house.desk.facts().at > invitation.expires:
        raise Problem("invitation.expired")
    confirmed = store.recall(Confirmed) or Confirmed()
    if {log.id for log in store.logs()} & {*confirmed.logs}:
        raise Problem("invitation.known")
    if opening_of(store.log()).device != invitation.device:
        house.keys.seal_to_office(house.unlocked, invitation.recovery_key)
        store.remember(invitation, InvitationToken(token))
        open_log(store, invitation.device, invitation.block, "enrolled")
    before = store.log().seq
    for old in store.logs()[:-1]:
        if old.stored < old.seq:
            after_used_invitation(house.desk, old)
    return store.log().seq - before


def undo(house: House) -> bool:
    """Take a fresh enrolment back, as when central refuses its invitation: the folder is as it was
    before. False, and nothing happens, where anything was written since."""
    store = house.store
    if len(store.logs()) != 1 or store.log().seq:
        return False
    house.close()
    folder = house.place.folder
    for name in MADE:
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # the operator's own files may lie there
        folder.rmdir()
    return True


def _begin(store: Store, keys: Keys, house: House, invitation: Invitation, token: bytes) -> None:
    """Open the first log. A folder whose first enrolment was cut short is finished; one that is in
    use is never touched."""
    if store.logs():
        raise Problem("vault.exists", path=str(house.place.folder))
    if not keys.has_escrow:
        keys.seal_to_office(house.unlocked, invitation.recovery_key)
    store.remember(invitation, InvitationToken(token))
    open_log(store, invitation.device, invitation.block, "enrolled")


def open_log(
    store: Store,
    device: bytes,
    block: int,
    reason: str,
    parent: tuple[bytes, int, bytes] = (b"", 0, b""),
) -> None:
    """Open a new log with fresh keys. parent: (log, seq, head) of the one it follows."""
    from sync.identity import Identity

    sign_seed, seal_seed = secrets.token_bytes(32), secrets.token_bytes(32)
    new = Identity(sign_seed, seal_seed)
    opening = Open(new.sign_key, new.seal_key, device, *parent, reason)
    store.open_log(sign_seed, seal_seed, encode(opening), block)


def short_name(name: str) -> str:
    """A name for the unlock screen from a full one: `Siti Aminah` gives `siti-aminah`."""
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:NAME_MAX].strip("-")
    return short or "petugas"
