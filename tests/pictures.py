"""Pictures and papers for tests, drawn from nothing: no face and no document of anybody."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from functools import cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

A4 = (2480, 3508)
"""300 dots per inch."""

TEXT = (
    "pemerintah kota tidore kepulauan dinas kependudukan pencatatan sipil surat keterangan nama "
    "tempat tanggal lahir jenis kelamin alamat desa kelurahan kecamatan agama pekerjaan kepala "
    "keluarga nomor berlaku sejak ditetapkan mengetahui petugas saksi orang tua kandung anak "
    "pertama kedua ketiga perempuan laki-laki menikah belum kawin cerai hidup"
)
WORDS = TEXT.split()
CANARY = "KENARI-LAMPIRAN-7431"
GPS, MAKER, ARTIST, COMMENT, TURN = 0x8825, 0x010F, 0x013B, 0x9286, 0x0112


@cache
def page(seed: int = 1, size: tuple[int, int] = A4) -> Image.Image:
    """A typed form on white paper: lines of text, a table, a stamp, a signature."""
    chance = random.Random(seed)
    sheet = Image.new("RGB", A4, "white")
    draw = ImageDraw.Draw(sheet)
    font, small = ImageFont.load_default(44), ImageFont.load_default(30)
    draw.text((500, 180), "KARTU KELUARGA", fill="black", font=ImageFont.load_default(90))
    y = 360
    while y < 2700:
        line = " ".join(chance.choice(WORDS) for _ in range(chance.randrange(7, 13)))
        draw.text((220, y), line[:95], fill=(25, 25, 25), font=chance.choice((font, small)))
        y += 68
    for row in range(8):
        draw.line((220, 2760 + row * 60, 2260, 2760 + row * 60), fill="black", width=3)
        digits = "".join(str(chance.randrange(10)) for _ in range(16))
        draw.text((240, 2766 + row * 60), digits, fill="black", font=small)
    draw.ellipse((1500, 2400, 2000, 2900), outline=(60, 40, 160), width=12)
    points = [(300 + 40 * n, 3350 + chance.randrange(-60, 60)) for n in range(20)]
    draw.line(points, fill=(20, 30, 140), width=7, joint="curve")
    return sheet if size == A4 else sheet.resize(size, Image.Resampling.LANCZOS)


@cache
def photo(seed: int = 1, size: tuple[int, int] = (2268, 3024)) -> Image.Image:
    """The same sheet as a telephone sees it: a little turned, unevenly lit, grainy, soft."""
    sheet = page(seed).resize((size[0] * 9 // 10, size[1] * 9 // 10), Image.Resampling.LANCZOS)
    table = Image.new("RGB", size, (116, 92, 70))
    turned = sheet.rotate(
        1.3, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=(116, 92, 70)
    )
    table.paste(turned, ((size[0] - turned.width) // 2, (size[1] - turned.height) // 2))
    light = Image.linear_gradient("L").resize(size).point(lambda v: 150 + v * 95 // 255)
    lit = ImageChops.multiply(table, Image.merge("RGB", (light, light, light)))
    soft = lit.filter(ImageFilter.GaussianBlur(0.8))
    return grainy(soft, 9, seed)


def grainy(image: Image.Image, sigma: float, seed: int) -> Image.Image:
    """Noise of a small sensor: the mean of four even chances is nearly a bell."""
    state, side = random.Random(seed), 512
    a, b, c, d = (
        Image.frombytes("L", (side, side), state.randbytes(side * side)) for _ in range(4)
    )
    bell = Image.blend(Image.blend(a, b, 0.5), Image.blend(c, d, 0.5), 0.5)
    wide = sigma / (256 / 12**0.5 / 2)  # what one chance spreads, and a mean of four of them
    tile = bell.point([int(128 + (value - 127.5) * wide) for value in range(256)])
    noise = Image.new("L", image.size)
    for x in range(0, image.width, 512):
        for y in range(0, image.height, 512):
            noise.paste(tile, (x, y))
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -128)


@cache
def portrait(seed: int = 1, size: tuple[int, int] = (1200, 1600)) -> Image.Image:
    """Head and shoulders of nobody before a red wall, with hair and cloth to show sharpness."""
    chance = random.Random(seed)
    picture = Image.new("RGB", size, (196, 24, 30))
    draw = ImageDraw.Draw(picture)
    w, h = size
    draw.ellipse((w * 0.1, h * 0.7, w * 0.9, h * 1.4), fill=(40, 44, 70))
    draw.ellipse((w * 0.28, h * 0.16, w * 0.72, h * 0.74), fill=(188, 140, 105))
    for _ in range(900):
        x, y = chance.uniform(0.27, 0.73) * w, chance.uniform(0.12, 0.3) * h
        shade = chance.randrange(10, 50)
        draw.line((x, y, x + chance.uniform(-40, 40), y + 60), fill=(shade,) * 3, width=3)
    for x in (0.42, 0.58):
        draw.ellipse((w * (x - 0.04), h * 0.4, w * (x + 0.04), h * 0.43), fill="white")
        draw.ellipse((w * (x - 0.015), h * 0.402, w * (x + 0.015), h * 0.428), fill=(30, 20, 15))
    draw.arc((w * 0.4, h * 0.52, w * 0.6, h * 0.62), 20, 160, fill=(120, 50, 50), width=9)
    for n in range(60):
        y = h * 0.78 + n * 6
        draw.line((w * 0.15, y, w * 0.85, y), fill=(50, 56, 90), width=2)
    return grainy(picture.filter(ImageFilter.GaussianBlur(1.0)), 5, seed)


def jpeg(image: Image.Image, quality: int = 92, turn: int = 1, canary: bool = True) -> bytes:
    """As a telephone writes it: with place, maker, owner and how it was held. turn: EXIF value."""
    exif = Image.Exif()
    exif[TURN], exif[MAKER] = turn, CANARY
    if canary:
        exif[ARTIST] = CANARY
        exif.get_ifd(GPS).update({1: "N", 2: (0.0, 40.0, 12.0), 3: "E", 4: (127.0, 24.0, 6.0)})
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=quality, exif=exif, comment=CANARY.encode())
    return kept.getvalue()


@cache
def snap(seed: int = 1) -> bytes:
    """A telephone's file of a sheet of paper."""
    return jpeg(photo(seed))


def written(image: Image.Image, form: str, **options: object) -> bytes:
    """The picture in another form of file."""
    kept = io.BytesIO()
    image.save(kept, form, **options)
    return kept.getvalue()


def heic(image: Image.Image, turn: int = 1) -> bytes:
    """As an iPhone writes it."""
    import pillow_heif

    exif = Image.Exif()
    exif[TURN], exif[ARTIST] = turn, CANARY
    kept = io.BytesIO()
    quick = {"preset": "ultrafast"}
    file = pillow_heif.from_pillow(image)
    file.save(kept, quality=70, exif=exif.tobytes(), enc_params=quick)
    return kept.getvalue()


@cache
def iphone_snap() -> bytes:
    """Such a file of a sheet; encoding costs seconds, so there is one."""
    return heic(page(1, (1500, 2122)), turn=6)


def pdf(*pages: Image.Image) -> bytes:
    """A scan of several pages."""
    kept = io.BytesIO()
    first, *others = pages
    first.save(kept, "PDF", resolution=200, save_all=True, append_images=others, title=CANARY)
    return kept.getvalue()


def pdf_bomb(side: int) -> bytes:
    """A page with a black picture of side * side, of which hardly anything is left when packed."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(side * 3)) for _ in range(side)) + packer.flush()
    picture = b"<< /Type /XObject /Subtype /Image /ColorSpace /DeviceRGB /BitsPerComponent 8"
    picture += b" /Width %d /Height %d /Filter /FlateDecode" % (side, side)
    picture += b" /Length %d >>\nstream\n" % len(packed)
    return _pdf_of([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /XObject << /I 5 0 R >> >> >>",
        b"<< /Length 30 >>\nstream\nq 595 0 0 842 0 0 cm /I Do Q \nendstream",
        picture + packed + b"\nendstream",
    ])  # fmt: skip


def _pdf_of(objects: list[bytes], more: bytes = b"") -> bytes:
    """A file of these objects; the first one is its catalog."""
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    start, count = len(body), len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n" % count
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer\n<< /Size %d /Root 1 0 R%s >>\n" % (count, more)
    return body + b"startxref\n%d\n%%%%EOF\n" % start


def locked_pdf() -> bytes:
    """An empty page under a password (standard handler, revision 2), put together by hand."""
    pad = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    ident, flags = b"0123456789abcdef", -4

    def rc4(key: bytes, data: bytes) -> bytes:
        state, j, out = list(range(256)), 0, bytearray()
        for i in range(256):
            j = (j + state[i] + key[i % len(key)]) % 256
            state[i], state[j] = state[j], state[i]
        i = j = 0
        for byte in data:
            i = (i + 1) % 256
            j = (j + state[i]) % 256
            state[i], state[j] = state[j], state[i]
            out.append(byte ^ state[(state[i] + state[j]) % 256])
        return bytes(out)

    secret = (b"rahasia" + pad)[:32]
    owner = rc4(hashlib.md5(secret).digest()[:5], secret)
    key = hashlib.md5(secret + owner + struct.pack("<i", flags) + ident).digest()[:5]
    user = rc4(key, pad)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        b"<< /Filter /Standard /V 1 /R 2 /P %d /O <%s> /U <%s> >>"
        % (flags, owner.hex().encode(), user.hex().encode()),
    ]
    hexed = (ident.hex().encode(), ident.hex().encode())
    return _pdf_of(objects, b" /Encrypt 4 0 R /ID [<%s> <%s>]" % hexed)


def put(folder: Path, name: str, data: bytes) -> Path:
    """Write a file to be attached."""
    path = folder / name
    path.write_bytes(data)
    return path
