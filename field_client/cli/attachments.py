"""`jemput attach`, `detach`, `request picture`: papers and portraits of a request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from field_client.cli.common import Call, command
from models.words import say, size

if TYPE_CHECKING:
    from field_client.desk import Desk
    from field_client.sheet import Sheet
    from field_client.vault.attached import StoredFile
    from models.changes import Attached

RequestArgument = Annotated[str, typer.Argument(help="Tracking code, or the request's id.")]
BlobArgument = Annotated[
    str, typer.Argument(help="Beginning of the file's name, from `request show`.")
]


def register(app: typer.Typer, requests: typer.Typer) -> None:
    """Add the commands to the program and to its group of requests."""
    command(app, "attach")(attach)
    command(app, "detach")(detach)
    command(requests, "picture")(picture)


def attach(
    call: Call,
    request: RequestArgument,
    field: Annotated[
        str, typer.Argument(help="A document's code, such as KK, or a field for files.")
    ],
    files: Annotated[
        list[Path], typer.Argument(help="Photographs or scans: JPEG, PNG, HEIC, PDF.")
    ],
    kind: Annotated[
        str, typer.Option("--kind", help="page or portrait; by default what the field is for.")
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", help="Why a picture is kept that may not be readable.")
    ] = "",
) -> None:
    """Put photographs or scans to a request, as small legible copies; the files stay as they are.

    What may make a copy unreadable is said at once, while the citizen is still there.
    """
    desk = call.house().desk
    call.ask_clock()
    page = desk.open(desk.named(request))
    made = desk.attach(page, field, files, kind, reason)
    for one in made:
        call.give(
            {
                "blob": one.file.blob.hex(),
                "unit": one.file.unit,
                "kind": one.file.kind,
                "page": one.file.page,
                "pages": one.file.pages,
                "bytes": one.file.size,
                "width": one.width,
                "height": one.height,
                "hints": [
                    {"code": hint.code, "words": hint.words(call.lang)} for hint in one.hints
                ],
            }
        )
        shown = size(one.file.size, call.lang)
        call.out(f"{one.file.blob.hex()[:8]}  {one.file.unit}  {shown}  {_page(one.file, call)}")
        for hint in one.hints:
            call.warn(f"  ⚠ {hint.words(call.lang)} [{hint.code}]")
    call.out(say("{n} lampiran tersimpan; dikirim saat ada sinyal.", call.lang, n=len(made)))


def detach(
    call: Call,
    request: RequestArgument,
    blob: BlobArgument,
    reason: Annotated[str, typer.Option("--why", help="Why, for example: another person's.")] = "",
) -> None:
    """Take a file out of a request again."""
    desk = call.house().desk
    page = desk.open(desk.named(request))
    file = desk.detach(page, blob, reason)
    call.give({"blob": file.blob.hex(), "unit": file.unit, "action": "detach"})
    call.out(say("Lampiran {blob} dilepas.", call.lang, blob=file.blob.hex()[:8]))


def picture(
    call: Call,
    request: RequestArgument,
    blob: BlobArgument,
    out: Annotated[Path, typer.Option("--out", help="Where to write it (WebP), unprotected.")],
) -> None:
    """Write a file of a request out to be looked at; that it was is noted."""
    from field_client.vault.files import write_atomically
    from models.problems import Problem

    desk = call.house().desk
    record = desk.named(request)
    page = desk.open(record)
    if out.exists():
        raise Problem("file.exists", path=str(out))
    data = desk.picture(page, blob)
    desk.note_reveal("request picture", record)
    write_atomically(out, data)
    call.give({"file": str(out), "bytes": len(data)})
    call.out(say("Ditulis ke {file} tanpa kunci. Hapus setelah dilihat.", call.lang, file=out.name))


# -- how far each is


def files_data(desk: Desk, page: Sheet) -> list[dict[str, Any]]:
    """The files of a request as plain values; state: waiting, verified, gone (deleted here after
    the office had it) or elsewhere (of another laptop)."""
    return [
        {
            "blob": file.blob.hex(),
            "unit": file.unit,
            "kind": file.kind,
            "page": file.page,
            "pages": file.pages,
            "bytes": file.size,
            "state": stored.state if stored is not None else "elsewhere",
            "percent": stored.percent if stored is not None else None,
            "problem": stored.problem if stored is not None else "",
        }
        for file, stored in desk.files(page)
    ]


def tell_files(call: Call, desk: Desk, page: Sheet) -> None:
    """A line for each file of a request."""
    for file, stored in desk.files(page):
        shown = size(file.size, call.lang)
        name, words = file.blob.hex()[:8], _state(stored, call)
        call.out(f"  {name}  {file.unit}  {_page(file, call)}  {shown}  {words}")


def _page(file: Attached, call: Call) -> str:
    if file.pages < 2:
        return ""
    return say("hlm {page} dari {pages}", call.lang, page=file.page, pages=file.pages)


def _state(stored: StoredFile | None, call: Call) -> str:
    if stored is None:
        return say("dari laptop lain atau kantor", call.lang)
    match stored.state:
        case "gone":
            return say("✓ lengkap di pusat, salinan di laptop ini dihapus", call.lang)
        case "verified":
            return say("✓ lengkap di pusat", call.lang)
    if stored.problem:
        from models.problems import Problem, problems

        known = stored.problem in problems()
        return Problem(stored.problem).words(call.lang) if known else stored.problem
    if stored.percent:
        return say("{n} % di pusat", call.lang, n=stored.percent)
    return say("○ menunggu dikirim", call.lang)
