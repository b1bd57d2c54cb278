"""Files coming in at central: any order, damage, kills, full disks, limits, strangers."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import msgspec
import pytest

from models.changes import Attached, Body
from models.problems import Problem
from server.arrivals import Arrivals, Limits
from server.blobs import FolderShelf
from server.database.registry import Registry
from server.losses import LOOK_SECONDS
from sync.atrest import SLOT_BYTES, house_key
from sync.messages import BlobState, Chunk, Manifest
from sync.transfer import CHUNK_BYTES, manifest_of, split
from tests.blank import lay
from tests.contract.registry_home import NOW, create, database_home
from tests.simulation.laptop import Laptop

DATA = os.urandom(3 * CHUNK_BYTES + 999)
MANIFEST = manifest_of(DATA)
SMALL = os.urandom(5000)
PREVIEW = manifest_of(SMALL)
KEY = house_key(b"k" * 32, b"central")
KK = "document.KK"


class Place:
    """A register and its shelf, with a van that has announced one file."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder / "files"
        self.home = database_home(url or f"sqlite:///{lay(folder).as_posix()}")
        assert isinstance(self.home.registry, Registry)
        self.registry: Registry = self.home.registry
        self.van = self.home.laptop()
        self.record = create(self.van, 1, "8272032009900001")
        self.announce(Attached(KK, MANIFEST.blob, MANIFEST.size))
        self.restart()

    def announce(self, file: Attached) -> None:
        self.van.append([self.van.change("edit", Body(attach=[file]), self.record)])
        self.home.send(self.van)

    def restart(self) -> None:
        """Another process: nothing is remembered."""
        self.shelf = FolderShelf(self.folder, [KEY])
        self.arrivals = Arrivals(self.registry, self.shelf, Limits(1 << 40, 1 << 40))

    def take(
        self,
        manifests: Sequence[Manifest],
        chunks: Sequence[Chunk],
        at: int = NOW,
        laptop: Laptop | None = None,
    ) -> list[BlobState]:
        log = (laptop or self.van).log_state(1)
        return self.arrivals.take(log, manifests, chunks, at)

    def states(self, *blobs: bytes, laptop: Laptop | None = None) -> list[BlobState]:
        log = (laptop or self.van).log_state(1)
        return self.arrivals.states(log, blobs or (MANIFEST.blob,), NOW)


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.registry.close()


def pieces(size=CHUNK_BYTES, data=DATA, manifest=MANIFEST):
    return [Chunk(manifest.blob, i, data[i : i + size]) for i in range(0, len(data), size)]


def test_a_file_arrives_and_is_read_back(place):
    (state,) = place.take([MANIFEST], pieces()[:2])
    assert state.known
    assert not state.verified
    assert state.missing == [(2 * CHUNK_BYTES, len(DATA))]
    (state,) = place.take([], pieces()[2:])
    assert state.verified
    assert state.at == place.home.seq
    assert place.arrivals.read(MANIFEST.blob) == DATA


@pytest.mark.parametrize("size", [1000, 5000, CHUNK_BYTES, 2 * CHUNK_BYTES + 7, len(DATA)])
def test_pieces_of_any_size_backwards_and_twice(place, size):
    place.take([MANIFEST], [])
    for piece in [*reversed(pieces(size)), *pieces(size)]:
        place.take([], [piece])
    (state,) = place.states()
    assert state.verified
    assert place.arrivals.read(MANIFEST.blob) == DATA


def test_a_damaged_chunk_is_wanted_again_alone(place):
    bad = pieces()
    bad[1] = msgspec.structs.replace(bad[1], data=b"\0" + bad[1].data[1:])
    (state,) = place.take([MANIFEST], bad)
    assert state.missing == [(CHUNK_BYTES, 2 * CHUNK_BYTES)]
    (state,) = place.take([], pieces()[1:2])
    assert state.verified


def test_a_new_process_goes_on_at_the_chunk_and_at_the_part_of_one(place):
    place.take(
        [MANIFEST], [*pieces()[:1], Chunk(MANIFEST.blob, CHUNK_BYTES, DATA[CHUNK_BYTES:20_000])]
    )
    place.restart()
    (state,) = place.states()
    assert state.missing == [(20_000, len(DATA))]
    (state,) = place.take([], [Chunk(MANIFEST.blob, 20_000, DATA[20_000:])])
    assert state.verified
    assert not list(place.folder.rglob("*.part"))


def test_what_a_torn_write_left_is_wanted_again(place):
    place.take([MANIFEST], pieces()[:3])
    path = place.shelf.path(MANIFEST.blob)
    with path.open("r+b") as file:
        file.seek(24 + SLOT_BYTES + 100)
        file.write(b"\0" * 50)
    place.restart()
    (state,) = place.states()
    assert state.missing == [(CHUNK_BYTES, 2 * CHUNK_BYTES), (3 * CHUNK_BYTES, len(DATA))]


def test_a_kill_before_the_note_that_it_is_whole_costs_nothing(place):
    place.take([MANIFEST], pieces()[:3])
    place.shelf.put(MANIFEST.blob, len(DATA), [(3, split(DATA)[3])])
    place.restart()
    (state,) = place.states()
    assert state.verified


def test_a_file_nobody_announced_is_not_taken_and_not_spoken_of(place):
    other = manifest_of(b"x" * 20_000)
    (state,) = place.take([other], [Chunk(other.blob, 0, b"x" * 20_000)])
    assert state == BlobState(other.blob, [], problem="blob.unannounced")
    assert place.states(other.blob) == []
    assert not place.folder.exists()


def test_another_log_hears_nothing_of_it(place):
    place.take([MANIFEST], pieces())
    village = place.home.laptop()
    assert place.states(laptop=village) == []
    (state,) = place.take([], pieces()[:1], laptop=village)
    assert state == BlobState(MANIFEST.blob, [], problem="blob.unannounced"), "as of any other"
    mine = Attached(KK, MANIFEST.blob, MANIFEST.size)
    village.append([village.change("edit", Body(attach=[mine]), place.record)])
    place.home.send(village)
    assert place.states(laptop=village)[0].verified


def test_a_manifest_of_another_size_than_was_signed_is_refused(place):
    place.announce(Attached(KK, PREVIEW.blob, PREVIEW.size + 1))
    (state,) = place.take([PREVIEW], [])
    assert (state.known, state.problem) == (False, "blob.manifest")


def test_a_preview_may_be_small_only(place):
    large = manifest_of(os.urandom(13_000))
    place.announce(Attached(KK, b"b" * 32, 100, preview=large.blob))
    (state,) = place.take([large], [])
    assert state.problem == "blob.manifest"
    place.announce(Attached(KK, b"c" * 32, 100, preview=PREVIEW.blob))
    (state,) = place.take([PREVIEW], [Chunk(PREVIEW.blob, 0, SMALL)])
    assert state.verified


def test_a_request_may_have_so_much_and_no_more(place):
    place.arrivals.limits = Limits(1 << 40, len(DATA) + 10)
    place.announce(Attached(KK, PREVIEW.blob, PREVIEW.size))
    first, second = place.take([MANIFEST, PREVIEW], [])
    assert {first.problem, second.problem} == {"", "blob.request_full"}


def test_a_laptop_may_bring_so_much_a_day_and_more_the_next(place):
    place.arrivals.limits = Limits(len(DATA) + 100, 1 << 40)
    place.announce(Attached(KK, PREVIEW.blob, PREVIEW.size))
    (state,) = place.take([MANIFEST], pieces())
    assert state.verified
    for _ in range(2):
        (state,) = place.take([PREVIEW], [Chunk(PREVIEW.blob, 0, SMALL)])
        assert (state.verified, state.problem) == (False, "blob.day_full")
        place.restart()  # the count outlives the process once a file was whole
        place.arrivals.limits = Limits(len(DATA) + 100, 1 << 40)
    (state,) = place.take([], [Chunk(PREVIEW.blob, 0, SMALL)], at=NOW + 86_400)
    assert state.verified


def test_a_full_disk_is_said_of_the_file_and_nothing_else_breaks(place, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr("server.blobs.os.fsync", full)
        (state,) = place.take([MANIFEST], pieces())
    assert state.problem == "disk.full"
    assert not state.verified
    place.restart()
    place.take([], pieces())
    assert place.states()[0].verified


def test_a_disk_that_fails_ends_the_process(place, monkeypatch):
    ended: list[str] = []

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "input/output error")

    place.shelf._end = ended.append
    monkeypatch.setattr("server.blobs.os.fsync", broken)
    (state,) = place.take([MANIFEST], pieces())
    assert ended
    assert not state.verified


def test_nothing_on_the_disk_can_be_read_or_recognised(place):
    text = ("KENARI-8842 " * 4000).encode()
    manifest = manifest_of(text)
    place.announce(Attached(KK, manifest.blob, len(text)))
    place.take([manifest], [Chunk(manifest.blob, 0, text[:20_000])])
    for path in place.folder.rglob("*"):
        assert manifest.blob.hex()[:16] not in path.name
        if path.is_file():
            assert b"KENARI" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    other = FolderShelf(place.folder, [house_key(b"o" * 32, b"central")])
    assert list(other.read(manifest.blob, len(text))) == [None] * 3


@pytest.mark.postgres
def test_files_arrive_on_postgresql(tmp_path, postgres_url):
    place = Place(tmp_path, postgres_url)
    place.take([MANIFEST], pieces()[:2])
    place.restart()
    (state,) = place.take([MANIFEST], pieces())
    assert state.verified
    with place.registry.read() as door:
        assert [blob.id for blob in door.whole_blobs()] == [MANIFEST.blob]
        assert door.brought(place.van.device, NOW // 86_400) == len(DATA)
    place.registry.close()


def test_files_of_an_older_key_are_still_read(place):
    place.take([MANIFEST], pieces())
    both = FolderShelf(place.folder, [house_key(b"new" + b"n" * 29, b"central"), KEY])
    assert b"".join(both.read(MANIFEST.blob, len(DATA))) == DATA  # type: ignore[arg-type]


def test_a_whole_file_that_was_damaged_later_is_reported_not_shown(place):
    place.take([MANIFEST], pieces())
    path = place.shelf.path(MANIFEST.blob)
    damaged = bytearray(path.read_bytes())
    damaged[5000] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(Problem, match=r"blob\.lost"):
        place.arrivals.read(MANIFEST.blob)


def test_a_file_that_was_lost_comes_back_from_the_backup_or_is_wanted_again(place, tmp_path):
    place.take([MANIFEST], pieces())
    path = place.shelf.path(MANIFEST.blob)
    spare = FolderShelf(tmp_path / "spare", [KEY])
    spare.put(MANIFEST.blob, len(DATA), list(enumerate(split(DATA))))
    limits = Limits(1 << 40, 1 << 40)
    place.arrivals = Arrivals(place.registry, place.shelf, limits, spare)
    path.unlink()
    assert place.arrivals.read(MANIFEST.blob) == DATA
    assert path.exists(), "and lies where it was"
    assert not place.arrivals.losses.any(NOW)
    path.unlink()
    spare.delete(MANIFEST.blob)
    with pytest.raises(Problem, match=r"blob\.lost"):
        place.arrivals.read(MANIFEST.blob)
    place.states()
    place.restart()
    (state,) = place.arrivals.states(place.van.log_state(1), [], NOW)
    assert (state.verified, state.missing) == (False, [(0, len(DATA))]), "said unasked"
    (state,) = place.take([], pieces())
    assert state.verified
    assert not place.arrivals.losses.any(NOW)


def test_a_loss_is_noted_though_the_register_is_busy_and_nobody_waits_for_it(place, monkeypatch):
    place.take([MANIFEST], pieces())
    place.shelf.delete(MANIFEST.blob)
    with pytest.raises(Problem, match=r"blob\.lost"):
        place.arrivals.read(MANIFEST.blob)
    losses, told = place.arrivals.losses, threading.Event()

    def busy() -> None:
        """Whoever writes now has a word on another file before it lets go."""

        def tell() -> None:
            losses.mended([PREVIEW.blob])
            told.set()

        threading.Thread(target=tell, daemon=True).start()
        assert told.wait(60), "two wait for each other"
        raise Problem("database.busy")

    with monkeypatch.context() as once:
        once.setattr(place.registry, "write", busy)
        with pytest.raises(Problem, match=r"database\.busy"):
            losses.any(NOW)
    assert losses.any(NOW), "not forgotten"
    place.restart()
    assert place.arrivals.losses.any(NOW), "and noted for every process"


def test_another_process_hears_of_a_loss_and_of_its_end(place):
    place.take([MANIFEST], pieces())
    other = Arrivals(place.registry, place.shelf, place.arrivals.limits)
    assert not other.losses.any(NOW)
    place.shelf.delete(MANIFEST.blob)
    with pytest.raises(Problem, match=r"blob\.lost"):
        place.arrivals.read(MANIFEST.blob)
    assert place.arrivals.losses.any(NOW)
    later = NOW + LOOK_SECONDS
    assert (other.losses.any(NOW), other.losses.any(later)) == (False, True)
    place.take([], pieces())
    assert not other.losses.any(later + LOOK_SECONDS)


def test_of_two_uploads_of_one_file_that_which_fails_leaves_it_to_the_other(place):
    path, arrivals = place.shelf.path(PREVIEW.blob), place.arrivals
    with suppress(ZeroDivisionError), arrivals.lay([SMALL]):
        with suppress(ZeroDivisionError), arrivals.lay([SMALL]):
            raise ZeroDivisionError
        assert path.exists(), "the other is about to speak of it"
        raise ZeroDivisionError
    assert not path.exists()


def test_what_is_laid_ends_a_loss_once_it_is_committed(place):
    place.take([MANIFEST], pieces())
    place.shelf.delete(MANIFEST.blob)
    arrivals, losses = place.arrivals, place.arrivals.losses
    with pytest.raises(Problem, match=r"blob\.lost"):
        arrivals.read(MANIFEST.blob)
    assert losses.any(NOW)
    for failing in (True, False):
        with (
            pytest.raises(ZeroDivisionError) if failing else nullcontext(),
            arrivals.lay([DATA]) as laid,
            place.registry.write() as door,
        ):
            arrivals.arrived(door, laid, NOW)
            assert not failing or 1 / 0
        assert losses.any(NOW) is failing
    assert arrivals.read(MANIFEST.blob) == DATA


def test_what_is_not_here_yet_says_how_far_it_is(place):
    with pytest.raises(Problem) as none:
        place.arrivals.read(MANIFEST.blob)
    assert (none.value.code, none.value.details["percent"]) == ("blob.waiting", 0)
    place.take([MANIFEST], pieces()[:2])
    with pytest.raises(Problem) as some:
        place.arrivals.read(MANIFEST.blob)
    assert some.value.details["percent"] == 65
