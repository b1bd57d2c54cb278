"""Tables of the figures: what each request went through, and counts of it by day and month.

All of it is made from the decisions and can be made again (server.reports). A request's milestones
are the members of every number that is shown; the counts are how many milestones there are.
"""

from __future__ import annotations

from sqlalchemy import Index

from server.database.tables import NARROW, Table, big, pk


class JourneyRow(Table, table=True):
    """What a request went through so far. data: msgpack of server.figures.Journey."""

    __tablename__ = "journeys"
    city: str = pk()
    record: bytes = pk()
    data: bytes


class MilestoneRow(Table, table=True):
    """A request is one of those that `figure` counts, on that day (ISO, at the office; of clocks
    that run, the moment they are due). value: what it is counted by besides, such as the reason it
    was returned for. since: of what is over, the day it arrived."""

    __tablename__ = "milestones"
    __table_args__ = (
        Index("ix_milestones_record", "city", "record"),
        Index("ix_milestones_village", "city", "figure", "village", "day", "record"),
        NARROW,
    )
    city: str = pk()
    figure: str = pk()
    day: str = pk()
    record: bytes = pk()
    value: str = pk()
    village: str = ""
    service: str = ""
    since: str = ""


class TallyRow(Table, table=True):
    """How many there are of a figure. village, service: "*" for all. period: see
    `server.figures.Tally`."""

    __tablename__ = "tallies"
    __table_args__ = (NARROW,)
    city: str = pk()
    figure: str = pk()
    village: str = pk()
    service: str = pk()
    period: str = pk()
    value: str = pk()
    n: int = big()


class TargetListRow(Table, table=True):
    """How far the target list of a kept roster is served. See server.database.targets."""

    __tablename__ = "target_lists"
    city: str = pk()
    digest: bytes = pk()
    village: str
    listed: str
    wanted: int = big()
    unnamed: int = big()
    asked: int = big()
    at: int = big()


class TargetRequestRow(Table, table=True):
    """A request of somebody on a target list, one of each person. day: of its arrival, ISO."""

    __tablename__ = "target_requests"
    city: str = pk()
    digest: bytes = pk()
    record: bytes = pk()
    day: str


class ReportMarkRow(Table, table=True):
    """How far the figures are: up to decision `upto`, which was made `at`."""

    __tablename__ = "report_marks"
    city: str = pk()
    upto: int = big()
    at: int = big()
