"""Battery: how much is left, where the machine tells. Nothing depends on it but words."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

SUPPLIES = Path("/sys/class/power_supply")
PERCENT_LOW = 20


class Battery(msgspec.Struct, frozen=True):
    """percent: 0-100. charging: on the mains."""

    percent: int
    charging: bool

    @property
    def low(self) -> bool:
        """Whether the operator should hear of it."""
        return not self.charging and self.percent <= PERCENT_LOW


def battery() -> Battery | None:
    """The emptiest battery of this machine, None where there is none or nobody tells."""
    if sys.platform == "win32":  # pragma: no cover - written from the manual, not tried
        return _windows()
    return _linux(SUPPLIES)


def _linux(supplies: Path) -> Battery | None:
    found = []
    try:
        for one in supplies.glob("BAT*"):
            percent = int((one / "capacity").read_text())
            status = (one / "status").read_text().strip()
            found.append(Battery(min(100, max(0, percent)), status != "Discharging"))
    except (OSError, ValueError):
        return None
    return min(found, key=lambda one: one.percent, default=None)


def _windows() -> Battery | None:  # pragma: no cover - written from the manual, not tried
    import ctypes

    found = (ctypes.c_ubyte * 12)()  # SYSTEM_POWER_STATUS
    if not ctypes.windll.kernel32.GetSystemPowerStatus(ctypes.byref(found)):  # type: ignore[attr-defined]
        return None
    line, percent = found[0], found[2]
    return None if percent > 100 else Battery(percent, line == 1)
