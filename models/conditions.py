"""Conditions: the one small language in which a form says when a question or a paper is asked.

    either = both { "or" both }      both = single { "and" single }
    single = "not" single | "(" either ")" | path test
    test   = ("=" | "!=" | "<" | "<=" | ">" | ">=") value
           | ["not"] "in" "(" value { "," value } ")" | "empty" | "filled"

A path is `section.name`, `service`, `age` or `doc.CODE`; values are codes, numbers, ISO dates, yes
and no. What a path means is the reader's business (`models.forms`): it answers with one value for
each row that may fit, `None` for an empty answer, `UNKNOWN` where nobody can tell (an age without a
birth date).

The result has three values: True, False and None for "cannot be told". A test over several rows is
true when any row fits. An empty answer makes every comparison false, `!=` and `not in` true.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

Truth = bool | None


class Unknown:
    """The type of `UNKNOWN`, so that a reader can say in its types that it may answer so."""


UNKNOWN: Final = Unknown()
Reader = Callable[[str], Sequence[Any]]

_TOKEN = re.compile(r"\s*(!=|<=|>=|[=<>(),]|[A-Za-z0-9_][A-Za-z0-9_.+-]*)")
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_WORDS = {"and", "or", "not", "in", "empty", "filled", ""}


class Test(msgspec.Struct, frozen=True):
    """One comparison: `path op values`, `op` being a sign, "in", "not in", "empty" or "filled"."""

    path: str
    op: str
    values: tuple[str, ...] = ()

    def holds(self, read: Reader) -> Truth:
        """True when any row fits, None when none does but one cannot be told."""
        return any_of([self._fits(value) for value in read(self.path)])

    def _fits(self, value: Any) -> Truth:
        gone = value is None or value is UNKNOWN
        if self.op == "empty":
            return gone
        if self.op == "filled":
            return not gone
        if value is UNKNOWN:
            return None
        if self.op in ("=", "in"):
            return _among(value, self.values)
        if self.op in ("!=", "not in"):
            return not _among(value, self.values)
        return _ordered(value, self.op, self.values[0])


class Not(msgspec.Struct, frozen=True):
    """The opposite; unknown stays unknown."""

    inner: "Node"

    def holds(self, read: Reader) -> Truth:
        truth = self.inner.holds(read)
        return None if truth is None else not truth


class Both(msgspec.Struct, frozen=True):
    """All of `parts`."""

    parts: tuple["Node", ...]

    def holds(self, read: Reader) -> Truth:
        truths = [part.holds(read) for part in self.parts]
        if False in truths:
            return False
        return None if None in truths else True


class Either(msgspec.Struct, frozen=True):
    """Any of `parts`."""

    parts: tuple["Node", ...]

    def holds(self, read: Reader) -> Truth:
        return any_of([part.holds(read) for part in self.parts])


Node = Test | Not | Both | Either


class Condition(msgspec.Struct, frozen=True):
    """A parsed condition. `tests` are its comparisons in the order written."""

    text: str
    root: Node
    tests: tuple[Test, ...]

    def holds(self, read: Reader) -> Truth:
        """Whether it is true for what `read` answers."""
        return self.root.holds(read)

    @property
    def paths(self) -> frozenset[str]:
        """Everything it reads."""
        return frozenset(test.path for test in self.tests)


def any_of(truths: Sequence[Truth]) -> Truth:
    """Three-valued "or" of any number of truths."""
    if True in truths:
        return True
    return None if None in truths else False


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """The condition written in `text`; ValueError says what cannot be read and where."""
    parser = _Parser(text)
    return Condition(text, parser.whole(), tuple(parser.tests))


def _among(value: Any, wanted: tuple[str, ...]) -> bool:
    if isinstance(value, list | tuple):
        return any(_plain(one) in wanted for one in value)
    return _plain(value) in wanted


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _ordered(value: Any, op: str, wanted: str) -> bool:
    """Compare as numbers where both are numbers, else as text (ISO dates sort as text)."""
    if value is None or isinstance(value, list | tuple | dict):
        return False
    left: float | str = _plain(value)
    right: float | str = wanted
    try:
        left, right = float(left), float(right)
    except ValueError:
        left, right = str(left), str(right)
    if op == "<":
        return left < right  # type: ignore[operator]
    if op == "<=":
        return left <= right  # type: ignore[operator]
    if op == ">":
        return left > right  # type: ignore[operator]
    return left >= right  # type: ignore[operator]


class _Parser:
    """Recursive descent, one method a rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.tests: list[Test] = []

    def whole(self) -> Node:
        node = self._either()
        if self.tokens:
            raise self._bad(f"unexpected {self.tokens[0]!r}")
        return node

    def _either(self) -> Node:
        parts = [self._both()]
        while self._peek() == "or":
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Node:
        parts = [self._single()]
        while self._peek() == "and":
            self._take()
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _single(self) -> Node:
        if self._peek() == "not":
            self._take()
            return Not(self._single())
        if self._peek() == "(":
            self._take()
            node = self._either()
            self._take(")")
            return node
        return self._test(self._word())

    def _test(self, path: str) -> Test:
        op = self._take()
        if op == "not":
            op = f"not {self._take('in')}"
        if op in ("in", "not in"):
            test = Test(path, op, self._list())
        elif op in ("empty", "filled"):
            test = Test(path, op)
        elif op in _COMPARISONS:
            test = Test(path, op, (self._word(),))
        else:
            raise self._bad(f"{op!r} is no comparison")
        self.tests.append(test)
        return test

    def _list(self) -> tuple[str, ...]:
        self._take("(")
        values = [self._word()]
        while self._peek() == ",":
            self._take()
            values.append(self._word())
        self._take(")")
        return tuple(values)

    def _peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise self._bad(f"expected {wanted or 'more'} instead of {token or 'the end'!r}")
        self.tokens.pop(0)
        return token

    def _word(self) -> str:
        token = self._take()
        if token in _WORDS or not (token[0].isalnum() or token[0] == "_"):
            raise self._bad(f"expected a path or value instead of {token!r}")
        return token

    def _bad(self, why: str) -> ValueError:
        return ValueError(f"condition {self.text!r}: {why}")


def _tokens(text: str) -> list[str]:
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if not found:
            raise ValueError(f"condition {text!r}: cannot read {text[place:]!r}")
        tokens.append(found.group(1))
        place = found.end()
    return tokens
