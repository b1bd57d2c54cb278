"""After the demonstration both houses answer in the browser, until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import httpx

from doors import BACK_ROOM, Doors
from houses import PASSPHRASE, PASSWORD, Laptop, Office
from tests.village import STAFF


def test_both_houses_are_left_open_and_closed_again(tmp_path: Path) -> None:
    office, van = Office(tmp_path / "office"), Laptop(tmp_path / "van", "sari")
    office.found()
    office.hire("ratna", STAFF["ratna"].name, "admin")
    doors, told = Doors(office), list[str]()
    try:
        doors.open(("the van's laptop", van))
        doors.tell(told.append)
        (_, central, staff), (_, laptop, operator) = doors.sites
        with httpx.Client(follow_redirects=True, timeout=60) as window:
            own = {"Origin": central}
            who = {"login": BACK_ROOM[0], "password": PASSWORD, "next": "/"}
            desk = window.post(f"{central}/sign-in", data=who, headers=own)
            assert BACK_ROOM[1] in desk.text
            page = window.get(laptop)
            assert (page.status_code, page.url.path) == (200, "/unlock")
    finally:
        doors.close()
    assert not office.runs
    assert PASSWORD in staff
    assert PASSPHRASE in operator
    assert central in "\n".join(told)
