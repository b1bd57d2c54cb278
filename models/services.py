"""Services: everything a citizen can ask for, one TOML file each in `data/services/`.

A file says what the service is called, who may ask, which blocks of which paper forms are filled,
which documents are brought, which deadline the law sets, and carries a complete valid example.
Blocks that several services ask stand once in `data/blocks/` and are named by `use`; a block of one
service stands in its own file. Adding a service is adding a file.

`<slug>.toml` is the edition of today; an edition that is no longer filled in stays as
`<slug>@<n>.toml`, and names its blocks as `use = "<section>@<n>"` where these changed, because
central reads for ever what was once filled in.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import cache, cached_property
from importlib.resources.abc import Traversable
from typing import Any, Literal

import msgspec

from models import checks, codes, names, units
from models.checks import Checked
from models.conditions import parse
from models.fields import STAGES, Rule, Stage, Text, Unit
from models.forms import Block, Form, Paths, Plan, day_of
from models.problems import Problem
from models.reading import brief

Hold = Literal["show", "copy", "copy_show", "original", "take", "take_destroy"]
Certainty = Literal["sure", "likely", "check"]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paper to bring. Of documents with the same `one_of` one is enough.

    required: "yes", "no" or a condition; `case` says in words when. hold: what the office does with
    it.
    """

    code: str
    label: Text
    hold: Hold
    required: str = "yes"
    one_of: str = ""
    case: Text | None = None
    note: Text | None = None


class Ages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Full years of the subject, both ends included; not asked while the condition `unless` holds.

    young, old: codes of the findings when the birth date was typed (a NIK is only a hint of it).
    """

    min: int | None = None
    max: int | None = None
    unless: str = ""
    young: str = "age.too_young"
    old: str = "age.too_old"


class Deadline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calendar days the law gives. `since`: the answers that tell the first day, where any does."""

    days: int
    start: Text
    since: tuple[str, ...] = ()


class Standard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of the service standard, from: file complete, print ready, person at the desk."""

    hours: float
    counted_from: Literal["complete", "prr", "present"]


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A complete request as it could be typed on `day`; answers nested by section."""

    day: date
    answers: dict[str, Any]
    documents: tuple[str, ...] = ()
    reasons: dict[str, str] = {}


class Subject(msgspec.Struct, frozen=True):
    """Who a request is about, as far as it says. Dates as dates, the rest as answered."""

    name: str | None = None
    nik: str | None = None
    kk: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    mother_name: str | None = None
    mother_nik: str | None = None
    mother_birth_date: date | None = None
    plurality: str | None = None


class Lateness(msgspec.Struct, frozen=True):
    """How a request stands to the legal deadline. Being late never stops it: it is only said."""

    since: date
    limit: int
    days: int

    @property
    def late(self) -> bool:
        """Whether the deadline had passed."""
        return self.days > self.limit

    @property
    def last_day(self) -> date:
        """The last day in time."""
        return self.since + timedelta(days=self.limit)


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One service as its file says; the methods below are what the rest of the program asks.

    applicants: codes of `hubungan_pemohon` that usually apply (another one is a warning), `who` the
    same in words. space: the service in whose name duplicates are looked for, where two services
    are one event. presence: who has to come in person.
    """

    slug: str
    edition: int
    group: str
    title: Text
    who: Text
    applicants: tuple[str, ...]
    output: Text
    biometrics: Text
    law: tuple[str, ...]
    certainty: Certainty
    about: Paths = msgspec.field(name="subject")
    blocks: tuple[Block, ...]
    documents: tuple[Document, ...]
    example: Example
    form: tuple[str, ...] = ()
    request_codes: tuple[str, ...] = ()
    age: Ages = Ages()
    presence: Literal["none", "subject", "both spouses"] = "none"
    due: Deadline | None = msgspec.field(default=None, name="deadline")
    standard: Standard | None = None
    remarks: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    space: str = ""

    @cached_property
    def plan(self) -> Plan:
        """What is asked, compiled."""
        return Plan(self.slug, self.blocks, self.request_codes, self.about)

    def compile(self) -> None:
        """Read every condition, so that a slip in the file shows when it is opened; ValueError."""
        rules = [*self.rules, *(rule for block in self.blocks for rule in block.rules)]
        assert self.plan.slots
        asked = [paper.required for paper in self.documents]
        for text in (*asked, *(rule.wrong for rule in rules), self.age.unless):
            if text not in ("", "yes", "no"):
                parse(text)

    @cached_property
    def lists(self) -> checks.Lists:
        """The code lists its fields choose from; the catalogue that read the file sets its own."""
        return catalogue().lists

    def check(
        self,
        answers: Any,
        documents: Any = (),
        reasons: Any = None,
        *,
        today: date,
        stage: Stage = "intake",
        role: str = "operator",
    ) -> Checked:
        """Read any JSON value as answers: their normal form and all there is to say about them.

        Never raises. Nested answers are flattened. A reason under the key of a warning lets it pass
        (and an error that `role` may let pass). stage: how far the request is;
        `models.fields.Stage`.
        """
        return checks.check(self, answers, documents, reasons, today, stage, role)

    def read(
        self, answers: Mapping[str, Any], documents: Collection[str] = (), today: date | None = None
    ) -> Form:
        """Normal answers as the whole form they belong to."""
        return Form(self.plan, answers, documents, today)

    def shown(self, answers: Mapping[str, Any], documents: Collection[str] = ()) -> dict[str, Any]:
        """Every filled answer in the order of the form, aliases and derived ones included."""
        form = self.read(answers, documents)
        keys = checks.keys(form)
        return {key: value for key in keys if (value := form.shown(key)) is not None}

    def units(self, answers: Mapping[str, Any], documents: Collection[str] = ()) -> dict[str, Any]:
        """Normal answers and documents as units of the record; see `models.units`."""
        return units.units(self.plan, answers, documents)

    def answers(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The inverse of `units`: (answers, documents)."""
        return units.answers(self.plan, values)

    def unit(self, name: str) -> Unit:
        """The unit of that name, row units such as `witness.2.row` too; Problem `unit.unknown`."""
        return units.unit(self.plan, name)

    def takes_files(self, name: str) -> bool:
        """Whether files may be attached to the unit of that name."""
        return units.takes_files(self.plan, name)

    def subject(self, answers: Mapping[str, Any]) -> Subject:
        """Who the request is about; the first of them where it is about two or more."""
        return self.subjects(answers)[0]

    def subjects(self, answers: Mapping[str, Any]) -> tuple[Subject, ...]:
        """Everybody the request is about: both spouses, every person to be recorded."""
        form = self.read(answers)
        return tuple(self._subject(form, row) for row in form.subject_rows())

    def keys(self, answers: Mapping[str, Any]) -> tuple[str, ...]:
        """What an open request of the same matter would share; two that share a key are a case.

        `nik|<space>|<nik>` for each subject with a NIK. A newborn has none: `birth|<mother>|<date>`
        for a single birth, mother by NIK or, without one, by her name and birth date.
        """
        return self.keys_of(self.subjects(answers))

    def keys_of(self, subjects: Collection[Subject]) -> tuple[str, ...]:
        """`keys`, for who has the subjects already."""
        return tuple(key for subject in subjects for key in self._keys(subject))

    def traces(self, subjects: Collection[Subject]) -> tuple[str, ...]:
        """By what a request of the same matter may be known again, open or not: its keys, and each
        subject's name with the birth date."""
        space = self.space or self.slug
        named = (
            f"who|{space}|{names.key(subject.name)}|{subject.birth_date}"
            for subject in subjects
            if subject.name and subject.birth_date
        )
        return (*self.keys_of(subjects), *named)

    def deadline(self, answers: Mapping[str, Any], submitted: date) -> Lateness | None:
        """Days since the event when submitted; None where no answer tells the event's day."""
        if self.due is None:
            return None
        since = day_of(self.read(answers).about(self.due.since))
        days = (submitted - since).days if since else 0
        return Lateness(since, self.due.days, days) if since else None

    def village(self, answers: Mapping[str, Any]) -> str | None:
        """Region code of the village the documents will carry; None for people of elsewhere."""
        value = self.read(answers).value("address.village")
        return value if isinstance(value, str) else None

    def _subject(self, form: Form, row: int) -> Subject:
        said = {name: form.about(getattr(self.about, name), row) for name in _SUBJECT_PARTS}
        found = {name: value for name, value in said.items() if isinstance(value, str)}
        days = {name: day_of(said[name]) for name in ("birth_date", "mother_birth_date")}
        return msgspec.convert(found | days, Subject)

    def _keys(self, subject: Subject) -> list[str]:
        space = self.space or self.slug
        found = [f"nik|{space}|{subject.nik}"] if subject.nik else []
        if self.about.plurality and subject.plurality == "1" and subject.birth_date:
            mother = subject.mother_nik
            if not mother and subject.mother_name and subject.mother_birth_date:
                mother = f"{names.key(subject.mother_name)}/{subject.mother_birth_date}"
            if mother:
                found.append(f"{space}|{mother}|{subject.birth_date}")
        return found


_SUBJECT_PARTS = Subject.__struct_fields__


class Edition(msgspec.Struct, frozen=True):
    """A service as it is asked today. earlier: editions that can be read as well."""

    service: str
    edition: int
    earlier: tuple[int, ...]
    title: Text


class Catalogue:
    """The services of a data folder. A file is read when asked for: starting reads none."""

    def __init__(self, data: Traversable) -> None:
        self.data = data
        self._read: dict[tuple[str, int | None], Service] = {}
        self._blocks: dict[str, Block] = {}

    @cached_property
    def slugs(self) -> tuple[str, ...]:
        """Every service of today, by file name."""
        files = (file.name for file in (self.data / "services").iterdir())
        stems = (name[:-5] for name in files if name.endswith(".toml"))
        return tuple(sorted(stem for stem in stems if "@" not in stem))

    @cached_property
    def lists(self) -> checks.Lists:
        """Code lists, with the services themselves as one of them."""
        return checks.Lists(self.data, self.slugs)

    def services(self) -> list[Service]:
        """All services of today, by slug."""
        return [self.service(slug) for slug in self.slugs]

    def editions(self) -> list[Edition]:
        """Every service with the editions that can be read."""
        files = (file.name.removesuffix(".toml") for file in (self.data / "services").iterdir())
        kept = [name.partition("@") for name in files if "@" in name]
        return [
            Edition(
                one.slug,
                one.edition,
                tuple(sorted(int(n) for slug, _, n in kept if slug == one.slug and n.isdigit())),
                one.title,
            )
            for one in self.services()
        ]

    def service(self, slug: str, edition: int | None = None) -> Service:
        """A service, in today's edition unless another is named.

        Problem `service.unknown`, or `service.edition` for an edition that is not known here.
        """
        if not isinstance(slug, str):
            raise Problem("service.unknown", service=brief(slug))
        found = self._read.get((slug, edition))
        if found is None:
            found = self._service(slug, edition)
            self._read[slug, edition] = found
        return found

    def _service(self, slug: str, edition: int | None) -> Service:
        if slug not in self.slugs:
            raise Problem("service.unknown", service=slug[:60])
        if edition is None:
            return self._file(slug)
        today = self.service(slug)
        if edition == today.edition:
            return today
        name = f"{slug}@{edition}"
        if not (self.data / "services" / f"{name}.toml").is_file():
            raise Problem("service.edition", service=slug, edition=edition)
        return self._file(name)

    def _file(self, name: str) -> Service:
        path = self.data / "services" / f"{name}.toml"
        try:
            service = msgspec.toml.decode(path.read_bytes(), type=Service)
            blocks = tuple(self._block(block) for block in service.blocks)
            service = msgspec.structs.replace(service, blocks=blocks)
            service.__dict__["lists"] = self.lists
            if service.slug != name.partition("@")[0]:
                raise ValueError(f"slug {service.slug!r} is not the file's name")
            service.compile()
        except (msgspec.DecodeError, ValueError) as error:
            raise Problem("service.broken", file=path.name, why=str(error)) from error
        return service

    def _block(self, block: Block) -> Block:
        if not block.use:
            return block
        if block.use not in self._blocks:
            path = self.data / "blocks" / f"{block.use}.toml"
            if not path.is_file():
                raise ValueError(f"there is no block {block.use!r}")
            self._blocks[block.use] = msgspec.toml.decode(path.read_bytes(), type=Block)
        shared = self._blocks[block.use]
        return msgspec.structs.replace(shared, use=block.use, rows=block.rows, when=block.when)


@cache
def catalogue() -> Catalogue:
    """The services of today: those that come with the program, with what was published since."""
    return Catalogue(codes.current())


def adopt(files: Mapping[str, bytes]) -> None:
    """From now on the files of a package lie over those of the program; none takes them away."""
    codes.lay_over(files)
    catalogue.cache_clear()


__all__ = ["STAGES", "Catalogue", "Checked", "Service", "Subject", "adopt", "catalogue"]
