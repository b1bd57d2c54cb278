"""Draw the parts of docs/ that are tables of the code (`--check` only looks).

A page holds a pair of marks, `<!-- drawn: NAME -->` and `<!-- end -->`; what stands between is
drawn from the catalogue or the table of that name. The words around it are written by people and
kept.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

import reference
from models.problems import problems

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"(<!-- drawn: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def problem_table() -> str:
    """Every code of the catalogue: status, whose turn, how it acts on an answer, its words."""
    lines = ["| Code | Status | Whose turn | On an answer | Words |", "|--|--|--|--|--|"]
    for code, entry in sorted(problems().items()):
        effect: str = entry.severity or ""
        if entry.quiet:
            effect += ", quiet"
        if entry.override:
            effect += f", {entry.override} may pass it"
        words = entry.en.replace("|", "\\|")
        lines.append(f"| `{code}` | {entry.status} | {entry.who} | {effect} | {words} |")
    return "\n".join(lines) + "\n"


DRAWN: dict[str, Callable[[], str]] = {
    "problems": problem_table,
    "commands": reference.command_pages,
    "settings": reference.setting_tables,
    "messages": reference.message_table,
}


def redrawn(text: str) -> str:
    """The page with everything between marks drawn again. An unknown name is a KeyError."""
    return MARK.sub(lambda found: found[1] + DRAWN[found[2]]() + found[3], text)


def stale() -> list[Path]:
    """Pages of docs/ that differ from what the code says."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    return [page for page in pages if redrawn(text := page.read_text("utf-8")) != text]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if a page is stale")
    only_look = parser.parse_args().check
    behind = failed = 0
    for page in sorted((ROOT / "docs").glob("*.md")):
        name, text = page.relative_to(ROOT), page.read_text("utf-8")
        try:
            drawn = redrawn(text)
        except (ImportError, LookupError) as error:  # the other pages are drawn all the same
            failed += 1
            print(f"{name}: cannot be drawn: {error}")
            continue
        if drawn != text:
            behind += 1
            if not only_look:
                page.write_text(drawn, encoding="utf-8", newline="\n")
            print(f"{name}: {'is stale' if only_look else 'drawn'}")
    return 1 if failed or (only_look and behind) else 0


if __name__ == "__main__":
    sys.exit(main())
