"""One process that opens a laptop's folder and asks for its status, for bench_vault.py.

    python3 scripts/bench_status.py FOLDER PIN

It imports what `jemput status` imports and nothing more, for its memory is what is measured. The
last line is JSON: rss_mb (this process at the end, None where the system does not tell), ms (median
of the status command's own work, without unlocking) and the growing tables that a query plan scans.
"""

from __future__ import annotations

import home

home.enter()

import contextlib
import io
import json
import re
import statistics
import sys
import time
from pathlib import Path

from field_client.app import House, open_house
from field_client.cli.common import Call, Given
from field_client.cli.state import status
from field_client.settings import load
from field_client.vault.keys import Keys

TIMES = 40
GROWING = {
    "entries", "requests", "records", "cases", "numbers", "notices", "residents", "checkpoints",
    "refs", "reveals", "drafts", "orders",
}  # fmt: skip
_SCAN = re.compile(r"\bSCAN (\w+)\b(?! VIRTUAL TABLE)")


def main(folder: Path, pin: str) -> None:
    place = load(folder, {})
    house = open_house(place, "", pin, keys=Keys(folder, None))
    house.begin()
    call = Call(Given(data=folder, json=False))
    call._house = house
    times = [_once(call) for _ in range(TIMES)]
    rss = _rss()
    print(json.dumps({"rss_mb": rss, "ms": statistics.median(times), "scans": _scans(house, call)}))
    house.close()


def _once(call: Call) -> float:
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        status(call)
    return (time.perf_counter() - began) * 1000


def _scans(house: House, call: Call) -> list[str]:
    """Growing tables that a statement of `status` reads from end to end."""
    connection = house.store.engine.connection()
    heard: list[str] = []
    connection.set_trace_callback(heard.append)
    _once(call)
    connection.set_trace_callback(None)
    found = set()
    for sql in {one for one in heard if one.lstrip().lower().startswith("select")}:
        for row in connection.execute(f"explain query plan {sql}"):
            found.update(_SCAN.findall(str(row[-1])))
    return sorted(found & GROWING)


def _rss() -> float | None:
    """Memory this process holds now, in MB."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return None
    kib = next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))
    return round(int(kib) / 1024, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
