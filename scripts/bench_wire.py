"""Bench `wire`: what a sync costs in bytes, measured on the bodies the courier really sends.

A body is everything: frame length, outer header, HPKE, COSE, packed message. Nothing here is timed,
so the figures are the same on any machine (people are drawn by seed; keys and signatures are
random, and change a packed message by a byte or two at most).
"""

from __future__ import annotations

import lzma
import secrets
from datetime import date
from typing import Any

import msgspec
from backports import zstd

from bench_parts import Row, median, new_laptop, rows_of, take, town
from field_client.build import version
from field_client.envelopes import Envelopes
from models.services import catalogue
from sync import seal, wire
from sync.exchange import Exchange
from tests.town import Laptop, Town

ENROLMENT, BIRTH = {"ktp-new-enrolment": 1}, {"birth": 1}


def run(people: int = 200, day: int = 120, floor: int = 10_000, seed: int = 1) -> dict[str, Any]:
    """people: requests sent alone, of each kind. day: requests sent together. floor: records."""
    found: dict[str, Any] = {}
    with town() as here:
        laptop = new_laptop(here)
        quiet = [nothing_new(laptop)]
        found |= _alone(laptop, people, seed)
        quiet.append(nothing_new(laptop))
        found |= _day(here, day, seed)
        quiet.append(nothing_new(laptop))
    found["nothing_new_bytes"] = max(size for size, _ in quiet)
    found["nothing_new_round_trips"] = max(trips for _, trips in quiet)
    found["nothing_new_bytes_by_history"] = [size for size, _ in quiet]
    found |= _floor(floor, seed)
    return found


def _alone(laptop: Laptop, people: int, seed: int) -> dict[str, Any]:
    """One new request in a sync of its own. The first one after the laptop was opened carries the
    operator's signed session besides."""
    enrolments = [_sent(laptop, [row]) for row in rows_of(people, seed, ENROLMENT)]
    births = [_sent(laptop, [row]) for row in rows_of(people, seed, BIRTH)]
    laptop.open()
    opened = _sent(laptop, rows_of(1, seed + 7, ENROLMENT))
    return {
        "enrolment_bytes": max(enrolments),
        "enrolment_median_bytes": int(median(enrolments)),
        "birth_bytes": max(births),
        "birth_median_bytes": int(median(births)),
        "enrolment_with_session_bytes": opened,
    }


def _sent(laptop: Laptop, rows: list[Row]) -> int:
    """Bytes up of the sync that carries these rows; it must be one round trip."""
    take(laptop, rows)
    report = laptop.sync()
    assert report.round_trips == 1, report
    assert report.pending == 0, report
    return report.bytes_up


def nothing_new(laptop: Laptop) -> tuple[int, int]:
    """Bytes both ways and round trips of a sync with nothing to say, after one that said it all."""
    laptop.sync()
    report = laptop.sync()
    return report.bytes_up + report.bytes_down, report.round_trips


def _day(here: Town, count: int, seed: int) -> dict[str, Any]:
    """A day in one batch, sealed. What the courier sends for it, in as many frames as it sees fit,
    is told beside."""
    laptop = new_laptop(here)
    rows = rows_of(count, seed + 1)
    take(laptop, rows)
    whole = len(body(laptop))
    report = laptop.sync()
    assert report.pending == 0, report
    plain = plain_stream(rows)
    return {
        "day_120_ratio": round(whole / plain, 4),
        "day_120_bytes": whole,
        "day_120_baseline_bytes": plain,
        "day_120_sync_bytes": report.bytes_up,
    }


def body(laptop: Laptop) -> bytes:
    """All that waits on a laptop as one sealed request body; nothing is sent or noted."""
    store = laptop.house.store
    log = store.log()
    exchange = Exchange(store.position(), version(), store.head_at)
    payload = exchange.request(store.pending(log.stored, 1 << 30), laptop.town.time.at)
    return Envelopes(log.identity, laptop.house.desk.invitation()).close(payload)


def plain_stream(rows: list[Row]) -> int:
    """Bytes of `plain_bytes`."""
    return len(plain_bytes(rows))


def plain_bytes(rows: list[Row]) -> bytes:
    """The same answers as msgpack maps with a 16-byte UUID each, in one zstd -19 stream.

    Answers as they are stored, flat or nested by section, whichever comes out smaller.
    """
    streams = []
    for shape in (_flat, _nested):
        records = [_record(row, shape(_answers(row))) for row in rows]
        streams.append(zstd.compress(b"".join(records), 19))
    return min(streams, key=len)


def _record(row: Row, answers: dict[str, Any]) -> bytes:
    value = {"id": secrets.token_bytes(16), "service": row["service"], "answers": answers}
    return msgspec.msgpack.encode(value | {"documents": row["documents"]})


def _answers(row: Row) -> dict[str, Any]:
    service = catalogue().service(row["service"])
    day = date.fromisoformat(row["taken_at"][:10])
    checked = service.check(row["answers"], row["documents"], row["reasons"], today=day)
    assert checked.ok, row["ref"]
    return checked.answers


def _flat(answers: dict[str, Any]) -> dict[str, Any]:
    return answers


def _nested(answers: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in answers.items():
        *above, last = key.split(".")
        place = found
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _floor(count: int, seed: int) -> dict[str, Any]:
    """Bytes a record of many enrolments squeezed together: what is new in each of them."""
    records = [_record_bare(row) for row in rows_of(count, seed + 2, ENROLMENT)]
    squeezed = lzma.compress(b"".join(records), preset=9 | lzma.PRESET_EXTREME)
    return {"floor_bytes": round(len(squeezed) / len(records), 1), "floor_records": len(records)}


def _record_bare(row: Row) -> bytes:
    return msgspec.msgpack.encode([row["answers"], row["documents"]])


def parts(seed: int = 1) -> dict[str, int]:
    """Where the bytes of one enrolment go, in the order they stand in the body."""
    with town() as here:
        laptop = new_laptop(here)
        take(laptop, rows_of(1, seed, ENROLMENT))
        invitation = laptop.house.desk.invitation()
        frame = wire.split_frames(body(laptop))[0]
        token = seal.unseal(frame, here.central.keys.identity, "request")
        log = laptop.house.store.log().identity
        to = seal.audience(invitation.seal_key)
        header, packed = seal.verify(token, log.sign_key, "request", to)
    outer = 2 + seal.AUDIENCE_BYTES
    return {
        "frame length": 4,
        "outer header": outer,
        "HPKE": len(frame) - outer - len(token),
        "signature": 64,
        "rest of COSE": len(token) - 64 - len(packed),
        "packed message": len(packed),
        "message before packing": len(wire.unpack(packed, header.dictionary)),
    }
