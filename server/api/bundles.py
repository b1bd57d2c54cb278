"""The USB road over the network: somebody near a stick hands on its volumes, and gets what returns.

What is carried is sealed and signed by itself, so the carrier need not be trusted, only thanked; a
laptop that relays for others signs in nowhere. A person who does is named in the audit trail.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from models.ids import from_text
from server.api.guards import AnyRequest, bearer, in_thread
from server.api.laptops import OCTETS
from server.central import Central
from server.database.people import Person
from sync import wire


def _somebody(central: Central, http_request: AnyRequest) -> Person | None:
    token = bearer(http_request)
    return central.doorkeeper.whoever(token) if token else None


@post("/bundles", status_code=200, summary="One volume of a laptop's USB bundle", laptops=True)
async def take_bundle(request: AnyRequest) -> Response[Any]:
    """Take the bytes of one .jbb file; any order, any number of times. The answer says what it
    brought and which volumes are missing: JSON, or msgpack for who accepts octets."""
    body = await request.body()
    came = await in_thread(
        request, lambda central: central.bundles.take(_somebody(central, request), body, "-")
    )
    if request.headers.get("Accept") == OCTETS:
        return Response(msgspec.msgpack.encode(came), media_type=OCTETS)
    return Response(came)


@get("/bundles/{log:str}/return", media_type=OCTETS, summary="A laptop's return bundle")
async def return_bundle(request: AnyRequest, log: FromPath[str]) -> Response[bytes]:
    """The volumes of the return bundle for a log, as a row of frames (docs/protocol.md): each is a
    .jbb file that only this laptop can open."""

    def give(central: Central) -> bytes:
        name = from_text(log, "log")
        made = central.returns.give(_somebody(central, request), log=name)
        return wire.join_frames(data for _, data in made.files)

    return Response(await in_thread(request, give), media_type=OCTETS)


BUNDLES = [take_bundle, return_bundle]
