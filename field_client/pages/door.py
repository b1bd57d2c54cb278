"""Door: who may speak to the pages at all, before any page is asked.

Pages are for one browser on this very machine. Another program, another person at the same
machine, or a page from somewhere else that posts to the loopback port, stands outside:

- only 127.0.0.1 and localhost at our own port are answered, no foreign name that points here;
- the first visit brings a one-time key, made by `jemput serve`; after it, a cookie;
- whatever changes something comes from our own pages: its Origin is ours, and it carries the token
  that only our pages know (`drawing.Form`);
- nothing but our own files may be loaded, framed or posted to, and no page is kept in a cache.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from models.pages.headers import HEADERS, NOT_KEPT

COOKIE = "jemput-{port}"
"""Browsers keep one jar for all ports of an address, and training runs beside the real work."""

_ASKING = ("GET", "HEAD")
INVITE_PATH, INVITE_HEADER = "/invite", "x-jemput"
"""Where a second `jemput serve` by the same person asks for a key of its own."""


RACE_SECONDS = 120
"""How long after a first visit the same key, coming again, says that two have it."""


class Secrets:
    """What a browser has to know. session: its cookie. token: in every form of ours. word: in a
    file that only the laptop's user reads. Besides them keys for a first visit, each good once.

    A key stands in the address that a browser is started with, which other people of the same
    machine may see in its list of programs. One of them may be quicker than the browser; the
    browser then comes with a key that was taken, and whoever took it is shut out again."""

    def __init__(self) -> None:
        self.word = secrets.token_urlsafe(32)
        self._once: set[str] = set()
        self._taken: dict[str, float] = {}
        self._draw()

    def _draw(self) -> None:
        self.session = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(32)

    def invite(self) -> str:
        """A new key for one first visit."""
        key = secrets.token_urlsafe(32)
        self._once.add(key)
        return key

    def admits(self, key: str) -> bool:
        """Whether the key opens the door; never a second time."""
        now = time.monotonic()
        taken = _like(self._taken, key)
        if taken and now - self._taken.pop(taken) < RACE_SECONDS:
            self._draw()
        found = _like(self._once, key)
        self._once.discard(found)
        if found:
            self._taken[found] = now
        return bool(found)

    def knows(self, cookie: str) -> bool:
        """Whether this is the browser that was let in."""
        return hmac.compare_digest(cookie.encode(), self.session.encode())


def _like(known: Iterable[str], key: str) -> str:
    """The one of the known keys that this is, "" for none."""
    given = key.encode()
    return next((one for one in known if hmac.compare_digest(one.encode(), given)), "")


class Door:
    """ASGI layer around the application, served at `port` of this machine."""

    def __init__(self, app: ASGIApp, own: Secrets, port: int) -> None:
        self.app = app
        self.own = own
        self.hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self.cookie = COOKIE.format(port=port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, let in, or pass on."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        path = scope["path"]
        if host not in self.hosts or not self._ours(str(scope.get("method")), headers, host):
            await _answer(send, 403, b"")
        elif path == "/enter":
            await self._enter(scope, send)
        elif path == INVITE_PATH:
            await self._invite(headers, send)
        elif path.startswith("/static/"):
            await self.app(scope, receive, send)
        elif not self.own.knows(self._cookie(headers)):
            await _answer(send, 403, OUTSIDE.encode())
        else:
            await self.app(scope, receive, _shut(send))

    def _ours(self, method: str, headers: dict[bytes, bytes], host: str) -> bool:
        """Whether a request that changes something was made by one of our own pages."""
        site = headers.get(b"sec-fetch-site", b"same-origin")
        if method in _ASKING:
            return (
                site in (b"same-origin", b"none") or headers.get(b"sec-fetch-mode") == b"navigate"
            )
        origin = headers.get(b"origin", b"").decode("latin-1")
        return origin == f"http://{host}" and site in (b"same-origin", b"none")

    def _cookie(self, headers: dict[bytes, bytes]) -> str:
        try:
            jar = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return ""
        found = jar.get(self.cookie)
        return found.value if found is not None else ""

    async def _enter(self, scope: Scope, send: Send) -> None:
        """The first visit: the key is taken, a cookie is given."""
        (key,) = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[:1]
        if not self.own.admits(key):
            await _answer(send, 403, OUTSIDE.encode())
            return
        cookie = f"{self.cookie}={self.own.session}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 303, b"", (b"location", b"/"), (b"set-cookie", cookie.encode()))

    async def _invite(self, headers: dict[bytes, bytes], send: Send) -> None:
        """One more key for who can read the laptop's own files."""
        word = headers.get(INVITE_HEADER.encode(), b"")
        if hmac.compare_digest(word, self.own.word.encode()):
            await _answer(send, 200, self.own.invite().encode())
        else:
            await _answer(send, 403, b"")


OUTSIDE = """<!doctype html><html lang="id"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Jemput Bola</title>
<h1>Pintu ini tertutup</h1>
<p>Buka Jemput Bola dari pintasannya di laptop ini. Pekerjaan Anda aman.</p>
<p lang="en">Open Jemput Bola by its shortcut on this laptop. Your work is safe.</p>
</html>"""
"""For whoever has no key. It says nothing about the laptop, so it needs no catalogue of words."""


def _shut(send: Send) -> Send:
    """Every answer with our headers; nothing is kept by the browser."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [h for h in message.get("headers", []) if h[0].lower() != b"cache-control"]
            message["headers"] = [*kept, *HEADERS, NOT_KEPT]
        await send(message)

    return guarded


async def _answer(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [*HEADERS, NOT_KEPT, *more]
    headers.append((b"content-type", b"text/html; charset=utf-8"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
