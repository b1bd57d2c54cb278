"""The pages of a verifier and of those who decide disputes, without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from models.changes import Body
from tests.pusat import Pusat, Van
from tests.verifying import disputed, status_of, taken_in
from tests.windows import Window, window, windows


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("verify")) as found:
        yield found


@pytest.fixture(scope="module")
def vans(office: Pusat) -> tuple[Van, Van]:
    return office.van("Si Jola 1"), office.van("Kantor Desa")


@pytest.fixture(scope="module")
def rina(office: Pusat) -> Window:
    return window(office, "rina")


@pytest.fixture(scope="module")
def tono(office: Pusat) -> Window:
    return window(office, "tono")


def test_a_request_is_checked_and_accepted(office, vans, rina):
    record = taken_in(office, vans[0])
    rina.go(f"/requests/{record.hex()}")
    assert "Salma Hamid" in rina.text
    assert "Sari · Si Jola 1" in rina.text
    assert "sisa" in rina.text, "the clock"
    assert "Tidak ada gambar dokumen" in rina.text
    assert "Dokumen: Kartu keluarga" in rina.text, "the history speaks in words"
    rows = rina.page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert rows.count("<td>Salma Hamid") == 1, "what the form only repeats is checked once"
    yusuf = window(office, "yusuf")
    yusuf.go(f"/requests/{record.hex()}")
    assert "Rina" in yusuf.text
    assert "Ambil alih" in yusuf.text, "somebody has it, and is named"
    at = f"/requests/{record.hex()}"
    assert f'href="{at}/accept"' in rina.page.text, "not with one press"
    rina.go(f"{at}/accept")
    assert "Tanda tangan pemohon" in rina.text, "which rules find what wrong"
    rina.post(f"{at}/accept", 422, code="OTHER", text="ya")
    assert status_of(office, record) == "received"
    rina.post(f"{at}/accept", code="ORIGINAL", text="formulir bertanda tangan di map")
    assert rina.path == "/"
    assert status_of(office, record) == "verified"
    rina.go(at)
    assert "Disetujui walau ada yang tidak sesuai aturan" in rina.text
    assert "formulir bertanda tangan di map Rina (rina)" in rina.text


def test_a_return_is_looked_at_before_it_is_sent(office, vans, rina):
    record = taken_in(office, vans[0])
    at = f"/requests/{record.hex()}/return"
    rina.go(at)
    rina.send(rina.form(at), 422, step="preview")
    assert "alasan" in rina.text.lower()
    picked = {"code:applicant.nik": "NIK_NOT_FOUND", "text:applicant.nik": "cek KTP"}
    rina.send(rina.form(at), step="preview", **picked)
    assert "Pusat mengembalikan berkas ini: Pemohon, NIK pemohon: NIK tidak ditemukan" in rina.text
    assert status_of(office, record) == "received"
    form = rina.form(at)
    assert form.fields_as_dict()["text:applicant.nik"] == ["cek KTP"], "what was typed is kept"
    rina.send(form, step="send")
    assert status_of(office, record) == "needs_correction"


def test_what_changed_meanwhile_is_shown_before_anything_is_decided(office, vans, rina):
    record = taken_in(office, vans[0])
    at = f"/requests/{record.hex()}"
    rina.go(f"{at}/accept")
    form = rina.form(f"{at}/accept")
    vans[0].edit(record, Body(set={"applicant.phone": "+6281340009999"}))
    office.sync(vans[0])
    rina.send(form, 409, code="SIAK")
    assert "Di bawah ini keadaannya sekarang" in rina.text
    assert status_of(office, record) == "received"
    typed = {
        "escalate": {"text": "satu nomor HP"},
        "ask": {"text": "Nomor siapa?"},
        "return": {"code:applicant.nik": "NIK_NOT_FOUND", "step": "send"},
    }
    for n, (name, words) in enumerate(typed.items()):
        rina.go(f"{at}/{name}")
        form = rina.form(f"{at}/{name}")
        vans[0].edit(record, Body(set={"applicant.phone": f"+628134000111{n}"}))
        office.sync(vans[0])
        rina.send(form, 409, **words)
        assert "Di bawah ini keadaannya sekarang" in rina.text
        again = rina.form(f"{at}/{name}")
        (key, text), *_ = words.items()
        assert again.fields_as_dict()[key] == [text], "what was typed is kept"
        if name == "return":  # the others would make it wait
            rina.send(again, step="preview")
            rina.send(rina.form(f"{at}/{name}"), step="send")
        else:
            rina.send(again, 422, text=" ")
    assert status_of(office, record) == "needs_correction"


def test_the_field_is_asked_and_answers(office, vans, rina):
    record = taken_in(office, vans[0])
    at = f"/requests/{record.hex()}"
    rina.go(f"{at}/ask?kind=photo&about=doc.KK")
    form = rina.form(f"{at}/ask")
    assert (form.fields_as_dict()["kind"], form.fields_as_dict()["about"]) == (
        ["photo"],
        ["doc.KK"],
    )
    rina.send(form, 422, text=" ")
    assert "Tulis pertanyaannya lebih dulu." in rina.text
    rina.send(rina.form(f"{at}/ask"), text="Bagian bawah terpotong. Bisa difoto lagi?")
    assert "menunggu jawaban lapangan" in rina.text
    rina.send(rina.form(f"{at}/ask/back"), 404, n="9" * 5000)
    office.sync(vans[0])
    vans[0].edit(record, Body(reasons={"reply/1": "sudah difoto"}))
    office.sync(vans[0])
    rina.go(at)
    assert "Jawaban: sudah difoto" in rina.text
    assert "menunggu jawaban lapangan" not in rina.text
    assert "Jawaban dari lapangan" in rina.text, "in the history"


def test_a_supervisor_is_asked_and_the_request_waits(office, vans, rina, tono):
    record = taken_in(office, vans[0])
    at = f"/requests/{record.hex()}"
    rina.go(f"{at}/escalate")
    rina.send(rina.form(f"{at}/escalate"), text="Satu nomor HP di lima berkas.")
    assert "Menunggu penyelia" in rina.text
    rina.go(f"{at}/accept")
    rina.post(f"{at}/accept", 409, code="SIAK")
    tono.go("/disputes?kind=escalated")
    (case,) = re.findall(r'href="(/escalations/[0-9a-f]+)"', tono.page.text)
    tono.go(case)
    assert "Satu nomor HP di lima berkas." in tono.text
    assert "Rina (rina) ·" in tono.text, "who asks"
    tono.post(f"{case}/answer", reason="Keluarga besar, tidak apa.")
    assert "Dijawab Tono (tono)" in tono.text
    rina.go(at)
    assert "Perkara dibuka: Menunggu penyelia" in rina.text
    rina.go(f"{at}/accept")
    rina.post(f"{at}/accept", code="SIAK")
    assert status_of(office, record) == "verified"


def test_a_refusal_waits_for_the_second_person(office, vans, rina, tono):
    record = taken_in(office, vans[0])
    at = f"/requests/{record.hex()}"
    rina.go(f"{at}/return")
    rina.post(f"{at}/reject", code="NOT_ELIGIBLE", text="belum 17 tahun")
    assert "Menunggu persetujuan kedua" in rina.text
    tono.go("/disputes?state=proposed")
    assert f'href="{at}"' in tono.page.text, "it is in the list of the second person"
    rina.go("/disputes?state=proposed")
    assert f'href="{at}"' not in rina.page.text
    tono.go(at)
    tono.send(tono.form(f"{at}/confirm"), agree="yes")
    assert status_of(office, record) == "rejected"


def test_a_dispute_is_decided_with_a_look_before_and_undone_after(office, vans, rina, tono):
    record, case = disputed(office, *vans)
    at = f"/disputes/{case}"
    rina.go("/disputes")
    assert f'href="{at}"' in rina.page.text
    rina.go(at)
    form = rina.form(f"{at}/decide")
    assert "take" not in form.fields_as_dict(), "nothing is chosen for a protected unit"
    assert '<ins class="jb-plus">h</ins>' in rina.page.text, "what differs is marked in the text"
    rina.send(form, 422, take="offer:1", step="preview")
    assert "Alasan" in rina.text
    rina.send(form, take="offer:1", code="ORIGINAL", reason="Kutipan akta lahir", step="preview")
    assert "akan membaca:" in rina.text
    assert "Nomor KK pemohon memakai usulan Anda." in rina.text, "whose word was taken reads so"
    assert "tanpa NIK" not in rina.text.partition("akan membaca:")[2].partition("Keputusan")[0]
    assert "Sesuai dokumen asli: Kutipan akta lahir" in rina.text
    again = rina.form(f"{at}/decide")
    assert again.fields_as_dict()["take"] == ["offer:1"], "what was chosen is kept"
    rina.send(again, step="decide")
    assert "Menunggu persetujuan kedua" in rina.text
    tono.go(at)
    proposed = "Rina (rina) mengusulkan: Usulan 1 Nama lengkap pemohon: Salmah Hamid"
    assert proposed in tono.text, "the second person reads which of them, and what it says"
    tono.send(tono.form(f"{at}/approve"), 422, agree="no")
    assert "alasan" in tono.text.lower(), "a no wants a reason"
    tono.send(tono.form(f"{at}/approve"), agree="no", second="lihat akta dulu")
    rina.go(at)
    assert "tidak disetujui Tono (tono): lihat akta dulu" in rina.text
    rina.send(rina.form(f"{at}/decide"), take="offer:1", code="ORIGINAL", step="decide")
    tono.go(at)
    tono.send(tono.form(f"{at}/approve"), agree="yes")
    assert "Diputuskan oleh Rina (rina) + Tono (tono)" in tono.text
    rina.go(at)
    rina.post(f"{at}/undo", why="salah baca")
    assert rina.path != at
    assert "Membatalkan putusan sebelumnya" in rina.text
    new = rina.path
    rina.go(f"/requests/{record.hex()}")
    assert f'href="{new}"' in rina.page.text, "disputed again"
    assert f'href="{at}"' not in rina.page.text


def test_what_is_suggested_of_a_protected_unit_is_not_chosen(office, vans, rina):
    """The standing number says a woman's day of birth, of a man."""
    _, case = disputed(office, vans[0], vans[1], {"nik": "8272037003090099"})
    rina.go(f"/disputes/{case}")
    assert "Saran: Usulan 1; lolos pemeriksaan" in rina.text
    assert "Tidak dipilihkan" in rina.text
    assert "take" not in rina.form(f"/disputes/{case}/decide").fields_as_dict()


def test_a_stale_decision_keeps_the_choice_and_says_what_changed(office, vans, rina):
    record, case = disputed(office, *vans)
    at = f"/disputes/{case}"
    rina.go(at)
    form = rina.form(f"{at}/decide")
    view = vans[1].look(record)
    newer = dict(view.units["applicant.identity"]) | {"name": "Salmah Hamid B"}
    vans[1].edit(record, Body(set={"applicant.identity": newer}))
    office.sync(vans[1])
    rina.send(form, 409, take="current", code="TYPO", reason="x", step="decide")
    assert "Yang berubah sejak halaman ini Anda buka" in rina.text
    assert '<ins class="jb-plus"> B</ins>' in rina.page.text
    assert "Usulan 2" in rina.text
    kept = rina.form(f"{at}/decide").fields_as_dict()
    assert (kept["take"], kept["code"]) == (["current"], ["TYPO"])
    rina.send(rina.form(f"{at}/decide"), step="decide")
    assert "Menunggu persetujuan kedua" in rina.text


def test_a_value_can_be_typed_anew_and_is_checked(office, vans, rina):
    _, case = disputed(office, *vans)
    at = f"/disputes/{case}"
    rina.go(at)
    form = rina.form(f"{at}/decide")
    wrong = {"take": "value", "value:nik": "12", "code": "ORIGINAL", "reason": "Kutipan akta lahir"}
    rina.send(form, 422, step="preview", **wrong)
    right = wrong | {"value:nik": form.fields_as_dict()["value:nik"][0], "value:name": "Salmah H."}
    rina.send(rina.form(f"{at}/decide"), 422, **(right | {"reason": "x", "step": "preview"}))
    rina.send(rina.form(f"{at}/decide"), step="preview", **right)
    assert "Salmah H." in rina.text
    base = rina.send(rina.form(f"{at}/decide"), take="base", code="TYPO", step="preview")
    assert base.status_code == 200


@pytest.mark.parametrize("login", ["siak", "mata"])
def test_who_only_reads_has_no_buttons(office, vans, login):
    record = taken_in(office, vans[0])
    reader = window(office, login)
    reader.go(f"/requests/{record.hex()}")
    assert "Salma Hamid" in reader.text
    assert f"/requests/{record.hex()}/accept" not in reader.page.text
    rina = window(office, "rina")
    rina.go(f"/requests/{record.hex()}/accept")
    form = rina.form(f"/requests/{record.hex()}/accept")
    form.put("code", "SIAK")
    form.put("token", reader.form("/sign-out").fields_as_dict()["token"][0])
    reader.send(form, 403)
    assert status_of(office, record) == "received"
