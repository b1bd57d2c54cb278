"""Papers and portraits from the van to the office: in pieces, damaged, broken off, asked for again.

A real vault and a real central; the road is made of function calls, whose frames a test can open.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from field_client.crossing import Link
from field_client.transports.http import Unreached
from field_client.vault.attached import DAY_SECONDS
from models.changes import Attached
from models.problems import Problem
from sync import messages, seal, wire
from sync.messages import Chunk, Manifest, Request
from sync.transfer import CHUNK_BYTES, PAPERS, PREVIEWS
from tests import pictures
from tests.pictures import put
from tests.requests import row
from tests.town import Town

SMALL = (1300, 1840)


class Seen(msgspec.Struct):
    """Frames that reached the office, opened: what went up, in order."""

    frames: list[tuple[str, Any]] = []

    def of(self, kind: type) -> list[Any]:
        return [one for _, one in self.frames if isinstance(one, kind)]

    def sizes(self) -> dict[bytes, int]:
        """Bytes of each file that went up."""
        found: dict[bytes, int] = {}
        for chunk in self.of(Chunk):
            found[chunk.blob] = found.get(chunk.blob, 0) + len(chunk.data)
        return found


class Story:
    """A van with one request, and an eye on the road."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.town = Town(folder)
        self.van = self.town.laptop("sari", "van")
        self.seen = Seen()
        self.spoil: Callable[[int, str, bytes], bytes] = lambda n, purpose, frame: frame
        self.van.lane.before = self._watch
        self.records = [self._request(n) for n in range(2)]

    def _request(self, n: int) -> bytes:
        for person in self.town.village.people[n * 40 :]:
            try:
                asked = row(self.town.village, "nik-consolidation", person, ref=f"r{n}")
            except ValueError:
                continue
            (taken,) = self.van.take(asked)
            return taken.record
        raise AssertionError("nobody fits")

    def _watch(self, path: str, body: bytes) -> bytes:
        if path.endswith("enrol"):
            return body
        frames = []
        for frame in wire.split_frames(body):
            purpose = seal.purpose_of(frame)
            me = self.town.central.keys.identity
            if purpose in ("manifest", "chunk"):
                kind = Manifest if purpose == "manifest" else Chunk
                data = seal.unseal(frame, me, purpose)
                self.seen.frames.append((purpose, messages.decode(data, kind)))
            else:
                _, payload = self.town.central.reception.open(seal.unseal(frame, me, purpose))
                self.seen.frames.append((purpose, messages.decode(payload, Request)))
            frames.append(self.spoil(len(self.seen.frames), purpose, frame))
        return wire.join_frames(frames)

    def attach(self, n: int = 0, seed: int = 1, field: str = "KK", kind: str = "") -> Attached:
        picture = pictures.page(seed, SMALL)
        path = put(self.folder, f"{seed}.png", pictures.written(picture, "PNG", compress_level=1))
        desk = self.van.house.desk
        (made,) = desk.attach(desk.open(self.records[n]), field, [path], kind)
        return made.file

    def state(self, file: Attached) -> tuple[str, int]:
        stored = self.van.house.store.attached.find([file.blob])[file.blob]
        return stored.state, stored.percent

    def at_central(self, file: Attached) -> bytes:
        return self.town.central.arrivals.read(file.blob)

    def durable(self, server_seq: int) -> None:
        """A checked backup elsewhere holds everything up to there."""
        with self.town.central.registry.database.writing() as session:
            session.connection().execute(
                text("update counters set durable_seq = :n"), {"n": server_seq}
            )

    def server_seq(self) -> int:
        with self.town.central.registry.read() as door:
            return door.standing().server_seq


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    yield made
    made.town.close()


def test_one_sync_carries_the_change_the_preview_and_the_paper(story):
    file = story.attach()
    report = story.van.sync()
    assert (report.files.files, report.files.left, report.files.stopped) == (2, 0, [])
    assert story.state(file) == ("verified", 100)
    assert story.at_central(file) == story.van.house.desk.blobs.whole(file.blob, file.size)
    kinds = [purpose for purpose, _ in story.seen.frames]
    assert kinds[0] == "request"
    chunks = story.seen.of(Chunk)
    assert chunks[0].blob == file.preview, "the preview first"
    assert story.seen.sizes() == {file.preview: len(chunks[0].data), file.blob: file.size}
    assert report.bytes_up < file.size + 12_000 + 4_000


def test_previews_of_everybody_go_before_the_first_paper(story):
    files = [story.attach(n, seed) for n, seed in ((0, 1), (1, 2), (0, 3))]
    story.van.sync()
    order = list(dict.fromkeys(chunk.blob for chunk in story.seen.of(Chunk)))
    assert set(order[:3]) == {file.preview for file in files}
    assert order[3:] == [files[0].blob, files[2].blob, files[1].blob], "person by person"


def test_changes_go_before_files_also_those_saved_meanwhile(story):
    story.attach()
    first = [True]

    def spoil(n: int, purpose: str, frame: bytes) -> bytes:
        if purpose == "chunk" and first:
            first.clear()
            story.van.edit(story.records[1], applicant__phone="081299990000")
        return frame

    story.spoil = spoil
    story.van.house.store.remember(Link(20_000))
    report = story.van.sync()
    assert report.files.left == 0
    story.van.sync()
    assert story.van.house.store.standing().unsent == 0


def test_a_damaged_chunk_is_sent_again_alone(story):
    file = story.attach()
    numbers: list[int] = []

    def spoil(n: int, purpose: str, frame: bytes) -> bytes:
        if purpose == "chunk":
            numbers.append(n)
            if len(numbers) == 3:
                return frame[:200] + bytes([frame[200] ^ 1]) + frame[201:]
        return frame

    story.spoil = spoil
    report = story.van.sync()
    assert report.files.altered == 1
    assert story.state(file) == ("verified", 100)
    sizes = story.seen.sizes()
    assert sizes[file.blob] + sizes[file.preview] <= file.size + 12_000 + CHUNK_BYTES
    twice = [c for c in story.seen.of(Chunk) if c.blob == file.blob]
    assert len(twice) == len({c.offset for c in twice}) + 1, "one piece went twice"


def test_a_damaged_manifest_is_sent_again(story):
    file = story.attach()

    def spoil(n: int, purpose: str, frame: bytes) -> bytes:
        damaged = purpose == "manifest" and len(story.seen.of(Manifest)) == 2
        return frame[:-1] + bytes([frame[-1] ^ 1]) if damaged else frame

    story.spoil = spoil
    report = story.van.sync()
    assert story.state(file) == ("verified", 100)
    assert report.files.left == 0


def test_a_road_that_spoils_everything_is_given_up(story):
    story.attach()
    story.spoil = lambda n, purpose, frame: frame[:-1] + b"!" if purpose == "chunk" else frame
    with pytest.raises(Problem, match=r"sync\.seal"):
        story.van.sync()
    assert story.van.house.store.standing().unsent == 0, "the changes are through"


def test_an_answer_that_is_lost_costs_a_question_and_no_bytes(story):
    file = story.attach()
    lost = [True]

    def after(path: str, answer: bytes) -> bytes:
        if lost and story.seen.of(Chunk):
            lost.clear()
            raise Unreached(Problem("sync.timeout"))
        return answer

    story.van.lane.after = after
    story.van.sync()
    assert story.state(file) == ("verified", 100)
    sizes = story.seen.sizes()
    assert sizes[file.blob] == file.size, "nothing went twice"
    assert any(file.blob in request.blobs for request in story.seen.of(Request))


def test_another_process_goes_on_at_the_piece(story):
    file = story.attach()
    settings = msgspec.structs.replace(story.van.place.settings, tries=1)
    story.van.place = msgspec.structs.replace(story.van.place, settings=settings)
    story.van.house.store.remember(Link(30_000))

    def after(path: str, answer: bytes) -> bytes:
        if sum(story.seen.sizes().values()) > 60_000:
            raise Unreached(Problem("sync.unreachable"))
        return answer

    story.van.lane.after = after
    with pytest.raises(Problem):
        story.van.sync()
    state, _ = story.state(file)
    assert state == "waiting"
    sent_before = dict(story.seen.sizes())
    assert 0 < sent_before[file.blob] < file.size
    story.van.open()  # another process
    story.van.lane.after = lambda path, answer: answer
    story.van.sync()
    assert story.state(file) == ("verified", 100)
    assert story.seen.sizes()[file.blob] == file.size, "went on at the piece"


def test_a_full_disk_at_the_office_is_said_and_the_changes_stand(story, monkeypatch):
    file = story.attach()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr("server.blobs.FolderShelf._sync", full)
        report = story.van.sync()
    assert report.files.stopped == ["disk.full"]
    assert story.van.house.store.standing().unsent == 0
    assert report.files.left == 2
    story.van.sync()
    assert story.state(file) == ("verified", 100)


def test_previews_alone_where_only_changes_may_go(story):
    file = story.attach()
    settings = msgspec.structs.replace(story.van.place.settings, changes_only=True)
    story.van.place = msgspec.structs.replace(story.van.place, settings=settings)
    report = story.van.sync()
    assert set(story.seen.sizes()) == {file.preview}
    assert (report.files.files, report.files.left) == (1, 1)
    found = story.van.house.store.attached.find([file.blob, file.preview])
    assert (found[file.preview].lane, found[file.preview].state) == (PREVIEWS, "verified")
    assert (found[file.blob].lane, found[file.blob].state) == (PAPERS, "waiting")


def test_a_copy_that_broke_on_the_laptop_stops_nothing_else(story):
    broken, whole = story.attach(0, 1), story.attach(1, 2)
    path = story.van.house.desk.blobs.path(broken.blob)
    path.write_bytes(path.read_bytes()[:20_000])
    report = story.van.sync()
    assert report.files.damaged == 1
    assert story.state(whole) == ("verified", 100)
    assert story.state(broken)[0] == "waiting"


# -- leaving the laptop (law 20)


def test_a_copy_leaves_when_it_is_verified_durable_and_old_enough(story):
    file = story.attach()
    story.van.sync()
    path = story.van.house.desk.blobs.path(file.blob)
    days = story.van.place.settings.file_days * DAY_SECONDS

    def sync_and_look() -> bool:
        story.van.sync()
        return path.exists()

    story.town.time.at += days + 60
    assert sync_and_look(), "not durable"
    story.durable(0)
    assert sync_and_look()
    covered = story.server_seq()
    story.durable(covered)
    assert sync_and_look(), "the backup may be older than the file"
    story.van.edit(story.records[1], applicant__phone="081299990001")
    story.van.sync()
    story.durable(story.server_seq())
    assert not sync_and_look()
    assert story.state(file) == ("gone", 100)
    assert story.at_central(file), "and the office has it"
    sheet = story.van.open_sheet(story.records[0])
    assert [f.blob for f, _ in story.van.house.desk.files(sheet)] == [file.blob]
    with pytest.raises(Problem, match=r"attachment\.elsewhere"):
        story.van.house.desk.picture(sheet, file.blob.hex())


def test_a_copy_stays_before_its_days_are_over_whatever_the_laptops_clock_says(story):
    file = story.attach()
    story.van.sync()
    story.van.edit(story.records[1], applicant__phone="081299990001")
    story.van.sync()
    story.durable(story.server_seq())
    story.van.clock_error = 400 * DAY_SECONDS
    story.van.open()
    story.van.sync()
    assert story.van.house.desk.blobs.path(file.blob).exists()


def test_an_open_case_keeps_the_copy(story):
    file = story.attach()
    story.van.sync()
    store = story.van.house.store
    with store.engine.writing() as connection:
        connection.execute("update requests set cases = 1 where record = ?", (story.records[0],))
    story.durable(1 << 40)
    story.town.time.at += 30 * DAY_SECONDS
    story.van.sync()
    assert story.van.house.desk.blobs.path(file.blob).exists()


def test_a_central_that_was_put_back_is_offered_everything_again(story):
    file = story.attach()
    story.van.sync()
    store = story.van.house.store
    assert store.attached.doubtful() == []
    store.attached.begin(b"another incarnation")
    assert set(store.attached.doubtful()) == {file.blob, file.preview}
    story.durable(1 << 40)
    story.town.time.at += 30 * DAY_SECONDS
    story.van.sync()
    assert story.seen.sizes()[file.blob] == file.size, "it was asked first, and had it"
    assert story.state(file)[0] == "verified"


def test_what_central_lost_is_sent_again_by_the_laptop_that_holds_it(story):
    file, other = story.attach(), story.attach(1, 2)
    story.van.sync()
    assert story.state(file) == ("verified", 100)
    path = story.town.central.arrivals.shelf.path(file.blob)
    damaged = bytearray(path.read_bytes())
    damaged[CHUNK_BYTES + 2000] ^= 1
    path.write_bytes(bytes(damaged))
    story.seen.frames.clear()
    story.van.sync()
    assert story.seen.sizes() == {}, "nobody has looked yet"
    with pytest.raises(Problem, match=r"blob\.lost"):
        story.at_central(file)
    report = story.van.sync()
    assert report.files.files == 1
    assert story.seen.sizes() == {file.blob: CHUNK_BYTES}, "the damaged chunk alone"
    assert story.state(file) == ("verified", 100)
    assert story.at_central(file) == story.van.house.desk.blobs.whole(file.blob, file.size)
    story.town.central.arrivals.shelf.path(other.blob).unlink()
    with pytest.raises(Problem, match=r"blob\.lost"):
        story.at_central(other)
    story.van.sync()
    assert story.at_central(other) == story.van.house.desk.blobs.whole(other.blob, other.size)
    assert not story.town.central.arrivals.losses.any(story.town.central.clock())
