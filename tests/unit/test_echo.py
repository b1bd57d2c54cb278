"""A laptop is not told again what it said itself, and finds out when the two disagree."""

from __future__ import annotations

import msgspec
import pytest

from models.changes import Body, Change, encode, raw
from models.services import catalogue
from sync.echo import Author, Differs, Own, expand, shorten
from sync.intake import take
from sync.known import Known, LogState
from sync.logs import Entry, next_head
from sync.state import Decision, Wrote
from tests.simulation.people import example_answers

AUTHOR = Author(b"l" * 16, b"d" * 16, 7)
SLUG = "ktp-new-enrolment"
AT = 1_795_000_000


def entry(seq: int, nik: str, place: tuple[int, int] = (0, 1)) -> Entry:
    form = catalogue().service(SLUG)
    units = dict(form.units(example_answers(form), ()))
    units["applicant.identity"] = {"nik": nik, "name": f"WARGA {nik}"}
    change = Change(
        "create", b"", *place, SLUG, form.edition, 1, AT, AT, 1, 1, 0, None,
        raw(Body(number=seq, set=units)),
    )  # fmt: skip
    data = encode(change)
    return Entry(seq, data, next_head(AUTHOR.log, b"", data))


def decided(entries: list[Entry], known: Known | None = None) -> list[Decision]:
    """What central makes of them."""
    log = LogState(AUTHOR.log, AUTHOR.device, entries[0].seq - 1, b"", block=7, sessions={1: b"s"})
    known = known or Known(40, b"", {log.id: log})
    return take(known, log, entries, AT + 60)


FAMILY = [entry(6, "8272030000000061", (0, 2)), entry(7, "8272030000000071", (1, 2))]
ENTRIES = [entry(n, f"82720300000000{n}1") for n in (2, 3, 4, 5)] + FAMILY


def read(first: int, size: int) -> list[Entry]:
    """As a store gives them, a few at a time."""
    found = [one for one in ENTRIES if one.seq >= first]
    return found[:2] if found[:1] != FAMILY[:1] else found


def test_what_met_nothing_is_one_run_and_comes_out_the_same():
    decisions = decided(ENTRIES)
    full, echoes = shorten(decisions, AUTHOR, ENTRIES)
    assert full == []
    (run,) = echoes
    assert (run.server_seq, run.first, run.count) == (41, 2, 5)
    assert expand(run, AUTHOR, ENTRIES) == decisions
    assert Own(AUTHOR, read).hear(echoes) == decisions
    assert len(encode(run)) < len(encode(decisions)) / 50


def test_what_met_something_is_told_in_full():
    twice = [*ENTRIES[:2], entry(4, "8272030000000021"), *ENTRIES[3:]]
    decisions = decided(twice)
    full, echoes = shorten(decisions, AUTHOR, twice)
    assert [one.first for one in full] == [4], "it opened a case"
    assert [(run.first, run.count) for run in echoes] == [(2, 2), (5, 2)]
    again = [d for run in echoes for d in expand(run, AUTHOR, twice[(run.first - 2) :])]
    assert sorted([*full, *again], key=lambda d: d.server_seq) == decisions


def test_other_peoples_decisions_and_later_ones_are_told_in_full():
    (decision, *_) = decided(ENTRIES)
    for other in (
        msgspec.structs.replace(decision, log=b"o" * 16),
        msgspec.structs.replace(decision, actor="rina"),
        msgspec.structs.replace(decision, first=3),
        msgspec.structs.replace(decision, effects=decision.effects[:-1]),
    ):
        assert shorten([other], AUTHOR, ENTRIES) == ([other], [])


def test_a_run_that_comes_out_differently_is_not_believed():
    (run,) = shorten(decided(ENTRIES), AUTHOR, ENTRIES)[1]
    changes = ({"proof": bytes(8)}, {"count": 9}, {"at": AT}, {"server_seq": 42}, {"first": 3})
    for change in changes:
        wrong = msgspec.structs.replace(run, **change)
        with pytest.raises(Differs):
            Own(AUTHOR, read).hear([wrong])
    with pytest.raises(Differs):
        expand(run, msgspec.structs.replace(AUTHOR, block=8), ENTRIES)
    other = [*ENTRIES[:3], entry(5, "8272030000009999"), *FAMILY]
    with pytest.raises(Differs):
        expand(run, AUTHOR, other)


def test_a_laptop_with_another_judge_asks_in_full(monkeypatch):
    """Two editions of the program that do not come to the same are noticed, not trusted."""
    from sync import echo
    from sync.exchange import Absorbed, Exchange, Position
    from sync.messages import Checkpoint, Cursor, Page, Reply, Request, decode, name_of

    decisions = decided(ENTRIES)
    (run,) = shorten(decisions, AUTHOR, ENTRIES)[1]
    position = Position(AUTHOR.log, 7, b"h" * 32, 7, Cursor(b"i" * 8, 40, b""), 1)
    exchange = Exchange(position, "t", lambda seq: b"h" * 32, own=Own(AUTHOR, read))
    checkpoint = Checkpoint(AUTHOR.log, 7, b"h" * 32, b"i" * 8, 45, b"", 0, AT)
    upper = Cursor(b"i" * 8, 45, b"head")

    def reply(data: bytes, **more: object) -> Reply:
        return Reply(name_of(data), checkpoint, [], None, [], 0, upper, False, **more)  # type: ignore[arg-type]

    expected = echo.expected

    def newer(*given):
        found = expected(*given)
        assert found is not None
        effects = [e for e in found.effects if not isinstance(e, Wrote)]
        return msgspec.structs.replace(found, effects=tuple(effects))

    asked = exchange.request([], AT)
    assert decode(asked, Request).echo
    with monkeypatch.context() as patch:
        patch.setattr(echo, "expected", newer)
        steps = exchange.receive(reply(asked, echoes=[run]), b"", [], [])
    assert not any(isinstance(step, Absorbed) for step in steps)
    assert (exchange.finished, exchange.position.cursor.server_seq) == (False, 40)
    asked = exchange.request([], AT)
    assert not decode(asked, Request).echo
    page = Page(name_of(asked), 0, [encode(d) for d in decisions], 45)
    steps = exchange.receive(msgspec.structs.replace(reply(asked), pages=1), b"", [page], [])
    assert [s.decisions for s in steps if isinstance(s, Absorbed)] == [tuple(decisions)]
    assert exchange.finished


def test_runs_and_pages_are_put_in_their_order():
    from sync.exchange import Absorbed, Exchange, Position
    from sync.messages import Checkpoint, Cursor, Page, Reply, name_of

    decisions = decided(ENTRIES)
    position = Position(AUTHOR.log, 7, b"h" * 32, 7, Cursor(b"i" * 8, 40, b""), 1)
    exchange = Exchange(position, "t", lambda seq: b"h" * 32, own=Own(AUTHOR, read))
    asked = exchange.request([], AT)
    told, rest = [decisions[1]], [decisions[0], *decisions[2:]]
    echoes = shorten(rest, AUTHOR, ENTRIES)[1]
    assert len(echoes) == 2
    page = Page(name_of(asked), 0, [encode(d) for d in told], 43)
    checkpoint = Checkpoint(AUTHOR.log, 7, b"h" * 32, b"i" * 8, 45, b"", 0, AT)
    reply = Reply(
        name_of(asked), checkpoint, [], None, [], 1, Cursor(b"i" * 8, 45, b"e"), False,
        echoes=echoes,
    )  # fmt: skip
    steps = [s for s in exchange.receive(reply, b"", [page], []) if isinstance(s, Absorbed)]
    assert [d.server_seq for s in steps for d in s.decisions] == [41, 42, 43, 44, 45]
    assert [s.cursor.server_seq for s in steps] == [43, 45]
    assert exchange.position.cursor == reply.upper
