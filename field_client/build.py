"""Which build of the program this is, as it is told to central."""

from __future__ import annotations

from functools import cache

NAME = "jemput-bola"


@cache
def version() -> str:
    """The installed version, such as `2026.11.0`; "0" when run without being installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(NAME)
    except PackageNotFoundError:
        return "0"
