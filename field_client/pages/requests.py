"""Requests: the list, the search, one request with its history, its receipt."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from litestar import Response

from field_client import receipts, shown
from field_client import visit as visits
from field_client.attachments import attaching
from field_client.pages.drawing import Here
from field_client.pages.routes import act, show
from field_client.sheet import Sheet
from field_client.vault.picture import OwnEntry
from field_client.vault.requests import Line
from models import lifecycle
from models.fields import split_row
from models.ids import Code
from models.pages.answers import answer_words
from models.pages.forms import Form, whole
from models.printing import receipt as paper
from models.problems import Problem
from models.regions import full_name
from models.roster.residents import Resident
from models.words import moment_at

SHOWN = 50
PEOPLE_SHOWN = 20
TEXT_MAX, QR_MAX = 80, 2000
"""Longer than the first is no name: the text of a receipt's QR code."""


@show("/requests")
def listing(here: Here) -> Response[str]:
    """Newest first, fifty a page; by status where one is named."""
    status, before = here.asked("status"), whole(here.asked("before")) or 0
    if status and not lifecycle.known_status(status):
        status = ""
    lines = here.store.requests.newest(status, before=before, limit=SHOWN + 1)
    return _draw_list(here, lines[:SHOWN], status=status, more=len(lines) > SHOWN)


@act("/requests")
def found(here: Here, form: Form) -> Response[Any]:
    """Search by NIK, family card, tracking code, a receipt's QR code, or name; in the villages'
    lists too. It travels in the body, never in an address: addresses are remembered."""
    text = form.get("q").strip()[:QR_MAX]
    if not text:
        return here.go("/requests")
    if len(text) > TEXT_MAX:  # a reader of QR codes types like a keyboard
        return here.go(f"/requests/{receipts.verify(here.store, text).id}")
    lines, people = _search(here, text), _people(here, text)
    if lines or people:
        here.desk.note_reveal("page search")
    return _draw_list(here, lines, q=text, people=people)


def _people(here: Here, text: str) -> list[tuple[Resident, str]]:
    """Residents in the lists held here, each with the name of the village."""
    digits, today, roster = "".join(text.split()), here.desk.today(), here.store.roster
    if digits.isdigit() and len(digits) == 16:
        found = roster.by_nik(digits, today) or roster.by_kk(digits, today)
    else:
        found = roster.search(text, today, PEOPLE_SHOWN)
    places = {kept.number: kept.source.village for kept in roster.lists()}
    return [(one.resident, full_name(places[one.roster])) for one in found]


def _search(here: Here, text: str) -> list[Line]:
    digits = "".join(text.split())
    requests = here.store.requests
    if digits.isdigit() and len(digits) == 16:
        return requests.by_number(digits)
    try:
        code = Code.parse(text)
        by_code = requests.by_code(code.block, code.number)
    except Problem:
        by_code = []
    return by_code or requests.search(text)


def _draw_list(here: Here, lines: list[Line], **values: Any) -> Response[str]:
    rows = [(line, shown.title(line.service, None, here.lang), shown.stage(line, here.lang))
            for line in lines]  # fmt: skip
    shown_so: dict[str, Any] = {"rows": rows, "status": "", "q": "", "more": False, "people": []}
    return here.page("requests.html", **(shown_so | values))


@show("/requests/{record:str}")
def request(here: Here, record: str) -> Response[str]:
    """One request as it stands here, central's word with the own changes on top. That it was
    opened is noted."""
    desk = here.desk
    page = desk.open(record_id(record))
    desk.note_reveal("page request", page.record)
    return here.page(
        "request.html",
        page=page,
        title=shown.title(page.picture.view.service, page.picture.view.edition, here.lang),
        stage=shown.stage(page.line, here.lang),
        groups=answers_shown(page, here.lang),
        papers=papers_shown(page, here.lang),
        proposed=_units(page, page.picture.view.proposed, here.lang),
        moved=_units(page, page.picture.view.moved, here.lang),
        history=history(here, page),
        files=desk.files(page),
        visit=_visit(here, page),
        ended=lifecycle.ended(page.status) or page.service is None,
    )


def _visit(here: Here, page: Sheet) -> str:
    """Where and when it was taken in, "" where that was no visit."""
    found = visits.of_request(here.store, page.record)
    if found is None:
        return ""
    place = full_name(found.plan.village)
    return f"{place} · {moment_at(found.started)}"


@show("/requests/{record:str}/receipt")
def receipt(here: Here, record: str) -> Response[str]:
    """The citizen's proof, on the screen; it exists before anything is printed."""
    slip = receipts.slip(here.desk, record_id(record), here.lang, reveal=True)
    here.desk.note_reveal("page receipt", bytes.fromhex(slip.id))
    page = here.desk.open(bytes.fromhex(slip.id))
    phone = str(page.answers.get("applicant.phone") or "")
    told = paper.receipt_of(slip, page.service, here.counter.operator, 0, (), phone)
    return here.page(
        "receipt.html",
        slip=slip,
        qr=drawing_of(slip.token),
        sign=attaching.is_signed(page),
        steps=paper.steps(told, here.lang),
        photos=len(here.desk.files(page)),
    )


@lru_cache(32)
def drawing_of(token: str) -> str:
    """A QR code as an SVG drawing. Micro QR off: many telephones do not read it."""
    import segno

    out = io.BytesIO()
    segno.make(token, micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, nl=False
    )
    return out.getvalue().decode()


def record_id(text: str) -> bytes:
    """A record's id from an address. Problem request.unknown."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise Problem("request.unknown", code=text[:40])
    return found


def answers_shown(page: Sheet, lang: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Section titles with their filled answers in words, in the order of the form."""
    if page.service is None:
        return []
    found: dict[str, list[tuple[str, str]]] = {}
    for key, value in page.service.shown(page.answers, page.documents).items():
        section = split_row(key)[0].partition(".")[0]
        found.setdefault(section, []).append(answer_words(page.service, key, value, lang))
    blocks = page.service.plan.blocks
    return [
        (title.say(lang) if (title := blocks[s].title) else s, rows) for s, rows in found.items()
    ]


def _units(page: Sheet, units: Iterable[str], lang: str) -> list[str]:
    return [shown.unit_words(page.service, unit, lang) for unit in sorted(units)]


def papers_shown(page: Sheet, lang: str) -> list[str]:
    """The documents brought, by what they are called."""
    from models.codes import code_list

    names = code_list("jenis_dokumen")
    return [names.label(code, lang) for code in page.documents]


def history(here: Here, page: Sheet) -> list[tuple[str, str]]:
    """When -> what, newest first: own entries and what central told about them."""
    lang = here.lang
    rows: list[tuple[int, str]] = []
    for entry in page.picture.own:
        kind = entry.change.kind
        made = here.say("Diajukan di laptop ini")
        words = made if kind == "create" else here.say("Diubah di laptop ini")
        rows.append((entry.change.at, f"{words} · {outcome_words(here, entry)}"))
    for one in here.store.notices.of(page.record):
        rows.append((one.notice.at, shown.notice_words(one.notice, page, lang, True)))
    return [(moment_at(at), words) for at, words in sorted(rows, reverse=True)]


def outcome_words(here: Here, entry: OwnEntry) -> str:
    """What became of an own entry, in plain words."""
    if not entry.sent:
        return here.say("aman di laptop ini, belum sampai di pusat")
    match entry.state:
        case "" | "waiting":
            return here.say("sampai di pusat, menunggu diproses")
        case "applied" | "merged" | "accepted":
            return here.say("diterima pusat")
        case "amended":
            return here.say("diterima pusat dengan perubahan")
        case "held":
            return here.say("ditinjau pusat")
        case "refused" | "rejected":
            return here.say("tidak dipakai pusat")
    return entry.state


HANDLERS = [listing, found, request, receipt]
