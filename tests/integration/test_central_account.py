"""Everybody's own sign-in: sessions, password, second factor; and where somebody works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from typer.testing import CliRunner

from models.problems import Problem
from server import factor
from server.auth import areas, sees
from server.cli import app
from server.jobs import Jobs
from tests.pusat import PASSWORD, Pusat, pusat

NEW = "kata-sandi-baru"


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with pusat(tmp_path_factory.mktemp("account")) as found:
        yield found


def code_at(office: Pusat, secret: bytes) -> str:
    step = office.clock.at // factor.STEP_SECONDS
    made = TOTP(secret, factor.DIGITS, SHA1(), factor.STEP_SECONDS)
    return made.generate(step * factor.STEP_SECONDS).decode()


def refusal(office: Pusat, login: str, password: str, **more: str) -> str:
    with pytest.raises(Problem) as refused:
        office.central.doorkeeper.sign_in(login, password, **more)
    return refused.value.code


def test_digits_are_asked_for_from_who_chose_so(office: Pusat) -> None:
    account, rina = office.central.account, office.people["rina"]
    secret = account.new_secret()
    with pytest.raises(Problem, match=r"auth\.code_new"):
        account.begin_second(rina, secret, "000000", PASSWORD)
    account.begin_second(rina, secret, code_at(office, secret), PASSWORD)
    office.clock.at += 90
    assert refusal(office, "rina", PASSWORD) == "auth.code"
    assert refusal(office, "rina", PASSWORD, code="000000") == "auth.code"
    code = code_at(office, secret)
    assert refusal(office, "rina", "salah-salah-salah", code=code) == "auth.wrong"
    office.central.doorkeeper.sign_in("rina", PASSWORD, code=code)
    assert refusal(office, "rina", PASSWORD, code=code) == "auth.code"  # good once
    office.clock.at += 90
    body = {"login": "rina", "password": PASSWORD, "code": code_at(office, secret)}
    assert office.client.post("/v1/sign-in", json=body).status_code == 200
    account.end_second(rina, PASSWORD)
    office.central.doorkeeper.sign_in("rina", PASSWORD)


def test_a_telephone_is_replaced_only_by_who_knows_the_password(office: Pusat) -> None:
    account, rina = office.central.account, office.people["rina"]
    old, new = account.new_secret(), account.new_secret()
    account.begin_second(rina, old, code_at(office, old), PASSWORD)
    for digits, password, code in (
        (code_at(office, new), "salah-salah-salah", r"auth\.wrong"),
        (code_at(office, new), "", r"auth\.wrong"),
        ("000000", PASSWORD, r"auth\.code_new"),
    ):
        with pytest.raises(Problem, match=code):
            account.begin_second(rina, new, digits, password)
    office.clock.at += 90
    assert refusal(office, "rina", PASSWORD, code=code_at(office, new)) == "auth.code"
    office.central.doorkeeper.sign_in("rina", PASSWORD, code=code_at(office, old))
    account.begin_second(rina, new, code_at(office, new), PASSWORD)
    office.clock.at += 90
    assert refusal(office, "rina", PASSWORD, code=code_at(office, old)) == "auth.code"
    office.central.doorkeeper.sign_in("rina", PASSWORD, code=code_at(office, new))


def test_wrong_digits_lock_like_wrong_passwords(office: Pusat) -> None:
    account, rina = office.central.account, office.people["rina"]
    secret = account.new_secret()
    account.begin_second(rina, secret, code_at(office, secret), PASSWORD)
    for _ in range(office.central.settings.password_tries):
        assert refusal(office, "rina", PASSWORD, code="000000") == "auth.code"
    assert refusal(office, "rina", PASSWORD, code="000000") == "auth.locked"


def test_a_session_is_ended_from_another(office: Pusat) -> None:
    doorkeeper, account = office.central.doorkeeper, office.central.account
    old = doorkeeper.sign_in("rina", PASSWORD, "10.0.0.7", agent="Firefox")
    office.clock.at += 100
    mine = doorkeeper.sign_in("rina", PASSWORD, "10.0.0.8")
    here, there = account.sessions(mine.person, mine.token)
    assert (here.mine, there.mine) == (True, False)
    assert (there.address, there.agent, there.begun) == ("10.0.0.7", "Firefox", here.begun - 100)
    account.end(mine.person, there.name)
    with pytest.raises(Problem, match=r"auth\.again"):
        doorkeeper.whoever(old.token)
    with pytest.raises(Problem, match=r"auth\.session"):
        account.end(office.people["yusuf"], here.name)
    assert doorkeeper.whoever(mine.token).login == "rina"


def test_when_a_session_was_used_is_kept_now_and_then(office: Pusat) -> None:
    doorkeeper, account = office.central.doorkeeper, office.central.account
    mine = doorkeeper.sign_in("rina", PASSWORD)
    office.clock.at += 60
    doorkeeper.whoever(mine.token)
    (one,) = account.sessions(mine.person, mine.token)
    assert one.used == one.begun
    office.clock.at += 3600
    doorkeeper.whoever(mine.token)
    (one,) = account.sessions(mine.person, mine.token)
    assert one.used == one.begun + 3660
    office.clock.at += 30 * 86_400
    other = doorkeeper.sign_in("rina", PASSWORD)
    Jobs(office.central).forget()
    with office.central.registry.read() as door:
        left = door.sessions_of("rina", 0)  # those that had run out, too
    assert [each.begun for each in left] == [office.clock.at]
    assert doorkeeper.whoever(other.token).login == "rina"


def test_a_new_password_ends_every_other_session(office: Pusat) -> None:
    doorkeeper, account = office.central.doorkeeper, office.central.account
    other = doorkeeper.sign_in("rina", PASSWORD)
    mine = doorkeeper.sign_in("rina", PASSWORD)
    with pytest.raises(Problem, match=r"auth\.wrong"):
        account.change_password(mine.person, "salah-salah-salah", NEW, mine.token)
    with pytest.raises(Problem, match=r"person\.password"):
        account.change_password(mine.person, PASSWORD, "pendek", mine.token)
    account.change_password(mine.person, PASSWORD, NEW, mine.token)
    assert doorkeeper.whoever(mine.token).login == "rina"
    with pytest.raises(Problem, match=r"auth\.again"):
        doorkeeper.whoever(other.token)
    assert refusal(office, "rina", PASSWORD) == "auth.wrong"
    doorkeeper.sign_in("rina", NEW)


def test_an_admin_helps_who_lost_password_and_telephone(office: Pusat) -> None:
    account, rina = office.central.account, office.people["rina"]
    secret = account.new_secret()
    account.begin_second(rina, secret, code_at(office, secret), PASSWORD)
    staff, admin = office.central.staff, office.people["admin"]
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        staff.renew(rina, "rina", NEW)
    staff.renew(admin, "rina", NEW)
    assert office.central.doorkeeper.sign_in("rina", NEW).person.second == b""
    assert ("admin", "person.renew") in office.trail()


def test_an_area_is_of_this_city(office: Pusat) -> None:
    staff, admin = office.central.staff, office.people["admin"]
    for wrong in ("82.72", "82.71.01", "82.72.99", "x"):
        with pytest.raises(Problem, match=r"person\.area"):
            staff.place(admin, "rina", [wrong])
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        staff.place(office.people["tono"], "rina", ["82.72.03"])
    rina = staff.place(admin, "rina", ["82.72.03", "82.72.01.1001", "82.72.03"])
    assert areas(rina) == ("82.72.01.1001", "82.72.03")
    assert sees(rina, "82.72.03.2001")
    assert sees(rina, "82.72.01.1001")
    assert not sees(rina, "82.72.01.1002")
    assert not sees(rina, "")
    assert sees(staff.place(admin, "rina", []), "82.72.01.1002")


def test_an_admin_places_and_renews_by_command(office: Pusat) -> None:
    folder = office.central.place.folder
    (folder / "mine.txt").write_text(PASSWORD + "\n")
    (folder / "new.txt").write_text(NEW + "\n")
    me = ["--data", str(folder), "--as", "admin", "--password-file", str(folder / "mine.txt")]

    def done(*words: str) -> int:
        return CliRunner().invoke(app, ["person", *words, *me]).exit_code

    assert done("place", "rina", "--village", "82.72.03", "--village", "82.72.01.1001") == 0
    with office.central.registry.read() as door:
        rina = door.person("rina")
    assert rina is not None
    assert areas(rina) == ("82.72.01.1001", "82.72.03")
    assert done("place", "rina", "--village", "82.71.01") == 1
    assert done("place", "nobody") == 1
    assert done("renew", "rina", "--new-password-file", str(folder / "new.txt")) == 0
    office.central.doorkeeper.sign_in("rina", NEW)
    assert done("place", "rina") == 0
