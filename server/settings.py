"""Settings of central: a file in its data folder, over that the environment, over that the command.

Everything has a default but the folder, so that `init` and `serve` work on a fresh machine. A wrong
value is refused with the name of the setting; an unknown name in the file too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from models.problems import Problem
from server.files import disk_problems, private_folder, write_atomically

SETTINGS_FILE = "pusat.toml"
KEYS_FILE = "keys.json"
DATABASE_FILE = "central.db"
FILES_FOLDER = "files"
CALENDAR_FOLDER = "calendar"
DATA_VARIABLE = "JEMPUT_PUSAT_DATA"
LOGIN_VARIABLE = "JEMPUT_PUSAT_AS"
PASSWORD_FILE_VARIABLE = "JEMPUT_PUSAT_PASSWORD_FILE"  # noqa: S105 - the name of a variable


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the office sets. Sizes are in bytes, times in the unit their name ends with.

    database_url: empty for SQLite in the data folder, else postgresql+psycopg://…
    files_folder: where citizens' files lie; empty for `files` in the data folder.
    backup_folder: on another disk or machine; only backups in it say what is safe to delete.
    journal_folder: of the second journal, on another disk; empty where none is kept.
    file_day_bytes_max, file_request_bytes_max: of files, how much one laptop may bring in a day and
    one request may have.
    public_url: the address that laptops are told. sync_body_bytes_max: of an enrolment or a bundle.
    sync_stream_bytes_max: of one sync over the network, whose frames are handled one by one.
    sync_idle_seconds: a connection on which nothing comes for so long is given up.
    city: kabupaten/kota whose register this is. recent_days: how long a request counts as recent in
    the index that laptops carry; 0 for no index.
    """

    database_url: str = ""
    files_folder: str = ""
    backup_folder: str = ""
    journal_folder: str = ""
    city: str = "82.72"
    office_name: str = "Disdukcapil Kota Tidore Kepulauan"
    host: str = "127.0.0.1"
    port: int = 8272
    public_url: str = "http://127.0.0.1:8272"
    sync_body_bytes_max: int = 8 * 1024 * 1024
    sync_stream_bytes_max: int = 512 * 1024 * 1024
    sync_idle_seconds: int = 120
    api_body_bytes_max: int = 256 * 1024
    file_day_bytes_max: int = 1024 * 1024 * 1024
    file_request_bytes_max: int = 24 * 1024 * 1024
    threads: int = 8
    invitation_days: int = 14
    session_minutes: int = 600
    password_tries: int = 5
    lockout_seconds: int = 300
    retry_minutes: int = 10
    duplicate_minutes: int = 2
    report_minutes: int = 1
    audit_check_hours: int = 24
    log_level: str = "info"
    recent_days: int = 90


VARIABLES = {
    "database_url": "JEMPUT_PUSAT_DATABASE_URL",
    "files_folder": "JEMPUT_PUSAT_FILES_FOLDER",
    "backup_folder": "JEMPUT_PUSAT_BACKUP_FOLDER",
    "journal_folder": "JEMPUT_PUSAT_JOURNAL_FOLDER",
    "city": "JEMPUT_PUSAT_CITY",
    "office_name": "JEMPUT_PUSAT_OFFICE_NAME",
    "host": "JEMPUT_PUSAT_HOST",
    "port": "JEMPUT_PUSAT_PORT",
    "public_url": "JEMPUT_PUSAT_PUBLIC_URL",
    "sync_body_bytes_max": "JEMPUT_PUSAT_SYNC_BODY_BYTES_MAX",
    "sync_stream_bytes_max": "JEMPUT_PUSAT_SYNC_STREAM_BYTES_MAX",
    "sync_idle_seconds": "JEMPUT_PUSAT_SYNC_IDLE_SECONDS",
    "api_body_bytes_max": "JEMPUT_PUSAT_API_BODY_BYTES_MAX",
    "file_day_bytes_max": "JEMPUT_PUSAT_FILE_DAY_BYTES_MAX",
    "file_request_bytes_max": "JEMPUT_PUSAT_FILE_REQUEST_BYTES_MAX",
    "threads": "JEMPUT_PUSAT_THREADS",
    "invitation_days": "JEMPUT_PUSAT_INVITATION_DAYS",
    "session_minutes": "JEMPUT_PUSAT_SESSION_MINUTES",
    "password_tries": "JEMPUT_PUSAT_PASSWORD_TRIES",
    "lockout_seconds": "JEMPUT_PUSAT_LOCKOUT_SECONDS",
    "retry_minutes": "JEMPUT_PUSAT_RETRY_MINUTES",
    "duplicate_minutes": "JEMPUT_PUSAT_DUPLICATE_MINUTES",
    "report_minutes": "JEMPUT_PUSAT_REPORT_MINUTES",
    "audit_check_hours": "JEMPUT_PUSAT_AUDIT_CHECK_HOURS",
    "log_level": "JEMPUT_PUSAT_LOG_LEVEL",
    "recent_days": "JEMPUT_PUSAT_RECENT_DAYS",
}
"""Setting -> environment variable, spelled out so that a search for either finds both."""

_POSITIVE = (
    "sync_body_bytes_max",
    "sync_stream_bytes_max",
    "sync_idle_seconds",
    "api_body_bytes_max",
    "file_day_bytes_max",
    "file_request_bytes_max",
    "threads",
    "invitation_days",
    "session_minutes",
    "password_tries",
    "lockout_seconds",
    "retry_minutes",
    "duplicate_minutes",
    "report_minutes",
    "audit_check_hours",
)
LOG_LEVELS = ("debug", "info", "warning", "error")


class Place(msgspec.Struct, frozen=True):
    """The data folder with the settings that hold there."""

    folder: Path
    settings: ServerSettings

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the register."""
        default = f"sqlite:///{(self.folder / DATABASE_FILE).as_posix()}"
        return self.settings.database_url or default

    @property
    def files_folder(self) -> Path:
        """Where citizens' files lie."""
        return Path(self.settings.files_folder or self.folder / FILES_FOLDER)

    @property
    def keys_file(self) -> Path:
        return self.folder / KEYS_FILE


def load(folder: Path, environment: Mapping[str, str] | None = None, **given: Any) -> Place:
    """The settings of `folder`. given: what the command said; None means it did not."""
    found = _from_file(folder / SETTINGS_FILE)
    found |= _from_environment(os.environ if environment is None else environment)
    found |= {name: value for name, value in given.items() if value is not None}
    return Place(folder, checked(found))


def save(place: Place) -> None:
    """Write the settings that differ from the defaults."""
    private_folder(place.folder)
    default = ServerSettings()
    names = [f.name for f in msgspec.structs.fields(ServerSettings)]
    own = {n: getattr(place.settings, n) for n in names}
    own = {n: v for n, v in own.items() if v != getattr(default, n)}
    write_atomically(place.folder / SETTINGS_FILE, toml(own).encode())


def toml(values: Mapping[str, str | int]) -> str:
    """TOML of plain names with text and whole numbers. A JSON string is a TOML basic string."""
    lines = (f"{name} = {msgspec.json.encode(value).decode()}" for name, value in values.items())
    return "".join(line + "\n" for line in lines)


def checked(values: Mapping[str, Any]) -> ServerSettings:
    """The settings in `values`, or Problem("settings.invalid") naming what is wrong."""
    try:
        settings = msgspec.convert(values, ServerSettings, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("settings.invalid", faults=str(error)) from None
    faults = list(_faults(settings))
    if faults:
        raise Problem("settings.invalid", faults="; ".join(faults))
    return settings


def _faults(s: ServerSettings) -> list[str]:
    found = [f"{name} > 0" for name in _POSITIVE if getattr(s, name) <= 0]
    if not 0 <= s.recent_days <= 366:
        found.append("recent_days 0-366")
    if not 0 <= s.port <= 65535:
        found.append("port 0-65535")
    if s.log_level not in LOG_LEVELS:
        found.append("log_level " + "|".join(LOG_LEVELS))
    if not s.public_url.startswith(("http://", "https://")):
        found.append("public_url http(s)://")
    if s.database_url and not s.database_url.startswith(("sqlite:///", "postgresql")):
        found.append("database_url sqlite:///… | postgresql://…")
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


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    named = {name: environment.get(variable) for name, variable in VARIABLES.items()}
    return {name: value for name, value in named.items() if value is not None}
