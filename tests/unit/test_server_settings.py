"""Central's settings: file, environment and command, in this order, and what is refused."""

from __future__ import annotations

import msgspec
import pytest

from models.problems import Problem
from server.settings import VARIABLES, ServerSettings, load, save


def test_everything_has_a_default(tmp_path):
    place = load(tmp_path, {})
    assert place.settings == ServerSettings()
    assert place.database_url == f"sqlite:///{tmp_path.as_posix()}/central.db"


def test_the_command_goes_over_the_environment_and_that_over_the_file(tmp_path):
    (tmp_path / "pusat.toml").write_text('port = 1\nhost = "a"\ncity = "82.71"\n')
    environment = {"JEMPUT_PUSAT_PORT": "2", "JEMPUT_PUSAT_HOST": "b", "UNRELATED": "x"}
    settings = load(tmp_path, environment, port=3, host=None).settings
    assert (settings.port, settings.host, settings.city) == (3, "b", "82.71")


def test_what_differs_is_saved_and_read_again(tmp_path):
    url = "postgresql+psycopg://jb:p%22w\\d@db/jb"
    place = load(tmp_path / "new", {}, port=9, database_url=url, office_name='Dinas "X"')
    save(place)
    again = load(tmp_path / "new", {})
    assert again.settings == place.settings
    assert again.database_url == url
    assert "host" not in (tmp_path / "new" / "pusat.toml").read_text()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"port": "many"}, "port"),
        ({"port": 70000}, "port"),
        ({"threads": 0}, "threads"),
        ({"log_level": "loud"}, "log_level"),
        ({"public_url": "ftp://x"}, "public_url"),
        ({"database_url": "mysql://x"}, "database_url"),
        ({"pord": 1}, "pord"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, given, named):
    with pytest.raises(Problem) as refused:
        load(tmp_path, {}, **given)
    assert refused.value.code == "settings.invalid"
    assert named in refused.value.details["faults"]


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "pusat.toml").write_text("port = = 1")
    with pytest.raises(Problem) as refused:
        load(tmp_path, {})
    assert "pusat.toml" in refused.value.details["faults"]


def test_every_setting_has_its_variable():
    assert list(VARIABLES) == [f.name for f in msgspec.structs.fields(ServerSettings)]
    assert all(v == f"JEMPUT_PUSAT_{n.upper()}" for n, v in VARIABLES.items())
