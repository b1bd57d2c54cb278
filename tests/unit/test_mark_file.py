"""The mark is right when a save returns, on the disk when it is flushed, and cheap in between."""

import os

import pytest

from field_client.vault.mark import MarkFile

LOG = b"l" * 16


def newest(mark):
    """The mark in the file; there must be one."""
    found = MarkFile(mark.path).read()
    assert found is not None
    return found


@pytest.fixture
def syncs(monkeypatch):
    """Every fsync of a test, still carried out."""
    found = []
    real = os.fsync

    def counted(descriptor):
        found.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    return found


def test_many_saves_in_a_row_share_a_sync_and_the_last_one_is_synced(tmp_path, syncs):
    mark = MarkFile(tmp_path / "log.mark")
    for seq in range(1, 101):
        mark.write(LOG, seq, bytes([seq]) * 32)
        assert newest(mark).seq == seq  # another process reads it at once
    mark.flush()
    assert 1 <= len(syncs) < 50
    before = len(syncs)
    mark.flush()
    assert len(syncs) == before
    mark.write(LOG, 101, b"x" * 32)
    mark.flush()
    assert len(syncs) == before + 1


def test_counting_goes_on_where_another_process_left_it(tmp_path):
    one, other = MarkFile(tmp_path / "log.mark"), MarkFile(tmp_path / "log.mark")
    for seq, mark in enumerate((one, other, one, other), 1):
        mark.write(LOG, seq, b"h" * 32)
    found = newest(one)
    assert (found.count, found.seq) == (4, 4)
    one.flush()
    other.flush()


@pytest.mark.parametrize("size", [0, 40, 128, 200])
def test_a_file_that_was_cut_short_is_written_whole_again(tmp_path, size):
    mark = MarkFile(tmp_path / "log.mark")
    for seq in (1, 2):
        mark.write(LOG, seq, b"h" * 32)
    mark.flush()
    mark.path.write_bytes(mark.path.read_bytes()[:size])
    mark.write(LOG, 9, b"n" * 32)
    mark.flush()
    assert mark.path.stat().st_size == 256
    assert newest(mark).seq == 9
