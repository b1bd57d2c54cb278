"""Papers: what belongs to a request or a day, opened as PDF or sent to a printer.

A paper is asked for by a form, never by an address: opening it counts as printing, and a browser
may ask an address twice. The PDF opens in the browser, which prints it on any system.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from litestar import Response

from field_client import shown, stock
from field_client.pages.drawing import Here
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from field_client.printing import filling, lists, prints
from field_client.printing.papers import papers_of
from field_client.printing.printers import printers
from models.pages import fields
from models.pages.forms import Form
from models.printing.document import Document

RECEIPT = "receipt"
DAY = ("recap", "calls", "uncollected")


@show("/requests/{record:str}/papers")
def of_request(here: Here, record: str) -> Response[str]:
    """What can be printed of a request."""
    page = here.desk.open(record_id(record))
    usual = here.store.recall(prints.Printing) or prints.Printing()
    needed = filling.needed(prints.case(here.desk, page)) if page.service is not None else []
    others = [one for one in papers_of(page.form()) if one not in needed and not one.letter]
    return here.page(
        "papers.html",
        page=page,
        title=shown.title(page.picture.view.service, page.picture.view.edition, here.lang),
        needed=needed,
        others=others,
        copies=prints.copies(here.desk, page.record),
        widths=prints.PAPERS,
        usual=usual,
        printers=printers(),
    )


@act("/requests/{record:str}/papers")
def print_request(here: Here, form: Form, record: str) -> Response[bytes]:
    """Open or print one paper of a request."""
    name, what = record_id(record), form.get("what", RECEIPT)
    if what == RECEIPT:
        return _receipt(here, form, name)
    if what == "letter":
        return _out(here, form, prints.letters_for(here.desk, name), f"/requests/{record}/papers")
    only = "" if what == "forms" else what
    made = prints.forms_for(here.desk, name, only)
    return _out(here, form, made, f"/requests/{record}/papers")


@show("/papers")
def of_day(here: Here) -> Response[str]:
    """What can be printed of a day."""
    standing = here.store.standing()
    return here.page(
        "day.html",
        day=fields.parts_of_day(here.desk.today().isoformat()),
        returned=standing.requests.get(lists.RETURNED, 0),
        ready=sum(standing.requests.get(status, 0) for status in lists.TO_COLLECT),
        usual=here.store.recall(prints.Printing) or prints.Printing(),
        printers=printers(),
    )


@act("/papers")
def print_day(here: Here, form: Form) -> Response[bytes]:
    """Open or print a list of the day."""
    desk, what = here.desk, form.get("what", DAY[0])
    if what == "calls":
        made = lists.call_list(lists.to_call(desk, here.lang), desk.today(), here.lang)
    elif what == "uncollected":
        made = lists.uncollected(lists.to_collect(desk), desk.today(), here.lang)
    else:
        told = lists.recap_of(desk, _day(here, form), stock.balances(desk.store))
        made = lists.recap(told, here.lang)
    if what != DAY[0]:
        desk.note_reveal(f"print {what}")
    return _out(here, form, [prints.practised(desk, made)], "/papers")


def _day(here: Here, form: Form) -> date:
    try:
        return date.fromisoformat(fields.day_typed(form, "day"))
    except ValueError:
        return here.desk.today()


def _receipt(here: Here, form: Form, record: bytes) -> Response[bytes]:
    """A receipt is counted: printed again it says that it is a copy."""
    usual = here.store.recall(prints.Printing) or prints.Printing()
    width = form.get("paper", usual.receipt_paper)
    width = width if width in prints.PAPERS else "a4"
    desk, back = here.desk, f"/requests/{record.hex()}/papers"
    if form.get("to") == "printer":
        name = usual.printer if width == "a4" else usual.receipt_printer
        done = prints.hand_out(desk, record, here.lang, None, name, width)
        return here.go(back, _told(here, done))
    made = prints.receipt_for(desk, record, here.lang)
    data = prints.drawn([made], width, ".pdf")
    desk.note_reveal(prints.RECEIPT, record)
    return pdf_page(made.name, data)


def _out(here: Here, form: Form, made: Sequence[Document], back: str) -> Response[bytes]:
    if form.get("to") == "printer":
        usual = here.store.recall(prints.Printing) or prints.Printing()
        return here.go(back, _told(here, prints.to_printer(made, usual.printer)))
    return pdf_page(made[0].name, prints.drawn(made, "a4"))


def _told(here: Here, done: prints.Printed) -> str:
    return here.say("Dicetak ke {to}: {papers}.", to=done.to, papers=", ".join(done.papers))


def pdf_page(name: str, data: bytes) -> Response[bytes]:
    """A PDF to be opened in the browser; its name holds a tracking code at most."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in ".-") else "-"
                    for sign in name)  # fmt: skip
    headers = {"content-disposition": f'inline; filename="{plain}.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)


HANDLERS = [of_request, print_request, of_day, print_day]
