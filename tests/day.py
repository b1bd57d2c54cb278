"""A day with real programs: central as a process, a van's laptop, and the road between them.

What would only cost time is done in this process: founding, inviting, and enrolling with a cheap
derivation of the PIN, which the key file then asks of every later process too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from field_client.clock import Clock
from field_client.enrolment import enrol
from field_client.settings import FieldSettings, Place
from field_client.vault.keys import Keys
from houses import Laptop, Office
from server.central import Central, found, open_central
from server.database.people import Person as Member
from server.settings import load
from tests.blank import lay
from tests.proxy import Proxy
from tests.vaults import CHEAP, PASSPHRASE
from tests.village import PLACE

ADMIN = Member("ratna", "Ratna Kasuba", "admin", "-")
VERIFIER = Member("nurlaila", "Nurlaila Soamole", "verifier", "-")


class Day:
    """Central, a van and the road. van, office: folders; they may lie on disks of their own."""

    def __init__(self, van: Path, office: Path) -> None:
        self.office = Office(office)
        place = load(office / "central", {})
        lay(place.folder)
        found(place, office / "recovery-key.json")
        self.central: Central = open_central(place)
        self.office.open()
        self.road = Proxy(self.office.port)
        self.van = self._enrolled(van)

    def _enrolled(self, folder: Path) -> Laptop:
        invited = self.central.devices.invite(ADMIN, "van", "van", "Si Jola 1", [PLACE], "Sari")
        laptop = Laptop(folder, "sari")
        data = folder / "data"
        place = Place(data, FieldSettings())
        enrol(place, invited.file, "sari", PASSPHRASE, Clock(), Keys(data, None), CHEAP).close()
        # Tries until central is back, however long a busy machine needs to start it.
        settings = f'url = "{self.road.url}"\nlongest_pause_seconds = 3\ntries = 1000\n'
        (data / "jemput.toml").write_text(settings, encoding="utf-8")
        return laptop

    def close(self) -> None:
        self.road.close()
        self.office.close()
        self.central.close()

    def stored(self) -> dict[str, str]:
        """Id -> status of every request at central; AssertionError for an id listed twice."""
        found: dict[str, str] = {}
        after = ""
        while page := self.central.casework.requests(VERIFIER, after=after, limit=200):
            assert not found.keys() & {line.id for line in page}
            found |= {line.id: line.status for line in page}
            after = page[-1].id
        return found


def write_rows(file: Path, rows: list[dict[str, Any]]) -> Path:
    """A file for `jemput queue`."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file
