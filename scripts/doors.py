"""Doors left open: after the story both houses answer in the browser, with the story's data.

The office's pages and those of both laptops are served until Ctrl-C, each by its own program, and
it is said where, and as whom one gets in. Nothing is reached into: what can be seen is what the
programs kept.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from houses import PASSPHRASE, PASSWORD, READY_SECONDS, Failed, Laptop, Office
from tests.village import STAFF

BACK_ROOM = ("marwah", "Marwah Soleman", ("siak_operator", "printer", "courier"))
"""Somebody for what comes after verifying: login, name, roles."""

LOOK_SECONDS = 1.0


class Doors:
    """What is open. sites: (what, address, who gets in and with what)."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.sites: list[tuple[str, str, str]] = []
        self._laptops: list[subprocess.Popen[str]] = []

    def open(self, *laptops: tuple[str, Laptop]) -> None:
        """Serve the office, then each laptop by its name."""
        login, name, roles = BACK_ROOM
        self.office.hire(login, name, *roles, by="ratna")
        if not self.office.runs:
            self.office.open()
        staff = [one.username for one in STAFF.values() if one.office == "central"]
        who = f"{', '.join([*staff, login])}; password: {PASSWORD}"
        self.sites.append(("the office", self.office.url, who))
        for called, laptop in laptops:
            running = laptop.program.start("serve", "--no-browser", "--port", "0", "--json")
            self._laptops.append(running)
            assert running.stdout is not None
            line = running.stdout.readline()
            if not line:
                raise Failed(f"{called} did not open: {running.communicate()[1][-2000:]}")
            told: dict[str, Any] = json.loads(line)
            who = f"{laptop.operator}; PIN: {PASSPHRASE}"
            self.sites.append((called, str(told["url"]), who))

    def tell(self, speak: Callable[[str], None]) -> None:
        """Where the doors are."""
        speak("\nBoth houses are open in the browser, with everything that happened today:")
        for called, address, who in self.sites:
            speak(f"\n  {called}: {address}\n     {who}")
        speak("\nA laptop's address opens once. Ctrl-C closes everything.")

    def wait(self) -> None:
        """Until Ctrl-C, or until it is told to end. Failed when a program ended by itself."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while self.office.runs and all(one.poll() is None for one in self._laptops):
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return
        raise Failed("a program ended by itself; see serve.log in the office's folder")

    def close(self) -> None:
        """Stop everything that runs."""
        for one in self._laptops:
            one.terminate()
        for one in self._laptops:
            try:
                one.communicate(timeout=READY_SECONDS)
            except subprocess.TimeoutExpired:
                one.kill()
                one.communicate()
        self.office.close()
