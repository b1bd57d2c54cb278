"""Enrolment: how a new log becomes known at central, seen from both sides.

An invitation is signed by central and handed to the laptop as a file. The laptop opens its first
log, proves that it holds the invitation's one-time secret, and starts work at once, with or without
a network. Whenever it reaches central it asks to be known; asking again, after a lost answer or
next month, is harmless. A later log of the same laptop (its key was changed, it was restored, or it
turned out to be a clone) is vouched for by the key of the log it follows, not by the invitation.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from models.problems import Problem
from sync import seal, wire
from sync.identity import Identity, verifies
from sync.logs import Open, log_id
from sync.messages import Certificate, Enrolment, Invitation, decode, encode

SECRET_BYTES = 32
INVITATION_BYTES_MAX = 64 * 1024
ESCROW_BYTES_MAX = 4096
ENROLMENT_BYTES_MAX = 256 * 1024


class Asked(msgspec.Struct, frozen=True):
    """An enrolment whose signatures hold. log: id of the new log; opening: its decoded first
    entry; invitation: None when a parent log vouches instead (then `vouched_by` must be checked).
    """

    log: bytes
    opening: Open
    invitation: Invitation | None
    enrolment: Enrolment


# -- the invitation


def invite(invitation: Invitation, central: Identity) -> bytes:
    """The signed invitation, as it stands in the file that the laptop gets."""
    header = seal.Header(log_id(central.sign_key), "invitation", b"")
    return seal.sign(encode(invitation), central, header)


def read_invitation(token: bytes, sign_key: bytes = b"") -> Invitation:
    """The invitation in a file. sign_key: central's key where it is known already; a laptop that
    was never enrolled takes the one inside, because it trusts the hand that gave it the file."""
    if len(token) > INVITATION_BYTES_MAX:
        raise Problem("invitation.malformed")
    try:
        # Not verified yet: only to find the key that it says it was signed with.
        claimed = sign_key or decode(_payload(token), Invitation).sign_key
        _, payload = seal.verify(token, claimed, "invitation", b"")
        return decode(payload, Invitation)
    except (Problem, ValueError):
        raise Problem("invitation.malformed") from None


def _payload(token: bytes) -> bytes:
    payload = seal.payload_of(token)
    if len(payload) > INVITATION_BYTES_MAX:
        raise Problem("invitation.malformed")
    return payload


# -- the laptop's side


def proof(secret: bytes, opening: bytes) -> bytes:
    """HMAC-SHA256 of the encoded opening under the invitation's one-time secret."""
    return hmac.new(secret, b"jb1-enrol" + opening, hashlib.sha256).digest()


def succession(opening: bytes) -> bytes:
    """What the key of the parent log signs to vouch for a log that follows it."""
    return b"jb1-succession" + opening


def ask(enrolment: Enrolment, log: Identity, central_seal_key: bytes) -> bytes:
    """The body for /v1/enrol: signed by the new log's key, sealed to central."""
    to = seal.audience(central_seal_key)
    header = seal.Header(log_id(log.sign_key), "enrol", to)
    token = seal.sign(wire.pack(encode(enrolment), 0), log, header)
    return seal.seal(token, central_seal_key, "enrol")


def read_certificate(body: bytes, log: Identity, central_sign_key: bytes) -> Certificate:
    """Central's answer, verified to be its own and about this log."""
    token = seal.unseal(body, log, "enrol")
    header, packed = seal.verify(token, central_sign_key, "enrol", seal.audience(log.seal_key))
    certificate = decode(wire.unpack(packed, header.dictionary), Certificate)
    if certificate.log != log_id(log.sign_key):
        raise Problem("sync.forged_reply")
    return certificate


# -- central's side


def read(body: bytes, central: Identity) -> Asked:
    """Open an enrolment and check everything that needs no memory: seal, signature of the new log,
    central's own signature of the invitation, and the proof of the one-time secret."""
    if len(body) > ENROLMENT_BYTES_MAX:
        raise Problem("sync.too_large", limit=ENROLMENT_BYTES_MAX)
    token = seal.unseal(body, central, "enrol")
    header = seal.peek(token)
    packed = seal.payload_of(token)
    enrolment = decode(wire.unpack(packed, header.dictionary, ENROLMENT_BYTES_MAX), Enrolment)
    opening = decode(enrolment.opening, Open)
    seal.verify(token, opening.key, "enrol", seal.audience(central.seal_key))
    if not _is_sound(opening):
        raise Problem("sync.malformed")
    if len(enrolment.escrow) > ESCROW_BYTES_MAX:
        raise Problem("sync.too_large", limit=ESCROW_BYTES_MAX)
    invitation = None if opening.parent else _invited(enrolment, opening, central)
    return Asked(header.signer, opening, invitation, enrolment)


def _is_sound(opening: Open) -> bool:
    """Has each part the size it has, can be answered, and is the reason a word? It is noted in the
    trail."""
    sizes = (len(opening.key), len(opening.seal_key), len(opening.device), len(opening.parent))
    after = 0 <= opening.parent_seq < 1 << 53 and len(opening.parent_head) <= 32
    word = opening.reason.isascii() and opening.reason.isalpha() and len(opening.reason) <= 20
    sized = sizes in ((32, 32, 16, 0), (32, 32, 16, 16))
    return sized and after and word and seal.can_receive(opening.seal_key)


def _invited(enrolment: Enrolment, opening: Open, central: Identity) -> Invitation:
    invitation = read_invitation(enrolment.invitation, central.sign_key)
    expected = proof(invitation.secret, enrolment.opening)
    if not hmac.compare_digest(expected, enrolment.proof):
        raise Problem("invitation.malformed")
    if invitation.device != opening.device:
        raise Problem("invitation.malformed")
    return invitation


def vouched_by(asked: Asked, parent_key: bytes) -> bool:
    """Did the key of the parent log sign for the new log?"""
    return verifies(parent_key, succession(asked.enrolment.opening), asked.enrolment.proof)


def certify(certificate: Certificate, central: Identity, seal_key: bytes) -> bytes:
    """The answer to /v1/enrol: signed by central, sealed to the laptop."""
    header = seal.Header(log_id(central.sign_key), "enrol", seal.audience(seal_key))
    token = seal.sign(wire.pack(encode(certificate), 0), central, header)
    return seal.seal(token, seal_key, "enrol")
