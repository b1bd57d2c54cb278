"""A laptop's disk lost entries of its log: it says so, somebody owns that, and work goes on."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from field_client import holes
from field_client.cli import app
from field_client.doctor import examine
from models.changes import decode_change
from sync.messages import Batch
from tests.journey.test_laptops import grown, taken
from tests.requests import row
from tests.town import Laptop, Town
from tests.vaults import PASSPHRASE, refused

REASON = "Hujan masuk ke laptop"


def loses(laptop: Laptop, *numbers: int, altered: int = 0) -> None:
    """Entries of the newest log vanish from the disk; one may be altered instead."""
    log = laptop.house.store.log().id
    with laptop.house.store.engine.writing() as connection:
        for number in numbers:
            connection.execute("delete from entries where log = ? and seq = ?", (log, number))
        if altered:
            connection.execute(
                "update entries set data = cast(data || x'00' as blob) where log = ? and seq = ?",
                (log, altered),
            )


def stored(town: Town, log: bytes) -> tuple[int, bytes]:
    """How far central has a log."""
    with town.central.registry.read() as door:
        found = door.log(log)
    assert found is not None
    return found.seq, found.head


def words(laptop: Laptop) -> dict[str, tuple[bool, str]]:
    """What doctor says about each log, and whether it is well."""
    checks = examine(laptop.house, quick=True)
    return {check.name: (check.ok, check.words("id")) for check in checks if check.name == "log"}


def a_van_with_work(town: Town) -> tuple[Laptop, list[bytes], int]:
    """A van with one request at central and five that it has not sent; number of the first."""
    van = town.laptop("sari")
    taken(town, van, "father")
    van.sync()
    first = van.house.store.log().seq + 1
    records = taken(town, van, "mother", "old_man", "son", "old_woman", "neighbour")
    return van, records, first


def test_what_is_lost_is_declared_and_the_rest_goes_on(town: Town) -> None:
    van, records, first = a_van_with_work(town)
    loses(van, first + 1, first + 2)
    ok, said = words(van)["log"]
    assert (ok, f"nomor {first + 1}–{first + 2} hilang" in said) == (False, True)
    found = holes.damage(van.house.store, van.house.store.log().id)
    assert found is not None
    assert (found.lost, len(found.whole)) == ((first + 1, first + 2), 2)
    refused("reason.required", holes.declare, van.house.desk, found, " ")
    holes.declare(van.house.desk, found, REASON)
    assert words(van)["log"][0]
    assert holes.damage(van.house.store, van.house.store.log().id) is None
    assert van.sync().pending == 0
    kept = [records[0], records[3], records[4]]
    assert {record.hex() for record in kept} < set(town.stored())
    assert len(town.stored()) == 4
    (line,) = town.cases("hole")
    note = town.case(line).note
    assert f"entries {first + 1}-" in note
    assert f"{first + 1}–{first + 2}: {REASON}" in note
    assert line.owner
    assert town.is_whole()
    van.edit(records[3], applicant__phone="+6281200000003")
    assert van.sync().outcomes == {"applied": 1}
    assert town.sheet(records[3]).answers["applicant.phone"] == "+6281200000003"


def test_of_a_family_that_is_lost_in_part_the_rest_goes_on(town: Town) -> None:
    """Half a transaction is never sent, so the hole begins where the family does."""
    van, _, first = a_van_with_work(town)
    family = [
        row(town.village, "village-domicile-letter", grown(town, part), ref=part)
        for part in ("grandfather", "first_timer")
    ]
    records = [one.record for one in van.take(*family)]
    began = van.house.store.log().seq - 1
    assert [decode_change(e.data).n for e in van.house.store.pending(began - 1)] == [2, 2]
    loses(van, began + 1)
    assert [e.seq for e in van.house.store.pending(first - 1)] == list(range(first, began))
    found = holes.damage(van.house.store, van.house.store.log().id)
    assert found is not None
    assert (found.lost, found.first, len(found.whole)) == ((began + 1,), began, 1)
    holes.declare(van.house.desk, found, REASON)
    assert words(van)["log"][0]
    assert van.sync().pending == 0
    assert records[0].hex() in town.stored()
    assert records[1].hex() not in town.stored()
    assert town.is_whole()


def test_an_altered_entry_is_lost_too_and_is_named(town: Town) -> None:
    van, records, first = a_van_with_work(town)
    loses(van, altered=first)
    found = holes.damage(van.house.store, van.house.store.log().id)
    assert found is not None
    assert found.lost == (first,)
    holes.declare(van.house.desk, found, REASON)
    assert van.sync().pending == 0
    assert {record.hex() for record in records[1:]} < set(town.stored())
    assert len(town.stored()) == 5


def test_what_central_has_is_not_lost(town: Town) -> None:
    van, records, first = a_van_with_work(town)
    van.sync()
    loses(van, first, first + 1)
    ok, said = words(van)["log"]
    assert (ok, "Pusat sudah menyimpannya" in said) == (False, True)
    found = holes.damage(van.house.store, van.house.store.log().id)
    assert found is not None
    assert (found.stored, found.lost) == ((first, first + 1), ())
    refused("hole.none", holes.declare, van.house.desk, found, REASON)
    van.edit(records[3], applicant__phone="+6281200000003")
    assert van.sync().pending == 0
    assert town.cases("hole") == []


def test_a_stick_that_turns_up_brings_what_was_declared_lost(town: Town) -> None:
    """What was lost is judged after all; what was made again meanwhile does not count twice."""
    van, records, first = a_van_with_work(town)
    log = van.house.store.log()
    sent = van.house.store.pending(log.stored)  # as it lay on a stick before the rain
    loses(van, first + 1, first + 2)
    found = holes.damage(van.house.store, log.id)
    assert found is not None
    holes.declare(van.house.desk, found, REASON)
    van.sync()
    van.edit(records[3], applicant__phone="+6281200000003")
    van.sync()
    stands = stored(town, log.id)
    batch = Batch(sent[0].seq, log.stored_head[:8], sent[-1].head[:8], [e.data for e in sent])
    for _ in range(2):
        town.central.ledger.store(log.id, batch, town.time())
        assert stored(town, log.id) == stands
        assert {record.hex() for record in records} < set(town.stored())
        assert len(town.stored()) == 6
        assert town.sheet(records[3]).answers["applicant.phone"] == "+6281200000003"
        assert town.cases("fork") == []
        assert town.is_whole()
    van.sync()
    assert [van.status(record) for record in records] == ["received"] * 5


def test_the_command(town: Town) -> None:
    van, _, first = a_van_with_work(town)
    loses(van, first + 1)
    van.house.close()
    pin = town.folder / "pin"
    pin.write_text(PASSPHRASE)

    def run(*more: str) -> tuple[int, list[dict[str, Any]]]:
        about = ["--data", str(van.folder), "--operator", "sari", "--pin-file", str(pin)]
        done = CliRunner().invoke(app, ["doctor", *about, "--quick", "--json", *more])
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert all(line["ok"] for line in lines if line.get("check") != "log" and "ok" in line)
        return done.exit_code, lines

    code, lines = run()
    assert (code, [line["ok"] for line in lines if line["check"] == "log"]) == (3, [False])
    code, lines = run("--declare", REASON)
    declared = lines[0]["declared"]
    assert (code, declared["lost"], declared["made_again"]) == (0, [first + 1], 3)
    code, lines = run("--declare", REASON)
    assert (code, lines[0]["problem"]["code"]) == (1, "hole.none")
