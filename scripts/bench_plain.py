"""The server that bench_intake.py compares with: bulk inserts of gzipped JSON, and nothing else.

    python3 scripts/bench_plain.py DATABASE_URL

What a city would have built in a week on the same parts (Litestar, uvicorn, SQLAlchemy, durable
commits, one writer, executemany): it believes everything, so it checks no signature, no chain, no
form and no conflict. It prints its address and serves until it is stopped.
"""

from __future__ import annotations

import home

home.enter()

import gzip
import socket
import sys
import threading
from typing import Any

import msgspec
import sqlalchemy as sa
import uvicorn
from litestar import Litestar, Request, post

BODY_BYTES_MAX = 8 * 1024 * 1024
METADATA = sa.MetaData()
RECORDS = sa.Table(
    "records",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("device", sa.String, index=True),
    sa.Column("seq", sa.BigInteger),
    sa.Column("service", sa.String, index=True),
    sa.Column("taken_at", sa.String),
    sa.Column("nik", sa.String, index=True),
    sa.Column("body", sa.String),
)


class Record(msgspec.Struct):
    """One request as the plain client sends it."""

    id: str
    device: str
    seq: int
    service: str
    taken_at: str
    nik: str
    answers: dict[str, Any]
    documents: list[str]


class Store:
    """Rows go in, one transaction a request."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)
        self.lock = threading.Lock()
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _durable)
        METADATA.create_all(self.engine)

    def insert(self, data: bytes) -> int:
        """Store all records of a body; gives how many."""
        records = msgspec.json.decode(gzip.decompress(data), type=list[Record])
        rows = [
            {
                "id": r.id, "device": r.device, "seq": r.seq, "service": r.service,
                "taken_at": r.taken_at, "nik": r.nik,
                "body": msgspec.json.encode([r.answers, r.documents]).decode(),
            }
            for r in records
        ]  # fmt: skip
        with self.lock, self.engine.begin() as connection:
            connection.execute(sa.insert(RECORDS), rows)
        return len(rows)


def _durable(connection: Any, _: Any) -> None:
    for pragma in ("journal_mode = wal", "synchronous = full"):
        connection.execute(f"pragma {pragma}")


@post("/bulk", status_code=200)
async def bulk(request: Request[Any, Any, Any]) -> dict[str, int]:
    """Take a list of records."""
    import anyio

    body = await request.body()
    return {"stored": await anyio.to_thread.run_sync(request.app.state.store.insert, body)}


def main(url: str) -> None:
    app = Litestar([bulk], request_max_body_size=BODY_BYTES_MAX, logging_config=None)
    app.state.store = Store(url)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
