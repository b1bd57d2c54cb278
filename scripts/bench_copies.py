"""What a photographed paper costs: bytes and time of the working copy, and of taking it in.

The sheets are drawn (tests/pictures.py): typed pages, photographed with uneven light and grain, and
a portrait. Legibility is compared by ink: the writing is told from the paper by its surroundings in
the shrunk original and in the copy, and `ink_error` is the share of writing on which both differ.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests' pictures

from PIL import Image, ImageChops, ImageFilter, ImageStat

from models.pictures.copies import COVERS, copies
from sync.messages import Chunk
from sync.transfer import CHUNK_BYTES, manifest_of, split
from tests import pictures
from tests.pictures import jpeg, photo, portrait

FORMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("JPEG", {"quality": 75}),
    ("JPEG", {"quality": 45, "optimize": True, "progressive": True}),
    ("WEBP", {"quality": 60, "method": 4}),
    ("WEBP", {"quality": 50, "method": 4}),
    ("WEBP", {"quality": 30, "method": 4}),
    ("AVIF", {"quality": 45, "speed": 8}),
)
"""What was compared before WebP at 50 was taken."""


def run(sheets: int = 4, size: tuple[int, int] = (3024, 4032), files: int = 20) -> dict[str, Any]:
    """All figures; sizes in kB, times in milliseconds (medians)."""
    found = _copies(sheets, size)
    found |= _forms(photo(1, size))
    found |= _arrivals(files)
    return found


def _copies(sheets: int, size: tuple[int, int]) -> dict[str, Any]:
    pages, faces, times, previews = [], [], [], []
    for seed in range(1, sheets + 1):
        data = jpeg(photo(seed, size))
        began = time.perf_counter()
        (made,) = copies(data, "foto.jpg", "page")
        times.append((time.perf_counter() - began) * 1000)
        pages.append(len(made.data) / 1000)
        previews.append(len(made.preview) / 1000)
        (face,) = copies(jpeg(portrait(seed)), "wajah.jpg", "portrait")
        faces.append(len(face.data) / 1000)
    return {
        "photo_kb": round(len(jpeg(photo(1, size))) / 1000),
        "page_kb": round(statistics.median(pages), 1),
        "page_kb_max": round(max(pages), 1),
        "preview_kb": round(statistics.median(previews), 1),
        "portrait_kb": round(statistics.median(faces), 1),
        "page_ms": round(statistics.median(times)),
    }


def _forms(source: Image.Image) -> dict[str, Any]:
    scale = COVERS["page"].scale(*source.size)
    small = source.resize((round(source.width * scale), round(source.height * scale)))
    found: dict[str, Any] = {}
    for form, options in FORMS:
        began = time.perf_counter()
        data = pictures.written(small, form, **options)
        spent = (time.perf_counter() - began) * 1000
        name = f"{form.lower()}_{options['quality']}"
        with Image.open(io.BytesIO(data)) as back:
            error = _ink_error(small, back)
        found[f"{name}_kb"] = round(len(data) / 1000, 1)
        found[f"{name}_ms"] = round(spent)
        found[f"{name}_ink_error"] = round(error, 3)
    return found


def _ink_error(one: Image.Image, other: Image.Image) -> float:
    ink = [_ink(one), _ink(other)]
    written = ImageStat.Stat(ink[0]).mean[0]
    return ImageStat.Stat(ImageChops.difference(*ink)).mean[0] / max(written, 1e-9)


def _ink(image: Image.Image) -> Image.Image:
    grey = image.convert("L")
    darker = ImageChops.subtract(grey.filter(ImageFilter.BoxBlur(25)), grey)
    return darker.point(lambda value: 255 if value > 22 else 0)


def _arrivals(files: int) -> dict[str, Any]:
    """Chunks taken in one by one at central, each durable before the next."""
    from models.changes import Attached
    from tests.integration.test_arrivals import KK, Place

    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        contents = [os.urandom(100_000) for _ in range(files)]
        for data in contents:
            place.announce(Attached(KK, manifest_of(data).blob, len(data)))
        frames = 0
        began = time.perf_counter()
        for data in contents:
            manifest = manifest_of(data)
            place.take([manifest], [])
            for index, chunk in enumerate(split(data)):
                place.take([], [Chunk(manifest.blob, index * CHUNK_BYTES, chunk)])
            frames += 1 + len(split(data))
        spent = time.perf_counter() - began
        place.registry.close()
    return {
        "arrival_frame_ms": round(spent * 1000 / frames, 2),
        "arrival_mb_per_s": round(sum(map(len, contents)) / spent / 1e6, 2),
    }
