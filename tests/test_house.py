"""The house style, as far as a machine can judge it: sizes, names, and a test file for every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for path in (ROOT / "runner").rglob("*.py") if "shipped" not in path.parts)

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
"""Lines, without the docstring."""

FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc", "handler"}

TESTED_ELSEWHERE: dict[str, str] = {
    # Declarations alone: nouns and a Protocol, with nothing in them that could be wrong by itself.
    "runner/supervisor/freezing.py": "tests/stories/test_a_request_on_gitlab.py",
    "runner/ledger/frozen.py": "tests/audit/test_attacks.py",
    "runner/supervisor/assigning.py": "tests/stories/test_a_request_on_gitlab.py",
    "runner/supervisor/relating.py": "tests/stories/test_a_request_on_gitlab.py",
    "runner/supervisor/looking.py": "tests/stories/test_trouble_on_gitlab.py",
    "runner/supervisor/judging.py": "tests/supervisor/test_gather.py",
    "runner/supervisor/waiting.py": "tests/stories/test_windows_and_the_queue.py",
    "runner/approval/asking.py": "tests/approval/test_decide.py",
    "runner/actions.py": "tests/test_lifecycle.py",
    "runner/snapshot.py": "tests/test_lifecycle.py",
    "runner/request/arguments.py": "tests/request/test_command.py",
    "runner/request/reading.py": "tests/request/test_command.py",
    "runner/execution/listener.py": "tests/execution/test_record.py",
    "runner/publication/notices.py": "tests/publication/test_comments.py",
    # One executor, told as one story: its notes, its pipelines, what crosses, what chooses it.
    "runner/ports/pipeline.py": "tests/adapters/executor/test_gitlab_ci.py",
    "runner/adapters/executor/errands.py": "tests/adapters/executor/test_gitlab_ci.py",
    "runner/adapters/executor/gitlab_looking.py": "tests/adapters/executor/test_gitlab_ci.py",
    "runner/adapters/executor/gitlab_pipelines.py": "tests/adapters/executor/test_gitlab_ci.py",
    "runner/executors.py": "tests/stories/test_in_gitlab_ci.py",
    # What a worker accepts and refuses is seen in whole executions.
    "runner/execution/acceptance.py": "tests/execution/test_worker.py",
    # The table is written down a second time there, beside the fold that obeys it.
    "runner/plan/states.py": "tests/plan/test_run.py",
    "runner/doctor/facts.py": "tests/doctor/test_examination.py",
    "runner/ports/premises.py": "tests/adapters/forge/test_gitlab_inspection.py",
    "runner/inspecting.py": "tests/stories/test_doctor.py",
    "runner/adapters/forge/gitlab_premises.py": "tests/adapters/forge/test_gitlab_inspection.py",
    # What carries them out is a supervisor, at the end of a story with real kernels.
    "runner/supervisor/resuming.py": "tests/stories/test_resume.py",
    "runner/supervisor/reverts.py": "tests/stories/test_revert.py",
    "runner/supervisor/glass.py": "tests/stories/test_break_glass.py",
    "runner/supervisor/owning_up.py": "tests/stories/test_break_glass.py",
    # A change that people merge is seen from its request to its evidence.
    "runner/ledger/merged.py": "tests/stories/test_proposals.py",
    "runner/adapters/forge/local_review.py": "tests/ports/test_review.py",
    "runner/supervisor/fidelity.py": "tests/stories/test_proposals.py",
    "runner/supervisor/merges.py": "tests/stories/test_proposals.py",
    "runner/supervisor/proposed.py": "tests/stories/test_proposals.py",
    "runner/supervisor/reviewing.py": "tests/stories/test_proposals.py",
    "runner/publication/course.py": "tests/publication/test_comments.py",
    "runner/runbook/finding.py": "tests/runbook/test_lint.py",
    "runner/runbook/runbook.py": "tests/runbook/test_reader.py",
    # Every check has its attacks, and every attack shows what it is worth to take a check out.
    "runner/audit/checks/answers.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/approvals.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/chain.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/check.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/files.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/life.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/merges.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/outside.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/registry.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/results.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/reviewed.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/said.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/secret.py": "tests/audit/test_attacks.py",
    "runner/audit/checks/switch.py": "tests/audit/test_attacks.py",
    # What verification is made of is tested through it, on ledgers made by hand and by the product.
    "runner/audit/book.py": "tests/audit/test_verify.py",
    "runner/audit/code.py": "tests/audit/test_verify.py",
    "runner/audit/finding.py": "tests/audit/test_verify.py",
    "runner/audit/folder.py": "tests/audit/test_verify.py",
    "runner/audit/history.py": "tests/audit/test_verify.py",
    "runner/audit/level.py": "tests/audit/test_verify.py",
    "runner/audit/notebook.py": "tests/audit/test_verify.py",
    "runner/audit/page.py": "tests/audit/test_verify.py",
    "runner/audit/seen.py": "tests/audit/test_verify.py",
    "runner/audit/source.py": "tests/audit/test_verify.py",
    "runner/audit/index_entries.py": "tests/audit/test_index.py",
    "runner/audit/rows.py": "tests/audit/test_query.py",
    # The commands of a run's life tell one story together.
    "runner/cli/answer.py": "tests/stories/test_questions.py",
    "runner/cli/approve.py": "tests/cli/test_story_commands.py",
    "runner/cli/cancel.py": "tests/cli/test_story_commands.py",
    "runner/cli/init.py": "tests/cli/test_story_commands.py",
    "runner/cli/reconcile.py": "tests/cli/test_story_commands.py",
    "runner/adapters/forge/gitlab_reading.py": "tests/adapters/forge/test_gitlab_seen.py",
    "runner/cli/reject.py": "tests/cli/test_story_commands.py",
    "runner/cli/resume.py": "tests/cli/test_story_commands.py",
    "runner/cli/revert.py": "tests/cli/test_story_commands.py",
    "runner/cli/resolve.py": "tests/cli/test_story_commands.py",
    "runner/cli/revoke.py": "tests/cli/test_story_commands.py",
    "runner/cli/say.py": "tests/cli/test_story_commands.py",
    "runner/cli/glass.py": "tests/stories/test_break_glass.py",
    "runner/cli/halt.py": "tests/stories/test_the_kill_switch.py",
    "runner/cli/switch.py": "tests/stories/test_the_kill_switch.py",
    "runner/cli/unhalt.py": "tests/stories/test_the_kill_switch.py",
    "runner/cli/supervise.py": "tests/cli/test_story_commands.py",
}
"""Modules without a test file of their own, each with the place that tests it instead."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield f"{name_of(path)}:{node.lineno} {node.name}", lines


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_is_short(path: Path) -> None:
    assert [f"{name} has {lines} lines" for name, lines in functions(path) if lines > LONGEST_FUNCTION] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_named_after_what_is_in_it(path: Path) -> None:
    parts = {part.removesuffix(".py").strip("_") for part in path.relative_to(ROOT).parts}
    assert not parts & FORBIDDEN


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of)
def test_a_package_holds_one_docstring_and_no_code(path: Path) -> None:
    # The toolkit is what cells import by its short name; runner/__init__.py is empty because it goes into the kernel.
    if "toolkit" in path.parts or path.parent.name == "runner":
        return
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_every_module_has_its_tests_in_the_same_place() -> None:
    missing = []
    for path in MODULES:
        if path.name == "__init__.py":
            continue
        inside = path.relative_to(ROOT / "runner")
        if not (ROOT / "tests" / inside.parent / f"test_{inside.stem.strip('_')}.py").exists():
            missing.append(name_of(path))
    assert sorted(set(missing) - TESTED_ELSEWHERE.keys()) == []
    assert sorted(TESTED_ELSEWHERE.keys() - set(missing)) == [], "these have their own tests now"


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    assert [place for place in TESTED_ELSEWHERE.values() if not (ROOT / place).exists()] == []
