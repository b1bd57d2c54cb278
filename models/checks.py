"""Checking a request: all there is to say about its answers and documents, said at once.

An error stops the request at the desk; a warning passes once a reason is given for its key. Central
checks the same way, but never refuses a request for its content: there the findings are for the
verifier.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from models import consistency, people, typed, values
from models.conditions import Condition, Truth, parse
from models.fields import STAGES, Rule, Stage, row_name
from models.forms import Block, Form, Slot, day_of
from models.problems import Finding, finding
from models.reading import brief
from models.typed import Lists

if TYPE_CHECKING:  # a service checks itself through this module
    from models.services import Document, Service

REASON_MAX = 500

__all__ = ["Checked", "Lists", "check", "keys"]


class Checked(msgspec.Struct, frozen=True):
    """answers: flat, normal, without what an alias repeats. problems: in the order found."""

    answers: dict[str, Any]
    problems: tuple[Finding, ...]
    documents: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing stops the request: every error is gone, every warning has its reason."""
        return not any(one.stops for one in self.problems)


def check(
    service: "Service",
    answers: Any,
    documents: Any,
    reasons: Any,
    today: date,
    stage: Stage,
    role: str,
) -> Checked:
    """See `Service.check`."""
    findings = _Findings(service)
    given = typed.flatten(service.plan, answers, findings.say)
    read = typed.read(service.plan, given, service.lists, today, findings.say)
    papers = _papers(documents, service.lists, findings)
    first = Form(service.plan, read, papers, today)
    form = Form(service.plan, typed.settle(first, stage, findings.say), papers, today)
    _rows(form, findings)
    _required(service, form, stage, findings)
    _seen_twice(service, form, today, findings)
    consistency.remarks(form, findings.say)
    _documents(service, form, findings)
    _rules(service, form, findings)
    _ages(service, form, findings)
    passed = findings.passed(_reasons(reasons, findings), role)
    return Checked(dict(form.answers), passed, papers)


def keys(form: Form) -> Iterator[str]:
    """Every key of a form in its order; of a repeated block the rows that have answers."""
    for section, slots in form.plan.by_section.items():
        for row in form.rows[section]:
            for slot in slots:
                yield row_name(slot.path, row)


class _Findings:
    """The findings so far, each (key, code) once."""

    def __init__(self, service: "Service") -> None:
        self.service = service
        self.found: dict[tuple[str, str], Finding] = {}
        self.broken: set[str] = set()

    def say(self, key: str, code: str, /, **details: Any) -> None:
        """Collect one; the field's label goes into its details."""
        asked = self.service.plan.slot(key)
        if asked and "label" not in details:
            details["label"] = label(*asked)
        details.setdefault("key", key)
        made = finding(key, code, **details)
        self.found.setdefault((key, code), made)
        if made.severity == "error":
            self.broken.add(key)

    def passed(self, reasons: Mapping[str, str], role: str) -> tuple[Finding, ...]:
        """All of them, those for which a reason was given marked as passed."""
        return tuple(
            msgspec.structs.replace(one, passed=True)
            if one.key in reasons and one.passable(role)
            else one
            for one in self.found.values()
        )


def label(slot: Slot, row: int) -> dict[str, str]:
    """What the question is called, with its row where there are several."""
    words = slot.field.label.both()
    return {lang: f"{text} ({row})" for lang, text in words.items()} if row else words


def _papers(given: Any, lists: Lists, findings: _Findings) -> tuple[str, ...]:
    """The documents brought, sorted; unknown codes are said."""
    if given is None:
        return ()
    if not isinstance(given, list | tuple | set | frozenset):
        expected = {"id": "daftar kode dokumen", "en": "a list of document codes"}
        findings.say("documents", "field.type", expected=expected)
        return ()
    known = lists.named("jenis_dokumen")
    found = set()
    for one in list(given)[: len(findings.service.documents) + values.DOCUMENTS_MAX]:
        if isinstance(one, str) and one in known:
            found.add(one)
        else:
            findings.say("documents", "document.unknown", code=brief(one))
    return tuple(sorted(found))


def _reasons(given: Any, findings: _Findings) -> dict[str, str]:
    if not given:
        return {}
    if not isinstance(given, Mapping):
        expected = {"id": "objek alasan", "en": "an object of reasons"}
        findings.say("reasons", "field.type", expected=expected)
        return {}
    found = {}
    for key, text in given.items():
        if isinstance(text, str) and len(text) > REASON_MAX:
            findings.say(str(key)[:60], "reason.too_long", limit=REASON_MAX, n=len(text))
        elif isinstance(text, str) and text.strip():
            found[str(key)] = text.strip()
    return found


def _rows(form: Form, findings: _Findings) -> None:
    """A repeated block has no more rows than the form allows."""
    for section, block in form.plan.blocks.items():
        if block.repeated and form.is_open(section) and len(form.rows[section]) > block.bounds[1]:
            title = block.title.both() if block.title else section
            n = len(form.rows[section])
            findings.say(section, "field.too_many", limit=block.bounds[1], n=n, label=title)


def _wanted_rows(form: Form, block: Block) -> tuple[int, ...]:
    """The rows that have answers, and as many free ones as the form wants at least."""
    rows = list(form.rows[block.section])
    if block.repeated:
        free = (number for number in range(1, 100) if number not in form.rows[block.section])
        while len(rows) < block.bounds[0]:
            rows.append(next(free))
    return tuple(sorted(rows))


def _required(service: "Service", form: Form, stage: Stage, findings: _Findings) -> None:
    reached = STAGES[: STAGES.index(stage) + 1]
    optional = _unbegun(service, form)
    for section, slots in form.plan.by_section.items():
        block = form.plan.blocks[section]
        if not form.is_open(section):
            _closed(form, slots, findings)
        elif block.form not in optional:
            for row in _wanted_rows(form, block):
                for slot in slots:
                    if slot.field.stage in reached and slot.required is not False:
                        _required_one(form, slot, row, stage, findings)


def _unbegun(service: "Service", form: Form) -> set[str]:
    """Statements that stand in for a paper and were not begun: the missing paper is said."""
    return {
        paper.code
        for paper in service.documents
        if paper.one_of and paper.code in form.plan.forms and not form.brought(paper.code)
    }


def _closed(form: Form, slots: list[Slot], findings: _Findings) -> None:
    """Answers of a block that is not asked any more are kept, and count for nothing."""
    for row in form.rows[slots[0].block.section] if slots else ():
        for slot in slots:
            if row_name(slot.path, row) in form.answers:
                findings.say(row_name(slot.path, row), "field.closed")


def _required_one(form: Form, slot: Slot, row: int, stage: Stage, findings: _Findings) -> None:
    office = slot.field.guard == "central" and stage == "intake"
    if not slot.typed or office or form.value(slot.path, row) is not None:
        return
    path, at = form.typed_at(slot.path, row)
    key = row_name("address.address" if path == "address.*" else path, at)
    if key in findings.broken:
        return
    if isinstance(slot.required, Condition):
        truth = form.holds(slot.required, slot.block.section, row)
        if truth is not True:
            if truth is None:
                findings.say(key, "age.unknown")
            return
    findings.say(key, "field.required", label=label(slot, row))


def _seen_twice(service: "Service", form: Form, today: date, findings: _Findings) -> None:
    """An answer shown in a second place obeys that question's limits too."""
    for slot in form.plan.narrowing:
        if not form.is_open(slot.block.section):
            continue
        for row in form.rows[slot.block.section]:
            path, at = form.typed_at(slot.path, row)
            value = form.value(slot.path, row)
            if (path, at) != (slot.path, row) and value is not None:
                say, key = findings.say, row_name(path, at)
                typed.read_one(form.plan, slot, key, value, service.lists, today, say)


def _documents(service: "Service", form: Form, findings: _Findings) -> None:
    """Each required document, or one of its alternatives; a missing one is for the office."""
    groups: dict[str, list[Document]] = {}
    for paper in service.documents:
        groups.setdefault(paper.one_of or paper.code, []).append(paper)
    for name, papers in groups.items():
        asked = _asked(papers[0].required, form)
        if asked is False or any(form.brought(paper.code) for paper in papers):
            continue
        labels = {lang: " / ".join(p.label.say(lang) for p in papers) for lang in ("id", "en")}
        wanted = [paper.code for paper in papers]
        if asked is None:
            findings.say(f"doc.{name}", "age.unknown", label=labels, documents=wanted)
        else:
            findings.say(f"doc.{name}", "document.missing", label=labels, documents=wanted)


def _asked(required: str, form: Form) -> Truth:
    return required == "yes" if required in ("yes", "no") else form.holds(parse(required))


def _rules(service: "Service", form: Form, findings: _Findings) -> None:
    for block in form.plan.blocks.values():
        if form.is_open(block.section):
            for rule in block.rules:
                _rule(rule, form, findings)
    for rule in service.rules:
        _rule(rule, form, findings)
    if "proxy" not in service.applicants and form.value("applicant.relation") == "proxy":
        findings.say("applicant.relation", "service.proxy_refused")
    elif form.value("applicant.relation") not in (*service.applicants, None):
        findings.say("applicant.relation", "applicant.unusual", who=service.who.both())


def _rule(rule: Rule, form: Form, findings: _Findings) -> None:
    section = rule.key.partition(".")[0]
    details = {"rule": rule.rule.both()} if rule.rule else {}
    for row in form.rows.get(section, (0,)):
        if form.holds(parse(rule.wrong), section, row):
            key = row_name(*_typed(form, rule.key, row))
            findings.say(key, rule.code, **details)


def _typed(form: Form, path: str, row: int) -> tuple[str, int]:
    return form.typed_at(path, row) if path in form.plan.slots else (path, row)


def _ages(service: "Service", form: Form, findings: _Findings) -> None:
    """Whether the people a service is about have its age. A NIK alone is only a hint: a warning."""
    ages = service.age
    if ages.unless and form.holds(parse(ages.unless)):
        return
    for row, age in zip(form.subject_rows(), form.ages(), strict=True):
        young = age is not None and ages.min is not None and age < ages.min
        old = age is not None and ages.max is not None and age > ages.max
        if not young and not old:
            continue
        key = _first_key(form, service.about.birth_date, row)
        if key and young:
            born = day_of(form.about(service.about.birth_date, row))
            day = people.birthday(born, ages.min or 0) if born else None
            findings.say(key, ages.young, limit=ages.min, age=age, from_day=day)
        elif key:
            findings.say(key, ages.old, limit=ages.max, age=age)
        else:
            key = _first_key(form, service.about.nik, row)
            code = "age.young_by_nik" if young else "age.old_by_nik"
            findings.say(key, code, limit=ages.min if young else ages.max, age=age)


def _first_key(form: Form, paths: tuple[str, ...], row: int) -> str:
    """Where the first filled of these paths was typed."""
    for path in paths:
        if path in form.plan.slots:
            at = (row or 1) if form.plan.slots[path].block.repeated else 0
            if form.value(path, at) is not None:
                return row_name(*form.typed_at(path, at))
    return ""
