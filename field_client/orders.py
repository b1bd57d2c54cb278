"""Orders: what central tells a laptop to do, carried out once each."""

from __future__ import annotations

import msgspec

from field_client import succession
from field_client.desk import Desk
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
        case _:
            return False
    return True
