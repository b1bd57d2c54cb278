"""Bundle: the same frames by USB stick, cut into volumes that anybody may carry and nobody open.

A volume is a file:

    "JBB" version | size of header (2) | header | sealed frames | SHA-256 of all before (32)

The header is plain and says nothing of anybody: a random name, which volume of how many, for whom.
It is bound into the seal (HPKE `info`), so a volume opens whole or not at all; the hash at the end
lets a carrier who cannot open it see that it is whole. Inside stand the frames of the network road
(sync/wire.py), each signed and sealed by itself, so a volume may come first, last, alone or twice.

To central: `contents`, `enrol` where the log may not be known yet, then requests and files.
To a laptop: `return`, `enrol` with its certificate, then replies with their pages. Nothing on this
way was asked for by a request, so each reply and page is bound to log, bundle number and part
instead (`answer_name`): none acts on another log, in another bundle or as an answer on the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

import msgspec

from models.ids import ALPHABET
from models.problems import Problem
from sync import seal, wire
from sync.exchange import (
    Absorbed,
    Acknowledged,
    Furthered,
    HeadAt,
    Indexed,
    Ordered,
    Position,
    Scoped,
    Settled,
    Step,
    filled,
    rewound,
)
from sync.identity import Identity
from sync.lineage import descends
from sync.logs import log_id
from sync.messages import (
    VOLUMES_MAX,
    BlobState,
    Checkpoint,
    Cursor,
    Fill,
    Order,
    Page,
    Reply,
    Return,
    decode,
)
from sync.state import Decision

MAGIC = b"JBB"
VERSION = 1
SUFFIX = ".jbb"
WORK, RETURN, VOYAGE = "work", "return", "voyage"
"""Purposes of a bundle: a laptop's work for central; what central decided; all a laptop needs."""

NAME_BYTES = 8
DIGEST_BYTES = 32
VOLUME_BYTES_MAX = 4 * 1024 * 1024
VOLUME_LOADS_MAX = 450
"""Loads, of two frames at most, beside the frames that every volume begins with."""

_FIXED = len(MAGIC) + 1 + 2
_HEADER_BYTES_MAX = 128
_FRAME_LENGTH = 4
OVERHEAD = _FIXED + _HEADER_BYTES_MAX + 64 + DIGEST_BYTES
"""Bytes of a volume that are not frames: plain parts, seal, hash; rounded up."""

WORDS = 4
_WORD_BITS = 11
_LABEL_SYMBOLS = 6


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What anybody can read: purpose, random name of the bundle, volume k of n, short name of the
    recipient's key (8 bytes), bytes of the sealed part."""

    purpose: str
    name: bytes
    k: int
    n: int
    recipient: bytes
    size: int


class Volume(msgspec.Struct, frozen=True):
    """A volume that is whole. plain: the header as it stands in the file; digest: of the file."""

    header: Header
    plain: bytes
    body: bytes
    digest: bytes


# -- files


def close(frames: Iterable[bytes], purpose: str, name: bytes, k: int, n: int, to: bytes) -> bytes:
    """The file of volume k of n. to: the recipient's raw X25519 public key."""
    joined = wire.join_frames(frames)
    header = Header(purpose, name, k, n, seal.audience(to), seal.sealed_size(len(joined)))
    plain = msgspec.msgpack.encode(header)
    start = MAGIC + bytes([VERSION]) + len(plain).to_bytes(2, "big") + plain
    whole = start + seal.seal(joined, to, "bundle", start)
    data = whole + hashlib.sha256(whole).digest()
    if len(data) > VOLUME_BYTES_MAX or n > VOLUMES_MAX:
        raise Problem("bundle.too_large", limit=VOLUME_BYTES_MAX)
    return data


def parse(data: bytes, file: str = "") -> Volume:
    """Read a file without opening it. file: its name, for the words.

    Problems: bundle.foreign, bundle.version, bundle.truncated, bundle.altered, bundle.too_large.
    """
    if len(data) > VOLUME_BYTES_MAX:
        raise Problem("bundle.too_large", limit=VOLUME_BYTES_MAX)
    if not data.startswith(MAGIC):
        raise Problem("bundle.foreign", file=file)
    if len(data) < _FIXED:
        raise Problem("bundle.truncated", file=file)
    if data[len(MAGIC)] != VERSION:
        raise Problem("bundle.version", file=file, version=data[len(MAGIC)])
    end = _FIXED + int.from_bytes(data[_FIXED - 2 : _FIXED], "big")
    header = _header(data[_FIXED:end], file) if end <= len(data) else None
    if header is None or len(data) < end + header.size + DIGEST_BYTES:
        raise Problem("bundle.truncated", file=file)
    whole, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if len(whole) != end + header.size or hashlib.sha256(whole).digest() != digest:
        raise Problem("bundle.altered", file=file)
    return Volume(header, whole[:end], whole[end:], digest)


def _header(plain: bytes, file: str) -> Header:
    try:
        header = msgspec.msgpack.decode(plain, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem("bundle.altered", file=file) from None
    known = header.purpose in (WORK, RETURN, VOYAGE) and len(header.name) == NAME_BYTES
    placed = 1 <= header.k <= header.n <= VOLUMES_MAX and 0 < header.size <= VOLUME_BYTES_MAX
    if not (known and placed and len(header.recipient) == seal.AUDIENCE_BYTES):
        raise Problem("bundle.altered", file=file)
    return header


def frames_of(volume: Volume, identity: Identity) -> list[bytes]:
    """The frames inside, for their recipient. Problems: bundle.other_recipient, bundle.altered."""
    if volume.header.recipient != seal.audience(identity.seal_key):
        raise Problem("bundle.other_recipient", bundle=label(volume.header.name))
    try:
        return wire.split_frames(seal.unseal(volume.body, identity, "bundle", volume.plain))
    except Problem:
        raise Problem("bundle.altered", file=label(volume.header.name)) from None


# -- frames


def frame(message: bytes, purpose: str, me: Identity, to: bytes) -> bytes:
    """A message as it also travels over the network: packed, signed, sealed to the key `to`."""
    fast = len(message) > wire.FRAME_BYTES_MAX // 32
    header = seal.Header(log_id(me.sign_key), purpose, seal.audience(to), wire.DICTIONARY)
    token = seal.sign(wire.pack(message, wire.DICTIONARY, fast=fast), me, header)
    return seal.seal(token, to, purpose)


def purpose_of(frame: bytes) -> str:
    """What a sealed frame says it is, by its plain outer header; empty for what is unknown."""
    number = frame[1] if len(frame) > 1 else len(seal.PURPOSES)
    return seal.PURPOSES[number] if number < len(seal.PURPOSES) else ""


def unpacked(token: bytes, key: bytes, purpose: str, me: Identity) -> bytes:
    """The message in a signed token, once `key` is shown to have signed it for `me`."""
    header, packed = seal.verify(token, key, purpose, seal.audience(me.seal_key))
    return wire.unpack(packed, header.dictionary)


def cut(sizes: Sequence[int], lead: int, most: int = VOLUME_BYTES_MAX) -> list[range]:
    """Which loads go into which volume, in order. sizes: of the loads; lead: bytes that every
    volume begins with; most: bytes of a volume. There is always one volume."""
    room = most - OVERHEAD - lead
    cuts: list[range] = []
    start = used = 0
    for i, size in enumerate(sizes):
        if size + _FRAME_LENGTH > room:
            raise Problem("bundle.too_large", limit=most)
        full = used + size + _FRAME_LENGTH > room or i - start >= VOLUME_LOADS_MAX
        if i > start and full:
            cuts.append(range(start, i))
            start, used = i, 0
        used += size + _FRAME_LENGTH
    return [*cuts, range(start, len(sizes))]


# -- names for people


@cache
def word_list() -> tuple[str, ...]:
    """2048 Indonesian words; no two sound alike on a bad line or differ by one letter."""
    text = resources.files("sync").joinpath("data", "words.txt").read_text("ascii")
    return tuple(text.split())


def words(name: bytes, digests: Sequence[bytes]) -> tuple[str, ...]:
    """Four words for the telephone: of the bundle's name and the hashes of all its volumes in
    order. Who reads out the same words holds the same files; 44 bits."""
    whole = hashlib.sha256(b"jb1-words" + name + b"".join(digests)).digest()
    number = int.from_bytes(whole[:8], "big") >> 64 - WORDS * _WORD_BITS
    known = word_list()
    places = [(number >> i * _WORD_BITS) % len(known) for i in reversed(range(WORDS))]
    return tuple(known[place] for place in places)


def label(name: bytes) -> str:
    """`K-3F7K92`: what people call a bundle, from its random name."""
    number = int.from_bytes(name[:4], "big") >> 2
    symbols = [ALPHABET[number >> i * 5 & 31] for i in reversed(range(_LABEL_SYMBOLS))]
    return "K-" + "".join(symbols)


def file_name(name: bytes, k: int, n: int) -> str:
    """Name of a volume's file: nothing in it speaks of anybody."""
    return f"{label(name)}-{k:0{len(str(n))}}of{n}{SUFFIX}"


def missing(headers: Iterable[Header]) -> list[int]:
    """Numbers of the volumes that are not among `headers`, all of one bundle."""
    there = {header.k: header.n for header in headers}
    n = max(there.values(), default=0)
    return [k for k in range(1, n + 1) if k not in there]


# -- what central's bundle means for a laptop


def answer_name(log: bytes, name: bytes, number: int, part: int) -> bytes:
    """Stands in the replies and pages of a return bundle where on the network the name of the
    request stands. The bundle's own name is in it because a central that was put back from a backup
    counts on from an earlier number."""
    place = number.to_bytes(8, "big") + part.to_bytes(4, "big")
    return hashlib.sha256(b"jb1-return" + log + name + place).digest()[:16]


class Part(msgspec.Struct):
    """One reply of a return bundle with the pages that came, by index. proof: its signed frame."""

    reply: Reply
    proof: bytes
    pages: dict[int, Page] = {}


class Verdict(msgspec.Struct):
    """What a return bundle does to this laptop.

    state: "fresh"; "known", everything in it was read already; "gap", it begins after what this
    laptop has read and does nothing; "rewound", central was restored: write the steps, and judge
    again from where the laptop stands then; or "parted", it is of a history that does not go on
    from this laptop's and is newer than all it has heard: the two have to talk. whole: nothing of
    it is missing. files: how files of this log stand at central, as of `proof`.
    """

    state: str
    steps: list[Step] = []
    whole: bool = True
    files: list[BlobState] = []
    proof: Checkpoint | None = None


def judge(
    position: Position,
    head_at: HeadAt,
    known: Checkpoint | None,
    told: Return,
    parts: Sequence[Part | None],
    orders: Sequence[Order],
) -> Verdict:
    """What the store has to write, in order. Pure.

    position: of the log the bundle is for. known: the newest checkpoint this laptop holds. parts:
    in order, None where a volume is missing. orders: of the newest part, signatures checked.

    Decisions are taken from the cursor on, so what radio brought meanwhile is passed over. Orders
    and proofs count only when they are newer than what is known. Raises Problem for a bundle of
    another log.
    """
    here = position.cursor
    if told.log != position.log:
        raise Problem("sync.forged_reply")
    if here.incarnation not in (b"", told.upper.incarnation):
        return _other_history(position, head_at, known, told, parts)
    if told.start.server_seq > here.server_seq:
        return Verdict("gap")
    if told.upper.server_seq < here.server_seq:
        return Verdict("known")
    verdict = Verdict("fresh", [])
    first = parts[0] if parts else None
    if first is not None:
        proofs = _proofs(position, head_at, known, first)
        if proofs:
            verdict.files, verdict.proof = first.reply.blobs, first.reply.checkpoint
        verdict.steps += proofs
        fresh = [o for o in orders if o.log == position.log and o.number > position.order]
        verdict.steps += [Ordered(o) for o in sorted(fresh, key=lambda o: o.number)]
        if first.reply.scope is not None:
            verdict.steps.append(Scoped(first.reply.scope))
    verdict.whole = _absorb(verdict.steps, here, parts)
    return verdict


def _other_history(
    position: Position,
    head_at: HeadAt,
    known: Checkpoint | None,
    told: Return,
    parts: Sequence[Part | None],
) -> Verdict:
    """Central was restored since this laptop last read it, or since the bundle was made. Only a
    history that goes on from the laptop's own is followed: a stick may be old."""
    first = parts[0] if parts else None
    if first is None:
        return Verdict("fresh", whole=False)
    mine, theirs = position.cursor.incarnation, told.upper.incarnation
    if not descends(theirs, mine, first.reply.lineage):
        return Verdict("known" if known is not None and told.at <= known.at else "parted")
    return Verdict("rewound", [rewound(position, head_at, first.reply)])


def _proofs(
    position: Position, head_at: HeadAt, known: Checkpoint | None, part: Part
) -> list[Step]:
    """Checkpoint and outcomes, unless a newer checkpoint is known or this laptop's log went
    another way since (then it is for the exchange to sort that out)."""
    said = part.reply.checkpoint
    if said.log != position.log:
        raise Problem("sync.forged_reply")
    older = known is not None and known.incarnation == said.incarnation
    if known is not None and older and known.server_seq > said.server_seq:
        return []
    if not position.stored <= said.seq <= position.last or head_at(said.seq) != said.head:
        return []
    steps: list[Step] = [Acknowledged(said, part.proof)]
    if part.reply.outcomes:
        steps.append(Settled(tuple(part.reply.outcomes)))
    return steps


def _absorb(steps: list[Step], cursor: Cursor, parts: Sequence[Part | None]) -> bool:
    """Add the pages in their order up to the first one that is missing; True if none is."""
    at = cursor.server_seq
    passed: set[str] = set()
    for part in parts:
        if part is None:
            return False
        upper = part.reply.upper
        for index in range(part.reply.pages):
            page = part.pages.get(index)
            if page is None:
                return False
            if page.upto > upper.server_seq:
                raise Problem("sync.malformed")
            if page.upto > at:
                decisions = tuple(d for d in map(_decision, page.decisions) if d.server_seq > at)
                at = page.upto
                head = upper.head if at == upper.server_seq else b""
                steps.append(Absorbed(decisions, Cursor(upper.incarnation, at, head)))
            if page.fill is not None:
                _fill(steps, page, page.fill, at, passed)
            if page.recent is not None:
                steps.append(Indexed(page.recent, page.upto))
            if page.piece is not None:
                steps.append(Furthered(page.piece))
        if upper.server_seq > at or not cursor.incarnation:
            at = max(at, upper.server_seq)
            steps.append(Absorbed((), upper))
    return True


def _fill(steps: list[Step], page: Page, fill: Fill, at: int, passed: set[str]) -> None:
    """A village is filled as it stands at the cursor, and without a gap: a page that speaks of an
    earlier number is passed over, and so are those of its village after it."""
    if page.upto == at and fill.cell not in passed:
        steps.append(filled(fill))
    else:
        passed.add(fill.cell)


def _decision(data: bytes) -> Decision:
    try:
        return msgspec.msgpack.decode(data, type=Decision)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("sync.malformed") from None


def read_return(token: bytes, central: bytes, me: Identity) -> Return:
    """The head of a return bundle, signed by central's key for this log."""
    told = decode(unpacked(token, central, "return", me), Return)
    if told.log != log_id(me.sign_key):
        raise Problem("sync.forged_reply")
    return told
