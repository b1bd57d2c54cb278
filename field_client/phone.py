"""Phone: a telephone as the camera of one request (or form), over the laptop's own hotspot.

    door = PhoneDoor(host, owner)                 binds, answers for ten minutes at most
    door.address                                  what the QR code says
    door.waiting                                  pictures that arrived, in memory only
    door.drop(*photos)                            they are attached, or not wanted

There is no TLS: nobody can have a certificate for the address of a hotspot, and one that we made
ourselves would teach people to click warnings away. So the way through the air is as safe as the
hotspot's own password, and this door is made small instead: it is shut unless a clerk opens it for
one request; it is bound to one address of the laptop; its own address carries 128 random bits; the
first telephone that comes keeps it, every other is refused; it only takes pictures and shows
nothing, neither name nor number; what came lies in memory until the clerk has looked at it and
attaches it; and it shuts after ten minutes, at the curtain, and when the clerk says so.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from models.pages.forms import whole
from models.pages.uploads import UPLOAD_BYTES_MAX, Upload, multipart_pairs
from models.problems import Problem
from models.words import say
from sync.attaching import FILES_OF_UNIT_MAX, Photo

OPEN_SECONDS = 600
ANSWER_SECONDS = 60.0
"""How long a telephone may be silent in the middle of a picture."""

WAITING_BYTES_MAX = 2 * UPLOAD_BYTES_MAX
COOKIE = "hp"
_LIKELY = ("192.168.137.2", "10.42.0.2", "192.168.43.1", "172.20.10.1", "192.168.1.1", "10.0.0.1")
"""Somebody in the networks that hotspots make; nothing is sent there, only the way is asked."""

_POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def addresses() -> list[str]:
    """Addresses of this laptop that a telephone beside it may reach, private ones only."""
    found: list[str] = []
    for there in _LIKELY:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((there, 9))
                here = str(probe.getsockname()[0])
            except OSError:
                continue
        if is_private(here) and here not in found:
            found.append(here)
    return found


def is_private(address: str) -> bool:
    """Of a local network, and not of this machine alone."""
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return found.is_private and not found.is_loopback and not found.is_unspecified


class PhoneDoor:
    """One open door. owner: the request, or the folder of forms, that the pictures are for.
    seconds: how long."""

    def __init__(
        self, host: str, owner: bytes, seconds: float = OPEN_SECONDS, lang: str = "id"
    ) -> None:
        """Problem phone.no_network where the address cannot be bound."""
        self.owner = owner
        self.lang = lang
        self.code = secrets.token_urlsafe(16)
        self.guest = ""  # what the first telephone was given to be known by
        self.ends = time.monotonic() + seconds
        self._waiting: list[Photo] = []
        self._guard = threading.Lock()
        door = self

        class Handler(_Handler):
            phone = door

        try:
            self._server = ThreadingHTTPServer((host, 0), Handler)
        except OSError as error:
            raise Problem("phone.no_network") from error
        self._server.daemon_threads = True
        self.host = f"{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="phone")
        self._thread.daemon = True
        self._thread.start()
        self._timer = threading.Timer(seconds, self.close)
        self._timer.daemon = True
        self._timer.start()

    @property
    def address(self) -> str:
        """What the telephone opens."""
        return f"http://{self.host}/{self.code}"

    @property
    def minutes_left(self) -> int:
        """Whole minutes, 0 once it is shut."""
        return max(0, -(-int(self.ends - time.monotonic()) // 60))

    @property
    def is_open(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive() and time.monotonic() < self.ends

    @property
    def waiting(self) -> list[Photo]:
        """What came and was not attached yet, oldest first."""
        with self._guard:
            return list(self._waiting)

    def drop(self, *photos: Photo) -> None:
        """These are attached, or not wanted."""
        with self._guard:
            gone = {id(one) for one in photos}
            self._waiting = [one for one in self._waiting if id(one) not in gone]

    def keep(self, photos: list[Photo]) -> bool:
        """Take what a telephone sent; False where there is no more room, and once the door is shut:
        what began to come before may end after the curtain."""
        with self._guard:
            if time.monotonic() >= self.ends:
                return False
            found = [*self._waiting, *photos]
            if len(found) > FILES_OF_UNIT_MAX:
                return False
            if sum(len(one.data) for one in found) > WAITING_BYTES_MAX:
                return False
            self._waiting = found
            return True

    def admits(self, cookie: str) -> str | None:
        """The cookie of the telephone that comes first, or of the same one; None for another."""
        with self._guard:
            if not self.guest:
                self.guest = secrets.token_urlsafe(16)
                return self.guest
        return self.guest if hmac.compare_digest(cookie.encode(), self.guest.encode()) else None

    def close(self) -> None:
        """Shut it: nothing comes in from now on. What came stays until the clerk decides."""
        with self._guard:
            self.ends = 0.0
        self._timer.cancel()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """What a telephone may ask: the one page, and to send pictures."""

    phone: PhoneDoor
    timeout = ANSWER_SECONDS
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """The page with the one button."""
        guest = self._guest()
        if guest is not None:
            self._page("", guest)

    def do_POST(self) -> None:
        """Pictures."""
        guest = self._guest()
        if guest is None:
            return
        length = whole(self.headers.get("Content-Length", "")) or 0
        if not 0 < length <= UPLOAD_BYTES_MAX:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        sent = self._sent(self.rfile.read(length))
        if not self.phone.is_open:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        lang = self.phone.lang
        if not sent:
            self._page(say("Pilih atau ambil foto dulu.", lang), guest)
        elif self.phone.keep(sent):
            self._page(say("{n} foto sampai di laptop.", lang, n=len(sent)), guest)
        else:
            self._page(say("Laptop belum bisa menerima lagi. Lampirkan dulu.", lang), guest)

    def _guest(self) -> str | None:
        """Who may speak: by the address that the QR code said, from the first telephone."""
        phone = self.phone
        right = hmac.compare_digest(self.path.encode(), f"/{phone.code}".encode())
        if not phone.is_open or self.headers.get("Host") != phone.host or not right:
            self._refuse(HTTPStatus.NOT_FOUND)
            return None
        given = self.headers.get("Cookie", "")
        cookie = dict(part.strip().partition("=")[::2] for part in given.split(";"))
        guest = phone.admits(cookie.get(COOKIE, ""))
        if guest is None:
            self._refuse(HTTPStatus.FORBIDDEN)
        return guest

    def _sent(self, body: bytes) -> list[Photo]:
        async def once() -> AsyncIterator[bytes]:
            yield body

        try:
            pairs = asyncio.run(multipart_pairs(self.headers.get("Content-Type", ""), once()))
        except Problem:
            return []
        files = [value for _, value in pairs if isinstance(value, Upload) and value.data]
        return [Photo(f"hp-{number}", one.data) for number, one in enumerate(files, 1)]

    def _page(self, told: str, guest: str) -> None:
        lang = self.phone.lang
        text = PAGE.format(
            lang=lang, told=told, title=say("Kamera untuk laptop Jemput Bola", lang),
            hint=say("Foto dokumen, lalu kirim. Petugas memeriksanya di laptop.", lang),
            label=say("Foto dokumen", lang), send=say("Kirim ke laptop", lang),
        )  # fmt: skip
        cookie = f"{COOKIE}={guest}; HttpOnly; SameSite=Strict; Path=/"
        self._answer(HTTPStatus.OK, text.encode(), ("Set-Cookie", cookie))

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(status, b"")

    def _answer(self, status: HTTPStatus, body: bytes, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))),
            ("Content-Security-Policy", _POLICY), ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"), *more,
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Nothing about the program."""
        return ""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: its address is the key."""


PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<h1>{title}</h1><p role="status"><strong>{told}</strong></p><p>{hint}</p>
<form method="post" enctype="multipart/form-data">
<p><label>{label}<br><input type="file" name="file" accept="image/*" capture="environment"
 multiple required></label></p>
<p><button>{send}</button></p></form></html>"""
