"""Duplicates: requests of one person under another name, day or number are found and put before
people; people link them, keep them apart, or part them again.

What has the same NIK is a case already when it comes in (sync.judge). This room looks for the rest
by the clock, beside intake and never in its way: it reads the decisions after its mark, compares
each touched request with those that share a key (server.matching.blocks), and opens a case for each
pair that the matcher puts. Everything is safe to be done by several processes at once: a chunk
counts only if the mark is where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import date, datetime
from hashlib import blake2b
from itertools import combinations

import msgspec

from models.changes import Change, Incident, raw
from models.people import Act, require
from models.problems import Problem
from models.services import catalogue
from models.words import WIT
from server import pairs as beside
from server.auth import require_request, roles
from server.casework import Casework, Done
from server.database.matching import COMPARING, Mark
from server.database.people import Person
from server.database.registry import Door, Registry
from server.finding import find_record
from server.ledger import Ledger
from server.matching import concern, told
from server.matching.blocks import HOLDERS_MAX, keys
from server.matching.concern import Shown
from server.matching.matcher import Matcher, Reason, Register, Verdict
from server.matching.profile import Profile, profile
from server.pairs import Pair, Part
from server.sheets import CaseLine, CaseSheet, RequestLine
from server.sheets import line as request_line
from sync.files import files
from sync.judge import is_over
from sync.known import record_keys
from sync.state import Case, Created, Decision, Linked, Moved, Placed, Record, Wrote, values

CHUNK = 200
"""Decisions looked at in one go: what is written at its end holds the lock for milliseconds."""
PAIRS_MAX = 3
"""Cases that one request may open in one go, the surest first."""
SYSTEM = "system"


class Scanned(msgspec.Struct, frozen=True):
    """What a search did. requests: looked at; compared: pairs; opened: cases; upto: number of the
    newest decision looked at; done: there was nothing more."""

    requests: int
    compared: int
    opened: int
    upto: int
    done: bool


class PairLine(msgspec.Struct, frozen=True):
    """A case of two requests in a list. probability: that it is one person; 1 by a shared key.
    requests: whose it is about."""

    case: CaseLine
    probability: float
    requests: list[RequestLine] = []


class PairSheet(msgspec.Struct, frozen=True):
    """A case of two requests, opened. reasons: in words, most first; against: the other explanation
    that the bits stand against; strangers: people expected to agree as well by chance."""

    case: CaseSheet
    probability: float
    against: str
    strangers: float
    reasons: list[str]


class Found(msgspec.Struct, frozen=True):
    """A pair to be put before a person. kind: of the case, see COMPARING."""

    records: tuple[bytes, bytes]
    verdict: Verdict
    kind: str = "duplicate"


class Duplicates:
    """Finds, shows, links and parts. key: of the hashes that the index is kept as."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        casework: Casework,
        clock: Callable[[], int],
        key: bytes,
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.casework = casework
        self.clock = clock
        self.key = key

    # -- finding

    def scan(self, chunks: int = 1) -> Scanned:
        """Look at what is new since the last search, so many chunks of decisions at most."""
        total = Scanned(0, 0, 0, 0, False)
        for _ in range(chunks):
            one = self._chunk()
            total = Scanned(
                total.requests + one.requests,
                total.compared + one.compared,
                total.opened + one.opened,
                one.upto,
                one.done,
            )
            if one.done:
                break
        return total

    def _chunk(self) -> Scanned:
        search = _Search(self.key, _day(self.clock()))
        with self.registry.read() as door:
            mark = door.match_mark()
            decisions = door.decisions_after(mark.upto, CHUNK)
            if not decisions:
                return Scanned(0, 0, 0, mark.upto, True)
            found = search.look(door, mark, decisions)
        upto = decisions[-1].server_seq
        with self.registry.write() as door:
            if door.match_mark() != mark:  # somebody else looked at them meanwhile
                return Scanned(0, 0, 0, upto, False)
            opened = sum(self._open(door, pair) for pair in found)
            door.keep_match_keys(search.keys)
            door.count_match_words(search.words)
            door.keep_match_mark(Mark(upto, mark.n + search.counted))
        done = len(decisions) < CHUNK
        return Scanned(len(search.keys), search.compared, opened, upto, done)

    def _open(self, door: Door, pair: Found) -> bool:
        """Put a pair before a person, unless it was put so already."""
        one, other = pair.records
        note = told.line(pair.verdict)
        for case in door.duplicate_cases([one]).get(one, []):
            same = case.kind == pair.kind and other in (case.record, *case.others)
            if same and not _is_news(case, note):
                return False
        try:
            with self.registry.write() as part:
                case_id = self._incident(part, (one, other), note, SYSTEM, pair.kind)
        except Problem:  # one of them ended meanwhile
            return False
        details = {"band": pair.verdict.band, "with": other.hex()}
        door.audit(SYSTEM, f"{pair.kind}.found", case_id.hex(), details, self.clock())
        return True

    def _incident(
        self,
        door: Door,
        records: tuple[bytes, ...],
        note: str,
        actor: str,
        kind: str = "duplicate",
    ) -> bytes:
        at = self.clock()
        body = raw(Incident(kind, note, records))
        change = Change("incident", b"", 0, 1, "", 0, 0, at, at, 0, 0, 0, None, body)
        result, _ = self.ledger.write_in(door, change, at, actor)
        return result.case

    # -- looking

    def cases(
        self,
        me: Person,
        *,
        kind: str = "duplicate",
        state: str = "open",
        after: str = "",
        limit: int = 50,
    ) -> list[PairLine]:
        """Cases of duplicates, or of two people under one NIK or paper, oldest first."""
        if kind not in COMPARING:
            raise Problem("api.malformed", why="kind")
        lines = self.casework.cases(me, state=state, kind=kind, after=after, limit=limit)
        with self.registry.read() as door:
            return [_pair_line(door, line) for line in lines]

    def show(self, me: Person, name: str, lang: str = "id") -> PairSheet:
        """One case, opened, with the reasons in words."""
        sheet = self.casework.case(me, name)
        if sheet.kind not in COMPARING:
            raise Problem("duplicate.other_case", case=name[:40])
        said = told.read(sheet.note)
        if said is None:
            same = told.words(Reason("nik", "same", 0.0), lang)
            return PairSheet(sheet, 1.0, "", 0.0, [same])
        plain = told.plainly(said.reasons, said.rival)
        reasons = [told.words(reason, lang) for reason in plain]
        against = told.RIVALS[said.rival].words(lang)
        return PairSheet(sheet, said.probability, against, said.strangers, reasons)

    def pair(self, me: Person, name: str, lang: str = "id") -> Pair:
        """One case with its requests side by side and every part that was compared."""
        sheet = self.casework.case(me, name)
        if sheet.kind not in COMPARING:
            raise Problem("duplicate.other_case", case=name[:40])
        requests = beside.opened(self.casework, me, sheet, lang)
        said = told.read(sheet.note)
        parts, verdict = self._parts(sheet, said, lang)
        rival = said.rival if said else verdict.rival if verdict else ""
        return Pair(
            sheet,
            requests,
            said.probability if said else 0.0,
            told.RIVALS[rival].words(lang) if rival else "",
            said.strangers if said else 0.0,
            parts,
            beside.lines(requests, lang),
            sheet.kind == "duplicate"
            and len({beside.space(one.service, one.edition) for one in requests}) == 1,
        )

    def _parts(
        self, sheet: CaseSheet, said: told.Told | None, lang: str
    ) -> tuple[list[Part], Verdict | None]:
        """As they were weighed when the case was opened; what a key opened is weighed now."""
        if said is not None:
            return beside.told_parts(said, lang), None
        search = _Search(self.key, _day(self.clock()))
        names = [bytes.fromhex(line.id) for line in sheet.requests]
        with self.registry.read() as door:
            found = door.requests_with_village(names)
            verdict = search.explain(door, found, door.match_mark().n)
        held = [set(record_keys(record)) for record, _ in found.values()]
        shared = set.intersection(*held) if len(held) > 1 else set()
        weighed = beside.weighed(verdict, lang) if verdict is not None else []
        return [*beside.key_parts(shared, lang), *weighed], verdict

    # -- deciding

    def put(self, me: Person, one: str, other: str) -> str:
        """Put two requests before people because somebody thinks they are one matter; gives the
        case, also where one is open about them already."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.write() as door:
            records = [_standing_for(door, name) for name in (one, other)]
            for record in records:
                require_request(door, me, record.id)
            _one_matter(records, door.standing().server_seq, door)
            names = (records[0].id, records[1].id)
            case = _open_case(door, names)
            if not case:
                case = self._incident(door, names, "", me.login)
                with_ = {"with": names[1].hex()}
                door.audit(me.login, "duplicate.put", case.hex(), with_, self.clock())
            return case.hex()

    def link(
        self, me: Person, one: str, other: str, reason: str, seen: int, *, keep: str = ""
    ) -> Done:
        """These two requests are one matter. keep: the one that goes on, the earlier by default.
        Both numbers stay valid, and both offices are told."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.write() as door:
            records = [_standing_for(door, name) for name in (one, other)]
            for record in records:
                require_request(door, me, record.id)
            kept = _standing_for(door, keep).id.hex() if keep else None
            _one_matter(records, seen, door)
            names = (records[0].id, records[1].id)
            case = _open_case(door, names) or self._incident(door, names, "", me.login)
            at = max(seen, door.standing().server_seq)
            return self.casework.resolve(me, case.hex(), "link", reason, at, value=kept)

    def unlink(self, me: Person, name: str, reason: str, seen: int) -> Done:
        """A request that was joined to another goes its own way again, once a second person agrees
        (`Casework.confirm`)."""
        return self.casework.advance(me, name, "unlink", reason, seen)


class _Search:
    """One chunk: what is found in it, and what is to be kept of it. keys: of each touched request;
    words: to be counted; counted: requests that were not known before."""

    def __init__(self, key: bytes, today: date) -> None:
        self.key = key
        self.today = today
        self.keys: dict[bytes, list[int]] = {}
        self.words: Counter[int] = Counter()
        self.counted = 0
        self.compared = 0
        self._known: dict[bytes, list[Profile]] = {}
        self._shown: dict[bytes, Shown] = {}
        self._counts: dict[str, int] = {}

    def look(self, door: Door, mark: Mark, decisions: list[Decision]) -> list[Found]:
        """The pairs to be put before people, in the order their requests came."""
        touched = door.requests_with_village(_touched(decisions))
        fresh = {name: self._profiles(*touched[name]) for name in touched}
        for name, people in fresh.items():
            record = touched[name][0]
            self._shown[name] = _shown(record)
            found = [k for one in people for k in keys(one)]
            found += concern.keys(people, self._shown[name])
            found = [] if is_over(record) else found
            self.keys[name] = [self._hash(text) for text in dict.fromkeys(found)]
        pairs = self._pairs(door, touched)
        self._known |= fresh
        others = {name for pair in pairs for name in pair} - self._known.keys()
        for name, (record, village) in door.requests_with_village(others).items():
            self._known[name] = self._profiles(record, village)
            self._shown[name] = _shown(record)
        self._count(door, fresh)
        matcher = Matcher(Register(mark.n + self.counted, self._frequencies(door)))
        return self._judged(matcher, pairs)

    def explain(
        self, door: Door, requests: dict[bytes, tuple[Record, str]], n: int
    ) -> Verdict | None:
        """How much the likeliest of these requests agree, with every reason. n: of the register."""
        self._known = {name: self._profiles(*found) for name, found in requests.items()}
        matcher = Matcher(Register(n, self._frequencies(door)))
        verdicts = [
            matcher.compare(a, b, explain=True)
            for one, other in combinations(self._known.values(), 2)
            for a in one
            for b in other
        ]
        return max(verdicts, key=lambda verdict: verdict.probability, default=None)

    def _profiles(self, record: Record, village: str) -> list[Profile]:
        """Everybody a request is about; nobody for a form that cannot be read here."""
        try:
            form = catalogue().service(record.service, record.edition)
            answers, _ = form.answers(values(record))
            subjects = form.subjects(answers)
        except (Problem, TypeError, ValueError, AttributeError, KeyError):
            return []
        space = form.space or form.slug
        return [profile(space, village, one, self.today) for one in subjects if one.name]

    def _pairs(self, door: Door, touched: Collection[bytes]) -> list[tuple[bytes, bytes]]:
        """(touched, other) for those that share a key, each pair once."""
        wanted = {key for found in self.keys.values() for key in found}
        holders = door.match_holders(wanted, HOLDERS_MAX)
        pairs: dict[tuple[bytes, bytes], None] = {}
        for name in touched:
            for key in self.keys[name]:
                there = holders.setdefault(key, [])
                for other in there:
                    if other != name and (other, name) not in pairs:
                        pairs[name, other] = None
                if name not in there:
                    there.append(name)
        return list(pairs)

    def _judged(self, matcher: Matcher, pairs: list[tuple[bytes, bytes]]) -> list[Found]:
        found: dict[bytes, list[Found]] = {}
        for name, other in pairs:
            verdicts = [
                matcher.compare(a, b)
                for a in self._known.get(name, [])
                for b in self._known.get(other, [])
                if a.space == b.space
            ]
            self.compared += len(verdicts)
            best = max(verdicts, key=lambda v: v.probability, default=None)
            if best is not None and best.band != "none":
                found.setdefault(name, []).append(Found((name, other), best))
                continue
            people = (self._known.get(name, []), self._known.get(other, []))
            shown = (self._shown.get(name, Shown()), self._shown.get(other, Shown()))
            worry = concern.concern(people, shown)
            if worry is not None:
                found.setdefault(name, []).append(Found((name, other), worry, "identity"))
        for several in found.values():
            several.sort(key=lambda one: -one.verdict.probability)
        return [one for several in found.values() for one in several[:PAIRS_MAX]]

    # -- how frequent words are

    def _count(self, door: Door, fresh: dict[bytes, list[Profile]]) -> None:
        """Each request counts once, when it is first seen."""
        before = door.match_known(fresh)
        for name, people in fresh.items():
            if name in before or not people:
                continue
            self.counted += 1
            self.words.update({self._hash(word) for one in people for word in _words(one)})

    def _frequencies(self, door: Door) -> dict[str, int]:
        people = [one for found in self._known.values() for one in found]
        texts = {word for one in people for word in (*_words(one), *one.mother.sounds)}
        hashes = {text: self._hash(text) for text in texts}
        before = door.match_words(set(hashes.values()))
        return {text: before.get(h, 0) + self.words.get(h, 0) for text, h in hashes.items()}

    def _hash(self, text: str) -> int:
        digest = blake2b(text.encode(), key=self.key, digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)


def _shown(record: Record) -> Shown:
    """What a request shows beside its people."""
    applicant = values(record).get("applicant.identity")
    number = applicant.get("nik") if isinstance(applicant, dict) else None
    return Shown({file.blob: file.kind for file in files(record)}, str(number or ""))


def _words(one: Profile) -> set[str]:
    return {*one.name.sounds, one.village}


def _touched(decisions: list[Decision]) -> list[bytes]:
    """Requests whose answers, village or standing changed, in order."""
    kinds = (Created, Wrote, Placed, Linked, Moved)
    return list(
        dict.fromkeys(e.record for d in decisions for e in d.effects if isinstance(e, kinds))
    )


def _is_news(case: Case, note: str) -> bool:
    """Is a pair that was put before to be put again? Only when it was decided, and agrees
    otherwise than it did."""
    if case.state != "closed":
        return False
    before, now = told.read(case.note), told.read(note)
    return before is not None and now is not None and before.levels != now.levels


def _pair_line(door: Door, line: CaseLine) -> PairLine:
    found = door.case(bytes.fromhex(line.id))
    said = told.read(found.note) if found is not None else None
    rows = (door.request_line(bytes.fromhex(name)) for name in line.requests)
    requests = [request_line(row) for row in rows if row is not None]
    return PairLine(line, said.probability if said else 1.0, requests)


def _standing_for(door: Door, name: str) -> Record:
    """The request of that name, or the one it was joined to."""
    record = find_record(door, name)
    passed = {record.id}
    while record.kept and record.kept not in passed:
        passed.add(record.kept)
        kept = door.record(record.kept)
        if kept is None:
            break
        record = kept
    return record


def _one_matter(records: list[Record], seen: int, door: Door) -> None:
    """Two requests that people may link: other than each other, of one matter, and as they saw."""
    one, other = records
    spaces = {beside.space(record.service, record.edition) for record in records}
    if one.id == other.id or len(spaces) != 1:
        raise Problem("duplicate.other_matter")
    if max(one.changed, other.changed) > seen or seen > door.standing().server_seq:
        raise Problem("request.changed", code=one.id.hex()[:8])


def _open_case(door: Door, names: tuple[bytes, bytes]) -> bytes:
    """The open case that is about just these two."""
    for case in door.duplicate_cases(names[:1]).get(names[0], []):
        if case.state != "closed" and {case.record, *case.others} == {*names}:
            return case.id
    return b""


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, WIT).date()
