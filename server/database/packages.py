"""Packages of reference data as they were signed, oldest first and never changed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from server.database.tables import PackageRow
from server.database.work import Work, table_of

_packages = table_of(PackageRow)


class Published(msgspec.Struct, frozen=True):
    """A package that was published. at: Unix seconds."""

    number: int
    at: int
    by: str
    title: str
    digest: bytes


class Packages(Work):
    """Keeping and finding them."""

    def keep_package(self, published: Published, data: bytes) -> None:
        """Add the next one."""
        self.insert(_packages, [msgspec.structs.asdict(published) | {"data": data}])

    def package(self) -> tuple[int, bytes]:
        """Number and signed bytes of the newest; 0 for none."""
        here = select(_packages.c.number, _packages.c.data).where(_packages.c.city == self.city)
        row: Any = self.one(here.order_by(_packages.c.number.desc()).limit(1))
        return (row.number, row.data) if row is not None else (0, b"")

    def package_numbered(self, number: int) -> bytes:
        """The signed bytes of one of them; empty for one that is not here."""
        here = (_packages.c.city == self.city) & (_packages.c.number == number)
        data: bytes | None = self.value(select(_packages.c.data).where(here))
        return data or b""

    def packages(self) -> list[Published]:
        """All of them, newest first, without their bytes."""
        names = [_packages.c[name] for name in Published.__struct_fields__]
        here = select(*names).where(_packages.c.city == self.city)
        rows = self.rows(here.order_by(_packages.c.number.desc()))
        return [Published(*row) for row in rows]
