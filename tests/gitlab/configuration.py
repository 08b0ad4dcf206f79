"""Reading `.gitlab-ci.yml` as far as the stand-in has to: declared inputs, and the jobs that a pipeline gets.

Of rules it knows `if` and `when` with comparisons of variables; a pipeline whose rules it cannot read is refused. The
example's own rules are evaluated by a real `gitlab-ci-local` besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_HOLE = re.compile(r"\$\[\[\s*inputs\.([A-Za-z0-9_-]+)\s*\]\]")
_COMPARISON = re.compile(
    r"""(?P<left>\$\w+|"[^"]*"|'[^']*')(?:\s*(?P<how>==|!=|=~)\s*(?P<right>\$\w+|"[^"]*"|'[^']*'|null|/.*/))?"""
)
_NOT_JOBS = {"default", "variables", "stages", "include", "workflow", "image", "services", "before_script", "spec"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A job that a pipeline gets."""

    name: str
    stage: str
    tags: tuple[str, ...]
    resource_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What was read; with `problems` there is no pipeline."""

    inputs: Mapping[str, Any]
    jobs: tuple[Planned, ...]
    problems: tuple[str, ...] = ()


def configuration(text: str, *, inputs: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> Configuration:
    """Read a configuration with the inputs that somebody gives, for a pipeline with these variables."""
    try:
        documents = [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    except yaml.YAMLError as error:
        return Configuration(inputs={}, jobs=(), problems=(f"Invalid configuration format: {error}",))
    head = documents[0].get("spec", {}) if len(documents) > 1 and "spec" in documents[0] else {}
    declared: Mapping[str, Any] = head.get("inputs") or {}
    values, problems = _values(declared, inputs)
    body = _filled(documents[-1], values) if documents else {}
    jobs = [
        _job(name, job)
        for name, job in body.items()
        if isinstance(job, dict)
        and name not in _NOT_JOBS
        and not name.startswith(".")
        and _takes_part(job, variables or {"CI_PIPELINE_SOURCE": "api"})
    ]
    if not jobs and not problems:
        problems = [
            "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs."
        ]
    return Configuration(inputs=values, jobs=tuple(jobs), problems=tuple(problems))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A configuration with its inputs put in, for a program that knows none."""
    documents = [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    return str(yaml.safe_dump(_filled(documents[-1], values), sort_keys=False))


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    """Put the inputs in: into the parsed tree, as GitLab does, so that no value can become syntax."""
    if isinstance(node, dict):
        return {name: _filled(one, values) for name, one in node.items()}
    if isinstance(node, list):
        return [_filled(one, values) for one in node]
    if not isinstance(node, str):
        return node
    whole = _HOLE.fullmatch(node.strip())
    return values.get(whole[1]) if whole else _HOLE.sub(lambda hole: str(values.get(hole[1], "")), node)


def _values(declared: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems = [f"Given inputs not defined in the `spec` section of the included configuration file: `{name}`"
                for name in given if name not in declared]  # fmt: skip
    for name, written in declared.items():
        rules = written or {}
        if name not in given and "default" not in rules:
            problems.append(f"`{name}` input: required value has not been provided")
            continue
        value = given.get(name, rules.get("default"))
        kinds = {"number": (int, float), "boolean": (bool,), "array": (list,)}.get(rules.get("type", "string"), (str,))
        if not isinstance(value, kinds):
            problems.append(f"`{name}` input: provided value is not a {rules.get('type', 'string')}")
        elif "options" in rules and value not in rules["options"]:
            problems.append(
                f"`{name}` input: `{value}` cannot be used because it is not in the list of allowed options"
            )
        elif "regex" in rules and not re.search(rules["regex"], str(value)):
            problems.append(f"`{name}` input: provided value does not match required RegEx pattern")
        values[name] = value
    return values, problems


def _job(name: str, job: Mapping[str, Any]) -> Planned:
    group = job.get("resource_group", "")
    return Planned(
        name=name,
        stage=str(job.get("stage", "test")),
        tags=tuple(str(tag) for tag in job.get("tags", ())),
        resource_group=str(group.get("key", "") if isinstance(group, dict) else group),
    )


def _takes_part(job: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
    """The first rule that fits decides; with rules, and none that fits, the job is left out."""
    rules = job.get("rules")
    if not isinstance(rules, list):
        return True
    for rule in rules:
        if any(_holds(part, variables) for part in str(rule.get("if", "'' == ''")).split("||")):
            return bool(rule.get("when") != "never")
    return False


def _holds(expression: str, variables: Mapping[str, str]) -> bool:
    return all(_compared(part.strip(), variables) for part in expression.split("&&"))


def _compared(text: str, variables: Mapping[str, str]) -> bool:
    """One comparison, or a variable that has to have a value."""
    found = _COMPARISON.fullmatch(text)
    if found is None:
        raise NotImplementedError(f"a rule that the stand-in cannot read: {text}")
    left = _value(found["left"], variables)
    match found["how"]:
        case "==":
            return left == _value(found["right"], variables)
        case "!=":
            return left != _value(found["right"], variables)
        case "=~":
            return re.search(found["right"].strip("/"), left) is not None
        case _:
            return bool(left)


def _value(text: str, variables: Mapping[str, str]) -> str:
    return variables.get(text[1:], "") if text.startswith("$") else "" if text == "null" else text[1:-1]
