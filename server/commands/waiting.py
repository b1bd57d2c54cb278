"""`jemput-pusat waiting`: what is not here yet or not judged yet, and whose turn it is."""

from __future__ import annotations

import msgspec

from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)
from server.waits import sentence, waits


def waiting(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """What waits, for what, and whose turn it is: missing volumes and numbers, newer forms."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = waits(central.bundles, me)
        for one in found:
            terminal.tell(sentence(one, terminal.lang))
        if not found:
            terminal.tell(terminal.say("Tidak ada yang menunggu."))
        terminal.give({"waiting": [msgspec.to_builtins(one) for one in found]})
