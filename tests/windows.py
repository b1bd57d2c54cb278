"""Central's pages, asked as a browser without script asks them: one window for each person, forms
read out of the page that was drawn, filled in, and sent back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from httpx import Response

from tests.pages import Sent, forms_of, plain
from tests.pusat import PASSWORD, Pusat, pusat

ORIGIN = "http://testserver.local"
OURS = {"Origin": ORIGIN}
ASIDE = ("/language", "/sign-out", "/search", "/next")
"""Forms that every page has."""


class Window:
    """One person's browser, with cookies of its own, at the pages of a central."""

    def __init__(self, office: Pusat) -> None:
        self.office = office
        self.client = office.client
        self.cookies: dict[str, str] = {}
        self.page: Response

    def go(self, path: str, status: int = 200, **headers: str) -> Response:
        """Open an address, following where it leads."""
        return self._follow(self._send("GET", path, headers=headers), status)

    def form(self, action: str = "") -> Sent:
        """The main form of the page, or the one that goes to `action`."""
        found = forms_of(self.page.text)
        fitting = [f for f in found if (f.action == action if action else f.action not in ASIDE)]
        assert fitting, (action, [f.action for f in found], self.text)
        return fitting[0]

    def send(self, form: Sent, status: int = 200, **more: str | list[str]) -> Response:
        """Send a form, following where it leads. more: fields beside those of the page."""
        given = {name: [v] if isinstance(v, str) else v for name, v in more.items()}
        data = form.fields_as_dict() | given
        if form.method == "get":
            return self._follow(self._send("GET", form.action, params=data), status)
        return self._follow(self._send("POST", form.action, data=data, headers=OURS), status)

    def post(self, path: str, status: int = 200, **fields: str | list[str]) -> Response:
        """Send a form that the page before had, by its address, filled in with `fields`."""
        return self.send(self.form(path), status, **fields)

    def sign_in(self, login: str, password: str = PASSWORD) -> Response:
        """From the sign-in page to the desk."""
        self.go("/sign-in")
        return self.post("/sign-in", login=login, password=password)

    def sign_in_refused(self, login: str, password: str) -> Response:
        """Try to sign in where it must not work."""
        self.go("/sign-in")
        form = self.form("/sign-in")
        given = form.fields_as_dict() | {"login": [login], "password": [password]}
        answer = self._send("POST", "/sign-in", data=given, headers=OURS)
        assert answer.status_code in (403, 422, 429), (answer.status_code, plain(answer.text))
        return answer

    def _send(self, method: str, path: str, **options: Any) -> Response:
        self.client.cookies.clear()
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": kept} | options.pop("headers", {})
        answer = self.client.request(
            method, path, headers=headers, follow_redirects=False, **options
        )
        self.client.cookies.clear()
        for given in answer.headers.get_list("set-cookie"):
            for name, one in SimpleCookie(given).items():
                self.cookies.pop(name, None)
                if one["max-age"] != "0":
                    self.cookies[name] = one.value
        return answer

    def _follow(self, answer: Response, status: int) -> Response:
        for _ in range(5):
            if answer.status_code != 303:
                break
            answer = self._send("GET", answer.headers["location"])
        self.page = answer
        assert answer.status_code == status, (answer.url, answer.status_code, self.text)
        return answer

    @property
    def path(self) -> str:
        """Where it stands."""
        return str(self.page.url.path)

    @property
    def text(self) -> str:
        """The words of the page, without its marks."""
        return plain(self.page.text)


@contextmanager
def windows(folder: Path, **settings: Any) -> Iterator[Pusat]:
    """A central with everybody in it; `window(office, "rina")` opens it in a browser."""
    with pusat(folder, **settings) as office:
        yield office


def window(office: Pusat, login: str = "") -> Window:
    """A browser, signed in where a login is given."""
    made = Window(office)
    if login:
        made.sign_in(login)
    return made
