"""The programs at both ends of a shaped link, one process each; bench_links.py starts them.

    central FOLDER ADDRESS        the real central; notes when each frame was committed
    laptop FOLDER URL             the real laptop: one sync
    bound-far FILE ADDRESS        appends what comes to a file, syncs it, says how far it is
    bound-near FILE ADDRESS       sends a file; the best that one TCP connection can do
    rest-far FILE ADDRESS         a small web server that commits one record a request
    rest-near FILE ADDRESS        posts a file's records one by one as JSON

What listens prints "ready", and for each empty line on its standard input a line of what it saw.
What sends prints one line when it is done. Times are of the machine's one steady clock.
"""

from __future__ import annotations

import home

home.enter()

import contextlib
import http.client
import json
import os
import select
import socket
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATIENCE = 3.5
"""Seconds without progress after which the bound connects anew."""

SEEN: list[Any] = []
"""What the listening end noted: (seconds, how far)."""


def told() -> None:
    """Answer each line on standard input with what was seen since the last one."""
    print("ready", flush=True)
    for _ in sys.stdin:
        seen, SEEN[:] = list(SEEN), []
        print(json.dumps(seen), flush=True)
    os._exit(0)


def done(**facts: Any) -> None:
    """The sending end's line."""
    print(json.dumps(facts), flush=True)


# -- the product


def central(folder: str, address: str) -> None:
    """Serve the real application. Committing is what `Ledger.store` and `Arrivals.take` return
    from: noted there, and nothing else is different."""
    import uvicorn

    from server.app import create_app
    from server.central import Central, open_central
    from server.settings import Place, load

    def opened(place: Place) -> Central:
        made = open_central(place)
        store, take = made.ledger.store, made.arrivals.take

        def noted(*given: Any, **more: Any) -> Any:
            stored = store(*given, **more)
            SEEN.append([time.monotonic(), "log", stored.log.id.hex(), stored.log.seq])
            return stored

        def kept(*given: Any, **more: Any) -> Any:
            states = take(*given, **more)
            whole = [state.blob.hex() for state in states if state.verified]
            SEEN.append([time.monotonic(), "files", "", whole])
            return states

        made.ledger.store, made.arrivals.take = noted, kept  # type: ignore[method-assign]
        return made

    host, _, port = address.partition(":")
    app = create_app(load(Path(folder), {}), opened)
    config = uvicorn.Config(
        app, host=host, port=int(port), log_config=None, access_log=False, server_header=False,
        ssl_certfile=os.environ.get("BENCH_CERT"), ssl_keyfile=os.environ.get("BENCH_KEY"),
    )  # fmt: skip
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    told()


def laptop(folder: str, url: str) -> None:
    """One sync of the real laptop."""
    import msgspec

    from field_client.app import open_house
    from field_client.courier import Courier
    from field_client.settings import load
    from field_client.transports.stream import Line, StreamRoad
    from field_client.vault.keys import Keys
    from models.problems import Problem
    from tests.vaults import PASSPHRASE

    began: list[float] = []

    class Road(StreamRoad):
        """Notes when the first connection is begun."""

        def line(self, path: str) -> Line | None:
            began.append(time.monotonic())
            return super().line(path)

    place = load(Path(folder), {})
    house = open_house(place, "sari", PASSPHRASE, keys=Keys(place.folder, None))
    courier = Courier(house.desk, Road(url, place.settings), place)
    print("ready", flush=True)
    sys.stdin.readline()
    problem = ""
    try:
        courier.sync()
    except Problem as found:
        problem = found.code
    ended = time.monotonic()
    facts: dict[str, Any] = msgspec.to_builtins(courier.report)
    done(began=began[0], ended=ended, problem=problem, report=facts)
    house.close()


# -- the bound


def bound_far(file: str, address: str) -> None:
    """Append from the offset a connection names, sync, answer with the new length."""
    host, _, port = address.partition(":")
    door = _secure(socket.create_server((host, int(port))), server=True)
    target = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    lock = threading.Lock()

    def serve(line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at = int.from_bytes(_exactly(line, 8), "big")
            while data := line.recv(65536):
                with lock:
                    os.pwrite(target, data, at)
                    os.fsync(target)
                    at += len(data)
                    SEEN.append([time.monotonic(), at])
                line.sendall(at.to_bytes(8, "big"))

    def accept() -> None:
        while True:
            with contextlib.suppress(OSError):
                line, _ = door.accept()
                threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    told()


def bound_near(file: str, address: str) -> None:
    """Send a file, connecting anew from the acknowledged offset when nothing moves."""
    data = Path(file).read_bytes()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    kept = tries = 0
    while kept < len(data):
        tries += 1
        with contextlib.suppress(OSError):
            kept = _send_from(data, kept, address)
    done(began=began, ended=time.monotonic(), connections=tries)


def _send_from(data: bytes, kept: int, address: str) -> int:
    """Over one connection; gives how much is acknowledged in the end."""
    host, _, port = address.partition(":")
    line = socket.create_connection((host, int(port)), PATIENCE)
    line = _secure(line, server=False)
    with line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        out = kept.to_bytes(8, "big") + data[kept:]
        sent, heard, moved = 0, b"", time.monotonic()
        while kept < len(data):
            wanted = [line] if sent < len(out) else []
            ready, writable, _ = select.select([line], wanted, [], 0.2)
            if writable:
                with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                    sent += line.send(out[sent : sent + 65536])
            if ready:
                came = _all_of(line)
                if came is None:
                    return kept
                heard += came
                whole = len(heard) // 8 * 8
                if whole:
                    kept = int.from_bytes(heard[whole - 8 : whole], "big")
                    heard, moved = heard[whole:], time.monotonic()
            if time.monotonic() - moved > PATIENCE:
                return kept
    return kept


def _all_of(line: socket.socket) -> bytes | None:
    """Everything that is there, also what TLS has unpacked already; None at the end."""
    found = b""
    with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
        while True:
            came = line.recv(65536)
            if not came:
                return found or None
            found += came
    return found


def _exactly(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = line.recv(size - len(found))
        if not piece:
            raise ConnectionError
        found += piece
    return found


def _secure(line: socket.socket, *, server: bool) -> socket.socket:
    """TLS where the bench asks for it."""
    certificate, key = os.environ.get("BENCH_CERT"), os.environ.get("BENCH_KEY")
    if not certificate or not key:
        return line
    if server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context.wrap_socket(line, server_side=True)
    return ssl.create_default_context().wrap_socket(line, server_hostname="10.82.72.2")


# -- a plain client


class Records(BaseHTTPRequestHandler):
    """One record a request, one commit a record."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    path_of_database = ""

    def do_POST(self) -> None:
        """Keep the record; the same id twice is counted twice, as such servers do."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with contextlib.closing(sqlite3.connect(self.path_of_database, timeout=30)) as database:
            database.execute("pragma synchronous = full")
            database.execute("insert into records (body) values (?)", (body,))
            database.commit()
        SEEN.append([time.monotonic(), 1])
        answer = b'{"status":"ok"}'
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def rest_far(file: str, address: str) -> None:
    """Serve."""
    Records.path_of_database = file
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table records (body text)")
        database.commit()
    host, _, port = address.partition(":")
    server = ThreadingHTTPServer((host, int(port)), Records)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told()


def rest_near(file: str, address: str) -> None:
    """Post, wait for the answer, post the next; after 10 s without one, again."""
    records = [json.dumps(one).encode() for one in json.loads(Path(file).read_text())]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    line = http.client.HTTPConnection(address, timeout=10)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    for record in records:
        while True:
            try:
                line.request("POST", "/records", record, headers)
                if line.getresponse().read():
                    break
            except OSError:
                line.close()
    done(began=began, ended=time.monotonic())


ENDS: dict[str, Callable[[str, str], None]] = {
    "central": central,
    "laptop": laptop,
    "bound-far": bound_far,
    "bound-near": bound_near,
    "rest-far": rest_far,
    "rest-near": rest_near,
}


if __name__ == "__main__":
    ENDS[sys.argv[1]](sys.argv[2], sys.argv[3])
