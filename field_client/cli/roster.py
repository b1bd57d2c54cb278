"""`jemput roster`: the village's own list of residents."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from field_client.cli.common import SOME, Call, command
from models import names, nik
from models.problems import Problem
from models.words import day, number, say

app = typer.Typer(help="The village's own list of residents.", no_args_is_help=True)

Village = Annotated[str, typer.Option("--village", help="Code of the village, 82.72.….")]
_DAY = ["%Y-%m-%d", "%d-%m-%Y"]


@command(app, "import")
def take_in(
    call: Call,
    file: Annotated[Path, typer.Argument(help="Sheet: .xls, .xlsx, .ods or .csv.")],
    village: Village,
    source: Annotated[str, typer.Option("--source", help="Who made the list.")],
    dated: Annotated[
        datetime, typer.Option("--date", formats=_DAY, help="Day of the list, YYYY-MM-DD.")
    ],
    basis: Annotated[str, typer.Option("--basis", help="Legal basis for holding it.")],
    expires: Annotated[
        datetime, typer.Option("--expires", formats=_DAY, help="Last day it may be used.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read and report; store nothing.")
    ] = False,
) -> int:
    """Read a sheet by its column names and keep it encrypted until it expires.

    A bad file changes nothing; importing the same file again changes nothing. Lines that could not
    be taken are named with their numbers, and end the command with exit code 3.
    """
    from field_client import rosters
    from models.roster.source import RosterSource

    desk = call.house().desk
    terms = RosterSource(village, source, dated.date(), basis, expires.date())
    done = rosters.import_file(desk, file, terms, dry_run=dry_run)
    report = done.report
    call.give(
        {
            "changed": done.changed,
            "read": report.read,
            "taken": report.taken,
            "families": report.families,
            "refused": [_note(one, call.lang) for one in report.refused],
            "warnings": [_note(one, call.lang) for one in report.warnings],
            "counts": report.counts,
            "missing": list(report.missing),
            "sheets": list(report.sheets),
            "ignored_sheets": list(report.ignored_sheets),
            "unknown_headings": list(report.unknown_headings),
            "village_named": done.about_village,
        }
    )
    call.out(
        say(
            "Dibaca {read} baris: {taken} orang diambil, {families} keluarga, {refused} ditolak.",
            call.lang,
            read=number(report.read, call.lang),
            taken=number(report.taken, call.lang),
            families=number(report.families, call.lang),
            refused=number(len(report.refused), call.lang),
        )
    )
    for note in (*report.refused, *report.warnings[:20]):
        call.out(f"  {note.sheet}: {note.words(call.lang)}")
    if done.about_village is False:
        call.warn(say("Daftar ini menyebut desa lain. Periksa lagi desanya.", call.lang))
    if not done.changed and not dry_run:
        call.out(say("Daftar ini sudah ada; tidak ada yang berubah.", call.lang))
    return SOME if report.refused else 0


def _note(note: Any, lang: str) -> dict[str, Any]:
    return {"sheet": note.sheet, "row": note.row, "code": note.code, "field": note.field,
            "words": note.words(lang)}  # fmt: skip


@command(app, "search")
def search(
    call: Call,
    text: Annotated[str, typer.Argument(help="NIK, family card number, or name.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="At most so many.")] = 20,
) -> None:
    """Find residents by NIK, family card or the beginnings of their names."""
    from field_client import rosters

    desk = call.house().desk
    if call.reveal:
        desk.note_reveal("roster search")
    found = rosters.search(desk, text, limit)
    rows = []
    for person, village in found:
        data = _person(person, village, call.reveal)
        call.give(data)
        rows.append((data["name"], data["nik"], data["kk"], village))
    heads = [say("Nama", call.lang), say("NIK", call.lang), say("KK", call.lang)]
    call.table([*heads, say("Desa", call.lang)], rows)


@command(app, "targets")
def targets(
    call: Call,
    village: Annotated[str, typer.Option("--village", help="Only this village.")] = "",
    names_: Annotated[bool, typer.Option("--names", help="List the people to look for.")] = False,
) -> None:
    """Who must have an identity card, by recorded, not recorded and unknown."""
    from field_client import rosters

    desk = call.house().desk
    if call.reveal:
        desk.note_reveal("roster targets")
    for kept, found in rosters.targets(desk, village):
        wanted = [(person, "not_enrolled") for person in found.not_enrolled]
        wanted += [(person, "unknown") for person in found.unknown]
        data: dict[str, Any] = {
            "village": kept.source.village,
            "source": kept.source.source,
            "list_date": kept.source.list_date.isoformat(),
            "enrolled": len(found.enrolled),
            "not_enrolled": len(found.not_enrolled),
            "unknown": len(found.unknown),
            "left_out": found.left_out,
        }
        if names_:
            data["people"] = [
                {"state": state, **_person(person, kept.source.village, call.reveal)}
                for person, state in wanted
            ]
        call.give(data)
        call.out(
            say(
                "{village} (daftar {day}): belum rekam {no}, belum jelas {unknown}, sudah {yes}.",
                call.lang,
                village=kept.source.village,
                day=day(kept.source.list_date),
                no=number(len(found.not_enrolled), call.lang),
                unknown=number(len(found.unknown), call.lang),
                yes=number(len(found.enrolled), call.lang),
            )
        )
        if names_:
            for person, _ in wanted:
                shown = _person(person, kept.source.village, call.reveal)
                call.out(f"  {shown['name']}  {shown['nik']}  {person.rt}/{person.rw}")


@command(app, "list")
def lists(call: Call) -> None:
    """The lists held here, and until when."""
    for kept in call.house().store.roster.lists():
        source = kept.source
        call.give(
            {
                "number": kept.number,
                "village": source.village,
                "source": source.source,
                "list_date": source.list_date.isoformat(),
                "basis": source.legal_basis,
                "expires": source.expires.isoformat(),
                "people": kept.people,
            }
        )
        call.out(
            say(
                "{n}. {village}: {people} orang, daftar {day}, sampai {expires}",
                call.lang,
                n=kept.number,
                village=source.village,
                people=number(kept.people, call.lang),
                day=day(source.list_date),
                expires=day(source.expires),
            )
        )


@command(app, "remove")
def remove(
    call: Call, list_: Annotated[int, typer.Argument(help="Number of the list; see `list`.")]
) -> None:
    """Delete a list before it expires."""
    roster = call.house().store.roster
    if list_ not in [kept.number for kept in roster.lists()]:
        raise Problem("roster.unknown", number=list_)
    roster.remove(list_)
    call.give({"removed": list_})
    call.out(say("Daftar dihapus.", call.lang))


def _person(person: Any, village: str, reveal: bool) -> dict[str, Any]:
    """A resident as plain values."""
    born: date | None = person.birth_date
    return {
        "name": person.name if reveal else names.masked(person.name),
        "nik": person.nik if reveal else nik.mask(person.nik),
        "kk": person.kk if reveal else nik.mask(person.kk),
        "birth_date": born.isoformat() if born and reveal else None,
        "sex": person.sex,
        "village": village,
        "enrolment": person.enrolment,
        "residence": person.residence,
    }
