"""Orders: what central tells a laptop to do, carried out once each."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from field_client import succession
from field_client.desk import Desk
from field_client.vault.keys import Keys
from models.problems import Problem
from sync.messages import Order


class Word(msgspec.Struct, frozen=True):
    """What central last said of this laptop: "suspend" or "active"."""

    kind: str


def obey(desk: Desk) -> list[str]:
    """Carry out the orders that are due; gives their kinds. After "rotate" there is a new log."""
    done: list[str] = []
    for order in desk.store.orders_due():
        if _act(desk, order):
            desk.store.order_done(order)
            done.append(order.kind)
    return done


def _act(desk: Desk, order: Order) -> bool:
    """Orders of a newer central that are not understood stay due, for a newer program."""
    match order.kind:
        case "rotate":
            # Only what central proved to hold stays behind: the number may be about another branch
            # than ours, and what is made again and is there already never counts twice.
            succession.after_fork(desk, order.log, 0)
        case "suspend" | "active":
            desk.store.remember(Word(order.kind))
        case _:  # also "shred": it waits for the end of a contact, see there
            return False
    return True


def shred(
    desk: Desk, *, delivered: bool = False, last_word: Callable[[], None] = lambda: None
) -> None:
    """Carry out "shred", once all that can be delivered was: what is chained is never given up for
    it. delivered: it was by this contact, whatever still counts as unsent. last_word: tells the
    office that it is done, while the keys are still in memory.

    The wraps go first: from then on no PIN opens the vault, whatever happens next. The rest needs
    the open database and is one commit with the end of the order; a kill before it leaves the order
    due, for whoever the office lets in. Problems: vault.shredded when it is done; escrow.none, with
    nothing touched, where not even the office could open it again.
    """
    store = desk.store
    due = [order for order in store.orders_due() if order.kind == "shred"]
    if not due or not (delivered or store.standing().unsent == 0):
        return
    Keys(store.engine.path.parent, None).shred()
    store.forget_others(due)
    last_word()
    raise Problem("vault.shredded")
