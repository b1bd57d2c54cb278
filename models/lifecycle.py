"""The life of a request: which step leads where, by whose authority, in which place, on which road.

Theory of operation
-------------------
A request stands in exactly one *status*. An *action* moves it along one row of `TABLE`, and
nothing else ever does; every row that may be taken is there, so what is not in the table cannot
happen. This file decides that and knows nothing of who is signed in, of databases or of the sync:
it is asked by the desk in the van, by casework at central and by the merge, and gives all three the
same answer.

*Place.* Steps marked `field` are made in the van or village and travel as changes; `office` steps
are made at central; `system` steps by the program. Some may be made on either side, because a
citizen comes to whichever is near. A device can only ever ask for a field step.

*Roads.* After verification a request takes the road of its service group: cards and deeds are typed
into the national register SIAK by hand and come back as a card, a signed deed or nothing at all;
village letters are signed by the village head and never enter SIAK; certified copies are stamped;
the digital identity is activated in the ministry's own app. `groups` of a row names its roads.

*Forth and back.* Rows marked as going back undo something (returned papers corrected, reopened,
spoiled, separated). Without them the table has no circle. That gives `passed` its meaning: a status
is behind a request when forward rows lead from it to where the request is now. The merge asks this
when a van reports a step that central has long gone beyond: such a report is agreement, no quarrel.

*Two that stand alike.* `receive` happens by itself when central stores a submitted request. A van
that has not pulled since still says `submitted`, so the two count as the same standing.

*Endings* need a reason unless something was handed over or finished. Rejection, closing a batch and
what undoes an ending need a second person. Time limits (`days`) are this project's own, not the
law's.
"""

from collections.abc import Collection, Mapping
from enum import Flag, StrEnum, auto
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from models.people import ROLES, Label, Role, covers
from models.problems import Problem

Place = Literal["field", "office", "system"]
Clock = Literal["not_started", "runs", "paused", "stopped"]


class Status(StrEnum):
    """Where a request stands. NONE is before the beginning and never stored."""

    NONE = "none"
    QUEUED = "queued"
    DRAFT = "draft"
    WAITING_DOCUMENTS = "waiting_documents"
    SUBMITTED = "submitted"
    RECEIVED = "received"
    IN_VERIFICATION = "in_verification"
    NEEDS_CORRECTION = "needs_correction"
    VERIFIED = "verified"
    IN_BATCH = "in_batch"
    IN_SIAK = "in_siak"
    WAITING_CENTRE = "waiting_centre"
    SIGNED = "signed"
    PRINT_READY = "print_ready"
    PRINTED = "printed"
    READY_FOR_HANDOVER = "ready_for_handover"
    HANDED_OVER = "handed_over"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MERGED = "merged"


class Mark(Flag):
    """What a row asks for or does besides moving."""

    REASON = auto()
    SECOND = auto()
    BACK = auto()


class Move(msgspec.Struct, frozen=True):
    """One row: from `source`, `action` by `role` in one of `places` leads to `target`.

    groups: service groups on whose road the row lies, empty for all. days: after which the program
    does it.
    """

    source: Status
    action: str
    target: Status
    role: Role
    places: tuple[Place, ...]
    marks: Mark = Mark(0)
    groups: frozenset[str] = frozenset()
    days: int = 0

    @property
    def reason(self) -> bool:
        """A reason must be written."""
        return Mark.REASON in self.marks

    @property
    def second(self) -> bool:
        """Another person must agree."""
        return Mark.SECOND in self.marks

    @property
    def back(self) -> bool:
        """The row undoes something."""
        return Mark.BACK in self.marks


CARDS = frozenset({"ktp", "kia"})
REGISTER = frozenset({"kk", "biodata", "move", "civil"})
SIAK = CARDS | REGISTER
KTP = frozenset({"ktp"})
WITH_CARD = CARDS | {"biodata", "move"}  # a card may follow from the entry in SIAK
ENROLLING = KTP | {"kk", "biodata", "move"}  # a person new to SIAK is entered first, then enrolled
DIGITAL = frozenset({"digital"})
COPIES = frozenset({"other"})
LETTERS = frozenset({"village"})
GROUPS = SIAK | DIGITAL | COPIES | LETTERS
"""Every service group; a service of a group that is not here has no road."""

_FIELD: tuple[Place, ...] = ("field",)
_OFFICE: tuple[Place, ...] = ("office",)
_EITHER: tuple[Place, ...] = ("field", "office")
_SYSTEM: tuple[Place, ...] = ("system",)
_PLAIN, _WHY, _TWO, _BACK = Mark(0), Mark.REASON, Mark.SECOND, Mark.BACK
_WHY_TWO, _UNDO, _UNDO_TWO = _WHY | _TWO, _WHY | _BACK, _WHY | _TWO | _BACK
_S, _R = Status, Role

TABLE: tuple[Move, ...] = (
    # In the van or village, before anything is submitted.
    Move(_S.NONE, "draw_number", _S.QUEUED, _R.OPERATOR, _FIELD),
    Move(_S.NONE, "start", _S.DRAFT, _R.OPERATOR, _FIELD),
    Move(_S.QUEUED, "start", _S.DRAFT, _R.OPERATOR, _FIELD),
    Move(_S.QUEUED, "no_show", _S.EXPIRED, _R.SYSTEM, _FIELD, _WHY),
    Move(_S.DRAFT, "set_aside", _S.WAITING_DOCUMENTS, _R.OPERATOR, _FIELD),
    Move(_S.DRAFT, "submit", _S.SUBMITTED, _R.OPERATOR, _FIELD),
    Move(_S.DRAFT, "discard", _S.CANCELLED, _R.OPERATOR, _FIELD, _WHY),
    Move(_S.DRAFT, "lapse", _S.EXPIRED, _R.SYSTEM, _FIELD, _WHY, days=30),
    Move(_S.WAITING_DOCUMENTS, "resume", _S.DRAFT, _R.OPERATOR, _FIELD, _BACK),
    Move(_S.WAITING_DOCUMENTS, "submit", _S.SUBMITTED, _R.OPERATOR, _FIELD),
    Move(_S.WAITING_DOCUMENTS, "cancel", _S.CANCELLED, _R.APPLICANT, _FIELD, _WHY),
    Move(_S.WAITING_DOCUMENTS, "lapse", _S.EXPIRED, _R.SYSTEM, _FIELD, _WHY, days=60),
    # On the way to central, and on its pile.
    Move(_S.SUBMITTED, "receive", _S.RECEIVED, _R.SYSTEM, _SYSTEM),
    Move(_S.SUBMITTED, "withdraw", _S.CANCELLED, _R.APPLICANT, _FIELD, _WHY),
    Move(_S.RECEIVED, "take", _S.IN_VERIFICATION, _R.VERIFIER, _OFFICE),
    Move(_S.RECEIVED, "join", _S.MERGED, _R.VERIFIER, _OFFICE, _WHY),
    Move(_S.RECEIVED, "withdraw", _S.CANCELLED, _R.APPLICANT, _EITHER, _WHY),
    # Verification: papers and data are compared. The verifier is asked before a late withdrawal.
    Move(_S.IN_VERIFICATION, "release", _S.RECEIVED, _R.VERIFIER, _OFFICE, _UNDO),
    Move(_S.IN_VERIFICATION, "return", _S.NEEDS_CORRECTION, _R.VERIFIER, _OFFICE, _WHY),
    Move(_S.IN_VERIFICATION, "approve", _S.VERIFIED, _R.VERIFIER, _OFFICE),
    Move(_S.IN_VERIFICATION, "reject", _S.REJECTED, _R.VERIFIER, _OFFICE, _WHY_TWO),
    Move(_S.IN_VERIFICATION, "join", _S.MERGED, _R.VERIFIER, _OFFICE, _WHY),
    Move(_S.IN_VERIFICATION, "withdraw", _S.CANCELLED, _R.APPLICANT, _OFFICE, _WHY),
    Move(_S.NEEDS_CORRECTION, "correct", _S.SUBMITTED, _R.OPERATOR, _FIELD, _BACK),
    Move(_S.NEEDS_CORRECTION, "correct_at_office", _S.IN_VERIFICATION, _R.OPERATOR, _OFFICE, _BACK),
    Move(_S.NEEDS_CORRECTION, "withdraw", _S.CANCELLED, _R.APPLICANT, _EITHER, _WHY),
    Move(_S.NEEDS_CORRECTION, "lapse", _S.EXPIRED, _R.SYSTEM, _OFFICE, _WHY, days=90),
    # Approved: here the roads part.
    Move(_S.VERIFIED, "add_to_batch", _S.IN_BATCH, _R.SIAK_OPERATOR, _OFFICE, _PLAIN, SIAK),
    Move(_S.VERIFIED, "enrol", _S.WAITING_CENTRE, _R.SIAK_OPERATOR, _OFFICE, _PLAIN, KTP),
    Move(_S.VERIFIED, "sign_letter", _S.SIGNED, _R.VILLAGE_HEAD, _FIELD, _PLAIN, LETTERS),
    Move(_S.VERIFIED, "stamp", _S.READY_FOR_HANDOVER, _R.VERIFIER, _OFFICE, _PLAIN, COPIES),
    Move(_S.VERIFIED, "activate", _S.COMPLETED, _R.OPERATOR, _FIELD, _PLAIN, DIGITAL),
    Move(_S.VERIFIED, "reopen", _S.IN_VERIFICATION, _R.SUPERVISOR, _OFFICE, _UNDO),
    Move(_S.VERIFIED, "withdraw", _S.CANCELLED, _R.SUPERVISOR, _OFFICE, _WHY),
    # The entry list and SIAK, where people type.
    Move(_S.IN_BATCH, "close_batch", _S.IN_SIAK, _R.SIAK_OPERATOR, _OFFICE, _TWO),
    Move(_S.IN_BATCH, "drop", _S.VERIFIED, _R.SIAK_OPERATOR, _OFFICE, _UNDO),
    Move(_S.IN_SIAK, "sign", _S.SIGNED, _R.REGISTRAR, _OFFICE, _PLAIN, REGISTER),
    Move(_S.IN_SIAK, "release_card", _S.PRINT_READY, _R.SIAK_OPERATOR, _OFFICE, _PLAIN, WITH_CARD),
    Move(_S.IN_SIAK, "enrol", _S.WAITING_CENTRE, _R.SIAK_OPERATOR, _OFFICE, _PLAIN, ENROLLING),
    Move(_S.IN_SIAK, "finish", _S.COMPLETED, _R.SIAK_OPERATOR, _OFFICE),
    Move(_S.IN_SIAK, "refuse", _S.IN_VERIFICATION, _R.SIAK_OPERATOR, _OFFICE, _UNDO),
    # Biometrics wait for the national data centre.
    Move(_S.WAITING_CENTRE, "centre_ok", _S.PRINT_READY, _R.SIAK_OPERATOR, _OFFICE),
    Move(_S.WAITING_CENTRE, "centre_failed", _S.NEEDS_CORRECTION, _R.SIAK_OPERATOR, _OFFICE, _UNDO),
    Move(
        _S.WAITING_CENTRE, "centre_duplicate", _S.IN_VERIFICATION, _R.SIAK_OPERATOR, _OFFICE, _UNDO
    ),
    Move(_S.WAITING_CENTRE, "finish", _S.COMPLETED, _R.SIAK_OPERATOR, _OFFICE),
    # Signed: on paper from the office, on paper in the village, or as a file that SIAK mails; then
    # the reason says where to, for nobody signs for it.
    Move(_S.SIGNED, "send_pdf", _S.HANDED_OVER, _R.SIAK_OPERATOR, _OFFICE, _WHY, REGISTER),
    Move(_S.SIGNED, "to_print", _S.PRINT_READY, _R.SIAK_OPERATOR, _OFFICE, _PLAIN, REGISTER),
    Move(_S.SIGNED, "set_out", _S.READY_FOR_HANDOVER, _R.VILLAGE_HEAD, _FIELD, _PLAIN, LETTERS),
    Move(_S.SIGNED, "revoke", _S.IN_SIAK, _R.REGISTRAR, _OFFICE, _UNDO_TWO, REGISTER),
    # Printing and handing over.
    Move(_S.PRINT_READY, "print", _S.PRINTED, _R.PRINTER, _OFFICE),
    Move(_S.PRINT_READY, "give_interim", _S.PRINT_READY, _R.SIAK_OPERATOR, _OFFICE, _UNDO),
    Move(_S.PRINTED, "spoil", _S.PRINT_READY, _R.PRINTER, _OFFICE, _UNDO),
    Move(_S.PRINTED, "dispatch", _S.READY_FOR_HANDOVER, _R.COURIER, _OFFICE),
    Move(_S.READY_FOR_HANDOVER, "hand_over", _S.HANDED_OVER, _R.OPERATOR, _EITHER),
    Move(_S.READY_FOR_HANDOVER, "return", _S.PRINTED, _R.COURIER, _EITHER, _UNDO),
    Move(_S.READY_FOR_HANDOVER, "lost", _S.PRINT_READY, _R.SUPERVISOR, _OFFICE, _UNDO_TWO),
    # Undoing an ending.
    Move(_S.HANDED_OVER, "undo_handover", _S.READY_FOR_HANDOVER, _R.SUPERVISOR, _OFFICE, _UNDO_TWO),
    Move(_S.REJECTED, "reopen", _S.IN_VERIFICATION, _R.SUPERVISOR, _OFFICE, _UNDO_TWO),
    Move(_S.MERGED, "unlink", _S.RECEIVED, _R.SUPERVISOR, _OFFICE, _UNDO_TWO),
)


def _by_status() -> dict[str, dict[str, Move]]:
    table: dict[str, dict[str, Move]] = {status: {} for status in Status}
    for move in TABLE:
        assert move.action not in table[move.source], "one row for an action from a status"
        table[move.source][move.action] = move
    return table


TRANSITIONS: Mapping[str, Mapping[str, Move]] = _by_status()
"""status -> action -> row."""

ACTIONS: tuple[str, ...] = tuple(dict.fromkeys(move.action for move in TABLE))


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a status means to people. word and label: the citizen. field, office: the two desks."""

    clock: Clock
    place: Place
    public: bool  # a citizen may see it with the tracking code
    ended: bool
    word: Label
    label: Label
    field: Label
    office: Label


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: dict[str, Standing]
    action: dict[str, Label]


PLACES: Mapping[str, Label] = {
    "field": Label("mobil keliling atau kantor desa", "the van or the village office"),
    "office": Label("kantor Dukcapil", "the registry office"),
    "system": Label("sistem", "the system"),
}


@cache
def _words() -> _Words:
    text = resources.files("models").joinpath("data/lifecycle.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Words)


def standing(status: str) -> Standing:
    """Clock, place, words of a status."""
    return _words().status[status]


def action_label(action: str) -> Label:
    """The words on the button."""
    return _words().action[action]


def known_status(text: str) -> bool:
    """Whether a request can stand there."""
    return text in _words().status


def ended(status: str) -> bool:
    """Whether the request is over, so that only a supervisor's reopening moves it."""
    return standing(status).ended


def move_of(status: str, action: str) -> Move | None:
    """The row, if there is one."""
    return TRANSITIONS.get(status, {}).get(action)


def reason_required(status: str, action: str) -> bool:
    """Whether the row asks for a reason; False where there is no row."""
    move = move_of(status, action)
    return move is not None and move.reason


def needs_second_person(status: str, action: str) -> bool:
    """Whether another person must agree; False where there is no row."""
    move = move_of(status, action)
    return move is not None and move.second


def step(
    status: str, action: str, role: str, place: Place, group: str | None = None
) -> Status | Problem:
    """Where the action leads, or the Problem why not. `group` of None leaves the road unjudged."""
    move = move_of(status, action)
    label = action_label(action).both() if action in _words().action else action
    if move is None:
        here = standing(status).label.both() if known_status(status) else status
        return Problem("lifecycle.no_such_move", action=label, status=here)
    if group is not None and move.groups and group not in move.groups:
        return Problem("lifecycle.wrong_road", action=label, group=group)
    if place not in move.places:
        return Problem("lifecycle.wrong_place", action=label, place=PLACES[move.places[0]].both())
    if not covers(role, move.role):
        return Problem("lifecycle.not_your_role", action=label, role=ROLES[move.role].both())
    return move.target


def acting_role(
    status: str, action: str, held: Collection[str], place: Place, group: str | None = None
) -> Role | Problem:
    """The role, of those a person holds, with which the step may be taken; else why not."""
    refused: Problem | None = None
    for role in sorted(held):
        answer = step(status, action, role, place, group)
        if not isinstance(answer, Problem):
            return Role(role)
        refused = answer
    if refused is not None:
        return refused
    move = move_of(status, action)
    needed = ROLES[move.role].both() if move else ""
    return Problem("lifecycle.not_your_role", action=action_label(action).both(), role=needed)


def actions_for(status: str, role: str, place: Place, group: str | None = None) -> tuple[str, ...]:
    """What somebody may do now, in the order of the table."""
    return tuple(
        action
        for action in TRANSITIONS.get(status, {})
        if not isinstance(step(status, action, role, place, group), Problem)
    )


def allowed(action: str, source: str, target: str, *, central: bool) -> bool:
    """Whether the table has this very step for a device, or for central and its jobs."""
    move = move_of(source, action)
    if move is None or move.target != target:
        return False
    return not {"office", "system"}.isdisjoint(move.places) if central else "field" in move.places


def same_standing(one: str, other: str) -> bool:
    """Equal, or submitted beside received: the same standing to a van that has not pulled yet."""
    alike = {Status.SUBMITTED, Status.RECEIVED}
    return one == other or (one in alike and other in alike)


def passed(status: str, target: str) -> bool:
    """Whether a request now at `status` is at `target` or has it behind it."""
    return status == target or status in _ahead().get(target, frozenset())


@cache
def _ahead() -> Mapping[str, frozenset[str]]:
    """status -> every status that forward rows lead to from it."""
    ahead: dict[str, frozenset[str]] = {}

    def walk(status: str) -> frozenset[str]:
        if status not in ahead:
            targets = {m.target for m in TRANSITIONS[status].values() if not m.back}
            ahead[status] = frozenset(targets).union(*(walk(target) for target in targets))
        return ahead[status]

    for status in Status:
        walk(status)
    return ahead
