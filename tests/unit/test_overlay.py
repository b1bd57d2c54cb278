"""Reference data is published as a whole, and never takes away what old requests lean on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import codes
from models.overlay import FILE_BYTES_MAX, Overlay, vetted
from models.problems import Problem
from models.services import Catalogue
from sync.identity import Identity
from sync.messages import Piece
from sync.reference import PIECE_BYTES, Coming, Package, digest, grown, issue, piece, read

DATA = codes.packaged()
SLUG = "village-domicile-letter"
FILE = f"services/{SLUG}.toml"
ME = Identity(b"c" * 32, b"d" * 32)


def today(path: str) -> bytes:
    return DATA.joinpath(*path.split("/")).read_bytes()


def edition(number: int, title: str = "Keterangan domisili baru") -> bytes:
    lines = today(FILE).decode().splitlines()
    lines = [f"edition = {number}" if line.startswith("edition =") else line for line in lines]
    new = f'title = {{ id = "{title}", en = "New letter" }}'
    return "\n".join(new if line.startswith("title =") else line for line in lines).encode()


def test_a_new_edition_keeps_the_one_before_beside_it() -> None:
    found = vetted(DATA, {FILE: edition(2)})
    assert found == {FILE: edition(2), f"services/{SLUG}@1.toml": today(FILE)}
    whole = Catalogue(Overlay(DATA, found))
    assert whole.service(SLUG).edition == 2
    assert whole.service(SLUG, 1).title == Catalogue(DATA).service(SLUG).title
    assert whole.service(SLUG).title != whole.service(SLUG, 1).title
    assert whole.slugs == Catalogue(DATA).slugs
    third = vetted(Overlay(DATA, found), {FILE: edition(3)})
    assert set(third) == {FILE, f"services/{SLUG}@2.toml"}
    (mine,) = (e for e in Catalogue(Overlay(DATA, found | third)).editions() if e.service == SLUG)
    assert (mine.edition, mine.earlier) == (3, (1, 2))


def refused(files: dict[str, bytes]) -> str:
    with pytest.raises(Problem) as caught:
        vetted(DATA, files)
    assert caught.value.words("id")
    return caught.value.code


def test_what_would_pull_the_ground_from_under_old_requests_is_refused() -> None:
    assert refused({FILE: edition(1)}) == "reference.edition"
    assert refused({"services/x@1.toml": edition(1), FILE: b"no toml"}) == "reference.broken"
    block = "blocks/village_letter.toml"
    assert refused({block: today(block) + b"\n# more"}) == "reference.block"
    fewer = b'certainty = "sure"\n[codes]\nISLAM = { id = "Islam", en = "Islam" }\n'
    assert refused({"codes/agama.toml": fewer}) == "reference.code"
    assert refused({FILE: today(FILE)}) == "reference.nothing"
    assert refused({}) == "reference.nothing"
    assert refused({FILE: b"x" * (FILE_BYTES_MAX + 1)}) == "reference.file"
    assert refused({"calendar/2027.toml": b'year = 2026\nreference = "x"\noff = []'}) == (
        "reference.broken"
    )
    assert refused({"visits.toml": b"[[visit]]\nday = 'soon'"}) == "reference.broken"


@pytest.mark.parametrize(
    "path",
    ["../x.toml", "services/../../x.toml", "/etc/passwd", "problems.toml", "services/A.toml"],
)
def test_no_file_outside_its_rooms_is_published(path: str) -> None:
    assert refused({path: b"x = 1"}) == "reference.file"


def test_a_package_is_central_s_or_nothing() -> None:
    package = Package(3, 1_795_000_000, "Formulir baru", {FILE: edition(2)})
    token = issue(package, ME)
    assert read(token, ME.sign_key) == package
    with pytest.raises(Problem):
        read(token, Identity(b"e" * 32, b"d" * 32).sign_key)
    for place in (0, len(token) // 2, len(token) - 1):
        altered = bytearray(token)
        altered[place] ^= 1
        with pytest.raises(Problem):
            read(bytes(altered), ME.sign_key)


@given(
    size=st.integers(1, 3 * PIECE_BYTES),
    budgets=st.lists(st.integers(-5, 2 * PIECE_BYTES), max_size=30),
    again=st.integers(0, 3),
)
def test_pieces_make_the_whole_whatever_is_cut_lost_or_told_twice(
    size: int, budgets: list[int], again: int
) -> None:
    token = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    coming: Coming | None = None
    budgets += [PIECE_BYTES] * 200
    for budget in budgets:
        held = len(coming.data) if coming is not None else 0
        if held == size:
            break
        one = piece(7, token, held, budget)
        for _ in range(again + 1):
            coming = grown(coming, one)
        assert coming is not None
        assert coming.whole == (len(coming.data) == size)
        stranger = Piece(6, 5, b"x" * 32, 0, b"older")
        assert grown(coming, stranger) == coming
    assert coming is not None
    assert coming.data == token
    newer = Piece(8, 4, digest(b"next"), 0, b"next")
    assert grown(coming, newer) == Coming(8, 4, digest(b"next"), b"next")
