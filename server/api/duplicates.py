"""Duplicates over JSON: requests that look like one person's."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from server.api.guards import AnyRequest, as_person
from server.api.problems import language
from server.api.requests import SECURITY, Limit, Name
from server.casework import Done
from server.duplicates import PairLine, PairSheet


class Pairs(msgspec.Struct, frozen=True):
    """One page; the id of the last case is `after` for the next one."""

    cases: list[PairLine]


class Joined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two requests of one matter, by id or number. keep: the one that goes on."""

    seen: int
    one: str
    other: str
    reason: str
    keep: str = ""


class Parted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a request goes its own way again."""

    seen: int
    reason: str


@get("/duplicates", security=SECURITY, summary="List of duplicates")
async def list_pairs(
    request: AnyRequest,
    standing: Annotated[str, QueryParameter(name="state")] = "open",
    kind: FromQuery[str] = "duplicate",
    after: FromQuery[str] = "",
    limit: Limit = 50,
) -> Pairs:
    """Oldest first, each with how sure it is. state: open, closed, all. kind: duplicate, or
    identity for two people under one NIK or paper."""
    found = await as_person(
        request,
        lambda central, me: central.duplicates.cases(
            me, kind=kind, state=standing, after=after, limit=limit
        ),
    )
    return Pairs(found)


@get("/duplicates/{name:str}", security=SECURITY, summary="Open a pair")
async def show_pair(request: AnyRequest, name: Name) -> PairSheet:
    """Both requests and the reasons, in the language of the caller. Opening is recorded."""
    lang = language(request)
    return await as_person(request, lambda central, me: central.duplicates.show(me, name, lang))


@post("/duplicates/link", status_code=200, security=SECURITY, summary="Join two requests")
async def link_pair(request: AnyRequest, data: JSONBody[Joined]) -> Done:
    """Both numbers stay valid. Where a case is open, deciding it by `/cases` does the same."""
    return await as_person(
        request,
        lambda central, me: central.duplicates.link(
            me, data.one, data.other, data.reason, data.seen, keep=data.keep
        ),
    )


@post("/requests/{name:str}/unlink", status_code=200, security=SECURITY, summary="Part again")
async def unlink_request(request: AnyRequest, name: Name, data: JSONBody[Parted]) -> Done:
    """Waits for a second person, who confirms it like any other step."""
    return await as_person(
        request, lambda central, me: central.duplicates.unlink(me, name, data.reason, data.seen)
    )


DUPLICATES = [list_pairs, show_pair, link_pair, unlink_request]
