"""The network road as a stream: one POST whose body and response travel at the same time.

Frames go up as they are made and their answers come down as central has them on its disk, over one
plain or TLS connection (HTTP/1.1, chunked both ways). One thread moves both: it sends what the
system takes and reads what is there. Where a connection does not come about at once another try is
begun beside it, since a lost first packet is otherwise only missed after seconds.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import h11

from field_client.settings import FieldSettings
from field_client.transports.http import (
    CONTENT_TYPE,
    REFUSAL_BYTES_MAX,
    HttpRoad,
    Unreached,
    host_of,
    read_problem,
    refused,
)
from models.problems import Problem
from sync import wire

NEXT_TRY_SECONDS = 1.2
TRIES_AT_ONCE = 4
LOOK_SECONDS = 0.25
"""How often somebody who waits for a connection looks whether it is still wanted."""

READ_BYTES = 64 * 1024

CONTROL = b"bbr"
"""TCP's congestion control, where the system has it and lets us: on a radio link a lost packet is
no sign of congestion, and what lies in a queue when the link dies was sent for nothing."""

_RTO_MAX_MS = 44
"""Linux 6.15 on (include/uapi/linux/tcp.h): TCP sends again at most so long after the last time."""

Address = tuple[int, tuple[object, ...]]
"""Family and address of a socket."""


class StreamRoad(HttpRoad):
    """Central at one address, by streams; `post` carries single bodies. Addresses and the TLS
    session are kept for the next connection."""

    def __init__(self, url: str, settings: FieldSettings) -> None:
        super().__init__(url, settings)
        self._addresses: list[Address] = []
        self._context: ssl.SSLContext | None = None
        self._session: ssl.SSLSession | None = None
        self._line: Line | None = None
        self.stop: Callable[[], bool] = lambda: False

    def line(self, path: str) -> Line | None:
        """A new connection on which a POST to `path` has begun; None where streams do not get
        through (a proxy stands between). Raises Unreached, Problem."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            raise Problem("sync.unreachable", why="URL")
        if parts.scheme in getproxies() and not proxy_bypass(host):
            return None
        self.hang_up()
        began = time.monotonic()
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            plain = self._connect(host, port)
            seconds = time.monotonic() - began
            carrier = self._secured(plain, host) if parts.scheme == "https" else plain
        except ValueError as error:
            raise Problem("sync.unreachable", why="URL") from error
        except OSError as error:
            raise Unreached(Problem("sync.unreachable", why=host_of(self.url))) from error
        carrier.setblocking(False)
        self._line = Line(carrier, self.url, f"{parts.path.rstrip('/')}{path}", parts.netloc)
        self._line.limit = self.settings.sync_bytes_max
        self._line.connect_seconds = seconds
        return self._line

    def hang_up(self) -> None:
        """Close the newest line; what it learned of TLS is kept."""
        if self._line is not None:
            with contextlib.suppress(ValueError):
                self._session = getattr(self._line.carrier, "session", None) or self._session
            self._line.close()
            self._line = None

    def close(self) -> None:
        """Close every connection."""
        self.hang_up()
        super().close()

    # -- connecting

    def _connect(self, host: str, port: int) -> socket.socket:
        """The first of several tries that succeeds. Names are asked for once: over 2G that costs a
        round trip, and after an outage the asking fails by itself."""
        if not self._addresses:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._addresses = [(family, address) for family, _, _, _, address in found]
        until = time.monotonic() + self.settings.connect_seconds
        tries: list[socket.socket] = []
        begun, next_try = 0, 0.0
        refusal: OSError | None = None
        try:
            while (now := time.monotonic()) < until and not self.stop():
                if now >= next_try and len(tries) < TRIES_AT_ONCE:
                    tries.append(_begin(self._addresses[begun % len(self._addresses)]))
                    begun += 1
                    next_try = now + NEXT_TRY_SECONDS
                wait = min(LOOK_SECONDS, until - now)
                _, ready, broken = select.select([], tries, tries, wait)
                for one in {*ready, *broken}:
                    tries.remove(one)
                    code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return one
                    one.close()
                    refusal, next_try = OSError(code, "connect"), 0.0
                if refusal is not None and not tries and begun >= len(self._addresses):
                    raise refusal
            raise TimeoutError
        except BaseException:
            self._addresses = []
            raise
        finally:
            for one in tries:
                one.close()

    def _secured(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        if self._context is None:
            self._context = ssl.create_default_context()
        plain.settimeout(self.settings.connect_seconds)
        try:
            return self._context.wrap_socket(plain, server_hostname=host, session=self._session)
        except BaseException:
            plain.close()
            raise


def _begin(address: Address) -> socket.socket:
    family, place = address
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setblocking(False)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_CONGESTION"):
        with contextlib.suppress(OSError):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONTROL)
    with contextlib.suppress(BlockingIOError):
        one.connect(place)
    return one


def _control(one: socket.socket) -> bytes:
    """The congestion control that a connection has; empty where the system does not say."""
    if not sys.platform.startswith("linux"):
        return b""
    with contextlib.suppress(OSError):
        return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")
    return b""


class Line:
    """One connection with its POST. limit: bytes of the response at most. bytes_up, bytes_down:
    moved so far, HTTP's own included. heard: anything came back."""

    def __init__(self, carrier: socket.socket, url: str, target: str, host: str) -> None:
        self.carrier = carrier
        self.limit = 0
        self.connect_seconds = 0.0
        self.bytes_up = self.bytes_down = 0
        self.heard = self.ended = False
        self._tunable = _control(carrier) == CONTROL
        self._retry_seconds = 0.0
        self._url = url
        self._http = h11.Connection(h11.CLIENT)
        self._response: h11.Response | None = None
        self._frames = bytearray()
        self._said = bytearray()
        headers = [("host", host.rpartition("@")[2]), ("transfer-encoding", "chunked")]
        head = h11.Request(method="POST", target=target, headers=headers)
        self._out = bytearray(self._http.send(head) or b"")
        self.head_bytes = len(self._out)

    @property
    def unsent(self) -> int:
        """Bytes the system has not taken yet."""
        return len(self._out)

    def retry_within(self, seconds: float) -> None:
        """After an outage TCP itself tries again at most so late, instead of ever later. Only with
        a congestion control that keeps queues short: behind a long one that would be too early."""
        if not self._tunable or seconds == self._retry_seconds:
            return
        self._retry_seconds = seconds
        with contextlib.suppress(OSError):
            self.carrier.setsockopt(socket.IPPROTO_TCP, _RTO_MAX_MS, int(1000 * seconds))

    def put(self, frame: bytes) -> None:
        """Queue a frame."""
        self._out += self._http.send(h11.Data(data=wire.join_frames([frame]))) or b""

    def end(self) -> None:
        """Nothing more will be put."""
        if self._http.our_state is h11.SEND_BODY:
            self._out += self._http.send(h11.EndOfMessage()) or b""

    def step(self, seconds: float) -> list[bytes]:
        """Move bytes both ways; wait at most so long for something to happen. Gives the frames that
        came. Raises Unreached when the connection broke, else what the other side refuses."""
        self._send()
        wanted = [self.carrier] if self._out else []
        try:
            readable, writable, _ = select.select([self.carrier], wanted, [], max(0.0, seconds))
            if writable:
                self._send()
            return self._read() if readable else []
        except (OSError, ValueError, h11.RemoteProtocolError) as error:
            raise Unreached(Problem("sync.timeout")) from error

    def close(self) -> None:
        """Break the connection."""
        with contextlib.suppress(OSError):
            self.carrier.close()

    # -- up

    def _send(self) -> None:
        try:
            while self._out:
                sent = self.carrier.send(self._out)
                self.bytes_up += sent
                del self._out[:sent]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError:
            # Perhaps refused in the middle: the reason may be there to be read.
            self._out.clear()

    # -- down

    def _read(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                data = self.carrier.recv(READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return found
            self.bytes_down += len(data)
            self.heard = self.heard or bool(data)
            if self.bytes_down > self.limit:
                raise Problem("sync.too_large", limit=self.limit)
            try:
                self._http.receive_data(data)
                found += self._events()
            except h11.RemoteProtocolError:
                if not found:  # else what came first is used, and the next step says so again
                    raise
                return found
            if not data or self.ended:
                return found

    def _events(self) -> list[bytes]:
        while True:
            event = self._http.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED):
                return self._whole()
            if isinstance(event, h11.Response):
                self._begin(event)
            elif isinstance(event, h11.Data):
                refused_ = self._response is not None and self._response.status_code != 200
                (self._said if refused_ else self._frames).extend(event.data)
                if len(self._said) > REFUSAL_BYTES_MAX:
                    self._refuse()
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                self._refuse()
                self.ended = True
                return self._whole()

    def _begin(self, response: h11.Response) -> None:
        self._response = response
        if response.status_code != 200:
            self._out.clear()  # nobody reads it any more
            return
        if self._header("content-type").partition(";")[0].strip() != CONTENT_TYPE:
            raise Problem("sync.not_central", url=host_of(self._url))

    def _header(self, name: str) -> str:
        headers = dict(self._response.headers) if self._response is not None else {}
        value: bytes = headers.get(name.encode(), b"")
        return value.decode("latin-1")

    def _refuse(self) -> None:
        if self._response is not None and self._response.status_code != 200:
            status, said = self._response.status_code, bytes(self._said)
            raise refused(status, said, self._header("retry-after"), self._url)

    def _whole(self) -> list[bytes]:
        """Whole frames out of what came. A refusal in the middle of a response is raised."""
        found: list[bytes] = []
        while len(self._frames) >= 4:
            size = int.from_bytes(self._frames[:4], "big")
            if size > wire.FRAME_BYTES_MAX:
                raise Problem("sync.forged_reply")
            if len(self._frames) < 4 + size:
                break
            frame = bytes(self._frames[4 : 4 + size])
            del self._frames[: 4 + size]
            found.append(frame)
        return found


def refusal_in(frame: bytes) -> Exception | None:
    """What a frame says that refuses in the middle of a response, or None for any other frame."""
    if frame[:1] != b"\0":
        return None
    problem = read_problem(frame[1:]) or Problem("sync.malformed")
    wait = float(problem.details.get("seconds", 0) or 0)
    return Unreached(problem, wait) if problem.status in (408, 429, 500, 503, 504) else problem
