"""Bench `field`: the pages on a laptop, in an environment that has only the laptop's program.

The environment is made anew from requirements-field.lock and our own wheel, its bytecode compiled,
as an installer leaves it; `--quick` measures in the developers' environment instead. The laptop has
20,000 requests and a list of 20,000 residents. Time is measured from outside, over the loopback
address: what the program, the framework and the socket cost together. A browser's own drawing is
not in it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

import assets
import home
from bench_parts import median, quantile, rows_of
from bench_vault import change
from field_client.clock import Clock
from field_client.enrolment import enrol
from field_client.settings import FieldSettings, Place
from field_client.vault.keys import Keys
from models.roster.source import RosterSource
from tests.browsing import resident
from tests.field import invitation
from tests.pages import Sent, forms_of
from tests.vaults import CHEAP, PASSPHRASE
from tests.village import PLACE, village

PAGES = (
    "/", "/readiness", "/requests", "/requests?status=submitted", "/serve", "/serve/birth",
    "/serve/all", "/sending", "/notices", "{draft}", "{draft}/documents", "{draft}/check",
    "{draft}/0/applicant/0", "{draft}/0/address/0", "{draft}/0/birth/0", "{draft}/0/parents/0",
    "{member}/0/member/1", "{request}", "{request}/receipt",
)  # fmt: skip
IDLE_SECONDS = 5.0
PYTHONS_OWN = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
"""What Python's own `venv` puts into every environment."""

DIFFERENT = 4000
"""Different requests; more are these again, as other records: to invent them takes longest."""


def run(
    requests: int = 20_000, residents: int = 20_000, rounds: int = 20, quick: bool = False
) -> dict[str, Any]:
    """rounds: how often each page is asked; saves and searches are ten times as many."""
    assets.build()
    with tempfile.TemporaryDirectory(prefix="jb-field-") as name:
        folder = Path(name)
        python = Path(sys.executable) if quick else environment(folder / "env")
        found: dict[str, Any] = {} if quick else {"installed_mb": installed_mb(folder / "env")}
        names = fill(folder / "data", requests, residents)
        starts = [_start(python, folder / "data") for _ in range(1 if quick else 5)]
        found |= {"first_page_s": round(median(starts), 2)}
        with serving(python, folder / "data") as (process, url), Laptop(url) as laptop:
            found |= _measured(laptop, process, names, rounds)
    files = assets.sizes("field")
    found |= {"css_gz_kb": files["field.css"], "js_gz_kb": files["field.js"]}
    return found | {"requests": requests, "residents": residents}


# -- the environment


def environment(folder: Path) -> Path:
    """A laptop's installation: locked packages, our wheel, bytecode. Gives its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / home.interpreter().relative_to(home.VENV)
    pip = [str(python), "-m", "pip", "install", "-q", "--compile", "--disable-pip-version-check"]
    lock = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    lock += ["-r", "requirements-field.lock"]
    subprocess.run([*pip, *lock], cwd=home.ROOT, check=True, stderr=subprocess.DEVNULL)
    wheels = folder / "wheel"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=home.ROOT, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(wheels)
    return python


def installed_mb(folder: Path) -> float:
    """Everything that was installed, bytecode with it, without Python itself and pip."""
    (packages,) = folder.glob("**/site-packages")
    counted = [
        path.stat().st_size
        for path in packages.rglob("*")
        if path.is_file() and path.relative_to(packages).parts[0].split("-")[0] not in PYTHONS_OWN
    ]
    return round(sum(counted) / 1e6, 1)


# -- the laptop


def fill(folder: Path, requests: int, residents: int) -> list[str]:
    """A laptop with that much in it; gives names to search for."""
    clock = Clock()
    token = invitation(expires=clock.read().at + 86400)
    keys = Keys(folder, None)
    house = enrol(Place(folder, FieldSettings()), token, "sari", PASSPHRASE, clock, keys, CHEAP)
    made = [change(row) for row in rows_of(min(requests, DIFFERENT), 1)]
    for start in range(0, requests, 500):
        with house.desk.saving() as (saving, session, _):
            for number in range(start, min(start + 500, requests)):
                again = made[number % len(made)]
                saving.append(msgspec.structs.replace(again, session=session))
    people = village(residents, 3).people
    listed = RosterSource(PLACE, "Kantor desa", date(2026, 10, 1), "Perjanjian", date(2027, 1, 31))
    house.store.roster.take_in(listed, [resident(n, one) for n, one in enumerate(people)])
    house.close()
    chance = Random(5)
    found = [chance.choice(people) for _ in range(400)]
    return [one.nik if chance.random() < 0.3 else one.name.split()[0] for one in found]


class Process:
    """A running `jemput serve`."""

    def __init__(self, python: Path, folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment |= {"JEMPUT_DATA": str(folder), "PYTHONUTF8": "1"}
        command = [str(python), "-c", "from field_client.cli import main; main()"]
        command += ["serve", "--no-browser", "--port", "0", "--json"]
        cwd = None if python != Path(sys.executable) else home.ROOT
        self.began = time.perf_counter()
        self.running = subprocess.Popen(
            command, stdout=subprocess.PIPE, env=environment, text=True, cwd=cwd or folder
        )
        assert self.running.stdout is not None
        self.url = str(json.loads(self.running.stdout.readline())["url"])

    def rss_mb(self) -> float | None:
        """Memory it holds now, None where the system does not tell."""
        try:
            text = Path(f"/proc/{self.running.pid}/status").read_text()
        except OSError:
            return None
        kib = next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))
        return round(int(kib) / 1024, 1)


@contextlib.contextmanager
def serving(python: Path, folder: Path) -> Iterator[tuple[Process, str]]:
    """The pages, stopped afterwards."""
    process = Process(python, folder)
    try:
        yield process, process.url
    finally:
        process.running.terminate()
        process.running.wait()
        if process.running.stdout is not None:
            process.running.stdout.close()


def _start(python: Path, folder: Path) -> float:
    """Seconds from the command to the first page."""
    with serving(python, folder) as (process, url):
        answer = httpx.get(url, follow_redirects=True)
        assert answer.status_code in (200, 403)
        return time.perf_counter() - process.began


class Laptop:
    """A browser at the pages, unlocked."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        self.client = httpx.Client(
            base_url=base, headers={"Origin": base}, follow_redirects=True, timeout=60
        )
        page = self.client.get(url)
        (form,) = [f for f in forms_of(page.text) if f.action == "/unlock"]
        form.put("pin", PASSPHRASE)
        assert self.send(form).url.path == "/"

    def __enter__(self) -> Laptop:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def send(self, form: Sent, to: str = "") -> httpx.Response:
        """Send a form."""
        return self.client.post(to or form.action, data=form.fields_as_dict())

    def form(self, path: str, action: str = "") -> Sent:
        """A form of a page."""
        text = self.client.get(path).text
        return next(f for f in forms_of(text) if f.action == (action or path))

    def begin(self, service: str) -> str:
        """A new draft; its address."""
        form = self.form("/serve/all", "/drafts")
        form.put("service", service)
        return str(self.send(form).url.path)


def _measured(laptop: Laptop, process: Process, names: list[str], rounds: int) -> dict[str, Any]:
    laptop.client.get("/")
    time.sleep(IDLE_SECONDS)
    rss = process.rss_mb()
    draft, member = laptop.begin("birth"), laptop.begin("biodata-wni")
    listed = laptop.client.get("/requests").text
    request = re.findall(r'href="(/requests/[0-9a-f]{32})"', listed)[0]
    times, sizes = [], []
    for _ in range(rounds):
        for page in PAGES:
            path = page.format(draft=draft, member=member, request=request)
            took, answer = _timed(functools.partial(laptop.client.get, path))
            assert answer.status_code == 200, path
            times.append(took)
            sizes.append(len(answer.content))
    saves = _saves(laptop, f"{draft}/0/applicant/0", 10 * rounds)
    searches = _searches(laptop, names[: 10 * rounds])
    return {
        "idle_rss_mb": rss,
        "worked_rss_mb": process.rss_mb(),
        "page_p95_ms": round(quantile(times, 0.95), 1),
        "page_p50_ms": round(median(times), 1),
        "html_kb_max": round(max(sizes) / 1000, 1),
        "save_on_blur_p50_ms": round(median(saves), 1),
        "save_on_blur_p99_ms": round(quantile(saves, 0.99), 1),
        "search_p50_ms": round(median(searches), 1),
        "search_p99_ms": round(quantile(searches, 0.99), 1),
    }


def _timed(call: Callable[[], httpx.Response]) -> tuple[float, httpx.Response]:
    began = time.perf_counter()
    answer = call()
    return (time.perf_counter() - began) * 1000, answer


def _saves(laptop: Laptop, path: str, count: int) -> list[float]:
    """A field after the other is left: each save is durable when it answers."""
    form, found = laptop.form(path), []
    for number in range(count):
        form.put("0|applicant.name", f"Salma Kader {number % 10}")
        took, answer = _timed(lambda: laptop.send(form, f"{path}/save"))
        assert "Tersimpan" in answer.text
        found.append(took)
    return found


def _searches(laptop: Laptop, names: list[str]) -> list[float]:
    """By name and by NIK, in the list and in the requests at once."""
    form, found = laptop.form("/requests"), []
    for name in names:
        form.put("q", name)
        took, answer = _timed(lambda: laptop.send(form))
        assert answer.status_code == 200
        found.append(took)
    return found
