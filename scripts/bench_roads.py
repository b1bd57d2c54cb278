"""Bench `roads`: in which way a laptop and central should talk over HTTP, tried with plain bytes.

Four frames have to be answered, each when it is whole at the other end, over `edge2g`:

- **stream**: one POST whose body goes on while its response comes back;
- **websocket**: the same after an upgrade that has to be answered first;
- **posts**: one POST a frame, each after the answer to the one before;
- **two at once**: the same on two connections, each taking every other frame.

Only what the ways differ in is played: heads of realistic size, frames, answers. Seconds until the
first and the last frame were whole at the far end, from the first connect; medians.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from bench_parts import median
from linklab import SERVER, Lab

PORT = 9100
FRAMES = (500, 5000, 4500, 4500)
HEAD, UPGRADE, UPGRADED, ANSWER = 110, 260, 180, 320
"""Bytes: of a POST's head, of a WebSocket's upgrade and its answer, of the answer to a frame."""


class Far:
    """The other end: reads what it is told to expect, answers, and notes the time."""

    def __init__(self, door: socket.socket) -> None:
        self.door = door
        self.seen: list[float] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        """Sizes come first, four bytes each: how much to read, how much to answer."""
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                sizes = exactly(line, 8)
                size, answer = int.from_bytes(sizes[:4], "big"), int.from_bytes(sizes[4:], "big")
                exactly(line, size)
                if answer == ANSWER:
                    self.seen.append(time.monotonic())
                line.sendall(bytes(answer))
        except OSError:
            line.close()


def exactly(line: socket.socket, size: int) -> bytes:
    """So many bytes."""
    found = bytearray()
    while len(found) < size:
        piece = line.recv(size - len(found))
        if not piece:
            raise ConnectionError
        found += piece
    return bytes(found)


def message(size: int, answer: int) -> bytes:
    """Bytes that ask for an answer."""
    return size.to_bytes(4, "big") + answer.to_bytes(4, "big") + bytes(size)


def connect() -> socket.socket:
    """A connection from the client's side."""
    line = socket.create_connection((SERVER, PORT), 60)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def stream() -> None:
    """All frames behind one head; answers as they come."""
    with connect() as line:
        line.sendall(message(HEAD, 0) + b"".join(message(size, ANSWER) for size in FRAMES))
        exactly(line, ANSWER * len(FRAMES))


def websocket() -> None:
    """The same after the upgrade was answered."""
    with connect() as line:
        line.sendall(message(UPGRADE, UPGRADED))
        exactly(line, UPGRADED)
        line.sendall(b"".join(message(size, ANSWER) for size in FRAMES))
        exactly(line, ANSWER * len(FRAMES))


def posts(frames: tuple[int, ...] = FRAMES) -> None:
    """One after the other."""
    with connect() as line:
        for size in frames:
            line.sendall(message(HEAD + size, ANSWER))
            exactly(line, ANSWER)


def second() -> None:
    """The other half of `two_at_once`."""
    posts(FRAMES[1::2])


def first_of_two() -> None:
    """Every other frame; `run` sends the rest on a second connection meanwhile."""
    posts(FRAMES[::2])


WAYS: dict[str, Callable[[], None]] = {
    "stream": stream,
    "websocket": websocket,
    "posts": posts,
    "two_at_once": first_of_two,
}


def run(runs: int = 0) -> dict[str, Any]:
    """Each way so many times, in turns."""
    first: dict[str, list[float]] = {name: [] for name in WAYS}
    last: dict[str, list[float]] = {name: [] for name in WAYS}
    with Lab() as lab:
        client, server = lab.names["client"], lab.names["server"]
        far = Far(lab.inside(server, lambda: socket.create_server((SERVER, PORT))))
        for seed in range(runs or 15):
            for name, way in WAYS.items():
                lab.shape("edge2g", seed)
                far.seen.clear()
                began = time.monotonic()
                other = threading.Thread(target=lab.inside, args=(client, second))
                if name == "two_at_once":
                    other.start()
                lab.inside(client, way)
                if name == "two_at_once":
                    other.join()
                first[name].append(far.seen[0] - began)
                last[name].append(far.seen[-1] - began)
        far.door.close()
    return {
        f"{name}_{what}": round(median(times[name]), 2)
        for name in WAYS
        for what, times in (("first_s", first), ("all_s", last))
    }
