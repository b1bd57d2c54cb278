"""Papers at the office: shown, opened by those who may, and every opening kept in the trail."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from models.changes import Attached, Body
from models.pictures import Copy
from models.pictures.copies import copies
from server.cli import app
from sync import seal, wire
from sync.messages import Chunk, encode
from sync.transfer import manifest_of, split
from tests.pictures import snap
from tests.pusat import PASSWORD, Pusat, Van, pusat

KK = "document.KK"


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


@pytest.fixture
def van(office) -> Van:
    return office.van("Si Jola 1")


@pytest.fixture(scope="module")
def copy() -> Copy:
    (made,) = copies(snap(), "kk.jpg", "page")
    return made


def attached(copy: Copy) -> Attached:
    name, preview = manifest_of(copy.data).blob, manifest_of(copy.preview).blob
    return Attached(KK, name, len(copy.data), "page", preview)


def announced(office: Pusat, van: Van, copy: Copy) -> str:
    """A request with a file of which nothing arrived yet; gives its id."""
    record = van.take_in(1)
    van.edit(record, Body(attach=[attached(copy)]))
    office.sync(van)
    return record.hex()


def bring(office: Pusat, van: Van, data: bytes, upto: int | None = None) -> None:
    """Send a file, or its first chunks."""
    manifest = manifest_of(data)
    exchange = van.exchange()
    frames = wire.split_frames(van.request_body(exchange))
    key = van.invitation.seal_key
    frames.append(seal.seal(encode(manifest), key, "manifest"))
    for index, chunk in enumerate(split(data)[:upto]):
        piece = Chunk(manifest.blob, index * 16384, chunk)
        frames.append(seal.seal(encode(piece), key, "chunk"))
    assert office.push(wire.join_frames(frames)).status_code == 200


def test_a_sheet_tells_how_far_each_paper_is(office, van, copy):
    request = announced(office, van, copy)
    path = f"/v1/requests/{request}"
    (line,) = office.get("rina", path).json()["files"]
    assert (line["unit"], line["percent"], line["bytes"]) == (KK, 0, len(copy.data))
    bring(office, van, copy.data, 3)
    (line,) = office.get("rina", path).json()["files"]
    assert 0 < line["percent"] < 100
    bring(office, van, copy.data)
    sheet = office.get("rina", path).json()
    assert sheet["files"][0]["percent"] == 100
    assert "attached" in [event["what"] for event in sheet["history"]]


def test_a_paper_is_opened_and_the_opening_recorded(office, van, copy):
    request = announced(office, van, copy)
    bring(office, van, copy.data)
    bring(office, van, copy.preview)
    blob = attached(copy).blob.hex()
    got = office.get("rina", f"/v1/requests/{request}/files/{blob[:8]}")
    assert got.headers["content-type"] == "image/webp"
    assert got.headers["cache-control"] == "no-store"
    assert got.content == copy.data
    small = office.get("rina", f"/v1/requests/{request}/files/{blob}", preview=True)
    assert small.content == copy.preview
    assert office.trail()[-2:] == [("rina", "attachment.read")] * 2


def test_what_is_not_there_yet_or_at_all_is_told(office, van, copy):
    request = announced(office, van, copy)
    blob = attached(copy).blob.hex()
    waiting = office.get("rina", f"/v1/requests/{request}/files/{blob}")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "blob.waiting")
    for name in ("ffff", "zz", "0" * 64):
        gone = office.get("rina", f"/v1/requests/{request}/files/{name}")
        assert (gone.status_code, gone.json()["code"]) == (404, "blob.unknown")
    assert ("rina", "attachment.read") not in office.trail(), "nothing was opened"


def test_who_may_not_read_requests_opens_no_paper(office, van, copy):
    request = announced(office, van, copy)
    bring(office, van, copy.data)
    blob = attached(copy).blob.hex()
    refused = office.get("admin", f"/v1/requests/{request}/files/{blob}")
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.forbidden")


def test_the_command_writes_it_for_its_owner_only(office, van, copy, tmp_path: Path):
    request = announced(office, van, copy)
    bring(office, van, copy.data)
    blob = attached(copy).blob.hex()
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    mine = ["--as", "rina", "--password-file", str(password)]
    folder = ["--data", str(office.central.place.folder), "--json"]
    out = tmp_path / "kk.webp"
    words = ["requests", "attachment", request, blob[:8], "--out", str(out), *mine, *folder]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["bytes"] == len(copy.data)
    assert out.stat().st_mode & 0o077 == 0
    assert min(Image.open(io.BytesIO(out.read_bytes())).size) >= 1240
    assert CliRunner().invoke(app, words).exit_code == 1, "what is there is not replaced"
    shown = CliRunner().invoke(app, ["requests", "show", request, *mine, *folder[:2]])
    assert blob[:8] in shown.stdout
    assert "100 %" in shown.stdout
    assert ("rina", "attachment.read") in office.trail()


def test_a_frame_before_any_request_is_refused(office, van, copy):
    frame = seal.seal(encode(manifest_of(copy.data)), van.invitation.seal_key, "manifest")
    assert office.push(wire.join_frames([frame])).json()["code"] == "sync.seal"


def test_altered_frames_of_files_are_answered_and_the_rest_is_kept(office, van, copy):
    request = announced(office, van, copy)
    frames = wire.split_frames(van.request_body(van.exchange()))
    key, manifest = van.invitation.seal_key, manifest_of(copy.preview)
    good = seal.seal(encode(Chunk(manifest.blob, 0, copy.preview)), key, "chunk")
    frames.append(seal.seal(encode(manifest), key, "manifest"))
    frames += [good[:-9] + bytes(9), good]
    assert office.push(wire.join_frames(frames)).status_code == 200
    blob = attached(copy).blob.hex()
    assert (
        office.get("rina", f"/v1/requests/{request}/files/{blob}", preview=True).status_code == 200
    )
