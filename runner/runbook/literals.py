"""The source of the injected-parameters cell: our own writer of literals, and the reading back that proves it right.

papermill would write whatever name and value it is given into code; it is given none.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping

from runner.digest import Json
from runner.errors import RequestError
from runner.runbook.declaration import NAME

_DOING = "writing the injected parameters"


def injected(values: Mapping[str, Json]) -> str:
    """Write one assignment per value.

    Returns:
        ASCII source, one line per value in the order given, that reads back to exactly these values.

    Raises:
        RequestError: if a name or value cannot be written so that it reads back the same.
    """
    lines = ["# Injected by the runner: the values of this run."]
    for name, value in values.items():
        if not NAME.fullmatch(name):
            raise RequestError(_DOING, f"{name!a} is not a parameter name")
        lines.append(f"{name} = {literal(value)}")
    source = "\n".join(lines) + "\n"
    if not same(read_back(source), dict(values)):
        raise RequestError(
            _DOING, "the values do not read back the same", hint="Report this: it is a fault of the runner."
        )
    return source


def literal(value: Json) -> str:
    """Write one value as a Python literal in ASCII.

    Raises:
        RequestError: if it is a number that has no literal, or no JSON value.
    """
    match value:
        case None | bool() | int():
            return repr(value)
        case float() if math.isfinite(value):
            return repr(value)
        case str():
            return ascii(value)
        case list():
            return "[" + ", ".join(literal(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{key!a}: {literal(item)}" for key, item in value.items()) + "}"
        case _:
            raise RequestError(_DOING, f"a {type(value).__name__} of that value has no literal")


def read_back(source: str) -> dict[str, Json]:
    """Read the source of an injected cell with `ast.literal_eval`, accepting nothing but assignments.

    Raises:
        RequestError: if it holds anything else.
    """
    found: dict[str, Json] = {}
    try:
        for statement in ast.parse(source).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in found:
                    found[name] = ast.literal_eval(value)
                case _:
                    raise RequestError(_DOING, "the cell holds something else than one assignment per name")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise RequestError(_DOING, "the cell does not read back") from None
    return found


def same(left: Json, right: Json) -> bool:
    """Equality that tells 1 from True and from 1.0, which `==` does not."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return left == right
