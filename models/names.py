"""Names: what the law asks of a new one, what stands on cards, and when two are alike.

Permendagri 73/2022 binds names given from 21 April 2022: at most sixty letters, Latin, no digits or
punctuation, no titles on deeds; two words are wished for, not forced. People recorded before keep
theirs, apostrophes, hyphens and single words included. Nobody has a surname: a name is one field.
Names are stored as typed and compared by a key, because cards print capitals.
"""

import re
import unicodedata
from typing import Literal

from models.problems import Finding, finding

LENGTH_MAX = 100  # for every name
NEW_LENGTH_MAX = 60  # article 4: letters and spaces of a new name
UNKNOWN = frozenset({"", "-", "--", "TIDAK TAHU", "TIDAK DIKETAHUI", "TDK TAHU"})
"""What the national register holds where a parent is unknown; read as no name at all."""

_USUAL_SIGNS = frozenset(" '.,-/()")
_APOSTROPHES = dict.fromkeys(map(ord, "`´ʻʼʽˈ‘’‛′＇"), "'")
_SHORT_FORMS = frozenset(["ABD", "MUH", "MOH", "MHD", "MUHD", "MOHD", "ST", "BT"])
_TITLES = frozenset(
    ["PROF", "DR", "DRS", "DRA", "IR", "H", "HJ", "HI", "HAJI", "HAJJAH", "KH", "USTADZ"]
)
_BACK_TITLE = re.compile(
    r"(S|M|A)\.? ?(PD|SI|SOS|KOM|KES|KEB|KEP|AG|AP|IP|HUM|KN|PDI|MD|E|H|T|P)\.?"
)
_MUHAMMAD = ["MOHAMAD", "MOHAMMAD", "MUHAMAD", "MOHAMED", "MOH", "MUH", "MHD", "MOHD", "MUHD"]
_VARIANTS = dict.fromkeys(_MUHAMMAD, "MUHAMMAD")
_VARIANTS |= {"ABD": "ABDUL", "ST": "SITI"}
_PILGRIM = frozenset({"H", "HI", "HJ", "HAJI", "HAJJAH"})


def is_unknown(text: str) -> bool:
    """True for the signs that stand for "no name known"."""
    return " ".join(text.upper().split()) in UNKNOWN


def key(text: str) -> str:
    """The form names are compared in: capitals without marks, one apostrophe, single spaces."""
    plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).upper())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(letters.upper().translate(_APOSTROPHES).split())


def loose_key(text: str) -> str:
    """The key without signs, known variants made one. For finding people, never to correct."""
    words = re.sub(r"[^\w\s]", " ", key(text).replace("'", "")).split()
    if len(words) > 1 and words[0] in _PILGRIM:
        words = words[1:]
    return " ".join(_VARIANTS.get(word, word) for word in words)


def search_words(text: str) -> tuple[str, ...]:
    """The words by which somebody of this name is looked for, each once, in order."""
    return tuple(dict.fromkeys(loose_key(text).split()))


def alike(one: str, other: str) -> Literal["same", "variant", "different"]:
    """Whether two names are the same, a known variant of each other, or different."""
    if key(one) == key(other):
        return "same"
    return "variant" if loose_key(one) == loose_key(other) else "different"


def masked(text: str) -> str:
    """First word and initials, for public queue displays: `Siti R. B.`."""
    words = text.split()
    return " ".join([*words[:1], *(f"{word[0].upper()}." for word in words[1:])])


def check_name(text: str, *, new: bool = False, field: str = "") -> list[Finding]:
    """Remarks on a name. new: given now (a newborn, a change of name) and put on a deed."""
    name = text.strip()
    if not name:
        return [finding(field, "name.empty")]
    found = []
    if len(name) > LENGTH_MAX:
        found.append(finding(field, "name.too_long", limit=LENGTH_MAX, n=len(name)))
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in name):
        found.append(finding(field, "name.control"))
    return found + (_new(name, field) if new else _existing(name, field))


def _existing(name: str, field: str) -> list[Finding]:
    signs = _signs(name, allowed=_USUAL_SIGNS)
    return [finding(field, "name.unusual", signs=signs)] if signs else []


def _new(name: str, field: str) -> list[Finding]:
    found = []
    if NEW_LENGTH_MAX < len(name) <= LENGTH_MAX:
        found.append(finding(field, "name.new_too_long", limit=NEW_LENGTH_MAX, n=len(name)))
    letters = [sign for sign in name if sign.isalpha()]
    if not letters or not all("LATIN" in unicodedata.name(sign, "") for sign in letters):
        found.append(finding(field, "name.new_script"))
    if signs := _signs(name, allowed=frozenset(" ")):
        found.append(finding(field, "name.new_signs", signs=signs))
    words = name.split()
    if len(words) < 2:
        found.append(finding(field, "name.new_one_word"))
    if title := _title(name):
        found.append(finding(field, "name.new_title", word=title))
    elif short := next((word for word in words if _is_short(word)), None):
        found.append(finding(field, "name.new_short_form", word=short))
    return found


def _title(name: str) -> str | None:
    """The first word that is a title in front, or a degree behind a comma."""
    front, _, back = name.partition(",")
    words = front.split()
    if len(words) > 1 and words[0].rstrip(".").upper() in _TITLES:
        return words[0]
    degree = back.strip()
    return degree if _BACK_TITLE.fullmatch(degree.upper()) else None


def _is_short(word: str) -> bool:
    return word.endswith(".") or word.upper() in _SHORT_FORMS


def _signs(name: str, allowed: frozenset[str]) -> str:
    """Every sign neither a letter nor allowed, once each, in order; marks belong to letters."""
    plain = name.translate(_APOSTROPHES)
    odd = (s for s in plain if not (s.isalpha() or s in allowed or unicodedata.combining(s)))
    return " ".join(dict.fromkeys(sign for sign in odd if sign.isprintable()))
