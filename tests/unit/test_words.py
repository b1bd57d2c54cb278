"""Words for people: every source string has its English; dates and numbers are Tidore's."""

import datetime
import gettext
import io
import string

import polib
import pytest

import words as collector  # scripts/words.py
from models import words
from models.words import say, say_n
from tests.architecture import source

LOCALE = source.ROOT / "models" / "data" / "locale"


def english() -> polib.POFile:
    return polib.pofile(str(LOCALE / "en.po"))


def said() -> dict[str, str]:
    """Every literal handed to say() or say_n() in the four packages -> in which file."""
    return {
        text: path.relative_to(source.ROOT).as_posix()
        for path in source.modules()
        for text, _ in collector.said(source.parsed(path))
    }


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_word_said_has_its_english():
    known = {one.msgid for one in english() if one.translated()}
    missing = {text: where for text, where in said().items() if text not in known}
    assert not missing, "run scripts/words.py, then write the English"


def test_every_word_of_a_template_has_its_english():
    known = {one.msgid for one in english() if one.translated()}
    written = set(collector.collected()) - set(said())
    assert "Langsung ke isi halaman" in written
    assert not written - known, "run scripts/words.py, then write the English"


def test_a_translation_keeps_the_placeholders():
    for one in english():
        for text in [one.msgstr, *one.msgstr_plural.values()]:
            if text:
                assert placeholders(text) == placeholders(one.msgid), one.msgid


def test_the_compiled_file_is_the_written_one():
    assert (LOCALE / "en.mo").read_bytes() == english().to_binary(), "run scripts/words.py"


def test_the_test_above_would_see_a_forgotten_word(tmp_path, monkeypatch):
    forgotten = tmp_path / "page.py"
    lines = [
        "from models.words import say",
        'say("Belum pernah")',
        'words.say_n("{n} kali", 3)',
        'terminal.say("Selesai.", count=1)',
        'reading.say("field.yes_no")',
        'found.say("documents", code)',
    ]
    forgotten.write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(source, "ROOT", tmp_path)
    monkeypatch.setattr(source, "modules", lambda: [forgotten])
    assert set(said()) == {"Belum pernah", "{n} kali", "Selesai."}


@pytest.fixture
def catalogue(monkeypatch):
    """A catalogue of two strings, compiled and read the way the real one is."""
    po = polib.POFile()
    po.metadata = english().metadata
    po.append(polib.POEntry(msgid="Tersimpan pukul {jam}.", msgstr="Saved at {jam}."))
    counted = polib.POEntry(msgid="{n} berkas", msgid_plural="{n} berkas")
    counted.msgstr_plural = {0: "{n} request", 1: "{n} requests"}
    po.append(counted)
    reader = gettext.GNUTranslations(io.BytesIO(po.to_binary()))
    plain = words._translations
    monkeypatch.setattr(
        words, "_translations", lambda lang: reader if lang == "en" else plain(lang)
    )


def test_saying_in_both_languages(catalogue):
    assert say("Tersimpan pukul {jam}.", jam="10:42") == "Tersimpan pukul 10:42."
    assert say("Tersimpan pukul {jam}.", "en", jam="10:42") == "Saved at 10:42."
    assert say("Tersimpan pukul {jam}.", "fr", jam="10:42") == "Tersimpan pukul 10:42."
    assert say("100 % {aman}") == "100 % {aman}"


def test_counting_in_both_languages(catalogue):
    assert [say_n("{n} berkas", n) for n in (0, 1, 1200)] == [
        "0 berkas",
        "1 berkas",
        "1.200 berkas",
    ]
    assert [say_n("{n} berkas", n, "en") for n in (1, 1200)] == ["1 request", "1,200 requests"]


def test_days_and_moments_are_those_of_tidore():
    night = datetime.datetime(2026, 11, 20, 15, 30, tzinfo=datetime.UTC)
    assert words.moment(night) == "21-11-2026 00.30"
    assert words.moment(night.replace(tzinfo=None)) == "21-11-2026 00.30"
    assert words.day(datetime.date(950, 3, 5)) == "05-03-0950"
    saturday = datetime.date(2026, 11, 21)
    assert words.long_day(saturday) == "Sabtu, 21 November 2026"
    assert words.long_day(saturday, "en") == "Saturday, 21 November 2026"
    assert words.long_day(datetime.date(2026, 8, 17)) == "Senin, 17 Agustus 2026"


def test_numbers_use_the_marks_of_the_language():
    assert words.number(1234.5) == "1.234,5"
    assert words.number(1234.5, "en") == "1,234.5"
    assert words.number(1234567) == "1.234.567"
    assert words.number(81.305, decimals=2) in ("81,30", "81,31")


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1300, "1,3 kB"),
        (38_400_000, "38 MB"),
        (72_000_000_000, "72 GB"),
    ],
)
def test_sizes(count, shown):
    assert words.size(count) == shown


def test_the_catalogue_says_how_english_counts():
    assert english().metadata["Plural-Forms"] == "nplurals=2; plural=(n != 1);"
    assert english().metadata["Content-Type"] == "text/plain; charset=UTF-8"
