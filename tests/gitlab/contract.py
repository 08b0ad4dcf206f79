"""GitLab's published contract, held against every exchange: what the stand-in says has to be what GitLab may say.

The contract is the OpenAPI file of the shared data, and beside it `supplement.yaml`: what that trimmed file leaves out,
in our own words after GitLab's documentation. Requests are not judged by it (it knows less of them than GitLab does),
but for the operation: one that GitLab does not publish is not answered either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match

FILE = Path(__file__).resolve().parents[3] / "shared" / "gitlab" / "openapi.yaml"
SUPPLEMENT = Path(__file__).resolve().parent / "supplement.yaml"


class Exchange(NamedTuple):
    """One request by its operation, and the answer."""

    method: str
    template: str
    status: int
    body: Any
    media: str


@cache
def _contract() -> dict[str, Any]:
    """Both files as one: answers of the supplement come first, and its fields are added to those of a schema."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded, more = (yaml.load(one.read_text(encoding="utf-8"), Loader=loader) for one in (FILE, SUPPLEMENT))  # noqa: S506 - a safe loader
    for path, operations in more["paths"].items():
        place = loaded["paths"].setdefault(path, {})
        for method, operation in operations.items():
            answers = place.get(method, {}).get("responses", {}) | operation["responses"]
            place[method] = place.get(method, {}) | operation | {"responses": answers}
    for name, schema in more["components"]["schemas"].items():
        known = loaded["components"]["schemas"].setdefault(name, schema)
        known["properties"] = known["properties"] | schema["properties"]
    made: dict[str, Any] = loaded
    return made


@cache
def _validator(method: str, template: str, status: int) -> Draft4Validator | None:
    """The validator for an answer; None where the contract gives it no schema."""
    contract = _contract()
    operation = contract["paths"].get(f"/api/v4{template}", {}).get(method.lower())
    if operation is None:
        raise LookupError(f"the contract has no {method} {template}")
    answers = operation["responses"]
    if str(status) not in answers:
        raise LookupError(f"the contract has no {status} for {method} {template}, only {', '.join(answers)}")
    answer = answers[str(status)]
    if "$ref" in answer:
        answer = _looked_up(answer["$ref"])
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return None if schema is None else Draft4Validator(_plain(schema, ()))


def _looked_up(reference: str) -> Any:
    found: Any = _contract()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _plain(schema: Any, path: tuple[str, ...]) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema: references put in, `nullable` spelled out, nothing unknown let through."""
    if isinstance(schema, list):
        return [_plain(one, path) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        reference = schema["$ref"]
        return {} if reference in path else _plain(_looked_up(reference), (*path, reference))
    made = {key: _plain(value, path) for key, value in schema.items() if key not in {"example", "default", "nullable"}}
    if "properties" in schema:
        made["properties"] = {name: _plain(one, path) for name, one in schema["properties"].items()}
        # An answer with a field that GitLab does not have is a lie just like one with the wrong type.
        made.setdefault("additionalProperties", False)
    return {"anyOf": [{"type": "null"}, made]} if schema.get("nullable") else made


@dataclass(slots=True)
class Contract:
    """Judges exchanges, and keeps what was wrong with them."""

    broken: list[str] = field(default_factory=list)

    def judge(self, exchange: Exchange) -> None:
        """Note what is not as GitLab publishes it."""
        method, template, status, body, media = exchange
        try:
            validator = _validator(method, template, status)
        except LookupError as error:
            self.broken.append(str(error))
            return
        if validator is None or media != "application/json":
            return
        wrong = best_match(validator.iter_errors(body))
        if wrong is not None:
            place = "/".join(str(part) for part in wrong.absolute_path)
            self.broken.append(f"{method} {template} {status}: {place}: {wrong.message[:300]}")
