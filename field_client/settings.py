"""Settings of a laptop: a file in its data folder, then the environment, then the command.

Everything has a default, so `jemput enrol` works on a fresh machine. A wrong value is refused with
the name of the setting; an unknown name in the file too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from field_client.vault.files import disk_problems
from models.problems import Problem
from models.words import LANGUAGES

SETTINGS_FILE = "jemput.toml"
DATA_VARIABLE = "JEMPUT_DATA"


class FieldSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a laptop may set. Sizes are in bytes, times in the unit their name ends with.

    operator: who works here when none is named and several may. pin_file: a file whose first line
    is the PIN, for timed jobs. lang: "id" or "en". url: central's address where it is not the
    invitation's. connect_seconds, answer_seconds: patience with the network, to which the time a
    body needs at `slowest_bytes_per_second` is added. tries: round trips that may fail in a row
    before `sync` gives up for now. longest_pause_seconds: between two tries. batch_bytes: of
    entries, before compression, in the first request. sync_bytes_max: the largest reply taken in.
    drift_seconds: how far the clock may jump before the operator is asked. bytes_per_day: what the
    network road may move in a day, both ways together; 0 for no limit. changes_only: papers and
    photos wait, only their previews go along. file_days: how long papers and photos stay on the
    laptop after the office and its backup have them, by the office's clock. watch_seconds: how
    often `sync --watch` asks for news while there is nothing to send. idle_seconds: without a hand
    on the keyboard before the pages hide behind the PIN. port: of the pages on 127.0.0.1; where
    another program has it, any free one is taken. scan_folder: what a scanner's program fills,
    offered on the page of files; "" for none.
    """

    operator: str = ""
    pin_file: str = ""
    lang: str = "id"
    url: str = ""
    connect_seconds: int = 20
    answer_seconds: int = 60
    slowest_bytes_per_second: int = 250
    tries: int = 5
    longest_pause_seconds: int = 60
    batch_bytes: int = 256 * 1024
    sync_bytes_max: int = 16 * 1024 * 1024
    drift_seconds: int = 600
    bytes_per_day: int = 0
    changes_only: bool = False
    file_days: int = 7
    watch_seconds: int = 300
    idle_seconds: int = 300
    port: int = 8272
    scan_folder: str = ""


VARIABLES = {
    "operator": "JEMPUT_OPERATOR",
    "pin_file": "JEMPUT_PIN_FILE",
    "lang": "JEMPUT_LANG",
    "url": "JEMPUT_URL",
    "connect_seconds": "JEMPUT_CONNECT_SECONDS",
    "answer_seconds": "JEMPUT_ANSWER_SECONDS",
    "slowest_bytes_per_second": "JEMPUT_SLOWEST_BYTES_PER_SECOND",
    "tries": "JEMPUT_TRIES",
    "longest_pause_seconds": "JEMPUT_LONGEST_PAUSE_SECONDS",
    "batch_bytes": "JEMPUT_BATCH_BYTES",
    "sync_bytes_max": "JEMPUT_SYNC_BYTES_MAX",
    "drift_seconds": "JEMPUT_DRIFT_SECONDS",
    "bytes_per_day": "JEMPUT_BYTES_PER_DAY",
    "changes_only": "JEMPUT_CHANGES_ONLY",
    "file_days": "JEMPUT_FILE_DAYS",
    "watch_seconds": "JEMPUT_WATCH_SECONDS",
    "idle_seconds": "JEMPUT_IDLE_SECONDS",
    "port": "JEMPUT_PORT",
    "scan_folder": "JEMPUT_SCAN_FOLDER",
}
"""Setting -> environment variable, spelled out so that a search for either finds both."""


class Place(msgspec.Struct, frozen=True):
    """The data folder with the settings that hold there."""

    folder: Path
    settings: FieldSettings


def load(data: Path | None, environment: Mapping[str, str] | None = None, **given: Any) -> Place:
    """The settings of a data folder. data: None for the usual place. given: what the command said;
    None means it did not."""
    environment = os.environ if environment is None else environment
    folder = data or Path(environment.get(DATA_VARIABLE) or usual_folder(environment))
    found = _from_file(folder / SETTINGS_FILE)
    found |= {n: environment[v] for n, v in VARIABLES.items() if environment.get(v)}
    found |= {name: value for name, value in given.items() if value is not None}
    return Place(folder, checked(found))


def usual_folder(environment: Mapping[str, str]) -> Path:
    """Where programs of this system keep a person's data."""
    home = Path.home()
    if sys.platform == "win32":  # pragma: no cover - not tried
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "JemputBola"
    if sys.platform == "darwin":  # pragma: no cover - not tried
        return home / "Library" / "Application Support" / "JemputBola"
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "jemput-bola"


def checked(values: Mapping[str, Any]) -> FieldSettings:
    """The settings in `values`, or Problem("settings.invalid") naming what is wrong."""
    try:
        settings = msgspec.convert(values, FieldSettings, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("settings.invalid", faults=str(error)) from None
    faults = list(_faults(settings))
    if faults:
        raise Problem("settings.invalid", faults="; ".join(faults))
    return settings


_POSITIVE = (
    "connect_seconds", "answer_seconds", "slowest_bytes_per_second", "tries",
    "longest_pause_seconds", "batch_bytes", "sync_bytes_max", "drift_seconds",
    "watch_seconds", "idle_seconds",
)  # fmt: skip


def _faults(s: FieldSettings) -> list[str]:
    found = [f"{name} > 0" for name in _POSITIVE if getattr(s, name) <= 0]
    if s.file_days < 0:
        found.append("file_days >= 0")
    if s.bytes_per_day < 0:
        found.append("bytes_per_day >= 0")
    if not 0 <= s.port <= 65535:
        found.append("port 0-65535")
    if s.lang not in LANGUAGES:
        found.append("lang " + "|".join(LANGUAGES))
    if s.url and not s.url.startswith(("http://", "https://")):
        found.append("url http(s)://")
    return found


def _from_file(path: Path) -> dict[str, Any]:
    with disk_problems(path):
        if not path.exists():
            return {}
        data = path.read_bytes()
    try:
        return msgspec.toml.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("settings.invalid", faults=f"{path.name}: {error}") from None
