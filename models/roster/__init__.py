"""Village resident lists from real spreadsheets: who lives here, and whom the van should look for.

Pure of the store: `read_roster` gives residents and a report, `check_source` says whether the list
may be held at all, `target_list` whom to look for. The vault writes and forgets them.
"""

from models.roster.reading import Note, Roster, RosterReport, read_roster, roster_of
from models.roster.residents import Enrolment, Residence, Resident
from models.roster.sheets import Limits, Row, Sheet, read_sheets
from models.roster.source import RosterSource, check_source, other_village
from models.roster.targets import Targets, target_list

__all__ = [
    "Enrolment",
    "Limits",
    "Note",
    "Residence",
    "Resident",
    "Roster",
    "RosterReport",
    "RosterSource",
    "Row",
    "Sheet",
    "Targets",
    "check_source",
    "other_village",
    "read_roster",
    "read_sheets",
    "roster_of",
    "target_list",
]
