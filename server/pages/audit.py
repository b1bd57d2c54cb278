"""The trail: who saw and changed what, whether every chain holds, and a file for an auditor."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.response import Redirect

from models.audit import acts
from models.pages.forms import Form, whole
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.trail import Sought


@show("/audit")
def audit(here: Here) -> Response[str]:
    """Entries, the newest first."""
    sought = _sought(here)
    before = whole(here.asked("before")) or 0
    trail = here.central.trail
    found = trail.search(here.me, sought, before=before)
    plain = {k: v for k, v in msgspec.structs.asdict(sought).items() if v}
    first = f"/audit?{urlencode(plain)}" if plain else "/audit"
    following = ""
    if found.before:
        following = f"/audit?{urlencode(plain | {'before': found.before})}"
    return here.page(
        "audit/trail.html",
        found=found,
        sought=sought,
        following=following,
        first=first if before else "",
        checked=trail.checked(here.me),
        checking=trail.checking,
        fingerprint=trail.fingerprint(),
        actions=sorted((words.words(here.lang), code) for code, words in acts().items()),
        named=trail.named(here.me, found.entries),
        query=urlencode({k: v for k, v in plain.items() if k in ("first", "last")}),
    )


@act("/audit/search")
def search(here: Here, form: Form) -> Redirect:
    """What is sought is typed, for it may be a citizen's number; the address has only ids.
    Problem audit.unknown."""
    typed = Sought(**{name: form.get(name).strip() for name in Sought.__struct_fields__})
    sought = here.central.trail.typed(here.me, typed)
    given = {name: text for name, text in msgspec.structs.asdict(sought).items() if text}
    return here.go(f"/audit?{urlencode(given)}" if given else "/audit")


@act("/audit/check")
def check(here: Here, form: Form) -> Redirect:  # noqa: ARG001 - asking for it checks the token
    """Verify every chain, beside everything else."""
    begun = here.central.trail.check(here.me)
    started = here.say("Pemeriksaan dimulai. Hasilnya tampil di halaman ini setelah selesai.")
    running = here.say("Pemeriksaan sedang berjalan.")
    return here.go("/audit", started if begun else running)


@show("/audit/trail.jsonl")
def export(here: Here) -> Response[bytes]:
    """A piece of the trail that proves itself."""
    sought = _sought(here)
    data = here.central.trail.export(here.me, sought.first, sought.last)
    days = "-".join(day for day in (sought.first, sought.last) if day) or "semua"
    return here.file(data, f"jejak-{days}.jsonl")


@show("/audit/verify_audit.py")
def verifier(here: Here) -> Response[bytes]:
    """The program that checks it."""
    return here.file(here.central.trail.verifier(), "verify_audit.py")


def _sought(here: Here) -> Sought:
    asked: dict[str, Any] = {name: here.asked(name) for name in Sought.__struct_fields__}
    return Sought(**asked)


HANDLERS = [audit, search, check, export, verifier]
