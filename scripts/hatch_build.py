"""Hatch's hook: a wheel or a source archive carries the built assets of the pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

import assets


class Assets(BuildHookInterface[Any]):
    """Builds what is not current. An installation in place (`-e`) does without: its pages read the
    files where the set-up commands put them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises where they cannot be built: a package without its look is not given out."""
        del build_data
        if version != "editable" and assets.stale():
            assets.build()
