"""Code lists: the numbered answers printed on the forms, one file each in `data/codes/`.

Answers carry the code, never the label; labels exist in Indonesian and English. The names of the
lists are those of the forms, because that is how the office speaks of them.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from models.fields import Text
from models.overlay import Overlay


class CodeList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """codes: code -> label, in the order of the form. certainty: how sure the facts are."""

    certainty: str
    codes: dict[str, Text]
    note: str = ""

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    def label(self, code: str, lang: str = "id") -> str:
        """What people read for `code`; a code of a newer edition reads as itself."""
        text = self.codes.get(code)
        return text.say(lang) if text else code


_over: list[Traversable] = []
"""The newest data folder laid over the packaged one, if any."""


@cache
def code_list(name: str) -> CodeList:
    """The list of that name; KeyError for a list that does not exist."""
    return read_list(current(), name)


def code_lists() -> tuple[str, ...]:
    """Names of all lists."""
    files = (file.name for file in (current() / "codes").iterdir())
    return tuple(sorted(name[:-5] for name in files if name.endswith(".toml")))


def packaged() -> Traversable:
    """The folder `data/` that comes with the program."""
    return resources.files("models") / "data"


def current() -> Traversable:
    """The data folder that holds today: with the newest package, see `models.overlay`."""
    return _over[-1] if _over else packaged()


def lay_over(files: Mapping[str, bytes]) -> None:
    """Read the packaged folder with these files over it from now on; none takes them away."""
    _over[:] = [Overlay(packaged(), files)] if files else []
    code_list.cache_clear()


def read_list(data: Traversable, name: str) -> CodeList:
    """The list `name` of a data folder."""
    file = data / "codes" / f"{name}.toml"
    if not name.isidentifier() or not file.is_file():
        raise KeyError(name)
    return msgspec.toml.decode(file.read_bytes(), type=CodeList)
