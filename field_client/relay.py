"""Relay: what is carried for others goes to central by this laptop's network, answers come back.

The volumes are sealed and signed by whom they come from, so this laptop signs nothing and can read
nothing. What central gives back for them is carried on, sealed as well.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from field_client.bundles import Bundles, Carried
from field_client.inbox import Refused
from field_client.transports.http import Unreached
from models.problems import Problem
from sync import wire
from sync.bundle import WORK

BUNDLES_PATH = "/v1/bundles"


class Road(Protocol):
    """The network, as `HttpRoad` gives it."""

    def post(self, path: str, body: bytes) -> bytes: ...

    def get(self, path: str) -> bytes: ...

    def close(self) -> None: ...


class Came(msgspec.Struct, frozen=True):
    """The part of central's answer that is used here. log: in hex."""

    log: str
    device: str
    missing: list[int]


class Delivered(msgspec.Struct, frozen=True):
    """A bundle that central has. back: the return bundle that is carried now, or empty."""

    bundle: str
    device: str
    back: str


def deliver(bundles: Bundles, road: Road) -> tuple[list[Delivered], list[Refused]]:
    """Hand on every bundle for central that is carried here. Problem sync.unreachable or
    sync.timeout when there is no road; what was delivered until then stays delivered."""
    done: list[Delivered] = []
    refused: list[Refused] = []
    try:
        for one in bundles.carried():
            if one.purpose != WORK:
                continue
            try:
                done.append(_deliver(bundles, road, one))
            except Problem as problem:
                refused.append(Refused(one.bundle, problem))
    except Unreached as failure:
        raise failure.problem from failure
    finally:
        road.close()
    return done, refused


def _deliver(bundles: Bundles, road: Road, one: Carried) -> Delivered:
    for k in one.volumes:
        answer = road.post(BUNDLES_PATH, bundles.volume_of(one, k))
        try:
            came = msgspec.msgpack.decode(answer, type=Came)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Problem("sync.not_central", url="") from None
    bundles.relayed(one, came.device)
    back = bundles.keep(wire.split_frames(road.get(f"{BUNDLES_PATH}/{came.log}/return")), "")
    return Delivered(one.bundle, came.device, ", ".join(one.bundle for one in back))
