"""Every refusal and every doubt a person can see, in one catalogue (`data/problems.toml`).

A `Problem` is raised (or returned as a value) when something cannot be done. A `Finding` is a
remark on one answer of a form: an error stops the answer, a warning passes once a reason is given.
Both take their words, their HTTP status and the person whose turn it is from the entry of their
code, so that the van, the office and the API say the same thing.

Words are written to the person who reads them: what happened, whose turn it is, that nothing was
lost.
"""

import string
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

import msgspec

from models import words

Who = Literal["operator", "verifier", "supervisor", "admin", "engineer", "citizen", "nobody"]
Severity = Literal["error", "warning"]
WHO: tuple[str, ...] = get_args(Who)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of the catalogue. `severity` is set where the code may be a finding on an answer."""

    status: int  # HTTP status at the API (RFC 9457)
    who: Who  # whose turn it is
    id: str  # Indonesian words with {placeholders}
    en: str
    severity: Severity | None = None
    quiet: bool = False  # a warning so usual that nobody is stopped for it: no reason is asked
    override: Literal["verifier"] | None = (
        None  # an error that this role may let pass with a reason
    )

    def words(self, lang: str, details: Mapping[str, Any]) -> str:
        """The sentence in `lang`, `{placeholders}` filled from `details`; a missing one is "?"."""
        template = self.en if lang == "en" else self.id
        shown = {name: _shown(value, lang) for name, value in details.items()}
        return _Lenient().vformat(template, (), shown)


@cache
def problems() -> Mapping[str, Entry]:
    """The catalogue by code. Decoded strictly: an unknown key or a wrong type names its place."""
    text = resources.files("models").joinpath("data/problems.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, Entry])


class Problem(Exception):
    """A refusal with a stable code. `str()` is the code alone: details may hold personal data."""

    def __init__(self, code: str, /, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
        self._entry = problems()[code]

    @property
    def status(self) -> int:
        """HTTP status at the API."""
        return self._entry.status

    @property
    def who(self) -> Who:
        """Whose turn it is to act."""
        return self._entry.who

    def words(self, lang: str = "id") -> str:
        """What a person reads."""
        return self._entry.words(lang, self.details)

    def as_dict(self, lang: str = "id") -> dict[str, Any]:
        """The body of an `application/problem+json` answer (RFC 9457), JSON values only."""
        return {
            "type": f"urn:jemput-bola:problem:{self.code}",
            "title": self.code,
            "status": self.status,
            "detail": self.words(lang),
            "code": self.code,
            "who": self.who,
            "details": msgspec.to_builtins(self.details, str_keys=True),
        }

    def __repr__(self) -> str:
        return f"Problem({self.code!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.code, self.details))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Problem):
            return NotImplemented
        return (self.code, self.details) == (other.code, other.details)

    def __hash__(self) -> int:
        return hash(self.code)


def internal(error: BaseException) -> Problem:
    """Our own mistake as a problem: type and place of the error, never its words, which may hold a
    citizen's data."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        file = code.co_filename.replace("\\", "/").rpartition("/")[2]
        place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return Problem("internal", incident=f"{type(error).__name__} {place}")


class Finding(msgspec.Struct, frozen=True):
    """A remark on the answer `key`. `passed` is true once a reason let it through."""

    key: str
    code: str
    severity: Severity
    details: dict[str, Any] = {}
    passed: bool = False

    @property
    def stops(self) -> bool:
        """Whether the request cannot be submitted because of this."""
        return not self.passed and not self.quiet

    @property
    def quiet(self) -> bool:
        """True for a doubt that is too usual to ask anybody for a reason."""
        return self.severity == "warning" and problems()[self.code].quiet

    def passable(self, role: str = "operator") -> bool:
        """Whether `role` may let this pass with a reason: warnings, and errors that name it."""
        return self.severity == "warning" or problems()[self.code].override == role

    def words(self, lang: str = "id") -> str:
        """What a person reads."""
        return problems()[self.code].words(lang, self.details)

    def problem(self) -> Problem:
        """The same remark as a refusal, `key` among its details."""
        return Problem(self.code, **{**self.details, "key": self.key})


def finding(key: str, code: str, /, **details: Any) -> Finding:
    """A finding with the severity the catalogue gives to `code`."""
    severity = problems()[code].severity
    if severity is None:
        raise ValueError(f"{code} is not a finding: its entry has no severity")
    return Finding(key, code, severity, details)


def told(code: str, details: Mapping[str, Any], lang: str = "id") -> str:
    """The words for a code that came over the wire; a newer side may use one unknown here."""
    entry = problems().get(code)
    if entry is None:
        return problems()["words.unknown_code"].words(lang, {"code": code})
    return entry.words(lang, details)


class _Lenient(string.Formatter):
    """Formats what is there. A refusal must reach the person even when a detail is missing."""

    def get_value(self, key: int | str, _: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "?")


def _again(code: str, details: dict[str, Any]) -> Problem:
    return Problem(code, **details)


def _shown(value: Any, lang: str) -> Any:
    if isinstance(value, datetime):
        return words.moment(value)
    if isinstance(value, date):
        return words.day(value)
    if isinstance(value, Mapping):  # words in both languages, such as the label of a field
        return value.get(lang, value.get("id", "?"))
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(_shown(one, lang)) for one in value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict) and value.keys() == {"id", "en"}:  # words in both languages
        return value["en" if lang == "en" else "id"]
    return value
