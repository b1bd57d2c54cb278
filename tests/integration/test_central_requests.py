"""Staff and requests at central, through the real application: HTTP in, database, HTTP out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import text as sql

from models.changes import Body
from models.problems import Problem
from tests.pusat import FREE, NOW, ON_PAPER, Pusat, Van, pusat


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


def one_request(office: Pusat) -> tuple[Van, str]:
    van = office.van("Si Jola 1")
    record = van.take_in()
    office.sync(van)
    return van, record.hex()


def status_of(office: Pusat, name: str) -> str:
    with office.central.registry.read() as door:
        record = door.record(bytes.fromhex(name))
        assert record is not None
        return record.status


def code(answer) -> str:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    return answer.json()["code"]


def test_a_request_taken_in_by_a_van_is_listed_opened_and_accepted(office):
    _, name = one_request(office)
    (line,) = office.get("rina", "/v1/requests").json()["requests"]
    assert (line["id"], line["status"], line["cases"]) == (name, "received", 0)
    sheet = office.get("rina", f"/v1/requests/{line['code']}").json()
    assert sheet["id"] == name
    assert sheet["office"] == "Si Jola 1"
    assert "take" in sheet["actions"]
    assert sheet["history"][0]["who"] == "Sari"
    done = office.post(
        "rina", f"/v1/requests/{name}/accept", {"seen": sheet["seen"], "reason": ON_PAPER}
    )
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "verified"
    assert status_of(office, name) == "verified"


def test_the_list_can_be_searched_and_paged(office):
    van = office.van("Si Jola 1")
    records = [van.take_in(number).hex() for number in (1, 2, 3)]
    office.sync(van)
    first = office.get("rina", "/v1/requests", limit=2).json()["requests"]
    rest = office.get("rina", "/v1/requests", limit=2, after=first[-1]["id"]).json()["requests"]
    assert [line["id"] for line in (*first, *rest)] == records
    wanted = {"text": first[0]["nik"], "limit": 10}
    found = office.post("rina", "/v1/requests/search", wanted).json()["requests"]
    assert len(found) == 3
    assert office.post("rina", "/v1/requests/search", {"text": "zzz"}).json()["requests"] == []
    assert office.get("rina", "/v1/requests", status="verified").json()["requests"] == []
    assert code(office.get("rina", "/v1/requests", limit=0)) == "api.malformed"


def test_what_moved_meanwhile_is_shown_again_and_not_decided(office):
    van, name = one_request(office)
    seen = office.seen("rina", f"/v1/requests/{name}")
    van.edit(bytes.fromhex(name), Body(set={FREE: "081200000001"}))
    office.sync(van)
    before = office.trail()
    stale = office.post("rina", f"/v1/requests/{name}/accept", {"seen": seen, "reason": ON_PAPER})
    assert (stale.status_code, code(stale)) == (409, "request.changed")
    assert status_of(office, name) == "received"
    assert office.trail() == before, "what did not happen is not in the trail"
    again = office.seen("rina", f"/v1/requests/{name}")
    assert (
        office.post(
            "rina", f"/v1/requests/{name}/accept", {"seen": again, "reason": ON_PAPER}
        ).status_code
        == 200
    )


def test_nobody_decides_about_what_cannot_have_been_on_the_screen(office):
    _, name = one_request(office)
    answer = office.post(
        "rina", f"/v1/requests/{name}/accept", {"seen": 10**12, "reason": ON_PAPER}
    )
    assert code(answer) == "request.changed"
    assert status_of(office, name) == "received"


def test_the_same_decision_twice_is_made_once(office):
    _, name = one_request(office)
    seen = office.seen("rina", f"/v1/requests/{name}")
    assert (
        office.post(
            "rina", f"/v1/requests/{name}/accept", {"seen": seen, "reason": ON_PAPER}
        ).status_code
        == 200
    )
    again = office.post("yusuf", f"/v1/requests/{name}/accept", {"seen": seen, "reason": ON_PAPER})
    assert code(again) == "request.changed"


@pytest.mark.parametrize("login", ["admin", "siak", "mata"])
def test_a_role_without_the_right_is_refused(office, login):
    _, name = one_request(office)
    seen = office.seen("rina", f"/v1/requests/{name}")
    answer = office.post(login, f"/v1/requests/{name}/accept", {"seen": seen, "reason": ON_PAPER})
    assert (answer.status_code, code(answer)) == (403, "lifecycle.not_your_role")
    assert status_of(office, name) == "received"


def test_an_admin_may_not_read_citizens_requests(office):
    _, name = one_request(office)
    assert code(office.get("admin", "/v1/requests")) == "auth.forbidden"
    assert code(office.get("admin", f"/v1/requests/{name}")) == "auth.forbidden"


def test_a_return_reaches_its_author_with_reason_and_name(office):
    van, name = one_request(office)
    seen = office.seen("rina", f"/v1/requests/{name}")
    wrong = office.post("rina", f"/v1/requests/{name}/return", {"seen": seen, "code": "BECAUSE"})
    assert code(wrong) == "reason.unknown"
    body = {"seen": seen, "code": "DOC_UNREADABLE", "text": "KK halaman 2"}
    assert office.post("rina", f"/v1/requests/{name}/return", body).json()["status"] == (
        "needs_correction"
    )
    office.sync(van)
    told = [n for n in van.notices if n.kind == "status" and n.take == "return"]
    assert [(n.record.hex(), n.value, n.reason, n.by) for n in told] == [
        (name, "needs_correction", "DOC_UNREADABLE: KK halaman 2", "Rina (rina)")
    ]


def rejected(office: Pusat, name: str, login: str = "rina") -> dict:
    seen = office.seen(login, f"/v1/requests/{name}")
    body = {"seen": seen, "code": "NOT_ELIGIBLE"}
    answer = office.post(login, f"/v1/requests/{name}/reject", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def confirm(office: Pusat, login: str, name: str, **more):
    seen = office.seen("mata", f"/v1/requests/{name}")
    return office.post(login, f"/v1/requests/{name}/confirm", {"seen": seen, **more})


def test_a_rejection_needs_four_eyes_and_a_supervisor(office):
    _, name = one_request(office)
    assert rejected(office, name)["state"] == "waiting"
    assert status_of(office, name) == "in_verification"
    waiting = office.get("tono", f"/v1/requests/{name}").json()["waiting"]
    assert (waiting["action"], waiting["by"]) == ("reject", "Rina (rina)")
    assert code(confirm(office, "rina", name)) == "lifecycle.same_person"
    assert code(confirm(office, "yusuf", name)) == "auth.forbidden"
    assert status_of(office, name) == "in_verification"
    assert confirm(office, "tono", name).json()["status"] == "rejected"
    event = office.get("tono", f"/v1/requests/{name}").json()["history"][-1]
    assert (event["what"], event["who"]) == ("reject", "Rina (rina) + Tono (tono)")
    assert code(confirm(office, "tono", name)) == "request.nothing_waits"


def test_a_supervisor_who_proposed_cannot_confirm_alone(office):
    _, name = one_request(office)
    rejected(office, name, "tono")
    assert code(confirm(office, "tono", name)) == "lifecycle.same_person"
    assert confirm(office, "wati", name).json()["status"] == "rejected"


def test_a_second_person_can_let_the_step_drop(office):
    _, name = one_request(office)
    rejected(office, name)
    assert confirm(office, "tono", name, agree=False).json()["status"] == "in_verification"
    assert office.get("tono", f"/v1/requests/{name}").json()["waiting"] is None


def test_a_step_that_waits_is_void_once_the_request_went_elsewhere(office):
    _, name = one_request(office)
    rejected(office, name)
    seen = office.seen("rina", f"/v1/requests/{name}")
    assert (
        office.post(
            "rina", f"/v1/requests/{name}/accept", {"seen": seen, "reason": ON_PAPER}
        ).status_code
        == 200
    )
    assert code(confirm(office, "tono", name)) == "request.nothing_waits"
    assert status_of(office, name) == "verified"


def test_later_steps_go_by_role_and_road(office):
    _, name = one_request(office)
    path = f"/v1/requests/{name}"
    office.post("rina", f"{path}/accept", {"seen": office.seen("rina", path), "reason": ON_PAPER})

    def step(login, action, reason=""):
        body = {"seen": office.seen("mata", path), "action": action, "reason": reason}
        return office.post(login, f"{path}/advance", body)

    assert code(step("rina", "enrol")) == "lifecycle.not_your_role"
    assert code(step("rina", "stamp")) == "lifecycle.wrong_road"
    assert code(step("siak", "centre_ok")) == "lifecycle.no_such_move"
    assert code(step("tono", "reopen")) == "reason.required"
    assert code(step("siak", "nothing_like_it")) == "lifecycle.no_such_move"
    for action in ("add_to_batch", "close_batch", "drop", "print", "spoil", "dispatch"):
        assert code(step("siak", action, "x")) == "lifecycle.wrong_place", "batches and stock do it"
    assert step("tono", "reopen", "salah baca").json()["status"] == "in_verification"
    for action, place in (
        ("join", "Berkas ganda"),
        ("return", "alasan dari daftar"),
        ("reject", "daftar"),
    ):
        refused = step("rina", action, "begitulah")
        assert code(refused) == "lifecycle.wrong_place", (
            "it needs a partner, or a reason of the list"
        )
        assert place in refused.text
    assert status_of(office, name) == "in_verification"
    office.post("rina", f"{path}/accept", {"seen": office.seen("rina", path), "reason": ON_PAPER})
    assert status_of(office, name) == "verified"
    assert step("siak", "enrol").json()["status"] == "waiting_centre"


def test_every_action_and_every_look_leaves_one_entry(office):
    _, name = one_request(office)
    path = f"/v1/requests/{name}"
    office.token("rina")
    before = len(office.trail())
    office.get("rina", "/v1/requests")
    seen = office.seen("rina", path)
    office.post("rina", f"{path}/accept", {"seen": seen, "reason": ON_PAPER})
    assert office.trail()[before:] == [
        ("rina", "request.list"),
        ("rina", "request.read"),
        ("rina", "request.take"),
        ("rina", "request.approve"),
    ]
    before = len(office.trail())
    assert office.get("rina", "/v1/requests/ffffffffffffffff").status_code == 404
    assert len(office.trail()) == before


def test_the_trail_holds_no_citizens_data(office):
    _, name = one_request(office)
    (line,) = office.get("rina", "/v1/requests").json()["requests"]
    for text in (line["nik"], line["name"]):
        found = office.post("rina", "/v1/requests/search", {"text": text}).json()["requests"]
        assert line in found
    rejected(office, name)
    with office.central.registry.read() as door:
        written = "".join(str(entry) for entry in door.trail(limit=1000))
    assert line["name"] not in written
    assert line["nik"] not in written


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0" * 32, "request.unknown"),
        ("deadbeef", "request.unknown"),
        ("0000-0000-00", "request.unknown"),
        ("0000-0000-01", "code.mistyped"),
        ("!", "code.symbol"),
        ("AB", "code.length"),
    ],
)
def test_a_name_that_leads_nowhere_says_why(office, name, expected):
    assert code(office.get("rina", f"/v1/requests/{name}")) == expected


def test_words_come_in_the_readers_language(office):
    for language, word in (("id", "Masuk"), ("en-GB,en;q=0.8", "Sign in")):
        answer = office.client.get("/v1/requests", headers={"Accept-Language": language})
        assert word in answer.json()["detail"]
        assert answer.headers["www-authenticate"] == "Bearer"


def test_wrong_passwords_lock_for_a_while_and_are_recorded(office):
    def sign_in(password, login="rina"):
        return office.client.post("/v1/sign-in", json={"login": login, "password": password})

    with office.central.registry.read() as door:
        kept = door.person("rina")
    assert kept is not None
    assert kept.secret.startswith("$argon2id$v=19$"), "of the password nothing but its hash is kept"
    for _ in range(5):
        assert code(sign_in("salah salah salah")) == "auth.wrong"
    locked = sign_in("kata-sandi-uji")
    assert (locked.status_code, code(locked)) == (429, "auth.locked")
    assert locked.headers["retry-after"] == "300"
    office.clock.at += 301
    assert sign_in("kata-sandi-uji").status_code == 200
    assert code(sign_in("kata-sandi-uji", "nobody")) == "auth.wrong"
    with office.central.registry.read() as door:
        told = [(e.target, e.detail) for e in door.trail() if e.action == "sign-in.refused"]
    counts = [(name, msgspec.json.decode(detail)["count"]) for name, detail in told]
    assert counts == [("rina", 1), ("rina", 5), ("", 1)]


class Guesser:
    """Tries passwords, from addresses of choice."""

    def __init__(self, office):
        self.keeper = office.central.doorkeeper
        self.clock = office.clock

    def __call__(self, login, address=""):
        try:
            self.keeper.check(login, "salah salah salah", address)
        except Problem as problem:
            return problem.code, problem.details
        raise AssertionError("it was right")


def test_a_name_that_nobody_has_answers_like_one_that_somebody_has(office):
    guess = Guesser(office)
    answers = {name: [guess(name) for _ in range(12)] for name in ("rina", "nobody")}
    assert answers["rina"] == answers["nobody"]
    assert answers["nobody"][4:6] == [("auth.wrong", {}), ("auth.locked", {"seconds": 300})]
    office.clock.at += 301
    assert guess("rina") == guess("nobody") == ("auth.wrong", {})


def test_one_address_cannot_try_many_names(office, monkeypatch):
    monkeypatch.setattr("server.auth.ADDRESS_TRIES", 2)
    guess = Guesser(office)
    tried = [guess(f"nobody{n}", "203.0.113.9")[0] for n in range(14)]
    assert tried == ["auth.wrong"] * 10 + ["auth.locked"] * 4
    assert guess("nobody200", "203.0.113.10")[0] == "auth.wrong"
    wide = [guess(f"nobody{n}", f"2001:db8:0:1::{n:x}")[0] for n in range(300, 314)]
    assert wide.count("auth.locked") == 4, "of IPv6 the whole network counts"
    assert office.central.doorkeeper.check("rina", "kata-sandi-uji").login == "rina"
    office.clock.at += 301
    assert guess("nobody300", "203.0.113.9")[0] == "auth.wrong"


def test_nobody_fills_the_trail_or_the_register_by_guessing(office):
    guess = Guesser(office)
    before = len(office.trail())
    for n in range(30):
        guess(f"nobody{n}")
    assert len(office.trail()) - before == 3, "the 1st, 5th and 25th"
    office.clock.at += 2 * 86400
    guess("nobody")
    with office.central.registry.read() as door:
        left = door.value(sql("select count(*) from attempts"))
    assert left == 2, "what was tried two days ago is forgotten"


def test_a_token_ends_by_time_by_signing_out_and_with_the_job(office):
    assert office.get("rina", "/v1/requests").status_code == 200
    office.clock.at = NOW + 601 * 60
    assert code(office.get("rina", "/v1/requests")) == "auth.again"
    office.tokens.clear()
    assert office.post("rina", "/v1/sign-out", {}).status_code == 200
    assert code(office.get("rina", "/v1/requests")) == "auth.again"
    assert office.get("yusuf", "/v1/requests").status_code == 200
    office.central.staff.close(office.people["admin"], "yusuf")
    assert code(office.get("yusuf", "/v1/requests")) == "auth.again"


def test_the_api_describes_itself(office):
    described = office.client.get("/schema/openapi.json").json()
    assert {"/v1/sync", "/v1/enrol", "/v1/health", "/v1/keys", "/v1/requests"} <= set(
        described["paths"]
    )
    for page in ("", "/swagger", "/redoc", "/elements", "/rapidoc"):
        drawn = office.client.get(f"/schema{page}")
        assert "<script" not in drawn.text, "no script from elsewhere where staff are signed in"
    assert office.client.get("/v1/health").json()["ready"] is True
