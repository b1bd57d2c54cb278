"""Requests over JSON: what casework does, for whoever is signed in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from models.remarks import Remark
from server.api.guards import AnyRequest, as_person
from server.api.problems import language
from server.casework import Done
from server.sheets import RequestLine, RequestSheet
from server.verification import Check, Preview

WEBP = "image/webp"
SECURITY = [{"bearer": list[str]()}]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Name = FromPath[str]


class Requests(msgspec.Struct, frozen=True):
    """One page; the id of the last line is `after` for the next one."""

    requests: list[RequestLine]


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """seen: number of what was shown, from the sheet."""

    seen: int


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """reason: why it is right all the same, needed where the rules find errors."""

    seen: int
    reason: str = ""


class Returned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """code: of the list alasan_perbaikan; text: what the person adds. about: reasons for single
    answers, by key, or `doc.<code>` for a document; with some of them `code` may be empty."""

    seen: int
    code: str = ""
    text: str = ""
    about: list[Remark] = []


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """text: to a supervisor; it stays at central."""

    seen: int
    text: str


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """kind: yes_no, text or photo. about: key of an answer, `doc.<code>`, or nothing."""

    seen: int
    text: str
    kind: str = "text"
    about: str = ""


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """text: a NIK of 16 digits, or part of a name. It stands in the body because addresses end up
    in logs."""

    text: str
    status: str = ""
    service: str = ""
    village: str = ""
    after: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the lifecycle by its name."""

    seen: int
    action: str
    reason: str = ""


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second person agrees, or lets the step drop."""

    seen: int
    agree: bool = True


@get("/requests", security=SECURITY, summary="List of requests")
async def list_requests(
    request: AnyRequest,
    status: FromQuery[str] = "",
    service: FromQuery[str] = "",
    village: FromQuery[str] = "",
    after: FromQuery[str] = "",
    limit: Limit = 50,
) -> Requests:
    """By arrival."""
    found = await as_person(
        request,
        lambda central, me: central.casework.requests(
            me,
            status=status,
            service=service,
            village=village,
            after=after,
            limit=limit,
        ),
    )
    return Requests(found)


@post("/requests/search", security=SECURITY, status_code=200, summary="Search requests")
async def search_requests(request: AnyRequest, data: JSONBody[Search]) -> Requests:
    """By NIK or name, in order of arrival. That something was searched is recorded, not what."""
    wanted = msgspec.structs.asdict(data)
    found = await as_person(request, lambda central, me: central.casework.requests(me, **wanted))
    return Requests(found)


@get("/requests/{name:str}", security=SECURITY, summary="Open a request")
async def show_request(request: AnyRequest, name: Name) -> RequestSheet:
    """By id or tracking code. Opening is recorded."""
    lang = language(request)
    return await as_person(request, lambda central, me: central.casework.request(me, name, lang))


@get(
    "/requests/{name:str}/files/{file:str}",
    media_type=WEBP,
    security=SECURITY,
    summary="A paper or portrait",
)
async def show_file(
    request: AnyRequest, name: Name, file: FromPath[str], preview: FromQuery[bool] = False
) -> Response[bytes]:
    """As WebP, by the beginning of its id; `preview` gives its small picture. Opening it is
    recorded."""
    _, content = await as_person(
        request, lambda central, me: central.casework.attachment(me, name, file, preview=preview)
    )
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=WEBP, headers=headers)


@post("/requests/{name:str}/accept", status_code=200, security=SECURITY, summary="Verified")
async def accept_request(request: AnyRequest, name: Name, data: JSONBody[Accepted]) -> Done:
    """Takes it from the pile first where nobody has."""
    return await as_person(
        request, lambda central, me: central.casework.accept(me, name, data.seen, data.reason)
    )


@post("/requests/{name:str}/return", status_code=200, security=SECURITY, summary="To be corrected")
async def return_request(request: AnyRequest, name: Name, data: JSONBody[Returned]) -> Done:
    """Back to its author, with a reason of the list."""
    return await as_person(
        request,
        lambda central, me: central.casework.send_back(
            me, name, data.code, data.text, data.seen, data.about
        ),
    )


@post(
    "/requests/{name:str}/return/preview",
    status_code=200,
    security=SECURITY,
    summary="What a return would say",
)
async def preview_return(request: AnyRequest, name: Name, data: JSONBody[Returned]) -> Preview:
    """To the clerk and to the citizen; nothing is written."""
    lang = language(request)
    return await as_person(
        request,
        lambda central, me: central.verification.preview(
            me, name, data.code, data.text, data.about, lang
        ),
    )


@get("/requests/{name:str}/check", security=SECURITY, summary="Open a request to check it")
async def check_request(request: AnyRequest, name: Name) -> Check:
    """Answers by section with what the rules say, the clock, questions. Opening is recorded."""
    lang = language(request)
    return await as_person(request, lambda central, me: central.verification.open(me, name, lang))


@post(
    "/requests/{name:str}/escalate", status_code=200, security=SECURITY, summary="Ask a supervisor"
)
async def escalate_request(request: AnyRequest, name: Name, data: JSONBody[Word]) -> Done:
    """Ask a supervisor; the request waits for the answer."""
    return await as_person(
        request, lambda central, me: central.verification.escalate(me, name, data.text, data.seen)
    )


@post("/requests/{name:str}/ask", status_code=200, security=SECURITY, summary="Ask the field")
async def ask_field(request: AnyRequest, name: Name, data: JSONBody[Question]) -> Done:
    """The question travels with the next sync; the clock stands still till it is answered."""
    return await as_person(
        request,
        lambda central, me: central.verification.ask(
            me, name, data.kind, data.about, data.text, data.seen
        ),
    )


@post(
    "/requests/{name:str}/ask/{number:int}/take-back",
    status_code=200,
    security=SECURITY,
    summary="Take a question back",
)
async def take_back(
    request: AnyRequest, name: Name, number: FromPath[int], data: JSONBody[Seen]
) -> Done:
    """It needs no answer any more."""
    return await as_person(
        request,
        lambda central, me: central.verification.take_back(me, name, number, data.seen),
    )


@post("/requests/{name:str}/reject", status_code=200, security=SECURITY, summary="Refuse")
async def reject_request(request: AnyRequest, name: Name, data: JSONBody[Returned]) -> Done:
    """Waits for a second person."""
    return await as_person(
        request,
        lambda central, me: central.casework.reject(me, name, data.code, data.text, data.seen),
    )


@post("/requests/{name:str}/advance", status_code=200, security=SECURITY, summary="Next step")
async def advance_request(request: AnyRequest, name: Name, data: JSONBody[Step]) -> Done:
    """Any other step taken at the office."""
    return await as_person(
        request,
        lambda central, me: central.casework.advance(me, name, data.action, data.reason, data.seen),
    )


@post("/requests/{name:str}/confirm", status_code=200, security=SECURITY, summary="Second person")
async def confirm_request(request: AnyRequest, name: Name, data: JSONBody[Agreement]) -> Done:
    """Agrees to the step that waits, or lets it drop."""
    return await as_person(
        request,
        lambda central, me: central.casework.confirm(me, name, data.seen, agree=data.agree),
    )


REQUESTS = [
    list_requests,
    search_requests,
    show_request,
    show_file,
    accept_request,
    return_request,
    preview_return,
    check_request,
    escalate_request,
    ask_field,
    take_back,
    reject_request,
    advance_request,
    confirm_request,
]
