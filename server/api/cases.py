"""Cases over JSON: what people have to decide."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from server.api.guards import AnyRequest, as_person
from server.api.problems import language
from server.api.requests import SECURITY, Limit, Name
from server.casework import Done
from server.disputes import Dispute, Preview
from server.sheets import CaseLine, CaseSheet


class Cases(msgspec.Struct, frozen=True):
    """One page; the id of the last line is `after` for the next one."""

    cases: list[CaseLine]


class Decided(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice. offer: number of the side that is taken; value: what is typed anew."""

    seen: int
    take: str
    reason: str
    offer: int = 0
    value: Any = None


class Approved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second person's agreement, and why."""

    seen: int
    reason: str


@get("/cases", security=SECURITY, summary="List of cases")
async def list_cases(
    request: AnyRequest,
    standing: Annotated[str, QueryParameter(name="state")] = "open",
    kind: FromQuery[str] = "",
    after: FromQuery[str] = "",
    limit: Limit = 50,
) -> Cases:
    """Oldest first. state: open, proposed, closed; "all" for all."""
    found = await as_person(
        request,
        lambda central, me: central.casework.cases(
            me, state=standing, kind=kind, after=after, limit=limit
        ),
    )
    return Cases(found)


@get("/cases/{name:str}", security=SECURITY, summary="Open a case")
async def show_case(request: AnyRequest, name: Name) -> CaseSheet:
    """Every side of it. Opening is recorded."""
    return await as_person(request, lambda central, me: central.casework.case(me, name))


@post("/cases/{name:str}/resolve", status_code=200, security=SECURITY, summary="Decide")
async def resolve_case(request: AnyRequest, name: Name, data: JSONBody[Decided]) -> Done:
    """On a protected unit the decision waits for a second person."""
    return await as_person(
        request,
        lambda central, me: central.casework.resolve(
            me, name, data.take, data.reason, data.seen, offer=data.offer, value=data.value
        ),
    )


@post("/cases/{name:str}/approve", status_code=200, security=SECURITY, summary="Second person")
async def approve_case(request: AnyRequest, name: Name, data: JSONBody[Approved]) -> Done:
    """Agrees to what the first person proposes."""
    return await as_person(
        request, lambda central, me: central.casework.approve(me, name, data.reason, data.seen)
    )


@get("/cases/{name:str}/dispute", security=SECURITY, summary="Open a dispute")
async def show_dispute(request: AnyRequest, name: Name, since: FromQuery[int] = 0) -> Dispute:
    """Question by question, with what may be suggested, and what happened after `since`."""
    lang = language(request)
    return await as_person(
        request, lambda central, me: central.disputes.open(me, name, lang, since)
    )


@post("/cases/{name:str}/preview", status_code=200, security=SECURITY, summary="Look before")
async def preview_case(request: AnyRequest, name: Name, data: JSONBody[Decided]) -> Preview:
    """What a choice would do, and who would read what. Nothing is written."""
    lang = language(request)
    return await as_person(
        request,
        lambda central, me: central.disputes.preview(
            me, name, data.take, offer=data.offer, value=data.value, reason=data.reason, lang=lang
        ),
    )


@post("/cases/{name:str}/decline", status_code=200, security=SECURITY, summary="Second person: no")
async def decline_case(request: AnyRequest, name: Name, data: JSONBody[Approved]) -> Done:
    """Does not agree to what the first person proposes; the case is open again."""
    return await as_person(
        request, lambda central, me: central.disputes.decline(me, name, data.reason, data.seen)
    )


@post("/cases/{name:str}/undo", status_code=200, security=SECURITY, summary="Undo a decision")
async def undo_case(request: AnyRequest, name: Name, data: JSONBody[Approved]) -> Done:
    """Opens the dispute anew; gives the new case. The decision stays in the history."""
    return await as_person(
        request, lambda central, me: central.disputes.undo(me, name, data.reason, data.seen)
    )


CASES = [
    list_cases,
    show_case,
    show_dispute,
    resolve_case,
    preview_case,
    approve_case,
    decline_case,
    undo_case,
]
