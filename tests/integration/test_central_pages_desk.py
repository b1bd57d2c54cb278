"""The desk and the lists in the browser: queues, claims, search, areas, bulk work, files out."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Response
from python_calamine import CalamineWorkbook

from models.changes import Body
from server.worklist import ASSIGN_MAX, CLAIM_SECONDS
from tests.integration.test_central_cases import disputed
from tests.pusat import PROTECTED, VILLAGE, Pusat, pusat
from tests.windows import OURS, Window, window, windows

N = 60
EVIL = '=HYPERLINK("http://evil.example")'
NAMES = {1: "SALMA KADER", 2: EVIL, 3: "Ma'ruf <b>Tidore</b>"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    """Sixty requests that nobody has yet."""
    with windows(tmp_path_factory.mktemp("desk")) as found:
        van = found.van("Si Jola 9")
        for n in range(1, N + 1):
            who = {"name": NAMES.get(n, f"WARGA {n}"), "nik": f"827203300309{n:04}"}
            van.take_in(n, **{PROTECTED: who})
        found.sync(van)
        yield found


@pytest.fixture(autouse=True)
def later(office: Pusat) -> None:
    """Each test begins when all claims and sessions have ended."""
    office.clock.at += 24 * 3600


def records(office: Pusat) -> list[str]:
    found = office.get("tono", "/v1/requests", limit=200).json()["requests"]
    office.tokens.clear()
    return [one["id"] for one in found]


def token(at: Window) -> str:
    return dict(at.form("/sign-out").fields)["token"]


def post(at: Window, path: str, **fields: str) -> Response:
    """A form of ours that the page does not draw for this person."""
    return at._send("POST", path, data={"token": token(at), **fields}, headers=OURS)


def window_at(office: Pusat, path: str) -> Window:
    rina = window(office, "rina")
    rina.go(path)
    return rina


def rows(at: Window) -> list[str]:
    """Ids of the requests in the list, in order."""
    line = r'<th scope="row" class="jb-number"><a [^>]*href="/requests/(\w+)"'
    return re.findall(line, at.page.text)


def row(at: Window, record: str) -> str:
    start = at.page.text.index(f"/requests/{record}")
    return at.page.text[start : at.page.text.index("</tr>", start)]


def next_page(at: Window) -> str:
    found = re.search(r'href="([^"]*)" rel="next"', at.page.text)
    return html.unescape(found[1]) if found else ""


def test_the_desk_tells_what_waits_how_old_and_how_much_is_late(office: Pusat) -> None:
    rina = window(office, "rina")
    assert "Yang menunggu Anda" in rina.text
    assert f'href="/requests?status=received">{N}</a>' in rina.page.text
    siak = window(office, "siak")
    assert 'href="/batches">Siap SIAK</a>' in siak.page.text, "to where it is worked on"
    assert 'class="jb-tile" href="/audit"' in window(office, "mata").page.text
    office.clock.at += 20 * 24 * 3600
    assert "Yang lewat janji belum dihitung" in window(office, "rina").text
    office.central.reports.follow(99)
    try:
        rina.sign_in("rina")
        assert "belum dihitung" not in rina.text
        late = rina.go("/requests?age=late&status=received")
    finally:
        office.clock.at -= 20 * 24 * 3600
    assert late.text.count("terlambat sejak") == 50


def test_the_next_one_is_mine_and_shown_to_others_with_my_name(office: Pusat) -> None:
    rina, yusuf = window(office, "rina"), window(office, "yusuf")
    first = records(office)[0]
    answer = post(rina, "/next")
    assert answer.headers["location"] == f"/requests/{first}"
    rina.go("/")
    assert "Sedang Anda pegang" in rina.text
    yusuf.go("/requests")
    line = row(yusuf, first)
    assert "Rina" in line
    assert "sampai" in line
    rina.go("/")
    rina.post(f"/requests/{first}/release")
    assert "Berkas dilepas" in rina.text
    assert "Sedang Anda pegang" not in rina.text


def test_a_claim_is_stolen_only_on_purpose_and_the_trail_says_so(office: Pusat) -> None:
    rina, yusuf = window(office, "rina"), window(office, "yusuf")
    first = records(office)[0]
    post(rina, f"/requests/{first}/claim")
    taken = post(yusuf, f"/requests/{first}/claim")
    assert taken.status_code == 409
    assert "Rina" in taken.text
    stolen = post(yusuf, f"/requests/{first}/claim", take_over="yes")
    assert stolen.status_code == 303
    assert ("yusuf", "claim.take_over") in office.trail()
    post(rina, f"/requests/{first}/release")  # what is somebody else's stays so
    yusuf.go("/requests?held=mine")
    assert first in yusuf.page.text
    office.clock.at += CLAIM_SECONDS + 1
    yusuf.go("/requests?held=mine")
    assert "Tidak ada berkas di daftar ini" in yusuf.text


def test_a_list_is_walked_page_by_page_to_its_end(office: Pusat) -> None:
    rina = window(office, "rina")
    seen: list[str] = []
    path = "/requests?status=received"
    while path:
        rina.go(path)
        seen += rows(rina)
        path = next_page(rina)
    assert seen == records(office)
    assert rows(window_at(office, "/requests?order=newest")) == seen[::-1][:50]
    assert rows(window_at(office, "/requests?village=82.72.03")) == seen[:50]
    assert rows(window_at(office, "/requests?village=82.72.01")) == []
    assert rows(window_at(office, "/requests?status=nonsense&held=odd")) == seen[:50]


def test_a_list_is_kept_under_a_name_and_forgotten(office: Pusat) -> None:
    rina = window_at(office, "/requests?status=received&age=late")
    rina.post("/requests/lists", name="  Terlambat ")
    rina.go("/")
    assert "status=received&amp;age=late" in rina.page.text
    rina.go("/requests")
    rina.post("/requests/lists", 422, name=" ")
    rina.go("/requests")
    rina.post("/requests/lists", forget="Terlambat")
    assert "Terlambat" not in rina.go("/").text


@pytest.mark.parametrize("asked", ["8272033003090001", "8272 0330 0309 0001", "salma", "CODE"])
def test_the_citizen_on_the_telephone_is_found(office: Pusat, asked: str) -> None:
    first = office.get("tono", "/v1/requests", limit=1).json()["requests"][0]
    office.tokens.clear()
    rina = window(office, "rina")
    rina.post("/search", q=first["code"] if asked == "CODE" else asked)
    assert rows(rina) == [first["id"]]
    assert rina.path == "/search"
    assert rina.page.url.query == b""
    with office.central.registry.read() as door:
        said = " ".join(f"{e.target} {e.detail}" for e in door.trail(limit=5000))
    assert "827203300309" not in said
    assert "salma" not in said.lower()


def test_a_name_is_found_by_its_words_also_after_it_was_corrected(tmp_path: Path) -> None:
    with pusat(tmp_path / "pusat") as office:
        van = office.van("Si Jola 1")
        told = {"name": "Moh. Ma'ruf Kader", "nik": "8272033003099999"}
        record = van.take_in(1, **{PROTECTED: told})
        office.sync(van)
        office.sync(van)
        rina, work = office.people["rina"], office.central.worklist

        def found(text: str) -> bool:
            return [one.request.id for one in work.search(rina, text)] == [record.hex()]

        assert all(map(found, ("kader", "muhammad maruf", "KADER MOH", "ma'r", "kad muh")))
        assert not any(map(found, ("ader", "kader salma", "m k", "''")))
        van.edit(record, Body(set={PROTECTED: told | {"name": "Ma'ruf Soleman"}}))
        office.sync(van)
        assert found("soleman maruf")
        assert not found("kader")


def test_what_is_not_found_says_where_it_may_be(office: Pusat) -> None:
    rina = window(office, "rina")
    rina.post("/search", q="Nobody Here")
    assert "belum terkirim" in rina.text
    rina.post("/search", 422, q="x")
    code = office.get("tono", "/v1/requests", limit=1).json()["requests"][0]["code"]
    office.tokens.clear()
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    rina.go("/search")
    rina.post("/search", q=wrong)
    assert "salah ketik" in rina.text.lower()


def test_what_a_citizen_is_called_is_text_on_the_page(office: Pusat) -> None:
    rina = window_at(office, "/requests")
    assert "<b>Tidore</b>" not in rina.page.text
    assert "Ma&#39;ruf &lt;b&gt;Tidore" in rina.page.text


def test_a_name_that_is_a_formula_stays_text_in_files(office: Pusat) -> None:
    rina = window_at(office, "/requests?status=received")
    csv = rina.post("/requests/export", kind="csv")
    assert f'"\'{EVIL.replace(chr(34), chr(34) * 2)}"' in csv.content.decode("utf-8-sig")
    assert "attachment" in csv.headers["content-disposition"]
    assert csv.headers["cache-control"] == "no-store"
    rina.go("/requests?status=received")
    book = rina.post("/requests/export", kind="xlsx").content
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert len(sheet) == N + 1
    assert sheet[2][1] == EVIL
    assert ("rina", "request.export") in office.trail()


def test_a_supervisor_gives_out_what_was_ticked_or_the_whole_list(office: Pusat) -> None:
    tono = window(office, "tono")
    ids = records(office)
    tono.go("/requests")
    tono.post("/requests/assign", 422, login="rina")
    assert "Belum ada berkas yang dipilih" in tono.text
    tono.post("/requests/assign", login="rina", pick=ids[:3])
    assert "3 berkas dibagikan" in tono.text
    assert rows(window_at(office, "/requests?held=mine")) == ids[:3]
    tono.go("/requests?status=received")
    tono.post("/requests/assign", login="rina", all="yes")
    assert f"{N} berkas dibagikan" in tono.text


def test_five_thousand_are_given_out_at_once_and_one_more_none(office: Pusat) -> None:
    tono = window(office, "tono")
    tono.go("/requests")
    more = [f"{n:032x}" for n in range(ASSIGN_MAX + 1)]
    tono.post("/requests/assign", 422, login="rina", pick=more)
    assert "5.000" in tono.text or "5000" in tono.text
    tono.go("/requests")
    tono.post("/requests/assign", 404, login="rina", pick=[*records(office), *more[:4000]])
    assert rows(window_at(office, "/requests?held=taken")) == []  # all or none


def test_a_verifier_gives_nothing_out(office: Pusat) -> None:
    rina = window_at(office, "/requests")
    assert "Bagikan kepada" not in rina.text
    answer = post(rina, "/requests/assign", login="rina", pick="0" * 32)
    assert answer.status_code == 403


def test_an_admin_sees_no_requests(office: Pusat) -> None:
    admin = window(office, "admin")
    assert 'class="jb-tile" href="/people"' in admin.page.text, "where one may go"
    assert "Daftar berkas" not in admin.text
    admin.go("/requests", 403)
    assert "Peran Anda tidak mencakup: melihat daftar berkas" in admin.text, "in words"


def test_somebody_of_another_area_sees_and_does_nothing_here(office: Pusat) -> None:
    staff, admin = office.central.staff, office.people["admin"]
    first = records(office)[0]
    staff.place(admin, "yusuf", ["82.72.01"])
    try:
        yusuf = window(office, "yusuf")
        assert f">{N}</" not in yusuf.page.text
        assert rows(yusuf) == []
        yusuf.go("/requests")
        assert "Tidak ada berkas" in yusuf.text
        yusuf.go("/search")
        yusuf.post("/search", q="salma")
        assert rows(yusuf) == []
        assert "Tidak ada berkas yang cocok" in yusuf.text
        claimed = post(yusuf, f"/requests/{first}/claim")
        assert claimed.status_code == 403
        assert "bukan dari wilayah Anda" in claimed.text
        for path in (f"/v1/requests/{first}", f"/v1/requests/{first}/files/00"):
            assert office.get("yusuf", path).json()["code"] == "auth.area"
        assert office.get("yusuf", "/v1/requests").json()["requests"] == []
        seen = office.seen("tono", f"/v1/requests/{first}")
        refused = office.post("yusuf", f"/v1/requests/{first}/accept", {"seen": seen})
        assert refused.json()["code"] == "auth.area"
        assert office.post("yusuf", "/v1/work/next", {}).json()["request"] is None
        staff.place(admin, "yusuf", [VILLAGE])
        assert office.get("yusuf", f"/v1/requests/{first}").status_code == 200
    finally:
        staff.place(admin, "yusuf", [])
        office.tokens.clear()


def test_a_dispute_of_another_area_is_not_shown_and_not_decided(tmp_path: Path) -> None:
    with pusat(tmp_path / "pusat") as office:
        case = disputed(office)[3]["id"]
        seen = office.seen("tono", f"/v1/cases/{case}")
        staff, admin = office.central.staff, office.people["admin"]
        staff.place(admin, "yusuf", ["82.72.01"])
        assert office.get("yusuf", "/v1/cases").json()["cases"] == []
        matters = office.central.disputes.matters
        assert matters(staff.place(admin, "yusuf", ["82.72.01"])).disputes == 0
        assert office.get("yusuf", f"/v1/cases/{case}").json()["code"] == "auth.area"
        body = {"take": "current", "reason": "Sesuai KTP", "seen": seen}
        refused = office.post("yusuf", f"/v1/cases/{case}/resolve", body)
        assert refused.json()["code"] == "auth.area"
        staff.place(admin, "yusuf", [VILLAGE])
        assert matters(staff.place(admin, "yusuf", [VILLAGE])).disputes == 1
        assert [one["id"] for one in office.get("yusuf", "/v1/cases").json()["cases"]] == [case]
