"""From what was typed to what is stored: any JSON value into flat, normal answers.

Nested input (`{"witness": [{...}, {...}], "applicant": {"name": ...}}`) is flattened. Each answer
is read by its kind. An answer to a question that an alias shows from elsewhere is not stored a
second time: it moves to the place where it belongs if that is empty, and must agree with it
otherwise.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

from models import codes, regions, values
from models.fields import Field, Stage, row_name, split_row
from models.forms import ROWS_MAX, Block, Form, Plan, Slot
from models.reading import Reading

ANSWERS_MAX = 2000
KEY_MAX = 60
Say = Callable[..., None]
"""say(key, code, **details) collects a finding."""


class Lists:
    """The code lists of a data folder, the services and the villages of the city among them."""

    def __init__(self, data: Traversable, services: Container[str]) -> None:
        self.data = data
        self.services = services
        self._read: dict[str, Container[str]] = {}

    def allowed(self, field: Field, plan: Plan) -> Container[str]:
        """The codes an answer may choose from; of request codes only those of the service."""
        if field.derived == "request":
            return plan.requests
        return self.named(field.codes)

    def named(self, name: str) -> Container[str]:
        """The codes of a list; `KeyError` for one that does not exist."""
        if name not in self._read:
            self._read[name] = self._codes(name)
        return self._read[name]

    def _codes(self, name: str) -> Container[str]:
        if name == "ref:services":
            return self.services
        if name == "ref:villages":
            return {village.code for village in regions.villages()}
        if name == "ref:regions":
            return regions.regions()
        return codes.read_list(self.data, name) if name else ()


def flatten(plan: Plan, given: Any, say: Say) -> dict[str, Any]:
    """Flat keys of this plan with raw values. Unknown keys and wrong shapes are said."""
    if not isinstance(given, Mapping):
        say("", "field.type", expected={"id": "objek JSON", "en": "a JSON object"})
        return {}
    if len(given) > ANSWERS_MAX:
        say("", "field.too_many", limit=ANSWERS_MAX, n=len(given))
        return {}
    found: dict[str, Any] = {}
    for key, value in given.items():
        block = plan.blocks.get(str(key))
        flat = _nested(block, value, say) if block else [(str(key), value)]
        for name, one in flat:
            if plan.slot(name) is None:
                say(name[:KEY_MAX], "field.unknown")
            elif name in found and found[name] != one:
                say(name, "field.twice")
            else:
                found[name] = one
    return found


def _nested(block: Block, value: Any, say: Say) -> Iterator[tuple[str, Any]]:
    """The answers of one section: an object, or a list of objects where the block is repeated."""
    rows = value if block.repeated else [value]
    if not isinstance(rows, list | tuple) or not all(_row(one) for one in rows):
        say(block.section, "field.type", expected=_SHAPES[block.repeated])
    elif len(rows) > ROWS_MAX:
        say(block.section, "field.too_many", limit=ROWS_MAX, n=len(rows))
    else:
        for number, row in enumerate(rows, 1):
            for name, one in (row or {}).items():
                yield row_name(f"{block.section}.{name}", number if block.repeated else 0), one


def _row(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


_SHAPES = {
    True: {"id": "daftar objek", "en": "a list of objects"},
    False: {"id": "objek", "en": "an object"},
}


def read(
    plan: Plan, given: Mapping[str, Any], lists: Lists, today: date, say: Say
) -> dict[str, Any]:
    """Each answer in its normal form; empty and wrong ones are left out, wrong ones said."""
    found: dict[str, Any] = {}
    for key, raw in given.items():
        asked = plan.slot(key)
        assert asked is not None  # `flatten` let nothing else through
        value = read_one(plan, asked[0], key, raw, lists, today, say)
        if value is not None:
            found[key] = value
    return found


def read_one(
    plan: Plan, slot: Slot, key: str, raw: Any, lists: Lists, today: date, say: Say
) -> Any:
    """One answer by its field, its remarks said at `key`; None when it is empty or wrong."""
    field = slot.field
    reading = Reading(
        today,
        lists.allowed(field, plan),
        documents=lists.named("jenis_dokumen") if field.kind == "documents" else (),
        shdk=lists.named("shdk") if field.kind == "people" else (),
    )
    value = values.read(field, raw, reading)
    for code, details in reading.remarks:
        say(key, code, **details)
    return value


def settle(form: Form, stage: Stage, say: Say) -> dict[str, Any]:
    """The answers to store, without those that repeat another or are the office's to give."""
    found = dict(form.answers)
    for key, value in form.answers.items():
        path, row = split_row(key)
        slot = form.plan.slots[path]
        if not slot.typed:
            del found[key]
            if not _repeats(value, form.value(path, row)):
                say(key, "field.derived", value=_plain(form.value(path, row)))
        elif slot.field.guard == "central" and stage == "intake":
            del found[key]
            say(key, "field.central_only")
        elif slot.field.stage == "handover" and stage != "handover":
            del found[key]
            say(key, "field.not_asked")
        elif form.is_open(slot.block.section):
            _move(form, slot, row, value, found, say)
    return found


def _move(form: Form, slot: Slot, row: int, value: Any, found: dict[str, Any], say: Say) -> None:
    """Bring an answer to the place its alias points to, unless something stands there."""
    path, at = form.typed_at(slot.path, row)
    if (path, at) == (slot.path, row):
        return
    del found[row_name(slot.path, row)]
    known = form.value(slot.path, row)
    if known is None and path == "address.*":
        found.update({f"address.{part}": one for part, one in value.items()})
    elif known is None:
        found.setdefault(row_name(path, at), value)
    elif known != value:
        other = "address.address" if path == "address.*" else path
        say(
            row_name(slot.path, row),
            "field.differs",
            other=form.plan.slots[other].field.label.both(),
        )


def _repeats(value: Any, derived: Any) -> bool:
    """Whether a given value says no more than what the form derives by itself."""
    if isinstance(value, list) and isinstance(derived, list):
        return set(value) <= set(derived)
    return bool(value == derived)


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")
