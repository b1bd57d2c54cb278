"""Receipts: the citizen's proof that a request was taken in, as a signed token in a QR code."""

from __future__ import annotations

import msgspec

from field_client.desk import Desk
from field_client.shown import title
from field_client.succession import head_at
from field_client.vault.store import Store
from models import names
from models.changes import RecordId, decode_body
from models.ids import Code
from models.printing.receipt import Slip
from models.problems import Problem
from sync import base45, keylist
from sync.keylist import Key, KeyList
from sync.logs import log_id
from sync.messages import Invitation
from sync.receipt import Receipt, issue, signer

KEYS_PATH = "/v1/keys"


class Genuine(msgspec.Struct, frozen=True):
    """A receipt whose signature holds. log, seq: of the entry that made the request; own: this
    laptop wrote it."""

    id: str
    code: str
    service: str
    edition: int
    log: str
    seq: int
    own: bool


class OfficeKeys(msgspec.Struct, frozen=True):
    """The list of keys as central signed it, kept for checking other laptops' receipts."""

    token: bytes


def slip(desk: Desk, record: RecordId, lang: str, *, reveal: bool = False) -> Slip:
    """The receipt of a request made on this laptop. Problem receipt.elsewhere for another's."""
    page = desk.open(record)
    # Made again in a later log, it is that log whose key central knows and whose entry it has.
    first = next((e for e in reversed(page.picture.own) if e.change.kind == "create"), None)
    change = first.change if first is not None else None
    if first is None or change is None:
        raise Problem("receipt.elsewhere", code=page.code)
    head = head_at(desk, first.seq, first.log)
    body = decode_body(change.body)
    code = (body.block or first.block, body.number)
    receipt = Receipt(record, code, change.service, change.edition, first.seq, head or b"")
    token = issue(receipt, desk.store.log(first.log).identity)
    name = page.line.name if reveal else names.masked(page.line.name)
    return Slip(
        record.hex(), str(Code(*code)), change.service,
        title(change.service, change.edition, lang), name, desk.invitation().office_name,
        change.at, base45.encode(token),
    )  # fmt: skip


def verify(store: Store, text: str) -> Genuine:
    """Check a receipt against this laptop's own keys and the list that central signed, if one was
    taken in. Problems: receipt.malformed, receipt.forged, receipt.unknown_key,
    receipt.ask_office (issued after its laptop was reported lost)."""
    token = read_text(text)
    own = [Key(log.identity.sign_key) for log in store.logs()]
    kept = store.recall(OfficeKeys)
    invitation = store.recall(Invitation)
    theirs: list[Key] = []
    if kept is not None and invitation is not None:
        theirs = keylist.read(kept.token, invitation.sign_key).keys
    # Central's word on a log comes after ours, so that a limit it set counts.
    return _genuine(keylist.check(token, KeyList(0, [*own, *theirs])), token, own)


def verify_with(text: str, signed_keys: bytes, office_key: bytes) -> Genuine:
    """Check a receipt with nothing but a signed list and the office's public key."""
    token = read_text(text)
    return _genuine(keylist.check(token, keylist.read(signed_keys, office_key)), token, [])


def take_keys(store: Store, signed_keys: bytes) -> int:
    """Keep a list of keys, once it is shown to be central's; gives how many there are."""
    invitation = store.recall(Invitation)
    if invitation is None:
        raise Problem("vault.absent", path="-")
    found = keylist.read(signed_keys, invitation.sign_key)
    store.remember(OfficeKeys(signed_keys))
    return len(found.keys)


def read_text(text: str) -> bytes:
    """The token in the text of a QR code."""
    return base45.decode(text)


def _genuine(told: Receipt, token: bytes, own: list[Key]) -> Genuine:
    name = signer(token)
    mine = name in {log_id(key.key) for key in own}
    code = str(Code(*told.code))
    return Genuine(told.record.hex(), code, told.service, told.edition, name.hex(), told.seq, mine)
