"""What anybody may ask: is central there, with which keys are receipts checked, and signing in."""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody

from server import VERSION
from server.api.guards import AnyRequest, as_person, bearer, in_thread, seen_roles
from server.api.laptops import OCTETS
from server.api.requests import SECURITY
from server.central import Central
from server.database.people import Person


class Health(msgspec.Struct, frozen=True):
    """Central answers and its database too. at: its clock, Unix seconds."""

    ready: bool
    version: str
    city: str
    at: int


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password. code: the digits of a second factor, from who has one."""

    login: str
    password: str
    code: str = ""


class Session(msgspec.Struct, frozen=True):
    """The token for the Authorization header, until when it holds, and who it is for."""

    token: str
    until: int
    login: str
    name: str
    roles: list[str]


class Gone(msgspec.Struct, frozen=True):
    """Signed out."""

    signed_out: bool = True


@get("/health", summary="Is central there?")
async def health(request: AnyRequest) -> Health:
    """Asks the database too; answers with a problem when it cannot work."""

    def look(central: Central) -> Health:
        central.registry.check()
        return Health(True, VERSION, central.settings.city, central.clock())

    return await in_thread(request, look)


@get("/keys", media_type=OCTETS, summary="Signed list of keys for checking receipts")
async def keys(request: AnyRequest) -> Response[bytes]:
    """COSE_Sign1 of a KeyList (docs/protocol.md); it holds no personal data."""
    found = await in_thread(request, lambda central: central.evidence.key_list())
    return Response(found, media_type=OCTETS)


@post("/sign-in", status_code=200, summary="Password to token")
async def sign_in(request: AnyRequest, data: JSONBody[SignIn]) -> Session:
    """Too many wrong passwords in a row: 429, with the seconds to wait."""

    address = request.client.host if request.client is not None else ""

    def check(central: Central) -> Session:
        agent = request.headers.get("User-Agent", "")
        found = central.doorkeeper.sign_in(
            data.login, data.password, address, code=data.code, agent=agent
        )
        me = found.person
        return Session(found.token, found.until, me.login, me.name, seen_roles(me))

    return await in_thread(request, check)


@post("/sign-out", status_code=200, security=SECURITY, summary="Forget the token")
async def sign_out(request: AnyRequest) -> Gone:
    """The token is worth nothing afterwards."""

    def forget(central: Central, _: Person) -> Gone:
        central.doorkeeper.sign_out(bearer(request))
        return Gone()

    return await as_person(request, forget)
