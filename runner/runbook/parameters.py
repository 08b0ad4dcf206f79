"""Parameters: the schema that a runbook's parameters cell is, and the values that a request gives.

One schema serves validation, the issue form, help and documents. The cell is read by `declaration`; pydantic gives the
JSON Schema and judges bounds, and is imported only when one of the two is asked for.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.digest import Json
from runner.errors import RequestError
from runner.runbook import declaration, leaks, spelling
from runner.runbook.declaration import MISSING, Parameter, Problem
from runner.runbook.literals import injected
from runner.runbook.shape import annotation, text

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["MISSING", "Parameter", "ParameterErrors", "Problem", "Refusal", "Schema", "Value", "Values", "injected"]

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One typed value and where it came from: `request`, `default` or `example`."""

    value: Json
    source: str


class Values(Mapping[str, Json]):
    """Typed values of every parameter, in the order declared; `origin` says where each came from."""

    def __init__(self, found: Mapping[str, Value]) -> None:
        """Keep a copy."""
        self._found = dict(found)

    def __getitem__(self, name: str) -> Json:
        return self._found[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def origin(self, name: str) -> str:
        """`request`, `default` or `example`."""
        return self._found[name].source

    def plain(self) -> dict[str, Json]:
        """The values alone."""
        return {name: found.value for name, found in self._found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refused value: its name, the value as it may be shown, what is wrong, and what would be accepted.

    `missing` says that a required value was not given at all.
    """

    name: str
    value: str
    wrong: str
    expected: str
    missing: bool = False

    def __str__(self) -> str:
        value = f" = {self.value}" if self.value else ""
        return f"{self.name}{value}: {self.wrong}; accepted: {self.expected}"


class ParameterErrors(RequestError):  # noqa: N818 - it holds every problem, not one
    """Every value of a request that is not accepted, at once."""

    def __init__(self, problems: tuple[Refusal, ...]) -> None:
        super().__init__(
            "checking the parameters",
            "".join(f"\n- {problem}" for problem in problems) if len(problems) > 1 else str(problems[0]),
            hint="Correct these values and write the request again in a new comment.",
        )
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a parameters cell declares. `problems` is for lint: what in the cell declares nothing."""

    parameters: tuple[Parameter, ...] = ()
    problems: tuple[Problem, ...] = ()

    @classmethod
    def read(cls, source: str) -> Schema:
        """Read a parameters cell; what is wrong with it is kept in `problems`."""
        parameters, problems = declaration.read(source)
        return cls(parameters=parameters, problems=problems)

    def json_schema(self) -> dict[str, Json]:
        """The JSON Schema (2020-12) of the values; nothing beside the declared names is allowed."""
        schema: dict[str, Json] = self._model().model_json_schema()
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

    def rows(self) -> tuple[tuple[str, str, str, str], ...]:
        """The parameters as a table: name, what is accepted, default as a request writes it, description."""
        return tuple(
            (
                each.name,
                each.shape.accepted(),
                "required" if each.default is MISSING else written(each.default),
                each.description,
            )
            for each in self.parameters
        )

    def values(self, raw: Mapping[str, Json], *, examples: Mapping[str, Json] | None = None) -> Values:
        """Check and type the values of a request.

        Args:
            raw: text, lists and mappings from a request, or typed JSON.
            examples: values for required parameters that `raw` leaves out (for lint and try, never for a run).

        Returns:
            A value for every declared parameter, and for nothing else.

        Raises:
            ParameterErrors: with every undeclared name, missing value and value that is not accepted.
        """
        declared = {parameter.name: parameter for parameter in self.parameters}
        wrong = [self._undeclared(name) for name in raw if name not in declared]
        found: dict[str, Value] = {}
        for name, parameter in declared.items():
            try:
                found[name] = _one(parameter, raw, examples or {})
            except ValueError as error:
                wrong.append(_refusal(parameter, raw.get(name, (examples or {}).get(name)), str(error)))
        wrong += self._out_of_bounds({name: value.value for name, value in found.items()}, declared)
        if not wrong and len(json.dumps([each.value for each in found.values()])) > MAX_BYTES:
            wrong.append(
                Refusal(name="all values", value="", wrong="too much together", expected=f"at most {MAX_BYTES} bytes")
            )
        if wrong:
            raise ParameterErrors(tuple(wrong))
        return Values(found)

    def _undeclared(self, name: str) -> Refusal:
        names = [parameter.name for parameter in self.parameters]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        expected = ", ".join(names) or "no parameter at all"
        return Refusal(name=spelling.shown(name), value="", wrong=f"is not declared{hint}", expected=expected)

    def _out_of_bounds(self, typed: Mapping[str, Json], declared: Mapping[str, Parameter]) -> list[Refusal]:
        from pydantic import ValidationError

        given = [parameter for name, parameter in declared.items() if name in typed]
        try:
            Schema(parameters=tuple(given))._model().model_validate_json(json.dumps(dict(typed)), strict=True)  # noqa: SLF001 - the same class
        except ValidationError as error:
            names = dict.fromkeys(str(each["loc"][0]) for each in error.errors(include_url=False, include_input=False))
            return [_refusal(declared[name], typed[name], "is outside what is accepted") for name in names]
        return []

    def _model(self) -> type[BaseModel]:
        from pydantic import ConfigDict, Field, create_model

        # pydantic takes names with a leading underscore as private: every name is given through an alias.
        fields = {
            f"p_{each.name}": (
                annotation(each.shape),
                Field(
                    default=... if each.default is MISSING else each.default,
                    alias=each.name,
                    title=each.name,
                    description=each.description or None,
                ),
            )
            for each in self.parameters
        }
        config = ConfigDict(extra="forbid", protected_namespaces=())
        made: type[BaseModel] = create_model("Parameters", __config__=config, **fields)  # type: ignore[call-overload] # run-time types
        return made


def _one(parameter: Parameter, raw: Mapping[str, Json], examples: Mapping[str, Json]) -> Value:
    name = parameter.name
    if name in raw:
        given, source = raw[name], "request"
    elif not isinstance(parameter.default, declaration.Missing):
        return Value(value=parameter.default, source="default")
    elif name in examples:
        given, source = examples[name], "example"
    else:
        raise ValueError("is required and was not given")
    wrong = spelling.unwritable(given)
    if wrong:
        raise ValueError(wrong)
    try:
        return Value(value=parameter.shape.typed(given), source=source)
    except (ValueError, RecursionError):
        raise ValueError("is not accepted") from None


def _refusal(parameter: Parameter, value: Json, wrong: str) -> Refusal:
    hidden = spelling.looks_secret(parameter.name) or bool(leaks.findings(json.dumps(value)))
    missing = wrong.startswith("is required")
    shown = "" if missing else "(not shown)" if hidden else spelling.shown(value)
    return Refusal(name=parameter.name, value=shown, wrong=wrong, expected=parameter.shape.accepted(), missing=missing)


def written(value: Json) -> str:
    """Write a value the way a request writes it: text as it is, everything else as JSON."""
    return text(value) if isinstance(value, (str, bool, int, float)) else json.dumps(value)
