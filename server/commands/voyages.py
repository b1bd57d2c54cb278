"""`jemput-pusat voyage`: where the vans go, for a screen in the hall or the city's web page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
import typer

from models.problems import Problem
from models.regions import full_name
from models.words import WIT, day
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)
from server.voyages import AHEAD_DAYS

app = typer.Typer(help="Voyages of the vans.", no_args_is_help=True)


@app.command("list")
def list_(
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD; today.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; as far as is planned.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Voyages of these days, stop by stop. Who goes along is not told."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        today = datetime.fromtimestamp(central.clock(), WIT).date()
        begin = _day(first) or today
        end = _day(last) or begin + timedelta(days=AHEAD_DAYS)
        found = central.voyages.between(me, begin, end)
        words = {"planned": terminal.say("direncanakan"), "cancelled": terminal.say("dibatalkan")}
        rows, told = [], []
        for one in found:
            for stop in one.plan.stops:
                where, when = full_name(stop.village), day(date.fromisoformat(stop.day))
                rows.append([when, where, stop.note, one.device, words[one.state]])
                told.append(
                    msgspec.to_builtins(stop)
                    | {"voyage": one.id, "name": where, "device": one.device, "state": one.state}
                )
        heads = [
            terminal.say("Hari"),
            terminal.say("Desa"),
            terminal.say("Catatan"),
            terminal.say("Perangkat"),
            terminal.say("Status"),
        ]
        terminal.table(terminal.say("Jadwal"), heads, rows)
        terminal.give({"stops": told})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem("voyage.day", day=text[:20]) from None
