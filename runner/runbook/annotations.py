"""Annotations of the parameters cell, understood from the syntax tree: a small closed language, not Python's.

Only the words listed here mean anything. Nothing is imported, looked up or evaluated, and every bound is checked to fit
its type, so that a schema can always be built from what this module returns.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace

from runner.digest import Json
from runner.runbook.shape import Kind, Shape

_PLAIN = {"str": Kind.STR, "int": Kind.INT, "float": Kind.FLOAT, "bool": Kind.BOOL}
_DATES = {"date": Kind.DATE, "datetime": Kind.DATETIME}
_NUMBERS = frozenset({"ge", "gt", "le", "lt", "multiple_of"})
_LENGTHS = frozenset({"min_length", "max_length"})
_FITTING: Mapping[Kind, frozenset[str]] = {
    Kind.INT: _NUMBERS,
    Kind.FLOAT: _NUMBERS,
    Kind.STR: _LENGTHS | {"pattern"},
    Kind.LIST: _LENGTHS,
    Kind.DICT: _LENGTHS,
}


class AnnotationError(ValueError):
    """An annotation outside the language; the message says which part."""


def understood(node: ast.expr, *, imported: frozenset[str]) -> Shape:
    """Understand one annotation.

    Args:
        node: its syntax tree.
        imported: names that the cell has imported: a word used without its import would fail in the kernel.

    Raises:
        AnnotationError: if it says anything else than what is known here.
    """
    match node:
        case ast.Name(id=name) if name in _PLAIN:
            return Shape(kind=_PLAIN[name])
        case ast.Name(id=name) if name in _DATES:
            _needs(name, imported)
            return Shape(kind=_DATES[name])
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return replace(understood(left, imported=imported), optional=True)
        case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=right):
            return replace(understood(right, imported=imported), optional=True)
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return _subscript(name, inner, imported)
        case _:
            raise AnnotationError(f"the type {_written(node)} is not known here")


def _subscript(name: str, inner: ast.expr, imported: frozenset[str]) -> Shape:
    if name in {"Literal", "Optional", "Annotated"}:
        _needs(name, imported)
    match name, inner:
        case "list", _:
            return Shape(kind=Kind.LIST, item=understood(inner, imported=imported))
        case "dict", ast.Tuple(elts=[ast.Name(id="str"), item]):
            return Shape(kind=Kind.DICT, item=understood(item, imported=imported))
        case "Literal", _:
            return Shape(kind=Kind.LITERAL, choices=_choices(inner))
        case "Optional", _:
            return replace(understood(inner, imported=imported), optional=True)
        case "Annotated", ast.Tuple(elts=[plain, *extras]) if extras:
            return _bounded(understood(plain, imported=imported), extras, imported)
        case _:
            raise AnnotationError(f"the type {name}[{_written(inner)}] is not known here")


def _needs(name: str, imported: frozenset[str]) -> None:
    if name not in imported:
        raise AnnotationError(f"{name} is used without its import")


def _choices(inner: ast.expr) -> tuple[str | int | bool, ...]:
    nodes = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    found: list[str | int | bool] = []
    for node in nodes:
        value = _literal(node)
        if not isinstance(value, (str, int, bool)):
            raise AnnotationError(f"the choice {_written(node)} is not text, a whole number or a bool")
        found.append(value)
    written = [str(value).lower() if isinstance(value, bool) else str(value) for value in found]
    if not found:
        raise AnnotationError("a Literal without any choice accepts nothing")
    if len(set(written)) != len(written):
        raise AnnotationError("two choices of a Literal are written the same")
    return tuple(found)


def _bounded(shape: Shape, extras: list[ast.expr], imported: frozenset[str]) -> Shape:
    _needs("Field", imported)
    bounds: dict[str, str | int | float] = dict(shape.bounds)
    for extra in extras:
        match extra:
            case ast.Call(func=ast.Name(id="Field"), args=[], keywords=keywords):
                for word in keywords:
                    name, value = _bound(shape, word)
                    bounds[name] = value
            case _:
                raise AnnotationError(f"{_written(extra)} is not a Field(...) of named bounds")
    bounds.pop("description", None)
    return replace(shape, bounds=tuple(sorted(bounds.items())))


def _bound(shape: Shape, word: ast.keyword) -> tuple[str, str | int | float]:
    name, value = word.arg or "**", _literal(word.value)
    if name == "description" and isinstance(value, str):
        return name, value
    if name not in _FITTING.get(shape.kind, frozenset()):
        raise AnnotationError(f"the bound {name} does not fit the type {shape.kind.value}")
    if name == "pattern":
        return name, _pattern(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AnnotationError(f"the bound {name} is not a number")
    if name in _LENGTHS and (not isinstance(value, int) or value < 0):
        raise AnnotationError(f"the bound {name} is not a length")
    if name == "multiple_of" and value <= 0:
        raise AnnotationError("the bound multiple_of has to be more than 0")
    return name, value


def _pattern(value: object) -> str:
    """Accept what both Python and the linear-time engine of pydantic understand: no look-around, no back-references."""
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    if not isinstance(value, str):
        raise AnnotationError("the pattern is not text")
    try:
        re.compile(value)
        SchemaValidator(core_schema.str_schema(pattern=value))
    except (re.error, SchemaError):
        raise AnnotationError("the pattern is not one that can be checked (look-around is not accepted)") from None
    return value


def inferred(value: Json) -> Shape:
    """Infer the shape of a plain `name = literal`.

    Raises:
        AnnotationError: if the value alone does not say what others would be accepted (None, an empty or a mixed list).
    """
    match value:
        case bool():
            return Shape(kind=Kind.BOOL)
        case int():
            return Shape(kind=Kind.INT)
        case float():
            return Shape(kind=Kind.FLOAT)
        case str():
            return Shape(kind=Kind.STR)
        case list():
            return Shape(kind=Kind.LIST, item=_same(value))
        case dict():
            return Shape(kind=Kind.DICT, item=_same(list(value.values())))
        case _:
            raise AnnotationError("None does not say which type is meant: annotate it")


def _same(values: list[Json]) -> Shape:
    shapes = [inferred(value) for value in values]
    if not shapes or any(shape != shapes[0] for shape in shapes):
        raise AnnotationError("an empty or mixed list or dict does not say which type is meant: annotate it")
    return shapes[0]


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise AnnotationError(f"{_written(node)} is not a literal") from None


def _written(node: ast.expr) -> str:
    text = ascii(ast.unparse(node)).strip("'\"")
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - enough to find it in the cell
