"""Inbox: return bundles that lie here until all their volumes came, then taken in.

They stay sealed as they came. What a bundle means for the laptop is said by `sync.bundle.judge`;
here it is opened, checked to be central's and for this log and number, and written step by step.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import msgspec

from field_client.courier import Confirmed
from field_client.desk import Desk
from field_client.editions import adopt
from field_client.rosters import import_bytes
from field_client.transports import usb
from field_client.transports.usb import Progress, unwatched
from field_client.vault.custody import RETURNED, Slip
from field_client.vault.files import private_folder, write_atomically
from field_client.vault.logs import OwnLog
from field_client.vault.store import Store
from models.problems import Problem
from models.roster.source import RosterSource
from sync import bundle, enrolment, seal
from sync.bundle import WORK, Part, Verdict, Volume
from sync.exchange import Absorbed, Filled
from sync.messages import (
    Checkpoint,
    Invitation,
    Order,
    Page,
    Reply,
    Return,
    RosterPage,
    Terms,
    decode,
)

INBOX_FOLDER = "inbox"
ROSTERS_KNOWN = 20


class Refused(msgspec.Struct, frozen=True):
    """A file that was not taken, and why."""

    file: str
    problem: Problem


class Listed(msgspec.Struct, frozen=True):
    """A list of residents that came along. people: taken in; problem: code of why it was not."""

    village: str
    people: int = 0
    problem: str = ""


class RosterFiles(msgspec.Struct, frozen=True):
    """Lists of residents that came from central, by the SHA-256 of their files."""

    names: tuple[bytes, ...] = ()


class Taken(msgspec.Struct):
    """What became of one return bundle. state: of `sync.bundle.Verdict`, or "incomplete". missing:
    numbers of the volumes that are not here. decisions: taken in. files: proved to be whole at
    central by it. orders: kinds acted on. reference: it brought new forms, lists or days.
    rosters: lists of residents."""

    bundle: str
    number: int
    purpose: str
    state: str
    n: int
    missing: list[int] = []
    decisions: int = 0
    files: int = 0
    notices: int = 0
    upto: int = 0
    orders: list[str] = []
    enrolled: bool = False
    reference: bool = False
    rosters: list[Listed] = []


class Opened(msgspec.Struct):
    """A bundle as far as its volumes are here."""

    log: OwnLog
    volumes: list[Volume]
    told: Return
    certificates: list[bytes] = []
    rosters: dict[bytes, list[RosterPage]] = {}
    parts: list[Part | None] = []


def own_keys(store: Store) -> dict[bytes, OwnLog]:
    """Short name of each own log's sealing key -> the log."""
    return {seal.audience(log.identity.seal_key): log for log in store.logs()}


# -- taking in


def put(desk: Desk, folder: Path, places: Iterable[Path]) -> list[Refused]:
    """Lay the volumes that are for this laptop into the inbox; gives the files that were named and
    cannot be taken. What else lies in a folder is passed over, unless it is damaged."""
    own = own_keys(desk.store)
    inbox = private_folder(folder / INBOX_FOLDER)
    refused: list[Refused] = []
    for place in places:
        whole_folder = place.is_dir()
        for file, data in usb.volumes_in([place]):
            try:
                volume = bundle.parse(data, file)
                if _is_mine(volume, own, whole_folder):
                    header = volume.header
                    _told(desk.invitation(), own[header.recipient], volume)
                    path = inbox / f"{header.name.hex()}-{header.k}{bundle.SUFFIX}"
                    write_atomically(path, data)
            except Problem as problem:
                if problem.code.startswith("disk."):
                    raise
                refused.append(Refused(file, problem))
    return refused


def _is_mine(volume: Volume, own: dict[bytes, OwnLog], lenient: bool) -> bool:
    header = volume.header
    if header.recipient in own and header.purpose != WORK:
        return True
    if lenient:
        return False
    code = "bundle.wrong_way" if header.purpose == WORK else "bundle.other_recipient"
    raise Problem(code, bundle=bundle.label(header.name))


def _told(central: Invitation, log: OwnLog, volume: Volume) -> None:
    """Every volume begins with the head that central signed. Without it nothing is laid by: a stick
    of somebody else's could fill the disk with what only looks like an answer. Problems
    bundle.altered, sync.forged_reply."""
    me, frames = log.identity, bundle.frames_of(volume, log.identity)
    try:
        heads = [seal.unseal(f, me, "return") for f in frames if bundle.purpose_of(f) == "return"]
        told = {bundle.read_return(one, central.sign_key, me).bundle for one in heads}
    except Problem as problem:
        raise Problem("sync.forged_reply") from problem
    if told != {volume.header.name}:
        raise Problem("sync.forged_reply")


def empty(
    desk: Desk, folder: Path, progress: Progress = unwatched
) -> tuple[list[Taken], list[Refused]]:
    """Take in what is in the inbox, the earliest first; what waits for a volume stays. Gives also
    the bundles that are not central's for this laptop: they do nothing and do not stay."""
    sets: dict[bytes, list[Path]] = {}
    for path in sorted((folder / INBOX_FOLDER).glob(f"*{bundle.SUFFIX}")):
        sets.setdefault(bytes.fromhex(path.stem.partition("-")[0]), []).append(path)
    opened: list[tuple[Opened, list[Path]]] = []
    refused: list[Refused] = []
    for name, paths in sets.items():
        try:
            opened.append((_open(desk, paths), paths))
        except Problem as problem:
            refused.append(Refused(bundle.label(name), problem))
            _remove(paths)
    opened.sort(key=lambda pair: (pair[0].told.start.server_seq, pair[0].told.number))
    taken: list[Taken] = []
    for one, paths in opened:
        done = _take(desk, one, progress)
        if done.state != "incomplete":
            _remove(paths)
            _note(desk, one, done)
        taken.append(done)
    return taken, refused


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _open(desk: Desk, paths: list[Path]) -> Opened:
    """Open the volumes of one set. Problem sync.forged_reply unless all of it is central's."""
    volumes = [bundle.parse(usb.read_volume(path), path.name) for path in paths]
    log = own_keys(desk.store).get(volumes[0].header.recipient)
    if log is None:
        raise Problem("bundle.other_recipient", bundle=bundle.label(volumes[0].header.name))
    frames = [frame for volume in volumes for frame in bundle.frames_of(volume, log.identity)]
    try:
        return _read(desk.invitation(), log, volumes, frames)
    except Problem as problem:
        raise Problem("sync.forged_reply") from problem


def _read(central: Invitation, log: OwnLog, volumes: list[Volume], frames: list[bytes]) -> Opened:
    """Check every frame to be central's for this log, and sort them into their parts."""
    me, name = log.identity, volumes[0].header.name
    heads = [seal.unseal(f, me, "return") for f in frames if bundle.purpose_of(f) == "return"]
    told = [bundle.read_return(token, central.sign_key, me) for token in heads]
    if not told or any(one != told[0] for one in told) or told[0].bundle != name:
        raise Problem("sync.forged_reply")
    found = Opened(log, volumes, told[0])
    names = (bundle.answer_name(log.id, name, told[0].number, i) for i in range(told[0].parts))
    places = {answer: i for i, answer in enumerate(names)}
    found.parts = [None] * told[0].parts
    pages: list[Page] = []
    for frame in frames:
        purpose = bundle.purpose_of(frame)
        if purpose == "enrol":
            found.certificates.append(frame)
        elif purpose == "reply":
            proof = seal.unseal(frame, me, "reply")
            reply = decode(bundle.unpacked(proof, central.sign_key, "reply", me), Reply)
            found.parts[_place(places, reply.request)] = Part(reply, proof, {})
        elif purpose == "page":
            token = seal.unseal(frame, me, "page")
            pages.append(decode(bundle.unpacked(token, central.sign_key, "page", me), Page))
        elif purpose == "roster":
            token = seal.unseal(frame, me, "roster")
            sheet = decode(bundle.unpacked(token, central.sign_key, "roster", me), RosterPage)
            _place(places, sheet.request)
            found.rosters.setdefault(sheet.roster, []).append(sheet)
    for page in pages:
        part = found.parts[_place(places, page.request)]
        if part is not None:
            part.pages[page.index] = page
    return found


def _place(places: dict[bytes, int], name: bytes) -> int:
    """Law 32: what is not bound to this log and this number does nothing."""
    if name not in places:
        raise Problem("sync.forged_reply")
    return places[name]


def _take(desk: Desk, one: Opened, progress: Progress) -> Taken:
    store, central = desk.store, desk.invitation()
    first = one.parts[0] if one.parts else None
    orders = _orders(central, one.log, first) if first is not None else []
    unread = store.standing().unread
    verdict = _judged(store, one, orders)
    if verdict.state == "rewound":  # central was restored: go back first, then read on
        store.apply(*verdict.steps, log=one.log.id)
        verdict = _judged(store, one, orders)
    header = one.volumes[0].header
    done = Taken(
        bundle.label(header.name), one.told.number, header.purpose, verdict.state, header.n
    )
    done.upto = one.told.upper.server_seq
    if verdict.state not in ("gap", "parted"):
        done.enrolled = _certify(desk, one)
    _write(store, one, verdict, done, progress)
    if verdict.state not in ("gap", "parted"):
        done.rosters = _take_lists(desk, one)
    rest = bundle.missing(volume.header for volume in one.volumes)
    if not verdict.whole or (verdict.state == "fresh" and rest):
        done.state = "incomplete"
        done.missing = rest
    done.notices = store.standing().unread - unread
    done.reference = adopt(store)
    return done


def _take_lists(desk: Desk, one: Opened) -> list[Listed]:
    """Lists of residents of which every page is here. One that cannot be read is said and stops
    nothing else; it comes again with the next bundle."""
    known = desk.store.recall(RosterFiles) or RosterFiles()
    done: list[Listed] = []
    for name, pages in sorted(one.rosters.items()):
        data = b"".join(page.data for page in sorted(pages, key=lambda page: page.offset))
        if name in known.names or hashlib.sha256(data).digest() != name:
            continue
        terms = pages[0].terms
        try:
            found = import_bytes(desk, data, _source(terms))
        except Problem as problem:
            if problem.code.startswith("disk."):
                raise
            done.append(Listed(terms.village, problem=problem.code))
            continue
        done.append(Listed(terms.village, found.report.taken))
        known = RosterFiles((*known.names[1 - ROSTERS_KNOWN :], name))
        desk.store.remember(known)
    return done


def _source(terms: Terms) -> RosterSource:
    """Terms as the laptop keeps them. Problem roster.terms for days that are none."""
    try:
        days = date.fromisoformat(terms.list_date), date.fromisoformat(terms.expires)
    except ValueError:
        raise Problem("roster.terms", missing="-") from None
    return RosterSource(terms.village, terms.source, days[0], terms.legal_basis, days[1])


def _judged(store: Store, one: Opened, orders: Sequence[Order]) -> Verdict:
    log = one.log.id
    return bundle.judge(
        store.position(log),
        lambda seq: store.head_at(seq, log),
        store.recall(Checkpoint),
        one.told,
        one.parts,
        orders,
    )


def _orders(central: Invitation, log: OwnLog, part: Part) -> list[Order]:
    to = seal.audience(log.identity.seal_key)
    signed = [seal.verify(t, central.sign_key, "order", to)[1] for t in part.reply.orders]
    return [decode(payload, Order) for payload in signed]


def _certify(desk: Desk, one: Opened) -> bool:
    """Keep the newest certificate; True where central's knowing this log is news."""
    confirmed = desk.store.recall(Confirmed) or Confirmed()
    for frame in one.certificates[:1]:
        with contextlib.suppress(Problem):
            certificate = enrolment.read_certificate(
                frame, one.log.identity, desk.invitation().sign_key
            )
            known = type(certificate)
            before = desk.store.recall(known)
            if before is None or before.at <= certificate.at:
                desk.store.remember(certificate)
            if one.log.id not in confirmed.logs:
                desk.store.remember(Confirmed((*confirmed.logs, one.log.id)))
                return True
    return False


def _write(store: Store, one: Opened, verdict: Verdict, done: Taken, progress: Progress) -> None:
    """One commit for proofs, outcomes and orders, one for each page."""
    first = [step for step in verdict.steps if not isinstance(step, Absorbed | Filled)]
    pages = [step for step in verdict.steps if isinstance(step, Absorbed | Filled)]
    if first:
        store.apply(*first, log=one.log.id)
    if verdict.proof is not None:
        done.files = len(store.attached.hear(verdict.files, verdict.proof))
    for i, page in enumerate(pages, 1):
        store.apply(page, log=one.log.id)
        if isinstance(page, Absorbed):
            done.decisions += len(page.decisions)
        progress("read", i, len(pages))


def _note(desk: Desk, one: Opened, done: Taken) -> None:
    volumes = sorted(one.volumes, key=lambda volume: volume.header.k)
    here = tuple(volume.header.k for volume in volumes)
    name = volumes[0].header.name
    whole = len(here) == done.n
    words = bundle.words(name, [volume.digest for volume in volumes]) if whole else ()
    size = sum(volume.header.size for volume in volumes)
    slip = Slip(done.purpose, here, done.n, size, words, done.state, one.log.id, number=done.number)
    desk.store.custody.add(desk.facts().at, desk.operator.name, RETURNED, name, slip)
