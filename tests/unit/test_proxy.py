"""The bad road that tests and the demonstration use does what it says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """A port that sends everything back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = listener.accept()
                threading.Thread(target=answer, args=(one,), daemon=True).start()

    def answer(one: socket.socket) -> None:
        with contextlib.suppress(OSError), one:
            while piece := one.recv(65536):
                one.sendall(piece)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def called(road: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", road.port), timeout=60)


def received(one: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := one.recv(size - len(data))):
        data += piece
    return data


def test_a_good_road_passes_everything(echo: int) -> None:
    with Proxy(echo) as road, called(road) as one:
        one.sendall(b"x" * 20_000)
        assert received(one, 20_000) == b"x" * 20_000
        assert road.passed == {"up": 20_000, "down": 20_000}


def test_a_stalled_road_holds_what_comes_and_lets_it_go_when_cleared(echo: int) -> None:
    with Proxy(echo) as road, called(road) as one:
        road.stall(after=300)
        one.sendall(b"x" * 1000)
        assert road.held.wait(60)
        assert received(one, 300) == b"x" * 300
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(1)
        road.clear()
        one.settimeout(60)
        assert received(one, 700) == b"x" * 700


def test_a_cut_road_breaks_in_the_middle_of_the_answer(echo: int) -> None:
    with Proxy(echo) as road:
        road.cut(after=500, way="down")
        with called(road) as one:
            one.sendall(b"x" * 1000)
            with contextlib.suppress(ConnectionError):
                assert len(received(one, 1000)) <= 500
        assert road.passed["down"] == 500
        with called(road) as later:
            later.sendall(b"x")
            with contextlib.suppress(ConnectionError):
                assert received(later, 1) == b""
        road.clear()
        with called(road) as good:
            good.sendall(b"y")
            assert received(good, 1) == b"y"


def test_a_slow_road_takes_its_time(echo: int) -> None:
    with Proxy(echo) as road, called(road) as one:
        road.delay(0.2)
        began = time.monotonic()
        one.sendall(b"x")
        assert received(one, 1) == b"x"
        assert time.monotonic() - began >= 0.15  # a sleep ends a little early on some systems


def test_nobody_answers_where_central_is_gone(echo: int) -> None:
    with Proxy(1) as road:  # port 1: nothing listens there
        with called(road) as one, contextlib.suppress(ConnectionError):
            assert one.recv(1) == b""
        road.move(echo)
        with called(road) as one:
            one.sendall(b"z")
            assert received(one, 1) == b"z"


def test_a_road_that_spoils_alters_one_byte_once(echo: int) -> None:
    with Proxy(echo) as road, called(road) as one:
        road.spoil(after=500)
        one.sendall(b"x" * 2000)
        assert received(one, 2000) == b"x" * 500 + b"y" + b"x" * 1499
        assert road.held.is_set()
        one.sendall(b"x" * 2000)
        assert received(one, 2000) == b"x" * 2000
