"""Together: the forms one citizen or family fills in at once, and which answers they share.

A newborn needs a deed, a changed family card and a child card. What is the same in all of them is
typed once and lies in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from models.services import Service

SHARED = ("applicant", "address", "proxy", "reporter", "witness", "parents")
"""Blocks about the same people in every form of a folder. Others (the subject, the card) may be
about another child."""

FORMS_MAX = 8


class Written(Protocol):
    """What was typed into one form: answers as typed by their full key, codes of the documents,
    reasons by the key of the answer they are about."""

    @property
    def answers(self) -> Any: ...
    @property
    def documents(self) -> Any: ...
    @property
    def reasons(self) -> Any: ...


class Sheet(Protocol):
    """One form as it was last saved."""

    @property
    def wanted(self) -> Written: ...
    @property
    def service(self) -> Service: ...


class Folder(Protocol):
    """The forms of one visit to the desk, in order."""

    @property
    def sheets(self) -> Sequence[Sheet]: ...
    def owners(self, section: str, number: int) -> list[int]: ...
    @property
    def day(self) -> date: ...


def owners(services: Sequence[Service], section: str, number: int) -> list[int]:
    """The forms a section's answers lie in: all that ask it, if it is about the same people."""
    if section not in SHARED:
        return [number]
    return [
        i
        for i, service in enumerate(services)
        if section in service.plan.blocks and service.plan.blocks[section].use == section
    ]


def laid(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Flat answers with new ones over them; None takes one away."""
    found = {**below, **over}
    return {key: value for key, value in found.items() if value is not None}
