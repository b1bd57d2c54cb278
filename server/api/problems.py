"""Every refusal at the API as `application/problem+json` (RFC 9457), in the reader's language."""

from __future__ import annotations

import secrets
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from models.problems import Problem
from server.ledger import places

MEDIA_TYPE = "application/problem+json"
_PLAIN = {401: "auth.required", 404: "api.not_found", 405: "api.method"}

log_lines = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]
Answer = Response[dict[str, Any]]


def problem_response(http_request: AnyRequest, problem: Exception) -> Answer:
    """Handler for Problem."""
    assert isinstance(problem, Problem)
    headers = {}
    if "seconds" in problem.details:
        headers["Retry-After"] = str(problem.details["seconds"])
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = problem.as_dict(language(http_request))
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def http_response(http_request: AnyRequest, error: Exception) -> Answer:
    """Handler for what the framework refuses before a handler is reached."""
    assert isinstance(error, HTTPException)
    if error.status_code >= 500:
        return unexpected_response(http_request, error)
    if error.status_code == 413:
        handler = http_request.route_handler
        code = "sync.too_large" if handler.opt.get("laptops") else "api.too_large"
        limit = handler.resolve_request_max_body_size()
        return problem_response(http_request, Problem(code, limit=limit))
    if error.status_code in _PLAIN:
        return problem_response(http_request, Problem(_PLAIN[error.status_code]))
    return problem_response(http_request, Problem("api.malformed", why=_why(error)))


def unexpected_response(http_request: AnyRequest, error: Exception) -> Answer:
    """Handler for everything else: an engineer finds it by its incident code, and the caller learns
    nothing of the inside."""
    return problem_response(http_request, unexpected(http_request, error))


def unexpected(http_request: AnyRequest, error: Exception) -> Problem:
    """What nobody foresaw, noted for an engineer under a code of its own."""
    incident = secrets.token_hex(4)
    log_lines.error(
        "internal", incident=incident, path=http_request.scope["path"], at=places(error)
    )
    return Problem("internal", incident=incident)


def language(http_request: AnyRequest) -> str:
    """ "en" when the caller prefers English, else "id"."""
    wanted = http_request.headers.get("Accept-Language", "")
    return "en" if wanted.strip().lower().startswith("en") else "id"


def _why(error: HTTPException) -> str:
    """Which fields were wrong. The values stay out: they may be personal."""
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        found = [e for e in error.extra if isinstance(e, dict)]
        return ", ".join(str(e.get("key") or "body") for e in found)[:200] or "body"
    return "body"
