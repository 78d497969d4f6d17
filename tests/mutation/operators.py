"""Small changes to one function, made in its syntax tree. Each says in a few words what it changed, and on which line.

Source of the operators: those of PIT and mutmut (conditions, boundaries, returned values, calls left out), and three that
this program needs: a refusal left out, a filter of a query dropped, and a set not made smaller.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Change = tuple[str, ast.AST]
"""what is changed, in words, and the node that takes the old one's place"""


@dataclass(frozen=True)
class Mutation:
    """One change: ``tree`` is the function changed; of its ``lines`` one runs whenever what is changed does."""

    lines: range
    words: str
    tree: ast.FunctionDef


def mutations(function: ast.FunctionDef) -> Iterator[Mutation]:
    """Every change that the operators know of ``function``, in the order of its lines."""
    places = sorted(_places(function), key=lambda place: (place[0].lineno, place[0].col_offset))
    lines = dict(_lines(function))
    for node, number in places:
        for words, new in _changes(node):
            yield Mutation(lines[id(node)], words, _with(function, number, new))


def _lines(node: ast.AST, head: range = range(0), whole: range = range(0)) -> Iterator[tuple[int, range]]:
    """For each node in ``node``, by its identity, the lines of the innermost statement around it.

    Of a statement that holds others, ``head`` is what comes before its first, and what is written there runs with it.
    """
    for one in ast.iter_child_nodes(node):
        its_head, its_whole = _lines_of(one) if isinstance(one, ast.stmt) else (head, whole)
        yield id(one), its_head if getattr(one, "lineno", 0) in its_head else its_whole
        yield from _lines(one, its_head, its_whole)


def _lines_of(statement: ast.stmt) -> tuple[range, range]:
    whole = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    body = getattr(statement, "body", None)
    return (range(statement.lineno, body[0].lineno) if body else whole), whole


def _places(function: ast.FunctionDef) -> Iterator[tuple[ast.expr | ast.stmt, int]]:
    """The nodes of the body, each with its number in the order of ``ast.walk``; nothing of signatures and documentation."""
    skipped = {id(node) for part in _signature(function) for node in ast.walk(part)}
    for number, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.expr | ast.stmt) and node is not function and id(node) not in skipped:
            yield node, number


def _signature(function: ast.FunctionDef) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node.args
        if isinstance(node, ast.FunctionDef):
            yield from node.decorator_list
            yield from [node.returns] if node.returns else []
        if isinstance(node, ast.AnnAssign):
            yield node.annotation


def _with(function: ast.FunctionDef, number: int, new: ast.AST) -> ast.FunctionDef:
    """A copy of ``function`` whose node ``number`` is ``new``."""
    made = copy.deepcopy(function)
    old = next(node for count, node in enumerate(ast.walk(made)) if count == number)
    for parent in ast.walk(made):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(item is old for item in value):
                setattr(parent, name, [new if item is old else item for item in value])
    return ast.fix_missing_locations(made)


def _changes(node: ast.AST) -> Iterator[Change]:
    for operator in _OPERATORS:
        yield from operator(node)


def _if(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.If | ast.IfExp):
        made = copy.deepcopy(node)
        made.test = ast.UnaryOp(ast.Not(), made.test)
        yield f"`if {ast.unparse(node.test)}` is turned round", made


def _filters(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for number, each in enumerate(node.generators):
            for place, test in enumerate(each.ifs):
                made = copy.deepcopy(node)
                del made.generators[number].ifs[place]
                yield f"`if {ast.unparse(test)}` is left out of a comprehension", made


def _raises(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Raise):
        yield f"`{_short(node)}` is left out", ast.Pass()


def _calls(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield f"`{_short(node)}` is left out", ast.Pass()


def _booleans(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"`and` and `or` are exchanged in `{_short(node)}`", ast.BoolOp(other, copy.deepcopy(node.values))
        for number, value in enumerate(node.values):
            rest = [copy.deepcopy(one) for place, one in enumerate(node.values) if place != number]
            made: ast.expr = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield f"`{_short(value)}` is left out of `{_short(node)}`", made
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"`not` is left out of `{_short(node)}`", copy.deepcopy(node.operand)


_OTHER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def _compares(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        made = copy.deepcopy(node)
        made.ops = [_OTHER[type(node.ops[0])]()]
        yield f"`{_short(node)}` becomes `{_short(made)}`", made


def _constants(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"`{node.value}` becomes `{not node.value}`", ast.Constant(not node.value)


def _conditions_of_queries(node: ast.AST) -> Iterator[Change]:
    """Each condition of ``.where(...)`` left out."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "where":
        for number, condition in enumerate(node.args):
            made = copy.deepcopy(node)
            del made.args[number]
            new: ast.expr = made if made.args else made.func.value  # type: ignore[attr-defined]
            yield f"the condition `{_short(condition)}` is left out of a query", new


def _sets(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub):
        for side, kept in (("right", node.left), ("left", node.right)):
            if side == "right" or not isinstance(node.op, ast.Sub):
                yield f"the {side} side of `{_short(node)}` is left out", copy.deepcopy(kept)


_OPERATORS: tuple[Callable[[ast.AST], Iterator[Change]], ...] = (
    _if,
    _filters,
    _raises,
    _calls,
    _booleans,
    _compares,
    _constants,
    _conditions_of_queries,
    _sets,
)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else text[:67] + "..."
