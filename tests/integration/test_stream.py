"""The network road as a stream, over real sockets that are cut, stalled, slow or in the way."""

from __future__ import annotations

import datetime
import http.client
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from field_client.transports.stream import StreamRoad
from models.problems import Problem
from server.api.stream import Frames
from sync import backoff, pace, wire
from tests import proxy
from tests.proxy import Proxy
from tests.streams import courier, serving, taken
from tests.town import Laptop, Town
from tests.vaults import refused

MANY = 60
OCTETS = {"Content-Type": "application/octet-stream"}
FRESH = {"tries": 1, "connect_seconds": 3}
"""Give up at the first failure: the test says when to go on."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


@pytest.fixture
def road(town: Town) -> Iterator[Proxy]:
    with serving(town) as port, Proxy(port) as proxy:
        yield proxy


@pytest.fixture
def van(town: Town) -> Laptop:
    return town.laptop("sari")


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few dozen requests are many frames."""
    monkeypatch.setattr(pace, "FRAME_BYTES_MAX", 1200)
    monkeypatch.setattr(pace, "FRAME_BYTES_MIN", 300)
    monkeypatch.setattr(pace, "FRAME_BYTES_UNKNOWN", 900)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(pace, "EXPLAINED_SECONDS_MAX", 0.2)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one connection is what matters: a busy machine is no reason to begin another."""
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 120)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


# -- as it should be


def test_a_day_goes_over_one_connection_without_waiting(town, road, van, small_frames, patient):
    wanted = taken(town, van, MANY)
    report = courier(van, road.url).sync()
    assert (report.connections, report.round_trips, report.pending) == (1, 1, 0)
    assert report.outcomes == {"applied": MANY}
    assert set(town.stored()) == wanted
    assert road.connections == 1
    assert van.house.store.standing().requests == {"received": MANY}


def test_the_first_record_is_safe_while_the_rest_is_on_its_way(
    town, road, van, small_frames, patient
):
    """Nothing after the first kilobyte gets through, and yet something is stored and proved."""
    taken(town, van, MANY)
    road.stall(after=1000)
    errand = courier(van, road.url)
    thread = threading.Thread(target=errand.sync)
    thread.start()
    until(lambda: len(town.stored()) >= 1)
    until(lambda: van.house.store.log().stored >= 1)
    assert len(town.stored()) < MANY // 4
    road.clear()
    thread.join(120)
    assert errand.report.connections == 1, "the stall was short: nothing was begun anew"
    assert len(town.stored()) == MANY


def test_requests_go_on_while_answers_come(town, road, van, small_frames, patient):
    """Full duplex: answers are withheld, and the laptop sends on for as long as its window."""
    taken(town, van, MANY)
    road.stall(way="down")
    thread = threading.Thread(target=courier(van, road.url).sync)
    thread.start()
    until(lambda: len(town.stored()) == MANY)
    assert van.house.store.log().stored < van.house.store.log().seq
    road.clear()
    thread.join(120)
    assert van.house.store.standing().unsent == 0


def test_nothing_new_is_one_small_round_trip(town, road, van, patient):
    courier(van, road.url).sync()
    report = courier(van, road.url).sync()
    assert (report.round_trips, report.connections) == (1, 1)
    assert report.bytes_up < 500
    assert report.bytes_down < 900


def test_pages_too_large_for_one_answer_are_asked_for_on_the_same_connection(
    town, road, van, patient, monkeypatch
):
    monkeypatch.setattr("sync.exchange.REPLY_BUDGET_BYTES", 4000)
    other = town.laptop("rusli")
    wanted = taken(town, van, MANY)
    courier(van, road.url).sync()
    report = courier(other, road.url).sync()
    assert report.round_trips > 3
    assert report.connections == 1
    known = {line.record.hex() for line in other.house.store.requests.newest(limit=500)}
    assert known == wanted


# -- roads that break


@pytest.mark.parametrize("bytes_passed", [2500, 6800])
def test_a_link_that_dies_has_delivered_what_passed_it(
    town, road, van, small_frames, bytes_passed, monkeypatch
):
    """At ninety percent of the bytes, about ninety percent of the work is safe."""
    wanted = taken(town, van, MANY)
    ended = threading.Event()
    end = Frames.end

    def noted(frames: Frames) -> None:
        end(frames)
        ended.set()

    monkeypatch.setattr(Frames, "end", noted)
    road.cut(after=bytes_passed)
    refused("sync.timeout", courier(van, road.url, **FRESH).sync)
    assert ended.wait(120)  # what came is stored, although nobody can be told
    arrived = set(town.stored())
    road.clear()
    rest = courier(van, road.url).sync()
    share = bytes_passed / (bytes_passed + rest.bytes_up)
    assert len(arrived) / MANY > share - 0.15
    assert len(arrived) < MANY
    assert set(town.stored()) == wanted
    assert rest.outcomes.get("applied", 0) >= MANY - len(arrived)
    assert town.is_whole()


@pytest.mark.parametrize(
    ("way", "after"),
    [(way, after) for way in ("up", "down") for after in (0, 150, 700)] + [("up", 3000)],
)
def test_wherever_it_is_cut_everything_arrives_once(town, road, van, small_frames, way, after):
    wanted = taken(town, van, MANY)
    road.cut(after=after, way=way)
    errand = courier(van, road.url)
    thread = threading.Thread(target=errand.sync)
    thread.start()
    until(lambda: road.held.is_set() or not thread.is_alive())
    road.clear()
    thread.join(120)
    assert not thread.is_alive()
    assert set(town.stored()) == wanted
    assert van.house.store.standing().unsent == 0
    assert town.is_whole()


def test_a_connection_that_stands_still_is_given_up_and_begun_anew(
    town, road, van, small_frames, impatient
):
    wanted = taken(town, van, MANY)
    road.stall(after=3000)
    errand = courier(van, road.url)
    thread = threading.Thread(target=errand.sync)
    thread.start()
    until(lambda: road.connections >= 2)  # TCP itself would wait for minutes
    road.clear()
    thread.join(120)
    assert errand.report.connections >= 2
    assert set(town.stored()) == wanted
    again = errand.report.connections - 1
    assert errand.report.bytes_up < errand.report.bytes_kept * (1 + 0.75 * again)


def test_what_arrived_without_an_answer_is_not_sent_again(town, road, van, small_frames, patient):
    """All answers of the first connection are lost; the second one asks before it goes on."""
    wanted = taken(town, van, MANY)
    road.stall(way="down")
    errand = courier(van, road.url)
    thread = threading.Thread(target=errand.sync)
    thread.start()
    until(lambda: len(town.stored()) == MANY)
    sent = road.passed["up"]
    road.drop()
    road.clear()
    thread.join(120)
    assert van.house.store.standing().unsent == 0
    assert set(town.stored()) == wanted
    assert road.passed["up"] - sent < sent / 3


def test_a_slow_road_that_moves_is_not_given_up(town, road, van, small_frames, monkeypatch):
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 4.0)
    monkeypatch.setattr(pace, "EXPLAINED_SECONDS_MAX", 0.1)
    monkeypatch.setattr(proxy, "PIECE", 300)
    wanted = taken(town, van, MANY)
    road.delay(0.25)
    began = time.monotonic()
    report = courier(van, road.url, **FRESH).sync()
    assert report.connections == 1
    assert time.monotonic() - began > 4.1, "longer than its patience, or this shows nothing"
    assert set(town.stored()) == wanted


def test_central_that_is_away_for_a_while_is_found_again(town, road, van):
    wanted = taken(town, van, 5)
    port = road._target[1]
    road.move(1)  # nobody listens there
    refused("sync.timeout", courier(van, road.url, **FRESH).sync)
    road.move(port)
    courier(van, road.url).sync()
    assert set(town.stored()) == wanted


def test_nobody_listening_is_said_at_once(town, van):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    refused("sync.unreachable", courier(van, url, tries=1, connect_seconds=90).sync)
    assert time.monotonic() - began < 60
    refused("sync.unreachable", courier(van, "http://", **FRESH).sync)


def test_there_are_never_more_than_so_many_connections_a_minute(town, road, van):
    taken(town, van, 1)
    road.cut(after=0)
    errand = courier(van, road.url, tries=backoff.CAP_TRIES + 4)
    waits: list[float] = []
    errand.sleep, errand.chance = waits.append, lambda: 0.0
    refused("sync.timeout", errand.sync)
    long = [n for n, wait in enumerate(waits) if wait > 0]
    assert len(long) == 4
    assert all(0 < waits[n] <= backoff.CAP_SECONDS for n in long)
    assert sum(wait == 0 for wait in waits[: long[0]]) == backoff.CAP_TRIES
    assert road.connections >= backoff.CAP_TRIES


# -- stopping, sharing, saving


def _no_more(left: Iterator[int]) -> bool:
    return next(left, None) is None


def test_a_sync_may_be_stopped_at_any_step(town, road, van, small_frames):
    wanted = taken(town, van, MANY)
    for steps in (1, 2, 3, 4):
        errand = courier(van, road.url)
        left = iter(range(steps))  # asked so often, it says no
        errand.stop = partial(_no_more, left)
        errand.sync()
        stored = van.house.store.log().stored
        assert stored == 0 or van.house.store.proof(stored) is not None
        taken(town, van, 1, seed=100 + steps)
    courier(van, road.url).sync()
    assert wanted <= set(town.stored())
    assert len(town.stored()) == MANY + 4
    assert town.is_whole()


def test_the_share_of_the_day_is_kept_to_and_remembered(town, road, van, small_frames):
    wanted = taken(town, van, MANY)
    refused("sync.budget", courier(van, road.url, bytes_per_day=4000, **FRESH).sync)
    assert 0 < len(town.stored()) < MANY
    assert road.passed["up"] + road.passed["down"] < 6000
    van.open()
    refused("sync.budget", courier(van, road.url, bytes_per_day=4000, **FRESH).sync)
    before = dict(road.passed)
    refused("sync.budget", courier(van, road.url, bytes_per_day=4000, **FRESH).sync)
    assert road.passed["up"] - before["up"] < 500
    town.time.goes_on(24 * 60)
    refused("sync.budget", courier(van, road.url, bytes_per_day=4000, **FRESH).sync)
    assert road.passed["up"] - before["up"] > 1000, "a new day has a share of its own"
    courier(van, road.url).sync()
    assert set(town.stored()) == wanted


def test_progress_tells_only_what_central_proved(town, road, van, small_frames):
    taken(town, van, MANY)
    errand = courier(van, road.url)
    seen: list[Any] = []
    errand.progress = seen.append
    total = van.house.store.standing().unsent
    errand.sync()
    sending = [p for p in seen if p.phase == "send"]
    assert [p.stored for p in sending] == sorted(p.stored for p in sending)
    assert (sending[0].stored, sending[-1].stored, sending[-1].total) == (0, total, total)
    assert sending[-1].bytes_stored == sending[-1].bytes_total > 0
    assert sending[-1].rate > 0
    assert sending[-1].seconds_left == 0
    assert any(0 < p.stored < total for p in sending)


# -- refusals


def test_a_refusal_in_the_middle_is_heard_and_its_wait_kept(
    town, road, van, small_frames, monkeypatch
):
    wanted = taken(town, van, MANY)
    respond = town.central.reception.respond
    calls = iter(range(1000))

    def often(*given: Any) -> Any:
        if next(calls) == 3:
            raise Problem("sync.rate", seconds=7)
        return respond(*given)

    monkeypatch.setattr(town.central.reception, "respond", often)
    errand = courier(van, road.url)
    waits: list[float] = []
    errand.sleep = waits.append
    errand.sync()
    assert len(waits) == 1
    assert 7 <= waits[0] < 7.5
    assert set(town.stored()) == wanted


@pytest.mark.parametrize("knows", [wire.CONTINUES, wire.DICTIONARY])
def test_a_central_that_reads_older_packing_only_gets_it(town, road, van, monkeypatch, knows):
    """Neither words and digits apart nor, the second time, the dictionary."""
    monkeypatch.setattr(wire, "APART_BYTES_MIN", 1000)
    wanted = taken(town, van, MANY)
    unpack = wire.Unpacker.unpack
    said: list[int] = []

    def older(reader: wire.Unpacker, packed: bytes, number: int, limit: int = 1 << 24) -> bytes:
        said.append(number)
        if number == wire.CONTINUES_APART or number == knows > 0:
            raise Problem("sync.dictionary", dictionary=number)
        return unpack(reader, packed, number, limit)

    monkeypatch.setattr(wire.Unpacker, "unpack", older)
    courier(van, road.url).sync()
    assert set(town.stored()) == wanted
    assert said[0] == wire.DICTIONARY
    assert wire.CONTINUES_APART in said or knows == wire.DICTIONARY
    assert said[-1] == wire.CONTINUES


def test_a_laptop_central_does_not_know_is_refused_before_anything_is_sent_on(town, road):
    from field_client.courier import Confirmed

    stranger = town.laptop("rusli", enrolled=False)
    taken(town, stranger, MANY)
    stranger.house.store.remember(Confirmed((stranger.house.store.log().id,)))
    monkey = town.central.devices
    enrol = monkey.enrol
    try:
        monkey.enrol = _never
        refused("sync.unknown_device", courier(stranger, road.url, **FRESH).sync)
    finally:
        monkey.enrol = enrol
    assert town.stored() == {}
    assert stranger.house.store.standing().unsent > 0


def _never(body: bytes) -> bytes:
    raise Problem("sync.unknown_device")


def test_a_hotels_login_page_is_not_taken_for_central(town, van):
    taken(town, van, 3)
    with captive() as url:
        refused("sync.not_central", courier(van, url, **FRESH).sync)
    assert van.house.store.standing().unsent > 0


class Login(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        page = b"<html>Selamat datang</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def captive() -> Any:
    return _listening(Login)


# -- something in between that does not stream


def test_where_streams_do_not_get_through_single_posts_do(town, road, van, impatient):
    """A reverse proxy that waits for the end of a body before it hands it on."""
    wanted = taken(town, van, MANY)
    with buffering(road.url) as url:
        report = courier(van, url, batch_bytes=8000).sync()
    assert set(town.stored()) == wanted
    assert report.pending == 0
    assert report.connections > 2


def buffering(url: str) -> Any:
    class Buffer(BaseHTTPRequestHandler):
        """Reads a whole body, chunked or not, then asks central, then answers."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                body = self._body()
            except (OSError, ValueError):
                self.close_connection = True
                return
            there = http.client.HTTPConnection(url.partition("://")[2], timeout=120)
            with closing(there):
                there.request("POST", self.path, body, OCTETS)
                answer = there.getresponse()
                said = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("content-type", ""))
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def _body(self) -> bytes:
            if "Content-Length" in self.headers:
                return self.rfile.read(int(self.headers["Content-Length"]))
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return _listening(Buffer)


class _listening:
    """A small web server in a thread; gives its address."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


# -- inside TLS


def test_the_same_inside_tls(town, van, patient, tmp_path, monkeypatch):
    certificate, key = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    wanted = taken(town, van, MANY)
    with serving(town, ssl_certfile=str(certificate), ssl_keyfile=str(key)) as port:
        url = f"https://127.0.0.1:{port}"
        report = courier(van, url).sync()
        assert (report.connections, report.pending) == (1, 0)
        assert set(town.stored()) == wanted
        monkeypatch.delenv("SSL_CERT_FILE")
        refused("sync.unreachable", courier(van, url, **FRESH).sync)


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "uji")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret


def test_a_proxy_of_the_machine_means_single_posts(town, road, van, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert StreamRoad("http://pusat.example", van.place.settings).line("/v1/sync") is None
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    line = StreamRoad(road.url, van.place.settings).line("/v1/sync")
    assert line is not None
    line.close()
