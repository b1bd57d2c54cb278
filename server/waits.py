"""What waits at central, for what, and whose turn it is: no entry waits without an owner."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import select

from models.changes import KINDS
from models.people import Act, require
from models.words import moment_at, say
from server.auth import roles
from server.bundles import Bundles
from server.bundles import Waiting as Gap
from server.database.custody import Bundle
from server.database.loading import POISONED
from server.database.people import Person
from server.database.registry import Door
from server.database.tables import EntryRow
from server.database.work import table_of
from sync.bundle import WORK
from sync.known import envelope
from sync.logs import Entry

OWNERS = {
    "gap": "field",
    "request": "field",
    "kind": "admin",
    "form": "admin",
    "engineer": "engineer",
}
"""Whose turn: somebody brings a stick or syncs; somebody upgrades central; or looks into it."""

_entries = table_of(EntryRow)


class Wait(msgspec.Struct, frozen=True):
    """Entries first..last of a laptop's log that are not here yet, or not judged yet. why: of
    OWNERS. volumes: of `n` of `bundle`, which hold them. record: the request that is waited for.
    stick: when the newest stick of the laptop was read, 0 for never; heard: when it last called."""

    device: str
    log: str
    first: int
    last: int
    why: str
    owner: str
    bundle: str = ""
    volumes: tuple[int, ...] = ()
    n: int = 0
    record: str = ""
    stick: int = 0
    heard: int = 0


def waits(bundles: Bundles, me: Person) -> list[Wait]:
    """Everything that waits, by laptop and number."""
    require(roles(me), Act.IMPORT_BUNDLE)
    gaps = bundles.waiting(me)
    with bundles.registry.read() as door:
        newest = door.bundles(WORK)
        calls = {call.log: call.at for call in door.calls()}
        found = [_gap(gap, newest, calls) for gap in gaps]
        found += _unjudged(door, newest, calls)
    return sorted(found, key=lambda one: (one.device, one.log, one.first))


def _gap(gap: Gap, newest: list[Bundle], calls: dict[bytes, int]) -> Wait:
    log = bytes.fromhex(gap.log)
    return Wait(
        gap.device, gap.log, gap.first, gap.last, "gap", OWNERS["gap"], gap.bundle, gap.volumes,
        gap.n, "", _stick(newest, log), calls.get(log, 0),
    )  # fmt: skip


def _stick(newest: list[Bundle], log: bytes) -> int:
    return next((one.at for one in newest if one.log == log), 0)


def _unjudged(door: Door, newest: list[Bundle], calls: dict[bytes, int]) -> Iterator[Wait]:
    """Stored entries without an outcome, in runs that wait for the same."""
    rows = sorted({(log, seq, record) for record, log, seq in door.waiting()})
    found: dict[tuple[bytes, int], tuple[str, bytes]] = {}
    for log, seq, record in rows:
        known = door.record(record) is not None or record == log
        why = _why(door, log, seq)
        if (log, seq) not in found or not known:
            found[log, seq] = (why, b"" if known or why != "request" else record)
    keyed = enumerate(sorted(found.items()))
    for (log, (why, record), _), run in groupby(
        keyed, key=lambda one: (one[1][0][0], one[1][1], one[1][0][1] - one[0])
    ):
        numbers = [key[1] for _, (key, _) in run]
        state = door.log(log)
        device = door.device(state.device) if state is not None else None
        yield Wait(
            device.name if device is not None else "", log.hex(), numbers[0], numbers[-1], why,
            OWNERS[why], record=record.hex(), stick=_stick(newest, log), heard=calls.get(log, 0),
        )  # fmt: skip


def _why(door: Door, log: bytes, seq: int) -> str:
    """What one entry waits for."""
    here = (_entries.c.city == door.city) & (_entries.c.log == log) & (_entries.c.seq == seq)
    row: Any = door.one(select(_entries).where(here))
    if row is None or row.mark & POISONED:
        return "engineer"
    change = envelope(Entry(seq, row.data, row.head))
    if change is None or change.kind not in KINDS:
        return "kind"
    return "form" if change.kind == "create" else "request"


def sentence(one: Wait, lang: str) -> str:
    """One line of it, as somebody reads it who can do something about it."""
    facts = {"device": one.device or one.log[:8], "numbers": _numbers(one)}
    match one.why:
        case "gap" if one.volumes:
            volumes = ", ".join(map(str, one.volumes))
            return say("{device}: nomor {numbers} belum datang; ada di jilid {volumes} dari {n}, "
                       "paket {bundle}.", lang, volumes=volumes, n=one.n, bundle=one.bundle,
                       **facts)  # fmt: skip
        case "gap" if one.stick:
            return say("{device}: nomor {numbers} belum datang, tidak diketahui di paket mana. USB "
                       "terakhir dari laptop itu dibaca {at}.", lang, at=moment_at(one.stick),
                       **facts)  # fmt: skip
        case "gap":
            return say("{device}: nomor {numbers} belum datang; dari laptop itu belum pernah ada "
                       "USB.", lang, **facts)  # fmt: skip
        case "request":
            return say("{device}: nomor {numbers} menunggu permohonan {record}, yang dibuat di "
                       "laptop lain dan belum sampai.", lang, record=one.record[:8],
                       **facts)  # fmt: skip
        case "kind" | "form":
            return say("{device}: nomor {numbers} ditulis dengan versi lebih baru. Admin "
                       "memperbarui pusat; lalu dicoba lagi dengan sendirinya.", lang,
                       **facts)  # fmt: skip
        case _:
            return say("{device}: nomor {numbers} tiga kali menghentikan program. Teknisi "
                       "memeriksanya.", lang, **facts)  # fmt: skip


def _numbers(one: Wait) -> str:
    return str(one.first) if one.first == one.last else f"{one.first}–{one.last}"
