"""`jemput-pusat reference` and `roster`: what the office gives to laptops; `jemput reference`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models import codes, services
from models.services import catalogue
from models.words import WIT
from tests.field import Jemput
from tests.integration.test_central_commands import Command, office, problem, run
from tests.integration.test_field_cli import no_key_store, van
from tests.pusat import VILLAGE

__all__ = ["no_key_store", "office", "run", "van"]

SLUG = "village-domicile-letter"


@pytest.fixture(autouse=True)
def own_forms() -> Iterator[None]:
    """What is published here holds in this process only until the test ends."""
    yield
    services.adopt({})


def test_a_form_is_published_once_it_is_right_and_listed(run: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    (folder / "services").mkdir(parents=True)
    file = folder / "services" / f"{SLUG}.toml"
    text = codes.packaged().joinpath("services", f"{SLUG}.toml").read_text()
    file.write_text(text + "\n# lain\n")
    refused = run("reference", "publish", str(folder), login="tono", ok=1)
    assert problem(refused) == "reference.edition"
    file.write_text(text.replace("edition = 1", "edition = 2"))
    made = run("reference", "publish", str(folder), "--title", "Domisili", login="tono")
    assert (made["number"], made["title"]) == (1, "Domisili")
    again = run("reference", "publish", str(folder), login="tono", ok=1)
    assert problem(again) == "reference.nothing"
    listed = run("reference", "list", login="tono")
    assert [one["digest"] for one in listed["packages"]] == [made["digest"]]
    (mine,) = (one for one in listed["editions"] if one["service"] == SLUG)
    assert (mine["edition"], mine["earlier"]) == (2, [1])
    assert "Domisili" in run.words("reference", "list", login="tono", lang="en")


def test_a_list_of_residents_is_kept_listed_and_removed(run: Command, tmp_path: Path) -> None:
    file = tmp_path / "warga.csv"
    file.write_text("NIK;Nama;Tgl Lahir\n")
    terms = ["--village", VILLAGE, "--source", "Kantor Desa", "--basis", "Perjanjian 1"]
    today = datetime.now(tz=WIT).date()  # the commands have no other clock
    days = ["--date", f"{today - timedelta(20)}", "--until", f"{today + timedelta(80)}"]
    wrong = run("roster", "add", str(file), *terms, *days[:2], "--until", "x", login="tono", ok=1)
    assert problem(wrong) == "roster.terms"
    kept = run("roster", "add", str(file), *terms, *days, login="tono")
    assert run("roster", "list", login="tono")["rosters"] == [kept]
    assert "Kantor Desa" in run.words("roster", "list", login="tono")
    assert run("roster", "remove", kept["id"][:8], login="tono") == {"removed": kept["id"][:8]}
    gone = run("roster", "remove", kept["id"], login="tono", ok=1)
    assert problem(gone) == "roster.unkept"


def test_a_laptop_says_by_which_forms_it_works(van: Jemput) -> None:
    told = van.one("reference")
    assert (told["package"], told["visits"]) == (0, [])
    assert {e["service"]: e["edition"] for e in told["editions"]} == {
        one.slug: one.edition for one in catalogue().services()
    }
    (cells,) = (one for one in van.lines("doctor", "--quick") if one["check"] == "cells")
    assert cells["ok"]
    assert van.one("status")["repairs"] == 0
