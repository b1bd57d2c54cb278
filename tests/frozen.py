"""Bytes of released editions, as they were written then: how they are made, once, and read.

An edition is a folder of `tests/fixtures/editions/`. `scripts/freeze.py` writes it and never writes
over one. Whatever comes later has to read it: messages, bundles, a laptop's vault, a central backup
and a sync that was on its way. The keys in it belong to nobody.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from field_client.vault.engine import Connection
from models import changes
from sync import bundle, keylist, logs, messages, receipt, reference, state

FOLDER = Path(__file__).parent / "fixtures" / "editions"
LIST = "files.sha256"
MESSAGES, TRAFFIC = "messages.msgpack", "traffic.msgpack"
VAULT, CIPHER, CENTRAL = "vault.tar.xz", "pages.sqlcipher", "central.tar.xz"
PLAIN = "vault.plain"
MODULES = (changes, messages, logs, state, receipt, keylist)
ALONE = (bundle.Header, reference.Package)


class Frozen(msgspec.Struct, frozen=True):
    """One struct as it was written: its name (module.Class), bytes, and every field by name, each
    as msgpack of its own."""

    name: str
    data: bytes
    fields: dict[str, bytes]


class Traffic(msgspec.Struct, frozen=True):
    """What a laptop posted to the central of the backup, in order, and what it was answered; a
    stick of it; the private keys of both; and what came of it there: id -> tracking code."""

    posts: list[tuple[str, bytes, bytes]]
    volumes: list[bytes]
    log_keys: tuple[bytes, bytes]
    central_keys: tuple[bytes, bytes]
    requests: dict[str, str]


def kinds() -> Iterator[type[msgspec.Struct]]:
    """Every struct that is written somewhere as bytes."""
    for module in MODULES:
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and issubclass(value, msgspec.Struct) and not value.__name__.startswith("_"):
                yield value
    yield from ALONE


def sample(kind: type[msgspec.Struct]) -> msgspec.Struct:
    """One of these in which no field has its default."""
    return _Sampler().struct(kind)


def frozen(kind: type[msgspec.Struct]) -> Frozen:
    """A sample as it is written today."""
    one = sample(kind)
    fields = {f.name: msgspec.msgpack.encode(getattr(one, f.name)) for f in _fields(kind)}
    return Frozen(f"{kind.__module__}.{kind.__name__}", msgspec.msgpack.encode(one), fields)


def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


class _Sampler:
    """Values that differ from each other and from every default."""

    def __init__(self) -> None:
        self.n = 0
        self.depth = 0

    def struct(self, kind: type[msgspec.Struct]) -> msgspec.Struct:
        told = inspect.type_info(kind)
        assert isinstance(told, inspect.StructType)
        self.depth += 1
        found = kind(**{field.name: self.value(field.type) for field in told.fields})
        self.depth -= 1
        return found

    def value(self, kind: Any) -> Any:
        self.n += 1
        match kind:
            case inspect.BoolType():
                return True
            case inspect.IntType():
                return 1000 + self.n
            case inspect.FloatType():
                return self.n + 0.5
            case inspect.StrType():
                return f"teks {self.n}"
            case inspect.BytesType():
                return bytes([self.n % 256]) * 16
            case inspect.RawType():
                return msgspec.Raw(msgspec.msgpack.encode({"set": {"a": self.n}}))
            case inspect.ListType():
                return [self.value(kind.item_type)]
            case inspect.VarTupleType():
                return (self.value(kind.item_type),)
            case inspect.TupleType():
                return tuple(self.value(item) for item in kind.item_types)
            case inspect.DictType():
                return {self.value(kind.key_type): self.value(kind.value_type)}
            case inspect.LiteralType():
                return kind.values[-1]
            case inspect.StructType():
                return self.struct(kind.cls)
            case inspect.UnionType():
                some = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
                return self.value(some[self.depth % len(some)])
            case _:
                return self.n


def packed(files: dict[str, bytes]) -> bytes:
    """Files as one small archive, the same for the same content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            archive.addfile(info, io.BytesIO(files[name]))
    return lzma.compress(buffer.getvalue(), preset=9)


def unpacked(data: bytes, folder: Path) -> None:
    """The files of an archive, in a new folder."""
    folder.mkdir(mode=0o700, parents=True)
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(data))) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            path = folder / member.name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(content.read())


def plain_copy(connection: Connection, path: Path) -> None:
    """A vault's database without its encryption, which alone would not compress."""
    connection.execute("attach database ? as plain key ''", (str(path),))
    connection.execute("select sqlcipher_export('plain')")
    connection.execute("detach database plain")


def listed(folder: Path) -> str:
    """Hash and name of every file of an edition."""
    paths = sorted(path for path in folder.iterdir() if path.name != LIST)
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)
    return "".join(lines)
