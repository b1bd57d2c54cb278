"""Batches over JSON: what is typed into SIAK together."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from server.api.guards import AnyRequest, as_person
from server.api.requests import SECURITY, Limit
from server.batches import BatchLine, BatchSheet
from server.central import Central
from server.database.people import Person
from server.sheets import RequestLine

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Number = FromPath[int]


class Eligible(msgspec.Struct, frozen=True):
    """One page; the id of the last line is `after` for the next one."""

    requests: list[RequestLine]


class Listed(msgspec.Struct, frozen=True):
    """Newest first; the number of the last one is `before` for the next page."""

    batches: list[BatchLine]


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids or numbers of the requests of a new batch."""

    requests: Annotated[list[str], msgspec.Meta(min_length=1, max_length=200)]


class Oldest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the requests that have waited longest, of one service or village or of all."""

    n: int
    service: str = ""
    village: str = ""


class Made(msgspec.Struct, frozen=True):
    """Numbers of the batches that were made."""

    batches: list[int]


class Marked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a row: `reference` from SIAK, or why it `failed`; one of both."""

    row: int
    reference: str = ""
    failed: str = ""


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """agree: false gives the batch back to be worked on."""

    agree: bool = True


@get("/batches/eligible", security=SECURITY, summary="What can be put into a batch")
async def eligible(
    request: AnyRequest,
    service: FromQuery[str] = "",
    village: FromQuery[str] = "",
    after: FromQuery[str] = "",
    limit: Limit = 50,
) -> Eligible:
    """Verified requests without open cases, by arrival."""
    return Eligible(
        await as_person(
            request,
            lambda central, me: central.batches.eligible(
                me, service=service, village=village, after=after, limit=limit
            ),
        )
    )


@get("/batches", security=SECURITY, summary="List of batches")
async def list_batches(
    request: AnyRequest,
    standing: FromQuery[str] = "",
    before: FromQuery[int] = 0,
    limit: Limit = 50,
) -> Listed:
    """standing: frozen, proposed, closed; empty for all."""
    return Listed(
        await as_person(
            request,
            lambda central, me: central.batches.batches(
                me, state=standing, before=before, limit=limit
            ),
        )
    )


@get("/batches/{number:int}", security=SECURITY, summary="Open a batch")
async def show_batch(request: AnyRequest, number: Number) -> BatchSheet:
    """With every cell, to be copied one by one. Opening is recorded."""
    return await as_person(request, lambda central, me: central.batches.show(me, number))


@get("/batches/{number:int}/export", security=SECURITY, summary="The batch as a file")
async def export_batch(
    request: AnyRequest, number: Number, kind: FromQuery[str] = "xlsx"
) -> Response[bytes]:
    """kind: xlsx or csv. That it was taken is recorded."""
    data = await as_person(request, lambda central, me: central.batches.export(me, number, kind))
    name = f'attachment; filename="batch-{number}.{kind}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(data, media_type=MEDIA[kind], headers=headers)


@post("/batches", security=SECURITY, summary="Freeze a batch")
async def freeze_batch(request: AnyRequest, data: JSONBody[Chosen]) -> BatchSheet:
    """All of the requests or none."""
    return await as_person(request, lambda central, me: central.batches.freeze(me, data.requests))


@post("/batches/oldest", security=SECURITY, summary="Freeze what has waited longest")
async def freeze_oldest(request: AnyRequest, data: JSONBody[Oldest]) -> Made:
    """Up to 1,000 requests, in batches of 200 at most."""

    def work(central: Central, me: Person) -> Made:
        found = central.batches.freeze_oldest(
            me, data.n, service=data.service, village=data.village
        )
        return Made(found)

    return await as_person(request, work)


@post("/batches/{number:int}/rows", status_code=200, security=SECURITY, summary="Mark a row")
async def mark_row(request: AnyRequest, number: Number, data: JSONBody[Marked]) -> BatchSheet:
    """`failed` where it is given, else `reference`."""
    return await as_person(
        request,
        lambda central, me: (
            central.batches.failed(me, number, data.row, data.failed)
            if data.failed
            else central.batches.entered(me, number, data.row, data.reference)
        ),
    )


@post("/batches/{number:int}/propose", status_code=200, security=SECURITY, summary="Ask to close")
async def propose_batch(request: AnyRequest, number: Number) -> BatchSheet:
    """Every row is marked by now."""
    return await as_person(request, lambda central, me: central.batches.propose(me, number))


@post("/batches/{number:int}/close", status_code=200, security=SECURITY, summary="Second person")
async def close_batch(request: AnyRequest, number: Number, data: JSONBody[Closed]) -> BatchSheet:
    """Somebody else than who asked."""
    return await as_person(
        request, lambda central, me: central.batches.close(me, number, agree=data.agree)
    )


BATCHES = [
    eligible,
    list_batches,
    show_batch,
    export_batch,
    freeze_batch,
    freeze_oldest,
    mark_row,
    propose_batch,
    close_batch,
]
