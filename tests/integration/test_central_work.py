"""The desk: the next request, claims that end by themselves, lists people keep. Both databases."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from models.problems import Problem
from server.cli import app
from server.database.tables import RecordRow
from server.database.work import table_of
from server.worklist import ASSIGN_MAX, CLAIM_SECONDS, Filter
from tests.pusat import PASSWORD, PROTECTED, Pusat, pusat


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    """One office for all of them, with five requests that nobody has yet."""
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        van = opened.van("Si Jola 1")
        opened.records = [  # type: ignore[attr-defined]
            van.take_in(n, **{PROTECTED: {"name": f"WARGA {n}", "nik": f"827203300309{n:04}"}})
            for n in range(1, 6)
        ]
        opened.sync(van)
        yield opened


@pytest.fixture(autouse=True)
def nobody_has_anything(office) -> None:
    """Each test begins when all claims have ended."""
    office.clock.at += 24 * 3600
    office.tokens.clear()


def names(office: Any) -> list[str]:
    return [record.hex() for record in office.records]


def taken(office: Pusat, login: str, **wanted: str) -> str:
    request = office.post(login, "/v1/work/next", wanted).json()["request"]
    return request["id"] if request else ""


def problem(answer: Any) -> str:
    return answer.json().get("code", answer.text)


def test_each_takes_the_oldest_that_nobody_has_and_keeps_it_until_it_ends(office):
    assert taken(office, "rina") == names(office)[0]
    assert taken(office, "yusuf") == names(office)[1], "another one"
    assert taken(office, "rina") == names(office)[0], "what is mine already"
    assert taken(office, "tono", service="birth") == "", "nothing of that service waits"
    office.clock.at += CLAIM_SECONDS + 1
    assert taken(office, "yusuf") == names(office)[0], "it ended by itself"
    assert problem(office.post("siak", "/v1/work/next", {})) == "auth.forbidden"


def test_a_claim_is_seen_released_and_taken_over(office):
    one = names(office)[2]
    path = f"/v1/requests/{one}"
    assert office.post("rina", f"{path}/claim", {}).json()["mine"]
    listed = office.get("yusuf", "/v1/work/list").json()["requests"]
    (held,) = [line["held"] for line in listed if line["request"]["id"] == one]
    assert (held["who"], held["mine"]) == ("Rina", False)
    refused = office.post("yusuf", f"{path}/claim", {})
    assert (problem(refused), "Rina" in refused.json()["detail"]) == ("claim.taken", True)
    office.post("yusuf", f"{path}/release", {})
    assert problem(office.post("yusuf", f"{path}/claim", {})) == "claim.taken", "not theirs to give"
    assert office.post("yusuf", f"{path}/claim", {"take_over": True}).status_code == 200
    assert problem(office.post("rina", f"{path}/claim", {})) == "claim.taken", "it was stolen"
    assert ("yusuf", "claim.take_over") in office.trail()
    office.post("yusuf", f"{path}/release", {})
    assert office.post("rina", f"{path}/claim", {}).status_code == 200


def test_a_supervisor_gives_many_at_once_all_or_none(office):
    some = names(office)
    body = {"requests": [*some, "00" * 16], "login": "yusuf"}
    assert problem(office.post("tono", "/v1/work/assign", body)) == "request.unknown"
    assert problem(office.post("rina", "/v1/work/assign", body)) == "auth.forbidden"
    listed = office.get("tono", "/v1/work/list").json()["requests"]
    assert all(line["held"] is None for line in listed), "none"
    body = {"requests": some, "login": "siak"}
    assert problem(office.post("tono", "/v1/work/assign", body)) == "claim.not_theirs"
    body = {"requests": some, "login": "yusuf"}
    staff, admin = office.central.staff, office.people["admin"]
    staff.place(admin, "yusuf", ["82.72.01"])
    answer = office.post("tono", "/v1/work/assign", body)
    staff.place(admin, "yusuf", [])
    assert problem(answer) == "claim.not_theirs", "he could not open them, and nobody else got them"
    assert office.post("tono", "/v1/work/assign", body).json() == {"n": 5}
    assert taken(office, "rina") == "", "all of them are his"
    assert taken(office, "yusuf") in some
    many = {"requests": ["00" * 16] * (ASSIGN_MAX + 1), "login": "yusuf"}
    assert office.post("tono", "/v1/work/assign", many).status_code >= 400


def test_who_takes_a_list_or_the_trail_holds_up_nobody(office, monkeypatch):
    """While its lines are read somebody writes, who would wait for as long as that takes."""
    registry, came = office.central.registry, []

    def write() -> None:
        with registry.write() as door:
            door.drop_old_sessions(0)
        came.append("written")

    def reading(room: Any, verb: str) -> None:
        real = getattr(room, verb)

        def read(*given: Any) -> Any:
            found = real(*given)
            other = Thread(target=write, daemon=True)
            other.start()
            other.join(60)
            came.append("read")
            return found

        monkeypatch.setattr(room, verb, read)

    reading(office.central.worklist, "_rows")
    assert len(office.central.worklist.export(office.people["rina"], Filter())) == 5
    assert came[:2] == ["written", "read"]
    came.clear()
    reading(office.central.trail, "_file")
    assert b"request.export" in office.central.trail.export(office.people["mata"])
    assert came == ["written", "read"]
    assert office.trail()[-1] == ("mata", "audit.export")


def test_queues_count_and_pages_go_on_after_the_last_line(office):
    queues = {q["status"]: q for q in office.get("rina", "/v1/work/queues").json()["queues"]}
    assert queues["received"]["n"] == 5
    assert queues["received"]["oldest_at"] > 0
    seen, after = [], ""
    for _ in range(3):
        page = office.get("rina", "/v1/work/list", limit=2, after=after).json()["requests"]
        seen += [line["request"]["id"] for line in page]
        after = seen[-1]
    assert seen == names(office)


def test_people_keep_lists_of_their_own(office):
    kept = {"name": "Perkara Oba", "filter": {"village": "82.72.03.2001", "cases": "without"}}
    assert office.post("rina", "/v1/work/filters", kept).status_code == 200
    assert office.get("yusuf", "/v1/work/filters").json()["filters"] == []
    folder = office.central.place.folder
    (folder / "rina.txt").write_text(PASSWORD + "\n")
    me = ["--data", str(folder), "--as", "rina", "--password-file", str(folder / "rina.txt")]
    shown = CliRunner().invoke(app, ["work", "list", "--filter", "Perkara Oba", *me])
    assert "WARGA 1" in shown.output, shown.output
    unknown = CliRunner().invoke(app, ["work", "list", "--filter", "tidak ada", *me])
    assert unknown.exit_code == 1
    office.post("rina", "/v1/work/filters", {"name": "Perkara Oba", "filter": {"cases": "with"}})
    (one,) = office.get("rina", "/v1/work/filters").json()["filters"]
    assert one["filter"]["cases"] == "with", "in the place of the one before"
    assert office.post("rina", "/v1/work/filters/forget", {"name": "Perkara Oba"}).json() == {
        "filters": []
    }
    assert problem(office.post("rina", "/v1/work/filters", {"name": " "})) == "work.filter_name"


def test_lists_by_holder_age_order_and_area_are_the_same_on_both_databases(office):
    work, clock = office.central.worklist, office.clock
    rina, tono, admin = (office.people[login] for login in ("rina", "tono", "admin"))

    def listed(me=rina, **wanted: str) -> list[str]:
        return [one.request.id for one in work.lines(me, Filter(**wanted), clocked=True)]

    everything = names(office)
    assert listed() == everything
    assert listed(order="newest") == everything[::-1]
    assert [one.request.id for one in work.lines(rina, Filter(order="newest"), after=everything[3])]
    assert listed(village="82.72.03") == everything
    assert listed(village="82.72.01") == []
    assert work.assign(tono, everything[:2], "rina") == 2
    assert listed(held="mine") == everything[:2]
    assert {one.request.id for one in work.mine(rina)} == {*everything[:2]}
    assert listed(tono, held="mine") == []
    assert listed(tono, held="taken") == everything[:2]
    assert listed(held="free") == everything[2:]
    assert work.assign_all(tono, Filter(held="free"), "yusuf") == 3
    assert listed(held="free") == []
    office.central.reports.follow(9)
    clock.at += 30 * 24 * 3600
    assert listed(age="late") == sorted(everything), "due at one moment"
    assert {queue.status: queue.late for queue in work.queues(rina)}["received"] == 5
    late = work.lines(rina, Filter(age="late"), clocked=True)[0]
    assert late.clock is not None
    assert late.clock.bucket == "late"
    assert len(work.export(rina, Filter(status="received"))) == 5
    work.assign(tono, names(office)[:2], "yusuf")
    somewhere = office.central.staff.place(admin, "yusuf", ["82.72.01"])
    assert listed(somewhere) == []
    assert work.export(somewhere, Filter()) == []
    assert work.assign_all(tono, Filter(village="82.72.01"), "rina") == 0
    assert work.mine(somewhere) == []
    assert work.next(somewhere).request is None, "not even what was given before"
    assert len(work.mine(office.people["yusuf"])) == 2
    office.central.staff.place(admin, "yusuf", [])


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("warga", [4, 3, 2, 1, 0]),
        ("WAR 3", [2]),
        ("8272033003090002", [1]),
        ("arga", []),
    ],
)
def test_somebody_is_found_by_nik_or_words_of_the_name(office, text, places):
    found = office.central.worklist.search(office.people["rina"], text)
    assert [one.request.id for one in found] == [names(office)[place] for place in places]


def test_five_thousand_rows_are_one_piece_of_work_and_one_more_is_none(office):
    """The last one here: it leaves the rows behind."""
    work, tono = office.central.worklist, office.people["tono"]
    records = table_of(RecordRow)
    with office.central.registry.write() as door:
        plain = dict(door.one(select(records))._mapping) | {"block": None, "number": None}
        more = [
            plain | {"id": n.to_bytes(16, "big")} for n in range(len(names(office)), ASSIGN_MAX)
        ]
        door.insert(records, more)
    everything = [*names(office), *(one["id"].hex() for one in more)]
    assert work.assign(tono, everything, "rina") == ASSIGN_MAX
    assert work.assign_all(tono, Filter(), "yusuf") == ASSIGN_MAX, (
        "as a whole list, to somebody else"
    )
    with office.central.registry.write() as door:
        assert len(door.claims_of("yusuf", office.clock.at)) == ASSIGN_MAX
        assert door.claims_of("rina", office.clock.at) == []
        door.insert(records, [plain | {"id": b"\xff" * 16}])
    with pytest.raises(Problem, match=r"work\.too_many"):
        work.assign_all(tono, Filter(), "rina")
    with office.central.registry.read() as door:
        assert door.claims_of("rina", office.clock.at) == [], "all or none"
