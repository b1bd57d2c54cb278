"""Shown: values of the register as people read them in a page, each a filter of the templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from difflib import SequenceMatcher
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from msgspec import json

from models import lifecycle, regions, remarks, words
from models.audit import acts, codes, details
from models.clock import Clock
from models.codes import code_list
from models.handover import ways
from models.people import ROLES, Role
from models.problems import Problem
from models.services import catalogue
from server.scene import figure_name, value_name

MINUTE, HOUR, DAY = 60, 3600, 86_400
_ID = 31
"""An id has 32 letters and digits, a digest 64."""


def moment(at: int) -> str:
    """Unix seconds as date and time in WIT; nothing for 0."""
    return words.moment_at(at) if at else "–"


def clock(at: int) -> str:
    """Unix seconds as the time of the day in WIT: `10.42`."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone(words.WIT):%H.%M}"


def age(seconds: int, lang: str) -> str:
    """How long, in the largest unit that fits: `12 menit`, `3 hari`."""
    if seconds < HOUR:
        return words.say_n("{n} menit", max(0, seconds) // MINUTE, lang)
    if seconds < DAY:
        return words.say_n("{n} jam", seconds // HOUR, lang)
    return words.say_n("{n} hari", seconds // DAY, lang)


def skew(seconds: int, lang: str) -> str:
    """How far a laptop's clock is off."""
    if abs(seconds) <= MINUTE:
        return words.say("cocok", lang)
    told = age(abs(seconds), lang)
    fast = words.say("maju {time}", lang, time=told)
    return fast if seconds > 0 else words.say("mundur {time}", lang, time=told)


def hours(number: float, lang: str) -> str:
    """A service standard: `24 jam`, `15 menit`."""
    minutes = round(number * 60)
    if minutes < 60:
        return words.say_n("{n} menit", minutes, lang)
    return words.say_n("{n} jam", minutes // 60, lang)


def status(code: str, lang: str) -> str:
    """A status in the words of the office."""
    return lifecycle.standing(code).office.words(lang) if lifecycle.known_status(code) else code


def action(code: str, lang: str) -> str:
    """The words on the button of a step."""
    return lifecycle.action_label(code).words(lang)


def act(code: str, lang: str) -> str:
    """An action of the trail in words."""
    known = acts().get(code)
    return known.words(lang) if known is not None else code


_CODED = frozenset({"kind", "state", "step", "take"})
"""Details that are a code."""
_SHORT = 8
"""Letters of an id or digest that tell two of them apart to a person."""


def detail(text: str, lang: str) -> list[tuple[str, str]]:
    """What an entry of the trail tells besides, (word, value); `text`: JSON as it is kept."""
    known = details()
    return [
        (known[name].words(lang) if name in known else name, _detail(name, value, lang))
        for name, value in json.decode(text).items()
        if value not in ("", None, [])
    ]


def _detail(name: str, value: Any, lang: str) -> str:
    """One value: codes by their words, ids short."""
    if isinstance(value, bool):
        return words.say("ya", lang) if value else words.say("tidak", lang)
    if isinstance(value, list):
        return ", ".join(_detail(name, one, lang) for one in value)
    said = str(value)
    if name in _CODED and said in codes():
        return codes()[said].words(lang)
    match name:
        case "status" | "from" | "to":
            return status(said, lang)
        case "service":
            return service(said, lang)
        case "village" | "villages" | "place":
            return ", ".join(village(one) for one in said.split(","))
        case "roles" | "was":
            parts = said.split(",")
            return ", ".join(role(one, lang) if one in ROLES else village(one) for one in parts)
        case "way":
            return dict(ways(lang)).get(said, said)
        case "relation":
            return code_list("hubungan_pemohon").label(said, lang)
        case "action":
            return action(said, lang) if said in lifecycle.ACTIONS else act(said, lang)
    return said[:_SHORT] if len(said) > _ID and said.isalnum() else said


def service(slug: str, lang: str) -> str:
    """What a service is called; its slug where this program does not know it."""
    try:
        return catalogue().service(slug).title.say(lang)
    except Problem:
        return slug


def village(code: str) -> str:
    """`Gurabunga, Tidore`: village and district, or a district alone; a code that is not known."""
    found = [regions.regions().get(code[:length]) for length in (13, 8) if len(code) >= length]
    return ", ".join(one.name for one in found if one is not None) or code


def role(code: str, lang: str) -> str:
    """A role's name."""
    return ROLES[Role(code)].words(lang) if code in ROLES else code


def promise(found: Clock | None, lang: str) -> tuple[str, str]:
    """How a request stands to its promise: words, and the mark they are drawn with."""
    if found is None or found.state in ("not_started", "stopped"):
        return "–", ""
    if found.state == "paused":
        return words.say("jam berhenti", lang), ""
    marks = {"late": "late", "late_soon": "soon"}
    told = {
        "late": words.say("terlambat sejak {at}", lang, at=moment(found.due)),
        "late_soon": words.say("paling lambat {at}", lang, at=moment(found.due)),
    }
    plain = words.say("paling lambat {at}", lang, at=moment(found.due))
    return told.get(found.bucket, plain), marks.get(found.bucket, "")


def iso_day(text: str) -> str:
    """An ISO date as on forms, DD-MM-YYYY; with its time where it has one: `21-11-2026 10.42`."""
    day, _, clock = text.partition("T")
    try:
        told = words.day(date.fromisoformat(day))
    except ValueError:
        return text
    return f"{told} {clock[:5].replace(':', '.')}" if clock else told


def _in_language(function: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """A filter that takes the page's language by itself."""

    @pass_context
    def said(context: Context, value: Any) -> Any:
        return function(value, context["lang"])

    return said


@pass_context
def _since(context: Context, at: int) -> str:
    return age(context["now"] - at, context["lang"]) if at else "–"


@pass_context
def _figure_value(context: Context, value: str, figure: str) -> str:
    return value_name(value, figure, context["lang"])


@pass_context
def _number(context: Context, value: float) -> str:
    return words.number(value, context["lang"])


def reasons(text: str, lang: str) -> str:
    """The reasons of a return or refusal in one line."""
    return remarks.sentence(text, None, lang)


def faults(problem: Problem, lang: str) -> list[str]:
    """What is wrong: each finding of a form, or the problem itself."""
    found = problem.details.get("findings", ())
    return [one.words(lang) for one in found] or [problem.words(lang)]


def against(text: str, base: str) -> Markup:
    """A text with what is new to it beside `base` underlined, and what is gone struck out: marked
    by more than colour."""
    found = []
    for how, a, b, c, d in SequenceMatcher(None, base, text, autojunk=False).get_opcodes():
        if how in ("delete", "replace"):
            found.append(Markup('<del class="jb-minus">{}</del>').format(base[a:b]))
        if how in ("insert", "replace"):
            found.append(Markup('<ins class="jb-plus">{}</ins>').format(text[c:d]))
        if how == "equal":
            found.append(escape(text[c:d]))
    return Markup("").join(found)


def options(name: str, lang: str) -> list[tuple[str, str]]:
    """(code, words) of a code list."""
    found = code_list(name)
    return [(code, found.label(code, lang)) for code in found.codes]


FILTERS: dict[str, Callable[..., Any]] = {
    "options": _in_language(options),
    "reasons": _in_language(reasons),
    "against": against,
    "faults": _in_language(faults),
    "asked_unit": lambda unit: unit.replace("document.", "doc.", 1),
    "at": moment,
    "clock": clock,
    "since": _since,
    "age": _in_language(age),
    "skew": _in_language(skew),
    "hours": _in_language(hours),
    "status": _in_language(status),
    "act": _in_language(act),
    "action": _in_language(action),
    "detail": _in_language(detail),
    "service": _in_language(service),
    "role": _in_language(role),
    "village": village,
    "promise": _in_language(promise),
    "iso_day": iso_day,
    "n": _number,
    "size": _in_language(words.size),
    "phone": words.phone,
    "figure": _in_language(figure_name),
    "figure_value": _figure_value,
}
