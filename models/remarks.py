"""Remarks: why a request goes back, for the whole of it and for single answers.

They travel as the one text that a reason is. The first line is about the whole: a code of the list
`alasan_perbaikan`, then what the person added. Each further line is about one answer, by its key,
or about one document:

    DOC_UNREADABLE: foto ulang semua halaman
    @applicant.nik NIK_NOT_FOUND: cek KTP-nya
    @doc.KK DOC_UNREADABLE

A reader that knows only the first line still says something true.
"""

import re
from collections.abc import Sequence

import msgspec

from models.codes import code_list
from models.problems import Problem
from models.services import Service
from models.words import say

REASONS = "alasan_perbaikan"
"""Code list of the reasons for which a request goes back or is refused."""

DOCUMENT = "doc."
REMARKS_MAX = 20
TEXT_MAX = 200
_LINE = re.compile(r"@(\S+) (\w+)(?:: (.*))?")


class Remark(msgspec.Struct, frozen=True):
    """One reason. key: of the answer, `doc.<code>` for a document, "" for the whole request."""

    key: str
    code: str
    text: str = ""


class Said(msgspec.Struct, frozen=True):
    """A remark as people read it. about: the question or document, "" for the whole request."""

    key: str
    about: str
    words: str


def written(found: Sequence[Remark]) -> str:
    """Remarks as the text that travels. Where none is about the whole, the first code stands for
    it."""
    whole = [one for one in found if not one.key]
    about = [one for one in found if one.key]
    head = whole[0] if whole else Remark("", about[0].code)
    return "\n".join([_coded(head), *(f"@{one.key} {_coded(one)}" for one in about)])


def read(reason: str) -> list[Remark]:
    """The remarks in a text, the one about the whole first. A text without a code of the list is
    one remark without a code."""
    first, *rest = reason.split("\n")
    code, _, text = first.partition(":")
    if code not in code_list(REASONS):
        return [Remark("", "", reason)] if reason else []
    matches = (_LINE.fullmatch(line) for line in rest)
    about = [Remark(m[1], m[2], m[3] or "") for m in matches if m]
    plain = [line for line in rest if not _LINE.fullmatch(line)]
    text = " ".join([text.strip(), *plain]).strip()
    if about and not text and code in {one.code for one in about}:
        return about  # the code of the whole only repeats theirs
    return [Remark("", code, text), *about]


def checked(service: Service | None, found: Sequence[Remark]) -> list[Remark]:
    """These remarks, clean, if they fit the form and the list. Problems reason.required,
    reason.unknown, reason.too_long, field.unknown, work.too_many."""
    if not found:
        raise Problem("reason.required")
    if sum(not one.key for one in found) > 1:  # there is one line for the whole
        raise Problem("field.unknown", key='""')
    if len(found) > REMARKS_MAX:
        raise Problem("work.too_many", limit=REMARKS_MAX, n=len(found))
    return [_clean(service, one) for one in found]


def _clean(service: Service | None, one: Remark) -> Remark:
    text = " ".join(one.text.split())
    if one.code not in code_list(REASONS):
        raise Problem("reason.unknown", code=one.code[:40])
    if len(text) > TEXT_MAX:
        raise Problem("reason.too_long", limit=TEXT_MAX, n=len(text))
    if one.key and not _is_asked(service, one.key):
        raise Problem("field.unknown", key=one.key[:60])
    return Remark(one.key, one.code, text)


def _is_asked(service: Service | None, key: str) -> bool:
    if key.startswith(DOCUMENT):
        return key.removeprefix(DOCUMENT) in code_list("jenis_dokumen")
    return service is not None and service.plan.slot(key) is not None


def said(reason: str, service: Service | None, lang: str = "id") -> list[Said]:
    """The remarks in a text as people read them; service: the form, to name its questions."""
    return [Said(one.key, label(service, one.key, lang), _words(one, lang)) for one in read(reason)]


def sentence(reason: str, service: Service | None = None, lang: str = "id") -> str:
    """All remarks of a text in one line: `Hasil pindai tidak terbaca; NIK: NIK tidak ditemukan`."""
    lines = said(reason, service, lang)
    return "; ".join(f"{one.about}: {one.words}" if one.about else one.words for one in lines)


def returned_words(reason: str, service: Service | None, lang: str = "id") -> str:
    """What an author reads of a request that came back."""
    return say(
        "Pusat mengembalikan berkas ini: {reason}. Perbaiki lalu kirim lagi.",
        lang, reason=sentence(reason, service, lang) or "-",
    )  # fmt: skip


def decided_words(unit: str, value: str, mine: str, reason: str, by: str, lang: str = "id") -> str:
    """What an author reads of a decision about an answer; everything in words already."""
    if value == mine:
        return say(
            "Pusat memutuskan: {unit} memakai usulan Anda. Alasan: {reason} ({by}).",
            lang, unit=unit, reason=reason or "-", by=by or "-",
        )  # fmt: skip
    return say(
        "Pusat memutuskan: {unit} memakai {value}. Usulan Anda: {mine}. Alasan: {reason} ({by}).",
        lang, unit=unit, value=value, mine=mine, reason=reason or "-", by=by or "-",
    )  # fmt: skip


def label(service: Service | None, key: str, lang: str = "id") -> str:
    """What a question or document is called; the key where this program does not know it."""
    if key.startswith(DOCUMENT):
        return code_list("jenis_dokumen").label(key.removeprefix(DOCUMENT), lang)
    asked = service.plan.slot(key) if service is not None else None
    if asked is None:
        return key
    slot, row = asked
    title, words = slot.block.title, slot.field.label.say(lang)
    words = f"{words} ({row})" if row else words
    return f"{title.say(lang)}, {words}" if title else words


def codes(reason: str) -> list[str]:
    """The codes of a text, each once, in order; for counting."""
    return list(dict.fromkeys(one.code for one in read(reason) if one.code))


def _words(one: Remark, lang: str) -> str:
    if not one.code:
        return one.text
    words = code_list(REASONS).label(one.code, lang)
    return f"{words}: {one.text}" if one.text else words


def _coded(one: Remark) -> str:
    return f"{one.code}: {one.text}" if one.text else one.code
