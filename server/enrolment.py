"""Enrolment at central: laptops are invited, become known, and leave again.

    invited -> active <-> suspended -> lost -> retired    (the table is models.people.DEVICE_MOVES)

`invite` reserves a device: its number, its block of tracking codes, its villages. The laptop's
first log becomes known when it brings the invitation; the same opening again gets the same answer.
Another first log under a used invitation is refused: somebody copied the file. A later log of the
laptop is let in when its opening names a log of the same device as its parent and that log's key
vouches for it, so that a restored or cloned laptop never needs a new invitation; of a lost or
retired device no new log is let in. An invitation that ran out is renewed at central (`renew`),
because the laptop may have been working offline with it for weeks: nothing on it may be stranded.

Who works for an area does all this to its laptops alone (`named_device`).

Withdrawal never discards anything. `suspend` and `lost` name the entry up to which the log stands;
what comes after is stored, and held under a case for a person (sync.intake).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from models import regions
from models.changes import Change, Incident, raw
from models.people import (
    DEVICE_STATES,
    Act,
    DeviceMove,
    DeviceState,
    OfficeKind,
    device_step,
    require,
)
from models.problems import Problem
from server import releasing
from server.auth import areas, roles, sees, who
from server.database.people import Person
from server.database.registry import Device, Door, Registry
from server.keys import Entropy, Keys
from server.ledger import Ledger
from server.settings import ServerSettings
from sync import enrolment
from sync.known import LogState
from sync.logs import opening_head
from sync.messages import Certificate, Invitation

DEVICE_BYTES = 16
NAME_MAX = 40
OFFICE_MAX = 100
REASON_MAX = 500
VILLAGES_MAX = 100
DAY_SECONDS = 86400
LOGS_A_DAY = 20
"""Logs that one laptop may open: each has its own cases, and stays for ever."""


class Retried(msgspec.Struct, frozen=True):
    """Entries of a laptop that were judged once more, and how many of them wait on."""

    device: Device
    tried: int
    left: int


class Invited(msgspec.Struct, frozen=True):
    """A reserved device and the signed invitation to hand over."""

    device: Device
    file: bytes


class Devices:
    """Everything that may be done to laptops by people at central, and by laptops asking to be
    known. `clock` gives Unix seconds."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        keys: Keys,
        settings: ServerSettings,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.keys = keys
        self.settings = settings
        self.clock = clock
        self.entropy = entropy

    # -- by people

    def invite(
        self,
        me: Person,
        name: str,
        office_kind: str,
        office: str,
        villages: Sequence[str],
        operator: str,
    ) -> Invited:
        """Reserve a device and sign its invitation. villages: codes, its scope. Problems device.*,
        region.unknown, auth.area."""
        require(roles(me), Act.INVITE_DEVICE)
        name = name.strip()
        _check_invitation(name, office_kind, office, villages, operator)
        _require_area(me, villages)
        at = self.clock()
        with self.registry.write() as door:
            if door.device_named(name) is not None:
                raise Problem("device.name", limit=NAME_MAX)
            device = Device(
                id=self.entropy(DEVICE_BYTES),
                name=name,
                office_kind=office_kind,
                office_name=office.strip() or name,
                block=door.next_block(),
                grant=1,
                villages=tuple(dict.fromkeys(villages)),
                state=DeviceState.INVITED,
                operator=operator.strip(),
                invited_at=at,
                invited_by=me.login,
                expires=at + self.settings.invitation_days * DAY_SECONDS,
            )
            door.keep_device(device)
            door.audit(me.login, Act.INVITE_DEVICE, device.id.hex(), {"name": name}, at)
            file = enrolment.invite(self._invitation(door, device), self.keys.identity)
        return Invited(device, file)

    def _invitation(self, door: Door, device: Device) -> Invitation:
        me = self.keys.identity
        return Invitation(
            url=self.settings.public_url,
            sign_key=me.sign_key,
            seal_key=me.seal_key,
            recovery_key=self.keys.recovery_key,
            incarnation=door.standing().incarnation,
            device=device.id,
            office_kind=device.office_kind,
            office_name=device.office_name,
            block=device.block,
            grant=device.grant,
            villages=list(device.villages),
            operator=device.operator,
            secret=self.entropy(enrolment.SECRET_BYTES),
            expires=device.expires,
        )

    def renew(self, me: Person, name: str) -> Device:
        """Let an invitation that ran out (or will) be used for its full time again, from now."""
        require(roles(me), Act.INVITE_DEVICE)
        at = self.clock()
        with self.registry.write() as door:
            device = named_device(door, me, name)
            if device.state != DeviceState.INVITED:
                label = DEVICE_STATES[DeviceState(device.state)].both()
                raise Problem("device.no_such_move", state=label, move="renew")
            expires = at + self.settings.invitation_days * DAY_SECONDS
            device = msgspec.structs.replace(device, expires=expires)
            door.keep_device(device)
            door.audit(me.login, "device.renew", device.id.hex(), {"name": device.name}, at)
        return device

    def scope(
        self, me: Person, name: str, villages: Sequence[str], until: int | None = None
    ) -> Device:
        """Give a laptop these villages instead of those it has; until (Unix seconds): lend them to
        it until then, besides its own. The laptop hears it with its next sync. All of them are of
        the person's area, as the laptop is. Problems device.*, region.unknown, auth.area."""
        require(roles(me), Act.SCOPE_DEVICE)
        _check_villages(villages)
        _require_area(me, villages)
        at = self.clock()
        if until is not None and (until <= at or not villages):
            raise Problem("device.until")
        with self.registry.write() as door:
            device = named_device(door, me, name)
            _refuse_gone(device)
            # More than any number this scope can still reach by loans that end.
            number = device.scope_no + len(device.lent) + 1
            codes = tuple(dict.fromkeys(villages))
            own = codes if until is None else device.villages
            lent = () if until is None else tuple((code, until) for code in codes)
            device = msgspec.structs.replace(device, villages=own, lent=lent, scope_no=number)
            door.keep_device(device)
            details = {"name": device.name, "villages": list(codes), "until": until}
            door.audit(me.login, Act.SCOPE_DEVICE, device.id.hex(), details, at)
        return device

    def list(self, me: Person) -> list[tuple[Device, list[LogState]]]:
        """Every device of the person's area by name, with its logs, oldest log first."""
        require(roles(me), Act.LIST_DEVICES)
        with self.registry.write() as door:
            mine = [one for one in door.devices() if sees_device(me, one.villages)]
            found = [(device, door.logs(device.id)) for device in mine]
            door.audit(me.login, Act.LIST_DEVICES, "", {"n": len(found)}, self.clock())
        return found

    def suspend(self, me: Person, name: str, reason: str, upto: int | None = None) -> Device:
        """Hold what comes after entry `upto` (default: after what is stored) for a person."""
        require(roles(me), Act.SUSPEND_DEVICE)
        return self._withdraw(me, name, DeviceMove.SUSPEND, reason, upto)

    def lose(self, me: Person, name: str, reason: str, upto: int | None = None) -> Device:
        """The laptop is out of our hands since entry `upto` (default: after what is stored)."""
        require(roles(me), Act.LOSE_DEVICE)
        return self._withdraw(me, name, DeviceMove.LOSE, reason, upto)

    def retire(self, me: Person, name: str, reason: str) -> Device:
        """The laptop is out of service: what it still brings is kept, and held."""
        require(roles(me), Act.RETIRE_DEVICE)
        return self._withdraw(me, name, DeviceMove.RETIRE, reason, None)

    def shred(self, me: Person, name: str, reason: str) -> Device:
        """Order a lost laptop to let nobody in any more but the office, at its next contact and
        after it delivered what it holds. Problems reason.required, device.no_such_move (it is not
        lost), device.no_escrow (nobody could ever open it again)."""
        require(roles(me), Act.SHRED_DEVICE)
        if not reason.strip():
            raise Problem("reason.required")
        with self.registry.write() as door:
            device = named_device(door, me, name)
            if device.state != DeviceState.LOST:
                label = DEVICE_STATES[DeviceState(device.state)].both()
                raise Problem("device.no_such_move", state=label, move="shred")
            logs = door.logs(device.id)
            if not logs or not all(door.escrow(log.id) for log in logs):
                raise Problem("device.no_escrow", device=device.name)
            for log in logs:  # a copy of its disk may go on in an older one
                door.order(log.id, "shred", log.seq)
            details = {"name": device.name, "reason": reason[:REASON_MAX]}
            door.audit(me.login, Act.SHRED_DEVICE, device.id.hex(), details, self.clock())
        return device

    def resume(self, me: Person, name: str, reason: str) -> Device:
        """Trust a suspended laptop again. What was held meanwhile stays with its case."""
        require(roles(me), Act.SUSPEND_DEVICE)
        with self.registry.write() as door:
            device = self._move(door, me, name, DeviceMove.RESUME, reason, None)
            for log in door.logs(device.id):
                if log.state == DeviceState.SUSPENDED:
                    # A log that another one follows stays closed where it was.
                    newest = log.id == door.logs(device.id)[-1].id
                    door.keep_log_state(log.id, device.state, None if newest else log.limit)
                    door.order(log.id, "active", log.seq)
        return device

    def retry(self, me: Person, name: str, reason: str) -> Retried:
        """Judge again what was set aside because judging it ended central: an engineer has mended
        that. What fails once more lies as before."""
        require(roles(me), Act.RETRY_DEVICE)
        if not reason.strip():
            raise Problem("reason.required")
        at = self.clock()
        with self.registry.write() as door:
            device = named_device(door, me, name)
            aside = door.set_aside(device.id)
            about = {"reason": reason[:REASON_MAX], "n": len(aside)}
            door.audit(me.login, Act.RETRY_DEVICE, device.id.hex(), about, at)
        return Retried(device, len(aside), releasing.try_again(self.ledger, aside, at))

    def _withdraw(
        self, me: Person, name: str, move: DeviceMove, reason: str, upto: int | None
    ) -> Device:
        with self.registry.write() as door:
            device = self._move(door, me, name, move, reason, upto)
            logs = door.logs(device.id)
            for log in logs[:-1]:
                door.keep_log_state(log.id, device.state, _least(log.limit, log.seq))
            if logs:
                self._limit(door, me, logs[-1], device.state, upto, reason)
        return device

    def _limit(
        self, door: Door, me: Person, log: LogState, state: str, upto: int | None, reason: str
    ) -> None:
        """Set the entry up to which the newest log of the device stands. What was decided beyond it
        already cannot be undone by a rule: a person looks at it under a case."""
        if upto is not None and not 0 <= upto <= log.seq:
            raise Problem("device.checkpoint", seq=upto, stored=log.seq)
        limit = _least(log.limit, log.seq if upto is None else upto)
        door.keep_log_state(log.id, state, limit)
        if state == DeviceState.SUSPENDED:
            door.order(log.id, "suspend", limit)
        if limit < log.seq:
            note = f"{log.id.hex()} {limit + 1}-{log.seq}: {reason}"[:500]
            at = self.clock()
            body = raw(Incident("after-lost", note))
            change = Change("incident", b"", 0, 1, "", 0, 0, at, at, 0, 0, 0, None, body)
            self.ledger.write_in(door, change, at, who(me))

    def _move(
        self, door: Door, me: Person, name: str, move: DeviceMove, reason: str, upto: int | None
    ) -> Device:
        if not reason.strip():
            raise Problem("reason.required")
        device = named_device(door, me, name)
        state = device_step(device.state, move)
        if isinstance(state, Problem):
            raise state
        device = msgspec.structs.replace(device, state=state)
        door.keep_device(device)
        details = {"name": device.name, "reason": reason[:REASON_MAX], "from": upto}
        door.audit(me.login, f"device.{move}", device.id.hex(), details, self.clock())
        return device

    # -- by laptops

    def enrol(self, body: bytes) -> bytes:
        """The answer to POST /v1/enrol. Raises Problem, and knows nothing new then."""
        asked = enrolment.read(body, self.keys.identity)
        at = self.clock()
        with self.registry.write() as door:
            log = door.log(asked.log)
            if log is not None:
                if log.central or door.opening(log.id) != asked.enrolment.opening:
                    raise Problem("invitation.used")
            elif asked.invitation is not None:
                log = self._first_log(door, asked, asked.invitation, at)
            else:
                log = self._later_log(door, asked, at)
            return self.certificate(door, log, at)

    def certificate(self, door: Door, log: LogState, at: int) -> bytes:
        """What central knows of a log, signed, and sealed to it: one frame."""
        device = door.device(log.device)
        assert device is not None
        villages = list(device.villages)
        incarnation = door.standing().incarnation
        said = Certificate(log.id, log.device, log.block, log.grant, villages, incarnation, at)
        return enrolment.certify(said, self.keys.identity, log.seal_key)

    def _first_log(
        self, door: Door, asked: enrolment.Asked, invitation: Invitation, at: int
    ) -> LogState:
        device = door.device(invitation.device)
        if device is None and door.lineage():
            return self._forgotten(door, asked, invitation, at)
        if device is None:
            raise Problem("invitation.malformed")
        if device.state != DeviceState.INVITED:
            _refuse_gone(device)
            raise Problem("invitation.used")
        if at > max(device.expires, invitation.expires):
            raise Problem("invitation.expired")
        device = msgspec.structs.replace(device, state=DeviceState.ACTIVE)
        door.keep_device(device)
        return self._register(door, asked, device, device.block, at)

    def _forgotten(
        self, door: Door, asked: enrolment.Asked, invitation: Invitation, at: int
    ) -> LogState:
        """Central was put back to a time before it gave this invitation, which its own signature
        proves. What was withdrawn since is not known either: the laptop is let in suspended, so
        that its work is stored and waits until a person resumes it."""
        label = f"{invitation.office_name[: NAME_MAX - 11]} ({invitation.device.hex()[:8]})"
        device = Device(
            id=invitation.device,
            name=label,
            office_kind=invitation.office_kind,
            office_name=invitation.office_name,
            block=invitation.block,
            grant=invitation.grant,
            villages=tuple(invitation.villages),
            state=DeviceState.SUSPENDED,
            operator=invitation.operator,
            invited_at=at,
            invited_by="restore",
            expires=invitation.expires,
        )
        door.keep_device(device)
        return self._register(door, asked, device, device.block, at)

    def _later_log(self, door: Door, asked: enrolment.Asked, at: int) -> LogState:
        parent = door.log(asked.opening.parent)
        if parent is None or parent.central or parent.device != asked.opening.device:
            raise Problem("sync.unknown_device")
        if not enrolment.vouched_by(asked, parent.key):
            raise Problem("sync.signature")
        device = door.device(parent.device)
        assert device is not None
        _refuse_gone(device)
        wait = door.too_often(device.id, "device.enrol", LOGS_A_DAY, at)
        if wait:
            raise Problem("sync.rate", seconds=wait)
        # The block goes with the laptop: a restored one gives out codes before it reaches us again.
        # Numbers are drawn at random, so two logs of one block hardly ever meet (and then: a case).
        return self._register(door, asked, device, parent.block, at, parent.villages or ())

    def _register(
        self,
        door: Door,
        asked: enrolment.Asked,
        device: Device,
        block: int,
        at: int,
        had: Sequence[str] = (),
    ) -> LogState:
        """had: villages that earlier logs of the laptop had. What was made there and is made again
        here is as good as it was."""
        opening = asked.opening
        suspended = device.state == DeviceState.SUSPENDED
        log = LogState(
            asked.log,
            device.id,
            0,
            opening_head(asked.enrolment.opening),
            opening.key,
            opening.seal_key,
            device.state,
            0 if suspended else None,
            block,
            device.grant,
            villages=tuple(dict.fromkeys((*device.villages, *had))),
        )
        door.add_log(
            log,
            asked.enrolment.opening,
            opening.parent,
            opening.parent_seq,
            asked.enrolment.escrow,
            at,
        )
        details = {"log": log.id.hex(), "reason": opening.reason[:20]}
        door.audit("system", "device.enrol", device.id.hex(), details, at)
        return log


def _least(a: int | None, b: int) -> int:
    return b if a is None else min(a, b)


def named_device(door: Door, me: Person, name: str) -> Device:
    """The laptop of that name or id (hex), if it is of the person's area. Problems device.unknown,
    auth.area."""
    device = door.device_named(name.strip())
    if device is None and len(name) == 32 and set(name) <= set("0123456789abcdef"):
        device = door.device(bytes.fromhex(name))
    if device is None:
        raise Problem("device.unknown", device=name[:NAME_MAX])
    _require_area(me, device.villages)
    return device


def sees_device(me: Person, villages: Sequence[str]) -> bool:
    """Whether a laptop of these villages is of somebody's area: all of them are. One of no village
    is for who works everywhere."""
    return all(sees(me, village) for village in villages) and (bool(villages) or not areas(me))


def _require_area(me: Person, villages: Sequence[str]) -> None:
    if not sees_device(me, villages):
        raise Problem("auth.area")


def _refuse_gone(device: Device) -> None:
    if device.state == DeviceState.LOST:
        raise Problem("device.lost")
    if device.state == DeviceState.RETIRED:
        raise Problem("device.retired")


def _check_invitation(
    name: str, office_kind: str, office: str, villages: Sequence[str], operator: str
) -> None:
    if not 0 < len(name) <= NAME_MAX or len(office) > OFFICE_MAX or len(operator) > OFFICE_MAX:
        raise Problem("device.name", limit=NAME_MAX)
    if office_kind not in tuple(OfficeKind):
        raise Problem("device.kind", kind=office_kind[:20], kinds=[str(k) for k in OfficeKind])
    _check_villages(villages)


def _check_villages(villages: Sequence[str]) -> None:
    if len(villages) > VILLAGES_MAX:
        raise Problem("field.too_many", limit=VILLAGES_MAX, n=len(villages))
    for code in villages:
        found = regions.region(code)
        if found is None or not found.is_village:
            raise Problem("region.unknown", code=code[:20])
