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

import linkfigures
import reference
from field_client.printing.papers import papers, papers_of
from models import lifecycle
from models.people import DEVICE_MOVES, MAY, ROLES
from models.problems import problems
from models.services import catalogue

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


def paper_table() -> str:
    """Every form and letter with the services that use it, told from the forms' own files."""
    lines = ["| Paper | What it is | Services |", "|--|--|--|"]
    for paper in papers().values():
        under = "" if "{" in paper.under else paper.under
        title = f"{paper.title} {under}".strip()
        used = [f"`{one.slug}`" for one in catalogue().services() if paper in papers_of(one)]
        lines.append(f"| {paper.code} | {title} | {', '.join(used)} |")
    return "\n".join(lines) + "\n"


def lifecycle_diagram() -> str:
    """The table of moves as a Mermaid state diagram; steps back are marked."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for move in lifecycle.TABLE:
        source = "[*]" if move.source == lifecycle.Status.NONE else move.source.value
        back = " (back)" if move.back else ""
        lines.append(f"    {source} --> {move.target.value}: {move.action}{back}")
    for status in lifecycle.Status:
        if status != lifecycle.Status.NONE and lifecycle.ended(status):
            lines.append(f"    {status.value} --> [*]")
    return "\n".join([*lines, "```"]) + "\n"


def lifecycle_table() -> str:
    """Every row of the table of moves."""
    lines = ["| From | Action | To | By | Place | Asks for | Roads |", "|--|--|--|--|--|--|--|"]
    for move in lifecycle.TABLE:
        asks = ["a reason"] * move.reason + ["a second person"] * move.second
        asks += [f"after {move.days} days"] if move.days else []
        roads = ", ".join(sorted(move.groups)) or "all"
        cells = [f"`{move.source.value}`", f"`{move.action}`", f"`{move.target.value}`"]
        cells += [ROLES[move.role].en, " or ".join(move.places), ", ".join(asks), roads]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def status_table() -> str:
    """Every status with its clock and the words of its three audiences."""
    lines = [
        "| Status | Clock | Citizen sees | Meaning | In the field | At central |",
        "|--|--|--|--|--|--|",
    ]
    for status in lifecycle.Status:
        if status == lifecycle.Status.NONE:
            continue
        one = lifecycle.standing(status)
        word = f"{one.word.id} / {one.word.en}" if one.public else "nothing"
        cells = [f"`{status.value}`", one.clock.replace("_", " "), word, one.label.en]
        cells += [f"{one.field.id} / {one.field.en}", f"{one.office.id} / {one.office.en}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def role_table() -> str:
    """What each role may do besides steps of a request."""
    lines = ["| May | Roles |", "|--|--|"]
    for act, held in MAY.items():
        names = ", ".join(ROLES[role].en for role in ROLES if role in held)
        lines.append(f"| `{act.value}` | {names} |")
    return "\n".join(lines) + "\n"


def device_diagram() -> str:
    """The states of a laptop as a Mermaid diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> invited: invite"]
    for source, moves in DEVICE_MOVES.items():
        lines += [f"    {source.value} --> {to.value}: {move.value}" for move, to in moves.items()]
    return "\n".join([*lines, "```"]) + "\n"


def service_table() -> str:
    """Every service: what it is called, its paper form, what is brought, the law's days."""
    lines = ["| Service | In Indonesian | Form | Documents | Days |", "|--|--|--|--|--|"]
    for service in catalogue().services():
        papers: dict[str, list[str]] = {}
        for paper in service.documents:
            mark = "" if paper.required == "yes" else "?" if paper.required == "no" else "*"
            papers.setdefault(paper.one_of or paper.code, []).append(paper.code + mark)
        brought = ", ".join(" or ".join(codes) for codes in papers.values())
        days = str(service.due.days) if service.due else ""
        form = ", ".join(service.form)
        lines.append(f"| `{service.slug}` | {service.title.id} | {form} | {brought} | {days} |")
    return "\n".join(lines) + "\n"


DRAWN: dict[str, Callable[[], str]] = {
    "problems": problem_table,
    "services": service_table,
    "lifecycle-diagram": lifecycle_diagram,
    "lifecycle-table": lifecycle_table,
    "statuses": status_table,
    "roles": role_table,
    "devices": device_diagram,
    "commands": reference.command_pages,
    "settings": reference.setting_tables,
    "messages": reference.message_table,
    "api": reference.api_table,
    "papers": paper_table,
    "links": linkfigures.table,
    "links-more": linkfigures.details,
    "links-tls": linkfigures.tls_table,
    "links-where": linkfigures.machines,
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
