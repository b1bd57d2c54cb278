"""A SIAK batch in the pages: frozen, typed row by row, closed by a second person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.test_central_batches import statuses, verified
from tests.pusat import Pusat
from tests.windows import window, windows


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pages")) as found:
        yield found


def test_from_freezing_to_closing_by_two_people(office: Pusat) -> None:
    van = office.van("Si Jola 1")
    names = verified(office, van, 3)
    first, second = f"WARGA {van.number} 1", f"WARGA {van.number} 2"
    siak, tono = window(office, "siak"), window(office, "tono")
    siak.go("/batches")
    assert first in siak.text
    siak.post("/batches/freeze", 422)
    siak.post("/batches/freeze", request=names)
    address = siak.path
    assert statuses(office, names) == ["in_batch"] * 3
    siak.go(f"{address}/export/xlsx")
    assert siak.page.content[:2] == b"PK"
    siak.go(f"{address}/rows/1")
    assert "LAKI-LAKI" in siak.text.upper()
    assert siak.text.count(first) == 1, "nothing is typed twice"
    siak.post(f"{address}/rows/1", 422, reference=" ")
    siak.post(f"{address}/rows/1", reference="SIAK-1")
    assert siak.path == f"{address}/rows/2", "the next row by itself"
    siak.send(_failing(siak, f"{address}/rows/2"), reason="NIK tidak ditemukan")
    assert siak.path == f"{address}/rows/3"
    siak.post(f"{address}/rows/3", reference="SIAK-3")
    assert siak.path == address
    assert "NIK tidak ditemukan" in siak.text
    siak.post(f"{address}/propose")
    siak.post(f"{address}/close", 403, agree="yes")
    assert "orang lain" in siak.text
    tono.go(address)
    assert "SIAK-1" in tono.text, "who closes sees what was entered"
    assert "Unduh" not in tono.text
    tono.post(f"{address}/close", agree="no")
    siak.go(address)
    siak.post(f"{address}/propose")
    tono.go(address)
    tono.post(f"{address}/close", agree="yes")
    assert statuses(office, names) == ["in_siak", "verified", "in_siak"]
    siak.go("/batches")
    assert second in siak.text, "what failed is ready for the next one"
    assert "Ditutup" in siak.text


def _failing(siak, path):
    """The second form of a row: that SIAK did not take it."""
    from tests.pages import forms_of

    return [f for f in forms_of(siak.page.text) if f.action == path][1]


def test_the_oldest_are_frozen_by_one_press(office: Pusat) -> None:
    names = verified(office, office.van("Si Jola 2"), 2)
    siak = window(office, "siak")
    siak.go("/batches")
    siak.post("/batches/oldest", 422, n="1001")
    siak.post("/batches/oldest", n="1000")
    assert statuses(office, names) == ["in_batch"] * 2
    window(office, "rina").go("/batches", 403)
