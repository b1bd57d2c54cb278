"""My own sign-in and the office's people, in the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from server import factor
from tests.integration.test_central_account import code_at
from tests.pusat import PASSWORD, Pusat
from tests.windows import OURS, Window, window, windows

NEW = "kata-sandi-baru"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("people")) as found:
        yield found


def hired(office: Pusat, login: str, role: str = "verifier") -> Window:
    """Somebody new, signed in: what a test does to them is nobody else's."""
    admin = window(office, "admin")
    admin.go("/people")
    admin.post("/people", login=login, name=login.title(), role=role, password=PASSWORD)
    return window(office, login)


def test_a_colleague_is_added_and_signs_in(office: Pusat) -> None:
    ani = hired(office, "ani")
    assert "Ani" in ani.text
    admin = window(office, "admin")
    admin.go("/people")
    admin.post("/people", 409, login="ani", name="Ani Lagi", role="verifier", password=PASSWORD)
    assert 'value="Ani Lagi"' in admin.page.text
    assert PASSWORD not in admin.page.text
    admin.go("/people")
    admin.post("/people", 422, login="budi", name="Budi", password=PASSWORD)


def test_who_is_no_admin_changes_nobody(office: Pusat) -> None:
    window(office, "rina").go("/people", 403)
    tono = window(office, "tono")
    tono.go("/people/rina")
    assert "Tutup akun" not in tono.text
    token = dict(tono.form("/sign-out").fields)["token"]
    for what in ("close", "roles", "area", "password", "reopen"):
        path, body = f"/people/rina/{what}", {"token": token, "password": NEW, "role": "admin"}
        assert tono._send("POST", path, data=body, headers=OURS).status_code == 403
    window(office, "rina").go("/me")


def test_roles_are_changed_at_once_and_an_admin_always_stays(office: Pusat) -> None:
    lestari = hired(office, "lestari", "courier")
    lestari.go("/disputes", 403)
    admin = window(office, "admin")
    admin.go("/people/lestari")
    admin.post("/people/lestari/roles", 422, role=[])
    drawn_before = admin.form("/people/lestari/roles")
    admin.post("/people/lestari/roles", role=["verifier", "courier"])
    assert "kurir, verifikator" in admin.text
    admin.send(drawn_before, 409)
    assert "sudah diubah orang lain" in admin.text
    lestari.go("/disputes")
    assert ("admin", "person.entrust") in office.trail()
    admin.go("/people/admin")
    admin.post("/people/admin/roles", 409, role=["supervisor"])
    assert "satu-satunya admin" in admin.text
    admin.post("/people/admin/close", 409)
    admin.go("/people")


def test_an_area_is_ticked_and_taken_away(office: Pusat) -> None:
    hired(office, "citra")
    admin = window(office, "admin")
    admin.go("/people/citra")
    admin.post("/people/citra/area", area=["82.72.03", "82.72.01.1001"])
    citra = window(office, "citra")
    citra.go("/me")
    assert "Oba" in citra.text
    form = admin.form("/people/citra/area")
    assert ("area", "82.72.03") in form.fields
    form.fields = [pair for pair in form.fields if pair[0] != "area"]
    admin.send(form)
    form.fields.append(("area", "82.72.03"))
    admin.send(form, 409)
    assert "seluruh kota" in citra.go("/me").text


def test_a_password_is_changed_by_its_owner(office: Pusat) -> None:
    dewi = hired(office, "dewi")
    dewi.go("/me")
    dewi.post("/me/password", 422, old=PASSWORD, new=NEW, again="lain-sekali-lagi")
    assert "tidak sama" in dewi.text
    dewi.post("/me/password", 422, old="salah-salah-salah", new=NEW, again=NEW)
    dewi.post("/me/password", old=PASSWORD, new=NEW, again=NEW)
    assert "Kata sandi diganti" in dewi.text
    Window(office).sign_in_refused("dewi", PASSWORD)
    Window(office).sign_in("dewi", NEW)


def test_two_steps_are_set_up_and_asked_for(office: Pusat) -> None:
    eka = hired(office, "eka")
    page = eka.go("/me/second")
    assert "data:image/svg+xml" in page.text
    secret = factor.from_text(str(dict(eka.form("/me/second").fields)["secret"]))
    eka.post("/me/second", 422, code="000000", password=PASSWORD)
    assert factor.from_text(str(dict(eka.form("/me/second").fields)["secret"])) == secret
    eka.post("/me/second", 422, code=code_at(office, secret), password="salah-salah-salah")
    eka.post("/me/second", code=code_at(office, secret), password=PASSWORD)
    assert "Mulai sekarang" in eka.text
    office.clock.at += 90
    Window(office).sign_in_refused("eka", PASSWORD)
    again = Window(office)
    again.go("/sign-in")
    again.post("/sign-in", login="eka", password=PASSWORD, code=code_at(office, secret))
    assert again.path == "/"
    again.go("/me")
    again.post("/me/second/end", 422, password="salah-salah-salah")
    again.post("/me/second/end", password=PASSWORD)
    Window(office).sign_in("eka")


def test_a_session_elsewhere_is_ended(office: Pusat) -> None:
    fitri = hired(office, "fitri")
    office.clock.at += 60
    here = window(office, "fitri")
    page = here.go("/me")
    (path,) = set(re.findall(r'action="(/me/sessions/\w+/end)"', page.text))
    here.post(path)
    fitri.go("/")
    assert fitri.path == "/sign-in"
    here.go("/me")
    assert "sesi ini" in here.text


def test_who_left_is_out_at_once(office: Pusat) -> None:
    gani = hired(office, "gani")
    admin = window(office, "admin")
    admin.go("/people/gani")
    admin.post("/people/gani/close")
    gani.go("/")
    assert gani.path == "/sign-in"
    Window(office).sign_in_refused("gani", PASSWORD)
    admin.go("/people/gani")
    admin.post("/people/gani/reopen", 422, reason=" ", password=NEW)
    admin.post("/people/gani/reopen", 422, reason="kembali dari cuti", password="pendek")
    assert 'value="kembali dari cuti"' in admin.page.text, "what was typed is kept"
    form = admin.form("/people/gani/reopen")
    admin.send(form, reason="kembali dari cuti", password=NEW)
    assert "dapat masuk lagi" in admin.text
    admin.send(form, 409, reason="sekali lagi", password=NEW)
    Window(office).sign_in_refused("gani", PASSWORD)
    Window(office).sign_in("gani", NEW)
    with office.central.registry.read() as door:
        (entry,) = [e for e in door.trail(target="gani") if e.action == "person.reopen"]
    assert "kembali dari cuti" in entry.detail
    admin.go("/audit?about=gani&action=person.reopen")
    assert "alasan: kembali dari cuti" in admin.text, "details are told in words"
