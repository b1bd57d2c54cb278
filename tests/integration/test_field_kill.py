"""Real processes, killed at random moments: what was acknowledged is there, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from field_client.settings import FieldSettings, Place
from tests.field import Hands, Jemput, again, example, invitation, keys, rows
from tests.vaults import CHEAP, PASSPHRASE

ROUNDS = 8
JEMPUT = [sys.executable, "-c", "from field_client.cli import main; main()"]
SERVICES = ("ktp-new-enrolment", "birth", "kk-change", "death", "village-domicile-letter")


def start(van: Jemput, *words: str, **more: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, **van.environment(), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [*JEMPUT, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **more,
    )  # fmt: skip


def run(van: Jemput, *words: str, code: int = 0) -> list[Any]:
    """A command as a process of its own; the JSON lines it gave."""
    process = start(van, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (words, out, err)
    return [json.loads(line) for line in out.splitlines()]


def day(count: int) -> list[dict[str, Any]]:
    """Rows of a long day: single ones and families."""
    found = []
    for number in range(count):
        row = example(SERVICES[number % len(SERVICES)])
        row |= {"ref": f"r{number}", "reasons": {"duplicate": "uji"}}
        if number % 7 in (2, 3, 4):
            row["family"] = f"f{number // 7}"
        found.append(row)
    return found


def enrolled(folder: Path, token: bytes) -> Jemput:
    """A laptop with cheap keys, so that a process opens it at once."""
    from field_client.enrolment import enrol

    place = Place(folder, FieldSettings())
    hands = Hands(int(time.time()))
    enrol(place, token, "sari", PASSPHRASE, hands.clock(), keys(folder), CHEAP).close()
    return Jemput(folder)


def test_a_queue_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing(tmp_path):
    chance = random.Random(20261121)
    van = enrolled(tmp_path / "van", invitation(expires=int(time.time()) + 86400))
    wanted = day(120)
    file = tmp_path / "rows.jsonl"
    file.write_text(rows(*wanted), encoding="utf-8")
    acknowledged: dict[str, str] = {}
    killed = 0
    for _ in range(ROUNDS):
        process = start(van, "queue", "--from", str(file))
        assert process.stdout is not None
        fresh = 0
        stop_after = chance.randrange(1, 16)
        for line in process.stdout:
            answer = json.loads(line)
            assert answer["outcome"] == "queued", answer
            fresh += answer["ref"] not in acknowledged
            known = acknowledged.setdefault(answer["ref"], answer["id"])
            assert known == answer["id"], "the same ref gives the same request"
            if fresh >= stop_after:
                break
        time.sleep(chance.random() * 0.01)
        process.kill()
        killed += process.wait() == -signal.SIGKILL  # it may just have come to its end
        process.communicate()
    assert killed
    answers = run(van, "queue", "--from", str(file))
    last = {a["ref"]: a["id"] for a in answers}
    assert {ref: last[ref] for ref in acknowledged} == acknowledged
    ids = [a["id"] for a in answers]
    assert len(set(ids)) == len(wanted)
    with again(van.folder, Hands(int(time.time()))) as house:
        assert house.store.standing().requests == {"submitted": len(wanted)}
        assert house.store.broken_at(house.store.log().id) is None
        assert house.store.engine.check() == []
        created = [e for e in house.store.pending(0, 1 << 40) if _kind(e.data) == "create"]
    assert len(created) == len(wanted)


def _kind(data: bytes) -> str:
    from models.changes import decode_change

    return decode_change(data).kind
