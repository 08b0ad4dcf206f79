"""The request as a fenced block with the info string `runbook`, in an issue's description or a comment.

It holds strict YAML with the keys `runbook`, `parameters`, `reason`, `related` and `emergency`, and nothing else.
Values stay text (in lists and mappings too): which type each has is said by the runbook's parameters, which are not
known here. A parameter behind whose name nothing is written is as if its line were not there; an empty text is `""`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.digest import Json
from runner.errors import RequestError
from runner.request import asks, strict_yaml
from runner.request.characters import NAME, PARAMETER, escaped, hidden

DOING = "reading the request"
KEYS = ("runbook", "parameters", "reason", "related", "emergency")
MOST_RELATED = 20
_REFERENCE = re.compile(r"[#!]?[1-9][0-9]{0,8}")
LARGEST_REASON = 4_000
"""Characters."""
HINT = "write `runbook: NAME` and, below `parameters:`, one indented `name: value` line each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a block says. `emergency` is why it cannot wait for the usual approvals; empty where it can.

    `related` are issues (`#12`) and merge requests (`!34`) of the same project.
    """

    runbook: str
    parameters: dict[str, Json]
    reason: str = ""
    emergency: str = ""
    related: tuple[str, ...] = ()


def read(block: asks.Block) -> Wanted:
    """Read one block.

    Raises:
        RequestError: naming the line, for whatever is not a well-formed request.
    """
    if block.doubt:
        hint = "put the block at the margin, outside lists, quotes and HTML, and close it with the same marks"
        raise RequestError(DOING, block.doubt, hint=hint)
    raw = strict_yaml.mapping(block.text, doing=DOING, first_line=block.line)
    for key in raw:
        if key not in KEYS:
            raise RequestError(DOING, f"`{escaped(key)}` is not a key of a request", hint=f"keys: {', '.join(KEYS)}")
    return Wanted(
        runbook=_runbook(raw),
        parameters=_parameters(raw),
        reason=_words(raw, "reason"),
        emergency=_emergency(raw),
        related=_related(raw),
    )


def _runbook(raw: dict[str, strict_yaml.Node]) -> str:
    name = raw.get("runbook", "")
    if not isinstance(name, str) or not name:
        raise RequestError(DOING, "no runbook is named", hint=HINT)
    if not NAME.fullmatch(name):
        hint = "names are plain ASCII; see them with: runbook list"
        raise RequestError(DOING, f"`{escaped(name)}` is not a runbook's name", hint=hint)
    return name


def _parameters(raw: dict[str, strict_yaml.Node]) -> dict[str, Json]:
    given = raw.get("parameters", {})
    if given == "":
        return {}
    if not isinstance(given, dict):
        raise RequestError(DOING, "`parameters` is not a mapping", hint=HINT)
    for name, value in given.items():
        if not PARAMETER.fullmatch(name):
            raise RequestError(DOING, f"`{escaped(name)}` is not a parameter's name", hint=HINT)
        if found := _hidden(value):
            wrong = f"the value of `{name}` holds {found}"
            raise RequestError(DOING, wrong, hint="type the value instead of pasting it")
    return {name: _json(value) for name, value in given.items() if not isinstance(value, strict_yaml.Unwritten)}


def _words(raw: dict[str, strict_yaml.Node], key: str) -> str:
    words = raw.get(key, "")
    if not isinstance(words, str) or len(words) > LARGEST_REASON:
        raise RequestError(DOING, f"`{key}` is not a text of at most {LARGEST_REASON:,} characters")
    if found := hidden(words, allow="\n\t"):
        raise RequestError(DOING, f"`{key}` holds {found}", hint="type it instead of pasting it")
    return words.strip()


def _related(raw: dict[str, strict_yaml.Node]) -> tuple[str, ...]:
    """References as people write them. Without quotes YAML takes `#` for a comment and `!` for a tag."""
    if "related" not in raw:
        return ()
    given = raw["related"]
    words = [word for one in (given if isinstance(given, list) else [given]) for word in _split(one)]
    hint = 'issues and merge requests of this project, in quotes: related: "#12 !34"'
    if not words or len(words) > MOST_RELATED or not all(_REFERENCE.fullmatch(word) for word in words):
        wrong = (
            f"it names more than {MOST_RELATED}" if len(words) > MOST_RELATED else "it names none, or something else"
        )
        raise RequestError(DOING, f"`related`: {wrong}", hint=hint)
    return tuple(dict.fromkeys(f"#{word}" if word.isdigit() else word for word in words))


def _split(node: strict_yaml.Node) -> list[str]:
    return node.replace(",", " ").split() if isinstance(node, str) else ["?"]


def _emergency(raw: dict[str, strict_yaml.Node]) -> str:
    why = _words(raw, "emergency")
    if "emergency" in raw and why.lower() in {"", "true", "false", "yes", "no"}:
        hint = "write `emergency: why it cannot wait`, or leave the line out"
        raise RequestError(DOING, "`emergency` needs a reason", hint=hint)
    return why


def _hidden(value: strict_yaml.Node) -> str:
    """Name a character in a value, at any depth, that must not be there; depth is limited by the loader."""
    match value:
        case str():
            return hidden(value, allow="\n\t")
        case list():
            return next((found for one in value if (found := _hidden(one))), "")
        case dict():
            keys = next((found for key in value if (found := hidden(key))), "")
            return keys or next((found for one in value.values() if (found := _hidden(one))), "")


def _json(value: strict_yaml.Node) -> Json:
    match value:
        case str():
            return str(value)
        case list():
            return [_json(one) for one in value]
        case dict():
            return {key: _json(one) for key, one in value.items()}
