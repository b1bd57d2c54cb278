"""The desk over JSON: queues, the next request, claims, and lists that people keep."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody

from server.api.guards import AnyRequest, as_person
from server.api.problems import language
from server.api.requests import SECURITY, Limit, Name
from server.central import Central
from server.database.people import Person
from server.worklist import Filter, Held, Queue, SavedFilter, Taken, WorkLine


class Queues(msgspec.Struct, frozen=True):
    """What waits for this person."""

    queues: list[Queue]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only of this service or village; empty for any."""

    service: str = ""
    village: str = ""


class Claimed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """take_over: even if somebody else has it."""

    take_over: bool = False


class Assigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests by id, and whose they are to be."""

    requests: Annotated[list[str], msgspec.Meta(min_length=1, max_length=5000)]
    login: str


class Count(msgspec.Struct, frozen=True):
    """How many."""

    n: int


class Lines(msgspec.Struct, frozen=True):
    """One page; the id of the last line is `after` for the next one."""

    requests: list[WorkLine]


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list and the name it is kept under."""

    name: str
    filter: Filter = Filter()


class Forgotten(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a list."""

    name: str


class Filters(msgspec.Struct, frozen=True):
    """The lists this person keeps."""

    filters: list[SavedFilter]


@get("/work/queues", security=SECURITY, summary="What waits for me")
async def queues(request: AnyRequest) -> Queues:
    """How many stand in each status, and since when the oldest."""
    return Queues(await as_person(request, lambda central, me: central.worklist.queues(me)))


@post("/work/next", status_code=200, security=SECURITY, summary="Take the next request")
async def take_next(request: AnyRequest, data: JSONBody[Wanted]) -> Taken:
    """Mine for ten minutes. `request` is null when nothing waits."""
    lang = language(request)
    return await as_person(
        request,
        lambda central, me: central.worklist.next(
            me, service=data.service, village=data.village, lang=lang
        ),
    )


@post("/requests/{name:str}/claim", status_code=200, security=SECURITY, summary="Take a request")
async def claim(request: AnyRequest, name: Name, data: JSONBody[Claimed]) -> Held:
    """Refused while somebody else has it, unless it is taken over."""
    return await as_person(
        request, lambda central, me: central.worklist.claim(me, name, take_over=data.take_over)
    )


@post("/requests/{name:str}/release", status_code=200, security=SECURITY, summary="Give it back")
async def release(request: AnyRequest, name: Name) -> Count:
    """What is not mine stays as it is."""

    def work(central: Central, me: Person) -> Count:
        central.worklist.release(me, name)
        return Count(1)

    return await as_person(request, work)


@post("/work/assign", status_code=200, security=SECURITY, summary="Give requests to a colleague")
async def assign(request: AnyRequest, data: JSONBody[Assigned]) -> Count:
    """All of them or none; for the working day."""
    return Count(
        await as_person(
            request, lambda central, me: central.worklist.assign(me, data.requests, data.login)
        )
    )


@get("/work/list", security=SECURITY, summary="Requests and who has them")
async def list_work(
    request: AnyRequest,
    standing: FromQuery[str] = "",
    service: FromQuery[str] = "",
    village: FromQuery[str] = "",
    cases: FromQuery[str] = "",
    after: FromQuery[str] = "",
    limit: Limit = 50,
) -> Lines:
    """By arrival. standing: a status; cases: with or without open ones."""
    wanted = Filter(standing, service, village, cases)
    return Lines(
        await as_person(
            request,
            lambda central, me: central.worklist.lines(me, wanted, after=after, limit=limit),
        )
    )


@get("/work/filters", security=SECURITY, summary="Lists I keep")
async def filters(request: AnyRequest) -> Filters:
    """By name."""
    return Filters(await as_person(request, lambda central, me: central.worklist.filters(me)))


@post("/work/filters", status_code=200, security=SECURITY, summary="Keep a list")
async def keep_filter(request: AnyRequest, data: JSONBody[Kept]) -> Filters:
    """In the place of one of that name."""
    return Filters(
        await as_person(
            request, lambda central, me: central.worklist.keep(me, data.name, data.filter)
        )
    )


@post("/work/filters/forget", status_code=200, security=SECURITY, summary="Keep it no longer")
async def forget_filter(request: AnyRequest, data: JSONBody[Forgotten]) -> Filters:
    """Nothing happens where there is none."""
    return Filters(
        await as_person(request, lambda central, me: central.worklist.forget(me, data.name))
    )


WORK = [
    queues,
    take_next,
    claim,
    release,
    assign,
    list_work,
    filters,
    keep_filter,
    forget_filter,
]
