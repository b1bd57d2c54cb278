"""Write today's edition down as bytes that every later one has to read.

    python3 scripts/freeze.py 2026.11     into tests/fixtures/editions/2026.11, once

Done when an edition is released. It never writes over an edition that is there: what was written
then can not be written again by the program of today. What is in it stands in tests/frozen.py; the
tests hold the hash of each file.
"""

from __future__ import annotations

import home

home.enter()

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Freeze one edition; 1 where it is there already."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("edition", help="year and month of the release, such as 2026.11")
    target = ROOT / "tests" / "fixtures" / "editions" / parser.parse_args().edition
    if target.exists():
        print(f"{target} is frozen already; nothing was written", file=sys.stderr)
        return 1
    files = made()
    target.mkdir(parents=True)
    for name, data in files.items():
        (target / name).write_bytes(data)
    from tests.frozen import LIST, listed

    (target / LIST).write_text(listed(target), "utf-8", newline="\n")
    print(f"{target}: {len(files)} files, {sum(map(len, files.values()))} bytes")
    return 0


def made() -> dict[str, bytes]:
    """The files of today's edition."""
    import msgspec

    from tests import frozen
    from tests.frozen_town import make

    with tempfile.TemporaryDirectory() as folder:
        files = make(Path(folder))
    told = [frozen.frozen(kind) for kind in frozen.kinds()]
    return files | {frozen.MESSAGES: msgspec.msgpack.encode(told)}


if __name__ == "__main__":
    sys.exit(main())
