"""Log lines of central: one JSON line each on standard error, without personal data.

Nothing personal is meant to be logged at all. Of an exception it says where it passed, not its
text. What slips in all the same, by a library's line, is blotted out here: numbers as long as a NIK
or a family card, and phones.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from server.ledger import places

_NUMBER = re.compile(r"(?<![0-9a-fA-F])\d{16}(?![0-9a-fA-F])")
_PHONE = re.compile(r"(?<![0-9a-fA-F])(?:\+62|62|0)8[\d -]{7,14}\d(?![0-9a-fA-F])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def redacted(text: str) -> str:
    """`text` with every NIK, family-card number, phone and e-mail address blotted out."""
    text = _NUMBER.sub("[16]", text)
    text = _PHONE.sub("[hp]", text)
    return _EMAIL.sub("[e-mail]", text)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: redact every value, nested ones too."""
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case int() if not isinstance(value, bool) and value >= 10**15:
            return "[16]"
        case dict():
            return {redacted(str(key)): _clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(item) for item in value]
        case bytes():
            return value.hex()[:32]
        case None | bool() | int() | float():
            return value
    return redacted(str(value))


def placed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: of an exception its kind and where it passed, never its words. Those of
    a database quote the row, which is somebody's name and address."""
    info = event.pop("exc_info", None)
    found = info[1] if isinstance(info, tuple) else info
    error = found if isinstance(found, BaseException) else sys.exc_info()[1]
    if info and error is not None:
        event["at"] = places(error)
    return event


class StandardError(logging.Handler):
    """Writes to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def configure(level: str) -> None:
    """Send structlog, and every library that uses `logging`, through the redaction."""
    number = getattr(logging, level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        placed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [h for h in root.handlers if not isinstance(h, StandardError)] + [handler]
    root.setLevel(number)
    logging.getLogger("uvicorn.access").disabled = True  # addresses may carry a tracking code
    for chatty in ("alembic", "apscheduler", "httpx"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))
