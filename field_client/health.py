"""Health: what a laptop says of itself when it calls, for the people who look after laptops."""

from __future__ import annotations

import shutil
from pathlib import Path

from field_client.battery import battery
from field_client.vault.forgetting import Shredded
from field_client.vault.keys import Keys
from field_client.vault.store import Store
from sync.messages import Health


def health(store: Store, folder: Path) -> Health:
    """How it is now. folder: where its data lies. battery: -1 where the system does not say."""
    power = battery()
    standing, left = store.standing(), store.attached.left()
    return Health(
        unsent=standing.unsent,
        oldest=standing.oldest_unsent or 0,
        files=left.files,
        file_bytes=left.bytes,
        disk=shutil.disk_usage(folder).free,
        drafts=sum(standing.drafts.values()),
        battery=power.percent if power is not None else -1,
        lock=_lock(store, folder),
    )


def _lock(store: Store, folder: Path) -> str:
    """What is to be said of the laptop's lock, see `Health`."""
    keys = Keys(folder, None)
    if keys.exists and not keys.has_escrow:
        return "no_escrow"
    return "shredded" if store.recall(Shredded) is not None else ""
