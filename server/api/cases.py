"""Cases over JSON: what people have to decide."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from server.api.guards import AnyRequest, as_person
from server.api.requests import SECURITY, Limit, Name
from server.casework import Done
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


CASES = [list_cases, show_case, resolve_case, approve_case]
