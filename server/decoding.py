"""Decoding: pictures brought to the counter, unpacked in a process of its own.

What comes from a citizen's telephone or stick may be made to harm. A decoder that is led astray
ends, fills the memory or never comes back; here that costs one clerk a refusal, not the office its
program. The process has a share of memory, a time, and nothing of central's: no key, no database,
no setting.

    python -m server.decoding    reads [name, kind, bytes] and writes a `Made`, both MessagePack
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec

from models.pictures import Copy
from models.problems import Problem

SECONDS_MAX = 90
MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""Of addresses. The largest picture that is opened takes about a third of it."""

_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
"""Of the environment: what a program needs to start."""


class Made(msgspec.Struct, frozen=True):
    """The working copies, or the code and details of the problem."""

    copies: list[Copy] = []
    problem: str = ""
    details: dict[str, Any] = {}


def copies(data: bytes, name: str, kind: str) -> list[Copy]:
    """The pages in a file as working copies, see `models.pictures.copies`. name: of the file, for
    the words of a Problem: attachment.*."""
    given = msgspec.msgpack.encode((name, kind, data))
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    command = [sys.executable, "-P", "-m", "server.decoding"]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, env=kept, timeout=SECONDS_MAX, check=True
        )
        made = msgspec.msgpack.decode(done.stdout, type=Made)
    except (subprocess.SubprocessError, msgspec.DecodeError) as error:
        raise Problem("attachment.broken", file=name) from error
    if made.problem:
        raise Problem(made.problem, **made.details)
    return made.copies


def main() -> None:
    """Unpack what stands on the input."""
    _bounded()
    from models.pictures.copies import copies as unpacked  # the imaging library

    name, kind, data = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[str, str, bytes])
    try:
        made = Made(unpacked(data, name, kind))
    except Problem as problem:
        made = Made([], problem.code, dict(problem.details))
    sys.stdout.buffer.write(msgspec.msgpack.encode(made))


def _bounded() -> None:
    """No more memory than its share, where the system can say so."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


if __name__ == "__main__":
    main()
