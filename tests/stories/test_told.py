"""Every story is told on both forges, or stands in a list of those that cannot be, with its reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.stories import told

HERE = Path(__file__).parent
BOTH = "founded"
"""The fixture that is there once for each forge."""

Asked = dict[str, frozenset[str]]


def functions(file: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """The functions at the top of a module, with the fixtures that they ask for."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    marked = _used([node for node in module.body if isinstance(node, ast.Assign)])
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            arguments = (*node.args.args, *node.args.kwonlyargs)
            yield node.name, frozenset(one.arg for one in arguments) | _used(node.decorator_list) | marked


def _used(nodes: list[ast.Assign] | list[ast.expr]) -> frozenset[str]:
    """Names of fixtures in `usefixtures` marks."""
    calls = [call for node in nodes for call in ast.walk(node) if isinstance(call, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "usefixtures"]
    return frozenset(str(one.value) for call in named for one in call.args if isinstance(one, ast.Constant))


def stories() -> dict[str, bool]:
    """Every test of this folder, and whether it is told on both forges unless it is listed."""
    shared = dict(functions(HERE / "conftest.py"))
    found = {}
    for file in sorted(HERE.glob("test_*.py")):
        own = dict(functions(file))
        for name in own:
            if name.startswith("test_"):
                found[f"{file.stem}::{name}"] = _reaches(name, shared | own)
    return found


def _reaches(name: str, asked: Mapping[str, frozenset[str]]) -> bool:
    """Whether a function asks for what there is on both, itself or by another fixture."""
    wanted, seen = [name], set()
    while wanted:
        one = wanted.pop()
        if one == BOTH:
            return True
        if one not in seen:
            seen.add(one)
            wanted += asked.get(one, ())
    return False


def listed(name: str, reasons: Mapping[str, str]) -> bool:
    return bool({name, name.partition("::")[0]} & reasons.keys())


def test_every_story_is_told_on_both_forges_or_listed_with_a_reason() -> None:
    alone = [name for name, both in stories().items() if not both]
    assert [name for name in alone if not listed(name, told.IN_NO_WORLD)] == [], "let it have a `world`, or say why not"


def test_what_is_listed_is_a_story_and_has_a_reason() -> None:
    known = stories()
    modules = {name.partition("::")[0] for name in known}
    for reasons, both in ((told.ON_PLAIN_GIT_ALONE, True), (told.IN_NO_WORLD, False)):
        assert sorted(reasons.keys() - known.keys() - modules) == []
        assert all(re.fullmatch(r"\S.{15,}", reason) for reason in reasons.values())
        assert [name for name in reasons if name in known and known[name] is not both] == []
