"""The frame of central's pages: who gets in, what a form has to bring, what leaves with a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pusat import Pusat
from tests.windows import OURS, window, windows


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pages")) as found:
        yield found


def test_nobody_sees_anything_before_signing_in(office: Pusat) -> None:
    rina = window(office)
    rina.go("/help?part=keys")
    assert rina.path == "/sign-in"
    assert "Rina" not in rina.text
    rina.post("/sign-in", login="rina", password="kata-sandi-uji")
    assert (rina.path, rina.page.url.query) == ("/help", b"part=keys")
    assert "Rina" in rina.text


def test_a_wrong_password_is_told_and_the_name_kept(office: Pusat) -> None:
    rina = window(office)
    rina.go("/sign-in")
    rina.post("/sign-in", 422, login="rina", password="salah-salah-salah")
    assert "tidak cocok" in rina.text
    assert 'value="rina"' in rina.page.text
    assert "salah-salah" not in rina.page.text


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(office: Pusat, wanted: str) -> None:
    rina = window(office)
    rina.go("/sign-in")
    rina.post("/sign-in", login="rina", password="kata-sandi-uji", next=wanted)
    assert rina.path == "/"


def test_signing_out_ends_the_session_itself(office: Pusat) -> None:
    rina = window(office, "rina")
    kept = dict(rina.cookies)
    rina.post("/sign-out")
    assert "pusat" not in rina.cookies
    rina.cookies = kept
    rina.go("/")
    assert rina.path == "/sign-in"
    assert "Waktu masuk sudah habis" in rina.text


def test_a_form_without_its_token_changes_nothing(office: Pusat) -> None:
    rina = window(office, "rina")
    form = rina.form("/sign-out")
    form.put("token", "guessed")
    rina.send(form, 403)
    assert "tidak berasal dari halaman" in rina.text
    rina.go("/")
    assert rina.path == "/"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "null"}, {"Origin": "http://evil.example"},
     OURS | {"Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_a_form_of_another_site_changes_nothing(office: Pusat, headers: dict[str, str]) -> None:
    rina = window(office, "rina")
    form = rina.form("/sign-out")
    kept = {"Cookie": f"pusat={rina.cookies['pusat']}"}
    answer = office.client.post("/sign-out", data=form.fields_as_dict(), headers=headers | kept)
    assert answer.status_code == 403
    rina.go("/")
    assert rina.path == "/"


def test_a_page_may_load_nothing_from_elsewhere_and_is_not_kept(office: Pusat) -> None:
    page = window(office, "rina").go("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "://" not in page.text.replace("http://www.w3.org", "")


def test_the_session_cookie_is_for_this_browser_alone(office: Pusat) -> None:
    answer = office.client.post(
        "/sign-in", data={"login": "rina", "password": "kata-sandi-uji"}, headers=OURS,
        follow_redirects=False,
    )  # fmt: skip
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # plain http on a desk of the tests
    office.client.cookies.clear()


def test_over_tls_the_cookie_is_secure_and_bound_to_its_host(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("tls")
    with windows(folder, public_url="https://pusat.tidore.example") as office:
        answer = office.client.post(
            "/sign-in", data={"login": "rina", "password": "kata-sandi-uji"},
            headers={"Origin": "https://pusat.tidore.example"}, follow_redirects=False,
        )  # fmt: skip
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-pusat=")
    assert "Secure" in cookie


def test_what_is_not_there_is_a_page_with_words(office: Pusat) -> None:
    rina = window(office, "rina")
    rina.go("/nothing", 404)
    assert "Alamat ini tidak ada" in rina.text
    assert office.client.get("/v1/nothing").json()["code"] == "api.not_found"


def test_the_language_is_remembered(office: Pusat) -> None:
    rina = window(office, "rina")
    rina.post("/language", lang="en")
    assert "Sign out" in rina.text
    rina.go("/nothing", 404)
    assert "There is nothing at this address" in rina.text


def test_a_form_that_is_too_large_is_refused_in_words(office: Pusat) -> None:
    rina = window(office, "rina")
    rina.send(rina.form("/language"), 413, lang="x" * 300_000)
    assert "terlalu besar" in rina.text
