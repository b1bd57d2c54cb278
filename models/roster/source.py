"""Where a list comes from and how long it may be kept.

A resident list is protected data: it may lie on a laptop only with a stated basis, for one village
and for a limited time, after which the store deletes it.
"""

from datetime import date, timedelta

import msgspec

from models import regions
from models.problems import Problem
from models.roster import lexicon
from models.roster.reading import RosterReport

KEEP_DAYS_MAX = 366
LIST_AGE_MAX_DAYS = 5 * 366
TEXT_MAX = 200


class RosterSource(msgspec.Struct, frozen=True):
    """village: region code with dots, one of the city's. source: who gave the list. list_date: its
    day.

    legal_basis: the agreement, letter or rule under which the laptop may hold it. expires: the last
    day.
    """

    village: str
    source: str
    list_date: date
    legal_basis: str
    expires: date


def check_source(source: RosterSource, today: date) -> list[Problem]:
    """Everything wrong with the statement, in the order of its fields; empty when it may be
    imported.
    """
    wrong: list[Problem] = []
    place = regions.region(source.village)
    if place is None or not place.is_village or place.code != source.village:
        wrong.append(Problem("roster.village", village=source.village))
    for field, text in (("source", source.source), ("legal_basis", source.legal_basis)):
        if not 3 <= len(text.strip()) <= TEXT_MAX:
            wrong.append(Problem("roster.terms", missing=lexicon.label(field)))
    oldest = today - timedelta(days=LIST_AGE_MAX_DAYS)
    if not oldest <= source.list_date <= today:
        wrong.append(Problem("roster.list_date", date=source.list_date, oldest=oldest))
    latest = today + timedelta(days=KEEP_DAYS_MAX)
    if not max(today, source.list_date) < source.expires <= latest:
        wrong.append(Problem("roster.expiry", expires=source.expires, limit=KEEP_DAYS_MAX))
    return wrong


def other_village(source: RosterSource, report: RosterReport) -> Problem | None:
    """A doubt to show where the list itself names a village and it is not the chosen one."""
    place = regions.region(source.village)
    if place is None:
        return None
    names = (place.name, place.former or "", place.code.replace(".", ""))
    if report.is_about(names) is not False:
        return None
    return Problem("roster.other_village", said=list(report.places), village=place.name)
