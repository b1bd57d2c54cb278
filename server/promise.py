"""What the office promises about its cases: who decides each, and by when (law: visibility)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from models.calendar import Calendar, read_decree
from models.people import Role
from models.problems import Problem
from models.words import WIT
from server.files import disk_problems
from sync.state import Case

CASE_DAYS = 3
"""Working days for a case, counted after the day it was opened."""

DECREE_BYTES_MAX = 64 * 1024


class Promise(msgspec.Struct, frozen=True):
    """owner: the role that decides it; where two people do, the one with the last word. due: the
    last day for it, ISO. due_estimated: the decree on holidays of a year in between is missing, so
    the day can only be too early."""

    owner: str
    due: str
    due_estimated: bool


def promise(case: Case, opened_at: int, calendar: Calendar) -> Promise:
    """Of a case. opened_at: time of the decision that opened it, Unix seconds."""
    asked = case.protected or case.kind == "escalated"
    owner = Role.SUPERVISOR if asked else Role.VERIFIER
    due = calendar.after(datetime.fromtimestamp(opened_at, WIT).date(), CASE_DAYS)
    return Promise(str(owner), due.day.isoformat(), due.estimated)


def read_calendar(folder: Path) -> Calendar:
    """The office's calendar: each `*.toml` of the folder is the decree of a year; without any, all
    days are estimates. Problem calendar.decree, file.unreadable."""
    decrees = []
    with disk_problems(folder):
        for path in sorted(folder.glob("*.toml")):
            data = path.read_bytes()[: DECREE_BYTES_MAX + 1]
            if len(data) > DECREE_BYTES_MAX:
                raise Problem("calendar.decree", why=path.name)
            try:
                decrees.append(read_decree(data.decode()))
            except UnicodeDecodeError:
                raise Problem("calendar.decree", why=path.name) from None
    return Calendar(tuple(decrees))
