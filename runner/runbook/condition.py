"""The `when` of a cell: a small language of yes and no, read as a tree and looked up, never executed.

Python's own parser reads it and nothing of Python evaluates it: names are parameters of the run, `ok("step")`,
`failed("step")` and `skipped("step")` ask how an earlier step ended, `recorded("name")` is a result that was recorded
so far, and beside these there are literals, comparisons, `in`, `and`, `or`, `not`. Everything else is refused. Whether
a name or step exists is for lint, which knows the whole runbook.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runner.digest import Json

LONGEST = 500
"""Characters of a condition."""

ENDED, RECORDED = ("ok", "failed", "skipped"), "recorded"
"""The functions: how a step ended, and a recorded result."""

_ORDER: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_COMPARISONS = (*_ORDER, ast.Eq, ast.NotEq, ast.In, ast.NotIn)


class UndecidableError(ValueError):
    """A condition that has neither yes nor no for an answer; the message says why, for its author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that was read: its text, and every name, step and recorded result that it asks for."""

    text: str
    names: frozenset[str]
    steps: frozenset[str]
    records: frozenset[str]
    tree: ast.expr = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known. `ended` maps a step that was reached to one of `ENDED`.

    Without `ended` and `records` (None) they are not known yet, as when a plan is made; nor are the values of `open`.
    """

    values: Mapping[str, Json]
    open: frozenset[str] = frozenset()
    ended: Mapping[str, str] | None = None
    records: Mapping[str, Json] | None = None


class _Unknown:
    """The value of what is not known yet."""


_UNKNOWN: Final = _Unknown()


def read(text: str) -> Condition:
    """Read a condition.

    Raises:
        ValueError: if it is not one; the message says what would be accepted.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body if 0 < len(text.strip()) <= LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        raise ValueError(f'a condition of at most {LONGEST} characters, such as environment == "production"')
    for node in _nodes(tree):
        _accepted(node)
    calls = [node for node in _nodes(tree) if isinstance(node, ast.Call)]
    return Condition(
        text=text.strip(),
        names=frozenset(node.id for node in _nodes(tree) if isinstance(node, ast.Name)),
        steps=frozenset(_argument(call) for call in calls if _function(call) in ENDED),
        records=frozenset(_argument(call) for call in calls if _function(call) == RECORDED),
        tree=tree,
    )


def holds(condition: Condition, facts: Facts) -> bool | None:
    """Decide a condition.

    Returns:
        Yes or no; None if that depends on something that is not known yet.

    Raises:
        UndecidableError: if it has no answer, as `3 < "x"` has none.
    """
    return _truth(_value(condition.tree, facts))


def _nodes(node: ast.expr) -> Iterable[ast.expr]:
    """The node and all below it; a call's own name and its argument belong to the call."""
    yield node
    if isinstance(node, ast.Call):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _nodes(child)


def _accepted(node: ast.expr) -> None:
    match node:
        case ast.BoolOp() | ast.Name() | ast.UnaryOp(op=ast.Not()):
            return
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return
        case ast.Constant(value=str() | int() | float() | None):
            return
        case ast.List() | ast.Tuple() if all(isinstance(item, ast.Constant | ast.UnaryOp) for item in node.elts):
            return
        case ast.Compare() if all(isinstance(op, _COMPARISONS) for op in node.ops):
            return
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str())], keywords=[]):
            if name in {*ENDED, RECORDED}:
                return
    written = ast.unparse(node)
    known = ", ".join(f'{name}("...")' for name in (*ENDED, RECORDED))
    raise ValueError(f"parameters, literals, {known}, comparisons, in, and, or, not; {written[:60]!a} is none of these")


def _function(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _argument(call: ast.Call) -> str:
    return str(call.args[0].value) if isinstance(call.args[0], ast.Constant) else ""


def _value(node: ast.expr, facts: Facts) -> Json | _Unknown:
    match node:
        case ast.Constant() | ast.UnaryOp(op=ast.USub()):
            return _literal(node)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
        case ast.Name(id=name):
            if name in facts.open:
                return _UNKNOWN
            if name not in facts.values:
                raise UndecidableError(f"{name} is no parameter")
            return facts.values[name]
        case ast.Call():
            return _asked(_function(node), _argument(node), facts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = _truth(_value(operand, facts))
            return _UNKNOWN if truth is None else not truth
        case ast.BoolOp(op=op, values=operands):
            return _joined(operands, facts, settled=isinstance(op, ast.Or))
        case ast.Compare():
            return _compared(node, facts)
    raise UndecidableError("it is no condition")  # pragma: no cover - `read` lets nothing else through


def _literal(node: ast.expr) -> Json:
    written: Json = ast.literal_eval(node)
    return written


def _asked(function: str, name: str, facts: Facts) -> Json | _Unknown:
    if function == RECORDED:
        return _UNKNOWN if facts.records is None else facts.records.get(name)
    if facts.ended is None:
        return _UNKNOWN
    return facts.ended.get(name) == function


def _joined(operands: Iterable[ast.expr], facts: Facts, *, settled: bool) -> bool | _Unknown:
    """`and` (settled by a no) or `or` (by a yes), from left to right; what is unknown may still be settled later."""
    unknown = False
    for operand in operands:
        truth = _truth(_value(operand, facts))
        if truth is settled:
            return settled
        unknown = unknown or truth is None
    return _UNKNOWN if unknown else not settled


def _truth(value: Json | _Unknown) -> bool | None:
    """Only a yes or no is one; nothing recorded is a no."""
    if isinstance(value, _Unknown):
        return None
    if value is None or isinstance(value, bool):
        return bool(value)
    raise UndecidableError(f"{_kind(value)} is neither yes nor no; compare it with something")


def _compared(node: ast.Compare, facts: Facts) -> bool | _Unknown:
    """As in Python, `1 < x <= 3` is two comparisons that both have to hold."""
    unknown = False
    left = _value(node.left, facts)
    for op, operand in zip(node.ops, node.comparators, strict=True):
        right = _value(operand, facts)
        if isinstance(left, _Unknown) or isinstance(right, _Unknown):
            unknown = True
        elif not _holds(op, left, right):
            return False
        left = right
    return _UNKNOWN if unknown else True


def _holds(op: ast.cmpop, left: Json, right: Json) -> bool:
    match op:
        case ast.Eq():
            return _same(left, right)
        case ast.NotEq():
            return not _same(left, right)
        case ast.In() | ast.NotIn():
            return _inside(left, right) is isinstance(op, ast.In)
    if not (_is_number(left) and _is_number(right)) and not (isinstance(left, str) and isinstance(right, str)):
        raise UndecidableError(f"{_kind(left)} and {_kind(right)} have no order")
    return _ORDER[type(op)](left, right)


def _same(left: Json, right: Json) -> bool:
    # Python takes True for 1, and nobody who writes `count == 1` means that.
    return left == right and isinstance(left, bool) is isinstance(right, bool)


def _inside(left: Json, right: Json) -> bool:
    if isinstance(right, str) and isinstance(left, str):
        return left in right
    if isinstance(right, dict):
        return isinstance(left, str) and left in right
    if isinstance(right, list):
        return any(_same(left, item) for item in right)
    raise UndecidableError(f"{_kind(left)} cannot be in {_kind(right)}")


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Json) -> str:
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a yes or no"),
        (str, "text"),
        ((int, float), "a number"),
        (list, "a list"),
        (dict, "a mapping"),
    )
    return next((word for kind, word in words if isinstance(value, kind)), "nothing")


def missing(condition: Condition, *, names: Collection[str], steps: Collection[str]) -> tuple[str, ...]:
    """Say, in words, which parameters and steps a condition asks for that are not there."""
    return (
        *(f"{name} is no parameter" for name in sorted(condition.names - set(names))),
        *(f"{step} is no earlier step" for step in sorted(condition.steps - set(steps))),
    )
