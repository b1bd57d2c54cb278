"""Envelopes: a log's own requests closed, and central's replies opened and checked.

Out: pack, sign with the log's key, seal to central. In: unseal, check central's signature, our own
name as the addressee and the purpose, unpack. Nothing of a reply that fails any of this is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from models.problems import Problem
from sync import messages, seal, wire
from sync.identity import Identity
from sync.logs import log_id
from sync.messages import Ack, Invitation, Order, Page, Reply


class Opened(msgspec.Struct, frozen=True):
    """A reply whose signatures hold. proof: the signed first frame. cut: it did not arrive whole;
    `pages` are those that did. acks: answers to the files that came along in the same body."""

    reply: Reply
    proof: bytes
    pages: tuple[Page, ...]
    orders: tuple[Order, ...]
    cut: bool
    acks: tuple[Ack, ...] = ()


class Envelopes:
    """Between one log and central. dictionary: of what we send; 0 where central lacks ours. apart:
    large requests of a stream go as words and digits.

    `close` makes a body of one request; `begin` and then `frame` make the requests of a stream,
    each packed in the light of those before it.
    """

    def __init__(self, log: Identity, central: Invitation) -> None:
        self.log = log
        self.central = central
        self.dictionary = wire.DICTIONARY
        self.apart = True
        self._me = log_id(log.sign_key)
        self._to_us = seal.audience(log.seal_key)
        self.begin()

    def plainer(self) -> bool:
        """Central cannot read how we pack: pack in an older way from now on. False where there is
        none left."""
        if self.apart:
            self.apart = False
        elif self.dictionary:
            self.dictionary = 0
        else:
            return False
        return True

    def begin(self) -> None:
        """A new body: central remembers nothing of the last one."""
        self._packer = wire.Packer(self.dictionary, apart=self.apart)
        self._before = b""
        self._names: set[bytes] = set()

    def frame(self, request: bytes) -> bytes:
        """The frame that carries an encoded request, after those since `begin`."""
        packed, number = self._packer.pack(request)
        after, self._before = self._before, messages.name_of(request)
        self._names.add(self._before)
        to = seal.audience(self.central.seal_key)
        token = seal.sign(packed, self.log, seal.Header(self._me, "request", to, number), after)
        return seal.seal(token, self.central.seal_key, "request")

    def close(self, request: bytes, files: Sequence[bytes] = ()) -> bytes:
        """The body that carries an encoded request, and then frames of files."""
        self._names = {messages.name_of(request)}
        to = seal.audience(self.central.seal_key)
        header = seal.Header(self._me, "request", to, self.dictionary)
        token = seal.sign(wire.pack(request, self.dictionary), self.log, header)
        return wire.join_frames([seal.seal(token, self.central.seal_key, "request"), *files])

    def open(self, body: bytes) -> Opened | None:
        """The reply in a body, or None where not even its first frame came whole.

        Problem sync.forged_reply for anything that central did not sign and seal for this log.
        """
        frames, cut = whole_frames(body)
        answers = Answers(self)
        found: Opened | None = None
        acks: list[Ack] = []
        for frame in frames:
            if is_ack(frame):
                acks.append(self.ack(frame))
            else:
                found = answers.take(frame) or found
        found = found or answers.rest()
        if found is None:
            return None
        return msgspec.structs.replace(found, cut=found.cut or cut, acks=tuple(acks))

    def reply(self, frame: bytes) -> tuple[Reply, bytes, tuple[Order, ...]]:
        """A reply, its proof and its orders out of their frame. Problem sync.forged_reply for what
        central did not sign and seal for this log."""
        try:
            proof = seal.unseal(frame, self.log, "reply")
            reply = messages.decode(self._payload(proof, "reply"), Reply)
            return reply, proof, tuple(self._order(token) for token in reply.orders)
        except Problem as problem:
            raise Problem("sync.forged_reply") from problem

    def page(self, frame: bytes) -> Page:
        """A page out of its frame; Problem as `reply`."""
        try:
            return messages.decode(
                self._payload(seal.unseal(frame, self.log, "page"), "page"), Page
            )
        except Problem as problem:
            raise Problem("sync.forged_reply") from problem

    def ack(self, frame: bytes) -> Ack:
        """An answer to a frame of a file; Problem as `reply`, also for one of another time."""
        try:
            payload = self._payload(seal.unseal(frame, self.log, "ack"), "ack")
            ack = messages.decode(payload, Ack)
        except Problem as problem:
            raise Problem("sync.forged_reply") from problem
        if ack.request not in self._names:
            raise Problem("sync.forged_reply")
        return ack

    def _payload(self, token: bytes, purpose: str) -> bytes:
        header, packed = seal.verify(token, self.central.sign_key, purpose, self._to_us)
        return wire.unpack(packed, header.dictionary)

    def _order(self, token: bytes) -> Order:
        _, payload = seal.verify(token, self.central.sign_key, "order", self._to_us)
        return messages.decode(payload, Order)


class Answers:
    """Puts the answers of a body together as their frames come: a reply with its pages."""

    def __init__(self, envelopes: Envelopes) -> None:
        self._envelopes = envelopes
        self._reply: Reply | None = None
        self._proof = b""
        self._orders: tuple[Order, ...] = ()
        self._pages: list[Page] = []

    def take(self, frame: bytes) -> Opened | None:
        """The next frame; gives the reply that is whole with it."""
        if self._reply is None:
            self._reply, self._proof, self._orders = self._envelopes.reply(frame)
        else:
            self._pages.append(self._envelopes.page(frame))
        return self._opened(cut=False) if len(self._pages) >= self._reply.pages else None

    def rest(self) -> Opened | None:
        """A reply whose last pages did not come: those that did may be used."""
        return None if self._reply is None else self._opened(cut=True)

    def _opened(self, cut: bool) -> Opened:
        assert self._reply is not None
        opened = Opened(self._reply, self._proof, tuple(self._pages), self._orders, cut)
        self._reply, self._pages = None, []
        return opened


def is_ack(frame: bytes) -> bool:
    """Does the frame say of itself that it answers one of a file?"""
    try:
        return seal.purpose_of(frame) == "ack"
    except Problem:
        return False


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
