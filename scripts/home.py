"""Makes the project's own Python home (`.venv`) from the lock; standard library only.

`ensure()` returns the interpreter of a ready home, building it first where needed; `enter()` goes
on in that interpreter. A second call costs a few milliseconds: a stamp inside `.venv` names the
lock it was built from.

    python3 scripts/home.py        build it, and say where it is
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
STAMP = VENV / "built-from.json"
GUARD = ROOT / ".venv.guard"
OLDEST = (3, 11)
WINDOWS = os.name == "nt"


class NotReady(SystemExit):
    """The home cannot be built here; the text says what is missing and what to do."""


def ensure() -> Path:
    """The interpreter of the project's home, built or renewed from the lock where needed."""
    if sys.version_info < OLDEST:
        raise NotReady(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}."
        )
    wanted = _fingerprints()
    if _built_from() == wanted:
        return interpreter()
    with _only_one():
        built = _built_from()  # another process may have finished meanwhile
        if built != wanted:
            _build(renew_packages=built.get("lock") != wanted["lock"], wanted=wanted)
    return interpreter()


def enter() -> None:
    """Go on inside the home: returns at once there, else runs this very command again in it."""
    python = ensure()
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    command = [str(python), *sys.argv]
    if WINDOWS:  # execv would give the prompt back while the program still runs
        raise SystemExit(subprocess.run(command, env=environment()).returncode)
    sys.stdout.flush()
    os.execve(python, command, environment())


def interpreter() -> Path:
    """Where the home's interpreter is, whether it exists yet or not."""
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def tool(name: str) -> Path:
    """Where a command installed into the home is: `tool("ruff")`."""
    return VENV / (f"Scripts/{name}.exe" if WINDOWS else f"bin/{name}")


def environment() -> dict[str, str]:
    """The environment for programs of the home: bytecode kept, UTF-8 everywhere."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONUTF8": "1", "VIRTUAL_ENV": str(VENV)}


def is_root() -> bool:
    """Whether this process may install system packages; never on Windows."""
    return sys.platform != "win32" and os.geteuid() == 0


def need_command(command: str, package: str) -> None:
    """Make sure a system command is there, installing its Debian package as root."""
    if shutil.which(command) is None:
        _install_system(package)


def say(line: str) -> None:
    """One plain line of progress."""
    print(line, file=sys.stderr, flush=True)


def _build(*, renew_packages: bool, wanted: dict[str, str]) -> None:
    started = time.monotonic()
    if not LOCK.exists():
        raise NotReady(f"{LOCK.name} is missing: this copy of the project is not complete.")
    if not _answers():
        _make_venv()
        renew_packages = True
    STAMP.unlink(missing_ok=True)  # from here until the end, the home is not whole
    if renew_packages:
        count = sum("==" in line for line in LOCK.read_text(encoding="utf-8").splitlines())
        say(f"home: installing up to {count} packages from {LOCK.name} (hashes checked)")
        _pip("--require-hashes", "--only-binary", ":all:", "-r", str(LOCK))
    say("home: installing this project itself")
    _pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    if renew_packages:
        _compile()
    STAMP.write_text(json.dumps(wanted), encoding="utf-8")
    say(f"home: ready in {time.monotonic() - started:.0f} s: {VENV}")


def _make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        _install_system(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    if VENV.exists():
        say("home: the old .venv does not answer and is replaced")
        shutil.rmtree(VENV)
    say(f"home: making {VENV} with Python {sys.version.split()[0]}")
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, env=environment()
    )
    if made.returncode != 0:
        raise NotReady(f"home: no virtual environment could be made:\n{made.stdout}{made.stderr}")


def _pip(*arguments: str) -> None:
    """`pip install`, one line of progress a package, the whole output only if it fails."""
    command = [str(interpreter()), "-m", "pip", "install", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", *arguments]
    heard: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment(),
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            heard.append(line)
            if line.startswith("Collecting "):
                say(f"home:   {line.split()[1]}")
            elif line.startswith("Installing collected"):
                say("home:   all fetched, unpacking")
    if running.returncode != 0:
        raise NotReady(
            "home: pip could not install the packages. Is the package registry reachable?\n"
            + "".join(heard[-40:])
        )


def _compile() -> None:
    """Bytecode for every installed package: without it a start takes twice as long."""
    say("home: compiling bytecode")
    finder = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [str(interpreter()), "-c", finder], capture_output=True, text=True, check=True
    ).stdout.strip()
    # Some packages ship templates that are no Python; compileall's complaint is no failure.
    subprocess.run(
        [str(interpreter()), "-m", "compileall", "-q", "-q", "-j", "0", packages],
        env=environment(),
        check=False,
    )


def _install_system(package: str) -> None:
    """Install a Debian package as root; elsewhere say what is missing."""
    apt = shutil.which("apt-get")
    if apt is None or not is_root():
        raise NotReady(
            f"home: the system package {package} is missing. Install it "
            f"(on Debian: apt-get install {package}) and run this again."
        )
    say(f"home: installing the system package {package}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "-q", "update"], env=quiet, stdout=subprocess.DEVNULL, check=False)
    done = subprocess.run(
        [apt, "-q", "install", "-y", "--no-install-recommends", package],
        env=quiet,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotReady(f"home: {package} could not be installed:\n{done.stdout}{done.stderr}")


def _answers() -> bool:
    """Whether an interpreter of the right version answers in `.venv` and has pip."""
    try:
        done = subprocess.run(
            [str(interpreter()), "-c", "import sys, pip; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
    except OSError:
        return False
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _fingerprints() -> dict[str, str]:
    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()

    python = "{}.{}".format(*sys.version_info[:2])
    return {"lock": digest(LOCK), "project": digest(PROJECT), "python": python, "at": str(ROOT)}


def _built_from() -> dict[str, str]:
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and interpreter().exists() else {}


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """One builder at a time; the lock goes with the process, so a kill leaves none behind."""
    with GUARD.open("a+b") as handle:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            while True:
                try:
                    msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # LK_LOCK gives up after ten seconds; a build takes longer
                    continue
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    print(ensure())
