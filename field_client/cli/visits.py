"""`jemput visit`: a day out: opened, its queue called, closed with counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from field_client.cli.common import Call, command
from models.words import number, say

if TYPE_CHECKING:
    from field_client.vault.visits import Ticket

app = typer.Typer(help="A day out: place, queue, recap.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="Number of the queue, such as A-017.")]


@command(app, "start")
def start(
    call: Call,
    village: Annotated[str, typer.Argument(help="Code of the village.")],
    kind: Annotated[
        str, typer.Option("--kind", help="mobile, village_office, school, home or other.")
    ] = "mobile",
    venue: Annotated[str, typer.Option("--venue", help="Where in the village.")] = "",
    team: Annotated[
        list[str] | None, typer.Option("--team", help="Who is there; may be repeated.")
    ] = None,
    target: Annotated[int, typer.Option("--target", help="Requests hoped for.")] = 0,
) -> None:
    """Open a visit."""
    from field_client import visit

    plan = visit.Plan(village, kind, venue, tuple(team or ()), target)
    made = visit.start(call.house().desk, plan)
    call.give({"visit": made.number, "village": made.plan.village, "started": made.started})
    call.out(say("Kegiatan dibuka.", call.lang))


@command(app, "number")
def take(
    call: Call,
    first: Annotated[
        bool, typer.Option("--first", help="Goes first: old, pregnant or disabled.")
    ] = False,
) -> None:
    """Hand out a number of the queue."""
    from field_client import visit

    _told(call, visit.take_number(call.house().desk, first=first))


@command(app, "next")
def next_(call: Call) -> None:
    """Call who is next."""
    from field_client import visit

    _told(call, visit.call_next(call.house().desk))


@command(app, "done")
def done(call: Call, ticket: Number) -> None:
    """Somebody who was called is served."""
    from field_client import visit

    _told(call, visit.settle(call.house().desk, ticket, visit.DONE))


@command(app, "absent")
def absent(call: Call, ticket: Number) -> None:
    """Somebody who was called did not come."""
    from field_client import visit

    _told(call, visit.settle(call.house().desk, ticket, visit.ABSENT))


@command(app, "show")
def show(call: Call) -> None:
    """How the visit that is open stands."""
    from field_client import visit

    desk = call.house().desk
    now = visit.opened(desk.store)
    _counts(call, now.plan.village, visit.counts(desk, now))


@command(app, "close")
def close(call: Call) -> None:
    """End the day. What was not sent stays, and is stated; then: jemput print recap."""
    from field_client import visit

    ended = visit.close(call.house().desk)
    _counts(call, ended.plan.village, ended.plan.counts or visit.Counts())


def _told(call: Call, ticket: Ticket) -> None:
    call.give({"number": ticket.name, "state": ticket.state})
    call.out(ticket.name)


def _counts(call: Call, village: str, counts: msgspec.Struct) -> None:
    from models.regions import full_name

    found = msgspec.structs.asdict(counts)
    call.give({"village": village, **found})
    call.out(full_name(village))
    rows = (
        (say("Permohonan diterima", call.lang), found["requests"]),
        (say("Nomor antrean diberikan", call.lang), found["given"]),
        (say("Selesai dilayani", call.lang), found["done"]),
        (say("Tidak hadir", call.lang), found["absent"]),
        (say("Masih menunggu", call.lang), found["waiting"]),
        (say("Catatan antre kirim", call.lang), found["unsent"]),
    )
    for name, value in rows:
        call.out(f"{name}: {number(value, call.lang)}")
