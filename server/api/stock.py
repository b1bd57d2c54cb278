"""Blank cards and manifests over JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from models.handover import Given
from server.api.guards import AnyRequest, as_person
from server.api.requests import SECURITY, Limit, Name
from server.casework import Done
from server.central import Central
from server.database.people import Person
from server.database.stock import Manifest
from server.sheets import RequestLine
from server.stock import Count, ManifestSheet
from sync.attaching import Photo

Number = FromPath[int]


class Blanks(msgspec.Struct, frozen=True):
    """The book in numbers."""

    blanks: list[Count]


class Lot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Serials first..last of a kind: ktp or kia."""

    kind: str
    first: str
    last: str = ""


class Printed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The blank on which the card was printed; none for what is printed on plain paper."""

    seen: int
    serial: str = ""


class Spoiled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which blank, and why."""

    serial: str
    reason: str


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests by id or number, where they go, and with whom."""

    requests: Annotated[list[str], msgspec.Meta(min_length=1, max_length=200)]
    place: str
    carrier: str


class Arrived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was not there. receiver: who signed for the rest."""

    receiver: Annotated[str, msgspec.Meta(max_length=100)] = ""
    missing: Annotated[list[str], msgspec.Meta(max_length=200)] = []


class Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who got a document; see `models.handover.Given`. seen: number of what was shown. way: how the
    receiver was recognised. signature: a picture of it, base64."""

    seen: int
    relation: str
    way: str = ""
    receiver_nik: str = ""
    document: str = ""
    old_taken: bool = False
    serial: str = ""
    listed: bool = False
    reason: str = ""
    signature: bytes = b""


class Manifests(msgspec.Struct, frozen=True):
    """Newest first; the number of the last one is `before` for the next page."""

    manifests: list[Manifest]


class Waiting(msgspec.Struct, frozen=True):
    """Documents whose owners did not come."""

    requests: list[RequestLine]


class Amount(msgspec.Struct, frozen=True):
    """How many."""

    n: int


@get("/stock/blanks", security=SECURITY, summary="Blank cards in numbers")
async def blanks(request: AnyRequest) -> Blanks:
    """By kind and state."""
    return Blanks(await as_person(request, lambda central, me: central.stock.counts(me)))


@post("/stock/blanks", security=SECURITY, summary="A lot of blanks came")
async def receive_blanks(request: AnyRequest, data: JSONBody[Lot]) -> Amount:
    """All of them or none."""
    return Amount(
        await as_person(
            request,
            lambda central, me: central.stock.receive(me, data.kind, data.first, data.last),
        )
    )


@post("/stock/blanks/spoil", status_code=200, security=SECURITY, summary="A blank is spoiled")
async def spoil_blank(request: AnyRequest, data: JSONBody[Spoiled]) -> Amount:
    """A request it was used for is printed again."""

    def work(central: Central, me: Person) -> Amount:
        central.stock.spoil(me, data.serial, data.reason)
        return Amount(1)

    return await as_person(request, work)


@post("/requests/{name:str}/print", status_code=200, security=SECURITY, summary="A card is printed")
async def print_card(request: AnyRequest, name: Name, data: JSONBody[Printed]) -> Done:
    """On a blank that is in stock."""
    return await as_person(
        request, lambda central, me: central.stock.print(me, name, data.serial, data.seen)
    )


@get("/manifests", security=SECURITY, summary="List of manifests")
async def list_manifests(
    request: AnyRequest,
    standing: FromQuery[str] = "",
    before: FromQuery[int] = 0,
    limit: Limit = 50,
) -> Manifests:
    """standing: sent or received; empty for all."""
    return Manifests(
        await as_person(
            request,
            lambda central, me: central.stock.manifests(
                me, state=standing, before=before, limit=limit
            ),
        )
    )


@post("/manifests", security=SECURITY, summary="Send documents to a place")
async def send_manifest(request: AnyRequest, data: JSONBody[Sent]) -> ManifestSheet:
    """All of them or none."""
    return await as_person(
        request,
        lambda central, me: central.stock.send(me, data.requests, data.place, data.carrier),
    )


@get("/manifests/{number:int}", security=SECURITY, summary="Open a manifest")
async def show_manifest(request: AnyRequest, number: Number) -> ManifestSheet:
    """With what its code says. Opening is recorded."""
    return await as_person(request, lambda central, me: central.stock.show(me, number))


@get("/manifests/{number:int}/export", security=SECURITY, summary="The carrier's list")
async def export_manifest(request: AnyRequest, number: Number) -> Response[bytes]:
    """CSV in which nothing is a formula."""
    data = await as_person(request, lambda central, me: central.stock.export(me, number))
    name = f'attachment; filename="manifest-{number}.csv"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)


@post("/manifests/{number:int}/arrived", status_code=200, security=SECURITY, summary="It arrived")
async def manifest_arrived(
    request: AnyRequest, number: Number, data: JSONBody[Arrived]
) -> ManifestSheet:
    """What is missing is printed matter at the office again."""
    return await as_person(
        request, lambda central, me: central.stock.arrived(me, number, data.missing, data.receiver)
    )


@get("/uncollected", security=SECURITY, summary="Documents nobody came for")
async def uncollected(request: AnyRequest, days: FromQuery[int] = 30, limit: Limit = 50) -> Waiting:
    """The oldest first."""
    return Waiting(
        await as_person(request, lambda central, me: central.stock.uncollected(me, days, limit))
    )


@post("/requests/{name:str}/handover", status_code=200, security=SECURITY, summary="Handed over")
async def hand_over(request: AnyRequest, name: Name, data: JSONBody[Handed]) -> Done:
    """A document is given to its owner, by the same rules as on a laptop."""
    given = Given(
        data.relation, data.receiver_nik, data.document, data.way, data.old_taken, data.serial,
        data.listed, data.reason,
    )  # fmt: skip
    signature = [Photo("signature", data.signature)] if data.signature else []
    return await as_person(
        request, lambda central, me: central.handing.give(me, name, given, data.seen, signature)
    )


STOCK = [
    blanks,
    receive_blanks,
    spoil_blank,
    print_card,
    list_manifests,
    send_manifest,
    show_manifest,
    export_manifest,
    manifest_arrived,
    uncollected,
    hand_over,
]
