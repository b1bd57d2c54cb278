"""People and their laptops: ages, roles and what each may do, offices, devices, four eyes.

A role is the authority somebody acts with, not a rank. One person may have several; small offices
need that. Which role takes which step of a request stands in `models.lifecycle`; everything else a
role may do stands in `MAY`, one row for each thing done.
"""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from models.problems import Problem


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of something in both languages."""

    id: str
    en: str

    def words(self, lang: str = "id") -> str:
        """What a person reads."""
        return self.en if lang == "en" else self.id

    def both(self) -> dict[str, str]:
        """As a detail of a problem, which picks the language when it is shown."""
        return {"id": self.id, "en": self.en}


# -- ages


def age(born: date, today: date) -> int:
    """Full years on that day; below 0 before birth. 29 February counts on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def birthday(born: date, years: int) -> date:
    """The day that many full years are reached."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # 29 February in a common year
        return date(born.year + years, 3, 1)


# -- roles


class Role(StrEnum):
    """The authority somebody acts with."""

    OPERATOR = "operator"
    VERIFIER = "verifier"
    SIAK_OPERATOR = "siak_operator"
    REGISTRAR = "registrar"
    PRINTER = "printer"
    COURIER = "courier"
    VILLAGE_HEAD = "village_head"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"
    APPLICANT = "applicant"  # never signs in: somebody writes down the citizen's wish
    SYSTEM = "system"  # the program itself


ROLES: Mapping[Role, Label] = {
    Role.OPERATOR: Label("petugas", "operator"),
    Role.VERIFIER: Label("verifikator", "verifier"),
    Role.SIAK_OPERATOR: Label("operator SIAK", "SIAK operator"),
    Role.REGISTRAR: Label("pejabat pencatatan sipil", "civil registrar"),
    Role.PRINTER: Label("petugas cetak", "printer operator"),
    Role.COURIER: Label("kurir", "courier"),
    Role.VILLAGE_HEAD: Label("kepala desa atau lurah", "village head"),
    Role.SUPERVISOR: Label("penyelia", "supervisor"),
    Role.ADMIN: Label("admin", "admin"),
    Role.AUDITOR: Label("auditor", "auditor"),
    Role.APPLICANT: Label("pemohon", "applicant"),
    Role.SYSTEM: Label("sistem", "system"),
}

STAFF = frozenset(ROLES) - {Role.APPLICANT, Role.SYSTEM}
"""Roles a person can be given."""

_COVERS: Mapping[str, frozenset[Role]] = {
    Role.OPERATOR: frozenset({Role.APPLICANT}),
    Role.VERIFIER: frozenset({Role.APPLICANT}),
    Role.SUPERVISOR: frozenset({Role.VERIFIER, Role.APPLICANT}),
}


def covers(role: str, needed: str) -> bool:
    """Whether somebody with `role` may do what `needed` does: itself, or what it stands in for."""
    return role == needed or needed in _COVERS.get(role, frozenset())


def roles(names: Collection[str]) -> frozenset[Role]:
    """The roles of a person by name; `person.role` for one that does not exist or is not given."""
    for name in names:
        if name not in STAFF:
            raise Problem("person.role", role=name, roles=sorted(STAFF))
    return frozenset(Role(name) for name in names)


# -- what each role may do, apart from steps of a request


class Act(StrEnum):
    """Something done in the system that is not a step of a request."""

    TAKE_IN = "request.take_in"
    READ_REQUEST = "request.read"
    LIST_REQUESTS = "request.list"
    READ_CASE = "case.read"
    RESOLVE_CASE = "case.resolve"
    APPROVE_CASE = "case.approve"
    USE_ROSTER = "roster.search"
    IMPORT_ROSTER = "roster.import"
    IMPORT_BUNDLE = "bundle.import"
    LIST_DEVICES = "device.list"
    INVITE_DEVICE = "device.invite"
    SCOPE_DEVICE = "device.scope"
    SUSPEND_DEVICE = "device.suspend"
    RETRY_DEVICE = "device.retry"
    LOSE_DEVICE = "device.lose"
    RETIRE_DEVICE = "device.retire"
    SHRED_DEVICE = "device.shred"
    CONFIRM_RESTORE = "restore.confirm"
    LIST_PEOPLE = "person.list"
    ADD_PERSON = "person.add"
    READ_AUDIT = "audit.read"
    VERIFY_RECEIPT = "receipt.verify"
    READ_REPORTS = "report.read"
    PUBLISH = "reference.publish"
    KEEP_ROSTER = "roster.keep"
    BATCH = "batch.work"
    CLOSE_BATCH = "batch.close"
    STOCK = "stock.work"
    READ_STOCK = "stock.read"
    READ_WAITING = "stock.waiting"
    DISPATCH = "stock.dispatch"
    READ_VOYAGES = "voyage.read"
    PLAN_VOYAGE = "voyage.plan"


_OFFICE = frozenset(
    {Role.VERIFIER, Role.SIAK_OPERATOR, Role.REGISTRAR, Role.PRINTER, Role.SUPERVISOR}
)
_DECIDERS = frozenset({Role.VERIFIER, Role.SUPERVISOR})
_KEEPERS = frozenset({Role.SUPERVISOR, Role.ADMIN})
_STOCK = frozenset({Role.PRINTER, Role.COURIER, Role.SUPERVISOR, Role.AUDITOR})

MAY: Mapping[Act, frozenset[Role]] = {
    Act.TAKE_IN: frozenset({Role.OPERATOR, Role.VILLAGE_HEAD}),
    Act.READ_REQUEST: _OFFICE | {Role.OPERATOR, Role.VILLAGE_HEAD, Role.AUDITOR},
    Act.LIST_REQUESTS: _OFFICE | {Role.OPERATOR, Role.VILLAGE_HEAD, Role.COURIER, Role.AUDITOR},
    Act.READ_CASE: _DECIDERS | {Role.AUDITOR},
    Act.RESOLVE_CASE: _DECIDERS,
    Act.APPROVE_CASE: frozenset({Role.SUPERVISOR}),
    Act.USE_ROSTER: frozenset({Role.OPERATOR, Role.VILLAGE_HEAD}),
    Act.IMPORT_ROSTER: frozenset({Role.OPERATOR, Role.VILLAGE_HEAD}),
    Act.IMPORT_BUNDLE: _OFFICE | _KEEPERS,
    Act.LIST_DEVICES: _KEEPERS | {Role.AUDITOR},
    Act.INVITE_DEVICE: frozenset({Role.ADMIN}),
    Act.SCOPE_DEVICE: _KEEPERS,
    Act.SUSPEND_DEVICE: _KEEPERS,
    Act.RETRY_DEVICE: _KEEPERS,
    Act.LOSE_DEVICE: _KEEPERS,
    Act.RETIRE_DEVICE: frozenset({Role.ADMIN}),
    Act.SHRED_DEVICE: frozenset({Role.ADMIN}),
    Act.CONFIRM_RESTORE: frozenset({Role.SUPERVISOR}),
    Act.PUBLISH: _KEEPERS,
    Act.KEEP_ROSTER: _KEEPERS,
    Act.LIST_PEOPLE: _KEEPERS | {Role.AUDITOR},
    Act.ADD_PERSON: frozenset({Role.ADMIN}),
    Act.READ_AUDIT: _KEEPERS | {Role.AUDITOR},
    Act.VERIFY_RECEIPT: STAFF,
    Act.BATCH: frozenset({Role.SIAK_OPERATOR}),
    Act.CLOSE_BATCH: frozenset({Role.SIAK_OPERATOR, Role.SUPERVISOR}),
    Act.STOCK: frozenset({Role.PRINTER}),
    Act.READ_STOCK: _STOCK,
    Act.READ_WAITING: _STOCK | {Role.OPERATOR},
    Act.DISPATCH: frozenset({Role.COURIER}),
    Act.READ_VOYAGES: _OFFICE | _KEEPERS | {Role.OPERATOR, Role.COURIER, Role.AUDITOR},
    Act.PLAN_VOYAGE: _KEEPERS,
    Act.READ_REPORTS: _KEEPERS | {Role.VERIFIER, Role.AUDITOR},
}


DOING: Mapping[Act, Label] = {
    Act.TAKE_IN: Label("bekerja di loket", "work at the counter"),
    Act.READ_REQUEST: Label("membuka berkas", "open requests"),
    Act.LIST_REQUESTS: Label("melihat daftar berkas", "look at lists of requests"),
    Act.READ_CASE: Label("membuka perkara", "open cases"),
    Act.RESOLVE_CASE: Label("memutuskan berkas dan perkara", "decide about requests and cases"),
    Act.APPROVE_CASE: Label("menyetujui sebagai penyelia", "approve as a supervisor"),
    Act.USE_ROSTER: Label("mencari di daftar penduduk", "search a roster"),
    Act.IMPORT_ROSTER: Label("memasukkan daftar penduduk", "import a roster"),
    Act.IMPORT_BUNDLE: Label("membaca paket USB", "read USB bundles"),
    Act.LIST_DEVICES: Label("melihat laptop", "look at the laptops"),
    Act.INVITE_DEVICE: Label("mengundang laptop", "invite laptops"),
    Act.SCOPE_DEVICE: Label("mengubah desa laptop", "change a laptop's villages"),
    Act.SUSPEND_DEVICE: Label("menangguhkan laptop", "suspend laptops"),
    Act.RETRY_DEVICE: Label("minta laptop mengirim lagi", "ask a laptop to send again"),
    Act.LOSE_DEVICE: Label("melaporkan laptop hilang", "report a laptop lost"),
    Act.RETIRE_DEVICE: Label("menyatakan laptop tidak dipakai lagi", "retire laptops"),
    Act.SHRED_DEVICE: Label("memerintahkan laptop mengunci diri", "order a laptop to lock itself"),
    Act.CONFIRM_RESTORE: Label("mengesahkan pemulihan", "confirm a restore"),
    Act.LIST_PEOPLE: Label("melihat daftar pegawai", "look at the staff"),
    Act.ADD_PERSON: Label("mengatur pegawai", "manage the staff"),
    Act.READ_AUDIT: Label("membaca jejak audit", "read the audit trail"),
    Act.VERIFY_RECEIPT: Label("memeriksa bukti pengajuan", "check receipts"),
    Act.READ_REPORTS: Label("membaca dasbor", "read the dashboard"),
    Act.PUBLISH: Label("menerbitkan edisi layanan", "publish editions of services"),
    Act.KEEP_ROSTER: Label("menyimpan daftar penduduk", "keep rosters"),
    Act.BATCH: Label("mengerjakan batch SIAK", "work on SIAK batches"),
    Act.CLOSE_BATCH: Label("menutup batch SIAK", "close SIAK batches"),
    Act.STOCK: Label("mencetak dan mencatat blangko", "print, and keep the book of blanks"),
    Act.READ_STOCK: Label("melihat buku blangko dan manifes", "see the book of blanks, manifests"),
    Act.READ_WAITING: Label("melihat dokumen yang belum diambil", "see what nobody collected"),
    Act.DISPATCH: Label("mengirim dokumen", "send documents"),
    Act.READ_VOYAGES: Label("melihat jadwal", "look at the voyages"),
    Act.PLAN_VOYAGE: Label("merencanakan perjalanan", "plan voyages"),
}
"""What each act is, in words: "your role does not cover …"."""


def may(held: Collection[str], act: Act) -> bool:
    """Whether somebody holding these roles may do this."""
    return not MAY[act].isdisjoint(held)


def require(held: Collection[str], act: Act) -> None:
    """Raise `auth.forbidden` unless `may`."""
    if not may(held, act):
        raise Problem("auth.forbidden", act=DOING[act].both())


def second_person(approver: str, *earlier: str) -> Problem | None:
    """Four eyes: the approver is none of those who decided or took the request in.

    earlier: the decider, the operator who took it in, and whoever wrote a value in dispute.
    """
    return Problem("lifecycle.same_person") if approver in earlier else None


# -- offices and devices


class OfficeKind(StrEnum):
    """Where work is done."""

    VAN = "van"
    VILLAGE = "village"
    CENTRAL = "central"


class Office(msgspec.Struct, frozen=True):
    """A van, a village office or the registry office. villages: codes it serves by default."""

    name: str
    kind: OfficeKind
    villages: tuple[str, ...] = ()


class DeviceState(StrEnum):
    """What central thinks of a laptop."""

    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOST = "lost"
    RETIRED = "retired"


DEVICE_STATES: Mapping[DeviceState, Label] = {
    DeviceState.INVITED: Label("diundang", "invited"),
    DeviceState.ACTIVE: Label("aktif", "active"),
    DeviceState.SUSPENDED: Label("ditangguhkan", "suspended"),
    DeviceState.LOST: Label("hilang", "lost"),
    DeviceState.RETIRED: Label("tidak dipakai lagi", "retired"),
}


class DeviceMove(StrEnum):
    """What is done to a laptop's standing. Only `enrol` is done by the laptop itself."""

    ENROL = "enrol"
    SUSPEND = "suspend"
    RESUME = "resume"
    LOSE = "lose"
    RETIRE = "retire"


DEVICE_MOVES: Mapping[DeviceState, Mapping[DeviceMove, DeviceState]] = {
    DeviceState.INVITED: {
        DeviceMove.ENROL: DeviceState.ACTIVE,
        DeviceMove.RETIRE: DeviceState.RETIRED,
    },
    DeviceState.ACTIVE: {
        DeviceMove.SUSPEND: DeviceState.SUSPENDED,
        DeviceMove.LOSE: DeviceState.LOST,
        DeviceMove.RETIRE: DeviceState.RETIRED,
    },
    DeviceState.SUSPENDED: {
        DeviceMove.RESUME: DeviceState.ACTIVE,
        DeviceMove.LOSE: DeviceState.LOST,
        DeviceMove.RETIRE: DeviceState.RETIRED,
    },
    DeviceState.LOST: {DeviceMove.RETIRE: DeviceState.RETIRED},
    DeviceState.RETIRED: {},
}
"""Nothing leads back from lost or retired: a laptop that is found enrols anew. Whatever its state,
what it wrote is taken in; the state changes only the outcome and the answer."""


def device_step(state: str, move: str) -> DeviceState | Problem:
    """The state after `move`, or why not."""
    for known, target in DEVICE_MOVES[DeviceState(state)].items():
        if known == move:
            return target
    label = DEVICE_STATES[DeviceState(state)]
    return Problem("device.no_such_move", state=label.both(), move=move)
