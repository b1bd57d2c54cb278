"""Whom the van should look for: people who must have an identity card, by state of recording.

Card-liable are residents who are 17 or older, or were ever married (UU 24/2013 art. 63). Whether a
list is right is not known here; the operator sees the day of the list beside it.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from models.people import age
from models.roster.residents import Resident

CARD_AGE = 17


class Targets(msgspec.Struct, frozen=True):
    """Card-liable residents by enrolment, and how many people were left out and why.

    left_out: "dead", "moved", "lost", "unknown" (residence), "young", "age_unknown" -> people.
    """

    not_enrolled: tuple[Resident, ...]
    unknown: tuple[Resident, ...]
    enrolled: tuple[Resident, ...]
    left_out: dict[str, int]


def target_list(residents: Iterable[Resident], today: date) -> Targets:
    """The groups in the order of the list; everybody is in one group or in `left_out`."""
    groups: dict[str, list[Resident]] = {"not_enrolled": [], "unknown": [], "enrolled": []}
    left_out: dict[str, int] = {}
    for resident in residents:
        reason = left_out_because(resident, today)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            groups[resident.enrolment].append(resident)
    return Targets(
        tuple(groups["not_enrolled"]), tuple(groups["unknown"]), tuple(groups["enrolled"]), left_out
    )


def left_out_because(resident: Resident, today: date) -> str:
    """Why the van need not look for this person; empty for a card-liable resident."""
    if resident.residence != "resident":
        return resident.residence
    if resident.ever_married:
        return ""
    if resident.birth_date is None:
        return "age_unknown"
    return "young" if age(resident.birth_date, today) < CARD_AGE else ""
