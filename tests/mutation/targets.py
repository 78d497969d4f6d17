"""Functions whose code can be exchanged while a program runs: found, mutated, compiled, put in place and put back."""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutation.operators import mutations
from troth.store import versions


@dataclass(frozen=True)
class Mutant:
    """A function of an enforcer with one change. ``id`` names function and change and stays the same when lines move.

    ``lines`` are those of its file one of which runs whenever what is changed does.
    """

    function: FunctionType
    id: str
    words: str
    code: CodeType
    lines: range

    @property
    def where(self) -> str:
        return name_of(self.function)


def name_of(function: FunctionType) -> str:
    """``troth.recipients.gate:disclose``."""
    return f"{function.__module__}:{function.__qualname__}"


def plain(found: Any) -> FunctionType | None:
    """The function that runs when ``found`` is called: without wrappers, of a method or a static method."""
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(getattr(found, "__func__", found))
    return found if isinstance(found, FunctionType) else None


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """Every function and method that ``module`` itself defines."""
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            held = [plain(member) for member in list(vars(value).values())]
        else:
            held = [plain(value)]
        yield from (one for one in held if one is not None and one.__module__ == module.__name__)


def reached(function: FunctionType) -> list[FunctionType]:
    """``function`` and what it calls in its own module, however deep."""
    module = importlib.import_module(function.__module__)
    mine = {one.__name__: one for one in functions_of(module)}
    found, waiting = {function.__qualname__: function}, [function]
    while waiting:
        for name in _names(waiting.pop().__code__):
            other = mine.get(name)
            if other is not None and other.__qualname__ not in found:
                found[other.__qualname__] = other
                waiting.append(other)
    return list(found.values())


def _names(code: CodeType) -> set[str]:
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return {*code.co_names, *(name for one in inner for name in _names(one))}


def mutants_of(function: FunctionType) -> Iterator[Mutant]:
    """The function with each change that can be made to it; none when its source cannot be compiled alone."""
    tree = tree_of(function)
    if tree is None:
        return
    seen: dict[str, int] = {}
    for one in mutations(tree):
        code = compiled(function, one.tree)
        if code is None or (
            code.co_code == function.__code__.co_code and code.co_consts == function.__code__.co_consts
        ):
            continue
        count = seen[one.words] = seen.get(one.words, 0) + 1
        again = f" ({count})" if count > 1 else ""
        before = function.__code__.co_firstlineno - 1
        lines = range(one.lines.start + before, one.lines.stop + before)
        yield Mutant(function, f"{name_of(function)}: {one.words}{again}", one.words, code, lines)


def tree_of(function: FunctionType) -> ast.FunctionDef | None:
    """The syntax tree of a function's source; None where there is none."""
    try:
        module = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return None
    made = module.body[0]
    return made if isinstance(made, ast.FunctionDef) else None


def compiled(function: FunctionType, tree: ast.FunctionDef) -> CodeType | None:
    """``tree`` as code for ``function``; None when it needs variables of a function around it that the old one had not."""
    tree.decorator_list = []
    text = f"from __future__ import annotations\n{ast.unparse(tree)}"
    module = compile(text, f"<mutant of {name_of(function)}>", "exec", dont_inherit=True)
    code = next(one for one in module.co_consts if isinstance(one, CodeType) and one.co_name == function.__name__)
    return code if code.co_freevars == function.__code__.co_freevars else None


NOTE = "__troth_runs__"
"""the built-in function that noted code calls with its function's name and a line of its file"""


def noted(function: FunctionType) -> CodeType | None:
    """``function``, of which each statement says first that it runs; None where its source cannot be compiled alone."""
    tree = tree_of(function)
    if tree is None:
        return None
    for node in list(ast.walk(tree)):
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                value[:] = [one for each in value for one in (*_note(function, each), each)]
    return compiled(function, tree)


def _note(function: FunctionType, statement: ast.stmt) -> list[ast.stmt]:
    if isinstance(statement, ast.Global | ast.Nonlocal) or ast.get_docstring(ast.Module([statement], [])) is not None:
        return []
    line = function.__code__.co_firstlineno - 1 + statement.lineno
    return ast.parse(f"{NOTE}({name_of(function)!r}, {line})").body


@contextmanager
def in_place(changes: Sequence[tuple[FunctionType, CodeType]]) -> Iterator[None]:
    """Each function runs the code given within the block, wherever it was imported to; nothing cached before is used."""
    before = [(function, function.__code__) for function, _ in changes]
    _exchange(changes)
    try:
        yield
    finally:
        _exchange(before)


def _exchange(changes: Sequence[tuple[FunctionType, CodeType]]) -> None:
    for function, code in changes:
        function.__code__ = code
    forget()


def forget() -> None:
    """Empty every ``functools.cache`` of Troth and of its tests, and what the archive has compiled."""
    versions._met.clear()
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper) and one.__module__.split(".")[0] in {"troth", "tests"}:
            one.cache_clear()
