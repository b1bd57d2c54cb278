"""The tables of the laptop's database, one step per released shape.

A step is never changed once released: the next shape is a further function below. Bytes of the log
are never rewritten by a step (protocol, §11); everything else here can be told again from them and
from central's decisions.

Numbers that a screen shows all day are kept by triggers in `counts`, so that asking how things
stand never reads a table that grows.
"""

from __future__ import annotations

import msgspec
from sqlite_utils import Database, Migrations

from field_client.vault.sums import recount
from sync.known import facts
from sync.state import Record

STEPS = Migrations("vault")


@STEPS()
def step_1(database: Database) -> None:
    """Everything, as first released."""
    for statement in (*_LOGS, *_REQUESTS, *_WORK, *_ROSTER, *_COUNTED):
        database.execute(statement)


@STEPS()
def step_2(database: Database) -> None:
    """Bundles by USB are written down with who had them."""
    database.execute(_CUSTODY)


@STEPS()
def step_3(database: Database) -> None:
    """Files that go with requests."""
    for statement in (*_FILES, *_counted("files", "file", "state")):
        database.execute(statement)


@STEPS()
def step_4(database: Database) -> None:
    """Requests by village, and villages that are being filled."""
    for statement in _CELLS:
        database.execute(statement)
    for name, data in database.execute("select id, data from records").fetchall():
        cell = facts(msgspec.msgpack.decode(data, type=Record)).village
        database.execute("insert into places (record, cell) values (?, ?)", (name, cell))


@STEPS()
def step_5(database: Database) -> None:
    """What villages add up to."""
    for statement in _SUMS:
        database.execute(statement)
    recount(database.conn)


@STEPS()
def step_6(database: Database) -> None:
    """The index of recent requests of other laptops."""
    database.execute(_RECENTS)


@STEPS()
def step_7(database: Database) -> None:
    """Drafts say in which log they were begun; those so far in the newest there was."""
    database.execute("alter table drafts add column log blob not null default x''")


@STEPS()
def step_8(database: Database) -> None:
    """Calls about requests, visits with their queues."""
    for statement in _VISITS:
        database.execute(statement)


@STEPS()
def step_9(database: Database) -> None:
    """In which visit a request was taken in; for the visit that is open, by the time."""
    for statement in _VISITED:
        database.execute(statement)


@STEPS()
def step_10(database: Database) -> None:
    """What central asked is found without reading every notice."""
    database.execute("create index notices_asked on notices (number) where kind = 'asked'")


@STEPS()
def step_11(database: Database) -> None:
    """Files of forms that are not submitted yet; which forms were begun together."""
    for statement in _DRAFT_FILES:
        database.execute(statement)
    database.execute("alter table drafts add column folder blob not null default x''")
    for name, data in database.execute("select id, data from drafts").fetchall():
        folder = msgspec.msgpack.decode(data).get("folder") or name
        database.execute("update drafts set folder = ? where id = ?", (folder, name))
    database.execute("create index drafts_folder on drafts (folder)")


_DRAFT_FILES = (
    # state: coming, there or gone. data: see field_client/vault/draft_files.py.
    """create table draft_files (
        number integer primary key, draft blob not null, unit text not null, blob blob not null,
        preview blob not null, state text not null, data blob not null,
        unique (draft, unit, blob)
    ) strict""",
    "create trigger drafts_left after delete on drafts begin"
    " update draft_files set state = 'gone' where draft = old.id; end",
)

_VISITED = (
    "create table visited (record blob primary key, visit integer not null) strict, without rowid",
    "create index visited_visit on visited (visit)",
    "insert into visited (record, visit) select r.record, v.number from requests r"
    " join visits v on v.ended = 0 and v.started <= r.at where r.own = 1",
)

_VISITS = (
    # Who was called about a request, and what came of it.
    """create table contacts (
        number integer primary key, record blob not null, at integer not null,
        operator text not null, who text not null, result text not null, note text not null
    ) strict""",
    "create index contacts_record on contacts (record, number)",
    # Days out; ended is 0 while one is open. data: see field_client/visit.py.
    """create table visits (
        number integer primary key, started integer not null, ended integer not null,
        data blob not null
    ) strict""",
    # Numbers people wait with. line: A, or P for who goes first. state: waiting, called, done or
    # absent. at: when it was given out; called: when it was last called, 0 before.
    """create table tickets (
        visit integer not null, line text not null, n integer not null, state text not null,
        at integer not null, called integer not null default 0,
        primary key (visit, line, n)
    ) strict, without rowid""",
)

# One row for each mark, office and day; epoch: of the key. See vault/recents.py.
_RECENTS = """create table recents (
    epoch integer not null, mark blob not null, day integer not null, office text not null,
    primary key (epoch, mark, day, office)
) strict, without rowid"""

_SUMS = (
    # Sum of each cell, and what each request weighs in it; see vault/sums.py.
    "create table sums (cell text primary key, total blob not null) strict, without rowid",
    """create table weights (
        record blob primary key, cell text not null, own integer not null, face blob not null
    ) strict, without rowid""",
    "alter table cells add column repair integer not null default 0",
)

_CELLS = (
    # The village each request of the snapshot is here for. A table of its own, so that folding a
    # decision does not write it again.
    """create table places (
        record blob primary key, cell text not null
    ) strict, without rowid""",
    # The villages that came after the first reading, and how far each is filled.
    """create table cells (
        village text primary key, mark integer not null, filled integer not null
    ) strict, without rowid""",
)

_CUSTODY = """create table custody (
    number integer primary key, at integer not null, operator text not null,
    act text not null, bundle blob not null, data blob not null, head blob not null
) strict"""

_FILES = (
    # A sealed file beside the database (vault/blobs.py) and how far it is on its way. state:
    # waiting, verified (central proved to have all of it) or gone (deleted here after that). lane,
    # due: see sync.transfer. hashes: of its chunks. known, missing: what central said last; missing
    # is msgpack of byte ranges. tried: pieces were sent. verified_at: central's clock; covered: its
    # number then, in that incarnation. problem: why it takes no more for now.
    """create table files (
        number integer primary key,
        blob blob not null unique,
        size integer not null,
        hashes blob not null,
        lane integer not null,
        record blob not null,
        due text not null,
        state text not null,
        known integer not null default 0,
        tried integer not null default 0,
        missing blob not null,
        verified_at integer not null default 0,
        covered integer not null default 0,
        incarnation blob not null default x'',
        problem text not null default ''
    ) strict""",
    "create index files_state on files (state, lane, number)",
    "create index files_record on files (record, lane)",
    # The entries that speak of a file: central takes in only what their log has announced.
    """create table announced (
        blob blob not null, log blob not null, seq integer not null, record blob not null,
        primary key (blob, log, seq)
    ) strict, without rowid""",
    "create index announced_entry on announced (log, seq)",
)

_FTS = """create virtual table {table} using fts5 (
    words, content='', contentless_delete=1,
    tokenize="unicode61 remove_diacritics 2", prefix='2 3'
)"""
"""Words without a copy of the text; the rowid is the number of the row they stand for."""

_LOGS = (
    # What the program keeps about itself: one msgspec Struct per name (certificate, scope, …).
    "create table settings (name text primary key, value blob not null) strict, without rowid",
    # Logs this laptop has written; the newest one is written on, older ones may still be sent.
    # block: of its tracking codes. stored: newest entry a checkpoint proved. request, acted: last
    # request made, last order met. unsent: bytes of the entries after `stored`.
    """create table logs (
        number integer primary key,
        id blob not null unique,
        sign_seed blob not null,
        seal_seed blob not null,
        opening blob not null,
        block integer not null,
        seq integer not null,
        head blob not null,
        stored integer not null,
        stored_head blob not null,
        request integer not null default 0,
        acted integer not null default 0,
        unsent integer not null default 0,
        proof blob
    ) strict""",
    # Entries: the bytes as hashed and signed, for ever. i, n: place in the transaction. state: what
    # central last told; folded: the outcome as of the cursor, so that a view never misses a change
    # of which the outcome came before the page that carries it.
    """create table entries (
        log blob not null,
        seq integer not null,
        data blob not null,
        head blob not null,
        kind text not null,
        record blob not null,
        i integer not null,
        n integer not null,
        at integer not null,
        state text not null default '',
        folded text not null default '',
        case_id blob not null default x'',
        problem text not null default '',
        primary key (log, seq)
    ) strict, without rowid""",
    "create index entries_record on entries (record, log, seq) where record != x''",
    # Signed checkpoints that moved a log on: each proves when its entries existed at the latest.
    """create table checkpoints (
        log blob not null, seq integer not null, at integer not null, proof blob not null,
        primary key (log, seq)
    ) strict, without rowid""",
    # Orders of central, each acted on once; done is 0 until the courier has carried it out.
    """create table orders (
        log blob not null, number integer not null, kind text not null,
        argument integer not null, done integer not null default 0,
        primary key (log, number)
    ) strict, without rowid""",
    "create index orders_due on orders (number) where done = 0",
)

_REQUESTS = (
    # The snapshot: records as central decided them, fold of its effects up to the cursor.
    "create table records (id blob primary key, data blob not null) strict, without rowid",
    "create table cases (id blob primary key, data blob not null) strict, without rowid",
    # One line per request as the operator sees it: snapshot plus own changes not decided yet.
    """create table requests (
        number integer primary key,
        record blob not null unique,
        own integer not null,
        service text not null,
        status text not null,
        name text not null,
        nik text not null,
        kk text not null,
        village text not null,
        block integer,
        code integer,
        log blob not null,
        last integer not null,
        undecided integer not null,
        proposed integer not null,
        cases integer not null,
        at integer not null
    ) strict""",
    "create index requests_status on requests (status, number)",
    "create index requests_service on requests (service, number)",
    "create index requests_own on requests (own, number)",
    "create index requests_code on requests (code, block) where code is not null",
    # Every 16-digit number in a request, for exact search.
    """create table numbers (
        digits text not null, request integer not null, primary key (digits, request)
    ) strict, without rowid""",
    "create index numbers_request on numbers (request)",
    _FTS.format(table="request_words"),
    # A queued row is taken once: the same ref again gives the same answer again.
    """create table refs (
        ref text primary key, digest blob not null, record blob not null, answer blob not null
    ) strict, without rowid""",
)

_WORK = (
    # seen, own: what was on the screen when the draft was first drawn; never moved by a pull.
    """create table drafts (
        id blob primary key, operator text not null, record blob not null, service text not null,
        seen integer not null, own integer not null, at integer not null, data blob not null
    ) strict, without rowid""",
    "create index drafts_operator on drafts (operator, at)",
    # place: which effect of the decision, so that a page read twice notices once.
    """create table notices (
        number integer primary key,
        server_seq integer not null,
        place integer not null,
        record blob not null,
        kind text not null,
        unread integer not null default 1,
        data blob not null,
        unique (server_seq, place)
    ) strict""",
    "create index notices_unread on notices (unread, number)",
    "create index notices_record on notices (record, number)",
    # Every time personal data was shown unmasked: chained, so that a gap shows.
    """create table reveals (
        number integer primary key, at integer not null, operator text not null,
        action text not null, record blob not null, head blob not null
    ) strict""",
)

_ROSTER = (
    """create table rosters (
        number integer primary key,
        village text not null,
        source text not null,
        expires text not null,
        digest blob not null,
        people integer not null,
        data blob not null,
        unique (village, source)
    ) strict""",
    "create index rosters_expires on rosters (expires)",
    """create table residents (
        number integer primary key,
        roster integer not null,
        nik text not null,
        kk text not null,
        name text not null,
        data blob not null
    ) strict""",
    "create index residents_roster on residents (roster, number)",
    "create index residents_nik on residents (nik) where nik != ''",
    "create index residents_kk on residents (kk) where kk != ''",
    _FTS.format(table="resident_words"),
)


def _counted(table: str, name: str, column: str) -> tuple[str, ...]:
    """Triggers that keep `counts['name:value']` for each value of a column."""
    add = (
        "insert into counts (name, n) values ('{name}:' || {row}.{column}, 1)"
        " on conflict (name) do update set n = n + 1;"
    )
    take = "update counts set n = n - 1 where name = '{name}:' || {row}.{column};"
    new = add.format(name=name, row="new", column=column)
    old = take.format(name=name, row="old", column=column)
    return (
        f"create trigger {table}_added after insert on {table} begin {new} end",
        f"create trigger {table}_gone after delete on {table} begin {old} end",
        f"create trigger {table}_moved after update of {column} on {table}"
        f" when old.{column} is not new.{column} begin {old} {new} end",
    )


_COUNTED = (
    "create table counts (name text primary key, n integer not null) strict, without rowid",
    *_counted("entries", "entry", "state"),
    *_counted("requests", "request", "status"),
    *_counted("drafts", "draft", "operator"),
    *_counted("notices", "notice", "unread"),
)
