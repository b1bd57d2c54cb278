"""Packages of reference data on the laptop: the one that holds, and the one that is on its way."""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Connection
from field_client.vault.logs import find, remember
from field_client.vault.requests import list_again
from models.problems import Problem
from sync.exchange import Furthered
from sync.messages import Invitation
from sync.reference import Coming, Package, grown, read


class Reference(msgspec.Struct, frozen=True):
    """The newest package that came whole and was central's: its number, and as it was signed."""

    number: int = 0
    token: bytes = b""


def held(connection: Connection) -> tuple[int, int, int]:
    """Number of the package that holds, of the one on its way, and how much of that is here."""
    here, coming = find(connection, Reference) or Reference(), find(connection, Coming)
    return (here.number, coming.number, len(coming.data)) if coming else (here.number, 0, 0)


def further(connection: Connection, step: Furthered) -> None:
    """Take in a piece. Once all of a package is here and central's signature holds it takes the
    place of the one before, in one commit; one that is not central's is forgotten."""
    here = find(connection, Reference) or Reference()
    if step.piece.number <= here.number:
        return
    coming = grown(find(connection, Coming), step.piece)
    if coming is None:
        return
    if len(coming.data) < coming.size:
        remember(connection, coming)
        return
    connection.execute("delete from settings where name = 'Coming'")
    invitation = find(connection, Invitation)
    if invitation is None or not coming.whole:
        return
    try:
        package = read(coming.data, invitation.sign_key)
    except Problem:
        return
    if package.number == coming.number:
        remember(connection, Reference(package.number, coming.data))


def package_of(connection: Connection) -> Package | None:
    """The package that holds, None where only the program's own data does."""
    here, invitation = find(connection, Reference), find(connection, Invitation)
    if here is None or invitation is None:
        return None
    return read(here.token, invitation.sign_key)


def list_unread(connection: Connection) -> None:
    """Requests of forms that could not be read here before get their names in the lists."""
    rows = connection.execute("select record from requests where name = ''").fetchall()
    for (record,) in rows:
        list_again(connection, record)
