"""Planting: production code is changed in one place, in this process, and put right again.

The source of a real module is read, one piece of text in it replaced, and the whole compiled; then
the functions of the module that is already loaded run the new code. So whoever imported a function
by name gets the changed one too, and nothing on the disk is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Mutation(msgspec.Struct, frozen=True):
    """One fault. law: which it breaks. edits: (file, text in it, what stands there instead).
    check: raises when the law is broken; by default worlds are played."""

    name: str
    law: str
    edits: tuple[tuple[str, str, str], ...]
    check: Callable[[], None]


class Unplantable(Exception):
    """The text to be replaced is not there, or not only once: the list has to follow the code."""


@contextmanager
def planted(mutation: Mutation) -> Iterator[None]:
    """The fault is in the code for as long as the block lasts."""
    before: list[tuple[FunctionType, CodeType]] = []
    caches: list[Any] = []
    by_file: dict[str, list[tuple[str, str]]] = {}
    for file, old, new in mutation.edits:
        by_file.setdefault(file, []).append((old, new))
    try:
        for file, changes in by_file.items():
            module = import_module(file.removesuffix(".py").replace("/", "."))
            code = _compiled(ROOT / file, changes)
            functions, cached = _functions(module)
            caches += cached
            fresh = {found.co_qualname: found for found in _inside(code)}
            for function in functions:
                old_code = function.__code__
                new_code = fresh.get(old_code.co_qualname)
                if new_code is not None and not _same(old_code, new_code):
                    before.append((function, old_code))
                    function.__code__ = new_code
        if not before:
            raise Unplantable(f"{mutation.name}: no function changed")
        _clear(caches)
        yield
    finally:
        for function, old_code in before:
            function.__code__ = old_code
        _clear(caches)


def _compiled(path: Path, changes: list[tuple[str, str]]) -> CodeType:
    source = path.read_text("utf-8")
    for old, new in changes:
        if source.count(old) != 1:
            raise Unplantable(f"{path.name}: {source.count(old)} times {old!r}")
        source = source.replace(old, new)
    return compile(source, str(path), "exec")


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def _same(a: CodeType, b: CodeType) -> bool:
    """Same instructions and constants, wherever their lines stand."""
    plain = (a.co_code, a.co_names, a.co_varnames) == (b.co_code, b.co_names, b.co_varnames)
    if not plain or len(a.co_consts) != len(b.co_consts):
        return False
    return all(_same_constant(x, y) for x, y in zip(a.co_consts, b.co_consts, strict=True))


def _same_constant(x: object, y: object) -> bool:
    if isinstance(x, CodeType) and isinstance(y, CodeType):
        return _same(x, y)
    return type(x) is type(y) and x == y


def _functions(module: ModuleType) -> tuple[list[FunctionType], list[Any]]:
    """Functions and methods that the module defines, and what remembers their results."""
    functions: list[FunctionType] = []
    cached: list[Any] = []
    classes = [c for c in vars(module).values() if isinstance(c, type) and _is_of(c, module)]
    for space in (module, *classes):
        for value in vars(space).values():
            if hasattr(value, "cache_clear"):
                cached.append(value)
            value = getattr(value, "fget", None) or getattr(value, "func", None) or value
            value = getattr(value, "__func__", value)
            value = getattr(value, "__wrapped__", value)
            if isinstance(value, FunctionType) and _is_of(value, module):
                functions.append(value)
    return functions, cached


def _is_of(value: Any, module: ModuleType) -> bool:
    return getattr(value, "__module__", "") == module.__name__


def _clear(cached: list[Any]) -> None:
    for each in cached:
        each.cache_clear()


def caught(mutation: Mutation) -> str:
    """What noticed the fault; empty when nothing did."""
    with planted(mutation):
        try:
            mutation.check()
        except Unplantable:
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:200]
    return ""
