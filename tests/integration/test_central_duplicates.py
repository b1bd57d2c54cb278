"""Requests of one person under another name or number: found by the clock, explained, linked by
people, parted again; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from models.changes import Attached, Body
from models.problems import Problem
from models.services import catalogue
from server.cli import app
from tests.pusat import GROUP, ON_PAPER, OTHER_VILLAGE, PASSWORD, PROTECTED, Pusat, Van, pusat
from tests.simulation.people import example_answers

BIRTH = "ktp_enrolment_queue.identity"
VILLAGE = "82.72.03.2001"
PHOTO = "ktp_enrolment_queue.photo"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    """One office for all of them: each test speaks of other people."""
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        yield opened


class Town:
    """A laptop, and people who come to it one after the other."""

    def __init__(self, office: Pusat, name: str) -> None:
        self.office = office
        self.van: Van = office.van(name)
        self.number = 0

    def comes(self, name: str, nik: str, born: str, kk: str = "", **more: Any) -> bytes:
        """Somebody asks for a card."""
        self.number += 1
        units = {
            PROTECTED: {"name": name, "nik": nik} | ({"kk": kk} if kk else {}),
            BIRTH: {"birth_date": born, "sex": "1"},
            GROUP: {"address": "Kota Gam", "rt": "001", "rw": "002", "village": VILLAGE},
        }
        record = self.van.take_in(self.number, **(units | more))
        self.office.sync(self.van)
        return record

    def asks(self, service: str, name: str, nik: str) -> bytes:
        """Somebody asks for something else."""
        self.number += 1
        form = catalogue().service(service)
        units = dict(form.units(example_answers(form), ()))
        units = {u: v for u, v in units.items() if form.unit(u).shape != "set"}
        units["card.identity"] = {"name": name, "nik": nik}
        body = Body(number=self.number, set=units)
        change = self.van.change("create", body, form=(service, form.edition))
        (entry,) = self.van.append([change])
        self.office.sync(self.van)
        return self.van.own_work_record(entry.seq)

    def shows(self, record: bytes, blob: bytes, kind: str) -> None:
        """A picture is put to a request."""
        self.van.edit(record, Body(attach=[Attached(PHOTO, blob, 4000, kind)]))
        self.office.sync(self.van)

    def scan(self) -> int:
        """Cases that a search opens."""
        return self.office.central.duplicates.scan(99).opened

    def cases(self, *records: bytes) -> list[Any]:
        """Open cases of duplicates about these requests."""
        found = self.office.central.duplicates.cases(self.office.people["tono"], limit=200)
        wanted = {record.hex() for record in records}
        return [line for line in found if wanted <= {*line.case.requests}]

    def status(self, record: bytes) -> tuple[str, str]:
        """(status, what it was joined to) of a request, found by its number as on the receipt."""
        with self.office.central.registry.read() as door:
            stands = door.record(record)
            assert stands is not None
            assert stands.code is not None
            assert door.record_by_code(*stands.code) == record
            return stands.status, stands.kept.hex()


def sees(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def test_a_slip_in_name_and_number_is_found_explained_linked_and_parted_again(office):
    town, people = Town(office, "Si Jola 1"), office.people
    one = town.comes("JAIDUN GAMLAMO", "8272030902090001", "2009-02-09", "8272031703090002")
    town.comes("FAHRI KAICILI", "8272031408090004", "2009-08-14")
    assert town.scan() == 0, "two people"
    two = town.comes("Djaidoen Gamlamo", "8272030902099001", "2009-09-02", "8272031703090002")
    assert town.scan() == 1
    assert town.scan() == 0, "once"
    (line,) = town.cases(one, two)
    assert line.probability > 0.9
    sheet = office.central.duplicates.show(people["rina"], line.case.id)
    said = " ".join(sheet.reasons)
    assert "Nama: sama bunyinya" in said
    assert "Tanggal lahir: hari dan bulan tertukar" in said
    assert "JAIDUN" not in sheet.case.note.upper(), "levels, never values"
    english = office.central.duplicates.show(people["rina"], line.case.id, "en")
    assert any(text.startswith("Name: sounds the same") for text in english.reasons)
    central = office.central
    central.casework.resolve(
        people["rina"], line.case.id, "link", "orang yang sama", sees(office), value=two.hex()
    )
    assert town.status(one) == ("merged", two.hex())
    assert town.status(two)[0] == "received"
    asked = central.duplicates.unlink(people["tono"], one.hex(), "ternyata dua orang", sees(office))
    assert asked.state == "waiting"
    assert town.status(one)[0] == "merged", "not before the second person"
    central.casework.confirm(people["wati"], one.hex(), sees(office))
    assert town.status(one) == ("received", "")
    assert town.scan() == 0, "people have said that it is another one"
    with central.registry.read() as door:
        kept = door.record(two)
        assert kept is not None
        assert kept.links == []
    trail = [action for _, action in office.trail()]
    assert {"duplicate.found", "case.decide", "request.unlink"} <= {*trail}
    office.sync(town.van)
    view = town.van.look(one)
    assert view is not None
    assert view.status == "received", "the laptop follows"


def test_a_pair_that_is_kept_apart_is_put_again_only_when_it_agrees_otherwise(office):
    town, people = Town(office, "Si Jola 2"), office.people
    one = town.comes("RIFAT SOASANGAJI", "8272031209090001", "2009-09-12", "8272030608120003")
    two = town.comes("RIFAD SOASANGAJI", "8272031209090101", "2009-09-12", "8272030608120003")
    assert town.scan() == 1
    (line,) = town.cases(one, two)
    office.central.casework.resolve(
        people["rina"], line.case.id, "separate", "saudara", sees(office)
    )
    town.van.edit(two, Body(set={"applicant.phone": "+6281240009911"}))
    office.sync(town.van)
    assert town.scan() == 0, "a telephone number says nothing new"
    office.sync(town.van)
    same = {"name": "RIFAT SOASANGAJI", "nik": "8272031209090101", "kk": "8272030608120003"}
    town.van.edit(two, Body(set={PROTECTED: same}))
    office.sync(town.van)
    assert town.scan() == 1, "the same name does"


def test_people_link_by_hand_what_no_rule_finds_and_never_what_is_another_matter(office):
    town, people = Town(office, "Si Jola 3"), office.people
    one = town.comes("WAWAN DRAKEL", "8272030101090011", "2009-01-01")
    two = town.comes("IRWANSYAH", "8272072306090017", "2009-06-23")
    assert town.scan() == 0
    link = office.central.duplicates.link
    with pytest.raises(Problem) as refused:
        link(people["siak"], one.hex(), two.hex(), "sama", sees(office))
    assert refused.value.code == "auth.forbidden"
    with pytest.raises(Problem) as refused:
        link(people["rina"], one.hex(), one.hex(), "sama", sees(office))
    assert refused.value.code == "duplicate.other_matter"
    with pytest.raises(Problem) as refused:
        link(people["rina"], one.hex(), two.hex(), "sama", 1)
    assert refused.value.code == "request.changed"
    assert town.cases(one, two) == [], "a refusal leaves nothing"
    link(people["rina"], one.hex(), two.hex(), "warga datang sendiri", sees(office))
    assert town.status(two) == ("merged", one.hex())
    three = town.comes("IRWAN", "8272072306090018", "2009-06-23")
    link(people["rina"], two.hex(), three.hex(), "juga dia", sees(office), keep=two.hex())
    assert town.status(three) == ("merged", one.hex()), "joined to what goes on, not to what ended"


def test_a_chunk_that_somebody_else_looked_at_meanwhile_counts_once(office, monkeypatch):
    town = Town(office, "Si Jola 4")
    town.comes("HAMSA TOMAGOLA", "8272031105090021", "2009-05-11", "8272030303030001")
    town.scan()
    town.comes("HAMZAH TOMAGOLA", "8272031105099021", "2009-05-11", "8272030303030001")
    duplicates = office.central.duplicates
    looked: list[int] = []
    whole = type(duplicates)._open

    def meanwhile(self: Any, door: Any, pair: Any) -> bool:
        looked.append(1)
        return whole(self, door, pair)

    monkeypatch.setattr(type(duplicates), "_open", meanwhile)
    with office.central.registry.read() as door:
        before = door.match_mark()
    assert duplicates.scan(99).opened == 1
    with office.central.registry.write() as door:
        door.keep_match_mark(before)  # as another process that was as far
    assert duplicates.scan(99).opened == 0
    assert looked == [1, 1]


def test_what_is_over_leaves_the_index(office):
    town, people = Town(office, "Si Jola 5"), office.people
    one = town.comes("BADAR ALTING", "8272030512090031", "2009-12-05")
    town.scan()
    with office.central.registry.read() as door:
        assert door.match_known([one])
    central = office.central
    central.casework.reject(people["rina"], one.hex(), "NOT_ELIGIBLE", "", sees(office))
    central.casework.confirm(people["tono"], one.hex(), sees(office))
    town.scan()
    with office.central.registry.read() as door:
        assert not door.match_known([one])
    town.comes("BADAR ALTING", "8272030512099031", "2009-12-05")
    assert town.scan() == 0


def test_pairs_are_listed_opened_joined_and_parted_over_json_and_on_the_terminal(office):
    town = Town(office, "Si Jola 6")
    one = town.comes("SALASA MARSAOLY", "8272030107090041", "2009-07-11", "8272030909090001")
    two = town.comes("SALASSA MARSAOLY", "8272030107099041", "2009-07-11", "8272030909090001")
    assert town.scan() == 1
    pairs = office.get("rina", "/v1/duplicates").json()["cases"]
    (line,) = [p for p in pairs if {one.hex(), two.hex()} <= {*p["case"]["requests"]}]
    sheet = office.get("rina", f"/v1/duplicates/{line['case']['id']}").json()
    assert sheet["probability"] == pytest.approx(line["probability"])
    assert sheet["reasons"]
    printed = CliRunner().invoke(
        app,
        ["duplicates", "show", line["case"]["id"], *central_options(office)],
    )
    assert printed.exit_code == 0, printed.output
    assert "Nama: " in printed.output
    body = {"seen": sheet["case"]["seen"], "one": one.hex(), "other": two.hex(), "reason": "sama"}
    assert office.post("siak", "/v1/duplicates/link", body).status_code == 403
    joined = office.post("rina", "/v1/duplicates/link", body)
    assert joined.status_code == 200, joined.text
    parted = {"seen": joined.json()["seen"], "reason": "keliru"}
    asked = office.post("tono", f"/v1/requests/{two.hex()}/unlink", parted)
    assert asked.json()["state"] == "waiting"
    body = {"seen": asked.json()["seen"]}
    assert office.post("wati", f"/v1/requests/{two.hex()}/confirm", body).status_code == 200
    assert town.status(two) == ("received", "")


def central_options(office: Pusat) -> list[str]:
    """As Rina, at the folder of this office."""
    folder = office.central.place.folder
    secret = folder / "rina.txt"
    secret.write_text(PASSWORD + "\n")
    return ["--data", str(folder), "--as", "rina", "--password-file", str(secret)]


def test_a_pair_is_shown_side_by_side_with_every_part_that_was_weighed(office):
    town, people = Town(office, "Si Jola 7"), office.people
    one = town.comes("MUHLIS TOMAGOLA", "8272031806090051", "2009-06-18", "8272030707090001")
    two = town.comes("Moehlis TOMAGOLA", "8272031806099051", "2009-06-18", "8272030707090001")
    assert town.scan() == 1
    (line,) = town.cases(one, two)
    assert [request.id for request in line.requests] == [one.hex(), two.hex()]
    pair = office.central.duplicates.pair(people["rina"], line.case.id)
    assert pair.linkable
    parts = {part.what: part for part in pair.parts}
    assert parts["Nama"].how == "sama bunyinya"
    assert parts["Nama"].bits > 0
    assert parts["NIK"].how == "beda nomor urut saja"
    lines = {compared.key: compared for compared in pair.lines}
    names = lines["applicant.name"]
    assert (names.agree, names.answers) == ("differs", ["MUHLIS TOMAGOLA", "Moehlis TOMAGOLA"])
    assert lines["applicant.kk"].agree == "same"
    assert [request.code for request in pair.requests] == [r.code for r in line.requests]
    opened = [e for e in office.trail() if e == ("rina", "request.read")]
    assert len(opened) >= 2, "each request that is shown is opened"


def test_what_a_key_found_when_it_came_is_weighed_when_it_is_opened(office):
    town, people = Town(office, "Si Jola 8"), office.people
    one = town.comes("FARID SAMAN", "8272031907090061", "2009-07-19")
    two = town.comes("FARIED SAMAN", "8272031907090061", "2009-07-19")
    (line,) = town.cases(one, two)
    pair = office.central.duplicates.pair(people["rina"], line.case.id, "en")
    assert pair.probability == 0, "a rule found it, not a reckoning"
    assert pair.parts[0].how == "The same NIK for the same service"
    assert {part.what for part in pair.parts[1:]} >= {"Name", "NIK", "Date of birth"}
    assert all(part.bits > 0 for part in pair.parts[1:] if part.what == "NIK")


def test_two_requests_are_put_side_by_side_by_hand_once(office):
    town, people = Town(office, "Si Jola 9"), office.people
    one = town.comes("USMAN KONORA", "8272032001090071", "2009-01-20")
    two = town.comes("HERMAN", "8272072402090072", "2009-02-24")
    put = office.central.duplicates.put
    with pytest.raises(Problem) as refused:
        put(people["mata"], one.hex(), two.hex())
    assert refused.value.code == "auth.forbidden"
    with pytest.raises(Problem) as refused:
        put(people["rina"], one.hex(), one.hex())
    assert refused.value.code == "duplicate.other_matter"
    case = put(people["rina"], one.hex(), two.hex())
    assert put(people["yusuf"], two.hex(), one.hex()) == case, "not a second time"
    office.central.casework.resolve(people["rina"], case, "separate", "dua orang", sees(office))
    assert town.cases(one, two) == []


def test_one_nik_of_two_people_in_two_matters_is_put_before_people_and_never_joined(office):
    town, people = Town(office, "Si Jola 10"), office.people
    one = town.comes("RAHMAT HAMZAH", "8272032301090101", "2009-01-23")
    two = town.asks("ktp-reprint-lost", "SITI AMINAH DUWILA", "8272032301090101")
    assert town.scan() == 1
    assert town.scan() == 0, "once"
    found = office.central.duplicates.cases(people["rina"], kind="identity")
    (line,) = [c for c in found if {one.hex(), two.hex()} <= {*c.case.requests}]
    pair = office.central.duplicates.pair(people["rina"], line.case.id)
    assert not pair.linkable
    words = ["duplicates", "list", "--kind", "identity", *central_options(office)]
    assert line.case.id[:12] in CliRunner().invoke(app, words).output
    printed = CliRunner().invoke(
        app, ["duplicates", "show", line.case.id, *central_options(office)]
    )
    assert "NIK: sama" in printed.output
    assert [(p.what, p.how) for p in pair.parts][:2] == [("NIK", "sama"), ("Nama", "berbeda")]
    resolve = office.central.casework.resolve
    with pytest.raises(Problem) as refused:
        resolve(people["rina"], line.case.id, "link", "sama", sees(office))
    assert refused.value.code == "case.choice"
    with pytest.raises(Problem) as refused:
        office.central.casework.accept(people["rina"], two.hex(), sees(office), ON_PAPER)
    assert refused.value.code == "request.case_open"
    resolve(people["rina"], line.case.id, "noted", "NIK milik Rahmat", sees(office))
    town.van.edit(two, Body(set={"applicant.phone": "+6281240009912"}))
    office.sync(town.van)
    assert town.scan() == 0, "looked into once"
    office.sync(town.van)
    told = [n.kind for n in town.van.notices if n.record in (one, two)]
    assert "duplicate" not in told, "no laptop is told that somebody asked twice"


def test_one_portrait_of_two_people_is_put_before_people(office):
    town, people = Town(office, "Si Jola 11"), office.people
    blob = bytes(range(32))
    one = town.comes("ARSAD KAPITA", "8272031104090111", "2009-04-11")
    two = town.comes("WULAN SARI", "8272036512090112", "2009-12-25")
    for record in (one, two):
        town.shows(record, blob, "portrait")
    assert town.scan() == 1
    found = office.central.duplicates.cases(people["rina"], kind="identity")
    (line,) = [c for c in found if {one.hex(), two.hex()} <= {*c.case.requests}]
    pair = office.central.duplicates.pair(people["rina"], line.case.id, "en")
    assert [(p.what, p.how) for p in pair.parts] == [("Portrait", "the same")]


def test_a_pair_across_areas_is_for_who_works_for_both(office):
    town, people = Town(office, "Si Jola 12"), office.people
    away = {GROUP: {"address": "Kota Gam", "rt": "001", "rw": "002", "village": OTHER_VILLAGE}}
    one = town.comes("NURAINI SAMAD", "8272034102090121", "2009-02-01", "8272030101010121")
    two = town.comes("NUR AINI SAMAD", "8272034102099121", "2009-02-01", "8272030101010121", **away)
    assert town.scan() == 1
    staff, duplicates = office.central.staff, office.central.duplicates
    (line,) = town.cases(one, two)
    try:
        for places in ([VILLAGE], [OTHER_VILLAGE]):
            me = staff.place(people["admin"], "yusuf", places)
            assert line.case.id not in {c.case.id for c in duplicates.cases(me, limit=200)}
            with pytest.raises(Problem, match=r"case\.area"):
                duplicates.pair(me, line.case.id)
            with pytest.raises(Problem, match=r"case\.area"):
                office.central.casework.resolve(
                    me, line.case.id, "separate", "dua orang", sees(office)
                )
        me = staff.place(people["admin"], "yusuf", [VILLAGE, OTHER_VILLAGE])
        assert line.case.id in {c.case.id for c in duplicates.cases(me, limit=200)}
        assert len(duplicates.pair(me, line.case.id).requests) == 2
    finally:
        staff.place(people["admin"], "yusuf", [])
