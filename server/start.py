"""Entry point of `jemput-pusat`: loads the program, then lets it run.

While hundreds of modules are loaded hardly anything becomes garbage, and looking for circles of it
again and again takes its time. What was loaded stays; no later search looks at it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """What is installed as `jemput-pusat`."""
    with loading():
        from server import cli
    cli.main()


@contextmanager
def loading() -> Iterator[None]:
    """A block that loads parts of the program which stay until its end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
