"""What the program can say of itself: commands, settings, environment, messages.

`scripts/docs.py` draws the tables of docs/reference.md with these; tests compare the documents with
them.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import typer
from typer.main import get_command

import home
from server.app import doors
from server.settings import ServerSettings

HOUSES = {"jemput": "field_client", "jemput-pusat": "server"}
VARIABLE = re.compile(r"""["'](JEMPUT_[A-Z][A-Z_]*)["']""")


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


def command_pages() -> str:
    """Every command of both programs with its arguments and options."""
    parts = []
    for program in HOUSES:
        parts.append(f"\n### `{program}`\n")
        parts += [_command(program, words, command) for words, command in commands(program)]
    return "".join(parts) + "\n"


def setting_tables() -> str:
    """Every setting of both programs, then every environment variable."""
    parts = []
    for program, house in HOUSES.items():
        parts.append(f"\n### `{program}`\n\n| Setting | Type | Default |\n|--|--|--|\n")
        parts += [f"| `{n}` | {_cell(t)} | {_cell(d)} |\n" for n, t, d in settings(house)]
    parts.append("\n### Environment\n\n")
    parts += [f"- `{name}`\n" for name in variables()]
    return "".join(parts) + "\n"


def api_table() -> str:
    """Every address of central's API, as its OpenAPI document has them."""
    told: Any = msgspec.to_builtins(doors(ServerSettings()).openapi_schema.to_schema())
    lines = ["| Address | What it does | Asks for | Token |", "|--|--|--|--|"]
    for path, ways in told["paths"].items():
        for way, one in ways.items():
            asks = [p["name"] for p in one.get("parameters", ()) if p["in"] == "query"]
            for body in one.get("requestBody", {}).get("content", {}).values():
                name = body["schema"]["$ref"].rpartition("/")[2]
                asks += told["components"]["schemas"][name]["properties"]
            cells = [f"`{way.upper()} {path}`", _cell(one["summary"])]
            cells += [", ".join(f"`{name}`" for name in asks), "yes" if one.get("security") else ""]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def message_table() -> str:
    """Everything that travels, by name."""
    rows = [f"| `{name}` | {_cell(line)} |\n" for name, line in messages()]
    return "\n| Message | What it is |\n|--|--|\n" + "".join(rows) + "\n"


def _command(program: str, words: str, command: Any) -> str:
    lines = [f"\n#### `{program} {words}`\n\n{_first_line(command.help)}\n"]
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
