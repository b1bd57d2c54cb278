"""`jemput print` and `jemput stock`: papers for the citizen and for the office, blank cards."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from field_client.cli.common import Call, command
from models.problems import Problem
from models.words import number, say

if TYPE_CHECKING:
    from field_client.printing.prints import Printed, Printing
    from models.printing.document import Document

app = typer.Typer(help="Print, or save as a file: receipts, forms, letters, lists.",
                  no_args_is_help=True)  # fmt: skip
stock_app = typer.Typer(help="The stock book of blank cards.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(help="Tracking code, or the request's id.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Save as this file (.pdf) instead of printing; `-`: standard output."
    ),
]
Printer = Annotated[str, typer.Option("--printer", help="Name of the printer; else the usual one.")]
Width = Annotated[
    str, typer.Option("--paper", help="a4, or a strip: 58, 80 (.pdf, .png, else ESC/POS).")
]
Day = Annotated[str, typer.Option("--day", help="Day as YYYY-MM-DD; else today.")]


@command(app, "receipt")
def receipt(
    call: Call, code: Named, out: Out = None, printer: Printer = "", paper: Width = ""
) -> None:
    """Print the receipt of a request, with its code; printed again it says that it is a copy."""
    from field_client.printing import prints

    desk = call.house().desk
    usual = _usual(call)
    paper = _width(paper or usual.receipt_paper)
    record = desk.named(code)
    if _to_stdout(out):
        made = prints.receipt_for(desk, record, call.lang)
        desk.note_reveal(prints.RECEIPT, record)
        return _pipe(prints.drawn([made], paper, ".pdf"))
    name = printer or (usual.printer if paper == "a4" else usual.receipt_printer)
    return _told(call, prints.hand_out(desk, record, call.lang, out, name, paper))


@command(app, "form")
def form(
    call: Call,
    code: Named,
    only: Annotated[
        str, typer.Option("--form", help="One form by its number; else all the request needs.")
    ] = "",
    out: Out = None,
    printer: Printer = "",
) -> None:
    """Print the official forms of a request, filled in, to be signed."""
    from field_client.printing import prints

    desk = call.house().desk
    _deliver(call, prints.forms_for(desk, desk.named(code), only), out, printer)


@command(app, "blank")
def blank(
    call: Call,
    service: Annotated[str, typer.Argument(help="Service, such as birth.")],
    form_number: Annotated[str, typer.Argument(metavar="FORM", help="Number of the form.")],
    out: Out = None,
    printer: Printer = "",
) -> None:
    """Print an empty form of a service, for the pen."""
    from field_client.printing import prints
    from models.services import catalogue

    desk = call.house().desk
    made = prints.blank(catalogue().service(service), form_number, desk.today())
    _deliver(call, [made], out, printer)


@command(app, "letters")
def letters(call: Call, code: Named, out: Out = None, printer: Printer = "") -> None:
    """Print the village letter of a request, for the village head to sign."""
    from field_client.printing import prints

    desk = call.house().desk
    _deliver(call, prints.letters_for(desk, desk.named(code)), out, printer)


@command(app, "recap")
def recap(
    call: Call, day: Day = "", out: Out = None, printer: Printer = "", paper: Width = "a4"
) -> None:
    """Print the recap of a day, to be signed. Names are masked unless --reveal."""
    from field_client import stock
    from field_client.printing import lists

    desk = call.house().desk
    told = lists.recap_of(desk, _day(call, day), stock.balances(desk.store))
    if call.reveal:
        desk.note_reveal("print recap")
    _deliver(call, [lists.recap(told, call.lang, reveal=call.reveal)], out, printer, paper)


@command(app, "calls")
def calls(call: Call, out: Out = None, printer: Printer = "") -> None:
    """Print whom to call because their papers came back, by village."""
    from field_client.printing import lists

    desk = call.house().desk
    made = lists.call_list(lists.to_call(desk, call.lang), desk.today(), call.lang)
    desk.note_reveal("print calls")
    _deliver(call, [made], out, printer)


@command(app, "uncollected")
def uncollected(call: Call, out: Out = None, printer: Printer = "") -> None:
    """Print which finished documents nobody has collected, by village."""
    from field_client.printing import lists

    desk = call.house().desk
    made = lists.uncollected(lists.to_collect(desk), desk.today(), call.lang)
    desk.note_reveal("print uncollected")
    _deliver(call, [made], out, printer)


@command(app, "slip")
def slip(
    call: Call,
    bundle: Annotated[str, typer.Argument(help="Label of the bundle; else the newest one.")] = "",
    out: Out = None,
    printer: Printer = "",
    paper: Width = "a4",
) -> None:
    """Print the slip that goes with a USB stick, with its four words."""
    from field_client.printing import lists
    from sync.bundle import label

    handled = call.house().store.custody.newest()
    found = [one for one in handled if not bundle or label(one.bundle) == bundle.strip().upper()]
    if not found:
        raise Problem("print.nothing")
    _deliver(call, [lists.hand_over(found[0], call.lang)], out, printer, paper)


@command(app, "requirements")
def requirements(
    call: Call,
    service: Annotated[str, typer.Argument(help="Service, such as birth.")],
    out: Out = None,
    printer: Printer = "",
    paper: Width = "a4",
) -> None:
    """Print what a service needs, for somebody who will come back."""
    from field_client.printing import slips
    from models.services import catalogue

    made = slips.requirements(catalogue().service(service), call.lang)
    _deliver(call, [made], out, printer, paper)


@command(app, "lacking")
def lacking(
    call: Call,
    draft: Annotated[str, typer.Argument(help="Id of the draft.")],
    out: Out = None,
    printer: Printer = "",
    paper: Width = "a4",
) -> None:
    """Print what is still to be brought for a draft."""
    from field_client.cli.requests import _draft_id
    from field_client.printing import slips

    desk = call.house().desk
    wanted, begun = desk.resume(_draft_id(draft))
    form = desk.prepare(wanted, desk.shown_of(begun))
    office = desk.invitation().office_name
    made = slips.to_bring(form.service, form.checked, office, call.lang)
    _deliver(call, [made], out, printer, paper)


@command(app, "test")
def trial(call: Call, out: Out = None, printer: Printer = "", paper: Width = "a4") -> None:
    """Print a page to see whether a printer works."""
    from field_client.printing import slips

    _deliver(call, [slips.trial(call.lang)], out, printer, paper)


@command(app, "printers")
def printers(call: Call) -> None:
    """Show the printers of this machine and what this laptop prints on."""
    from field_client.printing.printers import printers as known

    names, usual = known(), _usual(call)
    call.give({"printers": names, "printer": usual.printer, "receipt_paper": usual.receipt_paper,
               "receipt_printer": usual.receipt_printer})  # fmt: skip
    call.facts(
        [
            (say("Printer", call.lang), ", ".join(names) or say("tidak ada", call.lang)),
            (say("Untuk A4", call.lang), usual.printer),
            (say("Untuk bukti", call.lang), f"{usual.receipt_printer} {usual.receipt_paper}"),
        ]
    )


@command(app, "choose")
def choose(
    call: Call,
    printer: Annotated[str, typer.Option("--printer", help="Printer of A4 pages.")] = "",
    receipt_printer: Annotated[
        str, typer.Option("--receipt-printer", help="Printer of receipts.")
    ] = "",
    receipt_paper: Annotated[
        str, typer.Option("--receipt-paper", help="Paper of receipts: a4, 58 or 80.")
    ] = "a4",
) -> None:
    """Choose once what this laptop prints on."""
    from field_client.printing.prints import Printing

    chosen = Printing(printer, receipt_printer, _width(receipt_paper))
    call.house().store.remember(chosen)
    call.give(chosen)
    call.out(say("Pilihan printer disimpan.", call.lang))


# -- blank cards


@command(stock_app, "note")
def note(
    call: Call,
    act: Annotated[str, typer.Argument(help="receive, use, spoil or return.")],
    kind: Annotated[str, typer.Argument(help="KTP or KIA.")],
    count: Annotated[int, typer.Argument(help="How many blanks.")],
    why: Annotated[str, typer.Option("--note", help="Serial numbers, or why.")] = "",
) -> None:
    """Write into the stock book what came, was used, was spoiled or went back."""
    from field_client import stock

    desk = call.house().desk
    moved = stock.moved(desk.facts().at, desk.operator.name, kind.upper(), act, count, why)
    found = stock.note(desk.store, moved)
    call.give({"kind": found.kind, "left": found.left})
    call.out(say("Blangko {kind}: sisa {n}.", call.lang, kind=found.kind,
                 n=number(found.left, call.lang)))  # fmt: skip


@command(stock_app, "show")
def show(call: Call) -> None:
    """Show how many blank cards there should be."""
    from field_client import stock

    found = stock.balances(call.house().store)
    call.give([{"kind": one.kind, "received": one.received, "used": one.used,
                "spoiled": one.spoiled, "returned": one.returned, "left": one.left}
               for one in found])  # fmt: skip
    call.table(
        [say("Blangko", call.lang), say("Diterima", call.lang), say("Dipakai", call.lang),
         say("Rusak", call.lang), say("Dikembalikan", call.lang), say("Sisa", call.lang)],
        [[one.kind, *(number(n, call.lang) for n in
                      (one.received, one.used, one.spoiled, one.returned, one.left))]
         for one in found],
    )  # fmt: skip


# -- what the commands share


def _deliver(
    call: Call, documents: list[Document], out: Path | None, printer: str, paper: str = "a4"
) -> None:
    from field_client.printing import prints

    paper = _width(paper)
    documents = [prints.practised(call.house().desk, one) for one in documents]
    if out is not None and _to_stdout(out):
        return _pipe(prints.drawn(documents, paper, ".pdf"))
    if out is not None:
        return _told(call, prints.to_file(documents, out, paper))
    usual = _usual(call)
    name = printer or (usual.printer if paper == "a4" else usual.receipt_printer)
    return _told(call, prints.to_printer(documents, name, paper))


def _told(call: Call, done: Printed) -> None:
    call.give(done)
    call.out(
        say("Dicetak ke {to}: {papers}.", call.lang, to=done.to, papers=", ".join(done.papers))
    )


def _pipe(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _to_stdout(out: Path | None) -> bool:
    return out is not None and str(out) == "-"


def _usual(call: Call) -> Printing:
    from field_client.printing.prints import Printing

    return call.house().store.recall(Printing) or Printing()


def _width(paper: str) -> str:
    from field_client.printing.prints import PAPERS

    if paper not in PAPERS:
        raise typer.BadParameter(f"--paper {'|'.join(PAPERS)}")
    return paper


def _day(call: Call, text: str) -> date:
    if not text:
        return call.house().desk.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--day YYYY-MM-DD") from None
