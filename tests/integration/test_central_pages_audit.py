"""The trail on the screen, and as a file that an auditor checks elsewhere with one program."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models import audit
from models.audit import AuditEntry
from models.problems import Problem
from server import verify_audit
from server.figures import day_of
from server.trail import Sought
from tests.pusat import DAY, Pusat
from tests.windows import Window, window, windows


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pusat") / "central") as opened:
        van = opened.van("Si Jola 1")
        for n in range(1, 4):
            van.take_in(n)
        opened.sync(van)
        yield opened


@pytest.fixture
def mata(office) -> Window:
    return window(office, "mata")


def exported(mata: Window, folder: Path, name: str = "trail.jsonl", query: str = "") -> Path:
    mata.go(f"/audit/trail.jsonl{query}")
    path = folder / name
    path.write_bytes(mata.page.content)
    return path


def verdict(path: Path, capsys, *options: str) -> tuple[int, str]:
    code = verify_audit.main([str(path), *options])
    return code, capsys.readouterr().out


# -- the screen


def test_who_saw_a_request_is_found_by_its_number(office, mata):
    rina = window(office, "rina")
    with office.central.registry.read() as door:
        (line, *_) = door.requests(limit=1)
    office.central.casework.request(office.people["rina"], line.id.hex())
    found = office.central.casework.requests(office.people["rina"])
    code = next(one.code for one in found if one.id == line.id.hex())
    mata.go("/audit")
    mata.post("/audit/search", about=code, action="request.read")
    assert line.id.hex() in str(mata.page.url)
    assert code not in str(mata.page.url)
    rows = re.findall(r"<tr><td class=\"jb-n\">(\d+)</td>.*?</tr>", mata.page.text, re.S)
    assert len(rows) == 1
    shown = re.search(r"<tr><td class=\"jb-n\">.*?</tr>", mata.page.text, re.S)
    assert shown is not None
    for words in ("rina", "membuka berkas", code):
        assert words in shown[0], "people read words and receipt numbers"
    unread = next(one.code for one in found if one.id != line.id.hex())
    mata.go("/audit")
    mata.post("/audit/search", about=unread)
    assert "Tidak ada entri yang cocok." in mata.text
    rina.go("/audit", 403)


def test_the_newest_comes_first_and_pages_join(office, mata):
    room, me = office.central.trail, office.people["mata"]
    with office.central.registry.read() as door:
        every = [e.n for e in door.trail(limit=1000) if e.action == "sign-in"]
    found, before = [], 0
    while True:
        page = room.search(me, Sought(action="sign-in"), before=before, limit=1)
        found += [entry.n for entry in page.entries]
        if not (before := page.before):
            break
    assert found == sorted(every, reverse=True)
    assert len(found) > 1


def test_a_citizens_number_or_name_gets_into_no_address_and_not_into_the_trail(office, mata):
    for field in ("about", "actor", "action"):
        for text in ("8272033003090801", "Bahar Soleman", "bahar"):
            mata.go("/audit")
            mata.post("/audit/search", status=422, **{field: text})
            assert "search" in str(mata.page.url), "nothing was led to an address"
            mata.go(f"/audit?{field}={text}", 422)
    with office.central.registry.read() as door:
        written = "".join(one.target + one.detail for one in door.trail(limit=5000))
    assert "8272033003090801" not in written
    assert "bahar" not in written.lower()
    for asked in ({"about": "Si Jola 1"}, {"about": "rina"}, {"actor": "mata"}):
        mata.go("/audit")
        mata.post("/audit/search", **asked)
        assert "/audit?" in str(mata.page.url)


def test_a_page_that_no_number_names_is_the_first_one(mata):
    for before in ("²", "-1", "9" * 40, "x"):
        mata.go(f"/audit?before={before}")
        assert "masuk" in mata.text


def test_a_check_is_begun_here_and_its_result_is_read_here(office, mata):
    done = threading.Event()
    room = office.central.trail
    real = room.evidence.verify

    def slow(me: Any) -> Any:
        assert done.wait(120)
        return real(me)

    room.evidence.verify = slow
    try:
        mata.go("/audit")
        mata.post("/audit/check")
        assert "Pemeriksaan dimulai" in mata.text
        assert not room.check(office.people["mata"]), "one at a time"
        assert "Pemeriksaan sedang berjalan. Muat ulang halaman ini nanti." in mata.text
    finally:
        done.set()
        room.evidence.verify = real
    assert room._checking.acquire(timeout=120)
    room._checking.release()
    mata.go("/audit")
    assert "Semua rantai utuh" in mata.text


def test_days_narrow_the_list_and_the_file(office, tmp_path, capsys, monkeypatch):
    office.clock.at += 3 * DAY
    with office.central.registry.read() as door:
        last = door.trail_end()[0]
    mata = window(office, "mata")  # the session of days ago is over
    today = day_of(office.clock.at)
    path = exported(mata, tmp_path, query=f"?first={today}&last={today}")
    head = json.loads(path.read_bytes().splitlines()[0])
    assert head["first"] == last + 1
    assert verdict(path, capsys)[0] == 0
    mata.go("/audit/trail.jsonl?first=kemarin", 422)
    room = office.central.trail
    monkeypatch.setattr("server.trail.EXPORT_MAX", 3)
    with pytest.raises(Problem, match=r"audit\.too_many"):
        room.export(office.people["mata"])


# -- the file


def test_a_genuine_export_verifies_with_nothing_of_ours(office, mata, tmp_path):
    """In a process of its own, by the file that the page gives."""
    path = exported(mata, tmp_path)
    mata.go("/audit/verify_audit.py")
    program = tmp_path / "verify_audit.py"
    program.write_bytes(mata.page.content)
    done = subprocess.run(
        [sys.executable, "-I", str(program), str(path)],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "UTUH / IT HOLDS" in done.stdout
    assert office.central.trail.fingerprint() in done.stdout
    imported = re.findall(r"^\s*(?:import|from) (\w+)", program.read_text(encoding="utf-8"), re.M)
    ours = {name for name in imported if name not in sys.stdlib_module_names}
    assert ours == {"cryptography"}
    assert ("mata", "audit.export") in office.trail()


def test_whatever_is_done_to_an_export_is_found(mata, tmp_path, capsys):
    good = exported(mata, tmp_path)
    lines = good.read_bytes().splitlines(keepends=True)
    assert len(lines) > 8

    def spoiled(*new: bytes) -> tuple[int, str]:
        path = tmp_path / "spoiled.jsonl"
        path.write_bytes(b"".join(new))
        return verdict(path, capsys)

    entry = json.loads(lines[4])
    for place, value in ((1, entry[1] + 1), (2, "nobody"), (3, "x"), (4, "y"), (5, '{"n":1}')):
        other = [*entry[:place], value, *entry[place + 1 :]]
        changed = json.dumps(other).encode() + b"\n"
        code, said = spoiled(*lines[:4], changed, *lines[5:])
        assert (code, "entry 4 was altered" in said) == (1, True), said
    assert spoiled(*lines[:4], *lines[5:])[0] == 1
    assert spoiled(*lines[:4], lines[5], lines[4], *lines[6:])[0] == 1
    assert "cut off" in spoiled(*lines[:-2], lines[-1])[1]
    assert "cut off" in spoiled(*lines[:-1])[1]
    assert "cut off" in spoiled(*lines[:-1], lines[-1][:20])[1]
    assert "cut off" in spoiled(*lines[:6])[1]
    assert spoiled(lines[0][:30])[0] == 2
    assert spoiled()[0] == 1
    assert spoiled(*lines)[0] == 0


def test_a_rewritten_trail_is_not_signed_by_the_office(mata, tmp_path, capsys):
    """Whoever alters an entry and makes every link anew has not the key."""
    lines = exported(mata, tmp_path).read_bytes().splitlines(keepends=True)
    head, entries = json.loads(lines[0]), [json.loads(line) for line in lines[1:-1]]
    link = bytes.fromhex(head["before"])
    entries[2][2] = "nobody"
    for entry in entries:
        link = audit.link(link, AuditEntry(*entry[:6]).encoded())
        entry[6] = link.hex()
    head["after"] = link.hex()
    path = tmp_path / "rewritten.jsonl"
    plain = [json.dumps(one).encode() + b"\n" for one in (head, *entries)]
    path.write_bytes(b"".join([*plain, lines[-1]]))
    code, said = verdict(path, capsys)
    assert (code, "signature is false" in said) == (1, True), said


def test_an_export_goes_on_from_an_earlier_one_or_it_was_rewritten(mata, tmp_path, capsys):
    old = exported(mata, tmp_path, "old.jsonl")
    new = exported(mata, tmp_path, "new.jsonl")
    assert verdict(new, capsys, "--after", str(old))[0] == 0
    assert "ends before" in verdict(old, capsys, "--after", str(new))[1]
    lines = old.read_bytes().splitlines(keepends=True)
    head, entries = json.loads(lines[0]), [json.loads(line) for line in lines[1:-1]]
    entries[-1][2] = "nobody"
    before = bytes.fromhex(entries[-2][6])
    entries[-1][6] = audit.link(before, AuditEntry(*entries[-1][:6]).encoded()).hex()
    old.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in (head, *entries)))
    assert "rewritten" in verdict(new, capsys, "--after", str(old))[1]
    assert verdict(new, capsys, "--key", "00" * 32)[0] == 1
    assert verdict(new, capsys, "--key", head["key"])[0] == 0


def test_entries_are_packed_as_the_office_packs_them():
    spec = importlib.util.find_spec("server.verify_audit")
    assert spec is not None
    numbers = [0, 31, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1]
    numbers += [-1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63)]
    for n in numbers:
        for text in ("", "ñ" * 15, "a" * 31, "a" * 32, "a" * 255, "a" * 256, "a" * 70_000):
            entry = AuditEntry(n, n, text, "x", text, "{}")
            assert verify_audit.packed([n, n, text, "x", text, "{}"]) == entry.encoded()
