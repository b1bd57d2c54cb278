"""Two laptops wrote much on one log: one order, one case, and every entry of both is kept."""

from __future__ import annotations

from sync.messages import Batch
from tests.journey.test_laptops import taken
from tests.town import Town


def test_a_long_branch_that_comes_in_pieces_is_one_fork(town: Town) -> None:
    van = town.laptop("sari")
    (record,) = taken(town, van, "father")
    van.sync()
    clone = van.clone()
    log = clone.house.store.log()
    taken(town, clone, "mother", "old_man", "son", "old_woman")
    taken(town, van, "neighbour")
    van.sync()
    theirs = clone.house.store.pending(log.stored)
    before = log.stored_head
    for entry in theirs:
        batch = Batch(entry.seq, before[:8], entry.head[:8], [entry.data])
        town.central.ledger.store(log.id, batch, town.time())
        before = entry.head
    taken(town, van, "mother")
    van.sync()
    with town.central.registry.read() as door:
        assert [kind for _, kind, _ in door.orders(log.id)] == ["rotate"]
        assert [entry.seq for entry in door.forks(log.id)] == [entry.seq for entry in theirs]
        assert door.ahead(log.id) == []
    assert len(town.cases("fork")) == 1
    clone.sync()
    van.sync()
    assert len(town.cases("fork")) == 1
    assert town.is_whole()
    assert record.hex() in town.stored()
