"""`jemput request`: one citizen's request after the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from field_client.cli.common import Call, command, refusal
from models.pages.answers import answer_words
from models.problems import Problem
from models.words import moment_at, say

if TYPE_CHECKING:
    from field_client.desk import Desk
    from field_client.sheet import Sheet

app = typer.Typer(help="Requests of citizens.", no_args_is_help=True)

ANSWERS_BYTES_MAX = 64 * 1024

CodeArgument = Annotated[str, typer.Argument(help="Tracking code, or the request's id.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="key=value, e.g. applicant.phone=0812…; repeat.")
]
AnswersOption = Annotated[
    Path | None, typer.Option("--answers", help="JSON file of answers; `-` reads standard input.")
]
DocumentOption = Annotated[
    list[str] | None, typer.Option("--document", help="Code of a paper brought; repeat.")
]
ReasonOption = Annotated[
    list[str] | None, typer.Option("--reason", help="key=why a warning may pass; repeat.")
]


@command(app, "new")
def new(
    call: Call,
    service: Annotated[
        str | None, typer.Argument(help="Service, such as birth; see `jemput request services`.")
    ] = None,
    nik: Annotated[
        str | None, typer.Option("--nik", help="NIK of the person: fills in what the list knows.")
    ] = None,
    set_: SetOption = None,
    answers: AnswersOption = None,
    document: DocumentOption = None,
    reason: ReasonOption = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Keep it as a draft; nothing is submitted.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option("--resume", help="Go on with a draft: its id.")
    ] = None,
) -> int:
    """Take a request in, or keep it as a draft. Prints its tracking code."""
    from field_client.desk import Wanted

    desk = call.house().desk
    call.ask_clock()
    if resume:
        wanted, begun = desk.resume(_draft_id(resume))
    elif service:
        wanted, begun = Wanted(service), None
    else:
        raise Problem("service.unknown", service="-")
    for found in _answers(set_, answers):
        wanted = desk.more(wanted, found, document, _pairs(reason), nik or "")
    if draft:
        kept = desk.keep(wanted, begun)
        call.give({"draft": kept.hex()})
        call.out(say("Draf tersimpan: {draft}", call.lang, draft=kept.hex()))
        return 0
    form = desk.prepare(wanted, desk.shown_of(begun))
    if not form.ok:
        stops = [one for one in form.checked.problems if one.stops]
        raise Problem("request.invalid", n=len(stops), findings=stops)
    (taken,) = desk.submit(form, drafts=[begun.id] if begun is not None else [])
    from field_client.queue import said

    remarks = [said(one, call.lang) for one in form.checked.problems if not one.quiet]
    call.give({"id": taken.record.hex(), "code": str(taken.code), "outcome": "queued",
               "problems": remarks})  # fmt: skip
    call.out(
        say(
            "Berkas diajukan. Nomor bukti {code}. Aman di laptop dan akan dikirim saat ada sinyal.",
            call.lang,
            code=str(taken.code),
        )
    )
    for one in form.checked.problems:
        if one.code == "request.recent":
            call.out(f"! {one.words(call.lang)}")
    return 0


@command(app, "edit")
def edit(
    call: Call,
    code: CodeArgument,
    set_: SetOption = None,
    answers: AnswersOption = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", help="Key of an answer to empty; repeat.")
    ] = None,
    add_document: Annotated[
        list[str] | None, typer.Option("--add-document", help="Code of a paper brought; repeat.")
    ] = None,
    remove_document: Annotated[
        list[str] | None, typer.Option("--remove-document", help="Code of a paper not brought.")
    ] = None,
    reason: ReasonOption = None,
    why: Annotated[str, typer.Option("--why", help="Why the request is corrected.")] = "",
    based_on: Annotated[
        str | None,
        typer.Option(
            "--based-on", help="What was on the screen: `based_on` of an earlier `request show`."
        ),
    ] = None,
) -> None:
    """Correct a request: only what changed is written. A returned one goes back to the office."""
    desk = call.house().desk
    call.ask_clock()
    page = _page(desk, code, based_on)
    found = desk.over(page, *_answers(set_, answers), dict.fromkeys(clear or ()))
    papers = None
    if add_document or remove_document:
        papers = sorted({*page.documents, *(add_document or ())} - set(remove_document or ()))
    checked, body = desk.edit(page, found, papers, _pairs(reason), why)
    units = sorted({*body.set, *body.add, *body.remove})
    moved = page.moved_since(desk.open(page.record), units)
    call.give(
        {
            "id": page.record.hex(),
            "code": page.code,
            "units": units,
            "action": body.action or None,
            "will_be_reviewed": moved,
            "problems": [refusal(one.problem(), call.lang) for one in checked.problems
                         if not one.passed and not one.quiet],
        }
    )  # fmt: skip
    call.out(say("Tersimpan di laptop ini: {units}.", call.lang, units=", ".join(units) or "-"))
    if body.action == "correct":
        call.out(say("Berkas dikirim kembali ke pusat saat ada sinyal.", call.lang))
    if moved:
        words = say("Akan ditinjau pusat, karena sudah berubah di sana: {units}.", call.lang,
                    units=", ".join(moved))  # fmt: skip
        call.warn(words)


@command(app, "show")
def show(call: Call, code: CodeArgument) -> None:
    """Show a request as it stands here: central's word with the own changes on top."""
    from field_client import shown
    from field_client.cli.attachments import files_data, tell_files

    desk = call.house().desk
    record = desk.named(code)
    if call.reveal:
        desk.note_reveal("request show", record)
    page = desk.open(record)
    data = shown.sheet_data(page, call.lang, call.reveal)
    call.give(data | {"attachments": files_data(desk, page)})
    view = page.picture.view
    call.out(f"{page.code}  {shown.title(view.service, view.edition, call.lang)}")
    call.out(shown.stage(page.line, call.lang))
    answers = page.answers if call.reveal else shown.masked_answers(page.service, page.answers)
    if page.service is not None:
        service = page.service
        call.facts(answer_words(service, k, v, call.lang) for k, v in answers.items())
    call.facts([(say("Dokumen", call.lang), ", ".join(page.documents))])
    tell_files(call, desk, page)
    for unit in sorted(view.proposed):
        name = shown.unit_words(page.service, unit, call.lang)
        call.out(say("⚠ {unit}: diusulkan, sedang ditinjau pusat", call.lang, unit=name))
    for unit in sorted(view.moved):
        name = shown.unit_words(page.service, unit, call.lang)
        call.out(say("⚠ {unit}: berubah di pusat, akan ditinjau", call.lang, unit=name))


@command(app, "list")
def listing(
    call: Call,
    status: Annotated[str, typer.Option("--status", help="Only this status.")] = "",
    service: Annotated[str, typer.Option("--service", help="Only this service.")] = "",
    search: Annotated[str, typer.Option("--search", help="Beginnings of names.")] = "",
    nik: Annotated[str, typer.Option("--nik", help="NIK or family card anywhere in it.")] = "",
    drafts: Annotated[bool, typer.Option("--drafts", help="The own drafts instead.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many.")] = 50,
    before: Annotated[
        str | None, typer.Option("--before", help="Older than this one: a code or an id.")
    ] = None,
) -> None:
    """List requests, newest first."""
    from field_client import shown

    desk = call.house().desk
    if drafts:
        _list_drafts(call, desk)
        return
    if call.reveal:
        desk.note_reveal("request list")
    requests = desk.store.requests
    if search:
        lines = requests.search(search, limit)
    elif nik:
        lines = requests.by_number(nik, limit)
    else:
        line = requests.line(desk.named(before)) if before else None
        last = line.number if line is not None else 0
        lines = requests.newest(status, service, before=last, limit=limit)
    rows = []
    for line in lines:
        data = shown.line_data(line, call.lang, call.reveal)
        call.give(data)
        code = data["code"] or data["id"]
        rows.append((code, shown.title(line.service, None, call.lang), data["name"], data["stage"]))
    heads = [say("Nomor", call.lang), say("Layanan", call.lang), say("Nama", call.lang)]
    call.table([*heads, say("Tahap", call.lang)], rows)


def _list_drafts(call: Call, desk: Desk) -> None:
    from field_client import shown

    for draft in desk.store.drafts.of(desk.operator.name):
        call.give({"draft": draft.id.hex(), "service": draft.service, "at": draft.at})
        title = shown.title(draft.service, None, call.lang)
        call.out(f"{draft.id.hex()}  {moment_at(draft.at)}  {title}")


@command(app, "withdraw")
def withdraw(
    call: Call,
    code: CodeArgument,
    why: Annotated[str, typer.Option("--why", help="The applicant's reason.")],
    based_on: Annotated[
        str | None, typer.Option("--based-on", help="`based_on` of an earlier `request show`.")
    ] = None,
) -> None:
    """The applicant gives the request up."""
    desk = call.house().desk
    call.ask_clock()
    page = _page(desk, code, based_on)
    desk.withdraw(page, why)
    call.give({"id": page.record.hex(), "code": page.code, "action": "withdraw"})
    call.out(say("Berkas {code} dibatalkan; pusat diberi tahu.", call.lang, code=page.code))


@command(app, "called")
def called(
    call: Call,
    code: CodeArgument,
    result: Annotated[
        str | None, typer.Option("--result", help="told, coming, unreachable or wrong_number.")
    ] = None,
    who: Annotated[str, typer.Option("--who", help="Who was called.")] = "",
    note: Annotated[str, typer.Option("--note", help="What was said.")] = "",
) -> None:
    """Write down that somebody was called about a request; without --result, list the calls."""
    from field_client import returned
    from models import names

    desk = call.house().desk
    page = desk.open(desk.named(code))
    if result is not None:
        returned.note_call(desk, page, who, result, note)
    if call.reveal:
        desk.note_reveal("request called", page.record)
    for one in desk.store.contacts.of(page.record):
        who, note = (one.who, one.note) if call.reveal else (names.masked(one.who), "")
        call.give({"at": one.at, "operator": one.operator, "who": who, "result": one.result,
                   "note": note})  # fmt: skip
        words = returned.result_words(one.result, call.lang)
        call.out(" · ".join(part for part in (moment_at(one.at), who, words, note) if part))


@command(app, "asked")
def asked(
    call: Call,
    code: Annotated[
        str, typer.Argument(help="Tracking code of the request; without it, all are listed.")
    ] = "",
    number: Annotated[int, typer.Option("--number", help="Number of the question.")] = 0,
    answer: Annotated[str, typer.Option("--answer", help="What to tell the office.")] = "",
) -> None:
    """What the office asks about requests; with --answer, answer one."""
    from field_client import asked as asking
    from field_client.shown import code_text

    desk = call.house().desk
    if code and answer:
        page = desk.open(desk.named(code))
        done = asking.answer(desk, page, number, answer)
        call.give({"id": page.record.hex(), "number": done.n, "answer": answer})
        call.out(say("Jawaban aman di laptop ini dan ikut kiriman berikutnya.", call.lang))
        return
    for one in asking.waiting(desk, call.lang):
        name = code_text(one.line.code, one.line.record)
        if code and desk.named(code) != one.line.record:
            continue
        call.give({"id": one.line.record.hex(), "code": name, "number": one.question.n,
                   "kind": one.question.kind, "about": one.question.about,
                   "question": one.question.text, "at": one.at})  # fmt: skip
        parts = (moment_at(one.at), name, f"{one.question.n}. {one.question.text}", one.about)
        call.out(" · ".join(part for part in parts if part))


@command(app, "services")
def services(
    call: Call,
    service: Annotated[str | None, typer.Argument(help="Its questions and papers.")] = None,
) -> None:
    """List the services, or what one of them asks. Needs no PIN."""
    from models.services import catalogue

    if service is None:
        for one in catalogue().services():
            call.give({"service": one.slug, "edition": one.edition, "title": one.title.both()})
            call.out(f"{one.slug:<26} {one.title.say(call.lang)}")
        return
    form = catalogue().service(service)
    call.out(form.title.say(call.lang))
    for path, slot in form.plan.slots.items():
        field = slot.field
        key = path.replace(".", ".N.", 1) if slot.block.repeated else path
        required = field.required
        call.give({"key": key, "kind": field.kind, "required": required, "codes": field.codes,
                   "stage": field.stage, "label": field.label.both()})  # fmt: skip
        call.out(f"  {key:<34} {field.kind:<10} {field.label.say(call.lang)}")
    for paper in form.documents:
        call.give({"document": paper.code, "required": paper.required, "one_of": paper.one_of,
                   "label": paper.label.both()})  # fmt: skip
        call.out(f"  + {paper.code:<32} {paper.label.say(call.lang)}")


# -- what was typed


def _page(desk: Desk, code: str, based_on: str | None) -> Sheet:
    page = desk.open(desk.named(code))
    return page if based_on is None else desk.as_shown(page, based_on)


def _draft_id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Problem("draft.unknown", draft=text[:40]) from None


def _answers(pairs: list[str] | None, file: Path | None) -> list[dict[str, Any]]:
    """Answers from a file, then single ones that go over them."""
    return [
        _read(file) if file is not None else {},
        {key: _value(text) for key, text in _pairs(pairs).items()},
    ]


def _read(file: Path) -> dict[str, Any]:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(ANSWERS_BYTES_MAX + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(ANSWERS_BYTES_MAX + 1)
    except OSError as error:
        raise Problem("file.unreadable", file=file.name) from error
    if len(data) > ANSWERS_BYTES_MAX:
        raise Problem("queue.line_too_long", line=1, limit=ANSWERS_BYTES_MAX)
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("queue.line", line=1, why=str(error)[:200]) from None


def _pairs(texts: list[str] | None) -> dict[str, str]:
    """`key=value` options. Wrong usage is told as such."""
    found: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"key=value: {text[:60]}")
        found[key.strip()] = value
    return found


def _value(text: str) -> Any:
    """A list or an object as JSON, everything else as the text it is: a NIK stays text."""
    if text[:1] in ("[", "{"):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return text
    return text
