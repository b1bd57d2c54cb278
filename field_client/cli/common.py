"""What every command of `jemput` shares: its options, how it speaks, how it ends.

Exit codes: 0 done; 1 a problem, told in words; 2 wrong usage; 3 something of several was refused,
or a check found something false; 4 a PIN is needed or wrong; 5 no road to central now; 130 stopped
by the operator. With `--json` standard output carries JSON lines and nothing else; a refusal is
`{"problem": {…}}` there, and its words stand on standard error in any case.

Only small modules are imported here: an old laptop must show its help at once.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from models.problems import Problem, internal
from models.words import LANGUAGES, say

if TYPE_CHECKING:
    from field_client.app import House
    from field_client.settings import Place

PROBLEM, USAGE, SOME, PIN_NEEDED, NO_ROAD = 1, 2, 3, 4, 5

_PIN_CODES = ("pin.", "vault.locked", "vault.shredded", "operator.unknown", "operator.which")
_ROAD_CODES = (
    "sync.unreachable", "sync.timeout", "sync.forged_reply", "sync.not_central",
    "sync.office_trouble",
)  # fmt: skip
_FALSE_CODES = (
    "receipt.forged", "receipt.malformed", "receipt.unknown_key", "receipt.ask_office",
)  # fmt: skip
COMMANDS = {
    "invitation.used": "jemput enrol INVITATION --again",
    "bundle.other_recipient": "jemput usb carry",
    "bundle.unknown": "jemput usb status",
    "backup.absent": "jemput backup",
    "page.port": "jemput serve --port 0",
    "hole.older": "jemput doctor",
}
"""What helps at a terminal; the words of a problem name what is on the pages."""

_PIN_BYTES_MAX = 4096
TRACE_VARIABLE = "JEMPUT_TRACE"

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of this laptop's data (JEMPUT_DATA).")
]
OperatorOption = Annotated[
    str | None, typer.Option("--operator", help="Short name of who works (JEMPUT_OPERATOR).")
]
PinFileOption = Annotated[
    Path | None,
    typer.Option(
        "--pin-file",
        help="File whose first line is the PIN (JEMPUT_PIN_FILE); else the PIN is asked for.",
    ),
]
LangOption = Annotated[
    str | None, typer.Option("--lang", help="Language of the words: id or en (JEMPUT_LANG).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines instead of words.")]
RevealOption = Annotated[
    bool,
    typer.Option("--reveal", help="Show personal data unmasked; each time is noted in the vault."),
]

_COMMON: dict[str, tuple[Any, Any]] = {
    "data": (DataOption, None),
    "operator": (OperatorOption, None),
    "pin_file": (PinFileOption, None),
    "lang": (LangOption, None),
    "json": (JsonOption, False),
    "reveal": (RevealOption, False),
}


class Given(msgspec.Struct):
    """The common options as they were typed, before or after the command's name."""

    data: Path | None = None
    operator: str | None = None
    pin_file: Path | None = None
    lang: str | None = None
    json: bool = False
    reveal: bool = False

    def over(self, other: Given) -> Given:
        """These options, with `other`'s where these were not given."""
        mine, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        return Given(**{name: mine[name] or theirs[name] for name in mine})


class Call:
    """One call of a command: where its data is, how it speaks, and the way into the vault."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.json = given.json
        self.reveal = given.reveal
        self.lang = given.lang or os.environ.get("JEMPUT_LANG", "id")
        self._house: House | None = None

    @functools.cached_property
    def place(self) -> Place:
        """The data folder and its settings."""
        from field_client import settings

        pin_file = str(self.given.pin_file) if self.given.pin_file else None
        found = settings.load(
            self.given.data, operator=self.given.operator, pin_file=pin_file, lang=self.given.lang
        )
        self.lang = found.settings.lang
        return found

    def house(self) -> House:
        """The unlocked laptop; asks for the PIN the first time. Tells a doubt about the clock."""
        if self._house is None:
            from field_client.app import keys_of, open_house, who

            keys = keys_of(self.place.folder)
            if not keys.exists:
                raise Problem("vault.absent", path=str(self.place.folder))
            name = who(keys, self.place.settings.operator)
            self._house = open_house(self.place, name, self.pin(name), keys=keys)
            self._house.begin()
            doubt = self._house.desk.clock_doubt()
            if doubt is not None:
                self.warn(doubt.words(self.lang))
            if self._house.practice:
                self.warn(say("DATA LATIHAN — tidak akan dikirim.", self.lang))
        return self._house

    def close(self) -> None:
        """Close what was opened."""
        if self._house is not None:
            self._house.close()
            self._house = None

    def ask_clock(self) -> None:
        """Before something is written: somebody at a terminal says whether to go on with a clock
        that looks wrong. Elsewhere it was told, and the change is marked."""
        doubt = self.house().desk.clock_doubt()
        if doubt is not None and sys.stdin.isatty() and sys.stderr.isatty():
            typer.confirm(say("Lanjutkan?", self.lang), default=True, abort=True, err=True)

    # -- PINs

    def pin(self, name: str) -> str:
        """The PIN: from the file that was named, or asked for at a terminal."""
        if self.place.settings.pin_file:
            return read_pin(Path(self.place.settings.pin_file))
        return self.ask_pin(say("PIN {name}", self.lang, name=name))

    def new_pin(self, file: Path | None) -> str:
        """A new PIN, typed twice; or from a file."""
        if file is not None:
            return read_pin(file)
        first = self.ask_pin(say("PIN baru", self.lang))
        if self.ask_pin(say("Sekali lagi", self.lang)) != first:
            raise Problem("pin.differs")
        return first

    def ask_pin(self, words: str) -> str:
        """Ask without showing what is typed. Problem pin.missing where nobody can be asked."""
        if not sys.stdin.isatty():
            raise Problem("pin.missing")
        import getpass

        return getpass.getpass(f"{words}: ", stream=sys.stderr)

    # -- speaking

    def out(self, text: str = "") -> None:
        """A line of words on standard output, unless JSON was asked for."""
        if not self.json:
            typer.echo(text)

    def warn(self, text: str) -> None:
        """A line of words on standard error."""
        typer.echo(text, err=True)

    def give(self, value: Any) -> None:
        """A JSON line, if JSON was asked for; complete and flushed when this returns."""
        if self.json:
            give_line(value)

    def facts(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Name and value, one a line; empty values are left out."""
        if self.json:
            return
        shown = [(name, str(value)) for name, value in rows if value not in ("", None)]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            typer.echo(f"{name:<{width}}  {value}")

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table as wide as the terminal, unless JSON was asked for."""
        if self.json:
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for head in heads:
            table.add_column(escape(head), overflow="fold")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        console.print(table)

    def refuse(self, problem: Problem, **beside: Any) -> int:
        """Tell a problem; gives the exit code. beside: what was done all the same."""
        self.warn(problem.words(self.lang))
        for one in problem.details.get("findings", ()):
            self.warn(f"  {one.key}: {one.words(self.lang)}")
        if problem.code in COMMANDS:
            self.warn(say("Perintah: {command}", self.lang, command=COMMANDS[problem.code]))
        self.warn(f"[{problem.code}]")
        if self.json:
            give_line({"problem": refusal(problem, self.lang), **beside})
        return exit_code(problem)


def refusal(problem: Problem, lang: str) -> dict[str, Any]:
    """A problem as JSON, remarks on single answers beside it."""
    findings = problem.details.get("findings", ())
    plain = Problem(problem.code, **{k: v for k, v in problem.details.items() if k != "findings"})
    body = plain.as_dict(lang)
    if findings:
        body["problems"] = [
            {"key": f.key, "code": f.code, "severity": f.severity, "words": f.words(lang)}
            for f in findings
        ]
    return body


def exit_code(problem: Problem) -> int:
    """How a command ends with this problem."""
    if problem.code.startswith(_PIN_CODES):
        return PIN_NEEDED
    if problem.code in _ROAD_CODES:
        return NO_ROAD
    if problem.code in _FALSE_CODES:
        return SOME
    return PROBLEM


def give_line(value: Any) -> None:
    """One JSON line on standard output, flushed: what was said is not lost with the process."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def read_pin(path: Path) -> str:
    """The first line of a PIN file."""
    try:
        with path.open("rb") as file:
            data = file.read(_PIN_BYTES_MAX)
        return data.decode().partition("\n")[0].strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem("file.unreadable", file=path.name) from error


def command(group: typer.Typer, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function `f(call, own options…)` as a command that also takes the common options.

    Problems become words and an exit code; so does anything unforeseen, without its data.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(function, eval_str=True)

        @functools.wraps(function)
        def run(ctx: typer.Context, **options: Any) -> None:
            common = Given(**{key: options.pop(key) for key in _COMMON})
            before = ctx.obj if isinstance(ctx.obj, Given) else Given()
            raise typer.Exit(_run(Call(common.over(before)), function, options))

        parameters = [
            inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        ]
        parameters += [
            one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for one in list(own.parameters.values())[1:]
        ]
        parameters += [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for key, (kind, default) in _COMMON.items()
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        group.command(name)(run)
        return function

    return register


def _run(call: Call, function: Callable[..., Any], options: dict[str, Any]) -> int:
    try:
        if call.lang not in LANGUAGES:
            raise Problem("settings.invalid", faults="lang " + "|".join(LANGUAGES))
        ended: int | None = function(call, **options)
        return ended or 0
    except Problem as problem:
        return call.refuse(problem)
    except (KeyboardInterrupt, BrokenPipeError, typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        if os.environ.get(TRACE_VARIABLE):
            raise
        return call.refuse(internal(error))
    finally:
        call.close()
