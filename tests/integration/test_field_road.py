"""The network road: what a bad network does, and what a person is told of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from field_client.settings import FieldSettings
from field_client.transports.http import CONTENT_TYPE, HttpRoad, Unreached
from models.problems import Problem
from tests.vaults import refused

PATIENT = FieldSettings(connect_seconds=90, answer_seconds=90, slowest_bytes_per_second=1_000_000)
HASTY = msgspec.structs.replace(PATIENT, answer_seconds=1)
Behave = Callable[[BaseHTTPRequestHandler, bytes], None]


class Central:
    """A server that answers as a test wants."""

    def __init__(self) -> None:
        self.behave: Behave = answer(200, b"reply")
        self.bodies: list[bytes] = []
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.bodies.append(body)
                assert self.headers["content-type"] == CONTENT_TYPE
                outer.behave(self, body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def never(self, to: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answers when the test is over."""
        self.over.wait(150)
        answer(200, b"late")(to, body)

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def answer(status: int, body: bytes, kind: str = CONTENT_TYPE, **headers: str) -> Behave:
    def behave(to: BaseHTTPRequestHandler, _: bytes) -> None:
        to.send_response(status)
        to.send_header("content-type", kind)
        to.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.end_headers()
        to.wfile.write(body)

    return behave


@pytest.fixture
def central() -> Iterator[Central]:
    made = Central()
    yield made
    made.close()


def post(central: Central, body: bytes = b"request", settings: FieldSettings = PATIENT) -> bytes:
    road = HttpRoad(central.url, settings)
    try:
        return road.post("/v1/sync", body)
    finally:
        road.close()


def unreached(central: Central, settings: FieldSettings = PATIENT) -> Unreached:
    with pytest.raises(Unreached) as caught:
        post(central, settings=settings)
    return caught.value


def test_a_body_goes_there_and_the_reply_comes_back(central):
    sizes: list[int] = []
    road = HttpRoad(central.url, PATIENT)
    assert road.post("/v1/sync", b"\x00\xffrequest", sizes.append) == b"reply"
    assert central.bodies == [b"\x00\xffrequest"]
    assert sum(sizes) == 5
    road.close()


def test_nobody_there_is_worth_another_try():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreached) as caught:
        HttpRoad(url, PATIENT).post("/v1/sync", b"x")
    assert caught.value.problem.code == "sync.unreachable"


def test_an_answer_that_does_not_come_is_worth_another_try(central):
    central.behave = central.never
    assert unreached(central, HASTY).problem.code == "sync.timeout"


def test_patience_grows_with_the_body(central):
    slow = FieldSettings(answer_seconds=1, slowest_bytes_per_second=1000)

    def late(to: BaseHTTPRequestHandler, body: bytes) -> None:
        time.sleep(1.2)
        answer(200, b"late")(to, body)

    central.behave = late
    assert post(central, b"x" * 20_000, slow) == b"late"
    central.behave = central.never
    with pytest.raises(Unreached):
        post(central, b"x", slow)


def test_what_came_before_the_break_is_handed_over(central):
    def cut(to: BaseHTTPRequestHandler, _: bytes) -> None:
        to.send_response(200)
        to.send_header("content-type", CONTENT_TYPE)
        to.send_header("content-length", "1000")
        to.end_headers()
        to.wfile.write(b"first frame")
        to.wfile.flush()
        to.connection.shutdown(socket.SHUT_RDWR)

    central.behave = cut
    failure = unreached(central)
    assert failure.problem.code == "sync.timeout"
    assert failure.arrived == b"first frame"


def test_a_refusal_is_the_problem_central_named(central):
    body = Problem("device.retired").as_dict()
    central.behave = answer(403, json_bytes(body), "application/problem+json")
    assert refused("device.retired", post, central).code == "device.retired"


def test_asked_to_wait_it_waits_as_long_as_asked(central):
    body = json_bytes(Problem("sync.rate", seconds=7).as_dict())
    central.behave = answer(429, body, "application/problem+json", retry_after="7")
    failure = unreached(central)
    assert (failure.problem.code, failure.wait) == ("sync.rate", 7.0)


@pytest.mark.parametrize("retry_after", ["Fri, 31 Dec 1999 23:59:59 GMT", "-5", "soon", "9" * 30])
def test_a_strange_wait_is_bounded(central, retry_after):
    central.behave = answer(503, b"", "text/plain", retry_after=retry_after)
    assert 0 <= unreached(central).wait <= 3600


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_worth_another_try(central, status):
    central.behave = answer(status, b"<html>oops</html>", "text/html")
    assert unreached(central).problem.code == "sync.unreachable"


@pytest.mark.parametrize(
    "problem",
    [Problem("disk.full"), Problem("database.unreachable"), Problem("internal", incident="ab12")],
)
def test_centrals_own_trouble_is_not_told_as_the_laptops(central, problem):
    body = json_bytes(problem.as_dict())
    central.behave = answer(problem.status, body, "application/problem+json")
    failure = unreached(central)
    assert failure.problem.code == "sync.office_trouble"
    assert problem.code in failure.problem.words("en")


@pytest.mark.parametrize(
    "behave",
    [
        answer(200, b"<html>Welcome to Hotel Wi-Fi</html>", "text/html"),
        answer(302, b"", "text/html", location="http://hotel.example/login"),
        answer(404, b"not found", "text/plain"),
        answer(400, b'{"code": "no.such_code"}', "application/problem+json"),
        answer(400, b"\xff\x00 not json", "application/problem+json"),
    ],
)
def test_a_page_that_is_not_centrals_is_told_as_such(central, behave):
    central.behave = behave
    problem = refused("sync.not_central", post, central)
    assert "127.0.0.1" in str(problem.details["url"])


def test_an_endless_reply_is_cut_off(central):
    central.behave = answer(200, b"x" * 200_000)
    tight = msgspec.structs.replace(PATIENT, sync_bytes_max=100_000)
    refused("sync.too_large", post, central, settings=tight)


def test_a_person_is_never_shown_what_stood_before_the_at_sign():
    with pytest.raises(Unreached) as caught:
        HttpRoad("http://user:secret@127.0.0.1:9", PATIENT).post("/v1/sync", b"x")
    assert "secret" not in caught.value.problem.words("id")


def json_bytes(value: object) -> bytes:
    import msgspec

    return msgspec.json.encode(value)
