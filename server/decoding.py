"""Decoding: pictures brought to the counter, unpacked in a process of its own.

What comes from a citizen's telephone or stick may be made to harm. A decoder that is led astray
ends, fills the memory or never comes back; here that costs one clerk a refusal, not the office its
program. The process has a share of memory, a time, an environment without central's settings, and
writes no file. It runs as the same user of the machine, so it is no prison; what it answers is
looked at before it is believed.

    python -m server.decoding    reads [name, kind, bytes] and writes a `Made`, both MessagePack
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading

import msgspec

from models.changes import PREVIEW_BYTES_MAX
from models.pictures import Copy, is_picture
from models.problems import Problem
from sync.attaching import FILES_OF_UNIT_MAX
from sync.transfer import BLOB_BYTES_MAX

SECONDS_MAX = 90
MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""Of addresses. The largest picture that is opened takes about a third of it."""

ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""Of what the process answers. Ten pages take less than four."""

_REFUSALS = frozenset(
    f"attachment.{word}" for word in ("kind", "broken", "locked", "pixels", "pages")
)
_HINTS = frozenset(("attachment.small", "attachment.dark", "attachment.blurred"))
"""All that it may say of a file; what else it answers is not believed."""

_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
"""Of the environment: what a program needs to start."""


class Made(msgspec.Struct, frozen=True):
    """The working copies, or the code and the numbers of the problem."""

    copies: list[Copy] = []
    problem: str = ""
    numbers: dict[str, int] = {}


def copies(data: bytes, name: str, kind: str) -> list[Copy]:
    """The pages in a file as working copies, see `models.pictures.copies`. name: of the file, for
    the words of a Problem: attachment.*."""
    try:
        answer = _answer(msgspec.msgpack.encode((name, kind, data)))
        made = msgspec.msgpack.decode(answer, type=Made)
    except (subprocess.SubprocessError, msgspec.DecodeError) as error:
        raise Problem("attachment.broken", file=name) from error
    if made.problem in _REFUSALS:
        raise Problem(made.problem, **(made.numbers | {"file": name}))
    if made.problem or not made.copies or not all(_sound(one, kind) for one in made.copies):
        raise Problem("attachment.broken", file=name)
    return made.copies


def _answer(given: bytes) -> bytes:
    """What the process writes when it is given this. SubprocessError where it ends badly, writes
    more than ANSWER_BYTES_MAX, or does not end in time."""
    command = [sys.executable, "-P", "-m", "server.decoding"]
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    pipe, said = subprocess.PIPE, [b""]
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=kept)
    to, by = child.stdin, child.stdout
    assert to is not None  # both are pipes
    assert by is not None

    def give() -> None:
        with contextlib.suppress(OSError), to:  # it may have ended before it read all
            to.write(given)

    def hear() -> None:
        with by:
            said[0] = by.read(ANSWER_BYTES_MAX + 1)

    giving, hearing = threading.Thread(target=give), threading.Thread(target=hear)
    giving.daemon = hearing.daemon = True
    try:
        giving.start()
        hearing.start()
        hearing.join(SECONDS_MAX)
        if hearing.is_alive() or len(said[0]) > ANSWER_BYTES_MAX:
            raise subprocess.TimeoutExpired(command, SECONDS_MAX)
        if child.wait(SECONDS_MAX):
            raise subprocess.CalledProcessError(child.returncode, command)
        return said[0]
    finally:
        child.kill()
        child.wait()


def _sound(copy: Copy, kind: str) -> bool:
    """Is this what the decoder makes? A process that was led astray may answer anything."""
    pictures = is_picture(copy.data) and is_picture(copy.preview)
    small = len(copy.data) <= BLOB_BYTES_MAX and len(copy.preview) <= PREVIEW_BYTES_MAX
    placed = copy.kind == kind and 1 <= copy.page <= copy.pages <= FILES_OF_UNIT_MAX
    return pictures and small and placed and _HINTS.issuperset(copy.hints)


def main() -> None:
    """Unpack what stands on the input."""
    _bounded()
    from models.pictures.copies import copies as unpacked  # the imaging library

    name, kind, data = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[str, str, bytes])
    try:
        made = Made(unpacked(data, name, kind))
    except Problem as problem:
        numbers = {k: v for k, v in problem.details.items() if isinstance(v, int)}
        made = Made([], problem.code, numbers)
    sys.stdout.buffer.write(msgspec.msgpack.encode(made))


def _bounded() -> None:
    """No more memory than its share, and no file written, where the system can say so."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        # Nothing of a citizen's paper lies on the disk, not even when this crashes.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main()
