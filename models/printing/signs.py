"""Signs: text as the embedded font can print it, with nothing lost in silence.

Names are typed by people and come from sheets; a control sign or a right-to-left mark could hide or
turn round what stands on a signed paper, so these are taken out. A letter the font lacks is printed
by its plain form (`ḍ` as `d`), and what has none as `?`, which a reader sees.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from models.printing.fonts import has

LONGEST = 2000
"""Signs of one value on paper; no answer of a form is longer."""

_ALIKE = dict.fromkeys(map(ord, "ʼʻʽˈ′＇‛"), "’") | {0x2011: "-"}


def printable(text: str) -> str:
    """The text as it can be printed, cut at `LONGEST` with a sign that it was."""
    shown = "".join(_sign(one) for one in unicodedata.normalize("NFC", text))
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


@cache
def _sign(sign: str) -> str:
    sign = _ALIKE.get(ord(sign), sign)
    if sign in "\t\r":
        return " "
    if sign == "\n" or has(sign):
        return sign
    if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Mn"):
        return ""
    plain = "".join(one for one in unicodedata.normalize("NFKD", sign) if has(one))
    return plain or "?"
