"""The pages of an invented laptop, asked as a browser without script asks them: forms are read out
of the page that was drawn, filled in, and sent back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
from httpx import Response
from litestar.testing import TestClient

from field_client.pages.app import behind_door
from field_client.pages.counter import Counter
from field_client.pages.door import Secrets
from field_client.settings import FieldSettings, Place
from tests.applications import for_laptop
from tests.field import Hands, keys, laptop
from tests.vaults import PASSPHRASE

PORT = 8272
ORIGIN = f"http://127.0.0.1:{PORT}"


class Sent(msgspec.Struct):
    """A form as a browser would send it. boxes: name -> values that could be ticked."""

    action: str
    method: str
    fields: list[tuple[str, str]]
    boxes: dict[str, list[str]]

    def names(self) -> set[str]:
        """Every input that could be filled."""
        return {name for name, _ in self.fields} | set(self.boxes)

    def put(self, name: str, *values: str) -> None:
        """Type into an input, or tick boxes."""
        assert name in self.names(), (name, sorted(self.names()))
        self.fields = [pair for pair in self.fields if pair[0] != name]
        self.fields += [(name, value) for value in values]

    def fields_as_dict(self) -> dict[str, list[str]]:
        """Name -> values, as clients want them."""
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return found


def forms_of(text: str) -> list[Sent]:
    """The forms of a page."""
    found = _Forms()
    found.feed(text)
    return found.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Sent] = []
        self._select = self._area = ""
        self._text: list[str] = []
        self._chosen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Sent(given.get("action", ""), given.get("method", "get"), [], {}))
        form = self.forms[-1] if self.forms else None
        if form is None:
            return
        name = given.get("name", "")
        match tag:
            case "input" if given.get("type") in ("radio", "checkbox"):
                form.boxes.setdefault(name, []).append(given.get("value", "on"))
                if "checked" in given:
                    form.fields.append((name, given.get("value", "on")))
            case "input" if name:
                form.fields.append((name, given.get("value", "")))
            case "select":
                self._select, self._chosen = name, ""
            case "option" if "selected" in given:
                self._chosen = given.get("value", "")
            case "textarea":
                self._area, self._text = name, []

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.forms[-1].fields.append((self._select, self._chosen))
        if tag == "textarea":
            text = "".join(self._text).removeprefix("\n")
            self.forms[-1].fields.append((self._area, text))
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)


class Browser:
    """A browser without script at the pages of one laptop."""

    def __init__(self, client: TestClient[Any], counter: Counter, own: Secrets) -> None:
        self.client = client
        self.counter = counter
        self.own = own
        self.page: Response

    def go(self, path: str, status: int = 200) -> Response:
        """Open an address, following where it leads."""
        self.page = self.client.get(path, follow_redirects=True)
        assert self.page.status_code == status, (path, self.page.status_code, self.text)
        return self.page

    def form(self, action: str = "") -> Sent:
        """The main form of the page, or the one that goes to `action`."""
        found = forms_of(self.page.text)
        fitting = [f for f in found if (f.action == action if action else _is_main(f))]
        assert fitting, (action, [f.action for f in found], self.text)
        return fitting[0]

    def send(self, form: Sent, status: int = 200, **more: str) -> Response:
        """Send a form, following where it leads."""
        data = form.fields_as_dict() | {name: [value] for name, value in more.items()}
        self.page = self.client.post(
            form.action, data=data, headers={"Origin": ORIGIN}, follow_redirects=True
        )
        assert self.page.status_code == status, (form.action, self.page.status_code, self.text)
        return self.page

    def unlock(self, operator: str = "sari", pin: str = PASSPHRASE) -> None:
        """From the first visit to the home page."""
        self.go(f"/enter?key={self.own.invite()}")
        self.go(f"/unlock?who={operator}")
        form = self.form("/unlock")
        form.put("pin", pin)
        self.send(form)

    @property
    def path(self) -> str:
        """Where it stands."""
        return self.page.url.path

    @property
    def text(self) -> str:
        """The words of the page, without its marks."""
        return plain(self.page.text)


def plain(page: str) -> str:
    """The words of a drawn page, without its marks."""
    body = re.sub(r"<(style|script|svg).*?</\1>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def _is_main(form: Sent) -> bool:
    return form.method == "post" and form.action not in ("/language", "/lock", "/unlock")


@contextmanager
def pages(folder: Path, hands: Hands | None = None, **settings: Any) -> Iterator[Browser]:
    """The pages of a freshly enrolled laptop. Its background sync is not started."""
    hands = hands or Hands()
    laptop(folder, hands).close()
    with served(folder, hands, **settings) as browser:
        yield browser


@contextmanager
def served(folder: Path, hands: Hands, **settings: Any) -> Iterator[Browser]:
    """The pages over a laptop that is enrolled already."""
    place = Place(folder, FieldSettings(**settings))
    counter, own = Counter(place, hands.clock(), keys(folder)), Secrets()
    counter.syncing.start = lambda house: None  # type: ignore[method-assign]
    with (
        for_laptop() as app,
        TestClient(behind_door(app, counter, own, PORT), base_url=ORIGIN) as client,
    ):
        yield Browser(client, counter, own)
