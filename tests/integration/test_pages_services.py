"""Every service of the catalogue can be taken in through the pages; none is drawn by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from field_client.folder import open_folder
from models import typed
from models.fields import split_row
from models.pages import topics
from models.services import Service, catalogue
from tests.field import Hands
from tests.pages import Browser, Sent, pages

SLUGS = catalogue().slugs


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with pages(tmp_path_factory.mktemp("laptop"), Hands()) as found:
        found.unlock()
        yield found


def flat(service: Service) -> dict[str, Any]:
    answers = msgspec.to_builtins(service.example.answers)
    return typed.flatten(service.plan, answers, lambda *_, **__: None)


def fill(form: Sent, answers: dict[str, Any], section: str, row: int) -> None:
    """Type the answers of one page into its form."""
    for key, value in answers.items():
        path, at = split_row(key)
        if (path.partition(".")[0], at) != (section, row):
            continue
        name = f"0|{key}"
        names = form.names()
        if f"{name}|day" in names:
            year, month, day = str(value).removesuffix("~").split("-")
            for part, text in (("day", day), ("month", month), ("year", year)):
                form.put(f"{name}|{part}", text)
            if str(value).endswith("~"):
                form.put(f"{name}|about", "1")
        elif isinstance(value, dict):
            for part, text in value.items():
                form.put(f"{name}|{part}", str(text))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for i, person in enumerate(value):
                for part, text in person.items():
                    form.put(f"{name}|{i}|{part}", str(text))
        elif isinstance(value, list):
            form.put(name, *map(str, value))
        elif name in names:
            said = {True: "yes", False: "no"}
            form.put(name, said[value] if isinstance(value, bool) else str(value))


@pytest.mark.parametrize("slug", SLUGS)
def test_a_service_is_taken_in_through_the_pages(browser: Browser, slug: str) -> None:
    service, answers = catalogue().service(slug), flat(catalogue().service(slug))
    desk = browser.counter.desk
    browser.go("/serve/all")
    form = browser.form("/drafts")
    form.put("service", slug)
    browser.send(form)
    base = browser.path
    name = bytes.fromhex(base.rpartition("/")[2])
    browser.go(f"{base}/documents")
    form = browser.form()
    form.put("paper", *service.example.documents)
    browser.send(form)
    seen: set[str] = set()
    while True:
        folder = open_folder(desk, name)
        looked = topics.look(folder)
        listed = topics.topics_of(folder, looked, "id")
        wanted = rows_of(answers)
        extra = [t for t in listed if t.address not in seen]
        if not extra:
            missing = [
                (section, row) for section, row in wanted
                if f"0/{section}/{row}" not in seen and section in service.plan.blocks and row
            ]  # fmt: skip
            if not missing:
                break
            section, row = missing[0]
            address = f"0/{section}/{row}"
        else:
            address, section, row = extra[0].address, extra[0].section, extra[0].row
        seen.add(address)
        browser.go(f"{base}/{address}")
        assert len(browser.page.content) <= 40_000, address
        form = browser.form()
        fill(form, answers, section, row)
        browser.send(form, do="later")
    browser.go(f"{base}/check")
    form = browser.form()
    for key, reason in service.example.reasons.items():
        if f"why|{key}" in form.names():
            form.put(f"why|{key}", reason)
    form.put("declared", "yes")
    for field in sorted(form.names()):
        if field.startswith("why|") and not dict(form.fields).get(field):
            form.put(field, "sudah diperiksa")
    browser.send(form)
    assert browser.path.endswith("/receipt"), browser.text
    page = desk.open(bytes.fromhex(browser.path.split("/")[2]))
    example = service.check(
        answers, service.example.documents, service.example.reasons, today=desk.today()
    )
    assert page.answers == example.answers
    assert set(page.documents) == set(example.documents)


def rows_of(answers: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted({(split_row(k)[0].partition(".")[0], split_row(k)[1]) for k in answers})
