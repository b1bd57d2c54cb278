"""The audit trail: what was done and looked at, chained so that a changed byte is found.

What a person changes in a request is kept as a change in a log; the trail keeps what leaves no
change (a record opened, a list shown, a sign-in, an export) and names the changes made. Each
entry's link is the SHA-256 of the link before it and of the entry's own bytes, so nobody can alter,
drop, insert or reorder an entry without breaking every link after it. Whoever writes down the
newest link elsewhere (a signed checkpoint, paper) can also prove that the end was not cut off.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import msgspec

from models import lifecycle
from models.people import Label

LINK_BYTES = 32


class _Words(msgspec.Struct, frozen=True):
    """acts: every action; detail: what entries tell besides, by its name there; value: codes that
    are told so."""

    acts: dict[str, Label]
    detail: dict[str, Label]
    value: dict[str, Label]


@cache
def _words() -> _Words:
    text = resources.files("models").joinpath("data/trail.toml").read_bytes()
    found = msgspec.toml.decode(text)
    told = {name: found.pop(name) for name in ("detail", "value")}
    return msgspec.convert({"acts": found, **told}, _Words)


def details() -> Mapping[str, Label]:
    """What an entry tells besides its action, by its name there, in words."""
    return _words().detail


def codes() -> Mapping[str, Label]:
    """Codes that stand as such a detail, in words."""
    return _words().value


@cache
def acts() -> Mapping[str, Label]:
    """Every action of the trail, in words."""
    found = dict(_words().acts)
    for step in lifecycle.ACTIONS:
        label = lifecycle.action_label(step)
        found[f"request.{step}"] = Label(f"langkah berkas: {label.id}", f"step: {label.en}")
        proposed = Label(f"mengusulkan langkah: {label.id}", f"proposed a step: {label.en}")
        found[f"request.{step}.propose"] = proposed
    return found


class AuditEntry(msgspec.Struct, frozen=True, array_like=True):
    """One thing done. n: place in the trail, from 1. at: Unix seconds by central's clock.

    actor: login of the person, name of the device, or `system`. action: `request.read`, `sign-in`.
    target: id of what it was done to, empty for none. detail: what else matters as JSON text, just
    as it is stored; never a citizen's data, for the trail outlives the records.
    """

    n: int
    at: int
    actor: str
    action: str
    target: str = ""
    detail: str = "{}"

    def encoded(self) -> bytes:
        """The bytes that are chained."""
        return msgspec.msgpack.encode(self)


class Fault(msgspec.Struct, frozen=True):
    """The first place where the trail does not hold. n: entry. what: `link`, `number`, `end`."""

    n: int
    what: str


def opening(city: str) -> bytes:
    """The link before the first entry of a city's trail."""
    return hashlib.sha256(b"jb1-audit-open" + city.encode()).digest()


def link(previous: bytes, entry: bytes) -> bytes:
    """The link after an entry with these bytes. `previous` has 32 bytes, so nothing can slide."""
    if len(previous) != LINK_BYTES:
        raise ValueError(f"a link has {LINK_BYTES} bytes, not {len(previous)}")
    return hashlib.sha256(b"jb1-audit" + previous + entry).digest()


def verify(
    trail: Iterable[tuple[AuditEntry, bytes]], start: bytes, count: int, head: bytes
) -> Fault | None:
    """Check entries with the links stored beside them, in order, in one pass and constant memory.

    count and head: how many entries there must be and the newest link, kept apart from the trail.
    None means every byte is as it was written.
    """
    before, n = start, 0
    for entry, stored in trail:
        n += 1
        if entry.n != n:
            return Fault(n, "number")
        before = link(before, entry.encoded())
        if before != stored:
            return Fault(n, "link")
    if n != count or before != head:
        return Fault(min(n, count) + 1, "end")
    return None
