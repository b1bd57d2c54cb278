"""Counter: who sits at this laptop now, with the open house behind it.

    counter.unlock("sari", pin)   somebody opens the vault, or takes over from a colleague
    counter.lock()                the curtain: the house stays open, the pages do not
    counter.desk                  the desk of who is unlocked; Problem page.locked otherwise

Everything a page asks of the desk runs in one thread (`counter.run`): a desk is not for several
at once, and a database connection belongs to its thread. Syncing has a thread and a desk of its
own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from field_client.app import House, keys_of, open_house
from field_client.clock import Clock
from field_client.desk import Desk
from field_client.pages.syncing import Syncing
from field_client.settings import Place
from field_client.vault.keys import Keys
from models.problems import Problem

if TYPE_CHECKING:
    from field_client.pages.unlock import Kept
    from field_client.phone import PhoneDoor
    from field_client.stickwork import StickWork

Result = TypeVar("Result")


class Counter:
    """One laptop's place of work. clock, keys: in the hands of tests."""

    def __init__(self, place: Place, clock: Clock | None = None, keys: Keys | None = None) -> None:
        self.place = place
        self.keys = keys or keys_of(place.folder)
        self.clock = clock or Clock(drift_seconds=place.settings.drift_seconds)
        self.house: House | None = None
        self.locked = True
        self.begun = ""  # who began to enrol this laptop, where that was cut short
        self.syncing = Syncing()
        self.chosen = ("", "")  # NIK and name of who was found and is to be served next
        self.stick: StickWork | None = None  # the newest export or import by USB
        self.phone: PhoneDoor | None = None  # a telephone as the camera of one request
        self.kept: Kept | None = None  # a form that met the curtain
        self.real: Counter | None = None  # the laptop itself, where this one is for practice
        self.training: Counter | None = None  # its laptop for practice, once somebody asked for it
        self.closing = False
        self._touched = time.monotonic()
        self._told: list[str] = []
        self._thread = ThreadPoolExecutor(1, "desk")

    # -- who is here

    @property
    def operator(self) -> str:
        """Who unlocked it last, "" before anybody did."""
        return self.house.unlocked.name if self.house is not None else ""

    @property
    def desk(self) -> Desk:
        """The desk of who is unlocked. Problem page.locked while nobody is."""
        if self.house is None or self.locked:
            raise Problem("page.locked")
        return self.house.desk

    def unlock(self, operator: str, pin: str) -> None:
        """Open the vault, lift the curtain, or let a colleague take over. Problems: those of
        `Keys.unlock`, vault.absent, and vault.unfinished where its enrolment was cut short."""
        if self.house is None:
            house = open_house(self.place, operator, pin, self.clock, self.keys)
            if not house.store.logs():
                house.close()
                self.begun = house.unlocked.name
                raise Problem("vault.unfinished")
            self.house = house
            self.house.begin()
            if not house.practice:
                self.syncing.start(self.house)
        else:
            unlocked = self.keys.unlock(operator, pin, self.clock.read().at)
            if unlocked.operator != self.house.unlocked.operator:
                self.house.take_over(unlocked)
                self._shut_phone()
                self.chosen, self.phone = ("", ""), None
        self.locked = False
        self.touch()

    def enrol(self, token: bytes, operator: str, pin: str) -> None:
        """Make this laptop from its invitation; it is then unlocked. One that was begun is finished
        by who began it, with the same PIN. Problems: those of `enrol`."""
        from field_client.enrolment import enrol

        if self.keys.exists and not self.begun:
            raise Problem("vault.exists", path=str(self.place.folder))
        name = self.begun or operator
        try:
            self.house = enrol(self.place, token, name, pin, self.clock, self.keys)
        except Problem as problem:
            if problem.code == "vault.exists":  # somebody finished it by the command
                self.begun = ""
            elif self.keys.exists:
                self.begun = self.begun or self.keys.names()[0]
            raise
        self.begun = ""
        self.house.begin()
        self.syncing.start(self.house)
        self.locked = False
        self.touch()

    def practice(self) -> Counter:
        """The laptop for practice beside this one, made or not."""
        from field_client import training

        if self.training is None:
            place = msgspec.structs.replace(
                self.place, folder=training.folder_of(self.place.folder)
            )
            keys = Keys(place.folder, self.keys.key_store)
            self.training = Counter(place, self.clock, keys)
            self.training.real = self
        return self.training

    def train(self, operator: str, pin: str) -> None:
        """Make this laptop for practice, with invented people; it is then unlocked. Nothing of it
        is ever sent, so no sync is begun. Problems: those of `training.begin`."""
        from field_client import training

        self.house = training.begin(self.place, operator, pin, self.clock, self.keys)
        training.practise(self.house)
        self.locked = False
        self.touch()

    def forget_training(self) -> None:
        """Throw the laptop for practice away. Problem disk.*."""
        from field_client import training

        if self.training is not None:
            self.training.close()
            self.training = None
        training.clear(self.place.folder)

    def lock(self) -> None:
        """Draw the curtain; no telephone may send behind it. What it sent waits."""
        self.locked = True
        self._shut_phone()

    def _shut_phone(self) -> None:
        if self.phone is not None:
            self.phone.close()

    def touch(self) -> None:
        """Somebody did something."""
        self._touched = time.monotonic()

    def look(self) -> None:
        """Draw the curtain if nobody did anything for the time that the settings say, and for ever
        where the office ordered it."""
        idle = time.monotonic() - self._touched > self.place.settings.idle_seconds
        if idle or (not self.locked and self._is_shredded()):
            self.lock()

    def _is_shredded(self) -> bool:
        try:
            return self.keys.is_shredded
        except Problem:  # a damaged key file stops nobody who is inside already
            return False

    # -- said once

    def tell(self, words: str) -> None:
        """Something to be read at the top of the next page."""
        self._told = [*self._told[-4:], words]

    def told(self) -> list[str]:
        """What was to be read, taken away."""
        found, self._told = self._told, []
        return found

    # -- one thread

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do something in the desk's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Stop syncing, close the database. A sync that runs ends at its next step."""
        self.closing = True
        if self.training is not None:
            self.training.close()
        self._shut_phone()
        if self.stick is not None:
            self.stick.wait()
        self.syncing.stop()
        house, self.house, self.locked = self.house, None, True
        if house is not None:
            self._thread.submit(house.close).result()
        self._thread.shutdown()

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
