"""Every story is told on both forges, or stands in the list of those that cannot be, with its reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.stories import told

HERE = Path(__file__).parent


def stories() -> dict[str, frozenset[str]]:
    """Every test of this folder, and the fixtures that it asks for itself."""
    found = {}
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                arguments = (*node.args.args, *node.args.kwonlyargs)
                found[f"{file.stem}::{node.name}"] = frozenset(one.arg for one in arguments)
    return found


def test_what_is_told_on_plain_git_alone_is_a_story_and_has_a_reason() -> None:
    known = stories().keys()
    assert sorted(told.ON_PLAIN_GIT_ALONE.keys() - known - {name.partition("::")[0] for name in known}) == []
    assert all(re.fullmatch(r"\S.{15,}", reason) for reason in told.ON_PLAIN_GIT_ALONE.values())
