"""`jemput-pusat bundle`: sticks from laptops are read, and those that go back are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from models.problems import Problem
from models.words import size
from server.bundles import Imported, Waiting
from server.central import Central
from server.database.people import Person
from server.returns import Given
from server.sticks import volumes_in, write_set
from server.terminal import (
    DEFAULT_DATA,
    FALSE,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    Terminal,
    signed_in,
)
from sync import bundle

app = typer.Typer(help="USB sticks.", no_args_is_help=True)

DeviceArgument = Annotated[str, typer.Argument(help="Name of the device.")]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of the stick.")]


@app.command("import")
def import_(
    places: Annotated[list[Path], typer.Argument(help="Volumes (.jbb), or folders of them.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Take in what laptops sent by stick: any order, any number of times, from several sticks.

    A file that cannot be used is named and stops no other; then the exit code is 3.
    """
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        taken: list[Imported] = []
        refused: list[tuple[str, Problem]] = []
        for file, volume, named in _volumes(places):
            try:
                if not named and bundle.parse(volume, file).header.purpose != bundle.WORK:
                    continue  # the same stick also brings back what the office wrote
                one = central.bundles.take(me, volume, file)
            except Problem as problem:
                refused.append((file, problem))
                terminal.warn(problem.words(lang))
                continue
            taken.append(one)
            _tell(terminal, one)
        last = {one.bundle: one for one in taken}
        for one in last.values():
            _tell_rest(terminal, one)
        terminal.give(
            {
                "volumes": [msgspec.to_builtins(one) for one in taken],
                "refused": [
                    {"file": file, "problem": problem.as_dict(lang)} for file, problem in refused
                ],
            }
        )
        if refused or any(one.refused for one in taken):
            raise typer.Exit(FALSE)


def _volumes(places: list[Path]) -> Iterator[tuple[str, bytes, bool]]:
    """Name and bytes of each volume, and whether the file itself was named."""
    for place in places:
        named = not place.is_dir()
        for file, volume in volumes_in([place]):
            yield file, volume, named


def _tell(terminal: Terminal, one: Imported) -> None:
    if one.again and not one.fresh:
        terminal.tell(
            terminal.say(
                "Paket {bundle} jilid {k} dari {n} sudah pernah diterima; 0 catatan baru.",
                bundle=one.bundle,
                k=one.volume,
                n=one.n,
            )
        )
        return
    terminal.tell(
        terminal.say(
            "Paket {bundle} jilid {k} dari {n}, {device}: {fresh} catatan baru, {ahead} menunggu.",
            bundle=one.bundle,
            k=one.volume,
            n=one.n,
            device=one.device,
            fresh=one.fresh,
            ahead=one.ahead,
        )
    )
    for code in one.refused:
        terminal.warn(terminal.say("Sebagian isi paket tidak dapat diterima: {code}", code=code))


def _tell_rest(terminal: Terminal, one: Imported) -> None:
    if one.missing:
        terminal.tell(
            terminal.say(
                "Belum ada: jilid {volumes} dari {n}, paket {bundle}, {device}.",
                volumes=", ".join(map(str, one.missing)),
                n=one.n,
                bundle=one.bundle,
                device=one.device,
            )
        )
    if one.words:
        terminal.tell(
            terminal.say("Kata kunci {bundle}: {words}", bundle=one.bundle, words=dashed(one.words))
        )


def dashed(words: tuple[str, ...]) -> str:
    """Checksum words as they are read out."""
    return " – ".join(words)


@app.command("list")
def list_(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """What came and waits for a volume that has not."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.bundles.waiting(me)
        for one in found:
            _tell_waiting(terminal, one)
        if not found:
            terminal.tell(terminal.say("Tidak ada yang ditunggu dari USB."))
        terminal.give({"waiting": [msgspec.to_builtins(one) for one in found]})


def _tell_waiting(terminal: Terminal, one: Waiting) -> None:
    facts = {"device": one.device, "first": one.first, "last": one.last}
    if not one.bundle:
        terminal.tell(
            terminal.say(
                "{device}: catatan {first}–{last} belum ada; tidak diketahui di paket mana.",
                **facts,
            )
        )
        return
    terminal.tell(
        terminal.say(
            "{device}: catatan {first}–{last} belum ada; ada di jilid {volumes} dari {n}, paket "
            "{bundle}.",
            volumes=", ".join(map(str, one.volumes)),
            n=one.n,
            bundle=one.bundle,
            **facts,
        )
    )


@app.command("return")
def return_(
    device: DeviceArgument,
    folder: FolderArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Write what was decided for a laptop since it was last heard: outcomes, pages, orders."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _give(terminal, central, me, device, folder, whole=False)


@app.command()
def voyage(
    device: DeviceArgument,
    folder: FolderArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Write every village of a laptop whole: for a new one, or one that was lent villages."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _give(terminal, central, me, device, folder, whole=True)


def _give(
    terminal: Terminal, central: Central, me: Person, device: str, folder: Path, *, whole: bool
) -> None:
    made = central.returns.give(me, device=device, whole=whole)
    write_set(folder, made.files)
    terminal.tell(
        terminal.say(
            "Paket {bundle} (nomor {number}) untuk {device}: {decisions} putusan, {n} jilid, "
            "{size}. USB boleh dicabut.",
            bundle=made.bundle,
            number=made.number,
            device=made.device,
            decisions=made.decisions,
            n=len(made.files),
            size=size(sum(len(f) for _, f in made.files), terminal.lang),
        )
    )
    terminal.tell(
        terminal.say("Kata kunci {bundle}: {words}", bundle=made.bundle, words=dashed(made.words))
    )
    terminal.give(as_data(made))


def as_data(made: Given) -> dict[str, Any]:
    """A bundle for a laptop as JSON, without its bytes."""
    plain = {name: getattr(made, name) for name in Given.__struct_fields__ if name != "files"}
    return plain | {"files": [name for name, _ in made.files]}
