"""Log lines of central hold no personal data, whatever is thrown at them."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from server.redact import StandardError, configure, redacted

NIK = "8272034107900001"


@pytest.fixture
def configured():
    before = structlog.get_config()
    root = logging.getLogger()
    level = root.level
    configure("info")
    yield
    root.handlers[:] = [h for h in root.handlers if not isinstance(h, StandardError)]
    root.setLevel(level)
    structlog.configure(**before)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"NIK {NIK} salah", "NIK [16] salah"),
        (f"{NIK},{NIK}", "[16],[16]"),
        ("hp 0812-3456-7890.", "hp [hp]."),
        ("+6281234567890", "[hp]"),
        ("siti@contoh.id", "[e-mail]"),
        ("nomor 12345", "nomor 12345"),
        ("a0" * 16, "a0" * 16),
        ("1763712000", "1763712000"),
    ],
)
def test_what_is_personal_is_blotted_out_and_the_rest_stays(text, clean):
    assert redacted(text) == clean


def test_every_road_into_the_log_is_redacted(configured, capsys):
    structlog.get_logger("x").info("event", nik=NIK, deep={"a": [f"KK {NIK}"]}, number=int(NIK))
    logging.getLogger("library").warning("seen %s", NIK)
    try:
        raise ValueError(f"bad {NIK} of SALMA KADER")
    except ValueError as error:
        structlog.get_logger("x").exception("failed")
        logging.getLogger("apscheduler.executors").exception("job")
        structlog.get_logger("x").error("again", exc_info=error)
    written = capsys.readouterr().err
    assert NIK not in written
    assert "SALMA" not in written, "a database's words quote the row"
    lines = [json.loads(line) for line in written.splitlines()]
    said = [line["event"] for line in lines]
    assert said == ["event", "seen [16]", "failed", "job", "again"]
    for line in lines[2:]:
        assert line["at"][0] == "ValueError"
        assert line["at"][1].startswith("test_redact.py:")
    assert lines[0]["deep"] == {"a": ["KK [16]"]}
    assert lines[0]["number"] == "[16]"


def test_the_level_is_kept(configured, capsys):
    configure("warning")
    structlog.get_logger("x").info("quiet")
    logging.getLogger("library").info("quiet")
    assert capsys.readouterr().err == ""
