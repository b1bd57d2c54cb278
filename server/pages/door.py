"""Door: the session's cookie, who may post, and the headers of every page.

The cookie holds the same token as the API's Authorization header; the register knows its hash
alone. Scripts cannot read it, no other site's page brings it along (SameSite=Strict), and over TLS
it is Secure and bound to this very host. Whatever changes something has to come from one of our own
pages: the browser's Origin is the host that was asked, or the address that central is known by, and
the form carries a token that is reckoned from the session.

Which name central is asked by is not looked at: staff come by the name or number of the office's
network, a cookie belongs to the name it was given for, and no address is ever made from that name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.types import Message, Scope

from models.pages.headers import HEADERS, NOT_KEPT
from models.problems import Problem

COOKIE, COOKIE_TLS = "pusat", "__Host-pusat"
"""Browsers take a name that begins with __Host- only over TLS, for this very host."""
LANGUAGE_COOKIE = "lang"
TOLD_COOKIE = "told"
TOKEN = "token"  # noqa: S105 - the name of a form's field
TOLD_SECONDS = 60
TOLD_MAX = 1500
"""Letters; a cookie holds 4 kB."""
YEAR_SECONDS = 366 * 86_400
APIS = ("/v1", "/schema")
AnyRequest = Request[Any, Any, Any]


def is_page(path: str) -> bool:
    """Whether an address belongs to the pages and not to a program's door."""
    return not any(path == one or path.startswith(f"{one}/") for one in APIS)


def over_tls(request: AnyRequest) -> bool:
    """Whether browsers reach central by https, here or at the proxy in front."""
    public = request.app.state.central.settings.public_url
    return request.url.scheme == "https" or str(public).startswith("https://")


def cookie_name(request: AnyRequest) -> str:
    """Of the session's cookie."""
    return COOKIE_TLS if over_tls(request) else COOKIE


def session_cookie(request: AnyRequest, token: str, seconds: int) -> Cookie:
    """Holds the token; 0 seconds takes it away."""
    return _cookie(request, cookie_name(request), token, seconds)


def language_cookie(request: AnyRequest, lang: str) -> Cookie:
    """Remembers the language that was chosen."""
    return _cookie(request, LANGUAGE_COOKIE, lang, YEAR_SECONDS)


def _cookie(request: AnyRequest, key: str, value: str, seconds: int) -> Cookie:
    return Cookie(
        key, "/", value, max_age=seconds, secure=over_tls(request), httponly=True, samesite="strict"
    )


# -- told once


def telling(request: AnyRequest, token: str, words: str) -> Cookie:
    """Something to be read at the top of the next page, sealed against whoever sets cookies."""
    data = msgspec.json.encode(words[:TOLD_MAX])
    text = base64.urlsafe_b64encode(_seal(token, data) + data).decode()
    return _cookie(request, TOLD_COOKIE, text, TOLD_SECONDS)


def told(request: AnyRequest, token: str) -> list[str]:
    """What was to be read."""
    try:
        data = base64.urlsafe_b64decode(request.cookies.get(TOLD_COOKIE, ""))
        if not hmac.compare_digest(_seal(token, data[16:]), data[:16]):
            return []
        return [msgspec.json.decode(data[16:], type=str)]
    except ValueError:
        return []


def _seal(token: str, data: bytes) -> bytes:
    return hmac.digest(token.encode(), b"jb1-told" + data, hashlib.sha256)[:16]


# -- who posts


def require_ours(request: AnyRequest) -> None:
    """Problem page.foreign for a form that another site's page sent."""
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    public = request.app.state.central.settings.public_url
    host = request.headers.get("host", "")
    known = {host, urlsplit(str(public)).netloc} - {""}
    if site not in ("same-origin", "none") or urlsplit(origin).netloc not in known:
        raise Problem("page.foreign")


def local(address: str) -> str:
    """An address of ours to go on to; anything else leads to the desk."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_ours and address.isprintable() else "/"


# -- headers


async def close(message: Message, scope: Scope) -> None:
    """Before an answer leaves: the headers of a page, and nothing of it kept but built files."""
    if message["type"] != "http.response.start" or not is_page(scope["path"]):
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS:
        headers[name.decode()] = value.decode()
    if not scope["path"].startswith("/static/"):
        headers[NOT_KEPT[0].decode()] = NOT_KEPT[1].decode()
    if scope["scheme"] == "https":
        headers["strict-transport-security"] = f"max-age={YEAR_SECONDS}"
