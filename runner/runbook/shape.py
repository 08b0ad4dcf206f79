"""The shape of a parameter: what its annotation means, what it accepts, and how a written value becomes a typed one.

A request holds only text, lists and mappings, so that nothing is typed by accident; the shape decides what a text is.
The bounds themselves (`ge`, `pattern`, ...) are checked by pydantic on the typed value, in `parameters`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from runner.digest import Json

MAX_ITEMS = 1000
MAX_INT = 2**63 - 1
_INT = re.compile(r"0|-?[1-9][0-9]{0,18}")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


class Kind(Enum):
    """What a value is; the words are those of the annotation."""

    STR = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    LITERAL = "Literal"
    LIST = "list"
    DICT = "dict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One annotation, understood. `choices` is for LITERAL, `item` for LIST and DICT (whose keys are text).

    A date or datetime is kept as its ISO 8601 text: that is what the notebook gets.
    """

    kind: Kind
    item: Shape | None = None
    choices: tuple[str | int | bool, ...] = ()
    optional: bool = False
    bounds: tuple[tuple[str, str | int | float], ...] = ()

    def typed(self, raw: Json) -> Json:
        """Turn a written value into a typed one.

        Args:
            raw: text, a list or a mapping from a request, or an already typed JSON value.

        Raises:
            ValueError: if it is not such a value; the bounds are not looked at.
        """
        if self.optional and (raw is None or raw == "null"):
            return None
        return _TYPED[self.kind](self, raw)

    def accepted(self) -> str:
        """Say in words what is accepted, for people who wrote something else."""
        words = _WORDS[self.kind](self) + _bounds(dict(self.bounds))
        return f"{words}, or null" if self.optional else words


def _str(_shape: Shape, raw: Json) -> Json:
    if not isinstance(raw, str):
        raise ValueError("text")  # noqa: TRY004 - every refused value is a ValueError, told together
    return raw


def _int(_shape: Shape, raw: Json) -> Json:
    if isinstance(raw, str) and _INT.fullmatch(raw):
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) > MAX_INT:
        raise ValueError("a whole number")
    return raw


def _float(_shape: Shape, raw: Json) -> Json:
    if isinstance(raw, str) and _FLOAT.fullmatch(raw):
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or abs(raw) > MAX_INT or not math.isfinite(raw):
        raise ValueError("a number")
    return float(raw)


def _bool(_shape: Shape, raw: Json) -> Json:
    if isinstance(raw, bool):
        return raw
    if raw not in ("true", "false"):
        raise ValueError("true or false")
    return raw == "true"


def _date(_shape: Shape, raw: Json) -> Json:
    if not isinstance(raw, str) or date.fromisoformat(raw).isoformat() != raw:
        raise ValueError("a date")
    return raw


def _datetime(_shape: Shape, raw: Json) -> Json:
    if not isinstance(raw, str) or not re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", raw):
        raise ValueError("a date and time")
    datetime.fromisoformat(raw)
    return raw


def _literal(shape: Shape, raw: Json) -> Json:
    for choice in shape.choices:
        if (type(raw) is type(choice) and raw == choice) or (isinstance(raw, str) and raw == text(choice)):
            return choice
    raise ValueError("one of the choices")


def _list(shape: Shape, raw: Json) -> Json:
    if not isinstance(raw, list) or len(raw) > MAX_ITEMS or shape.item is None:
        raise ValueError("a list")
    return [shape.item.typed(item) for item in raw]


def _dict(shape: Shape, raw: Json) -> Json:
    if not isinstance(raw, dict) or len(raw) > MAX_ITEMS or shape.item is None:
        raise ValueError("a mapping")
    return {key: shape.item.typed(item) for key, item in raw.items()}


_TYPED: Mapping[Kind, Callable[[Shape, Json], Json]] = {
    Kind.STR: _str,
    Kind.INT: _int,
    Kind.FLOAT: _float,
    Kind.BOOL: _bool,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.LITERAL: _literal,
    Kind.LIST: _list,
    Kind.DICT: _dict,
}

_WORDS: Mapping[Kind, Callable[[Shape], str]] = {
    Kind.STR: lambda _: "text",
    Kind.INT: lambda _: "a whole number",
    Kind.FLOAT: lambda _: "a number",
    Kind.BOOL: lambda _: "true or false",
    Kind.DATE: lambda _: "a date such as 2026-11-23",
    Kind.DATETIME: lambda _: "a date and time such as 2026-11-23T02:30:00+00:00",
    Kind.LITERAL: lambda shape: "one of: " + ", ".join(text(choice) for choice in shape.choices),
    Kind.LIST: lambda shape: f"a list, each item {shape.item.accepted() if shape.item else 'a value'}",
    Kind.DICT: lambda shape: f"a mapping, each value {shape.item.accepted() if shape.item else 'a value'}",
}

_BOUND_WORDS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "multiple_of": "a multiple of {}",
    "min_length": "length at least {}",
    "max_length": "length at most {}",
    "pattern": "matching {}",
}


def _bounds(bounds: Mapping[str, str | int | float]) -> str:
    return "".join(", " + words.format(bounds[name]) for name, words in _BOUND_WORDS.items() if name in bounds)


def text(value: str | float) -> str:
    """Write a value the way a request writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def annotation(shape: Shape) -> object:
    """Build the type that pydantic understands, with the bounds on it."""
    from typing import Annotated, Literal

    from pydantic import Field

    plain: dict[Kind, object] = {
        Kind.STR: str,
        Kind.INT: int,
        Kind.FLOAT: float,
        Kind.BOOL: bool,
        Kind.DATE: date,
        Kind.DATETIME: datetime,
    }
    found: object
    if shape.kind is Kind.LITERAL:
        found = Literal[shape.choices]
    elif shape.kind is Kind.LIST and shape.item:
        found = list[annotation(shape.item)]  # type: ignore[misc] # a type made at run time
    elif shape.kind is Kind.DICT and shape.item:
        found = dict[str, annotation(shape.item)]  # type: ignore[misc] # a type made at run time
    else:
        found = plain[shape.kind]
    if shape.bounds:
        found = Annotated[found, Field(**dict(shape.bounds))]  # type: ignore[call-overload] # names are checked when read
    if shape.optional:
        found = found | None  # type: ignore[operator] # a type made at run time
    return found
