"""A TCP proxy on this machine that behaves like a bad road: slow, stuck, or broken in the middle.

    with Proxy(port_of_central) as road:
        road.stall(after=600, way="up")      600 more bytes go up, then nothing moves
        road.held.wait(60)                   … until it is so
        road.clear()                         the road is good again

Threads and plain sockets, loopback only; nothing here depends on the system.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

Way = Literal["up", "down"]
PIECE = 4096
LOOK_SECONDS = 0.05
"""How often a thread that waits looks whether the road was cleared or closed."""


@dataclass
class Fault:
    """What is wrong with one way. after: bytes that still pass, over all connections. kind: "stall"
    (nothing moves, nobody is told), "cut" (the connection breaks), "delay" (seconds a piece) or
    "spoil" (one byte is altered, once)."""

    kind: Literal["stall", "cut", "delay", "spoil"]
    after: int = 0
    seconds: float = 0.0
    cleared: threading.Event = field(default_factory=threading.Event)


class Proxy:
    """Listens on a free port and passes bytes to `port`. passed: bytes so far, by way. held: set
    while a stall or after a cut has caught something. connections: accepted so far."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.passed: dict[Way, int] = {"up": 0, "down": 0}
        self.connections = 0
        self.held = threading.Event()
        self._faults: dict[Way, Fault] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self._target[0]}:{self.port}"

    # -- the weather

    def stall(self, after: int = 0, way: Way = "up") -> None:
        """Let so many more bytes pass that way, then hold everything."""
        self._set(way, Fault("stall", after))

    def cut(self, after: int = 0, way: Way = "up") -> None:
        """Let so many more bytes pass that way, then break that connection and each later one."""
        self._set(way, Fault("cut", after))

    def delay(self, seconds: float, way: Way = "up") -> None:
        """Each piece of at most 4 KiB takes so long."""
        self._set(way, Fault("delay", seconds=seconds))

    def spoil(self, after: int = 0, way: Way = "up") -> None:
        """Let so many more bytes pass that way, then alter one."""
        self._set(way, Fault("spoil", after))

    def clear(self) -> None:
        """The road is good again; what was held goes on where its connection still lives."""
        with self._lock:
            gone, self._faults = self._faults, {}
            self.held.clear()
        for fault in gone.values():
            fault.cleared.set()

    def drop(self) -> None:
        """Break every connection there is; new ones are taken."""
        with self._lock:
            gone = list(self._open)
        for one in gone:
            _shut(one)

    def move(self, port: int) -> None:
        """Central came up again at another port."""
        self._target = (self._target[0], port)

    def close(self) -> None:
        """Stop listening and break what is open."""
        self._closed.set()
        self.clear()
        self._listener.close()
        self.drop()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _set(self, way: Way, fault: Fault) -> None:
        with self._lock:
            before = self._faults.get(way)
            self._faults[way] = fault
            self.held.clear()
        if before is not None:
            before.cleared.set()

    # -- passing bytes

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                far = socket.create_connection(self._target, timeout=60)
            except OSError:
                _shut(near)
                continue
            far.settimeout(None)
            with self._lock:
                self._open |= {near, far}
            for way, source, target in (("up", near, far), ("down", far, near)):
                pump = threading.Thread(target=self._pump, args=(way, source, target), daemon=True)
                pump.start()

    def _pump(self, way: Way, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if not self._pass(way, piece, target):
                    break
        with self._lock:
            self._open -= {source, target}
        _shut(source)
        _shut(target)

    def _pass(self, way: Way, piece: bytes, target: socket.socket) -> bool:
        """Send a piece on as the weather allows; False when the connection is to break."""
        while piece:
            fault, size = self._allowed(way, len(piece))
            if fault is not None and fault.kind == "delay":
                time.sleep(fault.seconds)
            if fault is not None and fault.kind == "spoil" and not size:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
                self.held.set()
                self._forget(way, fault)
                continue
            if size:
                self.passed[way] += size  # before: who receives it may look at once
                target.sendall(piece[:size])
                piece = piece[size:]
            elif fault is not None:
                self.held.set()
                if fault.kind == "cut":
                    return False
                self._wait(fault)
        return True

    def _forget(self, way: Way, fault: Fault) -> None:
        with self._lock:
            if self._faults.get(way) is fault:
                del self._faults[way]

    def _wait(self, fault: Fault) -> None:
        while not fault.cleared.wait(LOOK_SECONDS):
            if self._closed.is_set():
                raise OSError

    def _allowed(self, way: Way, size: int) -> tuple[Fault | None, int]:
        """The fault that stands on this way, and how many of `size` bytes may pass now."""
        with self._lock:
            fault = self._faults.get(way)
            if fault is None or fault.kind == "delay":
                return fault, size
            size = min(size, fault.after)
            fault.after -= size
            return fault, size


def _shut(one: socket.socket) -> None:
    """Close for both sides; a socket that somebody waits on does not wake from `close` alone."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        one.close()
