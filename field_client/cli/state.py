"""`jemput status`, `notices`, `doctor`: how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from field_client.cli.common import SOME, Call, command
from models.problems import Problem
from models.words import say

if TYPE_CHECKING:
    from field_client.vault.store import Store


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "status")(status)
    command(app, "notices")(notices)
    command(app, "doctor")(doctor)
    command(app, "waiting")(waiting)


def status(call: Call) -> None:
    """What waits, what was sent, what needs attention."""
    from field_client.shown import bar
    from field_client.vault.sums import Repairs
    from models.words import moment_at
    from sync.messages import Checkpoint

    house = call.house()
    store, desk = house.store, house.desk
    standing, log = store.standing(), store.log()
    checkpoint = store.recall(Checkpoint)
    invitation = desk.invitation()
    word = _word(store)
    last = checkpoint.at if checkpoint is not None else None
    doubt = desk.clock_doubt()
    files = store.attached.left()
    repairs = store.recall(Repairs) or Repairs()
    call.give(
        {
            "operator": house.unlocked.name,
            "office": invitation.office_name,
            "device": invitation.device.hex(),
            "log": log.id.hex(),
            "entries": log.seq,
            "stored": log.stored,
            "unsent": standing.unsent,
            "unsent_bytes": standing.unsent_bytes,
            "oldest_unsent": standing.oldest_unsent,
            "requests": standing.requests,
            "outcomes": {k or "undecided": n for k, n in sorted(standing.entries.items())},
            "files_left": files.files,
            "files_left_bytes": files.bytes,
            "drafts": sum(standing.drafts.values()),
            "notices": standing.unread,
            "residents": standing.residents,
            "last_sync": last,
            "durable": checkpoint.durable_seq if checkpoint is not None else 0,
            "cursor": standing.cursor.server_seq,
            "repairs": len(repairs.done),
            "suspended": word == "suspend",
            "clock_ok": doubt is None,
        }
    )
    call.out(bar(standing, last, desk.facts().at, call.lang))
    returned = standing.requests.get("needs_correction", 0)
    held = standing.entries.get("held", 0)
    rows: list[tuple[str, Any]] = [
        (say("Kantor", call.lang), invitation.office_name),
        (say("Petugas", call.lang), house.unlocked.name),
        (say("Permohonan", call.lang), sum(standing.requests.values())),
        (say("Antre kirim", call.lang), standing.unsent),
        (say("Lampiran antre", call.lang), files.files or None),
        (say("! Perlu perbaikan", call.lang), returned or None),
        (say("⚠ Ditinjau pusat", call.lang), held or None),
        (say("Draf", call.lang), sum(standing.drafts.values()) or None),
        (say("Pemberitahuan baru", call.lang), standing.unread or None),
        (say("Daftar penduduk", call.lang), standing.residents or None),
        (say("Wilayah dibaca ulang", call.lang), len(repairs.done) or None),
        (say("Sinkron terakhir", call.lang), moment_at(last) if last else say("belum", call.lang)),
    ]
    call.facts(rows)
    if word == "suspend":
        call.out(say("✕ Perangkat ditangguhkan. Pekerjaan tersimpan; hubungi Dukcapil.", call.lang))


def _word(store: Store) -> str:
    from field_client.orders import Word

    word = store.recall(Word)
    return word.kind if word is not None else ""


def notices(
    call: Call,
    everything: Annotated[bool, typer.Option("--all", help="Those already read too.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave them unread.")] = False,
) -> None:
    """What the office decided about the own work, and why."""
    from field_client.shown import code_text, notice_words, title
    from models.words import moment_at

    house = call.house()
    told = house.store.notices.newest() if everything else house.store.notices.unread()
    if call.reveal and told:
        house.desk.note_reveal("notices")
    for one in told:
        notice = one.notice
        page = house.desk.find_sheet(notice.record) if notice.record else None
        code = code_text(page.picture.code, notice.record) if page is not None else ""
        words = notice_words(notice, page, call.lang, call.reveal)
        call.give(
            {
                "kind": notice.kind,
                "id": notice.record.hex(),
                "code": code or None,
                "unit": notice.unit,
                "mine": notice.mine if call.reveal else None,
                "value": notice.value if call.reveal or notice.kind == "status" else None,
                "take": notice.take,
                "reason": notice.reason,
                "by": notice.by,
                "case": notice.case.hex(),
                "at": notice.at,
                "unread": one.unread,
                "words": words,
            }
        )
        service = title(page.picture.view.service, None, call.lang) if page is not None else ""
        call.out(f"{moment_at(notice.at)}  {code}  {service}")
        call.out(f"  {words}")
    if not told:
        call.out(say("Tidak ada pemberitahuan baru.", call.lang))
    if not keep:
        house.store.notices.read(*(one.number for one in told if one.unread))


def doctor(
    call: Call,
    quick: Annotated[bool, typer.Option("--quick", help="Skip reading every page.")] = False,
    declare: Annotated[
        str,
        typer.Option("--declare", help="Why numbers of the log are lost: declare them, go on."),
    ] = "",
) -> int:
    """Look for what may be wrong with this laptop's data. Changes nothing without --declare."""
    from field_client.doctor import examine

    if declare:
        _declare(call, declare)
    found = examine(call.house(), quick)
    for check in found:
        call.give({"check": check.name, "ok": check.ok, "detail": check.words(call.lang)})
        call.out(f"{'✓' if check.ok else '✕'} {check.words(call.lang)}")
    return 0 if all(check.ok for check in found) else SOME


def _declare(call: Call, reason: str) -> None:
    """Declare what the disk lost of the log, so that the rest can go on."""
    from field_client import holes

    house = call.house()
    found = holes.damage(house.store, house.store.log().id)
    if found is None:
        raise Problem("hole.none")
    hole = holes.declare(house.desk, found, reason)
    call.give({"declared": {"first": found.lost[0], "last": hole.last, "lost": list(found.lost),
                            "made_again": len(found.whole)}})  # fmt: skip
    call.out(
        say("Dicatat: nomor {numbers} hilang. {n} catatan lain dibuat lagi. Pusat mendapat "
            "perkaranya dengan sinkron berikut.", call.lang, numbers=holes.ranges(found.lost),
            n=len(found.whole))
    )  # fmt: skip


def waiting(call: Call) -> None:
    """What is waited for: proofs of what was sent, with the last stick; volumes not here yet."""
    from field_client.bundles import Bundles
    from field_client.waits import sentence, waits

    house = call.house()
    found = waits(house.store, Bundles(house.desk, house.place), house.place.folder)
    for one in found:
        call.give(one)
        call.out(sentence(one, call.lang))
    if not found:
        call.out(say("Tidak ada yang ditunggu.", call.lang))
