"""Who sits at central's desks in the tests of this folder; the browser is the parent folder's."""

from __future__ import annotations

from tests.desks import central, rina

__all__ = ["central", "rina"]
