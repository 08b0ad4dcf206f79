"""The text of an issue that asks for a runbook: the block to paste, with every parameter explained beside it."""

from __future__ import annotations

import json
import re

from runner.digest import Json
from runner.runbook.parameters import MISSING, Parameter
from runner.runbook.runbook import Runbook

_PLAIN = re.compile(r"[A-Za-z0-9/_][A-Za-z0-9/_.-]*")


def issue(runbook: Runbook) -> str:
    """Write the issue's text.

    Required parameters stand without a value (or with the header's example), the others as comments with their default:
    what is left alone keeps its default.
    """
    examples = dict(runbook.header.examples)
    lines = [f"runbook: {runbook.name}"]
    parameters = runbook.parameters.parameters
    if parameters:
        required = any(parameter.required for parameter in parameters)
        lines.append("parameters:" if required else "# parameters:")
        lines += [_line(parameter, example=examples.get(parameter.name, MISSING)) for parameter in parameters]
    lines.append("# reason: why it is needed now")
    block = "\n".join(lines)
    return f"{runbook.header.title}\n\n```runbook\n{block}\n```\n"


def _line(parameter: Parameter, *, example: Json | object) -> str:
    told = "; ".join(part for part in (parameter.description, parameter.shape.accepted()) if part)
    if parameter.default is MISSING:
        value = "" if example is MISSING else written(example)
        return f"  {parameter.name}: {value}  # required: {told}"
    return f"#  {parameter.name}: {written(parameter.default)}  # {told}"


def written(value: object) -> str:
    """Write a value as strict YAML that reads back to it: anything but a plain word is quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)}: {written(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    return "null" if value is None else str(value)
