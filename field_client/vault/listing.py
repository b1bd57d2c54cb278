"""One line of a list: what of a request is worth a column, and the words it is found by.

The columns are told from the form by the catalogue, so a new service needs nothing here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec

from models.problems import Problem
from models.services import Service, Subject, catalogue
from sync.view import View

_NUMBER = re.compile(r"\d{16}")
_TOKEN = re.compile(r"\w+")
_JOINED = re.compile(r"(?<=\w)['’`ʼ-](?=\w)")


class Listing(msgspec.Struct, frozen=True):
    """name, nik, kk: of the first person the request is about, "" where unknown. village: region
    code. numbers: every 16-digit number in it. words: what full-text search reads."""

    name: str = ""
    nik: str = ""
    kk: str = ""
    village: str = ""
    numbers: tuple[str, ...] = ()
    words: str = ""


def listing(view: View) -> Listing:
    """The line of a request. One with an unknown form still is listed and found by its numbers."""
    units = view.units
    texts = list(_texts(units))
    numbers = tuple(sorted({text for text in texts if _NUMBER.fullmatch(text)}))
    try:
        service = catalogue().service(view.service, view.edition)
        subject, people, village = _about(service, units)
    except (Problem, ValueError, TypeError, AttributeError, KeyError):
        return Listing(numbers=numbers)
    return Listing(
        name=subject.name or "",
        nik=subject.nik or "",
        kk=subject.kk or "",
        village=village,
        numbers=numbers,
        words=search_words(*people),
    )


def _about(service: Service, units: dict[str, Any]) -> tuple[Subject, list[str], str]:
    answers, _ = service.answers(units)
    subjects = service.subjects(answers)
    people = [text for key, text in answers.items() if _is_name(key) and isinstance(text, str)]
    for subject in subjects:
        people += [text for text in (subject.name, subject.mother_name) if text]
    return subjects[0], list(dict.fromkeys(people)), service.village(answers) or ""


def _is_name(key: str) -> bool:
    return key.rpartition(".")[2].endswith("name")


def _texts(value: Any) -> Iterator[str]:
    """Every text anywhere in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def search_words(*texts: str) -> str:
    """Texts as full-text search keeps them; `Ma'ruf` is found as `maruf` and as `ma ruf`."""
    spelled = [unicodedata.normalize("NFKC", text) for text in texts]
    joined = [_JOINED.sub("", text) for text in spelled if _JOINED.search(text)]
    return " ".join([*spelled, *joined])


def search_query(text: str) -> str:
    """An FTS5 query for what somebody typed: every word, the beginning of each is enough. Empty
    for a text without words. Quoted, so nothing typed can be a query operator."""
    tokens = _TOKEN.findall(_JOINED.sub("", unicodedata.normalize("NFKC", text)))
    return " ".join(f'"{token}"*' for token in tokens[:8])
