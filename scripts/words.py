"""Collect the words of the program and compile their English (`--check` only looks).

Every `say("...")` and `say_n("...", n)` in the four packages, and every `_("...")` in their
templates, must stand in models/data/locale/en.po. This adds what is new with empty English, drops
what is gone, keeps what people wrote, and compiles en.mo beside it. Run it after touching either,
and commit both files.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "models" / "data" / "locale"
PACKAGES = ("models", "sync", "field_client", "server")
NAME = re.compile(r"[a-z_]+(\.[a-z_]+)*")
TEMPLATES = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]


def collected() -> dict[str, bool]:
    """Every source string in use -> whether it is counted (`say_n`)."""
    found: dict[str, bool] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for text, counted in said(ast.parse(path.read_text("utf-8"))):
                found[text] = found.get(text, False) or counted
        templates = extract_from_dir(ROOT / package, TEMPLATES, keywords={"_": (1,)})
        for _, _, word, _, _ in templates:
            found.setdefault(str(word), False)
    return found


def said(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """The literals handed to an imported `say` or to a method `say`, and whether they are counted.

    A method of that name passes its words on (`terminal.say`); one that takes a key or the code of
    a problem is told from it by the look of what it is given.
    """
    nodes = list(ast.walk(tree))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    imported = {alias.name for node in imports for alias in node.names} & {"say", "say_n"}
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(name), args=[ast.Constant(str(text)), *_]):
                if name in imported:
                    yield text, name == "say_n"
            case ast.Call(
                func=ast.Attribute(_, "say" | "say_n" as name), args=[ast.Constant(str(text)), *_]
            ):
                if not NAME.fullmatch(text):
                    yield text, name == "say_n"


def merged(old: polib.POFile) -> polib.POFile:
    """The words in use with the English of `old`, sorted, without places: small diffs."""
    new = polib.POFile(wrapwidth=100)
    new.header, new.metadata = old.header, old.metadata
    for msgid, counted in sorted(collected().items()):
        before = old.find(msgid) or polib.POEntry()
        one = polib.POEntry(msgid=msgid, msgstr="" if counted else before.msgstr)
        if counted:
            one.msgid_plural = msgid
            one.msgstr_plural = before.msgstr_plural or {0: "", 1: ""}
        new.append(one)
    return new


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing; 1 if anything is open"
    )
    only_look = parser.parse_args().check
    catalog = merged(polib.pofile(str(LOCALE / "en.po")))
    files = {"en.po": f"{catalog}".encode(), "en.mo": catalog.to_binary()}
    stale = [name for name, data in files.items() if _bytes(LOCALE / name) != data]
    for name in stale:
        if not only_look:
            (LOCALE / name).write_bytes(files[name])
        print(f"{name}: {'is stale' if only_look else 'written'}")
    missing = [one.msgid for one in catalog if not one.translated()]
    for msgid in missing:
        print(f"no English yet: {msgid}")
    return 1 if missing or (only_look and stale) else 0


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


if __name__ == "__main__":
    sys.exit(main())
