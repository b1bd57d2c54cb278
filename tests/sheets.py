"""Resident lists of the invented village in the layouts that offices really hand out.

`write_opensid` (43 columns, coded), `write_siak` (37 columns, words) and `write_buku_induk`, whose
variants differ as offices and years do. The suffix of the path says which kind of file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from models.codes import code_list
from tests.grids import Cell, Grid, save
from tests.village import HEAD, LIST_DATE, MAN, Family, Person, Village

OPENSID = [
    "alamat", "dusun", "rw", "rt", "nama", "no_kk", "nik", "sex", "tempatlahir", "tanggallahir",
    "agama_id", "pendidikan_kk_id", "pendidikan_sedang_id", "pekerjaan_id", "status_kawin",
    "kk_level", "warganegara_id", "ayah_nik", "nama_ayah", "ibu_nik", "nama_ibu",
    "golongan_darah_id", "akta_lahir", "dokumen_pasport", "tanggal_akhir_paspor", "dokumen_kitas",
    "akta_perkawinan", "tanggalperkawinan", "akta_perceraian", "tanggalperceraian", "cacat_id",
    "cara_kb_id", "hamil", "ktp_el", "status_rekam", "alamat_sekarang", "status_dasar", "suku",
    "tag_id_card", "id_asuransi", "no_asuransi", "lat", "lng",
]  # fmt: skip
SIAK = [
    "Nomor KK", "NIK", "Nama Penduduk", "Status", "Tempat Lahir", "Tanggal Lahir", "Kelamin",
    "NIK Ayah", "Ayah", "NIK Ibu", "Ibu", "Status Kawin", "SHDK", "Agama", "Kecamatan",
    "Desa/Kel", "Alamat", "RW", "RT", "Pendidikan", "Pekerjaan", "Deskripsi Pekerjaan",
    "Gol. Darah", "Cacat", "Cetak KTP", "Ganti KTP", "KTP Berakhir", "Nomor Paspor",
    "Nomor Akta Lahir", "Nomor Akta Kawin", "Tanggal Kwn", "Nomor Akta Cerai", "Tgl Cerai",
    "Petugas Registrasi", "Tgl Ubah", "Petugas Entri", "Tgl Entri",
]  # fmt: skip

FACE = {"1": "1", "2": "2", "3": "2", "4": "3", "5": "3", "6": "4"}
RECORDED = {
    "": "", "BELUM WAJIB": "1", "BELUM REKAM": "2", "CARD_PRINTED": "4", "PRINT_READY_RECORD": "5",
    "CARD_SHIPPED": "6", "SENT_FOR_CARD_PRINTING": "7", "DUPLICATE_RECORD": "3",
}  # fmt: skip
LIVING = {"resident": "1", "dead": "2", "moved": "3"}
LIVING_WORDS = {"resident": "Hidup", "dead": "Mati", "moved": "Pindah Dalam Negeri"}
MARITAL_SHORT = {"1": "BK", "2": "K", "3": "K", "4": "CH", "5": "CH", "6": "CM"}
RELATION_SHORT = {"7": "Ortu", "9": "Fam. Lain"}
MONTHS = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"


def label(name: str, code: str) -> str:
    """The official Indonesian label of a code."""
    return code_list(name).label(code)


def write_opensid(path: Path, people: Sequence[Person], **how: str) -> Path:
    """The 43-column layout of village software; everything as text, as its own export writes it."""
    grid = Grid(rows=[list(OPENSID)])
    for one in people:
        known = {
            "alamat": one.address, "dusun": one.dusun, "rw": one.rw, "rt": one.rt, "nama": one.name,
            "no_kk": one.kk, "nik": one.nik, "sex": one.sex, "tempatlahir": one.birth_place,
            "tanggallahir": one.birth_date.isoformat(), "agama_id": one.religion,
            "pendidikan_kk_id": one.education, "pendidikan_sedang_id": "18",
            "pekerjaan_id": one.job, "status_kawin": FACE[one.marital], "kk_level": one.shdk,
            "warganegara_id": one.citizenship, "ayah_nik": one.father_nik,
            "nama_ayah": one.father_name, "ibu_nik": one.mother_nik, "nama_ibu": one.mother_name,
            "golongan_darah_id": one.blood, "ktp_el": _has_card(one),
            "status_rekam": RECORDED[one.enrolment], "status_dasar": LIVING[one.residence],
            "akta_perkawinan": "0021/KW/2015" if one.marital == "2" else "",
        }  # fmt: skip
        grid.rows.append([known.get(column, "") for column in OPENSID])
    return save(path, grid, **how)


def _has_card(one: Person) -> str:
    if not one.enrolment:
        return ""
    return "1" if RECORDED[one.enrolment] in ("1", "2") else "2"


def write_siak(path: Path, people: Sequence[Person], village: str = "Gita", **how: str) -> Path:
    """The 37-column layout of SIAK: words, numbers for RT and RW, real dates."""
    grid = Grid(rows=[list(SIAK)])
    for one in people:
        known: dict[str, Cell] = {
            "Nomor KK": one.kk, "NIK": one.nik, "Nama Penduduk": one.name.upper(),
            "Status": LIVING_WORDS[one.residence], "Tempat Lahir": one.birth_place.upper(),
            "Tanggal Lahir": one.birth_date, "NIK Ayah": one.father_nik,
            "Kelamin": "Laki-Laki" if one.sex == MAN else "Perempuan", "NIK Ibu": one.mother_nik,
            "Ayah": one.father_name or "-", "Ibu": one.mother_name or "-",
            "Status Kawin": label("status_perkawinan_lama", FACE[one.marital]),
            "SHDK": label("shdk", one.shdk).title(), "Agama": label("agama", one.religion),
            "Kecamatan": "OBA", "Desa/Kel": village.upper(), "Alamat": one.address.upper(),
            "RW": float(one.rw), "RT": float(one.rt),
            "Pendidikan": label("pendidikan", one.education).replace(" sd/", " SD/"),
            "Pekerjaan": label("pekerjaan", one.job), "Petugas Registrasi": "-",
            "Gol. Darah": "Tdk Th" if one.blood == "13" else label("golongan_darah", one.blood),
            "Nomor Akta Kawin": "0021/KW/2015" if one.marital == "2" else "-",
        }  # fmt: skip
        grid.rows.append([known.get(column, "") for column in SIAK])
    return save(path, grid, **how)


# --- Buku Induk Penduduk --------------------------------------------------------------------------


def write_buku_induk(path: Path, village: Village, *, variant: str, **how: str) -> Path:
    """The register book of a village, laid out as `variant` of `VARIANTS` does it."""
    grid = Grid(sheet="BIP")
    VARIANTS[variant](grid, village)
    return save(path, grid, **how)


def _title(grid: Grid, village: Village, *, spread: bool = False) -> None:
    grid.add("BUKU INDUK PENDUDUK WARGA NEGARA INDONESIA")
    grid.add(f"KEADAAN {LIST_DATE:%d-%m-%Y}")
    grid.add()
    for name, value in (
        ("PROVINSI", "82 MALUKU UTARA"),
        ("KABUPATEN/KOTA", "8272 KOTA TIDORE KEPULAUAN"),
        ("KECAMATAN", "827203 OBA"),
        ("KELURAHAN/DESA", f"{village.code.replace('.', '')} {village.name.upper()}"),
    ):
        grid.add(*((name, ":", value) if spread else (f"{name} : {value}",)))
    grid.add()


def _labelled(grid: Grid, village: Village) -> None:
    """One heading; a labelled line for each family; merged cells, numbering, notes at the end."""
    _title(grid, village)
    grid.add(
        "NO", "NAMA LENGKAP", "NIK", "TEMPAT LAHIR", "TGL LHR", "JK", "SHDK", "AGAMA",
        "PENDIDIKAN TERAKHIR", "PEKERJAAN", "STAT KWN", "GOL. DRH", "NAMA IBU", "NAMA AYAH",
        "KTPEL",
    )  # fmt: skip
    grid.add(*range(1, 16))
    for family in village.families:
        head = family.head
        place = f"Nama Dusun : {head.dusun}, RT/RW : {head.rt}/{head.rw}"
        row = grid.add(
            f"No. KK : {family.kk}", None, f"Kepala Keluarga : {head.name.upper()}", None, None,
            f"Alamat : {head.address.upper()}, {place}",
        )  # fmt: skip
        grid.merges.append((row - 1, 5, row - 1, 14))
        for number, one in enumerate(family.members, start=1):
            grid.add(
                number, one.name.upper(), one.nik, one.birth_place, f"{one.birth_date:%d-%m-%Y}",
                "L" if one.sex == MAN else "P", label("shdk", one.shdk).upper(),
                label("agama", one.religion).upper(), label("pendidikan", one.education).upper(),
                label("pekerjaan", one.job).upper(), MARITAL_SHORT[one.marital],
                "-" if one.blood == "13" else label("golongan_darah", one.blood),
                one.mother_name.upper(), one.father_name.upper(), one.enrolment or "NULL",
            )  # fmt: skip
    grid.add()
    grid.add("Keterangan:")
    grid.add("BK = Belum Kawin, K = Kawin, CH = Cerai Hidup, CM = Cerai Mati")


def _blocks(grid: Grid, village: Village) -> None:
    """Each family has headings of its own, twice: for its line and for its members."""
    _title(grid, village, spread=True)
    for family in village.families:
        head = family.head
        grid.add(None, "NO.KK", None, "KEPALA KELUARGA", None, None, "ALAMAT")
        address = f"{head.address}, RT:{head.rt}, RW:{head.rw}, Kodepos:97852,-"
        grid.add(None, family.kk, None, head.name.upper(), None, None, address)
        grid.add(
            "NO", None, "NIK", "NAMA LENGKAP", "L/P", "TMPT LHR", "TGL. LAHIR", None, "AGAMA",
            "STATUS", "HUB.KEL", "PDDK", "PEKERJAAN", "NM IBU", "NM AYAH", "NO AKTA LAHIR",
        )  # fmt: skip
        for number, one in enumerate(family.members, start=1):
            grid.add(
                number, None, one.nik, one.name.upper(), "Lk" if one.sex == MAN else "Pr",
                one.birth_place.upper(), f"{one.birth_date:%d/%m/%Y}", None,
                label("agama", one.religion), MARITAL_SHORT[one.marital],
                RELATION_SHORT.get(one.shdk, label("shdk", one.shdk)),
                label("pendidikan", one.education), label("pekerjaan", one.job),
                one.mother_name, one.father_name, "-",
            )  # fmt: skip
        grid.add()


def _bare(grid: Grid, village: Village) -> None:
    """Headings of families and of members once a page; the family card stands bare in its line.

    The state of recording is broken over two lines where the column was too narrow.
    """
    _title(grid, village)
    pages = [village.families[at : at + 9] for at in range(0, len(village.families), 9)]
    for page, families in enumerate(pages, start=1):
        grid.add("NO KK", None, "NAMA KEPALA KELUARGA", None, None, None, None, None, "ALAMAT")
        grid.add(
            "NO", "Nama Lengkap", "NIK", "Tempat Lahir", "Tanggal Lahir", "JK", "Stat Kwn",
            "Gol. Drh", "SHDK", "Agama", "Pendidikan Terakhir", "Pekerjaan", "Nama Ibu",
            "Nama Ayah", "Wjb KTP", "KTP-eL", "Status", "Stat Rkm",
        )  # fmt: skip
        for family in families:
            _bare_family(grid, family)
        grid.add(None, None, f"Halaman {page} dari {len(pages)}")


def _bare_family(grid: Grid, family: Family) -> None:
    head = family.head
    address = f"{head.address} RT/RW : {head.rt}/{head.rw} DUSUN : {head.dusun}"
    grid.add(family.kk, None, head.name, None, None, None, None, None, address)
    for number, one in enumerate(family.members, start=1):
        broken = one.enrolment == "SENT_FOR_CARD_PRINTING"
        flag = "KTP-eL" if _has_card(one) == "2" else ""
        grid.add(
            number, one.name, one.nik, one.birth_place, f"{one.birth_date:%d-%m-%Y}",
            "Lk" if one.sex == MAN else "Pr", MARITAL_SHORT[one.marital], "-",
            label("shdk", one.shdk).upper(), label("agama", one.religion).upper(),
            label("pendidikan", one.education).upper().replace("/", " / "),
            label("pekerjaan", one.job).upper().replace("/", " / "), one.mother_name,
            one.father_name, "WAJIB" if one.age >= 17 else "BLM WAJIB", flag, "SDH DPT",
            "SENT_FOR_CARD_" if broken else one.enrolment.replace("_", " "),
        )  # fmt: skip
        if broken:
            grid.add(*[None] * 17, "PRINTING")


def _merged(grid: Grid, village: Village) -> None:
    """Headings over three rows with merged cells, L and P ticked, days as Excel's plain numbers."""
    _title(grid, village)
    top = grid.add(
        "NO", "NOMOR", None, "NAMA", "JENIS KELAMIN", None, "TEMPAT / TANGGAL LAHIR", None,
        "STATUS", "HUBUNGAN DLM", "ORANG TUA", None, "STATUS", "ALAMAT", None, None,
    )  # fmt: skip
    grid.add(
        None, "NIK", "KK", "LENGKAP", "L", "P", "TEMPAT", "TANGGAL", "PERKAWINAN", "KELUARGA",
        "AYAH", "IBU", "PEREKAMAN", "JALAN", "RT", "RW",
    )  # fmt: skip
    for left, right in ((1, 2), (4, 5), (6, 7), (10, 11), (13, 15)):
        grid.merges.append((top - 1, left, top - 1, right))
    number = 0
    for family in village.families:
        for one in family.members:
            number += 1
            mark = (None, "√") if one.sex != MAN else ("√", None)
            serial = (one.birth_date - date(1899, 12, 30)).days
            grid.add(
                number, one.nik, one.kk, one.name, *mark, one.birth_place, serial,
                label("status_perkawinan", one.marital), label("shdk", one.shdk),
                one.father_name, one.mother_name, one.enrolment, one.address, one.rt, one.rw,
            )  # fmt: skip
    grid.add(None, "JUMLAH", None, number)


def _carried(grid: Grid, village: Village) -> None:
    """The family card stands once, merged over its members; place and day share a cell."""
    _title(grid, village)
    grid.add(
        "No.", "No. Kartu Keluarga", "Alamat", "RT/RW", "Nama Anggota Keluarga", "No. NIK",
        "L/P", "Tempat, Tgl Lahir", "Hub. Kel", "Kawin", "Agama", "Ket. Rekam", "Status Penduduk",
    )  # fmt: skip
    number = 0
    for family in village.families:
        for place, one in enumerate(family.members):
            number += 1
            born = one.birth_date
            day = f"{born.day} {MONTHS.split()[born.month - 1]} {born.year}"
            first = place == 0
            grid.add(
                number, one.kk if first else None, one.address if first else None,
                f"{one.rt}/{one.rw}" if first else None, one.name, one.nik,
                "L" if one.sex == MAN else "P", f"{one.birth_place}, {day}",
                "KK" if one.shdk == HEAD else label("shdk", one.shdk),
                label("status_perkawinan_lama", FACE[one.marital]), label("agama", one.religion),
                one.enrolment.replace("BELUM", "BLM"), LIVING_WORDS[one.residence],
            )  # fmt: skip


def _plain(grid: Grid, village: Village) -> None:
    """What a clerk types: few columns, short words, years of two digits."""
    grid.add(
        "NAMA", "NIK", "NO KK", "TTL", "JK Lk/Pr", "SHDK", "Kawin/Belum", "KTPEL", "DUSUN", "RT"
    )
    for one in village.people:
        grid.add(
            one.name, one.nik, one.kk, f"{one.birth_place} / {one.birth_date:%d-%m-%y}",
            "Lk" if one.sex == MAN else "Pr", label("shdk", one.shdk),
            MARITAL_SHORT[one.marital],
            one.enrolment, one.dusun, str(int(one.rt)),
        )  # fmt: skip


VARIANTS: dict[str, Callable[[Grid, Village], None]] = {
    "labelled": _labelled,
    "blocks": _blocks,
    "bare": _bare,
    "merged": _merged,
    "carried": _carried,
    "plain": _plain,
}
"""How a family stands in the book: see the function of each."""
