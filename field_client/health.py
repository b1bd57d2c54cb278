"""Health: what a laptop says of itself when it calls, for the people who look after laptops."""

from __future__ import annotations

import shutil
from pathlib import Path

from field_client.vault.store import Store
from sync.messages import Health

POWER = Path("/sys/class/power_supply")


def health(store: Store, folder: Path) -> Health:
    """How it is now. folder: where its data lies."""
    standing, left = store.standing(), store.attached.left()
    return Health(
        unsent=standing.unsent,
        oldest=standing.oldest_unsent or 0,
        files=left.files,
        file_bytes=left.bytes,
        disk=shutil.disk_usage(folder).free,
        drafts=sum(standing.drafts.values()),
        battery=battery(),
    )


def battery(folder: Path = POWER) -> int:
    """Percent of the emptiest battery, -1 where the system does not say (Windows, macOS, a desktop
    machine)."""
    found = []
    try:
        for file in folder.glob("BAT*/capacity"):
            found.append(int(file.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return -1
    return min(found, default=-1)
