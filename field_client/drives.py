"""Drives: where a second medium may be, so that nobody has to type its folder."""

from __future__ import annotations

import os
import string
import sys
from pathlib import Path

_MOUNTS = ("/media", "/run/media", "/mnt", "/Volumes")


def drives() -> list[Path]:
    """Folders of media that can be written now, in order of their names."""
    if sys.platform == "win32":  # pragma: no cover - not tried
        found = [Path(f"{letter}:\\") for letter in string.ascii_uppercase if letter != "C"]
        return [path for path in found if path.exists()]
    below = [path for name in _MOUNTS for path in _folders(Path(name))]
    # /media/<person>/<stick> on desktops, /media/<stick> elsewhere
    both = [*below, *(path for one in below for path in _folders(one))]
    return sorted({path for path in both if os.path.ismount(path) and os.access(path, os.W_OK)})


def _folders(place: Path) -> list[Path]:
    try:
        return [path for path in place.iterdir() if path.is_dir()]
    except OSError:
        return []
