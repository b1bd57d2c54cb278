"""Envelopes: a log's own requests closed, and central's replies opened and checked.

Out: pack, sign with the log's key, seal to central. In: unseal, check central's signature, our own
name as the addressee and the purpose, unpack. Nothing of a reply that fails any of this is used.
"""

from __future__ import annotations

import msgspec

from models.problems import Problem
from sync import messages, seal, wire
from sync.identity import Identity
from sync.logs import log_id
from sync.messages import Invitation, Order, Page, Reply


class Opened(msgspec.Struct, frozen=True):
    """A reply whose signatures hold. proof: the signed first frame. cut: it did not arrive whole;
    `pages` are those that did."""

    reply: Reply
    proof: bytes
    pages: tuple[Page, ...]
    orders: tuple[Order, ...]
    cut: bool


class Envelopes:
    """Between one log and central. dictionary: of what we send; 0 where central lacks ours."""

    def __init__(self, log: Identity, central: Invitation) -> None:
        self.log = log
        self.central = central
        self.dictionary = wire.DICTIONARY
        self._me = log_id(log.sign_key)
        self._to_us = seal.audience(log.seal_key)

    def close(self, request: bytes) -> bytes:
        """The body that carries an encoded request."""
        to = seal.audience(self.central.seal_key)
        header = seal.Header(self._me, "request", to, self.dictionary)
        token = seal.sign(wire.pack(request, self.dictionary), self.log, header)
        return wire.join_frames([seal.seal(token, self.central.seal_key, "request")])

    def open(self, body: bytes) -> Opened | None:
        """The reply in a body, or None where not even its first frame came whole.

        Problem sync.forged_reply for anything that central did not sign and seal for this log.
        """
        frames, cut = whole_frames(body)
        if not frames:
            return None
        try:
            proof = seal.unseal(frames[0], self.log, "reply")
            reply = messages.decode(self._payload(proof, "reply"), Reply)
            tokens = [seal.unseal(frame, self.log, "page") for frame in frames[1:]]
            pages = tuple(messages.decode(self._payload(token, "page"), Page) for token in tokens)
            orders = tuple(self._order(token) for token in reply.orders)
        except Problem as problem:
            raise Problem("sync.forged_reply") from problem
        return Opened(reply, proof, pages, orders, cut or len(pages) < reply.pages)

    def _payload(self, token: bytes, purpose: str) -> bytes:
        header, packed = seal.verify(token, self.central.sign_key, purpose, self._to_us)
        return wire.unpack(packed, header.dictionary)

    def _order(self, token: bytes) -> Order:
        _, payload = seal.verify(token, self.central.sign_key, "order", self._to_us)
        return messages.decode(payload, Order)


def whole_frames(body: bytes) -> tuple[list[bytes], bool]:
    """The frames of a body that came whole, and whether it was cut short. Each frame is signed by
    itself, so those before the cut may be used."""
    frames: list[bytes] = []
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        end = at + 4 + size
        if size > wire.FRAME_BYTES_MAX or len(frames) >= wire.BODY_FRAMES_MAX:
            raise Problem("sync.forged_reply")
        if end > len(body) or at + 4 > len(body):
            return frames, True
        frames.append(body[at + 4 : end])
        at = end
    return frames, not frames
