"""Visit: one connection of a laptop, its frames taken one after the other.

Each request is stored durably and decided before its answer is made, so whatever was answered stays
if the next byte never comes. A request may be packed in the light of those before it in the same
body; its signature then covers the name of the one before, so nothing can be put in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.problems import Problem
from sync import messages, seal, wire
from sync.known import LogState
from sync.messages import Ack, BlobState, Chunk, Manifest, Request

if TYPE_CHECKING:
    from server.reception import Reception


class Visit:
    """Takes the frames of one body. Not for several threads at once."""

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self._unpacker = wire.Unpacker()
        self._before = b""
        self._log: LogState | None = None

    def take(self, frame: bytes) -> list[bytes]:
        """Keep what the frame brings, give the frames that answer it. Raises Problem for anything
        that is not whole and signed, or not the laptop's that began; then nothing of it is kept."""
        purpose = seal.purpose_of(frame)
        if purpose == "request":
            return self._request(frame)
        if purpose in ("manifest", "chunk") and self._log is not None:
            return self._piece(frame, purpose, self._log)
        raise Problem("sync.seal")

    def _request(self, frame: bytes) -> list[bytes]:
        log, payload = self._open(frame)
        request = messages.decode(payload, Request)
        name = messages.name_of(payload)
        self._log, self._before = log, name
        reply, pages = self.reception.respond(log.id, request, name)
        return self.reception.closed(log, reply, pages)

    def _open(self, frame: bytes) -> tuple[LogState, bytes]:
        """The log that signed a request and the request's payload, both verified."""
        me = self.reception.identity
        token = seal.unseal(frame, me, "request")
        header = seal.peek(token)
        log = self._log or self.reception.known(header.signer)
        if header.signer != log.id:
            raise Problem("sync.malformed")
        after = self._before if header.dictionary < 0 else b""
        to = seal.audience(me.seal_key)
        header, packed = seal.verify(token, log.key, "request", to, after)
        return log, self._unpacker.unpack(packed, header.dictionary)

    def _piece(self, frame: bytes, purpose: str, log: LogState) -> list[bytes]:
        """A manifest or bytes of a file: not signed, since the file's name in a change is. One that
        was altered on the way is answered with no state at all, and comes again alone."""
        at = self.reception.clock()
        manifests: list[Manifest] = []
        chunks: list[Chunk] = []
        try:
            data = seal.unseal(frame, self.reception.identity, purpose)
            if purpose == "manifest":
                manifests.append(messages.decode(data, Manifest))
            else:
                chunks.append(messages.decode(data, Chunk))
        except Problem:
            states: list[BlobState] = []
        else:
            states = self.reception.files(log, manifests, chunks, at)
        return [self.reception.frame(messages.encode(Ack(self._before, states)), "ack", log)]
