"""Composition: from settings to an open house.

    place = settings.load(...)
    with open_house(place, operator, pin) as house:
        house.desk, house.courier()

Everything that exists once per laptop is put together here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from field_client.clock import Clock
from field_client.desk import Desk
from field_client.editions import adopt
from field_client.settings import Place
from field_client.vault.engine import Engine
from field_client.vault.keys import Keys, Unlocked
from field_client.vault.machine import KeyStore, system_key_store
from field_client.vault.store import Store
from models.problems import Problem

if TYPE_CHECKING:
    from field_client.courier import Courier, Progress
    from field_client.watch import Heard, Jobs

DATABASE_FILE = "vault.db"


class House:
    """An unlocked laptop: its store, and the desk of one operator."""

    def __init__(self, place: Place, keys: Keys, unlocked: Unlocked, clock: Clock) -> None:
        self.place = place
        self.keys = keys
        self.unlocked = unlocked
        self.store = Store(_engine(place.folder, unlocked))
        adopt(self.store)
        self.clock = clock
        self.desk = Desk(self.store, unlocked, clock)
        self.found_whole: int | None = None  # when every page of the database was last read, Unix s

    def take_over(self, unlocked: Unlocked) -> None:
        """Another operator of this vault sits down at the desk."""
        self.unlocked = unlocked
        self.desk = Desk(self.store, unlocked, self.clock)

    def courier(self, url: str = "", desk: Desk | None = None) -> Courier:
        """What carries the work to central and back. url: another address than the invitation's.
        desk: where somebody else works at this one meanwhile."""
        from field_client.courier import Courier
        from field_client.transports.stream import StreamRoad

        address = url or self.place.settings.url or self.desk.invitation().url
        road = StreamRoad(address, self.place.settings)
        courier = Courier(desk or self.desk, road, self.place)
        road.stop = lambda: courier.stop()
        return courier

    def jobs(
        self,
        told: Callable[[Heard], None],
        url: str = "",
        progress: Callable[[Progress], None] | None = None,
    ) -> Jobs:
        """Syncing by itself, at a desk of its own; `start` and `stop` it. told: called after each
        sync. progress: at each step of one."""
        from field_client.watch import Jobs, Watch

        settings = self.place.settings
        desk = Desk(self.store, self.unlocked, self.clock)

        def courier() -> Courier:
            made = self.courier(url, desk)
            made.stop, made.sleep = jobs.stopping.is_set, jobs.rest
            made.progress = progress or made.progress
            return made

        every, longest = settings.watch_seconds, settings.longest_pause_seconds
        jobs = Jobs(Watch(self.store, courier, every, longest, told))
        return jobs

    def begin(self) -> None:
        """What is due whenever somebody opens the laptop: resident lists vanish when they expire,
        sealed files that no request knows are removed, and a database that came back from a copy
        goes on in a new log. Problem vault.shredded where an order to be so was cut off."""
        from field_client.orders import shred

        shred(self.desk)
        self.store.roster.purge(self.desk.today())
        drafts, blobs = self.store.draft_files, self.desk.blobs
        drafts.sweep(blobs.drop)
        with self.store.engine.alone():
            kept = [*self.store.attached.kept(), *drafts.kept()]
            blobs.tidy(kept, self.desk.facts().at)
        if self.store.restored:
            from field_client.succession import after_copy

            after_copy(self.desk)

    @property
    def practice(self) -> bool:
        """A training laptop: its people are invented, its work is never sent."""
        from field_client.training import is_training

        return is_training(self.store)

    def close(self) -> None:
        """Close the database; keys go with the process."""
        self.store.close()

    def __enter__(self) -> House:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def keys_of(folder: Path, key_store: KeyStore | None = None) -> Keys:
    """The key file of a data folder, with this machine's key store behind it."""
    return Keys(folder, key_store or system_key_store())


def open_house(
    place: Place, operator: str, pin: str, clock: Clock | None = None, keys: Keys | None = None
) -> House:
    """Unlock with a PIN. Problems: those of `Keys.unlock`, of `Engine`, and operator.which."""
    keys = keys or keys_of(place.folder)
    if not keys.exists:
        raise Problem("vault.absent", path=str(place.folder))
    clock = clock or Clock(drift_seconds=place.settings.drift_seconds)
    unlocked = keys.unlock(who(keys, operator), pin, clock.read().at)
    return House(place, keys, unlocked, clock)


def who(keys: Keys, operator: str) -> str:
    """The operator named, or the only one there is."""
    if operator:
        return operator
    names = keys.names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise Problem("vault.shredded")
    raise Problem("operator.which", known=names)


def _engine(folder: Path, unlocked: Unlocked) -> Engine:
    return Engine(folder / DATABASE_FILE, unlocked.database_key, unlocked.vault)
