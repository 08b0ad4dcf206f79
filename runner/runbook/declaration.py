"""What the parameters cell declares, read from its syntax tree; the cell is never executed to be understood.

Allowed are imports of known names and assignments of literals, with or without an annotation. Everything else becomes a
`Problem` with its line, for lint: a computed default would keep its old inputs when a value is injected after it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import keyword
import re
import tokenize
from dataclasses import dataclass
from enum import Enum
from typing import Final

from runner.digest import Json
from runner.runbook.annotations import AnnotationError, inferred, understood
from runner.runbook.shape import Shape

NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}")
_SHELL_NAMES = re.compile(r"_+|__.*|_i+|_i?[0-9]+|_[iod]h|_exit_code|get_ipython|exit|quit|display")
"""Names that IPython itself sets: a value injected there would be lost or would break the shell."""

IMPORTS: dict[str, frozenset[str]] = {
    "runner.toolkit": frozenset({"Annotated", "Field", "Literal", "Optional"}),
    "typing": frozenset({"Annotated", "Literal", "Optional"}),
    "datetime": frozenset({"date", "datetime"}),
    "__future__": frozenset({"annotations"}),
}


class Missing(Enum):
    """The absence of a default, which None is not."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class Fault(Enum):
    """Kinds of problems in the cell, so that lint can number them."""

    STATEMENT = "statement"
    COMPUTED = "computed"
    NAME = "name"
    TYPE = "type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the parameters cell that declares nothing. `line` counts from 1 in the cell."""

    line: int
    fault: Fault
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter. `annotation` is as written, `default` a literal or MISSING, `line` counts in the cell."""

    name: str
    shape: Shape
    annotation: str
    description: str
    default: Json | Missing
    line: int

    @property
    def required(self) -> bool:
        """Whether a request has to give it."""
        return self.default is MISSING


def read(source: str) -> tuple[tuple[Parameter, ...], tuple[Problem, ...]]:
    """Read a parameters cell.

    Returns:
        What it declares, in the order written, and everything in it that declares nothing.
    """
    try:
        tree = ast.parse(source)
        comments = _comments(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        line = getattr(error, "lineno", None) or 1
        return (), (_statement(line, "this is not Python", "Write `name: type = default`, one per line."),)
    reading = _Reading(comments)
    for statement in tree.body:
        reading.statement(statement)
    return tuple(reading.parameters.values()), tuple(reading.problems)


def _statement(line: int, message: str, hint: str) -> Problem:
    return Problem(line=line, fault=Fault.STATEMENT, message=message, hint=hint)


def _comments(source: str) -> dict[int, str]:
    """Map each line to the comment at its end."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("#").strip() for token in tokens if token.type == tokenize.COMMENT}


class _Reading:
    """One pass over the statements, keeping what they declare and what is wrong with them."""

    def __init__(self, comments: dict[int, str]) -> None:
        self._comments = comments
        self._imported: set[str] = set()
        self.parameters: dict[str, Parameter] = {}
        self.problems: list[Problem] = []

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.ImportFrom():
                self._import(node)
            case ast.AnnAssign(target=ast.Name(id=name)):
                self._annotated(name, node)
            case ast.Assign(targets=[ast.Name(id=name)]):
                self._plain(name, node)
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                self.problems.append(
                    _statement(
                        node.lineno,
                        "only imports of types and `name: type = literal` belong here",
                        "Move this line to a cell with the role setup.",
                    )
                )

    def _import(self, node: ast.ImportFrom) -> None:
        allowed = IMPORTS.get(node.module or "", frozenset()) if not node.level else frozenset()
        for alias in node.names:
            if alias.name in allowed and alias.asname is None:
                self._imported.add(alias.name)
            else:
                self.problems.append(
                    _statement(
                        node.lineno,
                        f"the import of {alias.name!a} does not belong here",
                        "Import Annotated, Field, Literal, Optional from runner.toolkit; move other imports to setup.",
                    )
                )

    def _annotated(self, name: str, node: ast.AnnAssign) -> None:
        default = self._default(node.value, line=node.lineno) if node.value else MISSING
        if isinstance(default, Problem):
            self.problems.append(default)
            return
        try:
            shape = understood(node.annotation, imported=frozenset(self._imported))
        except AnnotationError as error:
            self._wrong_type(node.lineno, str(error))
            return
        self._declare(name, shape, default=default, node=node, annotation=ast.unparse(node.annotation))

    def _plain(self, name: str, node: ast.Assign) -> None:
        default = self._default(node.value, line=node.lineno)
        if isinstance(default, Problem):
            self.problems.append(default)
            return
        try:
            shape = inferred(default)
        except AnnotationError as error:
            self._wrong_type(node.lineno, str(error))
            return
        self._declare(name, shape, default=default, node=node, annotation=shape.kind.value)

    def _default(self, node: ast.expr, *, line: int) -> Json | Problem:
        try:
            value: object = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return Problem(
                line=line,
                fault=Fault.COMPUTED,
                message="a computed default would keep its old inputs when another value is given",
                hint="Write a literal here and compute in a cell with the role setup or read.",
            )
        if not _is_json(value):
            return Problem(
                line=line,
                fault=Fault.TYPE,
                message="the default is not text, a number, true or false, None, a list or a dict",
                hint="Write a list instead of a tuple or set.",
            )
        return value  # type: ignore[return-value] # just checked to be JSON

    def _declare(self, name: str, shape: Shape, *, default: Json | Missing, node: ast.stmt, annotation: str) -> None:
        wrong = self._wrong_name(name)
        if wrong:
            hint = "Use lower-case ASCII letters, digits and _, and no name that Python or the shell has."
            self.problems.append(Problem(line=node.lineno, fault=Fault.NAME, message=wrong, hint=hint))
            return
        if default is not MISSING:
            typed: Json | Missing = MISSING
            with contextlib.suppress(ValueError, RecursionError):
                typed = shape.typed(default)
            # A text that a request could write is no default: in plain Jupyter it would stay a text.
            if typed != default:
                self._wrong_type(node.lineno, f"the default of {name} is not {shape.accepted()}")
                return
            default = typed
        comment = self._comments.get(node.end_lineno or node.lineno, "")
        self.parameters[name] = Parameter(
            name=name, shape=shape, annotation=annotation, description=comment, default=default, line=node.lineno
        )

    def _wrong_name(self, name: str) -> str:
        if not NAME.fullmatch(name):
            return f"{name!a} is not a parameter name"
        if keyword.iskeyword(name) or hasattr(builtins, name) or _SHELL_NAMES.fullmatch(name) or name in self._imported:
            return f"{name} already means something else"
        return f"{name} is declared twice" if name in self.parameters else ""

    def _wrong_type(self, line: int, message: str) -> None:
        hint = "Use str, int, float, bool, date, datetime, Literal, list, dict, Optional, or Annotated with Field."
        self.problems.append(Problem(line=line, fault=Fault.TYPE, message=message, hint=hint))


def _is_json(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, float, str))
