"""docs/cli-field.md speaks of every command, option, exit code, setting and key of `jemput`."""

from __future__ import annotations

import re

import pytest

import reference  # scripts/reference.py
from field_client import settings
from field_client.cli import common
from field_client.courier import Report
from field_client.queue import Answer, Row
from tests.architecture import source

PAGE = "".join(  # the papers have a page of their own, which the first one leads to
    (source.ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("cli-field.md", "papers.md")
)
COMMON = {"--data", "--operator", "--pin-file", "--lang", "--json", "--reveal", "--help"}


def said(word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", PAGE) is not None


def test_every_command_and_each_of_its_options_is_explained():
    missing = []
    for words, command in reference.commands("jemput"):
        options = [o for p in command.params for o in (*p.opts, *p.secondary_opts)]
        wanted = [f"jemput {words}", *(o for o in options if o.startswith("--"))]
        missing += [word for word in wanted if not said(word)]
    assert not missing


def test_the_options_of_every_command_are_in_the_first_table():
    assert all(said(option) for option in COMMON - {"--help"})
    for words, command in reference.commands("jemput"):
        options = {o for p in command.params for o in p.opts}
        assert COMMON - {"--help"} <= options, words


@pytest.mark.parametrize("field", settings.VARIABLES.items())
def test_every_setting_has_its_line(field):
    name, variable = field
    assert re.search(rf"^\| `{name}` \| `{variable}` \|", PAGE, re.M)


def test_every_setting_can_be_set_by_the_environment():
    assert set(settings.VARIABLES) == set(settings.FieldSettings.__struct_fields__)


def test_every_exit_code_has_its_line():
    codes = (0, common.PROBLEM, common.USAGE, common.SOME, common.PIN_NEEDED, common.NO_ROAD, 130)
    for code in codes:
        assert re.search(rf"^\| {code} \|", PAGE, re.M), code


@pytest.mark.parametrize("struct", [Row, Answer, Report])
def test_every_key_that_a_program_reads_or_writes_is_named(struct):
    assert [name for name in struct.__struct_fields__ if not said(name)] == []
