"""The acts of the demonstration, in order: each drives the real programs and tells what came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from houses import Failed, Laptop, Member, Office, kill, together
from story import KEEP_DAYS, Story, kinds
from tally import Tally
from tests.proxy import Proxy
from tests.village import STAFF

KILL_AFTER = 23
"""Answers after which the van's program is killed while it takes requests in."""

HALF_WAY = 2500
"""Bytes of a sync that still pass before the road stalls."""

STALL_SECONDS = 120.0
OTHER_PHONE = "+6281355000009"

ACCEPTED = 30
"""Requests that are accepted; opening and accepting one takes two round trips to the API."""


ON_PAPER = "Formulir bertanda tangan ada di map kertas"
"""Why a request is accepted of which no signature was photographed."""


class Acts:
    """One telling. speak: takes a line of the story."""

    def __init__(
        self,
        story: Story,
        office: Office,
        van: Laptop,
        village: Laptop,
        folder: Path,
        speak: Callable[[str], None],
    ) -> None:
        self.story = story
        self.office = office
        self.van = van
        self.village = village
        self.folder = folder
        self.speak = speak
        self.tally = Tally(len(story.van) + len(story.office))
        self.began = time.monotonic()
        self.road: Proxy | None = None
        self.members: dict[str, Member] = {}

    def all(self) -> list[Callable[[], None]]:
        """The acts in their order."""
        return [
            self.the_office_opens,
            self.two_laptops_are_handed_out,
            self.a_day_without_signal,
            self.a_bad_road,
            self.one_request_in_two_hands,
            self.people_decide,
            self.the_answers_come_back,
            self.proofs,
        ]

    def close(self) -> None:
        """Stop what runs."""
        for member in self.members.values():
            member.close()
        if self.road is not None:
            self.road.close()
        self.office.close()

    # -- telling

    def act(self, title: str) -> None:
        """A heading with the time so far."""
        self.speak(f"\n[{time.monotonic() - self.began:5.1f} s] {title}")

    def tell(self, text: str) -> None:
        """A line of the story."""
        self.speak(f"   {text}")

    def show(self, text: str) -> None:
        """What a program said, as it said it."""
        for line in text.rstrip().splitlines():
            self.speak(f"   | {line}")

    def check(self, words: str, right: bool) -> None:
        """Something that has to be so; it is told, and counted at the end."""
        self.tally.check(words, right)
        self.tell(f"{'✓' if right else '✕ NOT SO:'} {words}")

    def member(self, login: str) -> Member:
        """Somebody of the office at the JSON API."""
        if login not in self.members:
            self.members[login] = self.office.sign_in(login)
        return self.members[login]

    # -- the acts

    def the_office_opens(self) -> None:
        """Central is prepared, its people get their logins, it serves."""
        self.act("Central opens: Dukcapil of Tidore Kepulauan")
        self.office.found()
        self.office.hire("ratna", STAFF["ratna"].name, "admin")
        secret = ["--new-password-file", str(self.office.password)]
        together(
            *(
                (
                    self.office.program,
                    ["person", "add", one.username, "--name", one.name, "--role", one.role,
                     *secret, "--as", "ratna", "--json"],
                )
                for one in (STAFF["nurlaila"], STAFF["idham"])
            )
        )  # fmt: skip
        self.office.open()
        self.tell(f"{STAFF['nurlaila'].called} verifies, {STAFF['idham'].called} supervises.")

    def two_laptops_are_handed_out(self) -> None:
        """Invitations, enrolment, and the village's list of residents on both."""
        self.act("Two laptops are handed out: one for the Si Jola van, one for the village office")
        self._invite()
        together(
            (self.van.program, ["enrol", str(self.office.folder / "van.jbi"), "--json"]),
            (self.village.program, ["enrol", str(self.office.folder / "village.jbi"), "--json"]),
        )
        self.tell("Each has its own encrypted folder and its own signing key.")
        expires = self.story.today + timedelta(days=KEEP_DAYS)
        terms = [
            "roster", "import", str(self.story.roster), "--village", self.story.place.code,
            "--source", "Kantor desa", "--date", self.story.listed.isoformat(),
            "--basis", "Perjanjian kerja sama", "--expires", expires.isoformat(), "--json",
        ]  # fmt: skip
        programs = [(laptop.program, terms) for laptop in (self.van, self.village)]
        started = [(program, program.start(*words)) for program, words in programs]
        reports = [program.finish(running, terms, ok=(0, 3)) for program, running in started]
        report = reports[0].last
        self.tell(
            f"The list of {self.story.place.name}: {report['read']} lines read,"
            f" {report['taken']} people taken, {len(report['refused'])} refused,"
            f" {sum(report['counts'].values())} remarks; it vanishes on {expires}."
        )

    def _invite(self) -> None:
        office, code = self.office, self.story.place.code
        office.program.environment["JEMPUT_PUSAT_PUBLIC_URL"] = office.url
        invite = ["device", "invite", "--village", code, "--as", "ratna", "--json"]
        called = {"van": "Si Jola 1", "village": f"Kantor Desa {self.story.place.name}"}
        words = [
            [*invite, f"Laptop {kind}", "--kind", kind, "--office", called[kind],
             "--operator", STAFF[who].name, "--out", str(office.folder / f"{kind}.jbi")]
            for kind, who in (("van", "sari"), ("village", "rusli"))
        ]  # fmt: skip
        together(*((office.program, one) for one in words))

    def a_day_without_signal(self) -> None:
        """Requests are queued offline; the van is killed in the middle and simply goes on."""
        self.act("A day without signal")
        files = self.story.write(self.folder)
        self.tell(f"The van takes {len(self.story.van)}: {kinds(self.story.van)}")
        running = self.village.program.start("queue", "--from", str(files[1]), "--json")
        first = self.van.queue(files[0], kill_after=KILL_AFTER)
        self.tell(f"… the power goes: kill -9 after {first} answers. The same file again:")
        second = self.van.queue(files[0])
        said = self.village.program.finish(running, ["queue"])
        self.village.answers += said.lines
        self.tally.heard("van", self.van.answers)
        self.tally.heard("village", self.village.answers)
        before, after = self.van.answers[:first], self.van.answers[first:]
        same = all(old == new for old, new in zip(before, after, strict=False))
        self.check(
            f"all {second} answered, and the first {first} got the very same answers again", same
        )
        self.tell(f"The village takes {len(self.story.office)} at its own desk.")

    def a_bad_road(self) -> None:
        """Two syncs are killed behind a stalling road; the third one gets through."""
        self.act("The harbour: a moment of signal that stalls")
        self.road = Proxy(self.office.port)
        central = self.member("nurlaila")
        rows = len(self.story.van)
        self.road.stall(after=HALF_WAY, way="up")
        self._killed_sync(lambda: True)
        early = self._answers(central)
        self.check(f"killed half way up: {len(early)} of {rows} had arrived", len(early) < rows)
        self.road.clear()
        self.road.stall(after=0, way="down")
        self._killed_sync(lambda: len(central.requests()) == rows)
        stored = len(central.requests())
        self.check(f"killed before the answer: central has all {rows}", stored == rows)
        self.tell("… but the van does not know, and offers everything again:")
        self.road.clear()
        report = self.van.sync(self.road.url)
        self._told(report)
        self.check("nothing is left to send", report["pending"] == 0)
        self.check("no more than that, and nothing twice", len(central.requests()) == rows)
        same = early.items() <= self._answers(central, early).items()
        self.check("what had arrived early was whole: not one answer was missing", same)
        self._told(self.village.sync())
        self.tally.bytes_up += self.road.passed["up"]

    @staticmethod
    def _answers(central: Member, of: Iterable[str] | None = None) -> dict[str, Any]:
        ids = [row["id"] for row in central.requests()] if of is None else of
        return {one: central.get(f"/requests/{one}")["answers"] for one in ids}

    def _killed_sync(self, arrived: Callable[[], bool]) -> None:
        """arrived: what is waited for behind the stall; frames on their way may still come in."""
        assert self.road is not None
        running = self.van.start_sync(self.road.url)
        if not self.road.held.wait(STALL_SECONDS):
            said = kill(running)
            raise Failed(f"the sync never came to the stall\n{said.out}{said.err}")
        until = time.monotonic() + STALL_SECONDS
        while not arrived() and time.monotonic() < until:
            time.sleep(0.1)
        kill(running)
        self.road.drop()

    def _told(self, report: dict[str, Any]) -> None:
        self.tell(
            f"sent {report['pushed']}, received {report['received']}, {report['bytes_up']} bytes"
            f" up, {report['bytes_down']} down, {report['round_trips']} round trip(s)"
        )

    # -- the conflict

    def one_request_in_two_hands(self) -> None:
        """Both correct one request, offline; the van twice."""
        who = self.story.cast.corrected
        self.act(f"One request in two hands: {who.name}'s")
        code = self._code(self.van, self.story.van[0]["ref"])
        start = ["request", "edit", code, "--json"]

        def typed(**answers: str) -> list[str]:
            pairs = [f"{key.replace('__', '.')}={value}" for key, value in answers.items()]
            return [word for pair in pairs for word in ("--set", pair)]

        before, later = [rt for rt in ("004", "005", "006") if rt != who.rt][:2]
        first = typed(applicant__name=f"{who.name} Umr", applicant__phone="+6281243000001")
        again = typed(
            applicant__name=f"{who.name} Umar",
            applicant__phone="+6281243000002",
            address__rt=before,
        )
        other = typed(
            applicant__name=f"{who.name} Usman", applicant__phone=OTHER_PHONE, address__rt=later
        )
        together(
            (self.van.program, [*start, *first, "--why", "KTP lama"]),
            (self.village.program, [*start, *other, "--why", "Menurut buku nikah"]),
        )
        self.van.run(*start, *again, "--why", "Salah ketik")
        self.tell("Offline, the van corrects name and phone, sees a typing slip, corrects again.")
        self.tell("Meanwhile the village, offline too, types another name, phone and address.")
        mine = self.van.sync()
        self.check(
            "the van's second correction does not dispute its first",
            set(mine["outcomes"]) == {"applied"},
        )
        theirs = self.village.sync()
        self.check("the village's name waits for people", theirs["outcomes"].get("held") == 1)
        answers = self._sheet("nurlaila", code)["answers"]
        self.check(
            "phone and address: the later one stands, whole",
            (answers["applicant.phone"], answers["address.rt"]) == (OTHER_PHONE, later),
        )
        self.check(
            "the name: nothing was overwritten", answers["applicant.name"] == f"{who.name} Umar"
        )

    def _code(self, laptop: Laptop, ref: str) -> str:
        return str(next(one["code"] for one in laptop.answers if one["ref"] == ref))

    def _sheet(self, login: str, code: str) -> dict[str, Any]:
        found: dict[str, Any] = self.member(login).get(f"/requests/{code}")
        return found

    def people_decide(self) -> None:
        """Two people decide the cases; requests are accepted, one goes back."""
        self.act("People decide at central")
        nurlaila, idham = self.member("nurlaila"), self.member("idham")
        self.show(self.office.run("cases", "list", by="nurlaila").out)
        for line in nurlaila.cases():
            sheet = nurlaila.get(f"/cases/{line['id']}")
            if line["kind"] == "duplicate":
                self._decide(nurlaila, sheet, take="link", reason="Orang dan layanan yang sama")
                self.tell("Asked twice: linked. The earlier is kept, both papers stay good.")
                continue
            self._decide(nurlaila, sheet, take="offer", offer=1, reason="Sesuai buku nikah asli")
            seen = nurlaila.get(f"/cases/{line['id']}")["seen"]
            approve = f"/cases/{line['id']}/approve"
            self.check(
                "who proposes may not approve",
                nurlaila.refused(approve, seen=seen, reason="Saya setuju") == "auth.forbidden",
            )
            idham.post(approve, seen=seen, reason="Buku nikah dilihat")
            self.tell("The name: Bu Nurlaila proposes the village's, Pak Idham approves.")
        self.check("no case is open any more", nurlaila.cases() == [])
        self._judge_requests(nurlaila)

    def _decide(self, member: Member, sheet: dict[str, Any], **choice: Any) -> None:
        member.post(f"/cases/{sheet['id']}/resolve", seen=sheet["seen"], **choice)

    def _judge_requests(self, nurlaila: Member) -> None:
        back = self._code(self.van, self.story.van[-1]["ref"])
        accepted = 0
        for line in nurlaila.requests():
            mine = line["code"] == back
            if line["status"] != "received" or (accepted >= ACCEPTED and not mine):
                continue
            seen = nurlaila.get(f"/requests/{line['id']}")["seen"]
            if mine:
                nurlaila.post(
                    f"/requests/{line['id']}/return", seen=seen, code="OTHER",
                    text="Nomor HP tidak dapat dihubungi",
                )  # fmt: skip
                continue
            nurlaila.post(f"/requests/{line['id']}/accept", seen=seen, reason=ON_PAPER)
            accepted += 1
        self.tell(f"{accepted} requests are accepted, one is returned: the phone does not answer.")

    def the_answers_come_back(self) -> None:
        """Both laptops hear what was decided and why; the returned request is corrected."""
        self.act("The answers come back")
        started = [(laptop, laptop.start_sync()) for laptop in (self.van, self.village)]
        for laptop, running in started:
            self._told(laptop.end_sync(running))
        told = [said.lines for said in together(
            (self.van.program, ["notices", "--json"]), (self.village.program, ["notices", "--json"])
        )]  # fmt: skip
        van, village = told
        for notice in [n for n in van if n["kind"] in ("decided", "overridden", "duplicate")]:
            self.show(notice["words"])
        returned = [n for n in van if n["value"] == "needs_correction"]
        self.show("\n".join(n["words"] for n in returned))
        for name, notices in (("van", van), ("village", village)):
            names = {n["by"] for n in notices if n["kind"] == "decided" and n["unit"]}
            both = any("Nurlaila" in by and "Idham" in by for by in names)
            self.check(f"the {name} reads who decided the name, and why", both)
        overridden = {n["unit"] for n in van if n["kind"] == "overridden"}
        self.check(
            "the van reads that its phone and address were replaced",
            overridden == {"applicant.phone", "address.address"},
        )
        back = self._code(self.van, self.story.van[-1]["ref"])
        self.check("the van reads what to correct", [n["code"] for n in returned] == [back])
        self.van.run("request", "edit", back, "--set", "applicant.phone=+6281243777777", "--json")
        self._told(self.van.sync())
        sheet = self._sheet("nurlaila", back)
        self.member("nurlaila").post(
            f"/requests/{sheet['id']}/accept", seen=sheet["seen"], reason=ON_PAPER
        )
        self.tell("Corrected in the van, sent, accepted.")

    # -- proofs

    def proofs(self) -> None:
        """Receipts, chains, and the count from independent sources."""
        self.act("Proofs")
        self._receipts()
        audit = self.office.run("audit", "verify", "--json", by="idham", ok=(0, 3)).last
        self.tally.audit_ok = bool(audit["ok"])
        self.tell(
            f"Chains at central: {audit['audit']} entries of the trail, {audit['decisions']}"
            f" decisions, {audit['entries']} changes of {audit['logs']} logs."
        )
        doctors = together(
            *((one.program, ["doctor", "--quick", "--json"]) for one in (self.van, self.village))
        )
        healthy = all(line["ok"] for said in doctors for line in said.lines)
        self.check("both laptops find nothing wrong with their own data", healthy)
        self._count()

    def _receipts(self) -> None:
        keys = self.folder / "keys.jbk"
        keys.write_bytes(self.member("nurlaila").raw("/keys"))
        pairs = [(self.van, self.story.van[0]["ref"]), (self.village, self.story.office[-1]["ref"])]
        codes = [self._code(laptop, ref) for laptop, ref in pairs]
        slips = together(
            *(
                (laptop.program, ["receipt", "show", code, "--json"])
                for (laptop, _), code in zip(pairs, codes, strict=True)
            )
        )
        tokens = [str(said.last["token"]) for said in slips]
        for (laptop, _), token, code in zip(reversed(pairs), tokens, codes, strict=True):
            # Each verifies the other's, with the signed key list and no network.
            said = laptop.run("receipt", "verify", token, "--keys", str(keys), "--json")
            self.tally.receipts.append(said.last["code"] == code)
        said = self.office.run("receipt", "verify", tokens[0], "--json")
        self.tally.receipts.append(said.last["arrived"] and said.last["fits"])
        forged = self._forged(tokens[0])
        said = self.office.run("receipt", "verify", forged, "--json", ok=(1, 3))
        self.tally.receipts.append(said.last["problem"]["code"].startswith("receipt."))
        self.tell("Receipts verify at the other laptop and at central; a changed letter does not.")

    def _forged(self, token: str) -> str:
        """The same receipt with one letter in the middle changed."""
        at = len(token) // 2
        return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]

    def _count(self) -> None:
        central = self.member("nurlaila")
        listed = central.requests()
        self.tally.stored = [line["id"] for line in listed]
        self.tally.stored_codes = [line["code"] for line in listed]
        cases = central.cases("all")
        self.tally.cases = len(cases)
        self.tally.resolved = sum(case["state"] == "closed" for case in cases)
        for laptop in (self.van, self.village):
            self.tally.bytes_up += sum(report["bytes_up"] for report in laptop.syncs)
            self.tally.round_trips += sum(report["round_trips"] for report in laptop.syncs)
