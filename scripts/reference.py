"""Writes `docs/reference.md` from the program itself: commands, settings, problems, messages.

    python3 scripts/reference.py            write the page
    python3 scripts/reference.py --check    say whether it is current (exit 1 if not)

The page is for looking things up; a test fails while it is behind the code.
"""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import home

if __name__ == "__main__":
    home.enter()

import msgspec
import typer
from typer.main import get_command

from models.problems import problems

PAGE = home.ROOT / "docs" / "reference.md"
HOUSES = {"jemput": "field_client", "jemput-pusat": "server"}
VARIABLE = re.compile(r"""["'](JEMPUT_[A-Z][A-Z_]*)["']""")
OPENING = """\
# Reference

Written by `scripts/reference.py` from the program itself; do not edit by hand. How things are used
together stands in [operations.md](operations.md), what goes over the wire in
[protocol.md](protocol.md).
"""


def commands(program: str) -> Iterator[tuple[str, Any]]:
    """Every command of a program by the words one types, without groups: `request new`."""
    module = importlib.import_module(f"{HOUSES[program]}.cli")
    apps = [value for value in vars(module).values() if isinstance(value, typer.Typer)]
    if not apps:
        raise LookupError(f"{module.__name__} has no Typer app")
    root = getattr(module, "app", apps[0])
    yield from _below(get_command(root), "")


def _below(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield words, command
        return
    for name in sorted(children):
        if not children[name].hidden:
            yield from _below(children[name], f"{words} {name}".strip())


def settings(house: str) -> Iterator[tuple[str, str, str]]:
    """Name, type and default of every setting of a house."""
    module = importlib.import_module(f"{house}.settings")
    for value in vars(module).values():
        is_own = isinstance(value, type) and value.__module__ == module.__name__
        if is_own and issubclass(value, msgspec.Struct):
            for field in msgspec.structs.fields(value):
                default = "required" if field.required else _default(field)
                yield field.encode_name, _type_name(field.type), default


def variables() -> list[str]:
    """Every environment variable that the four packages read."""
    found: set[str] = set()
    for package in ("models", "sync", "field_client", "server"):
        for path in (home.ROOT / package).rglob("*.py"):
            found |= set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


def messages() -> Iterator[tuple[str, str]]:
    """Name and first line of everything that travels."""
    module = importlib.import_module("sync.messages")
    for name, value in vars(module).items():
        is_own = isinstance(value, type) and value.__module__ == module.__name__
        if is_own and issubclass(value, msgspec.Struct) and not name.startswith("_"):
            yield name, _first_line(value.__doc__)


def render() -> str:
    """The whole page."""
    parts = [OPENING]
    for program in HOUSES:
        parts.append(f"\n## Commands: `{program}`\n")
        parts += [_command(program, words, command) for words, command in commands(program)]
    for program, house in HOUSES.items():
        parts.append(f"\n## Settings of `{program}`\n\n| Setting | Type | Default |\n|--|--|--|\n")
        parts += [f"| `{n}` | {_cell(t)} | {_cell(d)} |\n" for n, t, d in settings(house)]
    parts.append("\n## Environment\n\n")
    parts += [f"- `{name}`\n" for name in variables()]
    parts.append("\n## Messages\n\n| Message | What it is |\n|--|--|\n")
    parts += [f"| `{name}` | {_cell(line)} |\n" for name, line in messages()]
    parts.append(
        "\n## Problems\n\nWhat a person can be told, whose turn it is then, and the words.\n"
    )
    parts.append("\n| Code | Status | Whose turn | Indonesian | English |\n|--|--|--|--|--|\n")
    for code, entry in sorted(problems().items()):
        words = f"{_cell(entry.id)} | {_cell(entry.en)}"
        parts.append(f"| `{code}` | {entry.status} | {entry.who} | {words} |\n")
    return "".join(parts)


def _command(program: str, words: str, command: Any) -> str:
    lines = [f"\n### `{program} {words}`\n\n{_first_line(command.help)}\n"]
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    rows = [(_parameter(one), _cell(getattr(one, "help", None) or "")) for one in shown]
    if rows:
        lines.append(
            "\n" + "".join(f"- {name}{': ' + text if text else ''}\n" for name, text in rows)
        )
    return "".join(lines)


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{word}`" for word in [*parameter.opts, *parameter.secondary_opts])


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n\n")[0].replace("\n", " ").strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        return f"`{field.default}`" if field.default not in ("", None) else "none"
    return f"`{field.default_factory()}`"


def _type_name(kind: Any) -> str:
    return getattr(kind, "__name__", None) or str(kind).replace("typing.", "")


def main() -> int:
    """Write the page, or with --check compare it; 1 if it is behind the program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    check = parser.parse_args().check
    page = render()
    current = Path(PAGE).read_text(encoding="utf-8") if PAGE.exists() else ""
    if check:
        print("current" if page == current else "behind: run python3 scripts/reference.py")
        return int(page != current)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    print(f"{PAGE.relative_to(home.ROOT)}: {len(page.splitlines())} lines")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
