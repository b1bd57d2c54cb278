"""Places: where one can go from any page, by what one's roles allow.

One line for each room: its address, what it is called, and the acts of which one is enough. The
rooms ask again; this only spares people doors that would not open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from models.people import Act

if TYPE_CHECKING:
    from server.pages.drawing import Here


class Place(msgspec.Struct, frozen=True):
    """An entry of the menu. key: pressed anywhere, where it is given."""

    path: str
    words: str
    acts: tuple[Act, ...] = ()
    key: str = ""


def menu(here: Here) -> list[Place]:
    """Where this person may go."""
    every = [
        Place("/", here.say("Meja kerja")),
        Place("/requests", here.say("Daftar berkas"), (Act.LIST_REQUESTS,)),
        Place("/disputes", here.say("Beda data"), (Act.READ_CASE,)),
        Place("/duplicates", here.say("Berkas ganda"), (Act.READ_CASE,)),
        Place("/incidents", here.say("Kejadian"), (Act.READ_CASE,)),
        Place("/batches", here.say("Batch SIAK"), (Act.CLOSE_BATCH,)),
        Place("/print", here.say("Cetak"), (Act.READ_STOCK,)),
        Place("/manifests", here.say("Kirim dokumen"), (Act.READ_STOCK,)),
        Place("/uncollected", here.say("Serah terima"), (Act.READ_WAITING,)),
        Place("/usb", here.say("Meja USB"), (Act.IMPORT_BUNDLE,)),
        Place("/dashboard", here.say("Dasbor"), (Act.READ_REPORTS,)),
        Place("/audit", here.say("Jejak audit"), (Act.READ_AUDIT,)),
        Place("/people", here.say("Pegawai"), (Act.LIST_PEOPLE,)),
        Place("/counter", here.say("Loket"), (Act.TAKE_IN,)),
        Place("/visits", here.say("Jadwal"), (Act.READ_VOYAGES,)),
        Place("/devices", here.say("Perangkat"), (Act.LIST_DEVICES,)),
        Place("/services", here.say("Layanan")),
    ]
    return [one for one in every if not one.acts or any(map(here.may, one.acts))]
