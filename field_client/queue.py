"""Queue: requests from a file of JSON lines, as another program or a spreadsheet gives them.

One row is one request:

    {"ref": "a-17", "service": "birth", "nik": "…", "answers": {…}, "documents": ["KK"],
     "reasons": {…}, "taken_at": "2026-11-21T09:30:00+09:00", "family": "f-3"}

Rows of one family follow one another and are stored whole or not at all. Every row, or family, is
durable before its answer is given. A `ref` that was taken before gives the same answer again and
stores nothing, so a run that was cut short is simply repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, BinaryIO

import msgspec

from field_client.desk import Desk, Prepared, Taken, Wanted
from field_client.vault.refs import Ref
from models.changes import TRANSACTION_CHANGES_MAX
from models.problems import Finding, Problem
from models.words import WIT

LINE_BYTES_MAX = 64 * 1024
REF_MAX = 100
QUEUED, REFUSED = "queued", "refused"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=REF_MAX)]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line as it is written. taken_at: ISO 8601 (without a zone: WIT) or Unix seconds."""

    service: str
    ref: Name | None = None
    nik: str | None = None
    answers: Any = {}
    documents: Any = ()
    reasons: Any = {}
    taken_at: str | int | None = None
    family: Name | None = None


class Said(msgspec.Struct, frozen=True):
    """One problem of a row: stable code, the answer's key where it is about one, the words."""

    code: str
    words: str
    key: str = ""
    severity: str = "error"


class Answer(msgspec.Struct, frozen=True):
    """One output line. id: 32 hex digits. outcome: "queued" or "refused"."""

    line: int
    ref: str | None
    id: str | None
    code: str | None
    outcome: str
    problems: tuple[Said, ...] = ()


class Read(msgspec.Struct, frozen=True):
    """A line that was read, or what is wrong with it."""

    line: int
    row: Row | None
    digest: bytes
    problem: Problem | None = None


class Queue:
    """Takes rows in, family by family. lang: of the words in its answers."""

    def __init__(self, desk: Desk, lang: str = "id") -> None:
        self.desk = desk
        self.lang = lang
        self.refused = 0
        self.taken = 0
        self._families: set[str] = set()

    def answers(self, lines: Iterable[bytes]) -> Iterator[Answer]:
        """The answer to each row, in order; each given only after its row is durable."""
        for group in self._groups(lines):
            for answer in self._answer(group):
                self.taken += answer.outcome == QUEUED
                self.refused += answer.outcome != QUEUED
                yield answer

    def _groups(self, lines: Iterable[bytes]) -> Iterator[list[Read]]:
        """Rows that stand or fall together: neighbours of one family, all others alone."""
        group: list[Read] = []
        name = ""
        for read in read_rows(lines):
            family = (read.row.family or "") if read.row is not None else ""
            if group and not (family and family == name):
                yield group
                group = []
            name = family
            group.append(read)
        if group:
            yield group

    def _answer(self, group: Sequence[Read]) -> list[Answer]:
        again = [self._again(read) for read in group]
        if all(answer is not None for answer in again):
            return [answer for answer in again if answer is not None]
        family = (group[0].row.family or "") if group[0].row is not None else ""
        reused = {i: a.problems for i, a in enumerate(again) if a is not None and not a.id}
        if reused:
            return self._none(group, reused, family)
        try:
            self._may_begin(group, again, family)
            forms = [self._prepared(read) for read in group]
        except Problem as problem:
            return self._none(group, {0: (self._said(problem),)}, family)
        wrong = {i: self._remarks(form) for i, form in enumerate(forms) if not _is_ok(form)}
        if wrong:
            return self._none(group, wrong, family)
        return self._take(group, [form for form in forms if isinstance(form, Prepared)], family)

    def _may_begin(
        self, group: Sequence[Read], again: Sequence[Answer | None], family: str
    ) -> None:
        """A family that was stored, in this run or before, takes nobody in any more."""
        if not family:
            return
        if family in self._families or any(answer is not None for answer in again):
            raise Problem("queue.family_scattered", family=family, line=group[0].line)
        self._families.add(family)
        refs = [read.row.ref for read in group if read.row is not None and read.row.ref]
        for ref in refs:
            if refs.count(ref) > 1:
                raise Problem("queue.ref_reused", ref=ref)
        if len(group) > TRANSACTION_CHANGES_MAX:
            raise Problem("queue.too_large", family=family, limit=TRANSACTION_CHANGES_MAX)

    def _again(self, read: Read) -> Answer | None:
        """The answer a ref was given before. The same ref for other content is refused."""
        ref = read.row.ref if read.row is not None else None
        kept = self.desk.store.requests.by_ref(ref) if ref else None
        if kept is None:
            return None
        if kept.digest != read.digest:
            said = self._said(Problem("queue.ref_reused", ref=ref))
            return Answer(read.line, ref, None, None, REFUSED, (said,))
        answer = msgspec.json.decode(kept.answer, type=Answer)
        if read.row is not None and read.row.family:
            self._families.add(read.row.family)
        return msgspec.structs.replace(answer, line=read.line)

    def _prepared(self, read: Read) -> Prepared | Problem:
        if read.row is None:
            return read.problem or Problem("internal")
        row = read.row
        try:
            at = seconds(row.taken_at, read.line)
            return self.desk.prepare(
                Wanted(row.service, row.answers, row.documents, row.reasons, row.nik or "", at)
            )
        except Problem as problem:
            return problem

    def _take(self, group: Sequence[Read], forms: Sequence[Prepared], family: str) -> list[Answer]:
        answers: list[Answer] = []

        def refs(taken: Sequence[Taken]) -> list[Ref]:
            rows = zip(group, taken, forms, strict=True)
            answers.extend(self._queued(read, one, form) for read, one, form in rows)
            return [
                Ref(read.row.ref, read.digest, one.record, msgspec.json.encode(answer))
                for read, one, answer in zip(group, taken, answers, strict=True)
                if read.row is not None and read.row.ref
            ]

        try:
            self.desk.submit(*forms, refs=refs)
        except Problem as problem:
            if problem.code == "vault.too_large":
                problem = Problem("queue.too_large", family=family or "-", limit=64)
            elif problem.code not in _OF_THE_ROW:
                raise
            return self._none(group, {0: (self._said(problem),)}, family)
        return answers

    def _queued(self, read: Read, taken: Taken, form: Prepared) -> Answer:
        ref = read.row.ref if read.row is not None else None
        remarks = self._remarks(form)
        return Answer(read.line, ref, taken.record.hex(), str(taken.code), QUEUED, remarks)

    def _none(
        self, group: Sequence[Read], wrong: dict[int, tuple[Said, ...]], family: str
    ) -> list[Answer]:
        """Refuse a whole group: each row with its remarks, the others with the faulty line."""
        line = group[min(wrong)].line
        whole = (self._said(Problem("queue.family_refused", family=family, line=line)),)
        answers = []
        for i, read in enumerate(group):
            ref = read.row.ref if read.row is not None else None
            said = wrong.get(i, whole)
            answers.append(Answer(read.line, ref, None, None, REFUSED, said))
        return answers

    def _remarks(self, form: Prepared | Problem) -> tuple[Said, ...]:
        if isinstance(form, Problem):
            return (self._said(form),)
        return tuple(said(one, self.lang) for one in form.checked.problems if not one.quiet)

    def _said(self, problem: Problem) -> Said:
        return Said(problem.code, problem.words(self.lang), str(problem.details.get("key", "")))


_OF_THE_ROW = ("request.invalid", "change.too_large")


def said(one: Finding, lang: str) -> Said:
    """A remark on an answer, as a row's problem; one that was passed is only told."""
    severity = "passed" if one.passed else one.severity
    return Said(one.code, one.words(lang), one.key, severity)


def _is_ok(form: Prepared | Problem) -> bool:
    return isinstance(form, Prepared) and form.ok


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file or of standard input as they come. A line over the limit is cut just
    beyond it, so that it is refused without being held in memory."""
    while line := file.readline(LINE_BYTES_MAX + 2):
        rest = line
        while len(rest) >= LINE_BYTES_MAX + 2 and not rest.endswith(b"\n"):
            rest = file.readline(LINE_BYTES_MAX + 2)
        yield line


def read_rows(lines: Iterable[bytes]) -> Iterator[Read]:
    """Each line that is not blank, read strictly."""
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if text:
            yield read_row(number, text)


def read_row(number: int, text: bytes) -> Read:
    """One line. digest: over its content, however it is spaced or ordered."""
    if len(text) > LINE_BYTES_MAX:
        problem = Problem("queue.line_too_long", line=number, limit=LINE_BYTES_MAX)
        return Read(number, None, b"", problem)
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Read(number, None, b"", Problem("queue.line", line=number, why=str(error)[:200]))
    try:
        row = msgspec.convert(plain, Row)
    except msgspec.ValidationError as error:
        return Read(number, None, b"", Problem("queue.shape", line=number, why=str(error)[:200]))
    return Read(number, row, hashlib.sha256(_canonical(plain)).digest())


def _canonical(plain: Any) -> bytes:
    return msgspec.json.encode(plain, order="sorted")


def seconds(taken_at: str | int | None, line: int) -> int | None:
    """Unix seconds of `taken_at`."""
    if taken_at is None or isinstance(taken_at, int):
        at = taken_at
    else:
        try:
            moment = datetime.fromisoformat(taken_at)
        except ValueError:
            raise Problem("queue.shape", line=line, why=f"taken_at: {taken_at[:40]!r}") from None
        at = int((moment if moment.tzinfo else moment.replace(tzinfo=WIT)).timestamp())
    if at is not None and not 0 < at < 1 << 40:
        raise Problem("queue.shape", line=line, why="taken_at")
    return at
