"""Questions: what the office asks the field about a request, and what the field answers.

Both are words about an answer of the form, and travel as such: as reasons (`Body.reasons`), each a
free unit of its own under a key that no question of a form has.

    ask/2/photo/doc.KK    "Bagian bawah KK terpotong. Bisa difoto lagi?"
    reply/2               "Sudah difoto ulang."

The key of a question says its number, what kind of answer is wanted, and what it is about. A
program that knows no questions keeps and passes on both like any reason. A question whose text is
empty was taken back.
"""

from collections.abc import Mapping
from itertools import count
from typing import Literal, get_args

import msgspec

from models.problems import Problem

Kind = Literal["yes_no", "text", "photo"]
KINDS: tuple[str, ...] = get_args(Kind)
ASK, REPLY = "ask/", "reply/"
TEXT_MAX = 300
QUESTIONS_MAX = 20
"""Of one request, those that were answered too."""
NUMBER_MAX = 9999


class Question(msgspec.Struct, frozen=True):
    """One question. about: key of an answer, `doc.<code>`, or "" for the whole request. answer: ""
    while there is none."""

    n: int
    kind: str
    about: str
    text: str
    answer: str = ""

    @property
    def key(self) -> str:
        """Under which it travels."""
        return f"{ASK}{self.n}/{self.kind}/{self.about}"

    @property
    def reply(self) -> str:
        """Under which its answer travels."""
        return f"{REPLY}{self.n}"

    @property
    def waits(self) -> bool:
        """Is it for the field to answer?"""
        return bool(self.text) and not self.answer


def questions(reasons: Mapping[str, str]) -> list[Question]:
    """The questions among the reasons of a request, by number; those taken back too."""
    found = (_question(key, text, reasons) for key, text in reasons.items())
    return sorted((one for one in found if one is not None), key=lambda one: (one.n, one.key))


def free_number(reasons: Mapping[str, str]) -> int:
    """The lowest number that neither a question nor a stray answer has."""
    used = {one.n for one in questions(reasons)}
    return next(n for n in count(1) if n not in used and f"{REPLY}{n}" not in reasons)


def plain(reasons: Mapping[str, str]) -> dict[str, str]:
    """The reasons that are about warnings."""
    return {key: text for key, text in reasons.items() if not key.startswith((ASK, REPLY))}


def checked(text: str) -> str:
    """A question or an answer as it is written, "" for none. Problem reason.too_long."""
    text = " ".join(text.split())
    if len(text) > TEXT_MAX:
        raise Problem("reason.too_long", limit=TEXT_MAX, n=len(text))
    return text


def _question(key: str, text: str, reasons: Mapping[str, str]) -> Question | None:
    if not key.startswith(ASK):
        return None
    number, _, rest = key.removeprefix(ASK).partition("/")
    kind, _, about = rest.partition("/")
    plain_number = number.isascii() and number.isdigit() and not number.startswith("0")
    if not plain_number or len(number) > len(str(NUMBER_MAX)):
        return None
    answer = reasons.get(f"{REPLY}{number}", "")
    return Question(int(number), kind if kind in KINDS else "text", about, str(text), str(answer))
