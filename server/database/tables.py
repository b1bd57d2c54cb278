"""Tables of the register, the same on SQLite and PostgreSQL.

Whatever grows carries the code of its kabupaten/kota (`city`) as the first part of its key, so that
one database can hold several cities side by side and a large one can be split by it. What was
signed or judged stands as the bytes it was (`data`); columns beside it are promoted from them to be
searched by. Projections (records, cases, keys, waiting) can be made again from the decisions.

Ids are 16 bytes, chain values and digests 32. Times are central's clock in Unix seconds unless
said otherwise; numbers are 64 bits wide, since `server_seq` starts a fresh block of 2^40 after
every restore.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, MetaData, text
from sqlmodel import Field, SQLModel

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

NARROW = {"sqlite_with_rowid": False}
"""SQLite keeps such a table in the order of its key, without a second tree."""


def _where(condition: str) -> dict[str, Any]:
    """For an index of some rows only."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Table(SQLModel):
    """Base of all rows; its `metadata` is the whole schema."""

    # Rows are read and written as columns; Pydantic validates none, and no start of central should
    # wait until it is prepared to.
    model_config = {"defer_build": True}
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def pk() -> Any:
    """A part of the primary key."""
    return Field(primary_key=True)


def big(default: int | None = 0) -> Any:
    """A 64-bit number."""
    return Field(default=default, sa_type=BigInteger)


def big_pk() -> Any:
    """A 64-bit number that is part of the primary key."""
    return Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


def _of_log() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["city", "log"], ["logs.city", "logs.id"])


class CounterRow(Table, table=True):
    """Where a city stands. Whoever writes anything locks this row first.

    head: chain value of the newest decision; opening: the value before the first one, which has
    number `base` + 1. next_block: block of tracking codes the next laptop gets.
    """

    __tablename__ = "counters"
    city: str = pk()
    incarnation: bytes
    base: int = big()
    opening: bytes
    server_seq: int = big()
    head: bytes
    durable_seq: int = big()
    next_block: int = 1
    audit_n: int = big()
    audit_head: bytes


class IncarnationRow(Table, table=True):
    """A restore of central: its new name, the one it goes on from, of which it has everything up to
    `number` (chain value `head`), and the number after which it goes on. confirmed_by: the
    supervisor who looked at the list of laptops; empty until then, while intake is closed."""

    __tablename__ = "incarnations"
    __table_args__ = (NARROW,)
    city: str = pk()
    incarnation: bytes = pk()
    parent: bytes
    number: int = big()
    head: bytes
    base: int = big()
    at: int = big()
    confirmed_by: str = ""


# -- laptops and their logs


class DeviceRow(Table, table=True):
    """A laptop: what it was invited for and its state. villages: msgpack list of codes. lent:
    msgpack list of (code, Unix seconds until). scope_no: number of its scope when it was last set;
    each village of which the loan has ended counts one more."""

    __tablename__ = "devices"
    __table_args__ = (
        Index("uq_devices_name", "city", "name", unique=True),
        Index("uq_devices_block", "city", "block", unique=True),
    )
    city: str = pk()
    id: bytes = pk()
    name: str
    office_kind: str
    office_name: str
    block: int
    grant_no: int
    villages: bytes
    state: str
    operator: str
    invited_at: int = big()
    invited_by: str
    expires: int = big()
    lent: bytes = b"\x90"
    scope_no: int = 1


class LogRow(Table, table=True):
    """A log: its keys, its stored prefix, and when its laptop last called.

    state, limit_seq: entries beyond the limit are not judged without a person. case_id: its open
    after-lost case. book: msgpack of operators and sessions. escrow: the laptop's vault key sealed
    to the office recovery key. orders_given: number of its newest order. heard_clock: the laptop's
    own clock when it last called. heard_health: what it last said of itself, `sync.messages.Health`
    as msgpack; empty for one that never did.
    """

    __tablename__ = "logs"
    __table_args__ = (Index("ix_logs_device", "city", "device", "opened_at"),)
    city: str = pk()
    id: bytes = pk()
    device: bytes
    key: bytes
    seal_key: bytes
    opening: bytes
    parent: bytes = b""
    parent_seq: int = big()
    escrow: bytes = b""
    central: bool = False
    opened_at: int = big()
    state: str
    limit_seq: int | None = big(None)
    block: int = 0
    grant_no: int = 1
    seq: int = big()
    head: bytes
    case_id: bytes = b""
    book: bytes
    orders_given: int = 0
    heard_at: int = big()
    heard_clock: int = big()
    heard_build: str = ""
    heard_cursor: int = big()
    heard_health: bytes = b""


class EntryRow(Table, table=True):
    """One stored entry of a log, its bytes as they were signed, and its current outcome.

    decided: number of the decision that gave the outcome, 0 while it waits. mark: bits, see
    server.database.loading.
    """

    __tablename__ = "entries"
    __table_args__ = (
        _of_log(),
        Index("ix_entries_record", "city", "record"),
        Index(
            "ix_entries_operators",
            "city",
            "log",
            "seq",
            sqlite_where=text("kind = 'operator'"),
            postgresql_where=text("kind = 'operator'"),
        ),
    )
    city: str = pk()
    log: bytes = pk()
    seq: int = big_pk()
    data: bytes
    head: bytes
    kind: str
    record: bytes = b""
    state: str
    case_id: bytes = b""
    problem: str = ""
    part: str = ""
    mark: int = 0
    decided: int = big()
    received_at: int = big()


class AheadRow(Table, table=True):
    """An entry kept beyond a gap; head is whatever is known of its place in the chain."""

    __tablename__ = "ahead"
    __table_args__ = (_of_log(),)
    city: str = pk()
    log: bytes = pk()
    seq: int = big_pk()
    digest: bytes = pk()
    head: bytes = b""
    data: bytes


class ForkRow(Table, table=True):
    """An entry of another branch of a log. What is kept here is shown to people, never judged."""

    __tablename__ = "forks"
    __table_args__ = (_of_log(),)
    city: str = pk()
    log: bytes = pk()
    seq: int = big_pk()
    head: bytes = pk()
    data: bytes


class OrderRow(Table, table=True):
    """A numbered order to one log."""

    __tablename__ = "orders"
    __table_args__ = (_of_log(),)
    city: str = pk()
    log: bytes = pk()
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str
    argument: int = big()


class AttemptRow(Table, table=True):
    """Attempts at judging that were begun and have not ended: what ended the process shows here."""

    __tablename__ = "attempts"
    __table_args__ = (NARROW,)
    city: str = pk()
    log: bytes = pk()
    seq: int = big_pk()
    scope: str = pk()
    begun: int


# -- decisions and what they add up to


class DecisionRow(Table, table=True):
    """A decided transaction, encoded as it is hashed into central's chain and told to laptops."""

    __tablename__ = "decisions"
    city: str = pk()
    server_seq: int = big_pk()
    data: bytes
    head: bytes
    at: int = big()
    log: bytes
    first: int = big()
    actor: str = ""


class DecisionCellRow(Table, table=True):
    """Where a decision is found: the villages, devices and records it concerns.

    cell: a village's code in UTF-8, or the 16 bytes of a device or a record. total: of a village or
    device, what it added up to after this decision (sync.digest), on the last of those saved
    together; none on the others, and on those from before sums were kept.
    """

    __tablename__ = "decision_cells"
    __table_args__ = (NARROW,)
    city: str = pk()
    cell: bytes = pk()
    server_seq: int = big_pk()
    total: bytes | None = None


class RecordRow(Table, table=True):
    """A request. data: msgpack of sync.state.Record.

    village and device are its scope; its village moves with its address. created, changed: numbers
    of decisions; created_at, changed_at: their times. cases: how many are open. block, number: its
    tracking code, none after a collision. name: of the subject, name_key: normalised, to search by.
    """

    __tablename__ = "records"
    __table_args__ = (
        Index("uq_records_code", "city", "block", "number", unique=True),
        Index("ix_records_created", "city", "created", "id"),
        Index("ix_records_status", "city", "status", "created", "id", "created_at"),
        Index("ix_records_village", "city", "village", "created", "id"),
        Index("ix_records_device", "city", "device", "created", "id"),
        Index("ix_records_service", "city", "service", "created", "id"),
        Index("ix_records_nik", "city", "nik", "created", "id"),
        Index("ix_records_disputed", "city", "created", "id", **_where("cases > 0")),
    )
    city: str = pk()
    id: bytes = pk()
    service: str
    edition: int
    status: str
    village: str
    device: bytes
    block: int | None = None
    number: int | None = None
    name: str = ""
    name_key: str = ""
    nik: str = ""
    kept: bytes = b""
    cases: int = 0
    created: int = big()
    created_at: int = big()
    changed: int = big()
    changed_at: int = big()
    data: bytes


class RecordNameRow(Table, table=True):
    """A word of the name a request is about (models.names.search_words, UTF-8: both databases
    compare bytes alike). created: of the request, so that the newest are found first."""

    __tablename__ = "record_names"
    __table_args__ = (Index("ix_record_names_record", "city", "record", "word"), NARROW)
    city: str = pk()
    word: bytes = pk()
    created: int = big_pk()
    record: bytes = pk()


class RecordKeyRow(Table, table=True):
    """A duplicate key that an open request holds."""

    __tablename__ = "record_keys"
    __table_args__ = (Index("ix_record_keys_record", "city", "record"), NARROW)
    city: str = pk()
    key: str = pk()
    record: bytes = pk()


class RecentRow(Table, table=True):
    """By what a request may be known again (`Service.traces`). number: of the decision that said
    so; device: that took it in; at: when it was created."""

    __tablename__ = "recents"
    __table_args__ = (
        Index("ix_recents_number", "city", "number"),
        Index("ix_recents_at", "city", "at"),
        NARROW,
    )
    city: str = pk()
    record: bytes = pk()
    trace: str = pk()
    number: int = big()
    device: bytes
    at: int = big()


class PackageRow(Table, table=True):
    """A package of reference data as it was signed (sync.reference). by: who published it."""

    __tablename__ = "packages"
    city: str = pk()
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = big()
    by: str
    title: str
    digest: bytes
    data: bytes


class RosterRow(Table, table=True):
    """A village's list of residents that is given to laptops of the village by stick. digest:
    SHA-256 of its file; data: the file, sealed. terms: msgpack of sync.messages.Terms; expires: ISO
    date."""

    __tablename__ = "rosters"
    __table_args__ = (Index("uq_rosters_source", "city", "village", "source", unique=True),)
    city: str = pk()
    digest: bytes = pk()
    village: str
    source: str
    expires: str
    terms: bytes
    size: int
    at: int = big()
    by: str
    data: bytes


class CaseRow(Table, table=True):
    """A case. data: msgpack of sync.state.Case. opened, changed: numbers of decisions."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_state", "city", "state", "opened", "id"),
        Index("ix_cases_kind", "city", "kind", "opened", "id"),
    )
    city: str = pk()
    id: bytes = pk()
    kind: str
    state: str
    opened: int = big()
    changed: int = big()
    data: bytes


class CaseRecordRow(Table, table=True):
    """The requests a case is about."""

    __tablename__ = "case_records"
    __table_args__ = (Index("ix_case_records_case", "city", "case_id", "record"), NARROW)
    city: str = pk()
    record: bytes = pk()
    case_id: bytes = pk()


class WaitingRow(Table, table=True):
    """Entry (log, seq) waits for a request, or behind what waits for it."""

    __tablename__ = "waiting"
    __table_args__ = (NARROW,)
    city: str = pk()
    record: bytes = pk()
    log: bytes = pk()
    seq: int = big_pk()


class ConfirmationRow(Table, table=True):
    """A step of the lifecycle that waits for its second person."""

    __tablename__ = "confirmations"
    city: str = pk()
    record: bytes = pk()
    action: str
    source: str
    reason: str
    by: str
    at: int = big()


# -- files of requests


class AnnouncedRow(Table, table=True):
    """A log has spoken of a file, so it may bring it and ask for it. size: of the file, the most it
    may have for a preview. record: the request it was put to."""

    __tablename__ = "announced"
    __table_args__ = (Index("ix_announced_record", "city", "record"), NARROW)
    city: str = pk()
    log: bytes = pk()
    blob: bytes = pk()
    record: bytes
    size: int = big()
    preview: bool = False


class BlobRow(Table, table=True):
    """A file of which the manifest is known. hashes: SHA-256 of each chunk, one after the other.
    covered: number of the newest decision when all of it was here and verified; none before. at:
    when that was; 0 where it was once and is not any more."""

    __tablename__ = "blobs"
    __table_args__ = (Index("ix_blobs_lost", "city", "id", **_where("covered IS NULL AND at = 0")),)
    city: str = pk()
    id: bytes = pk()
    size: int = big()
    hashes: bytes
    covered: int | None = big(None)
    at: int = big()


class BlobDayRow(Table, table=True):
    """Bytes of files a laptop brought on a day (days since 1970)."""

    __tablename__ = "blob_days"
    __table_args__ = (NARROW,)
    city: str = pk()
    device: bytes = pk()
    day: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    amount: int = big()


# -- bundles by USB stick


class BundleRow(Table, table=True):
    """A bundle that came from a laptop, or was made for one.

    name: its 8 random bytes. n: volumes. number: counts those for one log; of one that came, the
    highest number of a request in its first volume. start, upper: the decisions it tells. spans:
    msgpack of what each volume of a laptop's bundle holds; sight: of what the laptop then knew of
    its scope. at: when its first volume came, or when it was made; by: who brought or made it.
    """

    __tablename__ = "bundles"
    __table_args__ = (Index("ix_bundles_log", "city", "log", "purpose", "number"),)
    city: str = pk()
    name: bytes = pk()
    purpose: str
    log: bytes
    device: bytes
    n: int
    number: int = 0
    start: int = big()
    upper: int = big()
    spans: bytes = b""
    sight: bytes = b""
    at: int = big()
    by: str = ""


class BundleVolumeRow(Table, table=True):
    """A volume that was read here, or written here. digest: SHA-256 of the file."""

    __tablename__ = "bundle_volumes"
    __table_args__ = (NARROW,)
    city: str = pk()
    name: bytes = pk()
    k: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: bytes
    size: int = big()
    at: int = big()
    by: str = ""


# -- people at central


class PersonRow(Table, table=True):
    """One of central's staff. secret: the password's Argon2id hash in PHC form. failures: wrong
    passwords in a row. villages: codes of villages and districts, separated by commas, that this
    person works for; empty for everywhere. second: sealed secret of the second factor, empty for
    none; second_used: the newest of its time steps that was used."""

    __tablename__ = "people"
    city: str = pk()
    login: str = pk()
    name: str
    role: str
    secret: str
    active: bool = True
    failures: int = 0
    locked_until: int = big()
    villages: str = ""
    second: bytes = b""
    second_used: int = big()


class StaffSessionRow(Table, table=True):
    """Somebody is signed in. digest: hash of the token, which itself is kept nowhere. begun, used:
    since when, and about when last (Unix seconds). address, agent: from where, with what."""

    __tablename__ = "staff_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["city", "login"], ["people.city", "people.login"]),
        Index("ix_staff_sessions_login", "city", "login"),
        Index("ix_staff_sessions_until", "city", "until"),
    )
    city: str = pk()
    digest: bytes = pk()
    login: str
    until: int = big()
    begun: int = big()
    used: int = big()
    address: str = ""
    agent: str = ""


class AuditRow(Table, table=True):
    """What was done or looked at. See models.audit; link: chain value after this entry."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_target", "city", "target", "n"),
        Index("ix_audit_actor", "city", "actor", "n"),
        Index("ix_audit_action", "city", "action", "n"),
        Index("ix_audit_at", "city", "at"),
    )
    city: str = pk()
    n: int = big_pk()
    at: int = big()
    actor: str
    action: str
    target: str
    detail: str
    link: bytes
