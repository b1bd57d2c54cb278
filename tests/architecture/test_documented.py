"""Documentation is a contract: what the program can say, ask or send occurs in `docs/`."""

from __future__ import annotations

import re
from typing import get_args

import pytest

import docs  # scripts/docs.py
import reference  # scripts/reference.py
from models.pages import uploads
from models.problems import problems
from server.pages import sticks
from sync.cases import TAKES
from sync.merge import Guard
from sync.state import OUTCOMES
from tests.architecture import source

PAGES = ("architecture.md", "protocol.md", "security.md", "operations.md", "glossary.md")


def missing_from(text: str, words: list[str]) -> list[str]:
    """Which of these are not in `text` as whole words; at least one must have been asked for."""
    assert words, "nothing was found to look for"
    return [w for w in words if not re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", text)]


def test_the_pages_are_there_and_say_something():
    for name in PAGES:
        assert len((source.ROOT / "docs" / name).read_text(encoding="utf-8")) > 2000, name


def test_every_problem_code_is_documented():
    assert not missing_from(source.documentation(), list(problems()))


@pytest.mark.parametrize("program", reference.HOUSES)
def test_every_command_is_documented(program):
    typed = [f"{program} {words}" for words, _ in reference.commands(program)]
    assert not missing_from(source.documentation(), typed)


@pytest.mark.parametrize("program", reference.HOUSES)
def test_every_command_and_option_says_what_it_does(program):
    for words, command in reference.commands(program):
        assert command.help, f"{program} {words}"
        for option in command.params:
            is_plain = option.param_type_name == "argument" or option.name == "help"
            assert is_plain or option.help, f"{program} {words} {option.name}"


@pytest.mark.parametrize("house", reference.HOUSES.values())
def test_every_setting_is_documented(house):
    assert not missing_from(
        source.documentation(), [name for name, *_ in reference.settings(house)]
    )


def test_every_environment_variable_is_documented():
    assert not missing_from(source.documentation(), reference.variables())


def test_every_message_is_in_the_protocol_page():
    protocol = (source.ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert not missing_from(protocol, [name for name, _ in reference.messages()])


def test_the_words_of_the_protocol_are_in_the_glossary():
    glossary = (source.ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert not missing_from(glossary, [*OUTCOMES, *TAKES, *get_args(Guard)])


def test_every_drawn_part_of_a_page_is_current():
    stale = [page.name for page in docs.stale()]
    assert not stale, "run .venv/bin/python scripts/docs.py"
    drawn = set(re.findall(r"<!-- drawn: (\S+) -->", source.documentation()))
    assert drawn == set(docs.DRAWN), "every drawing has its place in docs/"


def test_the_commands_of_the_operations_page_exist():
    """A command named in a document must be one that can be typed."""
    known = {f"{p} {words}" for p in reference.HOUSES for words, _ in reference.commands(p)}
    groups = {words.rsplit(" ", 1)[0] for words in known if words.count(" ") > 1}
    text = source.documentation() + (source.ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```(?:sh|console|bash)?\n(.*?)^```", text, re.S | re.M))
    named = re.findall(
        r"^\$? ?(?:\.venv/bin/)?(jemput(?:-pusat)?) ([a-z][a-z ]*[a-z])", blocks, re.M
    )
    wrong = []
    for program, words in named:
        typed = f"{program} {words}"
        starts = [" ".join(typed.split()[:n]) for n in (3, 2)]
        if typed not in groups and not known.intersection(starts):
            wrong.append(typed)
    assert not wrong


def test_a_proxy_as_the_operations_page_says_lets_the_largest_forms_through_unkept():
    """What a proxy buffers it writes to its disk: a citizen's papers, in the clear."""
    text = (source.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^location / \{\n(.*?)^\}", text, re.S | re.M)
    (let,) = re.findall(r"client_max_body_size (\d+)m;", block)
    assert int(let) << 20 >= max(sticks.UPLOAD_BYTES_MAX, uploads.UPLOAD_BYTES_MAX)
    assert "proxy_request_buffering off;" in block


def test_a_word_that_is_not_there_is_noticed():
    assert missing_from("`request new` is here", ["request new", "request show"]) == [
        "request show"
    ]
    with pytest.raises(AssertionError):
        missing_from("anything", [])
