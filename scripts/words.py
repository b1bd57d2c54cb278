"""Collect the words of the program and compile their English (`--check` only looks).

Every `say("...")` and `say_n("...", n)` in the four packages, and every `_("...")` in their templates, must
stand in models/data/locale/en.po. This adds what is new with empty English, drops what is gone, keeps what
people wrote, and compiles en.mo beside it. Run it after touching either, and commit both files.
"""

import argparse
import sys
from pathlib import Path

import polib
from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "models" / "data" / "locale"
PACKAGES = ("models", "sync", "field_client", "server")
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
KEYWORDS = {"say": (1,), "say_n": (1, 1), "_": (1,)}


def collected() -> dict[str, bool]:
    """Every source string in use -> whether it is counted (`say_n`)."""
    found: dict[str, bool] = {}
    for package in PACKAGES:
        for _, _, msgid, _, _ in extract_from_dir(ROOT / package, METHODS, keywords=KEYWORDS):
            counted = isinstance(msgid, tuple)
            text = msgid[0] if counted else msgid
            found[text] = found.get(text, False) or counted
    return found


def merged(old: polib.POFile) -> polib.POFile:
    """The words in use with the English of `old`, sorted, without places: small differences in git."""
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
