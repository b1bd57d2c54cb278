"""Life events: what people come for in their own words, and the services that go with it.

Nobody asks for "F-1.02, code 3": they say that a child was born. The order in `data/events.toml` is
the order on the screen; every other service is reached through the whole list.
"""

from functools import cache
from importlib import resources

import msgspec

from models.fields import Text


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event. first: services usually wanted then. also: services that may be."""

    title: Text
    hint: Text
    first: tuple[str, ...]
    also: tuple[str, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """All of them, usual ones first."""
        return self.first + self.also


@cache
def events() -> dict[str, Event]:
    """The events by name, in the order of the screen."""
    text = resources.files("models").joinpath("data/events.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, Event])
