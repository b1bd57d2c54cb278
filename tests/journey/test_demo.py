"""The demonstration tells its story to the end, and its counts can be wrong."""

from __future__ import annotations

import json
import subprocess

import pytest

import home
from tally import Tally


@pytest.mark.timeout(600)  # some fifty processes, beside whatever else this machine runs
def test_the_demonstration_keeps_every_promise() -> None:
    command = [str(home.interpreter()), str(home.ROOT / "scripts" / "demo.py"), "--once", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=home.environment()
    )
    assert done.returncode == 0, done.stderr[-6000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["queued"] == summary["stored_at_central"] == 72
    assert (summary["lost"], summary["duplicated"]) == (0, 0)
    assert summary["cases"] == summary["resolved"] == 2
    assert summary["audit_ok"] is summary["receipts_ok"] is True
    assert summary["bytes_up"] > 5000
    assert summary["round_trips"] >= 6
    assert summary["seconds"] > 0
    assert "NOT" not in done.stderr
    assert "✓ killed half way up" in done.stderr
    assert "✓ what had arrived early was whole" in done.stderr


def told(count: int = 3) -> Tally:
    """A tally in which everything is as promised."""
    tally = Tally(count)
    tally.heard("van", [answer(n) for n in range(count)])
    tally.stored = [f"id{n}" for n in range(count)]
    tally.stored_codes = [f"code{n}" for n in range(count)]
    tally.cases = tally.resolved = 2
    tally.audit_ok = True
    tally.receipts = [True, True]
    assert tally.right
    return tally


def answer(number: int, **changed: str) -> dict[str, str]:
    return {"ref": f"r{number}", "id": f"id{number}", "outcome": "queued", **changed}


def test_a_lost_request_is_counted() -> None:
    tally = told()
    tally.stored.remove("id1")
    assert (tally.lost, tally.duplicated, tally.right) == (1, 0, False)


def test_a_request_acknowledged_only_before_the_kill_is_counted_too() -> None:
    tally = told()
    tally.heard("van", [answer(1, id="other")])
    assert (tally.lost, tally.duplicated, tally.right) == (1, 1, False)


def test_a_request_stored_twice_is_counted() -> None:
    tally = told()
    tally.stored.append("id9")  # a second one for some row, which nobody was told of
    assert (tally.lost, tally.duplicated, tally.right) == (0, 1, False)
    tally = told()
    tally.stored_codes[0] = tally.stored_codes[1]
    assert (tally.duplicated, tally.right) == (1, False)


def test_a_refused_row_and_a_failed_check_are_not_as_promised() -> None:
    tally = Tally(1)
    tally.heard("van", [answer(0, outcome="refused")])
    assert tally.queued == 0
    tally = told()
    tally.check("the sky is blue", False)
    assert tally.wrong() == ["the sky is blue"]


def test_one_false_receipt_spoils_all() -> None:
    tally = told()
    tally.receipts.append(False)
    assert not tally.receipts_ok
    tally.receipts = []
    assert not tally.receipts_ok
