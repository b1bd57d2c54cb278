"""From a file of a telephone to a sealed copy beside the database."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image, ImageFilter

from field_client.app import House
from field_client.attachments import attaching
from field_client.desk import Wanted
from field_client.vault.blobs import FOLDER
from field_client.vault.saving import Saving
from models.changes import PREVIEW_BYTES_MAX
from models.pictures import Copy
from models.pictures import copies as copying
from models.pictures.copies import BYTES_MAX, copies
from models.problems import Problem
from sync.transfer import manifest_of
from tests import pictures
from tests.field import Hands, again, example, laptop
from tests.pictures import CANARY, jpeg, page, pdf, photo, portrait, put, snap

SERVICE = "ktp-new-enrolment"


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def colour(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found = image.convert("RGB").getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def only(data: bytes, kind: str = "page"):
    (copy,) = copies(data, "foto.jpg", kind)
    return copy


# -- working copies


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo", snap),
        ("clean scan as PNG", lambda: pictures.written(page(), "PNG")),
        ("iPhone", pictures.iphone_snap),
        ("48 megapixels", lambda: jpeg(photo().resize((6000, 8000)), 80)),
        ("with transparency", lambda: pictures.written(page().convert("RGBA"), "PNG")),
        ("for print", lambda: pictures.written(page().convert("CMYK"), "JPEG")),
        ("fax", lambda: pictures.written(page().convert("1"), "PNG")),
    ],
)
def test_a_page_is_legible_and_small_whatever_it_came_as(name, data):
    copy = only(data())
    image = opened(copy.data)
    short, long = sorted(image.size)
    assert image.format == "WEBP"
    assert short >= 1240, "A4 at 150 dots per inch"
    assert long >= 1754
    assert long <= 2480
    assert (copy.width, copy.height) == image.size
    assert len(copy.data) <= BYTES_MAX["page"] == 350_000
    assert len(copy.preview) <= max(2500, len(copy.data) * 0.04) <= PREVIEW_BYTES_MAX + 2000
    assert max(opened(copy.preview).size) >= 200
    assert copy.hints == ()


def test_a_wide_photograph_keeps_enough_of_its_short_side():
    wide = photo().crop((0, 0, 3024, 1701))
    copy = only(jpeg(wide))
    assert min(copy.width, copy.height) >= 1240


def test_a_page_of_nothing_but_grain_still_fits():
    noise = Image.effect_noise((2000, 2800), 120).convert("RGB")
    assert len(only(jpeg(noise)).data) <= BYTES_MAX["page"]


def test_a_portrait_is_small_and_sharp():
    copy = only(jpeg(portrait()), "portrait")
    assert len(copy.data) <= BYTES_MAX["portrait"] == 150_000
    assert (copy.width, copy.height) == (900, 1200)
    assert copy.hints == ()
    red, green, _ = colour(opened(copy.data), 20, 20)
    assert red > 150 > 60 > green, "the colour of the wall tells the year of birth"


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_stands_upright_however_the_telephone_was_held(turn):
    """EXIF says how to turn it; the copy is turned and says nothing."""
    upright = Image.new("RGB", (1800, 2400), "white")
    upright.paste((200, 20, 20), (0, 0, 1800, 400))  # red above
    upright.paste((20, 20, 200), (0, 0, 300, 2400))  # blue at the left
    undo = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }[turn]  # fmt: skip
    held = upright if undo is None else upright.transpose(undo)
    image = opened(only(jpeg(held, turn=turn)).data).convert("RGB")
    assert image.height > image.width
    top, left = colour(image, image.width * 3 // 4, 50), colour(image, 50, image.height - 99)
    assert top[0] > 150 > top[2]
    assert left[2] > 150 > left[0]


@pytest.mark.parametrize("make", [snap, pictures.iphone_snap, lambda: pdf(page(1), page(2))])
def test_nothing_but_pixels_is_in_a_copy(make):
    """Where, when, with what and by whom a picture was taken stays out."""
    for copy in copies(make(), "foto", "page"):
        for data in (copy.data, copy.preview):
            image = opened(data)
            assert not image.getexif()
            assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)
            assert CANARY.encode() not in data
            assert b"EXIF" not in data
            assert b"XMP" not in data


def test_each_page_of_a_pdf_becomes_a_copy():
    found = copies(pdf(page(1), page(2), page(3)), "kk.pdf", "page")
    assert [(c.page, c.pages) for c in found] == [(1, 3), (2, 3), (3, 3)]
    assert len({c.data for c in found}) == 3
    assert all(min(c.width, c.height) >= 1240 for c in found)


# -- is it good enough?


@pytest.mark.parametrize(
    ("data", "kind", "hints"),
    [
        (lambda: photo().point(lambda v: v * 0.2), "page", {"attachment.dark"}),
        (lambda: photo().point(lambda v: v * 0.5), "page", set()),
        (lambda: photo().filter(ImageFilter.GaussianBlur(5)), "page", {"attachment.blurred"}),
        (lambda: photo().filter(ImageFilter.GaussianBlur(15)), "page", {"attachment.blurred"}),
        (
            lambda: pictures.grainy(photo().filter(ImageFilter.GaussianBlur(10)), 9, 3),
            "page",
            {"attachment.blurred"},
        ),
        (lambda: photo().resize((600, 800)), "page", {"attachment.small"}),
        (lambda: page().filter(ImageFilter.GaussianBlur(6)), "page", {"attachment.blurred"}),
        (
            lambda: portrait().filter(ImageFilter.GaussianBlur(4)),
            "portrait",
            {"attachment.blurred"},
        ),
        (lambda: portrait().resize((300, 400)), "portrait", {"attachment.small"}),
        (lambda: portrait().point(lambda v: v * 0.3), "portrait", {"attachment.dark"}),
    ],
)
def test_what_may_not_be_readable_is_said(data, kind, hints):
    assert set(only(jpeg(data()), kind).hints) == hints


@pytest.mark.parametrize("seed", [2, 3])
def test_good_pictures_are_left_in_peace(seed):
    assert only(snap(seed)).hints == ()
    assert only(jpeg(portrait(seed)), "portrait").hints == ()


# -- bad files


def bomb() -> bytes:
    return pictures.written(Image.new("1", (12_000, 12_000)), "PNG")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda: b"", "attachment.kind"),
        (lambda: b"GIF89a" + b"\0" * 500, "attachment.kind"),
        (lambda: b"<html>Tagihan</html>", "attachment.kind"),
        (lambda: b"MZ" + b"\0" * 5000, "attachment.kind"),
        (lambda: snap()[:300_000], "attachment.broken"),
        (lambda: snap()[:20], "attachment.broken"),
        (lambda: pictures.written(page(), "PNG")[:60_000], "attachment.broken"),
        (lambda: pictures.iphone_snap()[:90_000], "attachment.broken"),
        (lambda: pdf(page())[:90_000], "attachment.broken"),
        (lambda: b"%PDF-1.7\n" + os.urandom(3000), "attachment.broken"),
        (lambda: b"\xff\xd8\xff" + os.urandom(3000), "attachment.broken"),
        (lambda: jpeg(photo().crop((0, 0, 8, 8))), "attachment.broken"),
        (bomb, "attachment.pixels"),
        (lambda: pdf(*[page().resize((400, 566))] * 11), "attachment.pages"),
        (pictures.locked_pdf, "attachment.locked"),
    ],
)
def test_a_bad_file_is_refused_in_words(data, code):
    with pytest.raises(Problem) as refused:
        copies(data(), "KK keluarga.jpg", "page")
    assert refused.value.code == code
    assert "KK keluarga.jpg" in refused.value.words("id")


def refusal(data: bytes) -> Problem | None:
    try:
        copies(data, "rusak", "page")
    except Problem as problem:
        return problem
    return None


def test_a_flipped_byte_anywhere_gives_a_copy_or_a_refusal():
    """Never another exception, whatever the decoders think of it."""
    small = {
        "jpeg": jpeg(photo().resize((150, 200))),
        "png": pictures.written(page().resize((200, 283)), "PNG"),
        "heic": pictures.heic(photo().resize((150, 200))),
        "pdf": pdf(page().resize((200, 283))),
    }
    refused = 0
    for data in small.values():
        for n in range(16):
            damaged = bytearray(data)
            damaged[(n * 7919) % len(data)] ^= 0xFF
            refused += refusal(bytes(damaged)) is not None
    assert refused


# -- at the desk


@pytest.fixture
def house(tmp_path):
    with laptop(tmp_path / "data") as found:
        yield found


def request(house: House, service: str = SERVICE):
    row = example(service)
    wanted = Wanted(service, row["answers"], row["documents"], row["reasons"])
    (taken,) = house.desk.submit(house.desk.prepare(wanted))
    return house.desk.open(taken.record)


def shown(house: House, sheet):
    return house.desk.open(sheet.record)


def test_a_photograph_is_put_to_a_document(house, tmp_path):
    sheet = request(house)
    before = house.store.log().seq
    path = put(tmp_path, "foto kk.jpg", snap())
    (made,) = house.desk.attach(sheet, "kk", [path])
    assert made.file.unit == "document.KK"
    assert house.store.log().seq == before + 1
    sheet = shown(house, sheet)
    ((file, stored),) = house.desk.files(sheet)
    assert file == made.file
    assert (stored.state, stored.percent, stored.lane) == ("waiting", 0, 3)
    assert "KK" in sheet.documents
    data = house.desk.picture(sheet, file.blob.hex()[:8])
    assert manifest_of(data).blob == file.blob
    assert opened(data).format == "WEBP"
    assert house.store.attached.left().files == 2, "the paper and its preview"


def test_a_form_with_a_signature_field_takes_a_scan_there(house, tmp_path):
    sheet = request(house)
    path = put(tmp_path, "f102.pdf", pdf(page(1), page(2)))
    made = house.desk.attach(sheet, "card.signature", [path])
    assert [(m.file.page, m.file.pages) for m in made] == [(1, 2), (2, 2)]
    sheet = shown(house, sheet)
    assert sorted(sheet.answers["card.signature"]) == sorted(m.file.blob.hex() for m in made)


def test_the_queue_photo_is_a_portrait(house, tmp_path):
    sheet = request(house)
    (made,) = house.desk.attach(
        sheet, "ktp_enrolment_queue.photo", [put(tmp_path, "wajah.jpg", jpeg(portrait()))]
    )
    assert made.file.kind == "portrait"
    assert made.file.size <= 150_000


def test_a_place_that_does_not_exist_is_refused_with_those_that_do(house, tmp_path):
    sheet = request(house)
    path = put(tmp_path, "a.jpg", snap())
    for field in ("applicant.name", "no.such", "document.", ""):
        with pytest.raises(Problem) as refused:
            house.desk.attach(sheet, field, [path])
        assert refused.value.code == "attachment.field"
        assert "card.signature" in refused.value.words("id")


def test_one_bad_file_of_several_attaches_none(house, tmp_path):
    sheet = request(house)
    good = put(tmp_path, "a.jpg", snap())
    with pytest.raises(Problem, match=r"attachment\.broken"):
        house.desk.attach(sheet, "KK", [good, put(tmp_path, "b.jpg", snap(2)[:9999])])
    with pytest.raises(Problem, match=r"file\.unreadable"):
        house.desk.attach(sheet, "KK", [good, tmp_path / "tidak ada.jpg"])
    assert house.desk.files(shown(house, sheet)) == []
    assert not list((tmp_path / "data" / FOLDER).glob("*"))


def test_the_same_picture_again_changes_nothing(house, tmp_path):
    sheet = request(house)
    path = put(tmp_path, "a.jpg", snap())
    house.desk.attach(sheet, "KK", [path])
    seq = house.store.log().seq
    with pytest.raises(Problem, match=r"attachment\.twice"):
        house.desk.attach(shown(house, sheet), "KK", [path])
    assert house.store.log().seq == seq


def test_a_wrong_picture_is_taken_out_again(house, tmp_path):
    sheet = request(house)
    (made,) = house.desk.attach(sheet, "KK", [put(tmp_path, "a.jpg", snap())])
    house.desk.detach(shown(house, sheet), made.file.blob.hex()[:6], "orang lain")
    assert house.desk.files(shown(house, sheet)) == []
    with pytest.raises(Problem, match=r"attachment\.none"):
        house.desk.detach(shown(house, sheet), made.file.blob.hex()[:6])


def test_a_document_has_room_for_ten_pages(house, tmp_path, monkeypatch):
    sheet = request(house)
    quick = iter(range(100))

    def copied(_image, page, pages, _name, kind):
        data = f"data {next(quick)}".encode()
        return Copy(data, b"preview", kind, page, pages, 1300, 1800, ())

    monkeypatch.setattr(copying, "_copy", copied)
    path = put(tmp_path, "a.pdf", pdf(*[page().resize((80, 113))] * 6))
    house.desk.attach(sheet, "KK", [path])
    with pytest.raises(Problem, match=r"attachment\.too_many"):
        house.desk.attach(shown(house, sheet), "KK", [path])
    assert len(house.desk.files(shown(house, sheet))) == 6


def test_a_full_disk_attaches_nothing_and_says_so(house, tmp_path, monkeypatch):
    sheet = request(house)
    path = put(tmp_path, "a.jpg", snap())

    def full(*_: object) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patched:
        patched.setattr("field_client.vault.files.write_all", full)
        with pytest.raises(Problem, match=r"disk\.full"):
            house.desk.attach(sheet, "KK", [path])
    assert house.desk.files(shown(house, sheet)) == []
    house.desk.attach(shown(house, sheet), "KK", [path])
    assert len(house.desk.files(shown(house, sheet))) == 1


def test_no_file_on_the_disk_shows_anything_of_the_picture(house, tmp_path):
    """Also not for a moment: what is written is looked at while it is written."""
    sheet = request(house)
    secret = page(9)
    path = put(tmp_path, "a.jpg", jpeg(secret))
    (made,) = house.desk.attach(sheet, "KK", [path])
    data = house.desk.picture(shown(house, sheet), made.file.blob.hex())
    pieces = [data[i : i + 24] for i in range(100, len(data) - 24, 997)]
    seen = 0
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            kept = file.read_bytes()
            seen += len(kept)
            assert b"WEBP" not in kept
            assert CANARY.encode() not in kept
            assert not any(piece in kept for piece in pieces), file.name
            assert made.file.blob.hex() not in file.name
    assert seen > len(data)


def test_a_copy_is_whole_after_the_laptop_is_opened_again(tmp_path):
    hands = Hands()
    with laptop(tmp_path / "data", hands) as house:
        sheet = request(house)
        (made,) = house.desk.attach(sheet, "KK", [put(tmp_path, "a.jpg", snap())])
    folder = tmp_path / "data" / FOLDER
    (folder / "0123456789.ab12.tmp").write_bytes(b"half")
    (folder / "stranger").write_bytes(b"x")
    os.utime(folder / "stranger", (hands.at - 40 * 86_400,) * 2)
    with again(tmp_path / "data", hands) as house:
        sheet = shown(house, sheet)
        assert manifest_of(house.desk.picture(sheet, made.file.blob.hex())).blob == made.file.blob
        assert len(list(folder.iterdir())) == 2, "what a kill left behind is gone"


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_damaged_copy_is_said_and_never_shown(house, tmp_path, harm):
    sheet = request(house)
    (made,) = house.desk.attach(sheet, "KK", [put(tmp_path, "a.jpg", snap())])
    path = house.desk.blobs.path(made.file.blob)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes(data) if harm == "flip" else bytes(data[:5000]))
    with pytest.raises(Problem, match=r"blob\.damaged"):
        house.desk.picture(shown(house, sheet), made.file.blob.hex())


def test_files_of_another_vault_do_not_open(house, tmp_path):
    sheet = request(house)
    (made,) = house.desk.attach(sheet, "KK", [put(tmp_path, "a.jpg", snap())])
    from field_client.vault.blobs import Blobs

    other = Blobs(tmp_path / "data", os.urandom(32))
    assert other.path(made.file.blob) != house.desk.blobs.path(made.file.blob)
    house.desk.blobs.path(made.file.blob).rename(other.path(made.file.blob))
    with pytest.raises(Problem, match=r"blob\.damaged"):
        other.whole(made.file.blob, made.file.size)


def test_what_was_withdrawn_takes_no_files(house, tmp_path):
    sheet = request(house)
    house.desk.withdraw(sheet, "batal")
    with pytest.raises(Problem, match=r"request\.closed"):
        house.desk.attach(shown(house, sheet), "KK", [put(tmp_path, "a.jpg", snap())])


def test_a_file_goes_to_another_request_wholly_or_not_at_all(house, tmp_path, monkeypatch):
    wrong, right = request(house), request(house, "village-domicile-letter")
    (made,) = house.desk.attach(wrong, "KK", [put(tmp_path, "a.jpg", snap())])
    name, append = made.file.blob.hex(), Saving.append

    def killed(saving, change):
        if change.record == wrong.record:
            raise KeyboardInterrupt
        return append(saving, change)

    with monkeypatch.context() as patched:
        patched.setattr(Saving, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            attaching.move(house.desk, shown(house, wrong), name, right)
    assert [len(house.desk.files(shown(house, one))) for one in (wrong, right)] == [1, 0]
    with house.store.engine.writing() as connection:
        connection.execute("update files set state = 'gone'")  # its days here are over
    house.desk.blobs.path(made.file.blob).unlink()
    attaching.move(house.desk, shown(house, wrong), name, right)
    assert [len(house.desk.files(shown(house, one))) for one in (wrong, right)] == [0, 1]
    assert {row[0] for row in house.store.engine.read("select record from files")} == {right.record}
    house.desk.withdraw(shown(house, right), "batal")
    with pytest.raises(Problem, match=r"request\.closed"):
        attaching.move(house.desk, shown(house, right), name, shown(house, wrong))
    assert house.desk.files(shown(house, wrong)) == [], "what is closed gives nothing away"
