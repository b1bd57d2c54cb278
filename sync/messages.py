"""Messages: what a laptop and central say to each other, as msgspec Structs.

All are encoded as msgpack arrays: fields are only ever appended, with a default. Changes and
decisions travel as the bytes they are stored as, so that hashes and signatures hold.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, TypeVar

import msgspec

from models.problems import Problem

REQUEST_NAME_BYTES = 16

BATCH_ENTRIES_MAX = 5000
VILLAGES_MAX = 1000
ASKED_MAX = 4096
VOLUMES_MAX = 1000
TOLD_MAX = 1 << 16
"""Most elements of a list in a message, checked against the number it begins with, before anything
is made of it: a few kilobytes of a packed message can say ten million elements."""

Villages = Annotated[list[str], msgspec.Meta(max_length=VILLAGES_MAX)]
Parts = Annotated[list[bytes], msgspec.Meta(max_length=TOLD_MAX)]
OWN = "@"
"""Name of a laptop's cell of own requests, among names of villages."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """How far a laptop has read: central's incarnation, number, and first bytes of its chain."""

    incarnation: bytes = b""
    server_seq: int = 0
    head: bytes = b""


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Consecutive entries of one log, whole transactions only.

    first: number of the first entry; prev and head: first eight bytes of the chain value before
    the first and after the last. The links between are derived.
    """

    first: int
    prev: bytes
    head: bytes
    entries: Annotated[list[bytes], msgspec.Meta(max_length=BATCH_ENTRIES_MAX)]


class Sight(msgspec.Struct, frozen=True, array_like=True):
    """What a laptop knows of its scope. scope: number of the newest it was told. fills: villages
    that are not whole here yet, each with its fill mark (see `Fill`). total: what its other cells
    add up to at its cursor (sync.digest), empty where it cannot tell. repairs: cells that are read
    again from the beginning because their sums differed; they stand among `fills` too. OWN stands
    for the cell of the requests that the laptop itself took in. recent: epoch and number up to
    which the index of recent requests is here (0, 0 for nothing); None where it is not wanted.
    reference: number of the package of reference data that holds here, of the one that is coming,
    and how many bytes of that are here; None where it is not wanted. rosters: first eight bytes
    of the names of the lists of residents that came from central, on sticks only."""

    scope: int = 0
    fills: Annotated[list[tuple[str, int]], msgspec.Meta(max_length=VILLAGES_MAX)] = []
    total: bytes = b""
    repairs: Villages = []
    recent: tuple[int, int] | None = None
    reference: tuple[int, int, int] | None = None
    rosters: Annotated[list[bytes], msgspec.Meta(max_length=VILLAGES_MAX)] = []


class Territory(msgspec.Struct, frozen=True, array_like=True):
    """A laptop's villages from now on, as a numbered order inside a signed reply: one with a lower
    number is old."""

    number: int
    villages: Villages


LOCKS = ("no_escrow", "shredded")
"""What a laptop may say of its own lock."""


class Health(msgspec.Struct, frozen=True, array_like=True):
    """How a laptop is, for the people who look after it; nothing is decided by it.

    unsent: entries that central has not proved to hold, with the Unix second in which the oldest
    was written (0 for none); files, file_bytes: still to be sent. disk: bytes that are free where
    its data is. drafts: forms begun and not submitted. battery: percent, -1 where nobody knows.
    lock: "no_escrow" where even the office could not open it (so that it obeys no order to lock
    itself), "shredded" once it obeyed one, else empty."""

    unsent: int = 0
    oldest: int = 0
    files: int = 0
    file_bytes: int = 0
    disk: int = 0
    drafts: int = 0
    battery: int = -1
    lock: str = ""


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A laptop's half of one round trip.

    number: counts this log's requests, so that no two are alike and no old reply fits.
    build: version of the program. at: the laptop's wall clock, Unix seconds. budget: bytes of
    pages it wants at most. batch: None when there is nothing to send. blobs: names of files whose
    state it wants to hear. sight: with those that ask for pages. echo: it can work out itself what
    only says what its own entries said. health: of the laptop, once in a sync.
    """

    number: int
    build: str
    at: int
    cursor: Cursor
    budget: int
    batch: Batch | None
    blobs: Annotated[list[bytes], msgspec.Meta(max_length=ASKED_MAX)] = []
    sight: Sight | None = None
    echo: bool = False
    health: Health | None = None


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """Central's proof: everything of `log` up to `seq` is stored, and the chain value is `head`.

    server_seq, server_head: central's own position. durable_seq: what survives the loss of the
    site (0 until a checked backup elsewhere says so). at: central's clock, Unix seconds.
    """

    log: bytes
    seq: int
    head: bytes
    incarnation: bytes
    server_seq: int
    server_head: bytes
    durable_seq: int
    at: int


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Entries first..last of the log have this outcome."""

    first: int
    last: int
    state: str
    case: bytes = b""
    problem: str = ""


class Order(msgspec.Struct, frozen=True, array_like=True):
    """A numbered order to one log, signed by itself and acted on once.

    kind: "rotate" (open a new log; `argument` is the number up to which the old one stands),
    "suspend", "active", or "shred" (nobody opens the laptop any more but the office).
    """

    log: bytes
    number: int
    kind: str
    argument: int = 0


class Manifest(msgspec.Struct, frozen=True, array_like=True):
    """What a file consists of, sent before its first chunk. hashes: SHA-256 of each chunk, one
    after the other; with `size` they hash to the file's name. Not signed: the name is."""

    blob: bytes
    size: int
    hashes: bytes


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of a file from `offset` on: a chunk, a part of one, or several in a row."""

    blob: bytes
    offset: int
    data: bytes


class BlobState(msgspec.Struct, frozen=True, array_like=True):
    """What central has of a file. missing: byte ranges [start, end) still wanted. known: it has the
    manifest. verified: all of it is stored and hashes to its name, as of decision `at`. problem:
    code of why it takes nothing more of it for now."""

    blob: bytes
    missing: Annotated[list[tuple[int, int]], msgspec.Meta(max_length=TOLD_MAX)]
    known: bool = False
    verified: bool = False
    at: int = 0
    problem: str = ""


class Ack(msgspec.Struct, frozen=True, array_like=True):
    """Between replies: state of the files that came along, signed. request: name of the newest
    request of the connection, so that no old one fits."""

    request: bytes
    blobs: Annotated[list[BlobState], msgspec.Meta(max_length=TOLD_MAX)]


class Branch(msgspec.Struct, frozen=True, array_like=True):
    """Central was put back from a backup and goes on under a new name.

    incarnation: the new one; parent: the one it goes on from, of which it has everything up to and
    with `number`. head: first bytes of the chain value there. base: number after which it goes on.
    """

    incarnation: bytes
    parent: bytes
    number: int
    head: bytes
    base: int


class Echo(msgspec.Struct, frozen=True, array_like=True):
    """Decisions that say nothing but what the laptop's own entries said, see `sync.echo`.

    server_seq, first: number of the first decision, and of the entry it is about. count: decisions
    in a row, each on the next transaction. at: central's clock when they were made. proof: first
    bytes of the SHA-256 of them all.
    """

    server_seq: int
    first: int
    count: int
    at: int
    proof: bytes


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """First frame of central's half.

    request: name of the request it answers (see `name_of`). missing: entries that have to come
    before the ones just sent can be judged. orders: signed orders. upper: number up to which the
    pages of this reply go, with the chain value there; more: ask again for the rest. blobs: state
    of the files asked for, and of those that came along. lineage: every restore of central, oldest
    first, for a laptop that last read another incarnation; it gets no pages then. scope: the
    laptop's villages, where it knows an older number. echoes: decisions left out of the pages.
    sums: what each cell of the laptop adds up to at its cursor, where the total differs.
    """

    request: bytes
    checkpoint: Checkpoint
    outcomes: Annotated[list[Told], msgspec.Meta(max_length=TOLD_MAX)]
    missing: tuple[int, int] | None
    orders: Parts
    pages: int
    upper: Cursor
    more: bool
    blobs: Annotated[list[BlobState], msgspec.Meta(max_length=TOLD_MAX)] = []
    lineage: Annotated[list[Branch], msgspec.Meta(max_length=TOLD_MAX)] = []
    scope: Territory | None = None
    echoes: Annotated[list[Echo], msgspec.Meta(max_length=TOLD_MAX)] = []
    sums: Annotated[list[tuple[str, bytes]], msgspec.Meta(max_length=TOLD_MAX)] = []


class Fill(msgspec.Struct, frozen=True, array_like=True):
    """Requests of a village, whole (`sync.state.Whole`), in the order in which they were created:
    those created by decisions up to number `mark`. done: there are no more."""

    cell: str
    wholes: Parts
    mark: int
    done: bool


class Recent(msgspec.Struct, frozen=True, array_like=True):
    """A part of the index of recent requests (sync.recent), of those said by decisions up to
    `number`. epoch: of the key; key: itself, with the first part. done: that is all there is.
    since: day (since 1970) before which nothing counts any more. groups: entries as (place of the
    office in `offices`, day, marks one behind the other)."""

    epoch: int
    key: bytes
    number: int
    done: bool
    since: int
    offices: Annotated[list[str], msgspec.Meta(max_length=TOLD_MAX)] = []
    groups: Annotated[list[tuple[int, int, bytes]], msgspec.Meta(max_length=TOLD_MAX)] = []


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of a package of reference data (sync.reference) from `offset` on. size, digest: of the
    whole signed package."""

    number: int
    size: int
    digest: bytes
    offset: int
    data: bytes


class Page(msgspec.Struct, frozen=True, array_like=True):
    """Decisions in the laptop's scope, whole and in order, up to and with number `upto`. One with a
    `fill` has no decisions; it says how requests stand at `upto`, and comes after the others; one
    with a part of the index, or a piece of a package, comes last."""

    request: bytes
    index: int
    decisions: Parts
    upto: int
    fill: Fill | None = None
    recent: Recent | None = None
    piece: Piece | None = None


class Enrolment(msgspec.Struct, frozen=True, array_like=True):
    """A new log asks to be known: the invitation as central signed it, and its opening.

    proof: HMAC-SHA256 of the opening under the invitation's one-time secret. escrow: the vault's
    key sealed to the office recovery key.
    """

    invitation: bytes
    opening: bytes
    proof: bytes
    escrow: bytes


class Invitation(msgspec.Struct, frozen=True, array_like=True):
    """What a laptop needs to start work, also without any network: who it is and for whom.

    url: central's address. sign_key, seal_key: central's public keys. recovery_key: the office's
    X25519 key for escrow. device: 16 bytes. office: kind and name. block: of tracking codes.
    grant: number of its authority. villages: its scope. operator: first person. secret: one-time.
    expires: Unix seconds.
    """

    url: str
    sign_key: bytes
    seal_key: bytes
    recovery_key: bytes
    incarnation: bytes
    device: bytes
    office_kind: str
    office_name: str
    block: int
    grant: int
    villages: Villages
    operator: str
    secret: bytes
    expires: int


class Certificate(msgspec.Struct, frozen=True, array_like=True):
    """Central knows the log: its device, block, grant and scope as they stand."""

    log: bytes
    device: bytes
    block: int
    grant: int
    villages: Villages
    incarnation: bytes
    at: int


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Entries first..last of one log."""

    log: bytes
    first: int
    last: int


class Contents(msgspec.Struct, frozen=True, array_like=True):
    """What each volume of a USB bundle for central holds; every volume carries the whole list, so
    that whoever has one can name the others.

    bundle: its 8 random bytes. at: the laptop's wall clock, Unix seconds. volumes: the entries in
    volume 1, 2, …. sight: what the laptop knows of its scope.
    """

    bundle: bytes
    at: int
    volumes: Annotated[
        list[Annotated[list[Span], msgspec.Meta(max_length=ASKED_MAX)]],
        msgspec.Meta(max_length=VOLUMES_MAX),
    ]
    sight: Sight = Sight()


class Terms(msgspec.Struct, frozen=True, array_like=True):
    """Under which a list of residents may be kept. village: region code; source: who gave it.
    list_date, expires: ISO dates; expires: the last day. legal_basis: the agreement or rule."""

    village: str
    source: str
    list_date: str
    legal_basis: str
    expires: str


class RosterPage(msgspec.Struct, frozen=True, array_like=True):
    """Bytes from `offset` on of the file of a list of residents, in a bundle for a laptop of that
    village. request: stands for the name of a request, as in the first reply of the bundle. roster:
    SHA-256 of the whole file, of `size` bytes."""

    request: bytes
    roster: bytes
    size: int
    offset: int
    data: bytes
    terms: Terms


class Return(msgspec.Struct, frozen=True, array_like=True):
    """Head of a USB bundle of central for one log, in every volume of it.

    number: counts the bundles for this log. start, upper: it tells what was decided after `start`,
    up to and with `upper`. parts: how many replies it holds, each with its pages.
    """

    bundle: bytes
    log: bytes
    number: int
    at: int
    start: Cursor
    upper: Cursor
    parts: int


Message = TypeVar("Message", bound=msgspec.Struct)
_encoder = msgspec.msgpack.Encoder()
_decoders: dict[type, msgspec.msgpack.Decoder[msgspec.Struct]] = {}


def encode(message: msgspec.Struct) -> bytes:
    """Msgpack bytes of a message."""
    return _encoder.encode(message)


def decode(data: bytes, kind: type[Message]) -> Message:
    """The message of that kind in `data`; raises Problem("sync.malformed") for anything else."""
    if kind not in _decoders:
        _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        message = _decoders[kind].decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("sync.malformed") from None
    assert isinstance(message, kind)
    return message


def name_of(request: bytes) -> bytes:
    """Name of an encoded request; replies and pages carry it, so none fits another request."""
    return hashlib.sha256(b"jb1-request" + request).digest()[:REQUEST_NAME_BYTES]
