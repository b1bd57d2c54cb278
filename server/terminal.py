"""What every command of `jemput-pusat` shares: its options, how it speaks, how it ends.

Exit codes: 0 done, 1 refused (the problem is told), 2 wrong usage, 3 a check found something false
or broken, 130 interrupted. With `--json` standard output carries one JSON line and nothing else; a
refusal is `{"problem": {…}}` there, and in words on standard error in any case.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from models.problems import Problem
from models.words import LANGUAGES, say
from server.central import Central, open_central
from server.database.people import Person
from server.files import disk_problems
from server.redact import configure
from server.settings import DATA_VARIABLE, LOGIN_VARIABLE, PASSWORD_FILE_VARIABLE, Place, load

REFUSED, USAGE, FALSE = 1, 2, 3
PASSWORD_FILE_BYTES_MAX = 4096
WIDTH = 160
"""Columns where nobody looks: in a pipe or a file."""

DataOption = Annotated[
    Path, typer.Option("--data", envvar=DATA_VARIABLE, help="Folder of central's data.")
]
LangOption = Annotated[str, typer.Option("--lang", help="Language of the words: id or en.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line instead of words.")]
AsOption = Annotated[
    str, typer.Option("--as", envvar=LOGIN_VARIABLE, help="Login of the person who does this.")
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        envvar=PASSWORD_FILE_VARIABLE,
        help="File whose first line is the password; without it the password is asked for.",
    ),
]
DEFAULT_DATA = Path("jemput-pusat")


class Terminal:
    """One command's way of speaking. `json`: a single JSON line on standard output."""

    def __init__(self, lang: str, json: bool) -> None:
        self.lang = lang
        self.json = json
        wide = None if sys.stdout.isatty() else WIDTH
        self.out = Console(highlight=False, width=wide, soft_wrap=wide is not None)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, msgid: str, **values: Any) -> str:
        """The words in the language that was asked for."""
        return say(msgid, self.lang, **values)

    def tell(self, words: str) -> None:
        """A sentence on standard output, unless JSON was asked for."""
        if not self.json:
            self.out.print(words, markup=False)

    def warn(self, words: str) -> None:
        """A sentence on standard error."""
        self.err.print(words, markup=False)

    def give(self, value: Any) -> None:
        """The JSON line, if JSON was asked for."""
        if self.json:
            sys.stdout.write(msgspec.json.encode(value, enc_hook=_hex).decode() + "\n")
            sys.stdout.flush()

    def table(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table on standard output, unless JSON was asked for."""
        if self.json:
            return
        table = Table(title=title, title_justify="left")
        for head in heads:
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*(_plain(cell) for cell in row))
        self.out.print(table, markup=False)

    def facts(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Name and value, one a line; empty values are left out."""
        if self.json:
            return
        shown = [(name, value) for name, value in rows if value not in ("", None)]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.out.print(f"{name:<{width}}  {value}", markup=False)

    def refuse(self, problem: Problem) -> None:
        """Tell a problem: in words on standard error, with --json also as data."""
        self.err.print(problem.words(self.lang), markup=False)
        self.err.print(f"[{problem.code}]", markup=False, style="dim")
        if self.json:
            self.give({"problem": problem.as_dict(self.lang)})


def _plain(cell: Any) -> str:
    from rich.markup import escape

    return escape(str(cell))


def _hex(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)


@contextlib.contextmanager
def speaking(lang: str, json: bool) -> Iterator[Terminal]:
    """A terminal; a Problem inside ends the command with its words and exit code 1."""
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"--lang: {', '.join(LANGUAGES)}")
    terminal = Terminal(lang, json)
    try:
        yield terminal
    except Problem as problem:
        terminal.refuse(problem)
        raise typer.Exit(REFUSED) from None


@contextlib.contextmanager
def at_central(data: Path, lang: str, json: bool) -> Iterator[tuple[Terminal, Central]]:
    """A terminal and the opened central of the folder `data`."""
    with speaking(lang, json) as terminal:
        central = open_central(placed(data))
        try:
            yield terminal, central
        finally:
            central.close()


@contextlib.contextmanager
def signed_in(
    data: Path, lang: str, json: bool, login: str, password_file: Path | None
) -> Iterator[tuple[Terminal, Central, Person]]:
    """The same, with the person who gave their name and password."""
    with at_central(data, lang, json) as (terminal, central):
        if not login:
            raise Problem("auth.required")
        password = password_of(terminal, login, password_file)
        yield terminal, central, central.doorkeeper.check(login, password)


def placed(data: Path, **given: Any) -> Place:
    """The settings of the folder, with log lines set up as they say."""
    place = load(data, **given)
    configure(place.settings.log_level)
    return place


def password_of(terminal: Terminal, login: str, file: Path | None, *, twice: bool = False) -> str:
    """The password from the first line of `file`, or asked for (twice for a new one)."""
    if file is not None:
        return first_line(file)
    if not sys.stdin.isatty():
        raise Problem("auth.required")
    question = say("Kata sandi untuk {login}", terminal.lang, login=login)
    answer: str = typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
    return answer


def first_line(file: Path) -> str:
    """First line of a small file, without its end."""
    with disk_problems(file):
        if not file.is_file():
            raise Problem("file.unreadable", file=file.name)
        with file.open("rb") as opened:
            data = opened.read(PASSWORD_FILE_BYTES_MAX)
    return data.split(b"\n", 1)[0].rstrip(b"\r").decode("utf-8", "replace")
