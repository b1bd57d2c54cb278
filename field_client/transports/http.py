"""The network road: posts a body to central and brings the reply, or says plainly why not.

Bodies are sealed, so the road neither knows nor changes what it carries; sending one again is
harmless. httpx is imported when the first byte is sent: most commands never need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from field_client.settings import FieldSettings
from models.problems import Problem, problems

if TYPE_CHECKING:
    import httpx

CONTENT_TYPE = "application/octet-stream"
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""HTTP answers after which the same body may be sent again."""

_THEIRS = ("disk.", "database.", "office.", "keys.", "internal")
"""Beginnings of the codes of central's own troubles. Told in their own words they would read as if
this laptop's disk were full."""

_HEADERS = {"content-type": CONTENT_TYPE, "accept": CONTENT_TYPE, "accept-encoding": "identity"}

REFUSAL_BYTES_MAX = 64 * 1024
RETRY_AFTER_MAX = 3600
PIECE_BYTES = 16 * 1024


class Refusal(msgspec.Struct, frozen=True):
    """The part of an `application/problem+json` body (RFC 9457) that is used here."""

    code: str = ""
    details: dict[str, Any] = {}


class Unreached(Exception):
    """The round trip failed in a way that another try may mend. problem: for the person. wait:
    seconds the other side asked for. arrived: the part of the answer that came."""

    def __init__(self, problem: Problem, wait: float = 0.0, arrived: bytes = b"") -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.wait = wait
        self.arrived = arrived


class HttpRoad:
    """Central at one address. Not for several threads at once."""

    def __init__(self, url: str, settings: FieldSettings) -> None:
        self.url = url.rstrip("/")
        self.settings = settings
        self._client: httpx.Client | None = None
        self._body = bytearray()

    def post(self, path: str, body: bytes, arrived: Callable[[int], None] | None = None) -> bytes:
        """Send `body`, return the reply's body. arrived: called with each size received.

        Raises Unreached where another try may help, Problem where it will not.
        """
        return self._send("POST", path, body, arrived)

    def _send(
        self, method: str, path: str, body: bytes, arrived: Callable[[int], None] | None
    ) -> bytes:
        import httpx

        self._body.clear()
        try:
            with self._open().stream(
                method,
                f"{self.url}{path}",
                content=body,
                headers=_HEADERS,
                timeout=self._patience(len(body)),
            ) as response:
                if response.status_code != 200:
                    raise self._refused(response)
                return self._read(response, arrived)
        except httpx.TimeoutException as error:
            raise self._broken() from error
        except httpx.InvalidURL as error:
            raise Problem("sync.unreachable", why="URL") from error
        except httpx.ConnectError as error:
            raise Unreached(Problem("sync.unreachable", why=host_of(self.url))) from error
        except httpx.TransportError as error:  # broken in the middle, or no such protocol
            raise self._broken() from error

    def get(self, path: str) -> bytes:
        """What central publishes there. Raises as `post` does."""
        return self._send("GET", path, b"", None)

    def _broken(self) -> Unreached:
        return Unreached(Problem("sync.timeout"), arrived=bytes(self._body))

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self) -> httpx.Client:
        import httpx

        if self._client is None:
            # One connection, kept: a second handshake costs seconds on 2G. Nothing is followed
            # elsewhere: a hotel's login page must not swallow a batch.
            limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
            self._client = httpx.Client(limits=limits, follow_redirects=False)
        return self._client

    def _patience(self, size: int) -> httpx.Timeout:
        """The system takes a body at once and sends it slowly: the wait for the answer has to
        cover that."""
        import httpx

        settings = self.settings
        answer = settings.answer_seconds + size / settings.slowest_bytes_per_second
        return httpx.Timeout(answer, connect=settings.connect_seconds)

    def _read(self, response: httpx.Response, arrived: Callable[[int], None] | None) -> bytes:
        if response.headers.get("content-type", "").partition(";")[0].strip() != CONTENT_TYPE:
            raise Problem("sync.not_central", url=host_of(self.url))
        for piece in response.iter_raw():
            self._body += piece
            if len(self._body) > self.settings.sync_bytes_max:
                raise Problem("sync.too_large", limit=self.settings.sync_bytes_max)
            if arrived is not None:
                arrived(len(piece))
        return bytes(self._body)

    def _refused(self, response: httpx.Response) -> Exception:
        """The other side's refusal as the Problem it named."""
        said = bytearray()
        for piece in response.iter_bytes(PIECE_BYTES):
            said += piece
            if len(said) > REFUSAL_BYTES_MAX:
                break
        wait = response.headers.get("retry-after", "")
        return refused(response.status_code, bytes(said), wait, self.url)


def refused(status: int, body: bytes, retry_after: str, url: str) -> Exception:
    """An answer that is no 200, as the Problem it names; Unreached where another try may help."""
    problem = read_problem(body) or _unnamed(status, url)
    if problem.code.startswith(_THEIRS):
        return Unreached(Problem("sync.office_trouble", why=problem.code), _wait(retry_after))
    return Unreached(problem, _wait(retry_after)) if status in BUSY else problem


def read_problem(body: bytes) -> Problem | None:
    """The Problem in an `application/problem+json` body, or None for anything else."""
    try:
        refusal = msgspec.json.decode(body, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if refusal.code not in problems():
        return None
    return Problem(refusal.code, **{str(k): v for k, v in refusal.details.items() if k != "code"})


def _unnamed(status: int, url: str) -> Problem:
    if status in BUSY:
        return Problem("sync.unreachable", why=f"HTTP {status}")
    return Problem("sync.not_central", url=host_of(url))


def _wait(text: str) -> float:
    """Seconds of a Retry-After header; dates in it are not used, since clocks lie here."""
    return float(min(int(text), RETRY_AFTER_MAX)) if text.isascii() and text.isdigit() else 0.0


def host_of(url: str) -> str:
    """The address without what a person might have put before the "@"."""
    return url.partition("://")[2].rpartition("@")[2].partition("/")[0] or url[:60]
