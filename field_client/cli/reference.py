"""`jemput reference`: which forms, code lists, days off and visits this laptop works by."""

from __future__ import annotations

import typer

from field_client.cli.common import Call, command
from models.words import say


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "reference")(reference)


def reference(call: Call) -> None:
    """The editions of the services, the newest package, and when the vans come."""
    from field_client.editions import timetable
    from models.services import catalogue
    from models.words import day, moment_at

    house = call.house()
    package = house.store.package()
    visits = timetable(package, house.desk.today())
    editions = catalogue().editions()
    years = sorted(
        path[9:-5] for path in (package.files if package else ()) if path.startswith("calendar/")
    )
    call.give(
        {
            "package": package.number if package else 0,
            "title": package.title if package else "",
            "at": package.at if package else None,
            "editions": [
                {"service": e.service, "edition": e.edition, "earlier": list(e.earlier)}
                for e in editions
            ],
            "calendar": years,
            "visits": [
                {"day": v.day.isoformat(), "village": v.village, "note": v.note} for v in visits
            ],
        }
    )
    call.facts(
        [
            (say("Paket data rujukan", call.lang), package.number if package else None),
            (say("Judul", call.lang), package.title if package else None),
            (say("Terbit", call.lang), moment_at(package.at) if package else None),
            (say("Hari libur", call.lang), ", ".join(years) or None),
        ]
    )
    for one in editions:
        earlier = f" ({', '.join(map(str, one.earlier))})" if one.earlier else ""
        call.out(f"{one.service}  {one.edition}{earlier}  {one.title.say(call.lang)}")
    for visit in visits:
        call.out(f"{day(visit.day)}  {visit.village}  {visit.note}".rstrip())
