"""What the laptop's camera reads by itself."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser

from field_client import receipts
from tests.browsing import CHROMIUM, QUIET, Served
from tests.requests_pages import READY, led

pytestmark = pytest.mark.browser
LETTER = "village-domicile-letter"


def test_a_receipt_is_read_by_the_laptops_camera(
    served: Served, chromium: Browser, tmp_path: Path
) -> None:
    """Chromium's own false camera shows a film of one picture: a receipt's code."""
    film = tmp_path / "receipt.y4m"
    with playing(chromium, film) as browser:
        page = served.enter(browser.new_context(permissions=["camera"]))
        desk = served.counter.desk
        record = led(desk, LETTER, READY)
        shoot(receipts.slip(desk, record, "id").token, film)
        page.goto(f"{served.base}/handover")
        page.click("summary")
        page.click("[data-scan] [data-open]")
        page.wait_for_url(f"**/requests/{record.hex()}/handover")
    assert not served.watched


@contextmanager
def playing(chromium: Browser, film: Path) -> Iterator[Browser]:
    """Another window of the same browser, before whose camera a film is played."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    options = [*QUIET, f"--use-file-for-fake-video-capture={film}"]
    browser = chromium.browser_type.launch(executable_path=found, args=options)
    try:
        yield browser
    finally:
        browser.close()


def shoot(text: str, path: Path) -> None:
    """A code as a film of one picture, 1280 x 720 (YUV4MPEG2, colours at half the size)."""
    out, size = io.BytesIO(), (1280, 720)
    segno.make(text, micro=False).save(out, kind="png", scale=6, border=4)
    code = Image.open(out).convert("RGB")
    picture = Image.new("RGB", size, (90, 96, 90))
    picture.paste(code, ((size[0] - code.width) // 2, (size[1] - code.height) // 2))
    bright, *colours = picture.convert("YCbCr").split()
    planes = [bright, *(one.resize((size[0] // 2, size[1] // 2)) for one in colours)]
    head = b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n" % size
    path.write_bytes(head + b"".join([b"FRAME\n", *(one.tobytes() for one in planes)]))
