"""The office publishes other forms, codes and visits; laptops work by them when all of it came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from field_client.editions import timetable
from field_client.transports.http import Unreached
from models import codes, services
from models.problems import Problem
from models.services import catalogue
from server.central import open_central
from server.database.packages import Packages
from tests.requests import row
from tests.sticks import bring, export, give, read, stick
from tests.town import Laptop, Town
from tests.village import PLACE

SLUG = "village-domicile-letter"
FILE = f"services/{SLUG}.toml"
VISITS = f'[[visit]]\nday = 2026-12-01\nvillage = "{PLACE}"\nnote = "Balai desa, 09.00"\n'


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()
    services.adopt({})


def publish(town: Town, edition: int, title: str, **files: bytes) -> int:
    """Another edition of a letter, with other files beside it; then this process works by the old
    ones again, as a laptop does that heard nothing yet."""
    folder = town.folder / f"new-{edition}"
    lines = codes.packaged().joinpath("services", f"{SLUG}.toml").read_text().splitlines()
    changes = {"edition =": f"edition = {edition}", "title =": f'title = {{id="{title}", en="X"}}'}
    for start, new in changes.items():
        lines = [new if line.startswith(start) else line for line in lines]
    whole = {FILE: "\n".join(lines).encode()} | {k.replace("__", "/"): v for k, v in files.items()}
    for name, data in whole.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    number = town.central.reference.publish(town.staff["ratna"], folder, title).number
    assert catalogue().service(SLUG).edition == edition
    services.adopt({})
    return number


def long_list(seed: int) -> bytes:
    """A list of codes that nothing makes shorter."""
    noise = Random(seed).randbytes(30 * 1024).hex()
    return f'certainty = "sure"\nnote = "{noise}"\n[codes]\n"1" = {{id="a", en="a"}}\n'.encode()


def letter(town: Town, laptop: Laptop, part: str) -> Any:
    (taken,) = laptop.take(row(town.village, SLUG, town.person(part), ref=part))
    return taken


def number_of(laptop: Laptop) -> int:
    package = laptop.house.store.package()
    return package.number if package is not None else 0


def test_a_published_form_reaches_a_laptop_and_old_requests_stay_readable(town: Town) -> None:
    van = town.laptop("sari")
    old = letter(town, van, "father")
    visits = {"visits.toml": VISITS.encode()}
    assert publish(town, 2, "Domisili (baru)", **visits) == 1
    late = letter(town, van, "mother")  # still offline, still the form it has
    assert (old.edition, late.edition) == (1, 1)
    report = van.sync()
    assert report.reference
    assert report.round_trips <= 2
    assert van.sync().round_trips == 1
    assert not van.sync().reference
    new = letter(town, van, "old_man")
    assert new.edition == 2
    assert van.open_sheet(new.record).form().title.say("id") == "Domisili (baru)"
    assert van.open_sheet(old.record).form().title.say("id") == "Surat keterangan domisili"
    assert van.sync().outcomes == {"applied": 1}
    assert {town.stored()[one.record.hex()] for one in (old, late, new)} == {"received"}
    package = van.house.store.package()
    assert [v.note for v in timetable(package, van.house.desk.today())] == ["Balai desa, 09.00"]
    services.adopt({})
    van.open()  # another day: it works by what is in the vault
    assert letter(town, van, "old_woman").edition == 2
    assert town.is_whole()


def test_a_laptop_that_never_heard_of_a_form_loses_nothing(town: Town) -> None:
    """It is told a request it cannot read yet, and can read it as soon as the form comes."""
    van, clerk = town.laptop("sari"), town.laptop("rusli")
    publish(town, 2, "Domisili (baru)")
    van.sync()
    new = letter(town, van, "father")
    van.sync()
    services.adopt({})
    with pytest.MonkeyPatch.context() as patch:  # this road brings the clerk no packages
        patch.setattr(Packages, "package", lambda self: (0, b""))
        clerk.sync()
    (line,) = clerk.house.store.requests.newest()
    assert (line.record, line.name) == (new.record, "")
    assert clerk.house.desk.open(new.record).service is None
    clerk.sync()
    (line,) = clerk.house.store.requests.newest()
    assert line.name == town.person("father").name
    assert clerk.open_sheet(new.record).form().edition == 2


def test_half_a_package_is_no_package_and_the_rest_comes_later(town: Town) -> None:
    van = town.laptop("sari")
    lists = {f"codes/panjang_{i}.toml": long_list(i) for i in range(3)}
    publish(town, 2, "Domisili (baru)", **lists)
    held: list[tuple[int, int, int] | None] = []

    def torn(path: str, answer: bytes) -> bytes:
        van.lane.after = heard
        raise Unreached(Problem("sync.timeout"), arrived=answer[: len(answer) * 2 // 3])

    def heard(path: str, answer: bytes) -> bytes:
        held.append(van.house.store.sight().reference)
        return answer

    van.lane.after = torn
    van.sync()
    assert held[0] is not None
    assert (held[0][0], held[0][1]) == (0, 1)
    assert held[0][2] > 0, "what came is not asked for again"
    assert number_of(van) == 1
    assert codes.code_list("panjang_2").codes["1"].say("id") == "a"


def test_packages_come_by_stick_too(town: Town) -> None:
    van = town.laptop("sari", enrolled=False)
    letter(town, van, "father")
    export(van, stick(town, "there"))
    bring(town, stick(town, "there"))
    publish(town, 2, "Domisili (baru)")
    give(town, van, stick(town, "back"))
    (done,) = read(van, stick(town, "back"))
    assert done.reference
    assert number_of(van) == 1
    assert letter(town, van, "mother").edition == 2


def test_only_keepers_publish_and_nothing_half_good(town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    (folder / "services").mkdir(parents=True)
    text = codes.packaged().joinpath("services", f"{SLUG}.toml").read_text()
    broken = text.replace("edition = 1", "edition = 2").replace(
        'use = "address"', 'use = "nowhere"'
    )
    (folder / FILE).write_text(broken)
    reference = town.central.reference
    for who, code in (("nurlaila", "auth.forbidden"), ("ratna", "service.broken")):
        with pytest.raises(Problem, match=code.replace(".", r"\.")):
            reference.publish(town.staff[who], folder, "")
    assert reference.published(town.staff["ratna"]) == []
    publish(town, 2, "a")
    publish(town, 3, "b")
    found = reference.published(town.staff["ratna"])
    assert [one.number for one in found] == [2, 1]
    again = open_central(town.central.place, town.time)
    again.close()
    service = catalogue()
    assert (service.service(SLUG).edition, service.service(SLUG, 2).edition) == (3, 2)
